"""Ce qui s'écrit dans un graphique : nombres, dates, et la place que prend un texte.

Le serveur n'a pas de police sous la main : les largeurs sont estimées, un peu larges, pour qu'un texte ne
déborde pas quelle que soit la police du lecteur.
"""

import datetime
from decimal import Decimal

from socle import formats

CORPS = 13  # taille du texte, en unités du dessin
INTERLIGNE = 16

_ETROITS = set("iIjlf.,;:!'’|()[]  " + formats.INSECABLE)
_LARGES = set("mwMWŒœ@%—…")
_JOUR = 86_400
_MOIS_COURTS = (
    "janv.",
    "févr.",
    "mars",
    "avr.",
    "mai",
    "juin",
    "juil.",
    "août",
    "sept.",
    "oct.",
    "nov.",
    "déc.",
)


def nombre(valeur: Decimal, decimales: int | None = None) -> str:
    """Le nombre sans son unité ; `decimales` None garde celles de la valeur."""
    return formats.formater_nombre(valeur, decimales)


def valeur(v: Decimal, unite: str, decimales: int | None = None) -> str:
    """La valeur telle qu'on la pose sur une barre : l'unité n'y est que si elle tient en un signe."""
    return formats.formater_valeur(v, unite if unite_courte(unite) else "", decimales)


def unite_courte(unite: str) -> bool:
    """« % » ou « € » suit chaque nombre ; « marchés » se dit une fois, en tête d'axe ou de colonne."""
    return len(unite) == 1


def jour_en_date(jours: float) -> datetime.datetime:
    """L'instant (sans fuseau) d'une position sur un axe de dates, comptée en jours depuis l'an 1."""
    entier, reste = divmod(round(jours * _JOUR), _JOUR)
    return datetime.datetime.fromordinal(entier) + datetime.timedelta(seconds=reste)


def date_en_jour(instant: datetime.datetime) -> float:
    """L'inverse de `jour_en_date`, à la seconde."""
    return instant.toordinal() + (instant.hour * 3600 + instant.minute * 60 + instant.second) / _JOUR


def date(instant: datetime.datetime) -> str:
    """« 31/12/2023 », suivi de l'heure quand ce n'est pas minuit."""
    texte = formats.formater_date(instant.date())
    return f"{texte} {instant.hour:02}:{instant.minute:02}" if instant.time() != datetime.time() else texte


def mois(instant: datetime.datetime) -> str:
    """« janv. 2024 »."""
    return f"{_MOIS_COURTS[instant.month - 1]}{formats.INSECABLE}{instant.year}"


def largeur(texte: str, corps: float = CORPS) -> float:
    """La largeur estimée d'un texte, dans l'unité de `corps`."""
    return corps * sum(0.34 if c in _ETROITS else 0.92 if c in _LARGES else 0.6 for c in texte)


def abreger(texte: str, place: float, corps: float = CORPS) -> str:
    """Le texte, coupé de « … » s'il dépasse `place` ; le tableau garde l'intitulé entier."""
    if largeur(texte, corps) <= place:
        return texte
    while texte and largeur(texte + "…", corps) > place:
        texte = texte[:-1]
    return texte.rstrip() + "…"


def couper(texte: str, place: float, lignes_max: int) -> list[str]:
    """Le texte réparti entre ses mots sur `lignes_max` lignes au plus, la dernière abrégée au besoin."""
    lignes = [""]
    for mot in texte.split(" "):
        suite = f"{lignes[-1]} {mot}".strip()
        if not lignes[-1] or largeur(suite) <= place or len(lignes) == lignes_max:
            lignes[-1] = suite
        else:
            lignes.append(mot)
    return [abreger(ligne, place) for ligne in lignes]
