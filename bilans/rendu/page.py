"""La page d'un bilan, préparée de son seul contenu : mêmes sections, même ordre que la page publiée.

Rien ici n'interroge la base : la page du site, le PDF, le document Word et la page publique se font de `PageDeBilan`,
et un bilan arrêté se montre pareil quoi qu'il arrive ensuite au plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from actions.plans import LabelDePlan
from actions.requetes import Decompte
from actions.statuts import Priorite, Statut
from bilans.bilan import Section
from bilans.changements import NatureDeChangement
from bilans.contenu.schema import (
    ActionLue,
    AxeLu,
    BilanLu,
    ChangementLu,
    IndicateurLu,
    ObjectifLu,
    Portee,
    SortieLue,
    ValeurLue,
)
from bilans.rendu.graphiques import graphique_des_statuts, graphiques_de_l_indicateur
from indicateurs.listes import Etat, OrigineDeCible
from socle.formats import ABSENT, accorder, formater_valeur
from socle.graphiques import Graphique

SECTIONS_DES_STATUTS = {
    Statut.TERMINEE: Section.TERMINEES,
    Statut.EN_COURS: Section.EN_COURS,
    Statut.NON_INITIEE: Section.NON_INITIEES,
}
TITRE_DES_INCONNUES = "Actions de statut inconnu"
SIGNES_D_EMPREINTE = 12


@dataclass(frozen=True)
class LigneDAction:
    """Une action et ce que la page en dit. `retard` : à la date du bilan, dans un contenu interne seulement."""

    action: ActionLue
    avancement: str
    retard: bool

    @property
    def avec(self) -> str:
        """Ses partenaires, « a, b » ; vide si elle n'en nomme aucun."""
        return ", ".join(map(str, self.action.partenaires))

    @property
    def priorite(self) -> str:
        """« haute », « basse » ; vide quand elle est normale ou n'est pas donnée."""
        priorite = self.action.priorite
        return Priorite(priorite).label.lower() if priorite and priorite != Priorite.NORMALE else ""


@dataclass(frozen=True)
class GroupeDActions:
    """Les actions d'un axe, dans leur ordre ; `titre` vide : le plan n'a pas d'axe, rien ne s'écrit au-dessus."""

    titre: str
    lignes: Sequence[LigneDAction]


@dataclass(frozen=True)
class SectionDActions:
    """Un statut. `statut` None : inconnu à cette date. `vide` : la phrase qui remplace une liste sans action."""

    cle: str
    titre: str
    statut: Statut | None
    groupes: Sequence[GroupeDActions]
    commentaire: str

    @property
    def nombre(self) -> int:
        return sum(len(groupe.lignes) for groupe in self.groupes)

    @property
    def vide(self) -> str:
        qualite = {Statut.TERMINEE: "terminée", Statut.EN_COURS: "en cours", Statut.NON_INITIEE: "non initiée"}
        return "" if self.nombre or self.statut is None else f"Aucune action {qualite[self.statut]}."


@dataclass(frozen=True)
class ChiffreEnGrand:
    """Le chiffre de l'année du bilan et le texte publié dessous, sinon l'intitulé. `precision` : ce qui le nuance."""

    indicateur: IndicateurLu
    annee: int
    valeur: ValeurLue | None

    @property
    def nombre(self) -> str:
        return self.valeur.chiffre_avec_symbole if self.valeur else ABSENT

    @property
    def texte(self) -> str:
        if self.valeur and self.valeur.libelle:
            return self.valeur.libelle
        mot = self.indicateur.unite if self.indicateur.unite not in ("", "%", "€") else ""
        unite = f" ({mot})" if mot and mot.lower() not in self.indicateur.intitule.lower() else ""
        intitule = f"{self.indicateur.intitule}{unite}"
        return f"{intitule}, {self.annee}" if self.valeur else intitule

    @property
    def precision(self) -> str:
        if self.valeur is None:
            return f"Non renseigné pour {self.annee}"
        if self.valeur.indisponible:
            return self.valeur.detail
        if self.valeur.valeur_retenue is None:
            return f"{self.valeur.parts} : dénominateur non renseigné"
        return "Valeur provisoire" if self.valeur.provisoire else ""


@dataclass(frozen=True)
class LigneDAnnee:
    """Une année d'un indicateur : sa valeur, ses objectifs ; l'un ou l'autre peut manquer."""

    annee: int
    indicateur: IndicateurLu
    valeur: ValeurLue | None
    objectifs: Sequence[ObjectifLu]

    @property
    def ecrite(self) -> str:
        """« 42 / 166 = 25,3 % », « 53 % » ou « — »."""
        return self.valeur.detail if self.valeur else ABSENT

    @property
    def chiffree(self) -> bool:
        return self.valeur is not None and not self.valeur.indisponible

    @property
    def parts(self) -> str:
        """Ce que `ecrite` ne dit pas déjà : « numérateur non publié »."""
        return self.valeur.parts if self.valeur and self.valeur.numerateur is None else ""

    @property
    def objectifs_ecrits(self) -> list[str]:
        """« 30 % », « 20 % (obligation, article L. 2111-3) »."""
        return [_ecrire_l_objectif(objectif, self.indicateur.unite) for objectif in self.objectifs]

    @property
    def etat(self) -> str:
        return Etat(self.valeur.etat).label if self.valeur else ""

    @property
    def calcul(self) -> str:
        """« articles-35, version 2, empreinte 3f2a… » ; vide si la valeur n'est pas retenue d'un calcul."""
        calcul = self.valeur.calcul if self.valeur else None
        if calcul is None:
            return ""
        return f"calcul {calcul.code}, version {calcul.version}, empreinte {calcul.empreinte[:SIGNES_D_EMPREINTE]}"

    @property
    def notes(self) -> list[str]:
        """La rupture de série, puis la remarque."""
        if self.valeur is None:
            return []
        rupture = f"Rupture de série : {self.valeur.rupture}" if self.valeur.rupture else ""
        return [texte for texte in (rupture, self.valeur.remarque) if texte]


def _ecrire_l_objectif(objectif: ObjectifLu, unite: str) -> str:
    precisions = [] if objectif.origine == OrigineDeCible.PLAN else [OrigineDeCible(objectif.origine).label.lower()]
    precisions += [objectif.reference] if objectif.reference else []
    ecrit = formater_valeur(objectif.valeur, unite)
    return f"{ecrit} ({', '.join(precisions)})" if precisions else ecrit


@dataclass(frozen=True)
class FicheDIndicateur:
    """Un indicateur : ses graphiques, son tableau année par année, sa méthode. Rien ne se dessine sans être montré."""

    indicateur: IndicateurLu
    annees: Sequence[LigneDAnnee]

    @cached_property
    def _dessins(self) -> tuple[Sequence[Graphique], Sequence[Graphique]]:
        return graphiques_de_l_indicateur(self.indicateur)

    @property
    def graphiques(self) -> Sequence[Graphique]:
        """Ses valeurs par année ; vide s'il n'y a ni valeur ni objectif à dessiner."""
        return self._dessins[0]

    @property
    def ventilations(self) -> Sequence[Graphique]:
        return self._dessins[1]

    @property
    def methode(self) -> list[tuple[str, str]]:
        """Ce que l'indicateur dit de lui-même, (mot, texte) ; ce qui est vide n'y est pas."""
        indicateur = self.indicateur
        lignes = [
            ("Définition", indicateur.definition),
            ("Mode de calcul", indicateur.mode_de_calcul),
            ("Dénominateur", indicateur.denominateur),
            ("Source", indicateur.source),
        ]
        return [(mot, texte) for mot, texte in lignes if texte]

    @property
    def a_des_objectifs(self) -> bool:
        return bool(self.indicateur.objectifs)


@dataclass(frozen=True)
class GroupeDeChangements:
    titre: str
    changements: Sequence[ChangementLu]


@dataclass(frozen=True)
class PageDeBilan:
    """Tout ce qu'un bilan montre, dans l'ordre de la page."""

    lu: BilanLu
    label: str
    decompte: Decompte
    sections: Sequence[SectionDActions]
    partenaires: str
    commentaires: Mapping[str, str]
    chiffres: Sequence[ChiffreEnGrand]
    indicateurs: Sequence[FicheDIndicateur]
    sorties: Sequence[SortieLue]
    changements: Sequence[GroupeDeChangements]

    @property
    def interne(self) -> bool:
        return self.lu.portee is Portee.INTERNE

    @property
    def brouillon(self) -> bool:
        return self.lu.brouillon

    @property
    def au(self) -> date:
        return self.lu.au

    @cached_property
    def evolution(self) -> Graphique | None:
        """Les statuts au fil du temps ; None si aucun n'est connu."""
        return graphique_des_statuts(self.lu.evolution) if self.lu.evolution else None

    @property
    def commentaire_partenaires(self) -> str:
        return self.commentaires.get(Section.PARTENAIRES, "")

    @property
    def commentaire_chiffres(self) -> str:
        return self.commentaires.get(Section.CHIFFRES, "")

    @property
    def commentaire_graphiques(self) -> str:
        return self.commentaires.get(Section.GRAPHIQUES, "")

    @property
    def titre_graphiques(self) -> str:
        return Section.GRAPHIQUES.label

    @property
    def titre(self) -> str:
        """Celui de l'onglet et du document : « Bilan 2023, Développer une commande publique responsable »."""
        return f"Bilan {self.lu.annee}, {self.lu.plan.intitule}"

    @property
    def en_retard(self) -> int:
        return sum(ligne.retard for section in self.sections for groupe in section.groupes for ligne in groupe.lignes)

    @property
    def resume(self) -> str:
        """« 4 actions sur 12 terminées, 5 en cours, 3 non initiées »."""
        return self.decompte.phrase

    @property
    def resume_du_retard(self) -> str:
        return accorder(self.en_retard, "action en retard", "actions en retard") if self.en_retard else ""


def preparer(lu: BilanLu) -> PageDeBilan:
    """La page de ce contenu. Pure : aucune requête, et rien qui dépende du jour où on la regarde."""
    return PageDeBilan(
        lu=lu,
        label=LabelDePlan(lu.plan.label).label,
        decompte=lu.decompte,
        sections=_sections(lu),
        partenaires=", ".join(map(str, lu.partenaires_du_plan)),
        commentaires=lu.commentaires,
        chiffres=[ChiffreEnGrand(ind, lu.annee, ind.valeur_de(lu.annee)) for ind in lu.chiffres_cles],
        indicateurs=[_fiche(indicateur) for indicateur in lu.indicateurs],
        sorties=lu.sorties,
        changements=_changements(lu),
    )


def _sections(lu: BilanLu) -> list[SectionDActions]:
    """Les trois statuts, même vides ; « statut inconnu » seulement s'il y en a."""
    sections = [
        SectionDActions(
            cle=section.value,
            titre=section.label,
            statut=statut,
            groupes=_groupes(lu, lu.de_statut(statut)),
            commentaire=lu.commentaires.get(section, ""),
        )
        for statut, section in SECTIONS_DES_STATUTS.items()
    ]
    inconnues = lu.de_statut(None)
    if inconnues:
        sections.append(SectionDActions("inconnues", TITRE_DES_INCONNUES, None, _groupes(lu, inconnues), ""))
    return sections


def _groupes(lu: BilanLu, actions: Sequence[ActionLue]) -> list[GroupeDActions]:
    """Par axe, dans l'ordre du plan ; un seul groupe, sans titre, si le plan n'a pas d'axe."""
    if not actions:
        return []
    if not lu.axes:
        return [GroupeDActions("", [_ligne(lu, action) for action in actions])]
    par_axe: dict[AxeLu | None, list[LigneDAction]] = {axe: [] for axe in [*lu.axes, None]}
    for action in actions:
        par_axe[action.axe].append(_ligne(lu, action))
    return [GroupeDActions(str(axe or "Sans axe"), lignes) for axe, lignes in par_axe.items() if lignes]


def _ligne(lu: BilanLu, action: ActionLue) -> LigneDAction:
    montre = lu.plan.affiche_avancement and action.statut is Statut.EN_COURS and action.avancement is not None
    return LigneDAction(
        action=action,
        avancement=formater_valeur(action.avancement, "%") if montre else "",
        retard=action.en_retard(lu.au),
    )


def _fiche(indicateur: IndicateurLu) -> FicheDIndicateur:
    annees = {valeur.annee for valeur in indicateur.valeurs} | {objectif.annee for objectif in indicateur.objectifs}
    return FicheDIndicateur(
        indicateur=indicateur,
        annees=[
            LigneDAnnee(
                annee=annee,
                indicateur=indicateur,
                valeur=indicateur.valeur_de(annee),
                objectifs=[objectif for objectif in indicateur.objectifs if objectif.annee == annee],
            )
            for annee in sorted(annees)
        ],
    )


def _changements(lu: BilanLu) -> list[GroupeDeChangements]:
    """Par nature, dans l'ordre de la liste fermée."""
    return [
        GroupeDeChangements(nature.label, siens)
        for nature in NatureDeChangement
        if (siens := [changement for changement in lu.changements if changement.nature == nature])
    ]
