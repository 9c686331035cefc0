"""De quoi remplir un site jetable : un peu de chaque sorte de valeur que la base sait garder."""

import datetime
import uuid
from decimal import Decimal

from django.contrib.auth.models import Group
from django.core.files.base import ContentFile

from actions.models import Document
from comptes.droits import Role
from comptes.gestes import Geste
from comptes.models import Collectivite, Lot, Siren
from comptes.traces import tracer
from indicateurs.listes import Nature
from marches.contrats import Contrat
from marches.imports import ImportDecp, MorceauDeFichier
from tests import fabriques
from tests.fichiers import PDF, PNG


def remplir() -> None:
    """Dates, décimaux, JSON (« nul » compris), octets, UUID, accents ; trois documents déposés."""
    for role in Role:
        Group.objects.get_or_create(name=role)
    Siren.objects.create(collectivite=Collectivite.objects.create(nom="Agglomération d'essai"), numero="123456789")
    auteur = fabriques.utilisateur(Role.ADMINISTRATEUR, nom="Éloïse ⟨Ñ⟩ d'Œuvre", courriel="eloise@exemple.fr")
    action = fabriques.action(auteur=auteur, intitule="Écrire « l'été » : 😀\n\ttabulation")
    for nom, contenu in {"un.pdf": PDF, "deux.png": PNG, "trois.txt": b"texte\n" * 50_000}.items():
        Document.objects.deposer(action, auteur=auteur, fichier=ContentFile(contenu, name=nom))
    indicateur = fabriques.indicateur(action.plan, nature=Nature.MONTANT)
    fabriques.valeur(indicateur, 2022, valeur=Decimal("123456789012.123456"))
    fabriques.valeur(indicateur, 2023, valeur=Decimal("0.000001"))
    _lot(auteur, action)
    _contrat()
    tracer(Geste.EXPORT, auteur, "Liste", details={"é": [1, 2.50, 1e-7, None, {"b": 1, "a": True}]})


def _lot(auteur, action) -> None:
    from django.contrib.contenttypes.models import ContentType
    from django.db.models import JSONField, Value

    lot = Lot.objects.create(intitule="Un lot", auteur=auteur)
    genre = ContentType.objects.get_for_model(action)
    for rang, avant in enumerate([None, Value(None, JSONField()), "texte", 12.5, {"z": 1, "a": [0]}]):
        lot.lignes.create(type_d_objet=genre, id_objet=action.pk, champ=f"champ_{rang}", avant=avant, apres=None)
    efface = Lot.objects.create(intitule="Effacé : son numéro ne doit pas resservir", auteur=auteur)
    efface.delete()


def _contrat() -> None:
    depot = ImportDecp.objects.create(nom="fichier.json", sha256="a" * 64)
    MorceauDeFichier.objects.create(import_decp=depot, rang=1, octets=bytes(range(256)) * 4)
    Contrat.objects.create(
        souche=uuid.UUID(int=12345),
        de=1,
        groupe="123456789-1",
        empreinte="b" * 64,
        siren="123456789",
        siret="12345678900012",
        date=datetime.date(2024, 2, 29),
        montant=Decimal("12345678901234567890.12"),
        environnement="OUI",
        social="NON",
        enregistrements=[3, 1, 2],
        modifications=[{"montant": "10.50", "date": "2024-03-01"}],
    )
