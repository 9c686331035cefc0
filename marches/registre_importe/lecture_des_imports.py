"""Les lignes d'un import du registre, en clair."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType

from comptes.gestes import LigneDeLot
from comptes.models import Service
from marches.consultations import Consultation, LotDeConsultation
from marches.registre_importe.imports import CREATION
from socle.formulaires import afficher


@dataclass(frozen=True)
class LigneDImport:
    """`adresse` : celle de la consultation, vide si elle n'est plus au registre."""

    objet: str
    adresse: str
    champ: str
    avant: str
    apres: str


def lignes_lues(lignes: Sequence[LigneDeLot]) -> list[LigneDImport]:
    """Trois requêtes, quel que soit leur nombre."""
    types = {ContentType.objects.get_for_model(modele).pk: modele for modele in (Consultation, LotDeConsultation)}
    cles: dict[Any, set[int]] = {modele: set() for modele in types.values()}
    for ligne in lignes:
        cles[types[ligne.type_d_objet_id]].add(ligne.id_objet)
    objets: dict[Any, dict[int, Any]] = {
        Consultation: Consultation.objects.in_bulk(cles[Consultation]),
        LotDeConsultation: LotDeConsultation.objects.select_related("consultation").in_bulk(cles[LotDeConsultation]),
    }
    services = {service.pk: service.nom for service in Service.objects.all()}
    return [_lue(ligne, types[ligne.type_d_objet_id], objets, services) for ligne in lignes]


def _lue(ligne: LigneDeLot, modele: Any, objets: dict[Any, dict[int, Any]], services: dict[int, str]) -> LigneDImport:
    objet = objets[modele].get(ligne.id_objet)
    nom = str(objet or ligne.apres or ligne.avant)
    adresse = ""
    if objet is not None:
        adresse = (objet if modele is Consultation else objet.consultation).get_absolute_url()
    if ligne.champ == CREATION:
        geste = "Ajoutée au registre" if ligne.apres else "Retirée du registre"
        return LigneDImport(nom, adresse, geste, "—", "—")
    if objet is None:
        nom = f"{modele._meta.verbose_name.capitalize()} n° {ligne.id_objet}, plus au registre"
    champ = modele._meta.get_field(ligne.champ)
    valeurs = (_dit(champ, valeur, services) for valeur in (ligne.avant, ligne.apres))
    return LigneDImport(nom, adresse, str(champ.verbose_name), *valeurs)


def _dit(champ: Any, valeur: Any, services: dict[int, str]) -> str:
    if champ.is_relation:
        return services.get(valeur, afficher(valeur))
    if champ.choices:
        return afficher(dict(champ.flatchoices).get(valeur, valeur))
    return afficher(champ.to_python(valeur))
