"""Deux années d'un plan, côte à côte : le plan, ses axes, ses indicateurs.

Chaque côté est un `BilanLu` : celui qui est arrêté, tel qu'il l'a été ; sinon le brouillon, composé de ce qu'on sait
aujourd'hui. La comparaison elle-même n'interroge pas la base.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from actions.models import Plan
from actions.requetes import Decompte
from actions.statuts import Statut
from bilans.bilan import Bilan
from bilans.contenu.composition import composer
from bilans.contenu.schema import BilanLu, IndicateurLu, Portee, ValeurLue, decompter, lire
from bilans.versions import VersionDeBilan
from indicateurs.comparaisons import STABLE, ecrire_l_ecart
from socle.formats import ABSENT, INSECABLE, MOINS, formater_date
from socle.graphiques import Graphique, graphique

SANS_AXE = "Sans axe"
STATUT_INCONNU = "Statut inconnu"


@dataclass(frozen=True)
class Cote:
    """Une année. `rangs` : ses versions arrêtées, la dernière d'abord ; vide pour un brouillon."""

    lu: BilanLu
    rangs: Sequence[int] = ()

    @property
    def annee(self) -> int:
        return self.lu.annee

    @property
    def provenance(self) -> str:
        """« arrêté le 12/02/2024 », « arrêté le 12/02/2024, version 2 », « brouillon, au 31/12/2023 »."""
        if self.lu.rang is None:
            return f"brouillon, au {formater_date(self.lu.au)}"
        version = f", version {self.lu.rang}" if len(self.rangs) > 1 else ""
        return f"arrêté le {formater_date(self.lu.arrete_le)}{version}"

    @property
    def inconnu(self) -> bool:
        """Rien n'est connu des actions à cette date ; un plan vidé de ses actions, lui, en compte zéro."""
        return not (self.lu.actions or self.lu.evolution)

    def liste(self, **filtres: str) -> str:
        """La liste que compte un nombre de ce côté ; vide pour un bilan arrêté, dont la liste a pu changer."""
        if not self.lu.brouillon:
            return ""
        demande = {"plan": self.lu.plan.slug, **{nom: valeur for nom, valeur in filtres.items() if valeur}}
        if self.lu.au < timezone.localdate():
            demande["au"] = self.lu.au.isoformat()
        return f"{reverse('actions:liste')}?{urlencode(demande)}"


@dataclass(frozen=True)
class Nombre:
    """Un nombre d'actions, une année, et la liste qu'il compte (vide : aucune). None : rien n'est connu."""

    annee: int
    nombre: int | None
    libelle: str
    liste: str


@dataclass(frozen=True)
class LigneDeStatut:
    """Un statut, ou le total : un nombre par année, et l'écart de la première à la seconde."""

    libelle: str
    nombres: Sequence[Nombre]

    @property
    def ecart(self) -> str:
        avant, apres = (nombre.nombre for nombre in self.nombres)
        return ABSENT if avant is None or apres is None else ecrire_un_nombre(apres - avant)


@dataclass(frozen=True)
class CaseDAxe:
    """Les actions d'un axe, une année. `inconnue` : rien n'en est connu ; sinon, sans action, l'axe n'y était pas."""

    annee: int
    inconnue: bool
    decompte: Decompte
    nombres: Sequence[Nombre]


@dataclass(frozen=True)
class LigneDAxe:
    libelle: str
    cases: Sequence[CaseDAxe]


@dataclass(frozen=True)
class CaseDeValeur:
    """Ce qu'une année dit d'un indicateur : le chiffre écrit, ce qui le précise, et la page d'où il vient."""

    annee: int
    valeur: ValeurLue | None
    adresse: str
    precisions: Sequence[str]

    @property
    def texte(self) -> str:
        if self.valeur is None:
            return ABSENT
        return "Indisponible" if self.valeur.indisponible else self.valeur.taux_ecrit


@dataclass(frozen=True)
class LigneDIndicateur:
    """`obstacles` : ce qui empêche de comparer, une phrase chacun. `ecart` : vide s'il ne peut pas se dire."""

    indicateur: IndicateurLu
    cases: Sequence[CaseDeValeur]
    obstacles: Sequence[str]
    ecart: str


@dataclass(frozen=True)
class DeuxAnnees:
    """`avant` : la plus ancienne des deux."""

    avant: Cote
    apres: Cote
    statuts: Sequence[LigneDeStatut] = field(default_factory=list)
    axes: Sequence[LigneDAxe] = field(default_factory=list)
    indicateurs: Sequence[LigneDIndicateur] = field(default_factory=list)

    @property
    def cotes(self) -> tuple[Cote, Cote]:
        return self.avant, self.apres

    @property
    def brouillons(self) -> bool:
        """Un côté au moins n'est pas arrêté : ses nombres peuvent encore bouger."""
        return any(cote.lu.brouillon for cote in self.cotes)

    @property
    def changements(self) -> str:
        """La page qui dit, phrase par phrase, ce qui a changé de l'une à l'autre."""
        adresse = reverse("bilans:changements", args=[self.apres.lu.plan.slug])
        return f"{adresse}?{urlencode({'du': self.avant.lu.au.isoformat(), 'au': self.apres.lu.au.isoformat()})}"

    def graphique(self) -> Graphique:
        """Une barre par année connue, empilée par statut, en nombre d'actions."""
        from plotly import graph_objects as go

        connus = [cote for cote in self.cotes if not cote.inconnu]
        decomptes = [cote.lu.decompte.par_statut() for cote in connus]
        barres = [
            go.Bar(
                x=[str(cote.annee) for cote in connus],
                y=[decompte[statut] for decompte in decomptes],
                name=statut.libelle_pluriel.capitalize(),
                marker={"color": statut.couleur},
            )
            for statut in Statut
        ]
        return graphique(
            go.Figure(data=barres, layout={"barmode": "stack", "height": 180}),
            cle="deux-annees",
            titre="Statuts des actions",
            description=f"Nombre d'actions du plan par statut, fin {self.avant.annee} et fin {self.apres.annee}.",
            liens={
                (ligne, colonne): lien
                for ligne, cote in enumerate(connus)
                for colonne, statut in enumerate(Statut, start=1)
                if (lien := cote.liste(statut=statut))
            },
        )


def ecrire_un_nombre(ecart: int) -> str:
    """« + 2 », « − 1 », « stable »."""
    return f"{'+' if ecart > 0 else MOINS}{INSECABLE}{abs(ecart)}" if ecart else STABLE


def deux_annees(plan: Plan, de: int, a: int, rangs: Mapping[int, int] | None = None) -> DeuxAnnees:
    """Un nombre constant de requêtes. `rangs` : par année, la version voulue ; la dernière sinon."""
    annees = sorted((de, a))
    bilans = {bilan.annee: bilan for bilan in Bilan.objects.filter(plan=plan, annee__in=annees)}
    versions = list(
        VersionDeBilan.objects.filter(bilan__in=bilans.values())
        .select_related("bilan")
        .defer("contenu_interne", "contenu_public")
        .order_by("-rang")
    )
    avant, apres = (
        _cote(
            bilans.get(annee) or Bilan(plan=plan, annee=annee),
            [version for version in versions if version.bilan.annee == annee],
            (rangs or {}).get(annee),
        )
        for annee in annees
    )
    return DeuxAnnees(avant, apres, _statuts(avant, apres), _axes(avant, apres), _indicateurs(avant, apres))


def _cote(bilan: Bilan, versions: Sequence[VersionDeBilan], rang: int | None) -> Cote:
    rangs = [version.rang for version in versions]
    voulue = next((version for version in versions if rang in (None, version.rang)), None)
    return Cote(voulue.lu(Portee.INTERNE) if voulue else lire(composer(bilan).interne), rangs)


# --- Le plan et ses axes ------------------------------------------------------------------------


def _nombres(cote: Cote, decompte: Decompte, **filtres: str) -> list[Nombre]:
    par_statut = [
        *((statut.value, _accorde(statut, nombre), nombre) for statut, nombre in decompte.par_statut().items()),
        ("null", "de statut inconnu", decompte.inconnues),
    ]
    return [
        Nombre(cote.annee, None if cote.inconnu else nombre, libelle, cote.liste(statut=statut, **filtres))
        for statut, libelle, nombre in par_statut
    ]


def _accorde(statut: Statut, nombre: int) -> str:
    """« terminée », « terminées » : en français, le pluriel commence à deux."""
    return statut.label.lower() if nombre < 2 else statut.libelle_pluriel


def _statuts(avant: Cote, apres: Cote) -> list[LigneDeStatut]:
    """Les trois statuts, l'inconnu s'il y en a, et le total."""
    paires = zip(_nombres(avant, avant.lu.decompte), _nombres(apres, apres.lu.decompte), strict=True)
    libelles = [*(statut.libelle_pluriel.capitalize() for statut in Statut), STATUT_INCONNU]
    lignes = [LigneDeStatut(libelle, paire) for libelle, paire in zip(libelles, paires, strict=True)]
    if not any(nombre.nombre for nombre in lignes[-1].nombres):
        lignes.pop()
    totaux = [
        Nombre(cote.annee, None if cote.inconnu else len(cote.lu.actions), "actions", cote.liste())
        for cote in (avant, apres)
    ]
    return [*lignes, LigneDeStatut("Total", totaux)]


def _axes(avant: Cote, apres: Cote) -> list[LigneDAxe]:
    """Ceux de la seconde année dans leur ordre, puis ceux que seule la première avait ; vide si le plan n'en a pas."""
    libelles: dict[int | None, str] = {axe.cle: str(axe) for cote in (apres, avant) for axe in cote.lu.axes}
    for axe in apres.lu.axes:  # renommé, un axe porte son dernier nom
        libelles[axe.cle] = str(axe)
    if not libelles:
        return []
    lignes = [
        LigneDAxe(libelle, [_case_d_axe(cote, cle) for cote in (avant, apres)])
        for cle, libelle in [*libelles.items(), (None, SANS_AXE)]
    ]
    return [ligne for ligne in lignes if ligne.libelle != SANS_AXE or any(case.decompte.total for case in ligne.cases)]


def _case_d_axe(cote: Cote, cle: int | None) -> CaseDAxe:
    siennes = [action for action in cote.lu.actions if (action.axe.cle if action.axe else None) == cle]
    decompte = decompter(siennes)
    nombres = _nombres(cote, decompte, axe=str(cle or "null"))
    return CaseDAxe(cote.annee, cote.inconnu, decompte, [nombre for nombre in nombres if nombre.nombre])


# --- Les indicateurs ----------------------------------------------------------------------------


def _indicateurs(avant: Cote, apres: Cote) -> list[LigneDIndicateur]:
    """Ceux de la seconde année dans leur ordre, puis ceux que seule la première avait."""
    par_cle = [{indicateur.cle: indicateur for indicateur in cote.lu.indicateurs} for cote in (avant, apres)]
    return [
        _ligne_d_indicateur(indicateur, avant, apres, par_cle[0].get(cle), par_cle[1].get(cle))
        for cle, indicateur in {**par_cle[1], **par_cle[0], **par_cle[1]}.items()
    ]


def _ligne_d_indicateur(
    indicateur: IndicateurLu, avant: Cote, apres: Cote, ancien: IndicateurLu | None, nouveau: IndicateurLu | None
) -> LigneDIndicateur:
    cases = [
        _case_de_valeur(avant, ancien, nouveau if _plus_recent(apres, avant) else None),
        _case_de_valeur(apres, nouveau, None),
    ]
    obstacles = _obstacles(ancien, nouveau, avant.annee, apres.annee)
    ecart = None if obstacles else _ecart(*(case.valeur for case in cases))
    return LigneDIndicateur(
        indicateur,
        cases,
        obstacles,
        "" if ecart is None else ecrire_l_ecart(indicateur, ecart),  # type: ignore[arg-type]
    )


def _plus_recent(cote: Cote, que: Cote) -> bool:
    """Ce côté sait ce que l'autre, arrêté avant, ne pouvait pas savoir."""
    if que.lu.arrete_le is None:
        return False
    return cote.lu.arrete_le is None or cote.lu.arrete_le > que.lu.arrete_le


def _ecart(ancienne: ValeurLue | None, nouvelle: ValeurLue | None) -> Decimal | None:
    """Entre valeurs non arrondies ; None si l'une manque."""
    avant = ancienne.valeur_retenue if ancienne else None
    apres = nouvelle.valeur_retenue if nouvelle else None
    return None if avant is None or apres is None else apres - avant


def _case_de_valeur(cote: Cote, indicateur: IndicateurLu | None, revu: IndicateurLu | None) -> CaseDeValeur:
    """`revu` : le même indicateur dans un bilan plus récent, qui a pu dire autrement la valeur de cette année."""
    if indicateur is None:
        return CaseDeValeur(cote.annee, None, "", ["Hors du plan cette année-là"])
    valeur = indicateur.valeur_de(cote.annee)
    adresse = reverse("indicateurs:detail", args=[indicateur.code]) if cote.lu.brouillon and valeur else ""
    return CaseDeValeur(cote.annee, valeur, adresse, [*_precisions(valeur), *_revue(valeur, cote.annee, revu)])


def _precisions(valeur: ValeurLue | None) -> list[str]:
    if valeur is None:
        return ["Non renseignée"]
    if valeur.indisponible:
        return [valeur.motif_indisponibilite]
    if valeur.valeur_retenue is None:
        return [f"{valeur.parts} : dénominateur non renseigné"]
    return [precision for precision in (valeur.parts, "Provisoire" if valeur.provisoire else "") if precision]


def _revue(valeur: ValeurLue | None, annee: int, revu: IndicateurLu | None) -> list[str]:
    depuis = revu.valeur_de(annee) if revu else None
    if depuis is None or depuis.valeur_retenue == (valeur.valeur_retenue if valeur else None):
        return []
    return [f"{'Revue' if valeur else 'Donnée'} depuis : {depuis.detail}"]


def _obstacles(ancien: IndicateurLu | None, nouveau: IndicateurLu | None, de: int, a: int) -> list[str]:
    """Les ruptures de série après la première année, et une unité qui n'est plus la même."""
    if ancien is None or nouveau is None:
        return []
    rompues = [valeur for valeur in nouveau.valeurs if de < valeur.annee <= a and valeur.rupture]
    obstacles = [f"Rupture de série en {valeur.annee} : {valeur.rupture}" for valeur in rompues]
    if (ancien.nature, ancien.unite) != (nouveau.nature, nouveau.unite):
        obstacles.append("L'unité n'est plus la même.")
    return obstacles


def annees_par_defaut(annees: Sequence[int], arretees: Sequence[int], le: date) -> tuple[int, int] | None:
    """La dernière année arrêtée, sinon la dernière finie, face à celle d'avant ; None s'il n'y en a pas deux.

    `annees` : celles dont la base sait quelque chose, de la plus récente à la plus ancienne.
    """
    if len(annees) < 2:
        return None
    finies = [annee for annee in annees if annee < le.year]
    # La plus ancienne n'a rien avant elle.
    a = next((annee for annee in [*arretees, *finies] if annee in annees[:-1]), annees[0])
    return annees[annees.index(a) + 1], a
