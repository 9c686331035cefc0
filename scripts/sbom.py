"""L'inventaire des composants (SBOM, CycloneDX 1.5), écrit dans sbom.cdx.json : `make sbom`.

Trois sources, et aucune autre : `uv.lock` (les paquets Python de production, avec leurs empreintes),
`static/vendor/VERSIONS` (les bibliothèques servies au navigateur) et PAQUETS_DEBIAN ci-dessous. Sans réseau ; le même
verrou donne les mêmes octets.
"""

import hashlib
import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

RACINE = Path(__file__).resolve().parent.parent
FICHIER = RACINE / "sbom.cdx.json"
VERROU = RACINE / "uv.lock"
VENDOR = RACINE / "static" / "vendor" / "VERSIONS"
# Ce qu'une machine Debian 12 fournit à l'application. La version est celle de la machine : `dpkg -l` la dit.
PAQUETS_DEBIAN = {
    "python3": "l'interpréteur",
    "libpango-1.0-0": "les PDF",
    "libpangoft2-1.0-0": "les PDF",
    "libharfbuzz-subset0": "les PDF",
    "postgresql": "la base, sauf avec SQLite",
    "postgresql-client": "la sauvegarde de la base PostgreSQL",
    "nginx": "le serveur frontal",
}
# Les licences que npm n'écrit pas comme SPDX.
LICENCES_HORS_SPDX = {"Bitstream-Vera"}


def inventaire() -> dict[str, Any]:
    """Le document entier. Lève CalledProcessError si `uv` ne lit pas le verrou."""
    document = _du_verrou()
    # Ni heure ni hasard : ce qui distingue deux inventaires, c'est ce qu'ils contiennent.
    empreinte = hashlib.sha256(VERROU.read_bytes() + VENDOR.read_bytes()).hexdigest()
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, empreinte)}"
    document["metadata"].pop("timestamp", None)
    document["metadata"]["component"]["type"] = "application"
    document["components"] = [*document["components"], *_du_navigateur(), *_de_debian()]
    return document


def _du_verrou() -> dict[str, Any]:
    uv = str(Path(sys.executable).parent / "uv")
    commande = [uv, "export", "--quiet", "--locked", "--no-dev", "--format", "cyclonedx1.5"]
    sortie = subprocess.run(commande, cwd=RACINE, capture_output=True, text=True, check=True)  # noqa: S603 - commande fixe
    return json.loads(sortie.stdout)


def _du_navigateur() -> list[dict[str, Any]]:
    """Une bibliothèque par composant, chacun de ses fichiers avec son empreinte."""
    trouves: dict[str, dict[str, Any]] = {}
    for ligne in VENDOR.read_text(encoding="utf-8").splitlines():
        nom, version, licence, sha256, fichier = ligne.split(" ", 4)
        reference = f"{nom}@{version}"
        composant = trouves.setdefault(
            reference,
            {
                "type": "library",
                "bom-ref": f"navigateur:{reference}",
                "name": nom,
                "version": version,
                "purl": f"pkg:npm/{reference}",
                "licenses": [{"license": {("name" if licence in LICENCES_HORS_SPDX else "id"): licence}}],
                "components": [],
            },
        )
        composant["components"].append(
            {
                "type": "file",
                "bom-ref": f"fichier:{fichier}",
                "name": f"static/vendor/{fichier}",
                "hashes": [{"alg": "SHA-256", "content": sha256}],
            }
        )
    return list(trouves.values())


def _de_debian() -> list[dict[str, Any]]:
    return [
        {
            "type": "library",
            "bom-ref": f"debian:{nom}",
            "name": nom,
            "description": f"Paquet Debian 12, pour {usage}.",
            "purl": f"pkg:deb/debian/{nom}?distro=bookworm",
        }
        for nom, usage in PAQUETS_DEBIAN.items()
    ]


def main() -> int:
    document = inventaire()
    FICHIER.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{FICHIER.name} : {len(document['components'])} composants.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
