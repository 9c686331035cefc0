"""Couleurs « #rrggbb » : leur contraste, et les nuances qu'on tire d'une seule."""

BLANC = "#ffffff"
# WCAG 1.4.3 : un texte ordinaire se détache de son fond d'au moins 4,5:1.
CONTRASTE_D_UN_TEXTE = 4.5


def _canaux(couleur: str) -> list[int]:
    return [int(couleur[i : i + 2], 16) for i in (1, 3, 5)]


def _luminance(couleur: str) -> float:
    parts = (canal / 255 for canal in _canaux(couleur))
    r, v, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * v + 0.0722 * b


def contraste(une: str, autre: str) -> float:
    """Le rapport de contraste des WCAG entre deux couleurs « #rrggbb », de 1 à 21."""
    clair, fonce = sorted((_luminance(une), _luminance(autre)), reverse=True)
    return (clair + 0.05) / (fonce + 0.05)


def melanger(une: str, autre: str, part: float) -> str:
    """`une`, dont `part` (de 0 à 1) est remplacée par `autre` ; en minuscules."""
    melange = (round(a + (b - a) * part) for a, b in zip(_canaux(une), _canaux(autre), strict=True))
    return "#" + "".join(f"{canal:02x}" for canal in melange)
