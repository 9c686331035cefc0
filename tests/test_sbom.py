"""L'inventaire des composants dit tout ce qui est livré, et rien de la machine qui l'a fait."""

import json
import re
import tomllib
from urllib.parse import urlsplit

import pytest
import sbom

from scripts.etapes import RACINE

LES_SEULES_ADRESSES = {"files.pythonhosted.org"}


@pytest.fixture(scope="module")
def inventaire() -> dict:
    return sbom.inventaire()


def nommes(inventaire: dict, debut: str) -> set[str]:
    purls = (composant["purl"] for composant in inventaire["components"])
    return {purl.removeprefix(debut).partition("?")[0] for purl in purls if purl.startswith(debut)}


def livres() -> set[str]:
    """Ce que `uv.lock` installe sans les outils de développement, en suivant ses dépendances une à une.

    Un paquet à plusieurs conditions (système, version de Python) en est : l'inventaire vaut pour toute machine.
    """
    verrou = {}
    for paquet in tomllib.loads((RACINE / "uv.lock").read_text())["package"]:
        verrou.setdefault(paquet["name"], []).append(paquet)
    vus, a_voir = set(), [("commande-responsable", frozenset())]
    while a_voir:
        nom, extras = a_voir.pop()
        if (nom, extras) in vus:
            continue
        vus.add((nom, extras))
        for paquet in verrou[nom]:
            suite = [*paquet.get("dependencies", [])]
            for extra in extras:
                suite += paquet.get("optional-dependencies", {}).get(extra, [])
            a_voir += [(lien["name"], frozenset(lien.get("extra", ()))) for lien in suite]
    noms = {nom for nom, _ in vus} - {"commande-responsable"}
    return {f"{nom}@{paquet['version']}" for nom in noms for paquet in verrou[nom]}


def test_chaque_paquet_verrouille_y_est_et_aucun_outil_de_developpement(inventaire):
    assert nommes(inventaire, "pkg:pypi/") == livres()
    assert any(purl.startswith("django@") for purl in livres())
    assert not any(purl.startswith("pytest@") for purl in livres())


def test_chaque_paquet_python_a_ses_empreintes(inventaire):
    sans = [
        composant["name"]
        for composant in inventaire["components"]
        if composant["purl"].startswith("pkg:pypi/")
        and not any(lien.get("hashes") for lien in composant.get("externalReferences", []))
    ]
    assert sans == []


def test_chaque_fichier_servi_au_navigateur_y_est_avec_son_empreinte(inventaire):
    dits = {
        (fichier["name"], fichier["hashes"][0]["content"])
        for composant in inventaire["components"]
        for fichier in composant.get("components", [])
    }
    lignes = [ligne.split(" ", 4) for ligne in sbom.VENDOR.read_text().splitlines()]
    assert dits == {(f"static/vendor/{fichier}", sha256) for *_, sha256, fichier in lignes}
    assert nommes(inventaire, "pkg:npm/") == {f"{nom}@{version}" for nom, version, *_ in lignes}


def test_les_paquets_debian_sont_ceux_que_la_documentation_installe(inventaire):
    """Ce que « Installer » demande au système, moins ce qui ne sert qu'à installer."""
    installe = re.search(r"^apt install (.+)$", (RACINE / "docs" / "exploitation.md").read_text(), re.MULTILINE)[1]
    outils = {"git", "make", "python3-venv"}
    # postgresql amène postgresql-client, python3-venv amène python3.
    amenes = {"python3", "postgresql-client"}
    assert nommes(inventaire, "pkg:deb/debian/") == set(installe.split()) - outils | amenes


def test_aucune_adresse_de_la_machine_n_y_est(inventaire):
    texte = json.dumps(inventaire)
    adresses = {urlsplit(adresse).netloc for adresse in re.findall(r"https?://[^\"\s]+", texte)}
    assert adresses <= LES_SEULES_ADRESSES
    assert str(RACINE) not in texte


def test_le_meme_verrou_donne_les_memes_octets(inventaire):
    assert sbom.inventaire() == inventaire
    assert inventaire["specVersion"] == "1.5"
    references = [composant["bom-ref"] for composant in inventaire["components"]]
    assert len(references) == len(set(references))
