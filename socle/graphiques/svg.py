"""Écrire du SVG sans style : des attributs de présentation et des classes, tout texte échappé."""

from django.utils.html import escape

from . import aspect
from .ecriture import CORPS


def chiffre(v: float) -> str:
    """Une coordonnée au centième, sans zéros de fin ni « -0 »."""
    texte = f"{v:.2f}".rstrip("0").rstrip(".")
    return "0" if texte == "-0" else texte


def balise(nom: str, contenu: str | None = None, /, **attributs: object) -> str:
    """Un élément. `contenu` est déjà du SVG ; les attributs sont échappés, None les omet.

    `stroke_width` s'écrit stroke-width et `class_` class.
    """
    ecrits = "".join(
        f' {cle.rstrip("_").replace("_", "-")}="{chiffre(v) if isinstance(v, float) else escape(v)}"'
        for cle, v in attributs.items()
        if v is not None
    )
    return f"<{nom}{ecrits}/>" if contenu is None else f"<{nom}{ecrits}>{contenu}</{nom}>"


def texte(x: float, y: float, contenu: str, ancre: str = "start", /, **attributs: object) -> str:
    """Un texte dont `y` est le milieu."""
    attributs = {"fill": aspect.ENCRE_DOUCE} | attributs
    return balise(
        "text",
        escape(contenu),
        x=float(x),
        y=float(y + CORPS * 0.35),
        text_anchor=None if ancre == "start" else ancre,
        **attributs,
    )


def motif(identifiant: str, forme: str, couleur: str) -> str:
    """La trame d'une série : sa couleur, barrée de blanc, pour qui ne distingue pas les couleurs."""
    trait = {"stroke": "#ffffff", "stroke_opacity": 0.4, "stroke_width": 1.6, "fill": "none"}
    chemins = {
        "/": "M-2 2L2 -2M0 8L8 0M6 10L10 6",
        "\\": "M-2 6L2 10M0 0L8 8M6 -2L10 2",
        "x": "M0 0L8 8M8 0L0 8",
        "-": "M0 4H8",
        "|": "M4 0V8",
        "+": "M0 4H8M4 0V8",
    }
    fond = balise("rect", width=8, height=8, fill=couleur)
    if forme == ".":
        dessus = balise("circle", cx=4, cy=4, r=1.5, fill="#ffffff", fill_opacity=0.55)
    else:
        dessus = balise("path", d=chemins[forme], **trait)
    return balise("pattern", fond + dessus, id=identifiant, width=8, height=8, patternUnits="userSpaceOnUse")


def marqueur(x: float, y: float, symbole: str, taille: float, couleur: str, /, **attributs: object) -> str:
    """Le symbole d'un point, centré sur (x, y) et bordé de blanc pour se détacher de sa ligne."""
    r = taille / 2
    commun = {"fill": couleur, "stroke": "#ffffff", "stroke_width": 1.2} | attributs
    if symbole == "circle":
        return balise("circle", cx=float(x), cy=float(y), r=float(r + 0.5), **commun)
    contours = {
        "square": [(-r, -r), (r, -r), (r, r), (-r, r)],
        "diamond": [(0, -r * 1.3), (r * 1.3, 0), (0, r * 1.3), (-r * 1.3, 0)],
        "triangle-up": [(0, -r * 1.2), (r * 1.2, r * 0.9), (-r * 1.2, r * 0.9)],
    }
    points = " ".join(f"{chiffre(x + dx)},{chiffre(y + dy)}" for dx, dy in contours[symbole])
    return balise("polygon", points=points, **commun)
