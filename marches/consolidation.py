"""Des enregistrements d'un même identifiant aux contrats qu'ils décrivent.

Fonction pure de l'ensemble des enregistrements gardés : le résultat ne dépend pas de l'ordre des imports. La règle
d'une republication corrigée est celle du projet : même acheteur et même identifiant, un seul contrat de chaque côté,
au plus un écart parmi objet, titulaires et date ; sinon deux contrats, et un conflit à revoir.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from marches.decp.contrats import ContratLu, TitulaireLu
from marches.decp.textes import plier


@dataclass(frozen=True)
class Piece:
    """Un enregistrement gardé : sa clé, son empreinte, ce qu'il dit.

    `cohabite` : un fichier le montre à côté d'un autre contrat du même identifiant.
    """

    cle: int
    empreinte: str
    lu: ContratLu
    officielle: bool
    cohabite: bool = False


@dataclass(frozen=True)
class ContratConsolide:
    """Un contrat et les clés des enregistrements qui le disent, celui qui fait foi en tête.

    `conflit` : un autre contrat porte le même identifiant, sans qu'on puisse dire s'il s'agit d'un lot ou d'une
    correction.
    """

    lu: ContratLu
    pieces: tuple[int, ...]
    conflit: bool


Identite = tuple[str, tuple[str, ...], datetime.date | None]


def identite(lu: ContratLu) -> Identite:
    """Objet plié, titulaires et date : deux enregistrements qui les partagent disent le même contrat."""
    return plier(lu.objet), tuple(sorted({_nom_de(t) for t in lu.titulaires})), lu.date


def consolider(pieces: Iterable[Piece]) -> list[ContratConsolide]:
    """Les contrats d'un groupe (même acheteur, même identifiant), rangés par leur première pièce publiée."""
    rangees = sorted(pieces, key=lambda piece: piece.empreinte)
    chaines = _chaines([p for p in rangees if p.officielle])
    contrats = [ContratConsolide(chaine[0].lu, tuple(p.cle for p in chaine), conflit=False) for chaine in chaines]
    seuls = []
    for lignes in _par_acheteur([p for p in rangees if not p.officielle]):
        completes = _completes(contrats, lignes)
        if completes == contrats:
            seuls.append(_du_tabulaire(lignes))
        contrats = completes
    return [_avec_conflit(c, [*contrats, *seuls]) for c in [*contrats, *seuls]]


def _chaines(officielles: Sequence[Piece]) -> list[list[Piece]]:
    """Les versions successives de chaque contrat, la plus récente en tête."""
    classes: dict[Identite, list[Piece]] = {}
    for piece in officielles:
        classes.setdefault(identite(piece.lu), []).append(piece)
    for classe in classes.values():
        classe.sort(key=_recence, reverse=True)
    suite = sorted(classes.items(), key=lambda paire: _recence(paire[1][0]))
    distincts = any(p.cohabite for p in officielles)
    chaines: list[tuple[Identite, list[Piece]]] = []
    for cle, classe in suite:
        if len(chaines) == 1 and not distincts and _ecarts(chaines[0][0], cle) <= 1:
            chaines = [(cle, [*classe, *chaines[0][1]])]
        else:
            chaines.append((cle, classe))
    return [chaine for _, chaine in chaines]


def _ecarts(une: Identite, autre: Identite) -> int:
    return sum(a != b for a, b in zip(une, autre, strict=True))


def _recence(piece: Piece) -> tuple[datetime.date, int, str]:
    """La plus récemment publiée l'emporte ; à égalité, la mieux remplie ; puis l'empreinte, pour trancher toujours
    pareil."""
    return piece.lu.publie_le or datetime.date.min, _remplissage(piece.lu), piece.empreinte


def _remplissage(lu: ContratLu) -> int:
    return sum(1 for champ in fields(lu) if getattr(lu, champ.name) not in ("", None, (), "INCONNU"))


def _nom_de(titulaire: TitulaireLu) -> str:
    return titulaire.identifiant or plier(titulaire.nom)


# --- Le format tabulaire -----------------------------------------------------------------------------


def _par_acheteur(lignes: Sequence[Piece]) -> list[list[Piece]]:
    """Un `uid` de decp.info est un SIRET suivi d'un identifiant : dans un groupe, un contrat par SIRET."""
    par_siret: dict[str, list[Piece]] = {}
    for piece in lignes:
        par_siret.setdefault(piece.lu.siret, []).append(piece)
    return [par_siret[siret] for siret in sorted(par_siret)]


def _completes(contrats: list[ContratConsolide], lignes: list[Piece]) -> list[ContratConsolide]:
    """Les contrats officiels, ceux qui partagent un titulaire avec le tabulaire complétés du lieu des leurs."""
    lieux = {t.identifiant: t for p in _initiales(lignes) for t in p.lu.titulaires if t.identifiant}
    cles = tuple(p.cle for p in lignes)
    return [
        replace(c, lu=_complete(c.lu, lieux), pieces=(*c.pieces, *cles))
        if any(t.identifiant in lieux for t in c.lu.titulaires)
        else c
        for c in contrats
    ]


def _du_tabulaire(lignes: list[Piece]) -> ContratConsolide:
    """Le contrat qu'aucun fichier officiel ne dit ; les titulaires de l'état initial sont sur plusieurs lignes."""
    initiales = sorted(_initiales(lignes), key=_recence)
    tete = initiales[-1]
    # Deux publications de la même ligne peuvent dire le même titulaire autrement : la mieux tenue l'emporte.
    titulaires = {_nom_de(t): t for p in initiales for t in p.lu.titulaires}
    lu = replace(tete.lu, titulaires=tuple(sorted(titulaires.values())))
    return ContratConsolide(lu, (tete.cle, *(p.cle for p in lignes if p is not tete)), conflit=False)


def _avec_conflit(contrat: ContratConsolide, voisins: list[ContratConsolide]) -> ContratConsolide:
    """Un même SIRET et un même identifiant pour deux contrats : lots, ou correction qu'on n'a pas reconnue."""
    return replace(contrat, conflit=sum(v.lu.siret == contrat.lu.siret for v in voisins) > 1)


def _initiales(lignes: list[Piece]) -> list[Piece]:
    """Les lignes de l'état initial : la plus petite modification ; sans elle, la plus ancienne date."""
    numerotees = [p for p in lignes if p.lu.modification is not None]
    if numerotees:
        premiere = min(p.lu.modification or 0 for p in numerotees)
        return [p for p in numerotees if p.lu.modification == premiere]
    datees = [p for p in lignes if p.lu.date is not None]
    if not datees:
        return lignes
    ancienne = min(p.lu.date for p in datees if p.lu.date)
    return [p for p in datees if p.lu.date == ancienne]


def _complete(lu: ContratLu, lieux: dict[str, TitulaireLu]) -> ContratLu:
    """Le fichier officiel l'emporte : seuls des champs vides se remplissent."""
    return replace(lu, titulaires=tuple(_situe(t, lieux.get(t.identifiant)) for t in lu.titulaires))


def _situe(titulaire: TitulaireLu, connu: TitulaireLu | None) -> TitulaireLu:
    if connu is None:
        return titulaire
    return replace(
        titulaire,
        **{
            champ: getattr(titulaire, champ) or getattr(connu, champ)
            for champ in ("nom", "commune", "departement", "categorie")
        },
    )
