"""Les octets d'un fichier : ouverts, comptés, surveillés, décodés.

Encodage : UTF-8, avec ou sans marque ; un octet qui n'en est pas se lit en Windows-1252 (une plateforme en fait
encore), et à défaut devient U+FFFD. UTF-16, UTF-32, un octet nul, un fichier compressé : refusés.
"""

import codecs
import io
from pathlib import Path
from typing import IO, Any

from marches.decp.contrats import Avancement, FichierIllisible
from socle.formats import accorder

MORCEAU = 1 << 18
ENTETE = 1 << 16
# Le plus gros enregistrement publié tient en quelques centaines de Kio : au-delà, ce n'est plus un contrat.
ENREGISTREMENT_AU_PLUS = 4 << 20
EN_CLAIR = f"{ENREGISTREMENT_AU_PLUS >> 20} Mio"

_COMPRESSES = {
    b"\x1f\x8b": "compressé (gzip) : décompressez-le d'abord",
    b"PK\x03\x04": "une archive zip ou un classeur : décompressez l'archive, ou enregistrez le classeur en CSV",
    b"PK\x05\x06": "une archive zip vide",
    b"BZh": "compressé (bzip2) : décompressez-le d'abord",
    b"\xfd7zXZ": "compressé (xz) : décompressez-le d'abord",
    b"\x28\xb5\x2f\xfd": "compressé (zstd) : décompressez-le d'abord",
    b"7z\xbc\xaf": "compressé (7z) : décompressez-le d'abord",
    b"PAR1": "au format Parquet, qui ne se lit pas ici : prenez le même jeu de données en CSV",
    b"%PDF": "un PDF, pas des données",
    b"\xd0\xcf\x11\xe0": "un ancien classeur Excel ou document Word : enregistrez-le en CSV",
}
_FERMES = {
    FileNotFoundError: "il n'existe pas",
    IsADirectoryError: "c'est un dossier",
    PermissionError: "sa lecture n'est pas permise",
}
_MARQUES = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def _en_windows_1252(erreur: UnicodeError) -> tuple[str, int]:
    if not isinstance(erreur, UnicodeDecodeError):
        raise erreur
    octets = erreur.object[erreur.start : erreur.end]
    return octets.decode("cp1252", "replace"), erreur.end


codecs.register_error("decp_windows_1252", _en_windows_1252)


class _Surveilles(io.RawIOBase):
    """Un fichier binaire qui tient le compte de ce qu'on en lit, et refuse l'octet nul."""

    def __init__(self, fichier: IO[bytes], avancement: Avancement) -> None:
        self._fichier = fichier
        self._avancement = avancement

    def readable(self) -> bool:
        return True

    def readinto(self, tampon: Any) -> int:
        try:
            lus = self._fichier.read(len(tampon))
        except OSError:
            ou = self._avancement.octets
            raise FichierIllisible(
                f"La lecture s'est interrompue après l'octet {ou} : le disque a répondu par une erreur."
            ) from None
        if b"\0" in lus:
            position = self._avancement.octets + lus.index(b"\0") + 1
            raise FichierIllisible(f"Le fichier contient un octet nul (octet {position}) : ce n'est pas du texte.")
        tampon[: len(lus)] = lus
        self._avancement.octets += len(lus)
        return len(lus)


def ouvrir_les_octets(chemin: Path) -> tuple[IO[bytes], Avancement, bytes]:
    """Le fichier ouvert au début du contenu, son avancement, et ses premiers octets, qui sont du texte."""
    try:
        fichier = chemin.open("rb")
        taille = chemin.stat().st_size
        tete = fichier.read(ENTETE)
    except OSError as erreur:
        pourquoi = next((dit for genre, dit in _FERMES.items() if isinstance(erreur, genre)), "le disque le refuse")
        raise FichierIllisible(f"Le fichier ne s'ouvre pas : {pourquoi}.") from None
    try:
        _refuser_ce_qui_n_est_pas_du_texte(tete)
    except FichierIllisible:
        fichier.close()
        raise
    fichier.seek(0)
    return fichier, Avancement(taille), tete.removeprefix(codecs.BOM_UTF8)


def _refuser_ce_qui_n_est_pas_du_texte(tete: bytes) -> None:
    if not tete.removeprefix(codecs.BOM_UTF8).strip():
        raise FichierIllisible("Le fichier est vide." if len(tete) < ENTETE else "Le fichier commence par du vide.")
    for signature, quoi in _COMPRESSES.items():
        if tete.startswith(signature):
            raise FichierIllisible(f"Le fichier est {quoi}.")
    encodage = next((nom for marque, nom in _MARQUES.items() if tete.startswith(marque)), "")
    if not encodage and b"\0" in tete:
        # Du latin en UTF-16 : un octet sur deux est nul.
        paire, impaire = tete[:200:2], tete[1:200:2]
        moitie = max(paire.count(0) / max(len(paire), 1), impaire.count(0) / max(len(impaire), 1))
        encodage = "UTF-16" if moitie > 0.7 else ""
    if encodage:
        raise FichierIllisible(f"Le fichier est en {encodage} : enregistrez-le en UTF-8.")
    if b"\0" in tete:
        raise FichierIllisible(
            f"Le fichier contient un octet nul (octet {tete.index(0) + 1}) : ce n'est pas du texte."
        )


def apres(avancement: Avancement) -> str:
    """Où une lecture s'est arrêtée, pour le dire."""
    return f"après {accorder(avancement.lus, 'enregistrement complet', 'enregistrements complets')}"


def octets_surveilles(fichier: IO[bytes], avancement: Avancement) -> io.BufferedReader:
    return io.BufferedReader(_Surveilles(fichier, avancement), MORCEAU)


def texte_surveille(fichier: IO[bytes], avancement: Avancement) -> io.TextIOWrapper:
    """Le même, décodé, fins de ligne telles quelles."""
    octets = octets_surveilles(fichier, avancement)
    texte = io.TextIOWrapper(octets, encoding="utf-8-sig", errors="decp_windows_1252", newline="")
    # Par défaut 8 Kio : décoder de plus grands morceaux fait gagner un quart du temps de lecture.
    texte._CHUNK_SIZE = ENTETE  # type: ignore[attr-defined]
    return texte
