"""Ce qu'une valeur annuelle est devenue, dit en clair : quand, qui, avant et après, pourquoi. Trois requêtes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from indicateurs.listes import Etat, OrigineDeValeur
from indicateurs.models import LigneDeVentilation, ValeurAnnuelle
from socle.formats import formater_nombre
from socle.formulaires import afficher

# Plus qu'une valeur n'en connaîtra jamais ; une page reste lisible.
VERSIONS_AU_PLUS = 200
# Champ → son nom dans une phrase.
CHAMPS = {
    "valeur": "valeur",
    "numerateur": "numérateur",
    "denominateur": "dénominateur",
    "motif_indisponibilite": "indisponible",
    "etat": "état",
    "origine": "origine",
    "remarque": "remarque",
    "source": "source",
    "rupture": "rupture de série",
    "libelle": "texte sous le chiffre",
    "connue_le": "connue le",
}
_LISTES = {"etat": Etat, "origine": OrigineDeValeur}


@dataclass(frozen=True)
class Ecart:
    """Un champ qui a changé. `avant` est « — » quand il n'était pas renseigné."""

    libelle: str
    avant: str
    apres: str


@dataclass(frozen=True)
class Evenement:
    """Un enregistrement. `sujet` : le dénominateur qui a bougé, vide quand c'est la valeur elle-même."""

    le: datetime
    auteur: Any
    ecarts: list[Ecart]
    motif: str
    sujet: str = ""


def historique(valeur: ValeurAnnuelle) -> list[Evenement]:
    """Du plus récent au plus ancien : la valeur, sa ventilation et, si elle s'appuie sur un autre indicateur, le
    dénominateur de la même année."""
    evenements = _avec_la_ventilation(valeur, list(_de_la_valeur({"id": valeur.pk})))
    partage = valeur.indicateur.denominateur
    if partage is not None and valeur.numerateur is not None and valeur.denominateur is None:
        filtre = {"indicateur": partage.pk, "annee": valeur.annee}
        evenements += [e for e in _de_la_valeur(filtre, ("valeur",), str(partage)) if e.ecarts]
    return sorted(evenements, key=lambda evenement: evenement.le, reverse=True)


def _de_la_valeur(filtre: dict[str, Any], champs: Iterable[str] = CHAMPS, sujet: str = "") -> Iterator[Evenement]:
    versions = ValeurAnnuelle.history.filter(**filtre).select_related("history_user").order_by("-history_id")
    avant = None
    for version in reversed(versions[:VERSIONS_AU_PLUS]):
        ecarts = [ecart for champ in champs if (ecart := _ecart(avant, version, champ))]
        motif = version.history_change_reason or ""
        yield Evenement(version.history_date, version.history_user, ecarts, motif, sujet)
        avant = version


def _ecart(avant: Any, apres: Any, champ: str) -> Ecart | None:
    ancienne = getattr(avant, champ) if avant else None
    nouvelle = getattr(apres, champ)
    if (ancienne or "") == (nouvelle or "") and (ancienne is None) == (nouvelle is None or nouvelle == ""):
        return None
    if avant is None and nouvelle in (None, ""):
        return None
    return Ecart(CHAMPS[champ], _en_clair(champ, ancienne), _en_clair(champ, nouvelle))


def _en_clair(champ: str, valeur: Any) -> str:
    liste = _LISTES.get(champ)
    return str(liste(valeur).label) if liste and valeur else afficher(valeur)


def _avec_la_ventilation(valeur: ValeurAnnuelle, evenements: list[Evenement]) -> list[Evenement]:
    """La ventilation s'écrit avec la valeur, juste après elle : ses écarts rejoignent cet enregistrement et son motif.

    `evenements` : du plus ancien au plus récent.
    """
    for le, ecart in _de_la_ventilation(valeur):
        porteur = next((evenement for evenement in reversed(evenements) if evenement.le <= le), evenements[0])
        porteur.ecarts.append(ecart)
    return evenements


def _de_la_ventilation(valeur: ValeurAnnuelle) -> Iterator[tuple[datetime, Ecart]]:
    versions = LigneDeVentilation.history.filter(valeur=valeur.pk).select_related("dimension")
    connues: dict[int, Any] = {}
    for version in versions.order_by("history_id"):
        avant = connues.get(version.id)
        connues[version.id] = version
        ancien = avant.nombre if avant else None
        nouveau = None if version.history_type == "-" else version.nombre
        if ancien != nouveau:
            libelle = f"{version.modalite} ({version.dimension})"
            yield version.history_date, Ecart(libelle, formater_nombre(ancien), formater_nombre(nouveau))
