"""Un tout petit disque, à remplir jusqu'au bord : un tmpfs, là où la machine permet d'en monter un."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MO = 1024 * 1024


class PetitDisque:
    """`dossier` : sa racine. `remplir` n'y laisse pas un octet libre, `liberer` rend la place."""

    def __init__(self, dossier: Path) -> None:
        self.dossier = dossier
        self.bourrage = dossier / "bourrage"

    def remplir(self) -> None:
        with open(self.bourrage, "ab", buffering=0) as fichier:
            for morceau in (MO, 4096, 1):
                try:
                    while fichier.write(b"\0" * morceau) == morceau:
                        pass
                except OSError:
                    continue

    def liberer(self) -> None:
        self.bourrage.unlink(missing_ok=True)


@contextmanager
def petit_disque(dossier: Path, mega: int) -> Iterator[PetitDisque | str]:
    """Le disque ; ou, si la machine interdit d'en monter un, la phrase qui dit pourquoi."""
    dossier.mkdir(parents=True, exist_ok=True)
    commande = ["mount", "-t", "tmpfs", "-o", f"size={mega}m,mode=0777", "epreuves", str(dossier)]
    if os.getuid() != 0 or shutil.which("mount") is None:
        yield "monter un disque demande d'être root"
        return
    monte = subprocess.run(commande, capture_output=True, text=True)
    if monte.returncode:
        yield f"mount refusé : {monte.stderr.strip()}"
        return
    try:
        yield PetitDisque(dossier)
    finally:
        subprocess.run(["umount", "--lazy", str(dossier)], check=True)
