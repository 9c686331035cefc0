"""Les champs d'une action qu'on change par plusieurs chemins : grille, changement en nombre, classeur, réaffectation.

Pour chacun, un seul endroit dit son libellé, comment il se lit sur une action, comment il s'écrit en clair et comment
un lot le garde. Les valeurs sont celles de Python : un compte, une date, une `Echeance`, des partenaires et leur rôle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from actions.plans import Axe
from actions.statuts import PointAttention, Priorite, Statut
from actions.suivi import RoleDePartenaire
from comptes.droits import Droit, peut
from comptes.models import Service, Utilisateur
from partenaires.models import Partenaire
from socle.echeances import Echeance, Precision
from socle.formats import formater_montant
from socle.formulaires import afficher

if TYPE_CHECKING:
    from actions.models import Action

# Colonnes de la table, dans l'ordre de la fiche.
LIBELLES_PROPRES = {
    "numero": "N°",
    "intitule": "Action",
    "description": "Description",
    "axe": "Axe",
    "service_pilote": "Service pilote",
    "pilote": "Pilote",
    "suppleant": "Suppléant·e",
    "elu_referent": "Élu·e référent·e",
    "priorite": "Priorité",
    "date_debut": "Début",
    "budget_previsionnel": "Budget prévisionnel",
    "budget_realise": "Budget réalisé",
    "attention_nature": "Point d'attention",
    "attention": "Point d'attention, en une phrase",
    "visible_du_public": "Visible du public",
}
# Ce que tiennent les journaux, et ce qui se range dans une autre table.
LIBELLES_DES_JOURNAUX = {"statut": "Statut", "avancement": "Avancement (%)", "echeance": "Échéance"}
LIBELLES_DES_LIENS = {"partenaires": "Partenaires", "references": "Autres cadres"}

LIBELLES = {**LIBELLES_PROPRES, **LIBELLES_DES_JOURNAUX, **LIBELLES_DES_LIENS}

# Ce qu'un contributeur change sur ce qui relève de lui ; le reste décrit le plan.
DU_CONTRIBUTEUR = frozenset({"statut", "avancement", "echeance", "attention_nature", "attention"})

_LISTES = {"statut": Statut, "priorite": Priorite, "attention_nature": PointAttention}
_FICHES = {"axe": Axe, "service_pilote": Service, "pilote": Utilisateur, "suppleant": Utilisateur}


@dataclass(frozen=True)
class Ecart:
    """Un champ dont la valeur demandée n'est pas celle de l'action."""

    champ: str
    avant: Any
    apres: Any

    @property
    def libelle(self) -> str:
        return LIBELLES[self.champ]

    @property
    def avant_en_clair(self) -> str:
        return en_clair(self.champ, self.avant)

    @property
    def apres_en_clair(self) -> str:
        return en_clair(self.champ, self.apres)


def champs_permis(utilisateur: Utilisateur) -> frozenset[str]:
    """Les champs que cet utilisateur peut changer, sur les actions où il a le droit d'écrire."""
    if peut(utilisateur, Droit.MODIFIER_LE_PLAN):
        return frozenset(LIBELLES)
    return DU_CONTRIBUTEUR if peut(utilisateur, Droit.METTRE_A_JOUR) else frozenset()


def valeur_de(action: "Action", champ: str) -> Any:
    """La valeur d'aujourd'hui. Partenaires : {partenaire: rôle} ; références : une liste de « cadre : code »."""
    match champ:
        case "echeance":
            # Sans l'état annoté, qui peut être celui d'une date passée.
            fin, precision = action.echeance, action.echeance_precision
            return Echeance(fin, Precision(precision)) if fin and precision else None
        case "partenaires":
            return {lien.partenaire: lien.role for lien in action.participations.all()}
        case "references":
            return [f"{r.cadre} : {r.code}" if r.code else r.cadre for r in action.references.all()]
    return getattr(action, champ)


def ecarts(action: "Action", valeurs: Mapping[str, Any]) -> list[Ecart]:
    """Ce que ces valeurs changeraient, dans l'ordre de la fiche. KeyError si un champ n'est pas de ceux-là."""
    inconnus = valeurs.keys() - LIBELLES.keys()
    if inconnus:
        raise KeyError(f"Champs inconnus : {', '.join(sorted(inconnus))}")
    trouves = []
    for champ in LIBELLES:
        if champ in valeurs:
            avant, apres = valeur_de(action, champ), valeurs[champ]
            if pour_le_lot(champ, avant) != pour_le_lot(champ, apres):
                trouves.append(Ecart(champ, avant, apres))
    return trouves


def en_clair(champ: str, valeur: Any) -> str:
    """Ce qu'on montre : un libellé, un nom, une date ; « — » quand il n'y a rien."""
    if champ in _LISTES and valeur:
        return str(_LISTES[champ](valeur).label)
    if champ == "partenaires":
        return " ; ".join(_avec_son_role(partenaire, role) for partenaire, role in valeur.items()) or "—"
    if champ == "references":
        return " ; ".join(valeur) or "—"
    if isinstance(valeur, Decimal):
        return formater_montant(valeur)
    return afficher(valeur)


def _avec_son_role(partenaire: Partenaire, role: str) -> str:
    return f"{partenaire} ({RoleDePartenaire(role).label.lower()})" if role else str(partenaire)


def pour_le_lot(champ: str, valeur: Any) -> Any:
    """La valeur telle qu'un lot la garde : du JSON, où deux valeurs égales s'écrivent pareil."""
    if valeur is None or valeur == "":
        return "" if isinstance(valeur, str) else None
    if champ in _FICHES:
        return valeur.pk
    if champ == "partenaires":
        return {str(partenaire.pk): role for partenaire, role in sorted(valeur.items(), key=lambda lien: lien[0].pk)}
    if champ == "references":
        return sorted(valeur)
    if isinstance(valeur, Decimal):
        return str(valeur.quantize(Decimal("0.01")))
    if isinstance(valeur, date):
        return valeur.isoformat()
    return str(valeur) if isinstance(valeur, Echeance | str) else valeur


def depuis_le_lot(champ: str, garde: Any) -> Any:
    """L'inverse de `pour_le_lot`. Lève ObjectDoesNotExist si la fiche citée n'existe plus."""
    if champ == "partenaires":
        connus = Partenaire.objects.in_bulk([int(pk) for pk in garde])
        return {connus[int(pk)]: role for pk, role in garde.items()}
    if champ == "references" or garde is None or garde == "":
        return garde
    if champ in _FICHES:
        return _FICHES[champ]._default_manager.get(pk=garde)
    if champ == "echeance":
        return Echeance.lire(garde)
    if champ.startswith("budget"):
        return Decimal(garde)
    return date.fromisoformat(garde) if champ == "date_debut" else garde
