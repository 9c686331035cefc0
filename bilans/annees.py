"""Les années d'un plan, de la plus récente à la plus ancienne."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count
from django.urls import reverse

from actions.models import Plan
from actions.requetes import Decompte
from actions.situation import decomptes_aux
from bilans.arret import etat_de
from bilans.bilan import EtatDeBilan
from bilans.cadre import Cadre, cadrer
from bilans.demande import Demande, fin_de_l_annee
from bilans.versions import VersionDeBilan
from indicateurs.models import IndicateurDuPlan, ValeurAnnuelle
from socle.formats import formater_date_longue
from socle.instants import Instant, dire_le_moment


@dataclass(frozen=True)
class BilanDeLAnnee:
    """Où en est le bilan d'une année, sans son contenu. `le` : le jour où il l'est devenu ; None pour un brouillon."""

    annee: int
    etat: EtatDeBilan
    le: date | None
    adresse: str

    @property
    def phrase(self) -> str:
        """« pas encore arrêté », « arrêté le 12 mars 2024 », « rouvert le … », « publié le … »."""
        if self.le is None:
            return "pas encore arrêté"
        return f"{self.etat.label.lower()} le {formater_date_longue(self.le)}"


@dataclass(frozen=True)
class Annee:
    """Une année du plan. `decompte` None : rien n'était connu à sa fin. `finie` : faux pour l'année en cours.

    `reponses` : combien des `attendues` valeurs des indicateurs du plan sont renseignées, ou dites indisponibles.
    """

    annee: int
    le: date
    finie: bool
    decompte: Decompte | None
    reponses: int
    attendues: int
    bilan: BilanDeLAnnee

    @property
    def manquantes(self) -> int:
        return self.attendues - self.reponses


@dataclass(frozen=True)
class AnneesDuPlan:
    cadre: Cadre
    annees: list[Annee]

    @property
    def saisie(self) -> Instant:
        """Le moment dont les saisies sont relues, pour les liens ; aujourd'hui s'il n'est pas demandé."""
        return Instant(saisi_au=self.cadre.saisi_au)

    @property
    def source(self) -> str:
        """« ce qui est saisi aujourd'hui », « ce qui était saisi au 15 juin 2026 »."""
        saisi_au = self.cadre.saisi_au
        return f"ce qui était saisi au {dire_le_moment(saisi_au)}" if saisi_au else "ce qui est saisi aujourd'hui"


def annees_du_plan(demande: Demande) -> AnneesDuPlan | None:
    """None tant qu'il n'y a aucun plan, ou qu'il n'était pas saisi. Le nombre de requêtes ne dépend pas du nombre
    d'années."""
    cadre = cadrer(demande)
    if cadre is None:
        return None
    fins = {annee: min(fin_de_l_annee(annee), cadre.le) for annee in cadre.annees if annee <= cadre.le.year}
    decomptes = decomptes_aux(cadre.plan, [fin for fin in fins.values() if cadre.debut and cadre.debut <= fin])
    reponses = _reponses_par_annee(cadre.plan)
    attendues = IndicateurDuPlan.objects.filter(plan=cadre.plan).count()
    bilans = bilans_des_annees(cadre.plan, fins)
    return AnneesDuPlan(
        cadre,
        [
            Annee(
                annee=annee,
                le=fin,
                finie=fin == fin_de_l_annee(annee),
                decompte=decomptes.get(fin),
                reponses=reponses.get(annee, 0),
                attendues=attendues,
                bilan=bilans[annee],
            )
            for annee, fin in fins.items()
        ],
    )


def bilans_des_annees(plan: Plan, annees: Iterable[int]) -> dict[int, BilanDeLAnnee]:
    """Par année, où en est son bilan. Une requête, quel que soit le nombre d'années ; aucun contenu n'est lu. Sans
    version arrêtée, c'est un brouillon, qu'on y ait déjà écrit ou non."""
    arretees = VersionDeBilan.objects.filter(bilan__plan=plan).select_related("bilan").order_by("rang")
    # La dernière de chaque année est celle qui reste.
    dernieres = {v.bilan.annee: v for v in arretees.defer("contenu_interne", "contenu_public")}
    return {annee: _ou_en_est(plan, annee, dernieres.get(annee)) for annee in annees}


def _ou_en_est(plan: Plan, annee: int, version: VersionDeBilan | None) -> BilanDeLAnnee:
    adresse = reverse("bilans:bilan", args=[plan.slug, annee])
    if version is None:
        return BilanDeLAnnee(annee, EtatDeBilan.BROUILLON, None, adresse)
    bilan = version.bilan
    etat = etat_de(bilan, version)
    jours: dict[EtatDeBilan, date | None] = {
        EtatDeBilan.ARRETE: version.arretee_le,
        EtatDeBilan.ROUVERT: bilan.rouvert_le,
        EtatDeBilan.PUBLIE: bilan.publie_le,
    }
    return BilanDeLAnnee(annee, etat, jours[etat], adresse)


def _reponses_par_annee(plan: Plan) -> dict[int, int]:
    """Par année, combien d'indicateurs du plan ont une valeur, ou sont dits indisponibles."""
    valeurs = ValeurAnnuelle.objects.qui_repondent().filter(indicateur__places__plan=plan)
    return dict(valeurs.order_by("annee").values_list("annee").annotate(Count("pk")))
