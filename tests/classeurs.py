"""De petits classeurs d'actions, écrits ici : ce que les gens déposent, bien ou mal fait."""

import csv
import datetime
import io
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from actions.models import Plan


def xlsx(lignes: Sequence[Sequence[Any]], retoucher: Callable[[Any], None] = lambda feuille: None) -> bytes:
    """Un classeur de ces lignes ; `retoucher` reçoit la feuille, pour y fusionner ou y calculer."""
    classeur = openpyxl.Workbook()
    for ligne in lignes:
        classeur.active.append(list(ligne))
    retoucher(classeur.active)
    sortie = io.BytesIO()
    classeur.save(sortie)
    return sortie.getvalue()


def en_csv(lignes: Sequence[Sequence[Any]], separateur: str = ";", codage: str = "utf-8") -> bytes:
    sortie = io.StringIO(newline="")
    csv.writer(sortie, delimiter=separateur).writerows(lignes)
    return sortie.getvalue().encode(codage)


def deposer(client: Client, plan: Plan, contenu: bytes, nom: str = "actions.xlsx"):
    """La réponse à l'envoi de la page d'import."""
    fichier = SimpleUploadedFile(nom, contenu)
    return client.post(reverse("actions:importer"), {"plan": plan.pk, "fichier": fichier})


def modifier(contenu: bytes, changements: dict[tuple[int, str], Any]) -> bytes:
    """Le même classeur .xlsx, ces cellules changées : par numéro d'action et titre de colonne."""
    classeur = openpyxl.load_workbook(io.BytesIO(contenu))
    feuille = classeur.worksheets[0]
    rangees = {str(rangee[0].value): rangee for rangee in feuille.iter_rows()}
    titres = next(rangee for rangee in feuille.iter_rows() if rangee[0].value == "N°")
    places = {cellule.value: cellule.column - 1 for cellule in titres}
    for (numero, titre), valeur in changements.items():
        rangees[str(numero)][places[titre]].value = valeur
    sortie = io.BytesIO()
    classeur.save(sortie)
    return sortie.getvalue()


def par_libreoffice(contenu: bytes, de: str, vers: str, dossier: Path) -> bytes:
    """Ouvert et enregistré une fois par LibreOffice."""
    source = dossier / f"actions.{de}"
    source.write_bytes(contenu)
    sortie = dossier / "sortie"
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation={(dossier / 'profil').as_uri()}",
            *("--headless", "--convert-to", vers, "--outdir", str(sortie), str(source)),
        ],
        check=True,
        timeout=180,
        capture_output=True,
    )
    return (sortie / f"actions.{vers}").read_bytes()


DEMAIN = datetime.date(2099, 1, 1)
