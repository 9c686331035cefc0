"""Les lignes d'un fichier tabulaire de decp.info ; colonnes lues par leur nom, autres acheteurs écartés avant tout
travail."""

import csv
import io
from collections.abc import Iterator
from functools import partial

from marches.decp.contrats import Avancement, Brut, FichierIllisible
from marches.decp.identifiants import lire_le_siret
from marches.decp.octets import EN_CLAIR, ENREGISTREMENT_AU_PLUS

CONNUES = {
    "uid",
    "id",
    "acheteur_id",
    "acheteur_nom",
    "titulaire_id",
    "titulaire_nom",
    "dateNotification",
    "montant",
    "objet",
    "nature",
    "codeCPV",
    "procedure",
}
_SEPARATEURS = {",": "une virgule", ";": "un point-virgule", "\t": "une tabulation", "|": "une barre"}
_TROP_LONGUE = "trop longue"
CELLULE_AU_PLUS = 131_072  # caractères
_ADMIS = (",", ";")


def separateur_de(premiere_ligne: str) -> str:
    """Celui qui fait voir le plus de colonnes connues ; « » si aucun n'en montre deux."""
    return max(_SEPARATEURS, key=lambda s: _connues(premiere_ligne, s)) if _montre_deux(premiere_ligne) else ""


def _montre_deux(ligne: str) -> bool:
    return max(_connues(ligne, s) for s in _SEPARATEURS) >= 2


def _connues(ligne: str, separateur: str) -> int:
    return len(CONNUES & {cellule.strip().strip('"').strip() for cellule in ligne.strip().split(separateur)})


def colonnes_de(premiere_ligne: str) -> tuple[str, list[str]]:
    """Le séparateur et les noms de colonnes ; lève si l'un ne convient pas ou si une colonne indispensable manque."""
    separateur = separateur_de(premiere_ligne)
    if separateur not in _ADMIS:
        raise FichierIllisible(
            f"Les colonnes sont séparées par {_SEPARATEURS[separateur]} : il faut une virgule ou un point-virgule."
            if separateur
            else "Ce n'est ni du JSON, ni du XML, ni un tableau DECP : la première ligne ne nomme pas les colonnes "
            "attendues (uid, acheteur_id, titulaire_id, dateNotification…)."
        )
    try:
        colonnes = [nom.strip() for nom in next(csv.reader([premiere_ligne], delimiter=separateur, strict=True))]
    except csv.Error as erreur:
        raise FichierIllisible(f"La ligne des colonnes ne se lit pas : {erreur}.") from None
    doubles = sorted({nom for nom in colonnes if nom and colonnes.count(nom) > 1})
    if doubles:
        raise FichierIllisible(f"La colonne « {doubles[0]} » est deux fois dans le tableau.")
    manquantes = [nom for nom in ("titulaire_id", "dateNotification") if nom not in colonnes]
    dites = [f"la colonne « {nom} »" for nom in manquantes]
    if "uid" not in colonnes and not {"acheteur_id", "id"} <= set(colonnes):
        dites.insert(0, "la colonne « uid » (ou « acheteur_id » et « id »)")
    if dites:
        raise FichierIllisible(f"Il manque au tableau {' et '.join(dites)}.")
    return separateur, colonnes


def _lignes(texte: io.TextIOWrapper, depuis: list[int]) -> Iterator[str]:
    """Les lignes du fichier ; `depuis[0]` compte les caractères depuis le dernier enregistrement, et ne passe pas la
    limite."""
    for ligne in iter(partial(texte.readline, ENREGISTREMENT_AU_PLUS), ""):
        depuis[0] += len(ligne)
        if depuis[0] >= ENREGISTREMENT_AU_PLUS:
            raise csv.Error(_TROP_LONGUE)
        yield ligne


def enregistrements_csv(
    texte: io.TextIOWrapper, avancement: Avancement, sirens: frozenset[str], finit_par_une_ligne: bool
) -> Iterator[Brut]:
    """Chaque ligne, en dictionnaire ; de celles dont l'acheteur n'est pas de `sirens` (s'il y en a), seulement le
    compte.

    Une ligne qui n'a pas le bon nombre de cellules est illisible ; la dernière du fichier, trop courte et sans fin de
    ligne, dit que le fichier est tronqué.
    """
    entete, avant = texte.readline(ENREGISTREMENT_AU_PLUS), 1
    while entete.isspace():
        entete, avant = texte.readline(ENREGISTREMENT_AU_PLUS), avant + 1
    separateur, colonnes = colonnes_de(entete)
    largeur = len(colonnes)
    rang = colonnes.index("acheteur_id") if "acheteur_id" in colonnes else colonnes.index("uid")
    fin = None if "acheteur_id" in colonnes else 14
    depuis = [0]
    # La limite du module csv est celle du processus entier : une autre bibliothèque a pu la lever.
    csv.field_size_limit(CELLULE_AU_PLUS)
    lecteur = csv.reader(_lignes(texte, depuis), delimiter=separateur, strict=True)
    courte: Brut | None = None
    try:
        for ligne in lecteur:
            depuis[0] = 0
            if courte is not None:
                yield courte
                courte = None
            if len(ligne) == largeur:
                avancement.lus += 1
                if sirens and (siret := lire_le_siret(ligne[rang][:fin])) and siret[:9] not in sirens:
                    avancement.autres_acheteurs += 1
                else:
                    yield Brut(avancement.lus, dict(zip(colonnes, ligne, strict=True)))
            elif ligne:
                avancement.lus += 1
                defaut = f"Ligne {lecteur.line_num + avant} : {len(ligne)} cellules pour {largeur} colonnes."
                courte = Brut(avancement.lus, None, defaut)
    except csv.Error as erreur:
        raise _illisible(erreur, lecteur.line_num + avant) from None
    if courte is not None:
        if not finit_par_une_ligne:
            raise FichierIllisible(
                f"Le fichier est tronqué : sa dernière ligne ({lecteur.line_num + avant}) s'arrête en route."
            )
        yield courte


def _illisible(erreur: csv.Error, ligne: int) -> FichierIllisible:
    dit = str(erreur)
    if "unexpected end of data" in dit:
        return FichierIllisible(f"Le fichier est tronqué : il s'arrête dans un guillemet ouvert, ligne {ligne}.")
    if dit == _TROP_LONGUE:
        return FichierIllisible(
            f"Ligne {ligne} du tableau : elle dépasse {EN_CLAIR}, la limite (ou un guillemet n'est pas fermé)."
        )
    if "field larger than field limit" in dit:
        return FichierIllisible(
            f"Ligne {ligne} du tableau : une cellule dépasse {CELLULE_AU_PLUS} caractères, la limite "
            "(ou un guillemet n'est pas fermé)."
        )
    if "expected after" in dit:
        return FichierIllisible(f"Ligne {ligne} du tableau : un guillemet y est mal placé.")
    return FichierIllisible(f"Ligne {ligne} du tableau : elle ne se lit pas ({dit}).")
