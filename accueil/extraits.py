"""Montrer où se trouve ce qu'on cherche : le texte tel qu'il est écrit, les mots trouvés en <mark>."""

import re
import unicodedata
from collections.abc import Iterator

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from socle.formats import typographie
from socle.recherche import replier

# En signes : de quoi lire la phrase autour du mot trouvé.
AVANT, LONGUEUR = 60, 220

_MOT = re.compile(r"[^\W_]+")


def _trouves(texte: str, mots: list[str]) -> Iterator[tuple[int, int]]:
    """Où sont, dans le texte, les mots que la recherche a trouvés : le replié de l'un commence par un mot demandé."""
    for mot in _MOT.finditer(texte):
        # Un mot peut se replier en plusieurs : « ½ » s'y écrit « 1 2 ».
        if any(replie.startswith(demande) for replie in replier(mot[0]).split() for demande in mots):
            yield mot.span()


def _compose(texte: str) -> str:
    """Une lettre et son accent en un signe : séparés, l'accent couperait le mot."""
    return typographie(unicodedata.normalize("NFC", texte))


def surligner(texte: str, mots: list[str]) -> SafeString:
    """Le texte entier, échappé, les mots trouvés en <mark>. `mots` : repliés."""
    texte = _compose(texte)
    return _marquer(texte, list(_trouves(texte, mots)), 0, len(texte))


def extrait(texte: str, mots: list[str]) -> SafeString | None:
    """Ce qui entoure le premier mot trouvé, coupé entre deux mots ; None si le texte n'en a aucun."""
    texte = " ".join(_compose(texte).split())
    trouves = list(_trouves(texte, mots))
    if not trouves:
        return None
    debut = max(0, trouves[0][0] - AVANT)
    debut = texte.find(" ", debut, trouves[0][0]) + 1 or trouves[0][0] if debut else 0
    fin = min(len(texte), max(debut + LONGUEUR, trouves[0][1]))
    fin = max(texte.rfind(" ", debut, fin), trouves[0][1]) if fin < len(texte) else fin
    return format_html(
        "{}{}{}", "… " if debut else "", _marquer(texte, trouves, debut, fin), " …" if fin < len(texte) else ""
    )


def _marquer(texte: str, trouves: list[tuple[int, int]], debut: int, fin: int) -> SafeString:
    morceaux, ici = [], debut
    for de, a in trouves:
        if debut <= de and a <= fin:
            morceaux += [conditional_escape(texte[ici:de]), format_html("<mark>{}</mark>", texte[de:a])]
            ici = a
    morceaux.append(conditional_escape(texte[ici:fin]))
    return mark_safe("".join(morceaux))  # noqa: S308 - chaque morceau vient d'être échappé
