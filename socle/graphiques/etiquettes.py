"""Les valeurs écrites sur le dessin : là où elles tiennent, et nulle part ailleurs."""

from dataclasses import dataclass

from .composition import Composition
from .ecriture import CORPS, largeur, valeur
from .modele import Serie

POINTS_ETIQUETES = 12


@dataclass(frozen=True)
class ValeurEcrite:
    """Un texte posé : (x, y) est le milieu de sa hauteur, `ancre` dit ce que x en est.

    `place` est le nom que plotly donne à cette position autour d'un point ; '' sur une barre.
    """

    serie: Serie
    rang: int
    contenu: str
    x: float
    y: float
    ancre: str = "middle"
    place: str = ""
    dedans: bool = False


class Placeur:
    """Retient où l'on a écrit : une étiquette qui en toucherait une autre n'est pas posée."""

    def __init__(self, gauche: float, haut: float, droite: float, bas: float) -> None:
        self._cadre = (gauche, haut, droite, bas)
        self._prises: list[tuple[float, float, float, float]] = []

    def reserver(self, x: float, y: float, demi: float) -> None:
        """Interdit d'écrire sur un carré centré en (x, y)."""
        self._prises.append((x - demi, y - demi, x + demi, y + demi))

    def poser(self, x: float, y: float, contenu: str, ancre: str = "middle") -> bool:
        """Vrai, et la place est prise, si le texte tient dans le cadre sans toucher les précédents."""
        large = largeur(contenu)
        debut = x - {"start": 0, "middle": large / 2, "end": large}[ancre]
        boite = (debut, y - CORPS / 2, debut + large, y + CORPS / 2)
        gauche, haut, droite, bas = self._cadre
        if boite[0] < gauche or boite[1] < haut or boite[2] > droite or boite[3] > bas:
            return False
        if any(boite[0] < p[2] and p[0] < boite[2] and boite[1] < p[3] and p[1] < boite[3] for p in self._prises):
            return False
        self._prises.append(boite)
        return True


def ecrire_les_valeurs(c: Composition) -> tuple[ValeurEcrite, ...]:
    """Toutes les valeurs qui tiennent, les barres servies d'abord ; le tableau porte les autres."""
    placeur = Placeur(0 if c.lue.horizontale else c.gauche, 0, c.largeur, c.bas)
    for repere in c.lue.reperes:
        x, y, ancre = c.place_du_repere(repere)
        placeur.poser(x, y, repere.texte, ancre)
    # Les points d'abord : plus petits que les textes, ils disparaîtraient dessous.
    for serie in c.lue.courbes:
        for x, _, y in c.lieux(serie).values():
            placeur.reserver(x, y, serie.taille / 2)
    ecrites = []
    for serie in c.lue.barres:
        ecrire = _dans_la_barre if c.lue.empilee else _au_bout_ou_dedans
        ecrites += [ecrire(c, placeur, serie, i) for i in _dessines(c, serie)]
    # Au-dessus d'une barre, la valeur d'un point se confondrait avec celle de la barre.
    pris = {serie.points[i].position for serie in c.lue.barres for i in _dessines(c, serie)}
    for serie in c.lue.courbes:
        if not (serie.avec_ligne and c.lue.barres):
            ecrites += _autour_des_points(c, placeur, serie, pris)
    return tuple(e for e in ecrites if e is not None)


def _dessines(c: Composition, serie: Serie) -> list[int]:
    return [i for i in range(len(serie.points)) if (serie.rang, i) in c.etendues]


def _contenu(serie: Serie, i: int) -> str:
    v = serie.points[i].valeur
    assert v is not None  # noqa: S101 - seuls les points qui ont une étendue arrivent ici
    return valeur(v, serie.unite, serie.decimales)


def _au_bout_ou_dedans(c: Composition, placeur: Placeur, serie: Serie, i: int) -> ValeurEcrite | None:
    """Au bout de la barre ; dedans si un point d'une autre série s'y trouve déjà."""
    ecrite = _au_bout(c, placeur, serie, i)
    return ecrite or (_dans_la_barre(c, placeur, serie, i) if c.lue.courbes else None)


def _au_bout(c: Composition, placeur: Placeur, serie: Serie, i: int) -> ValeurEcrite | None:
    """La valeur au bout de la barre, si elle tient dans la largeur qui lui revient."""
    bord, epaisseur, _, bout = c.barre(serie, i)
    contenu, milieu = _contenu(serie, i), bord + epaisseur / 2
    negative = c.etendues[serie.rang, i][1] < 0
    if c.lue.horizontale:
        x, ancre = (bout - 5, "end") if negative else (bout + 5, "start")
        pose = epaisseur >= CORPS - 1 and placeur.poser(x, milieu, contenu, ancre)
        return ValeurEcrite(serie, i, contenu, x, milieu, ancre) if pose else None
    y = bout + 10 if negative else bout - 9
    due = c.pas_px if len(c.lue.barres) == 1 else epaisseur + 4
    pose = largeur(contenu) <= due and placeur.poser(milieu, y, contenu)
    return ValeurEcrite(serie, i, contenu, milieu, y) if pose else None


def _dans_la_barre(c: Composition, placeur: Placeur, serie: Serie, i: int) -> ValeurEcrite | None:
    """La valeur au milieu de son segment."""
    bord, epaisseur, depart, bout = c.barre(serie, i)
    contenu, milieu = _contenu(serie, i), (depart + bout) / 2
    en_x, en_y = (abs(bout - depart), epaisseur) if c.lue.horizontale else (epaisseur, abs(bout - depart))
    x, y = (milieu, bord + epaisseur / 2) if c.lue.horizontale else (bord + epaisseur / 2, milieu)
    if largeur(contenu) + 6 > en_x or en_y < CORPS + 2 or not placeur.poser(x, y, contenu):
        return None
    return ValeurEcrite(serie, i, contenu, x, y, dedans=True)


def _autour_des_points(c: Composition, placeur: Placeur, serie: Serie, pris: set[float]) -> list[ValeurEcrite]:
    """Les valeurs d'une courbe courte, hors des positions `pris` : d'abord là où sa ligne ne passe pas."""
    lieux = c.lieux(serie)
    if len(lieux) > POINTS_ETIQUETES or serie.pile:
        return []
    ecrites = []
    for i, (x, _, y) in lieux.items():
        if serie.points[i].position in pris:
            continue
        contenu = _contenu(serie, i)
        essais = [
            (x, y - 14, "middle", "top center"),
            (x + 3, y - 14, "end", "top left"),
            (x - 3, y - 14, "start", "top right"),
            (x, y + 15, "middle", "bottom center"),
            (x + 9, y, "start", "middle right"),
        ]
        essais.sort(key=lambda essai: _croise(essai, largeur(contenu), lieux, i) if serie.avec_ligne else 0)
        for essai_x, essai_y, ancre, place in essais:
            if placeur.poser(essai_x, essai_y, contenu, ancre):
                ecrites.append(ValeurEcrite(serie, i, contenu, essai_x, essai_y, ancre, place))
                break
    return ecrites


def _croise(essai: tuple, large: float, lieux: dict, i: int) -> bool:
    """Vrai si la ligne qui arrive au point ou en part traverserait le texte."""
    x, y, ancre, _ = essai
    debut = x - {"start": 0, "middle": large / 2, "end": large}[ancre]
    for voisin in (i - 1, i + 1):
        if voisin not in lieux:
            continue
        (xa, _, ya), (xb, _, yb) = lieux[i], lieux[voisin]
        for pas in range(21):
            px, py = xa + (xb - xa) * pas / 20, ya + (yb - ya) * pas / 20
            if debut < px < debut + large and abs(py - y) < CORPS / 2:
                return True
    return False
