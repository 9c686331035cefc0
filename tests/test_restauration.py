"""Restaurer : l'égalité ligne à ligne et octet à octet, et ce qui ne doit jamais toucher à l'existant."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest

from exploitation.sauvegarde.archive import ArchiveEcrite, ouvrir
from exploitation.sauvegarde.restauration import MARQUE
from tests.site_jetable import ATTENTE, SiteJetable, attendre, site, site_rempli, tuer

__all__ = ["site", "site_rempli"]

pytestmark = pytest.mark.xdist_group("sauvegarde")


@dataclass(frozen=True)
class Archivee:
    """Une archive, et ce que le site contenait quand elle a été faite."""

    chemin: Path
    contenu: dict[str, list[str]]
    documents: dict[str, bytes]


@pytest.fixture(scope="module")
def archivee(site_rempli) -> Archivee:
    """Faite une fois : chaque essai restaure la même sur sa propre copie du site."""
    contenu, documents = site_rempli.contenu(), site_rempli.documents()
    site_rempli.manage("sauvegarder", str(site_rempli.dossier / "a.tar"))
    return Archivee(site_rempli.dossier / "a.tar", contenu, documents)


def etat(site: SiteJetable) -> tuple[dict, dict]:
    return site.contenu(), site.documents()


def de_cote(site: SiteJetable) -> list[Path]:
    return sorted(site.donnees.glob("avant-restauration-*"))


def abimer(site: SiteJetable) -> None:
    """De quoi distinguer l'état d'avant de celui de l'archive : une ligne de plus, un document changé."""
    with site.base() as base:
        base.cursor().execute("UPDATE comptes_siren SET libelle = 'changé depuis'")
        base.commit()
    (site.fichiers / "nouveau.txt").write_text("déposé depuis")


def resceller(chemin: Path, vers: Path, **champs) -> Path:
    """La même archive, au manifeste près, bien scellée."""
    with ouvrir(chemin) as lue, vers.open("wb") as sortie:
        neuve = ArchiveEcrite(sortie)
        for piece in (lue.manifeste.base, *lue.manifeste.fichiers):
            brut = vers.with_suffix(".brut")
            lue.extraire(piece, brut, 0o600)
            with brut.open("rb") as source:
                neuve.ajouter(source, piece.nom)
            brut.unlink()
        neuve.sceller(dataclasses.replace(lue.manifeste, **champs))
    return vers


def comparer(site: SiteJetable, archivee: Archivee) -> None:
    """Tout est comme dans l'archive, sauf la trace de la restauration elle-même."""
    contenu, attendu = site.contenu(), dict(archivee.contenu)
    traces = set(contenu.pop("comptes_trace")) - set(attendu.pop("comptes_trace"))
    assert ["Restauration a.tar" in trace for trace in traces] == [True]
    assert contenu == attendu
    assert site.documents() == archivee.documents


def test_sauvegarder_detruire_restaurer_rend_tout_ligne_a_ligne_et_octet_a_octet(site, archivee):
    site.detruire()
    dit = site.manage("restaurer", str(archivee.chemin), "--sans-demander")
    assert "tout concorde" in dit
    assert "tout se vérifie" in dit
    comparer(site, archivee)


def test_restaurer_par_dessus_garde_l_etat_d_avant_a_cote(site, archivee):
    abimer(site)
    reste = site.donnees / "avant-restauration-2026-01-01-000000-abcd" / "arrivee"
    reste.mkdir(parents=True)
    site.manage("restaurer", str(archivee.chemin), entree="Restaurer\n")
    comparer(site, archivee)
    # Ce qu'une commande tuée avant de toucher à rien avait laissé est parti.
    (dossier,) = de_cote(site)
    assert {f.name for f in dossier.iterdir()} == {"base", "fichiers"}
    assert (dossier / "fichiers" / "nouveau.txt").read_text() == "déposé depuis"
    assert dossier.stat().st_mode & 0o777 == 0o700


def test_un_refus_ne_touche_a_rien(site, archivee, tmp_path):
    abimer(site)
    avant = etat(site)
    for reponse in ("non\n", ""):
        assert "Rien n'a été touché" in site.manage("restaurer", str(archivee.chemin), entree=reponse, code=1)
    ailleurs = site.avec(SECRET_KEY="une-autre-cle-0123456789-abcdefghijklmnopqrstuvwxyz-autre")
    assert "--autre-installation" in ailleurs.manage("restaurer", str(archivee.chemin), "--sans-demander", code=1)
    octets = bytearray(archivee.chemin.read_bytes())
    octets[len(octets) // 2] ^= 1
    (tmp_path / "alteree.tar").write_bytes(octets)
    assert "altérée" in site.manage("restaurer", str(tmp_path / "alteree.tar"), "--sans-demander", code=1)
    assert (etat(site), de_cote(site)) == (avant, [])


def test_le_site_ouvert_la_restauration_est_refusee(site, archivee):
    avant = etat(site)
    with site.base() as base:
        base.cursor().execute("SELECT count(*) FROM comptes_siren")
        dit = site.manage("restaurer", str(archivee.chemin), "--sans-demander", code=1)
    assert "Arrêtez le site et l'ouvrier" in dit
    assert (etat(site), de_cote(site)) == (avant, [])


def test_un_echec_apres_le_remplacement_remet_l_etat_d_avant(site, archivee):
    """L'archive ment sur son nombre de lignes : on ne le voit qu'une fois la base remplacée."""
    with ouvrir(archivee.chemin) as lue:
        tables = lue.manifeste.tables | {"comptes_siren": 12}
    menteuse = resceller(archivee.chemin, site.dossier / "b.tar", tables=tables)
    abimer(site)
    avant = etat(site)
    dit = site.manage("restaurer", str(menteuse), "--sans-demander", code=1)
    assert "comme avant" in dit
    assert (etat(site), de_cote(site)) == (avant, [])


def test_tuee_en_plein_remplacement_la_restauration_s_annule(site, archivee):
    abimer(site)
    avant = etat(site)
    processus = site.lancer("restaurer", str(archivee.chemin), "--sans-demander")
    attendre(lambda: [*site.donnees.glob(f"avant-restauration-*/{MARQUE}")], processus)
    tuer(processus)
    attendre(lambda: "Arrêtez" not in _annuler(site))
    contenu, documents = etat(site)
    assert documents == avant[1]
    traces = set(contenu.pop("comptes_trace")) - set(avant[0].pop("comptes_trace"))
    assert contenu == avant[0]
    assert ["l'état d'avant est remis" in trace.replace("''", "'") for trace in traces] == [True]
    assert "Aucune restauration" in site.manage("restaurer", "--annuler", code=1)


def _annuler(site: SiteJetable) -> str:
    """PostgreSQL met un instant à voir qu'un client tué n'est plus là ; la commande le prend pour le site."""
    processus = site.lancer("restaurer", "--annuler")
    dit, _ = processus.communicate(timeout=ATTENTE)
    assert processus.returncode == 0 or "Arrêtez" in dit, dit
    return dit
