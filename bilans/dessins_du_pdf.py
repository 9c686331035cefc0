"""Les dessins du serveur (`socle.graphiques`), récrits pour WeasyPrint, qui en sait moins qu'un navigateur.

Trois différences : les feuilles de style n'entrent pas dans un dessin ; `paint-order` est ignoré, et le trait qui
cerne une valeur la recouvre ; entre deux carreaux d'une trame, un filet blanc paraît.
"""

import re
from html import unescape

from socle.graphiques.ecriture import CORPS, largeur
from socle.graphiques.svg import balise

POLICES = "Texte du bilan, Signes du bilan"

_DESSIN = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_TRAME = re.compile(r'<rect\b[^>]* fill="url\(#[^)"]*-motif-\d+-(?P<couleur>[0-9a-f]{6})\)"[^>]*/>')
_REMPLISSAGE = re.compile(r' fill="url\([^"]*"')
_CERNEE = re.compile(
    r'<text(?P<avant>[^>]*) stroke="(?P<fond>#[0-9a-f]{6})"[^>]* paint-order="stroke"[^>]*>(?P<texte>[^<]*)</text>'
)
_ATTRIBUT = re.compile(r'([\w-]+)="([^"]*)"')


def pour_le_papier(html: str) -> str:
    """Le même document, ses dessins récrits ; le reste n'est pas touché."""
    return _DESSIN.sub(lambda dessin: _recrire(dessin[0]), html)


def _recrire(svg: str) -> str:
    svg = svg.replace("<svg", f'<svg font-family="{POLICES}"', 1)
    svg = _TRAME.sub(lambda forme: _unie(forme[0], forme["couleur"]) + forme[0], svg)
    return _CERNEE.sub(_sur_un_fond, svg)


def _unie(forme: str, couleur: str) -> str:
    """La même forme, unie : vue entre les carreaux de la trame posée dessus."""
    return _REMPLISSAGE.sub(f' fill="#{couleur}"', forme)


def _sur_un_fond(cernee: re.Match[str]) -> str:
    """La valeur, posée sur un rectangle de la couleur qui la cernait."""
    attributs = dict(_ATTRIBUT.findall(cernee["avant"]))
    large = largeur(unescape(cernee["texte"])) + 2
    decalage = {"start": 1.0, "middle": large / 2, "end": large - 1}[attributs.get("text-anchor", "start")]
    fond = balise(
        "rect",
        x=float(attributs["x"]) - decalage,
        y=float(attributs["y"]) - CORPS,
        width=large,
        height=CORPS * 1.3,
        rx=2,
        fill=cernee["fond"],
    )
    return f"{fond}<text{cernee['avant']}>{cernee['texte']}</text>"
