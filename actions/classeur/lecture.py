"""D'une cellule à la valeur d'un champ. Ce qui ne se comprend pas est refusé avec sa raison ; rien ne se devine.

Ce qui s'écrit comme le site l'écrit aujourd'hui est ce qui y est aujourd'hui : un compte désactivé depuis, un
partenaire dont le nom contient un point-virgule se relisent sans rien changer.
"""

import datetime
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from actions.champs import LIBELLES, en_clair, valeur_de
from actions.classeur.colonnes import Colonne
from actions.classeur.releve import Releve
from actions.models import Action
from actions.statuts import PointAttention, Priorite, Statut
from actions.suivi import LONGUEUR_DE_REFERENCE, RoleDePartenaire
from partenaires.models import Partenaire
from socle.choix import membre_de
from socle.echeances import ATTENDU, Echeance, Precision
from socle.formats import ABSENT, INSECABLE, formater_date, formater_nombre, lire_date, lire_nombre, plier

# Un tableur calcule en binaire : 0,1 + 0,2 y vaut 0,30000000000000004.
_DECIMALES_D_UN_TABLEUR = 6
CHIFFRES_D_UN_ENTIER = 9


@dataclass(frozen=True)
class Refus:
    """Pourquoi une ligne n'est pas prise. `colonne` : son titre dans le fichier ; vide si c'est toute la ligne."""

    colonne: str
    raison: str


@dataclass
class LigneLue:
    """Ce qu'une ligne dit, champ par champ ; ce qui n'y est pas ne change rien."""

    numero: int
    valeurs: dict[str, Any] = field(default_factory=dict)
    refus: list[Refus] = field(default_factory=list)


def texte_de(cellule: Any) -> str:
    """Le texte d'une cellule, sans ses blancs de bord ; un nombre entier sans « ,0 » ; vide pour « — »."""
    if cellule is None:
        return ""
    if isinstance(cellule, bool):
        return "oui" if cellule else "non"
    if isinstance(cellule, datetime.date):
        return formater_date(_jour(cellule))
    if isinstance(cellule, float | Decimal):
        return formater_nombre(_decimal(cellule)) if not _est_entier(cellule) else str(int(cellule))
    texte = "\n".join(ligne.rstrip() for ligne in str(cellule).splitlines()).strip()
    return "" if texte == ABSENT else texte


def est_vide(cellule: Any) -> bool:
    return texte_de(cellule) == ""


def lire_un_champ(colonne: Colonne, cellule: Any, action: Action | None, releve: Releve) -> Any:
    """La valeur que cette cellule donne à ce champ de cette action (None : à créer). Lève ValueError ou
    ValidationError, dont la phrase se montre."""
    champ = colonne.champ
    if est_vide(cellule):
        return vide_de(champ)
    if action is not None:
        presente = valeur_de(action, champ)
        texte_libre = isinstance(presente, str) and champ not in LISTES
        ecrite = texte_de(presente) if texte_libre else plier(en_clair(champ, presente))
        if ecrite == (texte_de(cellule) if texte_libre else plier(texte_de(cellule))):
            return presente
    return LECTEURS[champ](cellule, action, releve)


def vide_de(champ: str) -> Any:
    """Ce que vaut une cellule vidée, pour un champ qui peut l'être. Lève ValidationError sinon."""
    if champ in VIDES:
        return VIDES[champ]
    raise ValidationError(f"{LIBELLES[champ]}{INSECABLE}: une valeur est attendue, la cellule est vide.")


# --- Chaque sorte de cellule --------------------------------------------------------------------


def cite(texte: str) -> str:
    return f"«{INSECABLE}{texte if len(texte) <= 60 else texte[:59] + '…'}{INSECABLE}»"


def _est_entier(nombre: float | Decimal) -> bool:
    return math.isfinite(nombre) and nombre == int(nombre)


def _jour(valeur: datetime.date) -> datetime.date:
    return valeur.date() if isinstance(valeur, datetime.datetime) else valeur


def _decimal(valeur: Any) -> Decimal:
    if isinstance(valeur, float):
        return Decimal(repr(round(valeur, _DECIMALES_D_UN_TABLEUR)))
    return Decimal(valeur)


def _est_un_nombre(cellule: Any) -> bool:
    return isinstance(cellule, int | float | Decimal) and not isinstance(cellule, bool) and math.isfinite(cellule)


def lire_un_entier(cellule: Any) -> int:
    """Un entier positif : « 12 », 12, 12.0. Lève ValidationError."""
    texte = texte_de(cellule)
    if isinstance(cellule, bool | datetime.date) or not (
        texte.isascii() and texte.isdigit() and len(texte) <= CHIFFRES_D_UN_ENTIER
    ):
        raise ValidationError(f"{cite(texte)} n'est pas un nombre entier.")
    return int(texte)


def _texte(cellule: Any, action: Action | None, releve: Releve) -> str:
    if isinstance(cellule, bool | datetime.date):
        nature = "une date" if isinstance(cellule, datetime.date) else "vrai ou faux"
        raise ValidationError(f"{cite(texte_de(cellule))}{INSECABLE}: {nature}, là où un texte est attendu.")
    return texte_de(cellule)


def _numero(cellule: Any, action: Action | None, releve: Releve) -> int:
    return lire_un_entier(cellule)


def _membre(liste: type[models.TextChoices], nature: str) -> Callable[[Any, Action | None, Releve], str]:
    def lire(cellule: Any, action: Action | None, releve: Releve) -> str:
        texte = texte_de(cellule)
        if (membre := membre_de(liste, texte)) is not None:
            return membre
        *debut, fin = [cite(str(libelle)) for libelle in liste.labels]
        raise ValidationError(f"{cite(texte)} n'est pas {nature}. Écrire {', '.join(debut)} ou {fin}.")

    return lire


def lire_un_jour(cellule: Any) -> datetime.date:
    if isinstance(cellule, datetime.date):
        return _jour(cellule)
    return lire_date(texte_de(cellule))


def _date(cellule: Any, action: Action | None, releve: Releve) -> datetime.date:
    return lire_un_jour(cellule)


def _echeance(cellule: Any, action: Action | None, releve: Releve) -> Echeance:
    if isinstance(cellule, datetime.date):
        return Echeance(_jour(cellule), Precision.JOUR)
    if isinstance(cellule, bool):
        raise ValidationError(f"{cite(texte_de(cellule))} n'est pas une échéance. Écrire {ATTENDU}.")
    return Echeance.lire(texte_de(cellule))


def _budget(cellule: Any, action: Action | None, releve: Releve) -> Decimal:
    if _est_un_nombre(cellule):
        return _decimal(cellule)
    return lire_nombre(texte_de(cellule).removesuffix("€").rstrip())


def _avancement(cellule: Any, action: Action | None, releve: Releve) -> int:
    if isinstance(cellule, float) and 0 < cellule < 1:
        cite_en_pourcent = formater_nombre(_decimal(cellule * 100))
        raise ValidationError(
            f"{cite(texte_de(cellule))} ne convient pas{INSECABLE}: écrire l'avancement de 0 à 100 "
            f"({cite_en_pourcent} et non {texte_de(cellule)})."
        )
    return lire_un_entier(cellule if _est_un_nombre(cellule) else texte_de(cellule).removesuffix("%").rstrip())


def _oui_ou_non(cellule: Any, action: Action | None, releve: Releve) -> bool:
    match plier(texte_de(cellule)):
        case "oui" | "vrai":
            return True
        case "non" | "faux":
            return False
    raise ValidationError(
        f"{cite(texte_de(cellule))} ne se lit pas. Écrire «{INSECABLE}oui{INSECABLE}» ou «{INSECABLE}non{INSECABLE}»."
    )


def _compte(champ: str) -> Callable[[Any, Action | None, Releve], Any]:
    def lire(cellule: Any, action: Action | None, releve: Releve) -> Any:
        deja = getattr(action, champ) if action is not None else None
        return releve.annuaire.compte(texte_de(cellule), deja)

    return lire


def _service(cellule: Any, action: Action | None, releve: Releve) -> Any:
    deja = action.service_pilote if action is not None else None
    return releve.annuaire.service(texte_de(cellule), deja)


def _axe(cellule: Any, action: Action | None, releve: Releve) -> Any:
    texte = texte_de(cellule)
    trouves = releve.axes_par_texte.get(plier(texte), [])
    if len(trouves) > 1:
        noms = ", ".join(cite(str(axe)) for axe in trouves)
        raise ValidationError(f"{cite(texte)} désigne plusieurs axes{INSECABLE}: {noms}. Écrivez l'intitulé.")
    if not trouves:
        raise ValidationError(f"{cite(texte)} n'est pas un axe de ce plan.{_proches(texte, map(str, releve.axes))}")
    return trouves[0]


def _morceaux(cellule: Any) -> list[str]:
    return [nu for morceau in texte_de(cellule).replace(";", "\n").splitlines() if (nu := morceau.strip())]


def _partenaires(cellule: Any, action: Action | None, releve: Releve) -> dict[Partenaire, str]:
    deja = {lien.partenaire for lien in action.participations.all()} if action is not None else set()
    lus: dict[Partenaire, str] = {}
    for morceau in _morceaux(cellule):
        partenaire, role = _partenaire_et_role(morceau, releve)
        if not partenaire.actif and partenaire not in deja:
            raise ValidationError(f"{cite(str(partenaire))} est un partenaire désactivé.")
        if lus.setdefault(partenaire, role) != role:
            raise ValidationError(f"{cite(str(partenaire))} est cité deux fois, avec deux rôles.")
    return lus


def _partenaire_et_role(morceau: str, releve: Releve) -> tuple[Partenaire, str]:
    """« Nom (porteur) ». Une parenthèse qui n'est pas un rôle fait partie du nom."""
    nom, role = morceau, ""
    debut, ouvrante, fin = morceau.rpartition("(")
    dit = fin.rstrip()
    if ouvrante and dit.endswith(")") and (membre := membre_de(RoleDePartenaire, dit[:-1])) is not None:
        nom, role = debut.strip(), membre
    trouves = releve.partenaires_par_texte.get(plier(nom), [])
    if len(trouves) > 1:
        noms = ", ".join(cite(str(partenaire)) for partenaire in trouves)
        raise ValidationError(f"{cite(nom)} désigne plusieurs partenaires{INSECABLE}: {noms}. Écrivez le nom entier.")
    if not trouves:
        roles = ", ".join(str(libelle).lower() for libelle in RoleDePartenaire.labels)
        proches = _proches(nom, (partenaire.nom for partenaire in releve.partenaires))
        raise ValidationError(
            f"{cite(nom)} n'est ni le nom, ni le sigle, ni un autre nom d'un partenaire connu.{proches} "
            f"Un rôle se met entre parenthèses ({roles})."
        )
    return trouves[0], role


def _references(cellule: Any, action: Action | None, releve: Releve) -> list[str]:
    lues: dict[str, None] = {}
    for morceau in _morceaux(cellule):
        cadre, _, code = (partie.strip() for partie in morceau.partition(":"))
        if not cadre:
            raise ValidationError(f"{cite(morceau)} ne dit pas le cadre. Écrire «{INSECABLE}cadre : code{INSECABLE}».")
        if max(len(cadre), len(code)) > LONGUEUR_DE_REFERENCE:
            raise ValidationError(f"{cite(morceau)} est trop long{INSECABLE}: {LONGUEUR_DE_REFERENCE} signes au plus.")
        lues[f"{cadre} : {code}" if code else cadre] = None
    return list(lues)


def _proches(texte: str, connus: Iterable[str]) -> str:
    par_texte = {plier(connu): connu for connu in connus}
    trouves = [cite(par_texte[cle]) for cle in get_close_matches(plier(texte), par_texte, n=3, cutoff=0.6)]
    return f" Peut-être{INSECABLE}: {', '.join(trouves)}{INSECABLE}?" if trouves else ""


LISTES = ("statut", "priorite", "attention_nature")
LECTEURS: dict[str, Callable[[Any, Action | None, Releve], Any]] = {
    "numero": _numero,
    "intitule": _texte,
    "description": _texte,
    "axe": _axe,
    "service_pilote": _service,
    "pilote": _compte("pilote"),
    "suppleant": _compte("suppleant"),
    "elu_referent": _texte,
    "priorite": _membre(Priorite, "une priorité"),
    "date_debut": _date,
    "budget_previsionnel": _budget,
    "budget_realise": _budget,
    "attention_nature": _membre(PointAttention, "une nature de point d'attention"),
    "attention": _texte,
    "visible_du_public": _oui_ou_non,
    "statut": _membre(Statut, "un statut"),
    "avancement": _avancement,
    "echeance": _echeance,
    "partenaires": _partenaires,
    "references": _references,
}
# Le numéro, l'intitulé, le statut et la visibilité ne se vident pas.
VIDES: dict[str, Any] = {
    **dict.fromkeys(("description", "elu_referent", "priorite", "attention_nature", "attention"), ""),
    **dict.fromkeys(("axe", "service_pilote", "pilote", "suppleant", "date_debut", "avancement", "echeance")),
    **dict.fromkeys(("budget_previsionnel", "budget_realise")),
    "partenaires": {},
    "references": [],
}
