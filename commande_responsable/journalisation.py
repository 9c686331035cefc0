"""Ce qui ne s'écrit pas dans le journal du serveur."""

import logging
import re

# Une adresse qui vaut un secret : qui la lit dans un journal lirait le calendrier, ou choisirait le mot de passe d'un
# autre ; le code du fournisseur d'identité, lui, ouvre une session.
_SECRETS = (
    (re.compile(r"(/calendriers/)[^/\s\"']+(\.ics)"), r"\1…\2"),
    (re.compile(r"(/invitation/|/mot-de-passe/nouveau/)[^/\s\"']+"), r"\1…"),
    (re.compile(r"(/connexion/fournisseur/retour/\?)[^\s\"']+"), r"\1…"),
)


class SansSecret(logging.Filter):
    """Masque ces secrets dans les adresses que Django note quand une demande échoue."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = masque = record.getMessage()
        for secret, sans_lui in _SECRETS:
            masque = secret.sub(sans_lui, masque)
        if masque != message:
            record.msg, record.args = masque, ()
        return True
