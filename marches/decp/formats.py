"""Reconnaître un fichier DECP à son contenu, jamais à son nom, et l'ouvrir."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from marches.decp.contrats import Avancement, Brut, FichierIllisible, Format, Lecture
from marches.decp.lecture_csv import colonnes_de, enregistrements_csv
from marches.decp.lecture_json import LecteurJson
from marches.decp.lecture_xml import enregistrements_xml, verifier_la_racine
from marches.decp.octets import octets_surveilles, ouvrir_les_octets, texte_surveille

_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


def reconnaitre(chemin: Path) -> Format:
    """Le format que montre le contenu ; lève `FichierIllisible` si ce n'en est aucun."""
    with ouvrir(chemin) as lecture:
        return lecture.format


def ouvrir(chemin: Path, sirens: Collection[str] = ()) -> Lecture:
    """Le fichier, prêt à être lu une fois au fil de l'eau.

    `sirens` : ne donner que les enregistrements de ces acheteurs (neuf chiffres), et ceux dont l'acheteur ne se lit
    pas ; des autres, `avancement.autres_acheteurs` tient le compte. Lève `FichierIllisible`, ici ou plus tard dans la
    lecture.
    """
    chemin = Path(chemin)
    fichier, avancement, tete = ouvrir_les_octets(chemin)
    try:
        format, enregistrements = _selon_le_contenu(fichier, avancement, tete.lstrip(), frozenset(sirens))
    except BaseException:
        fichier.close()
        raise
    return Lecture(format, enregistrements, avancement, fichier)


def _selon_le_contenu(
    fichier: IO[bytes], avancement: Avancement, tete: bytes, sirens: frozenset[str]
) -> tuple[Format, Iterator[Brut]]:
    if _HTML.match(tete) or (tete.startswith(b"<") and _HTML.search(tete[:2000])):
        raise FichierIllisible(
            "Le fichier est une page HTML, pas des données : l'adresse de téléchargement a dû changer."
        )
    if tete.startswith((b"{", b"[")):
        lecteur = LecteurJson(texte_surveille(fichier, avancement), avancement)
        return lecteur.entete(), lecteur.enregistrements(sirens)
    if tete.startswith(b"<"):
        verifier_la_racine(tete[:4096])
        enregistrements = enregistrements_xml(octets_surveilles(fichier, avancement), avancement, sirens)
        return Format.XML, enregistrements
    premiere = re.split(rb"[\r\n]", tete, maxsplit=1)[0].decode("utf-8", "decp_windows_1252")
    colonnes_de(premiere)
    finit_par_une_ligne = _finit_par_une_ligne(fichier)
    texte = texte_surveille(fichier, avancement)
    return Format.TABULAIRE, enregistrements_csv(texte, avancement, sirens, finit_par_une_ligne)


def _finit_par_une_ligne(fichier: IO[bytes]) -> bool:
    fichier.seek(-1, 2)
    dernier = fichier.read(1)
    fichier.seek(0)
    return dernier in (b"\n", b"\r")
