"""Ce que l'historique garde d'une action et de ce qui s'y attache, dit en clair : avant, après, qui, quand.

Une requête par table, quel que soit le nombre de changements : ce que nomment les clés étrangères vient avec.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.text import Truncator

from actions.evenements import Evenement
from actions.models import Action, Document, Etape, PartenaireDeLAction, ReferenceCadre
from socle.echeances import Echeance, Precision
from socle.formats import formater_montant
from socle.formulaires import afficher

# Au-delà, une valeur se lit sur la fiche.
LONGUEUR_D_UNE_VALEUR = 200
_CLES_DE_LA_FICHE = ("axe", "pilote", "suppleant", "service_pilote")
# Le point d'attention, en deux champs, se dit d'un seul tenant.
_MUETS = {"id", "version", "plan", "recherche", "attention", "attention_nature"}


def changements(action: Action, lisibles: set[int], limite: int) -> list[Evenement]:
    """Au plus `limite` versions par table. `lisibles` : les documents dont on a le droit de savoir quelque chose."""
    return [
        *_de_la_fiche(action, limite),
        *_des_etapes(action, limite),
        *_des_documents(action, lisibles, limite),
        *_des_partenaires(action, limite),
        *_des_references(action, limite),
    ]


# --- Lire l'historique --------------------------------------------------------------------------


def _versions(modele: Any, limite: int, *cles: str, **filtre: Any) -> list[Any]:
    """Les dernières versions, de la plus ancienne à la plus récente, avec leur auteur et ce que nomment `cles`."""
    lues = modele.history.filter(**filtre).select_related("history_user", *cles).order_by("-history_id")
    return list(lues[:limite])[::-1]


def _avec_la_precedente(versions: Iterable[Any]) -> Iterator[tuple[Any | None, Any]]:
    """(version d'avant, version). L'avant manque à une création, et à ce que la limite a laissé de côté."""
    precedentes: dict[int, Any] = {}
    for version in versions:
        yield precedentes.get(version.id), version
        precedentes[version.id] = version


def _evenement(version: Any, nature: str, titre: str, texte: str, icone: str, le: date | None = None) -> Evenement:
    return Evenement(
        nature=nature,
        titre=titre,
        texte=texte,
        date_effet=le or timezone.localdate(version.history_date),
        saisi_le=version.history_date,
        auteur=version.history_user,
        icone=icone,
        journal=le is not None,
    )


# --- Dire un changement -------------------------------------------------------------------------


def _en_clair(version: Any, champ: models.Field) -> str:
    if champ.is_relation:
        cle, objet = getattr(version, champ.attname), getattr(version, champ.name)
        return afficher(objet) if objet or not cle else "(supprimé)"
    valeur = getattr(version, champ.attname)
    if champ.flatchoices and valeur:
        return str(dict(champ.flatchoices).get(valeur, valeur))
    if isinstance(valeur, Decimal):
        return formater_montant(valeur)
    return Truncator(afficher(valeur)).chars(LONGUEUR_D_UNE_VALEUR)


def _differences(avant: Any, apres: Any, champs: Sequence[models.Field]) -> list[tuple[str, str]]:
    """(libellé, « avant → après ») de chaque champ changé."""
    return [
        (_libelle(champ), f"{_en_clair(avant, champ)} → {_en_clair(apres, champ)}")
        for champ in champs
        if getattr(avant, champ.attname) != getattr(apres, champ.attname)
    ]


def _libelle(champ: models.Field) -> str:
    libelle = str(champ.verbose_name)
    return libelle[:1].upper() + libelle[1:]


def _champs(modele: Any, muets: set[str]) -> list[models.Field]:
    """Ceux que l'historique garde, sauf ceux-là."""
    return [modele._meta.get_field(champ.name) for champ in _suivis(modele) if champ.name not in muets]


def _suivis(modele: Any) -> list[models.Field]:
    return list(modele.history.model.tracked_fields)


def _lignes(differences: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{libelle} : {change}" for libelle, change in differences)


# --- Chaque source ------------------------------------------------------------------------------


def _de_la_fiche(action: Action, limite: int) -> Iterator[Evenement]:
    champs = _champs(Action, _MUETS)
    for avant, version in _avec_la_precedente(_versions(Action, limite, *_CLES_DE_LA_FICHE, id=action.pk)):
        if not avant:
            continue
        differences = [*_differences(avant, version, champs), *_point_d_attention(avant, version)]
        if differences:
            titre = "Fiche modifiée : " + ", ".join(libelle.lower() for libelle, _ in differences)
            yield _evenement(version, "fiche", titre, _lignes(differences), "pencil")


def _point_d_attention(avant: Any, apres: Any) -> list[tuple[str, str]]:
    ecrits = [
        f"{version.get_attention_nature_display()} : {version.attention}" if version.attention else afficher(None)
        for version in (avant, apres)
    ]
    return [("Point d'attention", " → ".join(ecrits))] if ecrits[0] != ecrits[1] else []


def _des_etapes(action: Action, limite: int) -> Iterator[Evenement]:
    for avant, version in _avec_la_precedente(_versions(Etape, limite, action_id=action.pk)):
        if avant is None:
            if version.history_type == "+":
                pour = f"pour {_echeance(version)}" if version.echeance else ""
                yield _evenement(version, "etape", f"Étape ajoutée : {version.intitule}", pour, "arrow-right")
            continue
        if version.faite_le and version.faite_le != avant.faite_le:
            titre = f"Étape faite : {version.intitule}"
            yield _evenement(version, "etape", titre, "", "check-circle-fill", version.faite_le)
        if version.retiree != avant.retiree:
            mot = "retirée" if version.retiree else "remise"
            yield _evenement(version, "etape", f"Étape {mot} : {version.intitule}", "", "arrow-right")
        differences = _differences_d_etape(avant, version)
        if differences:
            titre = f"Étape changée : {version.intitule}"
            yield _evenement(version, "etape", titre, _lignes(differences), "pencil")


def _differences_d_etape(avant: Any, version: Any) -> list[tuple[str, str]]:
    """L'ordre de la liste n'est pas une nouvelle ; « fait le » n'en est une que s'il s'efface."""
    differences = _differences(avant, version, [Etape._meta.get_field("intitule")])
    if (avant.echeance, avant.precision) != (version.echeance, version.precision):
        differences.append(("Échéance", f"{_echeance(avant)} → {_echeance(version)}"))
    if avant.faite_le and not version.faite_le:
        differences.append(("Fait le", f"{afficher(avant.faite_le)} → {afficher(None)}"))
    return differences


def _echeance(version: Any) -> str:
    return str(Echeance(version.echeance, Precision(version.precision))) if version.echeance else afficher(None)


def _des_documents(action: Action, lisibles: set[int], limite: int) -> Iterator[Evenement]:
    champs = _champs(Document, {champ.name for champ in _suivis(Document)} - {"titre", "preuve", "restreint"})
    for avant, version in _avec_la_precedente(_versions(Document, limite, action_id=action.pk)):
        if version.id not in lisibles:
            continue
        if avant is None:
            if version.history_type == "+":
                marques = [mot for mot, pose in (("preuve", version.preuve), ("réservé", version.restreint)) if pose]
                titre = f"Document déposé : {version.titre}"
                yield _evenement(version, "document", titre, ", ".join(marques), "arrow-right")
        elif version.retire_le and not avant.retire_le:
            yield _evenement(version, "document", f"Document retiré : {version.titre}", "", "arrow-right")
        elif differences := _differences(avant, version, champs):
            yield _evenement(version, "document", f"Document changé : {version.titre}", _lignes(differences), "pencil")


def _des_partenaires(action: Action, limite: int) -> Iterator[Evenement]:
    versions = _versions(PartenaireDeLAction, limite, "partenaire", action_id=action.pk)
    for avant, version in _avec_la_precedente(versions):
        role = version.get_role_display()
        if version.history_type == "-":
            yield _evenement(version, "fiche", f"Partenaire retiré : {version.partenaire}", "", "pencil")
        elif version.history_type == "+":
            yield _evenement(version, "fiche", f"Partenaire ajouté : {version.partenaire}", role, "pencil")
        elif avant and avant.role != version.role:
            roles = f"{avant.get_role_display() or afficher(None)} → {role or afficher(None)}"
            yield _evenement(version, "fiche", f"Rôle changé : {version.partenaire}", roles, "pencil")


def _des_references(action: Action, limite: int) -> Iterator[Evenement]:
    mots = {"+": "Référence ajoutée", "-": "Référence retirée"}
    for version in _versions(ReferenceCadre, limite, action_id=action.pk):
        if version.history_type in mots:
            texte = f"{version.cadre} {version.code}".strip()
            yield _evenement(version, "fiche", f"{mots[version.history_type]} : {texte}", "", "pencil")
