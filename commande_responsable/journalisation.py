"""Ce qui ne s'écrit pas dans le journal du serveur."""

import logging
import re

# L'adresse d'un calendrier est un secret : qui la lit dans un journal lirait le calendrier.
_SECRET = re.compile(r"(/calendriers/)[^/\s\"']+(\.ics)")


class SansSecret(logging.Filter):
    """Masque le secret d'un calendrier dans les adresses que Django note quand une demande échoue."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        masque = _SECRET.sub(r"\1…\2", message)
        if masque != message:
            record.msg, record.args = masque, ()
        return True
