"""Aucun fichier déposé ne fait tomber le site, ne sort de son dossier, ni n'écrit ce qu'on ne sait pas relire."""

import contextlib
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from actions.classeur.colonnes import COLONNES as COLONNES_DES_ACTIONS
from partenaires.classeurs import COLONNES as COLONNES_DES_PARTENAIRES
from socle.ecriture import Format
from socle.feuilles import FichierIllisible, Limites
from socle.formats import signe_de_controle
from socle.tableaux import lire
from tests import classeurs, hostiles, test_acces
from tests.hostiles import AU_MOINS, INDICIBLES, NOMS_DE_FICHIER, fichiers
from tests.test_acces import TABLE, Site, site, site_du_fichier
from tests.test_entrees_hostiles_adresses import defauts
from tests.visites import sans_lendemain

__all__ = ["site", "site_du_fichier"]

# Le décor s'écrit une fois : tout le fichier va au même ouvrier.
pytestmark = pytest.mark.xdist_group("hostiles")

QUI = "administrateur"


def _document(_: Site) -> dict[str, Any]:
    return {"fichier": SimpleUploadedFile("a.pdf", b"%PDF-1.7\n%%EOF"), "nom": "Un document", "titre": "Un document"}


# Chaque adresse où l'on dépose un fichier, ce qu'il faut envoyer avec, et les titres de ce que l'import lit.
DEPOTS: dict[str, tuple[Callable[[Site], dict[str, Any]], tuple[str, ...]]] = {
    "actions:importer": (test_acces.un_classeur, tuple(c.titre for c in COLONNES_DES_ACTIONS)),
    "indicateurs:importer": (test_acces.des_valeurs, ("Code", "2023", "2023 remarque")),
    "marches:importer_le_registre": (lambda _: test_acces.un_registre(), ("N° consultation", "Objet", "Montant HT")),
    "marches:importer_mandats": (test_acces.des_mandats, ("Chapitre", "Code postal", "Montant HT")),
    "marches:deposer": (test_acces.un_fichier_decp, ()),
    "admin:partenaires_partenaire_import": (
        lambda _: {"fichier": test_acces.un_tableau()},
        tuple(COLONNES_DES_PARTENAIRES.values()),
    ),
    "actions:document_ajouter": (_document, ()),
    "indicateurs:justificatif_ajouter": (_document, ()),
}


def test_chaque_adresse_ou_l_on_depose_un_fichier_est_essayee(site):
    """Un champ de fichier dans une page : cette page est de DEPOTS."""
    avec_fichier = set()
    for ligne in TABLE:
        if ligne.envoi is not None and ligne.lit == 200:
            page = site.clients[QUI].get(site.adresse(ligne, QUI))
            if b'type="file"' in getattr(page, "content", b""):
                avec_fichier.add(ligne.nom)
    assert avec_fichier - {"actions:document_modifier"} == set(DEPOTS)


def deposer(site: Site, nom: str, contenu: bytes, nom_du_fichier: str = "depot.csv") -> list[str]:
    envoi, _ = DEPOTS[nom]
    with sans_lendemain():
        champs = envoi(site)
        for champ, valeur in champs.items():
            if isinstance(valeur, SimpleUploadedFile):
                champs[champ] = SimpleUploadedFile("x", contenu)
                champs[champ]._name = nom_du_fichier  # tel qu'un navigateur forgé l'enverrait
        reponse = site.clients[QUI].post(site.decor.adresse(nom), champs)
        trouves = defauts(reponse, f"{nom}, {nom_du_fichier!r}, {contenu[:60]!r}")
        if reponse.status_code == 302:
            trouves += defauts(site.clients[QUI].get(reponse["Location"]), f"après {nom}")
        elif reponse.status_code == 200 and not trouves and b"errorlist" not in reponse.content:
            # Un refus se dit : à côté du champ, ou en tête de page. Un aperçu montre ce qu'il a lu.
            assert "fichier" in reponse.content.decode().lower(), nom
    return trouves


@pytest.mark.parametrize("nom", DEPOTS)
def test_un_fichier_piege_est_refuse_sans_panne(site, nom, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "fichiers"
    trouves = []
    for contenu in fichiers().values():
        trouves += deposer(site, nom, contenu)
    assert not trouves, "\n".join(trouves[:6])


@pytest.mark.parametrize("nom", DEPOTS)
def test_un_nom_de_fichier_hostile_ne_sort_pas_du_dossier(site, nom, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "fichiers"
    bon = next(v for v in DEPOTS[nom][0](site).values() if isinstance(v, SimpleUploadedFile)).read()
    trouves = list(itertools.chain.from_iterable(deposer(site, nom, bon, hostile) for hostile in NOMS_DE_FICHIER))
    assert not trouves, "\n".join(trouves[:6])
    assert {dossier.name for dossier in tmp_path.iterdir()} <= {"fichiers"}


@pytest.mark.parametrize("nom", [nom for nom, (_, titres) in DEPOTS.items() if titres])
def test_des_cellules_hostiles_ne_font_tomber_aucun_import(site, nom):
    """Au moins AU_MOINS cellules, dans toutes les colonnes que l'import connaît."""
    titres = DEPOTS[nom][1]
    textes = [t for t in hostiles.textes() if not signe_de_controle(t) and len(t) < 1000]
    largeur, trouves, essayees = len(titres), [], 0
    for debut in range(0, len(textes), 90):
        lot = textes[debut : debut + 90]
        lignes = [[lot[(rang + n * 7) % len(lot)] for n in range(largeur)] for rang in range(len(lot))]
        essayees += len(lignes) * largeur
        trouves += deposer(site, nom, classeurs.en_csv([titres, *lignes]))
        trouves += deposer(site, nom, classeurs.en_csv([titres, lignes[0]]))
    assert not trouves, "\n".join(trouves[:6])
    assert essayees >= AU_MOINS


CHAMPS_DECP = ("id", "uid", "objet", "montant", "dateNotification", "codeCPV", "nature", "procedure", "dureeMois")


def test_des_donnees_essentielles_hostiles_ne_font_tomber_ni_l_import_ni_les_pages(site):
    marches = [
        {champ: hostiles.textes()[(rang + 57 * n) % len(hostiles.textes())] for n, champ in enumerate(CHAMPS_DECP)}
        | {"acheteur": {"id": "12345678900011"}, "titulaires": [{"titulaire": {"id": hostiles.textes()[rang]}}]}
        for rang in range(AU_MOINS // len(CHAMPS_DECP) + 1)
    ]
    contenu = json.dumps({"marches": {"marche": marches}}).encode()
    assert not deposer(site, "marches:deposer", contenu, "decp.json")
    for isole in hostiles.ISOLES:
        assert not deposer(site, "marches:deposer", json.dumps({"marches": {"marche": [{"id": isole}]}}).encode())


LIMITES = Limites(octets=1_000_000, octets_deplies=5_000_000, lignes=1000, colonnes=60)


@pytest.mark.parametrize("forme", ["csv", "xlsx", "ods"])
def test_un_classeur_abime_se_lit_ou_se_refuse(forme):
    """AU_MOINS variantes d'un classeur coupé, troué, retourné : un tableau, ou une phrase."""
    from tests import fichiers as petits

    bon = {
        "csv": classeurs.en_csv([["Action", "Montant"], ["Acheter", "12"], ["Vendre", "13,5"]]),
        "xlsx": classeurs.xlsx([["Action", "Montant"], ["Acheter", 12]]),
        "ods": petits.classeur_ods(),
    }[forme]
    for contenu in hostiles.abimes(bon, AU_MOINS * (4 if hostiles.LONG else 1)):
        # Ce qui n'est pas une phrase fait échouer l'essai.
        with contextlib.suppress(FichierIllisible):
            lire("depot", contenu, limites=LIMITES, reconnu=lambda titre: titre in ("Action", "Montant"))


# --- Les signes de contrôle ---------------------------------------------------------------------


@pytest.mark.parametrize("signe", [t for t in INDICIBLES if signe_de_controle("\n".join(t.splitlines()))])
def test_un_import_nomme_la_cellule_et_la_ligne_d_un_signe_de_controle(signe):
    contenu = classeurs.en_csv([["Action", "Montant"], ["Acheter", "12"], [f"Vendre{signe}", "13"]])
    with pytest.raises(FichierIllisible) as refus:
        lire("depot.csv", contenu, limites=LIMITES, reconnu=lambda titre: titre in ("Action", "Montant"))
    if "\x00" not in signe:  # un octet nul n'est pas du texte : le fichier entier n'est pas un CSV
        assert "Ligne 3" in str(refus.value)
        assert "A3" in str(refus.value)
        assert "signe de contrôle" in str(refus.value)


# --- Les formules -------------------------------------------------------------------------------


@pytest.mark.parametrize("forme", Format.values)
def test_un_texte_qui_commence_comme_une_formule_n_en_est_jamais_une(site, forme):
    """Dans chaque export : le texte y est, et le tableur n'y voit qu'un texte."""
    import csv
    import io
    import zipfile

    from tests import fabriques

    textes = ["=1+1", "+33 1", "-2+3", "@SUM(1)", "=cmd|' /C calc'!A0"]
    for texte in textes:
        fabriques.action(site.decor.plan, intitule=f"{texte} zq", description=texte)
    reponse = site.clients["lecteur"].get(site.decor.adresse("actions:export"), {"format": forme})
    contenu = reponse.content
    if forme == "csv":
        cellules = [
            c for rangee in csv.reader(io.StringIO(contenu.decode("utf-8-sig")), delimiter=";") for c in rangee
        ]
        assert [c for c in cellules if c.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    else:
        with zipfile.ZipFile(io.BytesIO(contenu)) as archive:
            xml = "".join(archive.read(n).decode() for n in archive.namelist() if n.endswith(".xml"))
        assert "<f>" not in xml
        assert "table:formula" not in xml
