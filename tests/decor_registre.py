"""Un registre des consultations pour le décor des tables communes."""

import datetime

from django.contrib.contenttypes.models import ContentType
from simple_history.utils import bulk_create_with_history

from comptes.gestes import LigneDeLot, Lot
from comptes.models import Service, Utilisateur
from marches.consultations import Consultation, LotDeConsultation
from marches.listes import Nature, Procedure, Suite
from marches.registre_importe.imports import CREATION
from marches.reponses import Reponse

JOUR = datetime.date(2024, 3, 1)


def tenir_un_registre(
    service: Service, auteur: Utilisateur, combien: int = 1
) -> tuple[Consultation, LotDeConsultation]:
    """`combien` consultations de deux lots, nées d'un import ; rend la première, qui a autant de lots, et son lot."""
    consultations = [
        Consultation(
            numero=f"2024-{rang:04}",
            objet="Nettoyage des locaux",
            service=service,
            nature=Nature.SERVICES,
            procedure=Procedure.MAPA,
            lancee_le=datetime.date(2024, 1, 1),
        )
        for rang in range(combien)
    ]
    bulk_create_with_history(consultations, Consultation, default_user=auteur)
    lots = [
        LotDeConsultation(
            consultation=consultation,
            numero=str(numero),
            suite=Suite.NOTIFIE,
            date_de_suite=JOUR,
            siret="73282932000074",
            clause_sociale=Reponse.OUI,
        )
        for rang, consultation in enumerate(consultations)
        for numero in range(1, (max(2, combien) if rang == 0 else 2) + 1)
    ]
    bulk_create_with_history(lots, LotDeConsultation, default_user=auteur)
    fait = Lot.objects.create(intitule="Import du registre « registre.csv »", auteur=auteur)
    LigneDeLot.objects.bulk_create(
        LigneDeLot(
            lot=fait,
            type_d_objet=ContentType.objects.get_for_model(objet),
            id_objet=objet.pk,
            champ=CREATION,
            apres=str(objet),
        )
        # Les deux sortes dès la première page, quel que soit leur nombre.
        for objet in sorted([*consultations, *lots], key=lambda objet: getattr(objet, "consultation_id", objet.pk))
    )
    return consultations[0], lots[0]
