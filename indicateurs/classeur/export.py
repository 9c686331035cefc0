"""Le classeur des indicateurs : leurs valeurs, leurs parts, leurs remarques, comment le rendre au site."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.utils import timezone

from actions.classeur.export import Fichier, Format
from indicateurs.classeur.cellules import INDISPONIBLE
from indicateurs.classeur.colonnes import ANNEES_MAX, FEUILLE, Champ, Cle, Colonne, colonnes_des_annees
from indicateurs.grille_de_saisie import derniere_annee_finie
from indicateurs.listes import Etat, Nature
from indicateurs.models import Indicateur, IndicateurQuerySet, ValeurAnnuelle
from indicateurs.requetes import valeurs_connues
from indicateurs.valeurs import ValeurQuerySet
from socle.contraintes import BORNES_ANNEE
from socle.ecriture import ClasseurEcrit, ColonneEcrite, Sorte, ecrire_csv
from socle.erreurs import DemandeIllisible
from socle.formats import accorder, arrondir, formater_moment, typographie
from socle.instants import AUJOURD_HUI, Instant

ANNEES_PAR_DEFAUT = 5

_LARGEURS = {Champ.VALEUR: 16, Champ.REMARQUE: 40}
_CLES = (
    ColonneEcrite(Cle.CODE.value, largeur=26),
    ColonneEcrite(Cle.INTITULE.value, largeur=50),
    ColonneEcrite(Cle.UNITE.value, largeur=14, effacee=True),
    ColonneEcrite(Cle.SERVICE.value, largeur=24, effacee=True),
)
# Le code et l'intitulé restent à l'écran.
FIGEES = 2


def annees_demandees(demande: Mapping[str, str]) -> list[int] | None:
    """Les années de `de` à `a` ; None si l'on n'en demande pas. Lève DemandeIllisible."""
    bornes = [demande.get(nom, "").strip() for nom in ("de", "a")]
    if not any(bornes):
        return None
    if not all(borne.isascii() and borne.isdigit() and len(borne) == 4 for borne in bornes):
        raise DemandeIllisible("Les années se demandent ensemble, avec quatre chiffres : « de=2021&a=2025 ».")
    de, a = map(int, bornes)
    if not BORNES_ANNEE[0].limit_value <= de <= a <= timezone.localdate().year:
        raise DemandeIllisible(f"De {de} à {a} : la première année précède la dernière, et aucune n'est à venir.")
    if a - de >= ANNEES_MAX:
        raise DemandeIllisible(f"{ANNEES_MAX} années au plus par classeur.")
    return list(range(de, a + 1))


def exporter(
    indicateurs: IndicateurQuerySet,
    forme: Format,
    *,
    annees: Sequence[int] | None = None,
    filtres: Sequence[tuple[str, str]] = (),
    instant: Instant = AUJOURD_HUI,
) -> Fichier:
    """Le fichier de ces indicateurs ; sans `annees`, celles qu'on connaît, les cinq dernières. Trois requêtes au
    plus. `filtres` : ce qu'on a demandé, en clair ; `instant` : les valeurs qu'on connaissait alors."""
    lus = list(indicateurs.select_related("service").order_by("intitule", "pk"))
    connues = valeurs_connues(instant.jour).filter(indicateur__in=[indicateur.pk for indicateur in lus])
    retenues = list(annees) if annees is not None else _dernieres_annees_connues(connues)
    valeurs = connues.filter(annee__in=retenues)
    par_cle = {(valeur.indicateur_id, valeur.annee): valeur for valeur in valeurs}
    colonnes = colonnes_des_annees(retenues)
    lignes = [
        [*_nommer(indicateur), *(_cellule(indicateur, colonne, par_cle) for colonne in colonnes)] for indicateur in lus
    ]
    classeur = ClasseurEcrit(
        feuille=FEUILLE,
        colonnes=[*_CLES, *map(_colonne_ecrite, colonnes)],
        lignes=lignes,
        figees=FIGEES,
        mode_d_emploi=_mode_d_emploi(len(lus), filtres, instant),
    )
    return Fichier(_ecrire(classeur, forme), len(lus))


def _dernieres_annees_connues(connues: ValeurQuerySet) -> list[int]:
    """À défaut, la dernière année finie : de quoi commencer."""
    annees = connues.order_by("-annee").values_list("annee", flat=True).distinct()[:ANNEES_PAR_DEFAUT]
    return sorted(annees) or [derniere_annee_finie()]


def _ecrire(classeur: ClasseurEcrit, forme: Format) -> bytes:
    from socle.ecriture_ods import ecrire_ods
    from socle.ecriture_xlsx import ecrire_xlsx

    return {Format.XLSX: ecrire_xlsx, Format.ODS: ecrire_ods, Format.CSV: ecrire_csv}[forme](classeur)


# --- Cellules -----------------------------------------------------------------------------------


def _nommer(indicateur: Indicateur) -> list[str]:
    return [indicateur.code, indicateur.intitule, indicateur.unite, str(indicateur.service or "")]


def _cellule(
    indicateur: Indicateur, colonne: Colonne, par_cle: Mapping[tuple[int, int], ValeurAnnuelle]
) -> int | Decimal | str | None:
    valeur = par_cle.get((indicateur.pk, colonne.annee))
    if valeur is None:
        return 0 if colonne.champ is Champ.VERSION else None
    match colonne.champ:
        case Champ.VALEUR if valeur.indisponible:
            return f"{INDISPONIBLE} : {valeur.motif_indisponibilite}"
        case Champ.VALEUR:
            return _nombre(valeur.valeur)
        case Champ.NUMERATEUR:
            return _nombre(valeur.numerateur)
        case Champ.DENOMINATEUR:
            return _nombre(valeur.denominateur)
        case Champ.TAUX:
            return _taux(indicateur, valeur)
        case Champ.REMARQUE:
            return valeur.remarque
        case Champ.ETAT:
            return str(Etat(valeur.etat).label)
    return valeur.version


def _taux(indicateur: Indicateur, valeur: ValeurAnnuelle) -> int | Decimal | None:
    """Celui d'une part, tel que le site l'écrit : déduit, il est arrondi au dixième."""
    if indicateur.nature != Nature.PART or valeur.valeur_retenue is None:
        return None
    deduit = valeur.numerateur is not None
    return _nombre(arrondir(valeur.valeur_retenue, 1) if deduit else valeur.valeur_retenue)


def _nombre(nombre: Decimal | None) -> int | Decimal | None:
    """Sans zéros de fin, ni puissance de dix."""
    if nombre is None:
        return None
    entier = nombre.to_integral_value()
    return int(entier) if entier == nombre else Decimal(format(nombre, "f").rstrip("0"))


def _colonne_ecrite(colonne: Colonne) -> ColonneEcrite:
    # Une sorte qui n'ajoute pas d'unité : nombres, textes et « indisponible » s'y côtoient.
    sorte = Sorte.TEXTE if colonne.champ is Champ.REMARQUE else Sorte.LIBRE
    largeur = _LARGEURS.get(colonne.champ, 13)
    return ColonneEcrite(colonne.titre, sorte, largeur, effacee=not colonne.champ.a_remplir)


# --- Mode d'emploi ------------------------------------------------------------------------------


def _mode_d_emploi(nombre: int, filtres: Sequence[tuple[str, str]], instant: Instant) -> list[tuple[str, str]]:
    demande = " ; ".join(f"{libelle} : {valeur}" for libelle, valeur in filtres) or "aucun, tous les indicateurs"
    phrases = [
        ("Ce classeur", f"{accorder(nombre, 'indicateur')}, un par ligne, leurs valeurs par année en colonnes."),
        ("Exporté le", formater_moment(timezone.now())),
        ("Filtres", demande),
        *(
            [("Situation passée", f"{instant.phrase}. Ce classeur se lit ; il n'est pas fait pour être réimporté.")]
            if instant.passe
            else []
        ),
        (
            "À remplir",
            "Valeur, numérateur, dénominateur et remarque. Une cellule vide ne change rien, une colonne absente non "
            "plus : rien ne s'efface par un classeur.",
        ),
        (
            "Une part",
            "Donnez son numérateur ; sa valeur reste vide, et le taux se calcule sur le site. Si l'on ne connaît que "
            "le taux, écrivez-le dans la colonne valeur : 35,1 veut dire 35,1 %.",
        ),
        (
            "Dénominateur partagé",
            "Quand un autre indicateur sert de dénominateur, il se tape une fois, à sa propre ligne ; la cellule "
            "dénominateur de ses parts reste vide.",
        ),
        (
            "Pas de chiffre",
            "Écrivez « indisponible : » puis le motif dans la colonne valeur : on n'attendra plus de chiffre.",
        ),
        (
            "À garder",
            "Le code relie la ligne à son indicateur ; la version dit si quelqu'un a changé la valeur depuis. Le "
            "taux et l'état, en gris, ne s'importent pas : une valeur se valide sur le site.",
        ),
        (
            "Réimporter",
            "Dans le site, page Indicateurs, « Importer un classeur ». Rien ne s'écrit avant que vous ayez vu ce qui "
            "changera.",
        ),
    ]
    return [(intitule, typographie(phrase)) for intitule, phrase in phrases]


def nom_du_fichier(forme: Format, precision: str = "") -> str:
    """« indicateurs-plan-2026-03-01.xlsx » : ce qu'on a demandé de précis, et le jour."""
    milieu = f"-{precision}" if precision else ""
    return f"indicateurs{milieu}-{timezone.localdate().isoformat()}.{forme}"
