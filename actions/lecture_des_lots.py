"""Relire un lot : ce que chaque champ valait avant et après, et qui a le droit de le défaire."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from actions.champs import LIBELLES, depuis_le_lot, en_clair, pour_le_lot, valeur_de
from actions.journaux import ChangementDeStatut, JournalDAction, ReportEcheance
from actions.models import Action
from actions.modifications import CREATION
from actions.plans import Axe
from actions.requetes import ActionQuerySet
from actions.statuts import Mouvement
from comptes.droits import Droit, Portee, portee
from comptes.gestes import LigneDeLot, Lot
from comptes.models import Service, Utilisateur
from partenaires.models import Partenaire

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

_FICHES: dict[str, type[Model]] = {
    "axe": Axe,
    "service_pilote": Service,
    "pilote": Utilisateur,
    "suppleant": Utilisateur,
}
_JOURNAUX: dict[str, type[JournalDAction]] = {
    "statut": ChangementDeStatut,
    "avancement": ChangementDeStatut,
    "echeance": ReportEcheance,
}
D_UNE_ACTION = {"type_d_objet__app_label": "actions", "type_d_objet__model": "action"}
DISPARUE = "(fiche supprimée depuis)"


@dataclass(frozen=True)
class LigneLue:
    """Un champ d'une action, avant et après le geste, en clair.

    `rendu` : vrai ou faux si le lot a été défait, None sinon. `bouge` : pourquoi défaire le lot n'y toucherait pas, ou
    ce que le champ vaut maintenant s'il n'a pas été rendu ; vide si rien n'a bougé depuis.
    """

    libelle: str
    avant: str
    apres: str
    rendu: bool | None = None
    bouge: str = ""


@dataclass
class ActionDuLot:
    action: Action
    lignes: list[LigneLue] = field(default_factory=list)


# --- Quels lots, quelles actions ----------------------------------------------------------------


def lots_du_plan() -> QuerySet[Lot]:
    """Les lots, du plus récent au plus ancien, avec le nombre d'actions que chacun a touchées (`nombre`)."""
    # Une sous-requête : seuls les lots de la page se comptent.
    touchees = LigneDeLot.objects.filter(lot=OuterRef("pk"), **D_UNE_ACTION).order_by().values("lot")
    nombre = Subquery(touchees.annotate(nombre=Count("id_objet", distinct=True)).values("nombre"))
    return Lot.objects.select_related("auteur", "defait_par", "defait").annotate(nombre=Coalesce(nombre, 0))


def lignes_d_actions(lot: Lot) -> QuerySet[LigneDeLot]:
    return lot.lignes.filter(**D_UNE_ACTION)


def actions_du_lot(lot: Lot) -> ActionQuerySet:
    """Les actions qu'il a touchées, dans l'ordre du plan."""
    touchees = lignes_d_actions(lot).values("id_objet")
    return Action.objects.filter(pk__in=touchees).order_by("plan_id", "numero")


def a_lire(actions: QuerySet[Action]) -> QuerySet[Action]:
    """Les mêmes, avec de quoi dire la valeur présente de chaque champ."""
    fiches = actions.select_related("axe", "service_pilote", "pilote", "suppleant")
    return fiches.prefetch_related("participations__partenaire", "references")


# --- Droits -------------------------------------------------------------------------------------


def peut_defaire(utilisateur: "Utilisateur | AnonymousUser", lot: Lot, champs_permis: frozenset[str]) -> bool:
    """Qui change tout défait tout ; un autre ne défait que son lot, et s'il pourrait encore le refaire : une action
    réaffectée depuis, ou un champ qu'il n'a plus, ne se reprend pas par ce chemin."""
    match portee(utilisateur, Droit.MODIFIER_EN_NOMBRE):
        case Portee.TOUT:
            return True
        case Portee.SIENS if lot.auteur_id == utilisateur.pk:
            champs = set(lignes_d_actions(lot).values_list("champ", flat=True).distinct())
            actions = actions_du_lot(lot)
            return champs <= champs_permis and actions.count() == actions.qui_relevent_de(utilisateur).count()
    return False


# --- En clair -----------------------------------------------------------------------------------


def lire_le_lot(lot: Lot, actions: Sequence[Action]) -> list[ActionDuLot]:
    """Ce que le lot a changé sur ces actions, en un nombre constant de requêtes."""
    connues = lignes_d_actions(lot).filter(champ__in=[CREATION, *LIBELLES])
    lignes = list(connues.filter(id_objet__in=[action.pk for action in actions]).order_by("pk"))
    lecture = _Lecture(lot, actions, lignes)
    par_action: dict[int, list[LigneDeLot]] = defaultdict(list)
    for ligne in lignes:
        par_action[ligne.id_objet].append(ligne)
    return [
        ActionDuLot(action, [lecture.lire(action, ligne) for ligne in par_action[action.pk]]) for action in actions
    ]


class _Lecture:
    """Ce qu'il faut avoir sous la main pour dire toutes les lignes d'une page."""

    def __init__(self, lot: Lot, actions: Sequence[Action], lignes: Sequence[LigneDeLot]) -> None:
        self.lot = lot
        self.noms = _noms(lignes)
        pks = [action.pk for action in actions]
        # Le dernier à avoir écrit au journal : un autre que ce lot, et la ligne n'est plus à reprendre.
        self.derniers = {
            journal: _dernier_lot(journal, pks)
            for journal in {_JOURNAUX[c] for c in _champs(lignes) & _JOURNAUX.keys()}
        }
        self.rendues = set()
        if lot.defait_par is not None:
            defaites = lignes_d_actions(lot.defait_par).filter(id_objet__in=pks)
            self.rendues = set(defaites.values_list("id_objet", "champ"))

    def lire(self, action: Action, ligne: LigneDeLot) -> LigneLue:
        if ligne.champ == CREATION:
            return self._creation(action, ligne)
        libelle = LIBELLES[ligne.champ]
        avant, apres = self._dire(ligne.champ, ligne.avant), self._dire(ligne.champ, ligne.apres)
        if self.lot.defait_par is None:
            return LigneLue(libelle, avant, apres, bouge=self._bouge(action, ligne))
        rendu = (ligne.id_objet, ligne.champ) in self.rendues
        return LigneLue(libelle, avant, apres, rendu=rendu, bouge="" if rendu else self._maintenant(action, ligne))

    def _creation(self, action: Action, ligne: LigneDeLot) -> LigneLue:
        retiree = action.presence == Mouvement.RETRAIT
        rendu = retiree if self.lot.defait_par is not None else None
        return LigneLue("Création", "—", f"n° {ligne.apres}", rendu, "retirée du plan" if retiree else "")

    def _bouge(self, action: Action, ligne: LigneDeLot) -> str:
        if ligne.champ in _JOURNAUX:
            ailleurs = self.derniers[_JOURNAUX[ligne.champ]].get(action.pk) != self.lot.pk
            return self._maintenant(action, ligne) if ailleurs else ""
        egales = pour_le_lot(ligne.champ, valeur_de(action, ligne.champ)) == ligne.apres
        return "" if egales else self._maintenant(action, ligne)

    def _maintenant(self, action: Action, ligne: LigneDeLot) -> str:
        return f"vaut maintenant « {en_clair(ligne.champ, valeur_de(action, ligne.champ))} »"

    def _dire(self, champ: str, garde: Any) -> str:
        if champ in _FICHES:
            return self.noms.get((_FICHES[champ], garde), DISPARUE) if garde else "—"
        if champ == "partenaires":
            connus = {self.noms.get((Partenaire, int(pk)), DISPARUE): role for pk, role in (garde or {}).items()}
            return en_clair(champ, connus)
        try:
            return en_clair(champ, depuis_le_lot(champ, garde))
        except (ObjectDoesNotExist, ValueError):
            return DISPARUE


def _champs(lignes: Iterable[LigneDeLot]) -> set[str]:
    return {ligne.champ for ligne in lignes}


def _noms(lignes: Sequence[LigneDeLot]) -> dict[tuple[type[Model], int], str]:
    """Le nom de chaque fiche citée : une requête par sorte de fiche, quel qu'en soit le nombre."""
    cites: dict[type[Model], set[int]] = defaultdict(set)
    for ligne in lignes:
        for garde in (ligne.avant, ligne.apres):
            if ligne.champ in _FICHES and garde:
                cites[_FICHES[ligne.champ]].add(garde)
            elif ligne.champ == "partenaires":
                cites[Partenaire].update(int(pk) for pk in garde or {})
    return {
        (modele, pk): str(fiche)
        for modele, pks in cites.items()
        for pk, fiche in modele._base_manager.in_bulk(pks).items()
    }


def _dernier_lot(journal: type[JournalDAction], pks: Sequence[int]) -> dict[int, int | None]:
    """Par action, le lot de la dernière ligne saisie."""
    lignes = journal.objects.filter(action__in=pks).order_by("pk")
    return dict(lignes.values_list("action_id", "lot_id"))
