"""Le plan qu'une page montre, à quelle date, et ce que la base en connaît."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from actions.models import ChangementDeStatut, Plan
from bilans.demande import Demande, fin_de_l_annee
from indicateurs.models import ValeurAnnuelle
from socle.erreurs import Introuvable
from socle.instants import Instant, jour_de


@dataclass(frozen=True)
class Cadre:
    """`jour` None = aujourd'hui. `saisi_au` : le moment dont on relit les saisies, s'il est passé ; `jour` est alors
    donné. `debut` : avant cette date, aucun statut n'est connu ; None s'il n'y en a jamais eu.

    `annees` : celles dont la base sait quelque chose, la plus récente d'abord.
    """

    plan: Plan
    plans: list[Plan]
    jour: date | None
    annee: int | None
    au: date | None
    debut: date | None
    annees: list[int]
    saisi_au: datetime | None = None

    @property
    def instant(self) -> Instant:
        """Ce qui se montre, en clair et dans les liens."""
        return Instant(self.jour, self.saisi_au)

    @property
    def attention_connue(self) -> bool:
        """Un point d'attention n'a que le temps de sa saisie : à une date passée il faut dire laquelle."""
        return self.jour is None or self.saisi_au is not None

    @property
    def le(self) -> date:
        """La date montrée."""
        return self.jour or timezone.localdate()

    @property
    def depuis(self) -> date:
        """La fin de l'année d'avant : à quoi la situation se compare."""
        return fin_de_l_annee(self.le.year - 1)

    @property
    def annee_du_bilan(self) -> int:
        """L'année dont le bilan se prépare : celle demandée, sinon la dernière finie à la date montrée."""
        if self.annee is not None:
            return self.annee
        return self.le.year if self.le == fin_de_l_annee(self.le.year) else self.le.year - 1

    def adresse_des_actions(self, **filtres: str) -> str:
        """La liste des actions du plan, à la date montrée, avec ces filtres de plus ; un filtre vide ne compte pas."""
        demande = {"plan": self.plan.slug, **{nom: valeur for nom, valeur in filtres.items() if valeur}}
        for nom, valeur in self.instant.parametres.items():
            demande.setdefault(nom, valeur)
        return f"{reverse('actions:liste')}?{urlencode(demande)}"

    def adresse_des_indicateurs(self, **filtres: str | int) -> str:
        """La liste des indicateurs du plan. Une année demandée montre ses valeurs telles qu'on les sait, une date
        celles qu'on savait alors."""
        demande = {"plan": self.plan.slug, **filtres, **Instant(self.au, self.saisi_au).parametres}
        return f"{reverse('indicateurs:liste')}?{urlencode(demande)}"


def cadrer(demande: Demande) -> Cadre | None:
    """Le cadre de cette demande, en une requête ; None tant qu'il n'y a aucun plan, ou que celui-là n'était pas saisi.

    Lève Introuvable pour un plan inconnu, ou une année dont la base ne sait rien. `demande.saisi_au` se lit dans
    `socle.relecture.relire`, que l'appelant tient.
    """
    plans = list(_plans_et_leurs_debuts())
    if not plans and not demande.plan:
        return None
    plan = next((plan for plan in plans if demande.plan in ("", plan.slug)), None)
    if plan is None and demande.saisi_au:
        return None
    if plan is None:
        raise Introuvable(f"Aucun plan ne porte le nom « {demande.plan} ».")
    annees = _annees_connues(plan, demande)
    if demande.annee is not None and demande.annee not in annees:
        raise Introuvable(f"Rien n'est connu pour l'année {demande.annee}.")
    return Cadre(
        plan=plan,
        plans=sorted(plans, key=lambda p: p.intitule),
        jour=demande.jour,
        annee=demande.annee,
        au=demande.au,
        debut=plan.debut_du_journal,
        annees=annees,
        saisi_au=demande.saisi_au,
    )


def _plans_et_leurs_debuts():
    """Du plus récent au plus ancien, avec la première date de leur journal (une date corrigée ne compte plus) et
    l'année de leur première valeur."""
    lignes = ChangementDeStatut.objects.filter(action__plan=OuterRef("pk")).en_vigueur().order_by("date_effet")
    valeurs = ValeurAnnuelle.objects.filter(indicateur__places__plan=OuterRef("pk")).order_by("annee")
    return Plan.objects.du_plus_recent().annotate(
        debut_du_journal=Subquery(lignes.values("date_effet")[:1]),
        premiere_valeur=Subquery(valeurs.values("annee")[:1]),
    )


def _annees_connues(plan, demande: Demande) -> list[int]:
    """De la première année qui dit quelque chose (plan, journal, valeur) à cette année."""
    debut = plan.debut_du_journal
    connues = [annee for annee in (plan.annee_debut, debut and debut.year, plan.premiere_valeur) if annee]
    cette_annee = (jour_de(demande.saisi_au) if demande.saisi_au else timezone.localdate()).year
    return list(range(cette_annee, min([cette_annee, *connues]) - 1, -1))
