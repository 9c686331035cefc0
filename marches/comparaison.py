"""Les mêmes calculs, sur les données essentielles de plusieurs acheteurs, côte à côte.

Chacun est calculé seul, comme la collectivité. Les DECP ne disent ni les achats sous le seuil de publication, ni les
consultations sans suite, ni ce qui a été payé : on compare des publications, pas des politiques d'achat.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Max

from marches.calculs.catalogue import CALCULS, Calcul, Source
from marches.calculs.chargement import charger
from marches.calculs.lignes import Donnees, Perimetre
from marches.calculs.resultats import Resultat
from marches.models import Contrat, Territoire
from socle.formats import formater_nombre, formater_pourcentage

ACHETEURS_AU_PLUS = 6
ANNEES_AU_PLUS = 6
ACHETEURS_PROPOSES = 200
# Ce que la liste des contrats sait filtrer, en plus de l'année et de l'acheteur.
_FILTRES = {
    "marches_notifies": "",
    "part_environnementale_nombre": "&environnement=OUI",
    "part_sociale_nombre": "&social=OUI",
}


@dataclass(frozen=True)
class Acheteur:
    """Un acheteur dont des contrats sont importés. `perimetre` : son SIREN, ou ceux de la collectivité joints par
    « + »."""

    perimetre: str
    nom: str
    contrats: int
    est_la_collectivite: bool = False


@dataclass(frozen=True)
class Case:
    """Un chiffre et ce qu'il faut pour le lire ; `texte` vide quand la donnée n'existe pas cette année-là.

    `filtres` : ceux de la liste des contrats qui montrent ce que le chiffre compte ; vide s'ils ne savent pas le dire.
    """

    acheteur: Acheteur
    texte: str
    detail: str = ""
    sous_le_seuil: bool = False
    absence: str = ""
    filtres: str = ""


@dataclass(frozen=True)
class Ligne:
    """Un calcul, une année, une case par acheteur."""

    annee: int
    cases: list[Case]


@dataclass(frozen=True)
class Tableau:
    calcul: Calcul
    lignes: list[Ligne]


def acheteurs_importes(sauf: Sequence[str]) -> list[Acheteur]:
    """Ceux qui ont le plus de contrats en vigueur, les SIREN de la collectivité mis à part."""
    comptes = (
        Contrat.objects.all()
        .en_vigueur()
        .exclude(siren__in=sauf)
        .order_by()
        .values("siren")
        .annotate(nom=Max("acheteur"), contrats=Count("pk"))
        .order_by("-contrats", "siren")
    )
    return [Acheteur(ligne["siren"], ligne["nom"], ligne["contrats"]) for ligne in comptes[:ACHETEURS_PROPOSES]]


def comparer(acheteurs: Sequence[Acheteur], annees: Sequence[int], territoire: Territoire | None) -> list[Tableau]:
    """Un tableau par calcul des données essentielles ; un nombre constant de requêtes par acheteur."""
    donnees = [(acheteur, charger(acheteur.perimetre, (Source.DECP,))) for acheteur in acheteurs]

    def lignes(calcul: Calcul) -> list[Ligne]:
        return [Ligne(annee, [_case(calcul, a, lu, annee, territoire) for a, lu in donnees]) for annee in annees]

    publies = [calcul for calcul in CALCULS.values() if calcul.source is Source.DECP]
    return [Tableau(c, lignes(c)) for c in publies if territoire is not None or not c.territorial]


def _case(calcul: Calcul, acheteur: Acheteur, donnees: Donnees, annee: int, territoire: Territoire | None) -> Case:
    if absence := calcul.indisponible(annee):
        return Case(acheteur, "", absence=absence)
    resultat = calcul.calculer(donnees, Perimetre.annee(acheteur.perimetre, annee, territoire))
    return Case(
        acheteur,
        _texte(calcul, resultat),
        _detail(calcul, resultat),
        _sous_le_seuil(calcul, resultat),
        filtres=_filtres(calcul, acheteur, annee),
    )


def _filtres(calcul: Calcul, acheteur: Acheteur, annee: int) -> str:
    """Le numérateur d'une part en nombre, le compte d'un compte."""
    if calcul.code not in _FILTRES:
        return ""
    # La collectivité a peut-être plusieurs SIREN ; la liste, sans acheteur dit, est la sienne.
    de_qui = "" if acheteur.est_la_collectivite else f"&acheteur={acheteur.perimetre}"
    return f"?compte=oui&annee={annee}{de_qui}{_FILTRES[calcul.code]}"


def _texte(calcul: Calcul, resultat: Resultat) -> str:
    if calcul.unite == "%":
        return formater_pourcentage(resultat.valeur, 1)
    return ("≈\u00a0" if calcul.estimation else "") + formater_nombre(resultat.valeur)


def _detail(calcul: Calcul, resultat: Resultat) -> str:
    """De quoi est faite une part, et ce qui en est renseigné ; vide pour un compte."""
    if calcul.unite != "%":
        return ""
    faite = f"{formater_nombre(resultat.numerateur, 0)} / {formater_nombre(resultat.denominateur, 0)}"
    unite = " €" if calcul.en_montant else ""
    return f"{faite}{unite}, part renseignée {formater_pourcentage(resultat.couverture, 0)}"


def _sous_le_seuil(calcul: Calcul, resultat: Resultat) -> bool:
    return calcul.unite == "%" and resultat.couverture is not None and resultat.couverture < 80
