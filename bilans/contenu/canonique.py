"""L'écriture canonique d'un contenu : les mêmes données donnent toujours les mêmes octets, donc la même empreinte.

UTF-8, clés triées, ni espace ni retour à la ligne, nombres décimaux en texte : l'essentiel de la RFC 8785, sans
flottants. Un contenu ne tient que des dictionnaires, des listes, des textes, des entiers, des booléens et null.
"""

import hashlib
import json
from typing import Any


class ContenuNonCanonique(TypeError):
    """Un contenu tient autre chose que ce que l'écriture canonique admet ; nomme l'endroit."""


def ecrire(contenu: dict[str, Any]) -> str:
    """Le texte canonique. Lève ContenuNonCanonique (flottant, date, clé qui n'est pas un texte)."""
    _verifier(contenu, "contenu")
    return json.dumps(contenu, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _verifier(valeur: Any, ou: str) -> None:
    match valeur:
        case None | bool() | int() | str():
            return
        case dict():
            for cle, suite in valeur.items():
                if not isinstance(cle, str):
                    raise ContenuNonCanonique(f"{ou} : la clé {cle!r} n'est pas un texte.")
                _verifier(suite, f"{ou}.{cle}")
        case list():
            for rang, suite in enumerate(valeur):
                _verifier(suite, f"{ou}[{rang}]")
        case _:
            raise ContenuNonCanonique(f"{ou} : {type(valeur).__name__} ne s'écrit pas.")


def relire(texte: str) -> dict[str, Any]:
    """Le contenu d'un texte canonique. ValueError si ce n'est pas un objet JSON."""
    contenu = json.loads(texte)
    if not isinstance(contenu, dict):
        raise ValueError("Le contenu d'un bilan est un objet JSON.")
    return contenu


def empreinte(contenu: str | bytes) -> str:
    """SHA-256 des octets (UTF-8 pour un texte), en hexadécimal : ce que donne `sha256sum` sur le fichier."""
    octets = contenu.encode() if isinstance(contenu, str) else contenu
    return hashlib.sha256(octets).hexdigest()
