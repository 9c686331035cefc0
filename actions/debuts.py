"""Depuis quand on sait quelque chose : avant, une page vide se tairait ; elle le dit."""

from datetime import date, datetime
from typing import Any

from django.db.models import Min

from actions.models import Action, ChangementDeStatut, Plan, PresenceAuPlan
from socle.erreurs import Introuvable
from socle.formats import formater_date_longue
from socle.instants import Instant, dire_le_moment
from socle.relecture import relire


def ignorance(instant: Instant, *, plan: Plan | None = None, action: Action | None = None) -> str:
    """« Rien n'est connu avant le 31 décembre 2023. » si l'instant précède la première ligne du journal (de l'action,
    du plan, de tous) ; vide sinon, et toujours aujourd'hui. Deux requêtes au plus, trois si rien n'était saisi."""
    if instant.jour is None:
        return ""
    sujet = {"action": action} if action else {"action__plan": plan} if plan else {}
    debut = _premier("date_effet", sujet)
    if debut is None and instant.saisi_au:
        with relire(None):
            return rien_de_saisi_avant(_premier("saisi_le", sujet))
    return rien_de_connu_avant(debut) if debut is None or instant.jour < debut else ""


def ignorance_du_plan(adresse: str) -> str:
    """« Rien n'est connu avant le 12 mars 2023 à 14:05. » : quand ce plan, ou le premier de tous, a été saisi. Lève
    Introuvable si aucun plan n'a cette adresse."""
    with relire(None):
        plan = Plan.objects.filter(slug=adresse).first() if adresse else None
        if adresse and plan is None:
            raise Introuvable(f"Aucun plan ne porte le nom « {adresse} ».")
        versions = Plan.history.filter(id=plan.pk) if plan else Plan.history.all()
        return rien_de_saisi_avant(versions.aggregate(premier=Min("history_date"))["premier"])


def rien_de_connu_avant(debut: date | None) -> str:
    return f"Rien n'est connu avant le {formater_date_longue(debut)}." if debut else "Rien n'est encore connu."


def rien_de_saisi_avant(moment: datetime | None) -> str:
    return f"Rien n'est connu avant le {dire_le_moment(moment)}." if moment else "Rien n'est encore connu."


def _premier(champ: str, sujet: dict[str, Any]) -> Any:
    dates = [
        journal._base_manager.filter(**sujet).aggregate(premier=Min(champ))["premier"]
        for journal in (ChangementDeStatut, PresenceAuPlan)
    ]
    return min(filter(None, dates), default=None)
