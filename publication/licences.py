"""La licence sous laquelle l'installation ouvre ses données (réglage LICENCE_DES_DONNEES)."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Licence:
    """`code` : celui de SPDX ; `adresse` : le texte de la licence."""

    code: str
    titre: str
    adresse: str


def licence() -> Licence:
    code = settings.LICENCE_DES_DONNEES
    return Licence(code, *settings.LICENCES_CONNUES[code])
