"""Le PDF d'un bilan : un contenu lu entre, des octets sortent ; les mêmes pour le même contenu, sur toute machine.

Balisé PDF/UA-1 et PDF/A-2a (`bilans.pdf_accessible`). Les polices sont celles du projet ; rien ne vient d'ailleurs,
ni du réseau ni du disque. WeasyPrint se charge à l'usage : sans ses bibliothèques, le site marche, moins les PDF.
"""

import gc
import logging
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.template.loader import render_to_string

from bilans.dessins_du_pdf import pour_le_papier
from bilans.pdf_accessible import achever
from bilans.rendu.page import preparer

if TYPE_CHECKING:
    from bilans.contenu.schema import BilanLu

VARIANTE = "pdf/a-2a"
# Une adresse qui ne mène nulle part (RFC 2606) : seuls les fichiers nommés ici y répondent, lus dans le projet.
RACINE = "https://projet.invalid/"
FEUILLE = "css/pdf.css"
POLICES = (
    "vendor/polices/SourceSans3-Regular.ttf",
    "vendor/polices/SourceSans3-Bold.ttf",
    "vendor/polices/DejaVuSans.ttf",
)
SERVIS = (FEUILLE, *POLICES, "img/filigrane.svg")

BIBLIOTHEQUES_ABSENTES = (
    "Le PDF ne peut pas être fait sur cette machine : installez les paquets Debian libpango-1.0-0, "
    "libpangoft2-1.0-0 et libharfbuzz-subset0, puis redemandez-le."
)
MISE_EN_PAGE_IMPOSSIBLE = "Le PDF n'a pas pu être mis en page. Prévenez l'administrateur du site."

_journal = logging.getLogger(__name__)

Suivi = Callable[[int, str], None]


class ImpressionImpossible(Exception):
    """Pas de PDF ; le message, en une phrase, dit quoi faire."""


def imprimer(lu: "BilanLu", *, empreinte: str = "", suivre: Suivi | None = None) -> bytes:
    """Le PDF de ce contenu. `empreinte` : celle du contenu arrêté, imprimée à la fin.

    `suivre(part, phrase)` est appelé à chaque étape, `part` de 0 à 100. Lève ImpressionImpossible.
    """
    moteur = _moteur()
    # Un brouillon n'a pas d'autre date que celle du jour qu'il décrit.
    instant = lu.arrete_le or datetime.combine(lu.au, time(), UTC)
    contexte = {
        "page": preparer(lu),
        "lu": lu,
        "empreinte": empreinte,
        "titre_courant": f"{lu.plan.intitule} · Bilan {lu.annee}",
        "date": instant.replace(microsecond=0).isoformat(),
    }
    return _mettre_en_pdf(moteur, pour_le_papier(render_to_string("bilans/pdf.html", contexte)), suivre)


def verifier_le_moteur() -> None:
    """Lève ImpressionImpossible si la machine n'a pas de quoi faire un PDF."""
    _moteur()


def _moteur() -> Any:
    try:
        import weasyprint
    except (ImportError, OSError) as absence:
        raise ImpressionImpossible(BIBLIOTHEQUES_ABSENTES) from absence
    return weasyprint


def _mettre_en_pdf(moteur: Any, html: str, suivre: Suivi | None) -> bytes:
    fichiers = _fichiers_du_projet(moteur)
    polices = moteur.text.fonts.FontConfiguration()
    with _progression(suivre), _ramassages_espaces():
        try:
            feuille = moteur.CSS(url=RACINE + FEUILLE, url_fetcher=fichiers, font_config=polices)
            document = moteur.HTML(string=lisible(html), url_fetcher=fichiers)
            return document.write_pdf(
                stylesheets=[feuille], font_config=polices, pdf_variant=VARIANTE, finisher=achever
            )
        except Exception as panne:
            _journal.exception("Mise en pages d'un bilan")
            raise ImpressionImpossible(MISE_EN_PAGE_IMPOSSIBLE) from panne


# Ceux du processus, pour les lui rendre : deux dessins à la fois ne se les prennent pas l'un à l'autre.
_SEUILS = gc.get_threshold()
_SEUILS_DU_DESSIN = (50_000, 20, 100)


@contextmanager
def _ramassages_espaces() -> Iterator[None]:
    """Une mise en pages garde ses objets jusqu'au bout : les parcourir sans cesse pour n'en libérer aucun prendrait un
    cinquième de son temps (300 actions)."""
    gc.set_threshold(*_SEUILS_DU_DESSIN)
    try:
        yield
    finally:
        gc.set_threshold(*_SEUILS)


# --- Rien d'extérieur ---------------------------------------------------------------------------


class AdresseRefusee(ValueError):
    """Une adresse qui n'est pas celle d'un fichier du projet : le PDF s'en passe."""


def fichier_servi(adresse: str) -> Path:
    """Le fichier du projet que désigne cette adresse. Lève AdresseRefusee pour toute autre : http, file, data…"""
    nom = adresse.removeprefix(RACINE)
    if nom == adresse or nom not in SERVIS:
        raise AdresseRefusee(f"Adresse refusée : {adresse[:200]}")
    return Path(settings.BASE_DIR) / "static" / nom


def _fichiers_du_projet(moteur: Any) -> Any:
    """De quoi WeasyPrint lit ce que le document et ses feuilles nomment."""

    class FichiersDuProjet(moteur.urls.URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> Any:
            chemin = fichier_servi(url)
            types = {".css": "text/css", ".svg": "image/svg+xml", ".ttf": "font/ttf"}
            entetes = {"Content-Type": types[chemin.suffix]}
            return moteur.urls.URLFetcherResponse(url, chemin.read_bytes(), entetes)

    return FichiersDuProjet()


# --- Tout caractère a son dessin ----------------------------------------------------------------


@cache
def _dessines() -> frozenset[int]:
    """Les caractères que les polices du projet dessinent, par leur numéro."""
    from fontTools.ttLib import TTFont

    connus: set[int] = set()
    for police in POLICES:
        with TTFont(fichier_servi(RACINE + police), lazy=True) as fonte:
            connus.update(fonte.getBestCmap())
    return frozenset(connus)


def lisible(texte: str) -> str:
    """Le texte, où un caractère qu'aucune police du projet ne dessine devient « � ».

    Une police de la machine changerait les octets d'une machine à l'autre ; un dessin absent, PDF/A l'interdit. Les
    signes sans dessin (liant, sélecteur de variante) s'ôtent.
    """
    connus = _dessines()
    rares = {c for c in set(texte) if ord(c) > 0x7E and ord(c) not in connus}
    if not rares:
        return texte
    return texte.translate({ord(c): None if _sans_dessin(c) else "\N{REPLACEMENT CHARACTER}" for c in rares})


def _sans_dessin(caractere: str) -> bool:
    return unicodedata.category(caractere) in ("Cf", "Cc", "Mn", "Me")


# --- Où en est le dessin ------------------------------------------------------------------------

# La part faite quand WeasyPrint annonce chaque étape (mesurée sur 300 actions), et ce qu'on en dit.
_ETAPES = {
    1: (2, "Lecture du bilan"),
    2: (4, "Lecture des styles"),
    3: (8, "Application des styles"),
    4: (20, "Préparation des pages"),
    5: (30, "Mise en page"),
    6: (80, "Dessin des pages"),
    7: (92, "Écriture du document"),
}
_FIN_DE_MISE_EN_PAGE = 78


class _Suiveur(logging.Handler):
    """Traduit le journal d'étapes de WeasyPrint, pour le seul fil d'exécution qui dessine."""

    def __init__(self, suivre: Suivi) -> None:
        super().__init__(logging.INFO)
        self._suivre = suivre
        self._fil = threading.get_ident()
        self._part = 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._fil or not str(record.msg).startswith("Step "):
            return
        etape = int(str(record.msg).split()[1])
        part, phrase = _ETAPES[etape]
        if etape == 5 and record.args:
            # Le nombre de pages n'est pas connu d'avance : chacune rapproche de la fin sans l'atteindre.
            page = int(str(record.args[-1])) if isinstance(record.args, tuple) else 1
            part += round((_FIN_DE_MISE_EN_PAGE - part) * page / (page + 8))
            phrase = f"{phrase}, page {page}"
        self._part = max(self._part, part)
        self._suivre(self._part, phrase)


@contextmanager
def _progression(suivre: Suivi | None) -> Iterator[None]:
    if suivre is None:
        yield
        return
    etapes, suiveur = logging.getLogger("weasyprint.progress"), _Suiveur(suivre)
    etapes.setLevel(logging.INFO)
    etapes.propagate = False
    etapes.addHandler(suiveur)
    try:
        yield
    finally:
        etapes.removeHandler(suiveur)
