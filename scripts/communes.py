"""Rapporte dans `marches/reference/` les communes, leurs codes postaux et les départements, à la version écrite ici.

À relancer au début de l'année, quand paraît le nouveau Code officiel géographique (`python scripts/communes.py`, npm
installé) : la même version donne les mêmes octets.

Source : paquet npm `@etalab/decoupage-administratif` (licence MIT), `data/communes.json` et `data/departements.json`,
tirés du Code officiel géographique de l'INSEE et de la base des codes postaux de La Poste.
"""

import csv
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DESTINATION = Path(__file__).resolve().parent.parent / "marches" / "reference"

PAQUET = "@etalab/decoupage-administratif"
VERSION = "6.0.0"

_LISEZMOI = f"""Communes et départements de France
==================================

communes.csv : une ligne par code INSEE.
  code      code INSEE de la commune
  nom       son nom (vide pour un code qui n'a plus cours)
  dep       son département, quand son code ne le dit pas (par ses deux premiers caractères, trois outre-mer)
  actuelle  d'une commune déléguée ou associée, d'un arrondissement, d'un ancien code : la commune d'aujourd'hui
  cp        ses codes postaux, séparés d'une espace

departements.csv : code, nom (départements, collectivités et territoires d'outre-mer).

Source  : {PAQUET} {VERSION}, publié par Etalab sur npm (data/communes.json, data/departements.json)
Licence : MIT, texte dans LICENCE
Refaire : python scripts/communes.py
"""


def rapporter(dossier: Path) -> dict[str, bytes]:
    """Les fichiers du paquet publié, par le client npm tel qu'il est configuré sur la machine."""
    commande = ["npm", "pack", f"{PAQUET}@{VERSION}", "--silent", "--pack-destination", str(dossier)]
    sortie = subprocess.run(commande, check=True, capture_output=True, text=True).stdout  # noqa: S603 - liste fixe, sans shell
    noms = ["LICENSE", "data/communes.json", "data/departements.json"]
    with tarfile.open(dossier / sortie.strip().splitlines()[-1]) as archive:
        return {nom: archive.extractfile(f"package/{nom}").read() for nom in noms}  # type: ignore[union-attr]


def departement_du_code(code: str) -> str:
    return code[:3] if code[:2] in {"97", "98"} else code[:2]


def lignes(communes: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Les communes d'aujourd'hui, puis ce qui y mène. Un code déjà dit ne l'est pas deux fois : une commune déléguée
    porte souvent celui de la commune nouvelle.
    """
    actuelles = [c for c in communes if c["type"] == "commune-actuelle"]
    vus = {c["code"] for c in actuelles}
    for commune in actuelles:
        yield _ligne(commune, "")
    for commune in communes:
        if commune["code"] not in vus:
            vus.add(commune["code"])
            yield _ligne(commune, commune.get("chefLieu") or commune["commune"])
    for commune in actuelles:
        for code in sorted(set(commune.get("anciensCodes", [])) - vus):
            vus.add(code)
            yield [code, "", "", commune["code"], ""]


def _ligne(commune: dict[str, Any], actuelle: str) -> list[str]:
    departement = commune["departement"]
    a_dire = departement if departement != departement_du_code(commune["code"]) else ""
    return [commune["code"], commune["nom"], a_dire, actuelle, " ".join(sorted(commune.get("codesPostaux", [])))]


def en_csv(titres: list[str], rangees: Iterator[list[str]]) -> str:
    sortie = io.StringIO(newline="")
    csv.writer(sortie, lineterminator="\n").writerows([titres, *sorted(rangees)])
    return sortie.getvalue()


def principal() -> None:
    with tempfile.TemporaryDirectory() as dossier:
        fichiers = rapporter(Path(dossier))
    communes = json.loads(fichiers["data/communes.json"])
    departements = json.loads(fichiers["data/departements.json"])
    DESTINATION.mkdir(exist_ok=True)
    textes = {
        "communes.csv": en_csv(["code", "nom", "dep", "actuelle", "cp"], lignes(communes)),
        "departements.csv": en_csv(["code", "nom"], ([d["code"], d["nom"]] for d in departements)),
        "LISEZMOI": _LISEZMOI,
        "LICENCE": fichiers["LICENSE"].decode(),
    }
    for nom, texte in textes.items():
        (DESTINATION / nom).write_text(texte, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    principal()
