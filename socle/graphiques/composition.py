"""La place de chaque chose sur le dessin, avant le premier trait : marges, légende, échelles, graduations."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from . import echelles, ecriture
from .ecriture import INTERLIGNE
from .empilement import Etendues, empiler
from .modele import FigureLue, Repere, Serie

MARGE = 8
BARRE_MAX = 64  # une barre seule ne doit pas emplir l'écran
HAUTEUR_DU_TRACE = 210
PASTILLE = 26  # ce que prend l'échantillon d'une série dans la légende


@dataclass(frozen=True)
class EntreeDeLegende:
    """Un échantillon et son texte, à leur place."""

    serie: Serie
    texte: str
    x: float
    y: float


@dataclass(frozen=True)
class Etiquette:
    """Les lignes qui s'écrivent en face d'une position."""

    position: Decimal
    lignes: tuple[str, ...]


@dataclass(frozen=True)
class Composition:
    """Le dessin mesuré. Le tracé va de `gauche` à `droite` et de `haut` à `bas` (y vers le bas)."""

    lue: FigureLue
    etendues: Etendues
    largeur: float
    hauteur: float
    gauche: float
    droite: float
    haut: float
    bas: float
    positions: echelles.Echelle
    valeurs: echelles.Echelle
    pas_px: float  # la place d'une position, en unités du dessin
    bande: float  # ce que les barres d'une position en prennent
    graduations: tuple[echelles.Graduation, ...]
    pas: Decimal
    etiquettes: tuple[Etiquette, ...]
    legende: tuple[EntreeDeLegende, ...]

    def barre(self, serie: Serie, i: int) -> tuple[float, float, float, float]:
        """(bord, épaisseur) le long de l'axe des positions, (départ, bout) le long de celui des valeurs."""
        colonnes = 1 if self.lue.empilee else len(self.lue.barres)
        epaisseur = self.bande / colonnes
        bord = self.positions.px(serie.points[i].position) - self.bande / 2
        if not self.lue.empilee:
            bord += self.lue.barres.index(serie) * epaisseur
        depart, bout = (self.valeurs.px(v) for v in self.etendues[serie.rang, i])
        return bord, epaisseur, depart, bout

    def place_du_repere(self, repere: Repere) -> tuple[float, float, str]:
        """(x, milieu de la hauteur, ancre) de son texte : en haut, à droite du trait s'il y tient, sinon à gauche."""
        px = self.positions.px(Decimal(repr(repere.position)))
        tient = px + 4 + ecriture.largeur(repere.texte) <= self.largeur
        return (px + 4, self.haut + 6, "start") if tient else (px - 4, self.haut + 6, "end")

    def lieux(self, serie: Serie) -> dict[int, tuple[float, float, float]]:
        """Pour chaque point d'une courbe qui a une hauteur : x, y du pied, y du point."""
        return {
            i: (self.positions.px(p.position), self.valeurs.px(pied), self.valeurs.px(sommet))
            for i, p in enumerate(serie.points)
            if (serie.rang, i) in self.etendues
            for pied, sommet in [self.etendues[serie.rang, i]]
        }


def composer(lue: FigureLue) -> Composition:
    """Mesure une figure qui a au moins une valeur."""
    etendues = empiler(lue)
    bouts = [v for etendue in etendues.values() for v in etendue]
    touche_zero = bool(lue.barres) or any(s.remplie for s in lue.courbes)
    sommets = bouts if touche_zero else [fin for _, fin in etendues.values()]
    de, a, pas = echelles.etendue_ronde(sommets, lue.valeurs.depuis_zero or touche_zero, lue.valeurs.bornes)
    graduations = tuple(echelles.graduations_de_valeurs(de, a, pas, lue.unite_commune))
    legende, haut = _legende(lue)
    mesurer = _horizontale if lue.horizontale else _verticale
    return mesurer(lue, etendues, (de, a, pas), graduations, legende, haut)


# --- Légende ----------------------------------------------------------------------------------------


def texte_de_legende(lue: FigureLue, serie: Serie) -> str:
    """Le nom de la série ; quand il n'y a qu'une position, sa valeur aussi, car la barre peut être trop courte."""
    nom = serie.nom or f"Série {serie.rang + 1}"
    valeurs = [p.valeur for p in serie.points if p.valeur is not None]
    if len({p.position for s in lue.series for p in s.points}) == 1 and len(valeurs) == 1:
        return f"{nom} : {ecriture.valeur(valeurs[0], serie.unite, serie.decimales)}"
    return nom


def _legende(lue: FigureLue) -> tuple[tuple[EntreeDeLegende, ...], float]:
    """Les entrées, en lignes qui tiennent dans la largeur, et le bas de la légende."""
    if not lue.legende:
        return (), MARGE
    entrees, x, y = [], float(MARGE), float(MARGE + 8)
    for serie in lue.series:
        texte = ecriture.abreger(texte_de_legende(lue, serie), lue.largeur - PASTILLE - 2 * MARGE)
        prend = PASTILLE + ecriture.largeur(texte)
        if x > MARGE and x + prend > lue.largeur - MARGE:
            x, y = float(MARGE), y + INTERLIGNE + 4
        entrees.append(EntreeDeLegende(serie, texte, x, y))
        x += prend + 14
    return tuple(entrees), y + 16


# --- Barres verticales et courbes -------------------------------------------------------------------


def _verticale(lue, etendues, axe_v, graduations, legende, haut) -> Composition:
    de, a, pas = axe_v
    gauche = MARGE
    if lue.valeurs.visible:
        gauche += round(max(ecriture.largeur(g.texte) for g in graduations)) + 6
        haut += INTERLIGNE + 2 if lue.valeurs.titre else 0
    droite = lue.largeur - MARGE - 6
    haut += 8
    domaine, pas_px = _domaine(lue, droite - gauche)
    positions = echelles.Echelle(*domaine, *_sens(lue, gauche, droite))
    etiquettes = _etiquettes_verticales(lue, positions, pas_px) if lue.positions.visible else ()
    dessous = max((len(e.lignes) for e in etiquettes), default=0) * INTERLIGNE + 8
    dessous += INTERLIGNE + 2 if lue.positions.titre and lue.positions.visible else 0
    hauteur = max(lue.hauteur or 0, haut + dessous + (80 if lue.hauteur else HAUTEUR_DU_TRACE))
    bas = hauteur - dessous
    # De la place au-delà de la dernière graduation pour la valeur écrite au bout d'une barre.
    sous = 18 if any(fin < 0 for _, fin in etendues.values()) else 0
    valeurs = echelles.Echelle(de, a, bas - sous, haut + 18)
    return Composition(
        lue=lue, etendues=etendues, largeur=lue.largeur, hauteur=hauteur, gauche=gauche, droite=droite,
        haut=haut, bas=bas, positions=positions, valeurs=valeurs, pas_px=pas_px, bande=_bande(lue, pas_px),
        graduations=graduations, pas=pas, etiquettes=etiquettes, legende=legende,
    )  # fmt: skip


def _sens(lue: FigureLue, debut: float, fin: float) -> tuple[float, float]:
    return (fin, debut) if lue.positions.inverse else (debut, fin)


def _domaine(lue: FigureLue, place: float) -> tuple[tuple[Decimal, Decimal], float]:
    """((début, fin) de l'axe des positions, place d'une position sur le dessin)."""
    lieux = sorted({p.position for s in lue.series for p in s.points})
    if lue.positions.genre == "categorie":
        lieux = [float(i) for i in range(len(lue.categories))]
    if lue.barres or lue.positions.genre == "categorie" or len(lieux) == 1:
        ecart = min((b - a for a, b in pairwise(lieux)), default=1.0)
        # Une position seule garde une place de chaque côté ; deux, une demie.
        marge = {1: 1.5, 2: 0.75}.get(len(lieux), 0.5) * ecart
        domaine = (Decimal(lieux[0] - marge), Decimal(lieux[-1] + marge))
        return domaine, place * float(Decimal(ecart) / (domaine[1] - domaine[0]))
    # Une courbe va presque d'un bord à l'autre : juste de quoi ne pas couper ses marqueurs.
    marge = (lieux[-1] - lieux[0]) * 18 / (place - 36)
    domaine = (Decimal(lieux[0] - marge), Decimal(lieux[-1] + marge))
    return domaine, place / len(lieux)


def _bande(lue: FigureLue, pas_px: float) -> float:
    colonnes = 1 if lue.empilee else max(1, len(lue.barres))
    return min(pas_px * (1 - lue.ecart), BARRE_MAX * colonnes)


def _etiquettes_verticales(lue: FigureLue, positions: echelles.Echelle, pas_px: float) -> tuple[Etiquette, ...]:
    """Ce qui s'écrit sous l'axe : chaque catégorie, ou des graduations qui ne se touchent pas."""
    if lue.positions.genre == "categorie":
        textes = [ecriture.couper(c, pas_px - 6, 3) for c in lue.categories]
        return tuple(Etiquette(Decimal(i), tuple(t)) for i, t in enumerate(textes))
    lieux = {p.position: p.libelle for s in lue.series for p in s.points}
    du_point = lue.barres or len(lieux) <= 2
    if du_point and not lue.barres and not _tiennent(list(lieux.values()), positions, list(lieux)):
        du_point = False
    if du_point:
        retenues = [echelles.Graduation(Decimal(p), lieux[p]) for p in sorted(lieux)]
    else:
        mini, maxi = min(lieux), max(lieux)
        nombre = 6 if lue.largeur >= 400 else 4
        if lue.positions.genre == "date":
            retenues = echelles.graduations_de_dates(mini, maxi, nombre)
        else:
            annees = lue.positions.genre == "annee"
            retenues = echelles.graduations_de_nombres(
                Decimal(repr(mini)), Decimal(repr(maxi)), 10 if annees else nombre, annees
            )
    return tuple(Etiquette(g.position, (g.texte,)) for g in _eclaircir(retenues, positions))


def _tiennent(textes: list[str], positions: echelles.Echelle, lieux: list[float]) -> bool:
    px = sorted(positions.px(p) for p in lieux)
    return all(b - a > max(map(ecriture.largeur, textes)) + 8 for a, b in pairwise(px))


def _eclaircir(graduations: list, positions: echelles.Echelle) -> list:
    """Une graduation sur deux, trois… : assez peu pour qu'aucune n'en recouvre une autre."""
    for un_sur in range(1, len(graduations) + 1):
        gardees = graduations[::un_sur]
        textes = [g.texte for g in gardees]
        if _tiennent(textes, positions, [float(g.position) for g in gardees]):
            return gardees
    return graduations[:1]


# --- Barres horizontales ----------------------------------------------------------------------------


def _horizontale(lue, etendues, axe_v, graduations, legende, haut) -> Composition:
    de, a, pas = axe_v
    etiquettes: tuple[Etiquette, ...] = ()
    gauche = MARGE
    genres_de_texte = {p.position: p.libelle for s in lue.series for p in s.points}
    if lue.positions.visible and any(genres_de_texte.values()):
        place = min(lue.largeur * 0.38, max(map(ecriture.largeur, genres_de_texte.values())) + 2)
        etiquettes = tuple(
            Etiquette(Decimal(p), tuple(ecriture.couper(t, place, 2))) for p, t in sorted(genres_de_texte.items())
        )
        gauche += round(place) + 6
        haut += INTERLIGNE + 2 if lue.positions.titre else 0
    droite = lue.largeur - MARGE
    dessous = INTERLIGNE + 8 if lue.valeurs.visible else MARGE
    dessous += INTERLIGNE + 2 if lue.valeurs.titre and lue.valeurs.visible else 0
    colonnes = 1 if lue.empilee else len(lue.barres)
    lieux = sorted(genres_de_texte)
    ecart = min((b - a for a, b in pairwise(lieux)), default=1.0)
    nombre = round((lieux[-1] - lieux[0]) / ecart) + 1
    rangee = (34 if lue.empilee or colonnes == 1 else 20 * colonnes) / (1 - lue.ecart)
    if nombre == 1:
        rangee = max(44.0, 22.0 * colonnes) if lue.empilee else 26.0 * colonnes + 8
    haut += 4
    hauteur = max(lue.hauteur or 0, haut + dessous + rangee * nombre)
    bas = hauteur - dessous
    domaine = (Decimal(lieux[0] - ecart / 2), Decimal(lieux[-1] + ecart / 2))
    positions = echelles.Echelle(*domaine, *_sens(lue, bas, haut))
    negatif = any(fin < 0 for _, fin in etendues.values())
    px_de, px_a = _place_des_bouts(lue, (de, a), gauche, droite, graduations)
    if nombre == 1 and lue.empilee and not lue.valeurs.visible and not negatif:
        # Une seule barre empilée sans axe est une barre de progression : son tout est son total.
        a = max([fin for _, fin in etendues.values()] + list(lue.valeurs.bornes or ())) or a
    pas_px = (bas - haut) / nombre
    bande = pas_px - 8 if nombre == 1 else min(pas_px * (1 - lue.ecart), BARRE_MAX * colonnes)
    return Composition(
        lue=lue, etendues=etendues, largeur=lue.largeur, hauteur=hauteur, gauche=gauche, droite=droite,
        haut=haut, bas=bas, positions=positions, valeurs=echelles.Echelle(de, a, px_de, px_a),
        pas_px=pas_px, bande=min(bande, BARRE_MAX * colonnes), graduations=graduations, pas=pas,
        etiquettes=etiquettes, legende=legende,
    )  # fmt: skip


def _place_des_bouts(lue, axe, gauche, droite, graduations) -> tuple[float, float]:
    """Les bords de l'échelle qui laissent à chaque barre la place d'écrire sa valeur à son bout."""
    de, a = axe
    # Dernière graduation écrite au ras du bord : la moitié de son texte doit y tenir.
    px_de = float(gauche)
    px_a = droite - (ecriture.largeur(graduations[-1].texte) / 2 if lue.valeurs.visible else 0)
    if lue.empilee:
        return px_de, px_a
    ecrites = [
        (p.valeur, ecriture.largeur(ecriture.valeur(p.valeur, s.unite, s.decimales)) + 8)
        for s in lue.barres
        for p in s.points
        if p.valeur is not None
    ]
    px_de += max((large for v, large in ecrites if v < 0), default=0)
    for v, large in ecrites:
        part = float((v - de) / (a - de))
        if v > 0 and part > 0:
            px_a = min(px_a, px_de + max(40.0, (droite - large - px_de) / part))
    return px_de, px_a
