"""La fiche d'un comité : où en est le plan ce jour-là, ce qui a changé depuis le comité d'avant, ce qui vient."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from django.db.models import Case, Min, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from actions.comites import Comite, Decision
from actions.etapes import Etape
from actions.models import Action
from actions.mouvements import Mouvements, mouvements
from actions.requetes import NON_TERMINEE, ActionQuerySet
from actions.situation import Situation, situation
from actions.statuts import PointAttention
from socle.echeances import Echeance

JOURS_DEVANT = 90
# Ce qu'un bloc montre au plus ; la fiche entière est à un clic.
LIGNES_PAR_BLOC = 30


@dataclass(frozen=True)
class Jalon:
    """Une échéance à venir : celle de l'action, ou d'une de ses étapes."""

    action: Action
    echeance: Echeance
    etape: Etape | None = None
    est_en_retard: bool = False


@dataclass(frozen=True)
class FicheDeComite:
    """Tout ce que la fiche montre.

    `le` : la date de la situation, aujourd'hui pour un comité à venir. `mouvements` None : rien n'était connu du plan
    à cette date. `points` et les étapes de `jalons` n'ont qu'un temps : vides pour un comité passé.
    `depuis_le_comite` : faux si rien n'est connu d'avant, on compare alors au premier jour connu. `entiere` : rien
    n'est coupé.
    """

    comite: Comite
    precedent: Comite | None
    le: date
    jusqu_au: date
    depuis_le_comite: bool
    situation: Situation
    avant: Situation | None
    mouvements: Mouvements | None
    en_retard: list[Action]
    points: list[Action]
    jalons: list[Jalon]
    decisions: list[Decision]
    decisions_d_avant: list[Decision]
    entiere: bool

    @property
    def a_venir(self) -> bool:
        """Vrai jusqu'au jour du comité compris : la fiche se prépare encore."""
        return self.comite.date >= self.le and self.le == timezone.localdate()

    @property
    def montrees(self) -> int | None:
        """Combien de lignes par bloc ; None : toutes."""
        return None if self.entiere else LIGNES_PAR_BLOC

    @property
    def coupe(self) -> str:
        """Pour le filtre `slice` des gabarits."""
        return "" if self.montrees is None else f":{self.montrees}"

    @property
    def coupee(self) -> bool:
        """Vrai si quelque chose ne se montre pas."""
        longueurs = [len(self.en_retard), len(self.points), len(self.jalons)]
        if self.mouvements:
            longueurs += [len(passage.actions) for passage in self.mouvements.passages]
            longueurs += [len(self.mouvements.entrees), len(self.mouvements.sorties), len(self.mouvements.echeances)]
            longueurs += [len(self.mouvements.notes)]
        return self.montrees is not None and max(longueurs) > self.montrees

    @property
    def liste(self) -> str:
        """La liste des actions du plan à la date de la situation ; un filtre s'y ajoute par « & »."""
        return _liste(self.comite, None if self.a_venir else self.le)

    @property
    def liste_d_avant(self) -> str:
        return _liste(self.comite, self.avant.depuis if self.avant else None)


def _liste(comite: Comite, au: date | None) -> str:
    demande = {"plan": comite.plan.slug} | ({"au": au.isoformat()} if au else {})
    return f"{reverse('actions:liste')}?{urlencode(demande)}"


def fiche_de_comite(comite: Comite, *, entiere: bool = False) -> FicheDeComite:
    """Un nombre constant de requêtes. `comite` : lu avec son plan."""
    aujourdhui = timezone.localdate()
    le, plan = min(comite.date, aujourdhui), comite.plan
    a_venir = comite.date >= aujourdhui
    precedent = plan.comites.filter(date__lt=comite.date, date__lte=aujourdhui).order_by("-date").first()
    suivant = plan.comites.filter(date__gt=comite.date).order_by("date").first()
    jusqu_au = suivant.date if suivant else comite.date + timedelta(days=JOURS_DEVANT)
    debut = plan.actions.aggregate(premier=Min("changementdestatuts__date_effet"))["premier"]
    # Au plus tôt le premier jour connu du plan : une première ligne ne change rien.
    depuis = max(debut, precedent.date) if debut and precedent else debut
    connu = depuis if depuis and depuis <= le else None
    actions = plan.actions.etat_au(le)
    return FicheDeComite(
        comite=comite,
        precedent=precedent,
        le=le,
        jusqu_au=jusqu_au,
        depuis_le_comite=precedent is not None and depuis == precedent.date,
        situation=situation(actions, le, depuis or le),
        avant=situation(plan.actions.etat_au(connu), connu, connu) if connu and connu < le else None,
        mouvements=mouvements(plan, connu, le) if connu else None,
        en_retard=_en_retard(actions, le),
        points=_points(actions) if a_venir else [],
        jalons=_jalons(actions, le, jusqu_au, avec_etapes=a_venir),
        decisions=_decisions(comite),
        decisions_d_avant=[d for d in _decisions(precedent) if not d.retiree] if precedent else [],
        entiere=entiere,
    )


def _lues(actions: ActionQuerySet) -> ActionQuerySet:
    return actions.select_related("pilote", "service_pilote")


def _en_retard(actions: ActionQuerySet, le: date) -> list[Action]:
    """La plus ancienne échéance d'abord."""
    return list(_lues(actions.au_plan().en_retard(le)).order_by("etat_echeance", "numero"))


def _points(actions: ActionQuerySet) -> list[Action]:
    """Les arbitrages demandés d'abord."""
    rang = Case(When(attention_nature=PointAttention.ARBITRAGE, then=Value(0)), default=Value(1))
    return list(_lues(actions.au_plan().avec_point_attention()).order_by(rang, "numero"))


def _jalons(actions: ActionQuerySet, le: date, jusqu_au: date, *, avec_etapes: bool) -> list[Jalon]:
    """Les échéances d'actions entre les deux dates, et les étapes à faire d'ici là, en retard comprises."""
    ouvertes = actions.au_plan().filter(NON_TERMINEE)
    a_echoir = _lues(ouvertes.filter(etat_echeance__gte=le, etat_echeance__lte=jusqu_au))
    jalons = [Jalon(action, cast("Echeance", action.valeur_echeance)) for action in a_echoir]
    if avec_etapes:
        jalons += _etapes(ouvertes, le, jusqu_au)
    return sorted(jalons, key=lambda jalon: (jalon.echeance.fin, jalon.action.numero, jalon.etape is not None))


def _etapes(ouvertes: ActionQuerySet, le: date, jusqu_au: date) -> Iterable[Jalon]:
    etapes = Etape.objects.all().a_faire().avec_retard(le).filter(echeance__lte=jusqu_au)
    du_plan = etapes.filter(action__in=ouvertes.order_by().values("pk"))
    for etape in cast("Iterable[Any]", du_plan.select_related("action__pilote", "action__service_pilote")):
        yield Jalon(etape.action, cast("Echeance", etape.valeur_echeance), etape, etape.est_en_retard)


def _decisions(comite: Comite) -> list[Decision]:
    """Celles du plan entier d'abord, puis dans l'ordre des actions ; les retirées restent à leur place."""
    decisions = Decision.objects.filter(comite=comite).select_related("action", "auteur")
    return sorted(decisions, key=lambda d: (d.action.numero if d.action else 0, d.pk))
