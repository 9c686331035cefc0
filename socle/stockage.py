"""Les fichiers déposés, sur le disque du serveur."""

import contextlib
import os

from django.core.files import File
from django.core.files.storage import FileSystemStorage

EN_COURS = ".en-cours"


class FichiersEntiers(FileSystemStorage):
    """Un fichier n'a son nom qu'une fois écrit en entier, sur le disque.

    Un disque plein ne laisse rien ; un serveur tué en route ne laisse qu'un « .en-cours », que rien ne cite. OSError :
    le fichier n'a pas pu s'écrire.
    """

    def _save(self, name: str, content: File) -> str:
        partiel = f"{name}{EN_COURS}"
        try:
            partiel = super()._save(partiel, content)  # type: ignore[misc]
            with open(self.path(partiel), "rb") as ecrit:
                os.fsync(ecrit.fileno())
            os.replace(self.path(partiel), self.path(name))
        except OSError:
            with contextlib.suppress(OSError):
                os.remove(self.path(partiel))
            raise
        return name
