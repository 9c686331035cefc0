"""Quelle action chaque ligne du classeur désigne : par son identifiant, sinon par son numéro, sinon par son intitulé.

Ce qui désignerait deux actions, ou deux lignes qui en désignent une, est refusé ; rien ne se choisit à la place de
l'auteur.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from actions.classeur.colonnes import IDENTIFIANT, PLAN, VERSION, Colonne, colonne_de
from actions.classeur.lecture import Refus, cite, est_vide, lire_un_entier, texte_de
from actions.classeur.releve import Releve
from actions.models import Action
from socle.formats import INSECABLE, plier
from socle.tableaux import FichierIllisible, Ligne, Tableau


@dataclass(frozen=True)
class Entete:
    """Où est chaque champ dans la ligne, et les titres qu'on ne connaît pas."""

    places: dict[str, int]
    titres: dict[str, str]
    colonnes: tuple[Colonne, ...]
    ignorees: tuple[str, ...]

    @property
    def du_site(self) -> bool:
        """Le classeur vient de l'export : une cellule vide y vide le champ, et la version y dit ce qui a bougé."""
        return IDENTIFIANT in self.places and VERSION in self.places

    def cellule(self, ligne: Ligne, champ: str) -> Any:
        place = self.places.get(champ)
        return ligne.cellules[place] if place is not None and place < len(ligne.cellules) else None


@dataclass
class LigneRapprochee:
    """`action` : None si elle est à créer. `version` : celle que dit le fichier, pour une ligne exportée d'ici."""

    ligne: Ligne
    nom: str
    action: Action | None = None
    version: int | None = None
    refus: list[Refus] = field(default_factory=list)


def lire_l_entete(tableau: Tableau) -> Entete:
    """Lève FichierIllisible : aucune colonne connue, une colonne deux fois, ou rien qui désigne une action."""
    places: dict[str, int] = {}
    titres: dict[str, str] = {}
    colonnes, ignorees = [], []
    for place, titre in enumerate(tableau.titres):
        colonne = colonne_de(titre)
        if colonne is None:
            if titre.strip():
                ignorees.append(titre.strip())
            continue
        if colonne.champ in places:
            raise FichierIllisible(
                f"Deux colonnes disent la même chose{INSECABLE}: {cite(titres[colonne.champ])} et {cite(titre)}. "
                "Gardez-en une seule."
            )
        places[colonne.champ], titres[colonne.champ] = place, titre.strip()
        colonnes.append(colonne)
    if not {"intitule", "numero", IDENTIFIANT} & places.keys():
        raise FichierIllisible(
            "Rien n'y désigne une action. Il manque une colonne «\u00a0Action\u00a0» (l'intitulé), «\u00a0N°\u00a0» "
            "ou «\u00a0Identifiant\u00a0»."
        )
    return Entete(places, titres, tuple(colonnes), tuple(ignorees))


def rapprocher(lignes: Sequence[Ligne], entete: Entete, releve: Releve) -> list[LigneRapprochee]:
    """Une par ligne, dans l'ordre du fichier."""
    trouvees = [_rapprocher(ligne, entete, releve) for ligne in lignes]
    _refuser_les_doublons(trouvees, entete)
    return trouvees


def _rapprocher(ligne: Ligne, entete: Entete, releve: Releve) -> LigneRapprochee:
    rapprochee = LigneRapprochee(ligne, texte_de(entete.cellule(ligne, "intitule")).replace("\n", " "))
    plan = texte_de(entete.cellule(ligne, PLAN))
    if plan and plier(plan) not in (plier(releve.plan.intitule), releve.plan.slug):
        _refuser(rapprochee, entete, PLAN, f"{cite(plan)} n'est pas le plan choisi, {cite(releve.plan.intitule)}.")
        return rapprochee
    try:
        rapprochee.action = _designee(ligne, rapprochee, entete, releve)
    except _Indesignable as refus:
        _refuser(rapprochee, entete, refus.champ, refus.raison)
    if rapprochee.action is not None:
        rapprochee.nom = str(rapprochee.action)
    return rapprochee


class _Indesignable(Exception):
    def __init__(self, champ: str, raison: str) -> None:
        super().__init__(raison)
        self.champ, self.raison = champ, raison


def _designee(ligne: Ligne, rapprochee: LigneRapprochee, entete: Entete, releve: Releve) -> Action | None:
    if (identifiant := _entier(ligne, entete, IDENTIFIANT)) is not None:
        action = releve.actions.get(identifiant)
        if action is None:
            raise _Indesignable(IDENTIFIANT, f"Aucune action de ce plan n'a l'identifiant {identifiant}.")
        rapprochee.version = _entier(ligne, entete, VERSION)
        return action
    numero = _entier(ligne, entete, "numero")
    if numero is not None and numero in releve.par_numero:
        return releve.par_numero[numero]
    intitule = texte_de(entete.cellule(ligne, "intitule"))
    if not intitule:
        manque = f"Aucune action de ce plan n'a le n° {numero}. " if numero is not None else ""
        raise _Indesignable("intitule", f"{manque}Une action nouvelle a besoin d'un intitulé.")
    memes = releve.par_intitule.get(plier(intitule), [])
    if len(memes) > 1:
        numeros = ", ".join(f"n° {action.numero}" for action in memes)
        raise _Indesignable(
            "intitule", f"Cet intitulé est celui de plusieurs actions ({numeros}){INSECABLE}: donnez le numéro."
        )
    return memes[0] if memes else None


def _entier(ligne: Ligne, entete: Entete, champ: str) -> int | None:
    cellule = entete.cellule(ligne, champ)
    if est_vide(cellule):
        return None
    try:
        return lire_un_entier(cellule)
    except ValidationError as refus:
        raise _Indesignable(champ, refus.messages[0]) from refus


def _refuser_les_doublons(lignes: Sequence[LigneRapprochee], entete: Entete) -> None:
    """Deux lignes pour une action, un même numéro deux fois, deux actions neuves du même nom : toutes sont nommées."""
    par_action: dict[Any, list[LigneRapprochee]] = defaultdict(list)
    par_numero: dict[int, list[LigneRapprochee]] = defaultdict(list)
    nouvelles: dict[str, list[LigneRapprochee]] = defaultdict(list)
    for ligne in lignes:
        numero = texte_de(entete.cellule(ligne.ligne, "numero"))
        if numero.isascii() and numero.isdigit():
            par_numero[int(numero)].append(ligne)
        if ligne.action is not None:
            par_action[ligne.action.pk].append(ligne)
        elif not ligne.refus and not numero:
            nouvelles[plier(ligne.nom)].append(ligne)
    for groupe in par_action.values():
        _refuser_le_groupe(groupe, entete, "", "désigne la même action que")
    for groupe in par_numero.values():
        # Celles d'une même action viennent d'être refusées.
        if None in (designees := {ligne.action for ligne in groupe}) or len(designees) > 1:
            _refuser_le_groupe(groupe, entete, "numero", "porte le même numéro que")
    for groupe in nouvelles.values():
        _refuser_le_groupe(groupe, entete, "intitule", "porte le même intitulé que")


def _refuser_le_groupe(groupe: Sequence[LigneRapprochee], entete: Entete, champ: str, pourquoi: str) -> None:
    if len(groupe) < 2:
        return
    for ligne in groupe:
        autres = [str(autre.ligne.numero) for autre in groupe if autre is not ligne]
        nommees = f"la ligne {autres[0]}" if len(autres) == 1 else f"les lignes {', '.join(autres[:10])}"
        _refuser(ligne, entete, champ, f"Cette ligne {pourquoi} {nommees}{INSECABLE}: gardez-en une seule.")


def _refuser(ligne: LigneRapprochee, entete: Entete, champ: str, raison: str) -> None:
    ligne.refus.append(Refus(entete.titres.get(champ, ""), raison))
