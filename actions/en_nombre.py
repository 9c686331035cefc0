"""Changer plusieurs actions d'un geste : voir ce qui changera et ce qui sera refusé, puis tout écrire, ou rien.

L'examen redit pour une liste entière, en un nombre constant de requêtes, les règles que `modifier` vérifie à chaque
action ; l'écriture groupée écrit ce que `modifier` aurait écrit. Des essais comparent les deux à lui.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet

from actions.champs import LIBELLES, Ecart, ecarts, en_clair
from actions.creation import avancement_a_ecrire
from actions.ecriture_groupee import Changement, modifier_ensemble
from actions.journaux import ChangementDeStatut, JournalDAction, ReportEcheance
from actions.models import Action
from actions.statuts import Mouvement
from comptes.droits import Droit, peut
from comptes.gestes import Lot
from socle.formats import formater_date

if TYPE_CHECKING:
    from comptes.models import Utilisateur

# Au-delà, une seule transaction retiendrait les autres trop longtemps.
MAXIMUM = 1500


@dataclass(frozen=True)
class Demande:
    """Ce qu'on veut donner à chaque action. `date_effet` : celle du statut et de l'échéance ; `motif` : du report."""

    valeurs: Mapping[str, Any]
    date_effet: date
    commentaire: str = ""
    motif: str = ""

    @property
    def en_clair(self) -> str:
        """« Statut : Terminée ; Pilote : Camille Martin » ; « Pilote : — » quand on le vide."""
        return " ; ".join(
            f"{LIBELLES[champ]} : {en_clair(champ, self.valeurs[champ])}"
            for champ in LIBELLES
            if champ in self.valeurs
        )

    @property
    def intitule(self) -> str:
        """Celui du lot ; 200 signes au plus."""
        return f"Changement en nombre — {self.en_clair}"[:200]

    def valeurs_pour(self, action: Action) -> Mapping[str, Any]:
        """Les mêmes pour toutes ; une demande qui dépend de l'action le dit ici."""
        return self.valeurs

    def empechements(self, action: Action) -> tuple[str, ...]:
        """Pourquoi cette demande ne s'applique pas à cette action, hors des règles communes."""
        return ()

    def une_fois_ecrite(self, lot: Lot, actions: Sequence[Action]) -> None:
        """Ce qui suit l'écriture, dans la même transaction : rien d'ordinaire."""


@dataclass(frozen=True)
class ActionRefusee:
    """Une action qui ne changera pas du tout, et pourquoi."""

    action: Action
    raisons: tuple[str, ...]


@dataclass(frozen=True)
class ActionChangee:
    action: Action
    ecarts: tuple[Ecart, ...]


@dataclass
class Examen:
    """Ce que donnerait une demande, sans rien écrire. Une action est changée, déjà ainsi, ou refusée entière."""

    changees: list[ActionChangee] = field(default_factory=list)
    deja: list[Action] = field(default_factory=list)
    refusees: list[ActionRefusee] = field(default_factory=list)

    @property
    def versions(self) -> dict[int, int]:
        """La version de chaque action à changer, telle qu'on l'a sous les yeux."""
        return {changee.action.pk: changee.action.version for changee in self.changees}


class ApercuPerime(Exception):
    """Ce que l'aperçu annonçait n'est plus ce qui se passerait : rien n'est écrit."""


# --- Examiner -----------------------------------------------------------------------------------


def a_examiner(actions: QuerySet[Action]) -> QuerySet[Action]:
    """Les mêmes, avec ce que l'examen lit de chacune."""
    return actions.select_related("plan", "pilote", "suppleant", "service_pilote")


def examiner(actions: Sequence[Action], demande: Demande, utilisateur: "Utilisateur") -> Examen:
    """Ce que la demande ferait de chaque action (lues par `a_examiner`)."""
    examen, juges = Examen(), _juges(actions, demande)
    for action in actions:
        if raisons := _sans_y_toucher(action, utilisateur) or demande.empechements(action):
            examen.refusees.append(ActionRefusee(action, raisons))
            continue
        trouves = ecarts(action, demande.valeurs_pour(action))
        if not trouves:
            examen.deja.append(action)
            continue
        raisons = (*_raisons(action, trouves, demande, juges),)
        if raisons:
            examen.refusees.append(ActionRefusee(action, raisons))
        else:
            examen.changees.append(ActionChangee(action, tuple(trouves)))
    return examen


def _sans_y_toucher(action: Action, utilisateur: "Utilisateur") -> tuple[str, ...]:
    if not peut(utilisateur, Droit.MODIFIER_EN_NOMBRE, action):
        return ("vous n'en êtes ni pilote ni suppléant·e, et votre service ne la pilote pas",)
    if action.presence == Mouvement.RETRAIT:
        return ("elle est retirée du plan",)
    return ()


@dataclass(frozen=True)
class _Juge:
    """Les lignes en vigueur d'un journal pour une action, vues d'une date d'effet."""

    en_vigueur: JournalDAction | None = None
    suivante: JournalDAction | None = None


def _juges(actions: Iterable[Action], demande: Demande) -> dict[str, dict[int, _Juge]]:
    """Par champ de journal demandé, ce qui valait à la date d'effet et le premier changement d'après."""
    pks = [action.pk for action in actions]
    journaux: dict[str, type[JournalDAction]] = {"statut": ChangementDeStatut, "echeance": ReportEcheance}
    return {
        champ: _vus_du(journal, pks, demande.date_effet)
        for champ, journal in journaux.items()
        if champ in demande.valeurs
    }


def _vus_du(journal: type[JournalDAction], pks: Collection[int], jour: date) -> dict[int, _Juge]:
    vues: dict[int, list[JournalDAction]] = defaultdict(list)
    for ligne in journal.objects.filter(action__in=pks).en_vigueur():
        vues[ligne.action_id].append(ligne)
    return {
        pk: _Juge(
            next((ligne for ligne in lignes if ligne.date_effet <= jour), None),
            next((ligne for ligne in reversed(lignes) if ligne.date_effet > jour), None),
        )
        for pk, lignes in vues.items()
    }


def _raisons(
    action: Action, trouves: Sequence[Ecart], demande: Demande, juges: Mapping[str, Mapping[int, _Juge]]
) -> Iterable[str]:
    apres = {ecart.champ: ecart.apres for ecart in trouves}
    pilote, suppleant = apres.get("pilote", action.pilote), apres.get("suppleant", action.suppleant)
    if pilote is not None and pilote == suppleant:
        yield f"Pilote : {pilote} en est déjà suppléant·e"
    for ecart in trouves:
        if ecart.champ not in juges:
            continue
        juge = juges[ecart.champ].get(action.pk, _Juge())
        if juge.suivante is not None:
            le = formater_date(juge.suivante.date_effet)
            yield f"{ecart.libelle} : la date d'effet précède le changement du {le} ({juge.suivante})"
        elif ecart.champ == "statut":
            yield from _raisons_du_statut(ecart, juge)
        else:
            yield from _raisons_de_l_echeance(ecart, juge, demande)


def _raisons_du_statut(ecart: Ecart, juge: _Juge) -> Iterable[str]:
    voulu = {"statut": ecart.apres, "avancement": avancement_a_ecrire(ecart.apres, None)}
    if juge.en_vigueur is not None and juge.en_vigueur.valeurs == voulu:
        yield f"Statut : elle est déjà « {juge.en_vigueur} » à cette date"


def _raisons_de_l_echeance(ecart: Ecart, juge: _Juge, demande: Demande) -> Iterable[str]:
    en_vigueur = juge.en_vigueur
    presente = en_vigueur.valeur if isinstance(en_vigueur, ReportEcheance) else None
    if presente == ecart.apres:
        yield "Échéance : c'est déjà celle-là à cette date"
    elif presente and not demande.motif:
        yield f"Échéance : déjà fixée ({presente}), elle ne change pas sans motif"


# --- Appliquer ----------------------------------------------------------------------------------


def appliquer(
    demande: Demande, versions: Mapping[int, int], utilisateur: "Utilisateur", *, prepare_le: datetime
) -> tuple[Lot, bool]:
    """Écrit ce que l'aperçu annonçait, dans une transaction et un lot ; rend le lot, et vrai si c'est fait maintenant.

    `versions` : celles des actions à changer, lues à l'aperçu, `prepare_le`. Le même envoi reçu deux fois rend le lot
    déjà écrit. Lève ApercuPerime si quelque chose a bougé depuis ; rien n'est alors écrit.
    """
    with transaction.atomic():
        concernees = Action.objects.filter(pk__in=versions).order_by("pk").select_for_update(of=("self",))
        actions = list(a_examiner(concernees))
        if any(action.version != versions[action.pk] for action in actions):
            return _deja_fait(actions, demande, utilisateur, prepare_le), False
        if len(actions) != len(versions) or examiner(actions, demande, utilisateur).versions != versions:
            raise ApercuPerime
        lot = Lot.objects.create(intitule=demande.intitule, auteur=utilisateur)
        modifier_ensemble(
            [
                Changement(
                    action,
                    ecarts(action, demande.valeurs_pour(action)),
                    demande.date_effet,
                    demande.commentaire,
                    demande.motif,
                )
                for action in actions
            ],
            auteur=utilisateur,
            lot=lot,
        )
        demande.une_fois_ecrite(lot, actions)
    return lot, True


def _deja_fait(actions: Iterable[Action], demande: Demande, utilisateur: "Utilisateur", depuis: datetime) -> Lot:
    """Le lot que ce même envoi vient d'écrire (double clic, rechargement). Lève ApercuPerime s'il n'y en a pas."""
    actions = list(actions)
    lots = Lot.objects.filter(auteur=utilisateur, intitule=demande.intitule, fait_le__gte=depuis, defait_par=None)
    lot = lots.filter(lignes__id_objet__in=[actions[0].pk]).first()
    if lot is None or any(ecarts(action, demande.valeurs_pour(action)) for action in actions):
        raise ApercuPerime
    return lot
