"""Sauvegarder : l'archive, ce qu'elle contient, et tout ce qui la fait refuser."""

import dataclasses
import io
import json
import random
import tarfile
import threading
from pathlib import Path

import pytest
from django.conf import settings

from exploitation.sauvegarde import archive as archives
from exploitation.sauvegarde.archive import ArchiveEcrite, ouvrir
from exploitation.sauvegarde.base import migrations_connues
from exploitation.sauvegarde.ecriture import destination, effacer_les_anciennes, verifier
from exploitation.sauvegarde.erreurs import ArchiveRefusee, SauvegardeImpossible
from exploitation.sauvegarde.manifeste import Installation, Manifeste, Piece, cles_de_cette_installation
from exploitation.sauvegarde.moteur_sqlite import lecteur
from exploitation.sauvegarde.outils_postgresql import OutilEnEchec, environnement, trouver
from exploitation.sauvegarde.restauration import refuser_ce_qui_ne_va_pas_ici
from tests.site_jetable import attendre, site, site_rempli, sur_postgresql, tuer

__all__ = ["site", "site_rempli"]

pytestmark = pytest.mark.xdist_group("sauvegarde")

# Rien n'y est du nombre de colonnes d'un bloc : le remplissage aussi doit se vérifier.
CONTENUS = {"base.sqlite3": b"une base\n" * 37, "fichiers/a/" + "é" * 70: b"x" * 700, "fichiers/b": b""}


def manifeste(pieces: list[Piece], **champs) -> Manifeste:
    ici = Installation(cles_de_cette_installation()[0], "Agglomération d'essai", ("123456789",))
    communs = {
        "moteur": "sqlite",
        "version_du_moteur": "3",
        "cree_le": "2026-11-28T08:00:00+00:00",
        "installation": ici,
        "migrations": (("comptes", "0001_initiale"),),
        "base": pieces[0],
        "tables": {"t": 3},
        "fichiers": tuple(pieces[1:]),
    }
    return Manifeste(**communs | champs)


def ecrire(chemin: Path, contenus: dict[str, bytes] | None = None, **champs) -> Path:
    """Une archive bien scellée, de ces contenus et de ce manifeste."""
    with chemin.open("wb") as sortie:
        neuve = ArchiveEcrite(sortie)
        pieces = []
        for nom, octets in (CONTENUS if contenus is None else contenus).items():
            brut = chemin.with_suffix(".brut")
            brut.write_bytes(octets)
            with brut.open("rb") as source:
                pieces.append(neuve.ajouter(source, nom))
        neuve.sceller(manifeste(pieces, **champs))
    return chemin


# --- Une archive altérée, tronquée, forgée ---------------------------------------------------------


def test_une_archive_intacte_se_verifie(tmp_path):
    assert [piece.nom for piece in verifier(ecrire(tmp_path / "a.tar")).fichiers] == [*CONTENUS][1:]


def test_un_octet_change_ou_que_ce_soit_fait_refuser_l_archive(tmp_path):
    """Les bords de chaque bloc, où sont entêtes et remplissage, et deux cents places tirées au hasard."""
    octets = bytearray(ecrire(tmp_path / "a.tar").read_bytes())
    tirage = random.Random(8)  # noqa: S311 - le même à chaque fois
    bords = [debut + ecart for debut in range(0, len(octets), 512) for ecart in (0, 107, 124, 148, 156, 511)]
    alteree = tmp_path / "alteree.tar"
    acceptees = []
    for place in [*bords, *(tirage.randrange(len(octets)) for _ in range(200))]:
        d_origine, octets[place] = octets[place], octets[place] ^ (1 << tirage.randrange(8))
        alteree.write_bytes(octets)
        octets[place] = d_origine
        try:
            verifier(alteree)
        except ArchiveRefusee:
            continue
        acceptees.append(place)
    assert acceptees == []


def test_une_archive_coupee_ou_que_ce_soit_est_refusee(tmp_path):
    octets = ecrire(tmp_path / "a.tar").read_bytes()
    coupee = tmp_path / "coupee.tar"
    for longueur in [*range(0, len(octets), 256), len(octets) - 1]:
        coupee.write_bytes(octets[:longueur])
        with pytest.raises(ArchiveRefusee):
            verifier(coupee)


def test_une_archive_a_laquelle_on_ajoute_un_octet_est_refusee(tmp_path):
    chemin = ecrire(tmp_path / "a.tar")
    chemin.write_bytes(chemin.read_bytes() + b"\0")
    with pytest.raises(ArchiveRefusee):
        verifier(chemin)


@pytest.mark.parametrize(
    "nom",
    [
        "fichiers/../../dehors",
        "fichiers/..",
        "/etc/passwd",
        "../dehors",
        "fichiers//a",
        "fichiers/./a",
        "autre/a",
        "a",
    ],
)
def test_un_chemin_qui_sort_des_documents_fait_refuser_l_archive(tmp_path, nom):
    chemin = ecrire(tmp_path / "a.tar", {"base.sqlite3": b"x", nom: b"mal"})
    with pytest.raises(ArchiveRefusee, match="chemin interdit"):
        verifier(chemin)


@pytest.mark.parametrize("nature", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_un_lien_un_dossier_ou_un_tube_fait_refuser_l_archive(tmp_path, nature, monkeypatch):
    entete_d_origine = archives._entete

    def entete(nom, *reste):
        fait = entete_d_origine(nom, *reste)
        if nom == "fichiers/b":
            fait.type, fait.linkname = nature, "/etc/passwd"
        return fait

    monkeypatch.setattr(archives, "_entete", entete)
    chemin = ecrire(tmp_path / "a.tar")
    with pytest.raises(ArchiveRefusee, match="autre chose qu'un fichier ordinaire"):
        verifier(chemin)


def test_un_fichier_que_le_manifeste_ne_dit_pas_fait_refuser_l_archive(tmp_path):
    with pytest.raises(ArchiveRefusee, match="exactement ce que dit son manifeste"):
        verifier(ecrire(tmp_path / "a.tar", fichiers=()))


def test_une_empreinte_qui_n_est_pas_celle_du_contenu_fait_refuser_l_archive(tmp_path):
    fausse = Piece("base.sqlite3", len(CONTENUS["base.sqlite3"]), "0" * 64)
    with pytest.raises(ArchiveRefusee, match="n'a pas l'empreinte"):
        verifier(ecrire(tmp_path / "a.tar", base=fausse))


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"produit": "autre-chose"}, "autre produit"),
        ({"format": 2}, "au format 2"),
        ({"cree_le": "hier"}, "ne se lit pas"),
    ],
)
def test_un_manifeste_d_ailleurs_est_refuse(tmp_path, champs, phrase):
    with pytest.raises(ArchiveRefusee, match=phrase):
        verifier(ecrire(tmp_path / "a.tar", **champs))


@pytest.mark.parametrize(
    "contenu", [b"", b"pas un tar", b"\0" * 10240, b"PK\x03\x04" + b"z" * 2000], ids=["vide", "texte", "zéros", "zip"]
)
def test_ce_qui_n_est_pas_une_archive_est_refuse(tmp_path, contenu):
    autre = tmp_path / "autre.tar"
    autre.write_bytes(contenu)
    with pytest.raises(ArchiveRefusee):
        verifier(autre)
    with pytest.raises(ArchiveRefusee, match="ne se lit pas"):
        verifier(tmp_path / "absente.tar")


# --- Une archive d'ailleurs ------------------------------------------------------------------------


class _Moteur:
    nom = "sqlite"


def refus(lu: Manifeste, *, ici: Installation | None = None, **options) -> str:
    from exploitation.sauvegarde.base import Contenu

    actuel = None if ici is None else Contenu(ici, (), {}, frozenset())
    try:
        refuser_ce_qui_ne_va_pas_ici(lu, actuel, _Moteur(), autre_installation=options.get("accepter", False))
    except ArchiveRefusee as erreur:
        return str(erreur)
    return ""


BASE = Piece("base.sqlite3", 1, "0" * 64)
ICI = manifeste([BASE]).installation


def test_une_archive_d_un_autre_moteur_est_refusee_et_dit_quoi_faire():
    assert "transferer" in refus(manifeste([BASE], moteur="postgresql"))


def test_une_archive_d_un_schema_plus_recent_est_refusee():
    assert "comptes 9999_demain" in refus(manifeste([BASE], migrations=(("comptes", "9999_demain"),)))
    assert refus(manifeste([BASE], migrations=tuple(migrations_connues()))) == ""


@pytest.mark.parametrize(
    ("de_l_archive", "phrase"),
    [
        ({"cle": "autre"}, "SECRET_KEY"),
        ({"collectivite": "Une autre", "sirens": ("987654321",)}, "celle de « Une autre »"),
        ({"collectivite": "Un nouveau nom"}, ""),
        ({"sirens": ()}, ""),
    ],
)
def test_une_archive_d_une_autre_installation_ne_passe_que_si_on_le_dit(de_l_archive, phrase):
    lu = manifeste([BASE], installation=dataclasses.replace(ICI, **de_l_archive))
    dit = refus(lu, ici=ICI)
    assert (phrase in dit and "--autre-installation" in dit) if phrase else dit == ""
    assert refus(lu, ici=ICI, accepter=True) == ""


def test_sur_une_base_vide_la_cle_suffit():
    assert refus(manifeste([BASE])) == ""
    assert refus(manifeste([BASE]), ici=Installation(ICI.cle)) == ""


def test_une_cle_remplacee_mais_gardee_est_reconnue(settings):
    lu = manifeste([BASE])
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    assert refus(lu, ici=ICI) == ""


# --- Où, et combien en garder ----------------------------------------------------------------------


def test_la_rotation_n_efface_que_les_archives_de_cette_installation(tmp_path):
    nom = "commande-responsable-2026-11-{:02}-030000.tar"
    for jour in range(1, 6):
        ecrire(tmp_path / nom.format(jour))
    ecrire(tmp_path / nom.format(10), installation=dataclasses.replace(ICI, cle="autre"))
    (tmp_path / nom.format(11)).write_bytes(b"illisible")
    ecrire(tmp_path / "avant-les-travaux.tar")
    assert [f.name for f in effacer_les_anciennes(tmp_path, 2)] == [nom.format(jour) for jour in (3, 2, 1)]
    restent = {f.name for f in tmp_path.glob("*.tar")}
    assert restent == {*(nom.format(jour) for jour in (4, 5, 10, 11)), "avant-les-travaux.tar"}


def test_une_archive_n_en_remplace_jamais_une_autre_ni_ne_va_dans_les_documents(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "fichiers"
    deja = ecrire(tmp_path / "a.tar")
    with pytest.raises(SauvegardeImpossible, match="existe déjà"):
        destination(str(deja))
    with pytest.raises(SauvegardeImpossible, match="dossier des documents"):
        destination(str(tmp_path / "fichiers" / "sauvegardes"))
    assert destination("").parent == tmp_path / "sauvegardes"


# --- Les outils de PostgreSQL ----------------------------------------------------------------------


def test_un_outil_absent_ou_plus_vieux_que_le_serveur_se_dit(tmp_path, monkeypatch):
    with pytest.raises(OutilEnEchec, match="pg_jamais est introuvable"):
        trouver("pg_jamais", 15)
    vieux = tmp_path / "pg_jamais"
    vieux.write_text("#!/bin/sh\necho 'pg_jamais (PostgreSQL) 9.6.24'\n")
    vieux.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(OutilEnEchec, match="version 9, plus vieux que le serveur PostgreSQL 15"):
        trouver("pg_jamais", 15)
    assert trouver("pg_jamais", 9) == str(vieux)


def test_le_mot_de_passe_de_la_base_passe_par_l_environnement():
    dit = environnement({"NAME": "b", "USER": "u", "PASSWORD": "secret", "HOST": "h", "PORT": 5, "OPTIONS": {}})
    assert (dit["PGPASSWORD"], dit["PGPORT"], dit["PGDATABASE"]) == ("secret", "5", "b")


# --- La commande, en vrai --------------------------------------------------------------------------


def test_la_commande_ecrit_une_archive_qui_dit_tout_et_ne_garde_aucun_secret(site):
    avant = site.contenu()
    cible = site.dossier / "archives" / "une.tar"
    dit = site.manage("sauvegarder", str(cible))
    assert "3\N{NO-BREAK SPACE}documents" in dit
    assert cible.stat().st_mode & 0o777 == 0o600
    assert [f.name for f in cible.parent.iterdir()] == ["une.tar"]
    lu = verifier(cible)
    assert lu.moteur == ("postgresql" if sur_postgresql() else "sqlite")
    assert lu.tables == {table: len(lignes) for table, lignes in avant.items()}
    assert lu.installation.collectivite == "Agglomération d'essai"
    assert {piece.nom for piece in lu.fichiers} == {f"fichiers/{nom}" for nom in site.documents()}
    assert (lu.absents, set(lu.migrations)) == ((), migrations_connues())
    assert settings.SECRET_KEY.encode() not in cible.read_bytes()
    neuves = set(site.contenu()["comptes_trace"]) - set(avant["comptes_trace"])
    assert ["Sauvegarde une.tar" in ligne for ligne in neuves] == [True]


def test_verifier_sort_en_erreur_sur_une_archive_abimee_et_n_ecrit_rien(site):
    chemin = ecrire(site.dossier / "a.tar")
    avant = site.contenu()
    octets = bytearray(chemin.read_bytes())
    octets[600] ^= 1
    chemin.write_bytes(octets)
    assert "altérée" in site.manage("sauvegarder", "--verifier", str(chemin), code=1)
    assert site.contenu() == avant


def test_un_document_que_la_base_cite_et_qui_manque_se_dit(site):
    perdu = sorted(site.documents())[0]
    (site.fichiers / perdu).unlink()
    assert perdu in site.manage("sauvegarder", str(site.dossier / "a.tar"))
    assert verifier(site.dossier / "a.tar").absents == (perdu,)


def test_un_lien_parmi_les_documents_arrete_la_sauvegarde(site):
    (site.fichiers / "lien").symlink_to("/etc/passwd")
    assert "n'est pas un fichier ordinaire" in site.manage("sauvegarder", str(site.dossier / "a.tar"), code=1)
    assert not (site.dossier / "a.tar").exists()


def test_tuee_la_sauvegarde_ne_laisse_aucune_archive_et_la_suivante_nettoie(site):
    dossier = site.dossier / "archives"
    processus = site.lancer("sauvegarder", str(dossier))
    attendre(lambda: [*dossier.glob(".*en-cours*/*")], processus)
    tuer(processus)
    assert [*dossier.glob("*.tar")] == []
    assert [*dossier.glob(".*en-cours*")]
    site.manage("sauvegarder", str(dossier))
    assert [f.suffix for f in dossier.iterdir()] == [".tar"]


def test_la_sauvegarde_est_d_un_seul_instant_pendant_que_d_autres_ecrivent(site, tmp_path):
    """Chaque transaction écrit deux lignes, dans deux tables : l'archive en a autant de chaque sorte."""
    fini, ecrites = threading.Event(), []

    def ecrire_sans_cesse():
        with site.base() as base:
            curseur = base.cursor()
            while not fini.is_set():
                for table in ("comptes_lot", "comptes_service"):
                    curseur.execute(_INSERTIONS[table].format(n=len(ecrites)))
                base.commit()
                ecrites.append(1)

    fil = threading.Thread(target=ecrire_sans_cesse)
    fil.start()
    try:
        attendre(lambda: ecrites)
        site.manage("sauvegarder", str(tmp_path / "a.tar"))
    finally:
        fini.set()
        fil.join()
    lu = verifier(tmp_path / "a.tar").tables
    depart = site.contenu()
    avant = {table: len(depart[table]) - len(ecrites) for table in _INSERTIONS}
    paires = {lu[table] - avant[table] for table in _INSERTIONS}
    assert len(paires) == 1
    assert 0 < paires.pop() < len(ecrites)
    if not sur_postgresql():
        _relire(tmp_path / "a.tar", tmp_path / "base.sqlite3")


_INSERTIONS = {
    "comptes_lot": "INSERT INTO comptes_lot (intitule, fait_le) VALUES ('paire {n}', '2026-01-01 00:00:00+00:00')",
    "comptes_service": "INSERT INTO comptes_service (nom, sigle, actif, version) VALUES ('paire {n}', '', true, 1)",
}


def _relire(chemin: Path, vers: Path) -> None:
    with ouvrir(chemin) as lue:
        lue.extraire(lue.manifeste.base, vers, 0o600)
    with lecteur(vers) as base:
        assert base.lire("PRAGMA integrity_check") == [("ok",)]


def test_l_archive_s_ouvre_avec_tar(tmp_path):
    """Le jour où ce code ne tourne plus, les documents et le manifeste se relisent quand même."""
    chemin = ecrire(tmp_path / "a.tar")
    with tarfile.open(chemin) as tar:
        contenu = tar.extractfile("MANIFESTE.json")
        assert contenu is not None
        assert json.load(io.TextIOWrapper(contenu))["produit"] == "commande-responsable"
