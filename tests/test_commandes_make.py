"""Les commandes du projet : ce qu'elles promettent quand tout ne va pas bien."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

RACINE = Path(__file__).resolve().parent.parent


def lancer(*commande: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        commande,
        cwd=RACINE,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def faux_python(dossier: Path, script: str) -> str:
    executable = dossier / "faux_python"
    executable.write_text(f"#!/bin/sh\n{script}\n")
    executable.chmod(0o755)
    return str(executable)


def test_l_aide_cite_chaque_commande():
    cibles = re.search(r"^\.PHONY: (.*)$", (RACINE / "Makefile").read_text(), re.MULTILINE)[1].split()
    aide = lancer("make", "--no-print-directory").stdout
    assert [cible for cible in cibles if f"make {cible} " not in aide] == []


def test_un_python_trop_ancien_est_refuse(tmp_path):
    resultat = lancer("scripts/choisir_python.sh", PYTHON=faux_python(tmp_path, "exit 1"))
    assert resultat.returncode == 1
    assert "antérieur à Python 3.11" in resultat.stdout


def test_un_python_sans_venv_dit_le_paquet_a_installer(tmp_path):
    sans_venv = 'case "$2" in *ensurepip*) exit 1;; *print*) echo 3.11;; esac'
    resultat = lancer("scripts/choisir_python.sh", PYTHON=faux_python(tmp_path, sans_venv))
    assert resultat.returncode == 1
    assert "apt install python3-venv (ou python3.11-venv)" in resultat.stdout


@pytest.mark.parametrize("cible", ["demo", "demo-complet"])
def test_la_demonstration_dit_que_le_port_est_pris(cible):
    with socket.create_server(("127.0.0.1", 0)) as prise:
        port = str(prise.getsockname()[1])
        resultat = lancer("make", "--no-print-directory", cible, PORT=port)
    assert resultat.returncode != 0
    assert resultat.stdout.startswith(f"Le port {port} est déjà pris")
    assert f"make {cible} PORT=8001" in resultat.stdout


def test_une_demonstration_inconnue_est_refusee():
    resultat = lancer("scripts/demo.sh", "autre")
    assert resultat.returncode == 1
    assert "make demo-complet" in resultat.stdout


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "080"])
def test_la_demonstration_refuse_un_port_impossible(port):
    resultat = lancer("scripts/demo.sh", PORT=port)
    assert resultat.returncode == 1
    assert "n'est pas un numéro de port" in resultat.stdout


def test_le_postgresql_jetable_rend_le_code_de_la_commande_et_s_efface(tmp_path):
    # La commande note l'adresse, puis échoue : le serveur ne doit plus répondre ensuite.
    note = tmp_path / "adresse"
    resultat = lancer("scripts/postgres_ephemere.sh", "sh", "-c", f'echo "$DATABASE_URL" >{note}; exit 7')
    port = int(re.search(r":(\d+)/postgres$", note.read_text().strip())[1])
    assert resultat.returncode == 7
    with socket.socket() as prise:
        assert prise.connect_ex(("127.0.0.1", port)) != 0


def test_un_essai_saute_est_un_echec_en_integration_continue(tmp_path):
    (tmp_path / "test_sauts.py").write_text(
        "import pytest\n"
        "@pytest.mark.skip(reason='motif 1')\ndef test_un(): pass\n"
        "@pytest.mark.xfail(reason='motif 2')\ndef test_deux(): assert False\n"
        "@pytest.mark.xfail(reason='motif 3')\ndef test_trois(): pass\n"
        "def test_quatre(): pytest.skip('motif 4')\n"
    )
    (tmp_path / "test_fichier_saute.py").write_text("import pytest\npytest.importorskip('motif_5')\n")
    seul = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-c", os.devnull]
    seul += ["--continue-on-collection-errors", str(tmp_path)]

    tolere = lancer(*seul, CI="", ESSAIS_SANS_SAUT="")
    refuse = lancer(*seul, CI="true")

    assert tolere.returncode == 0, tolere.stdout
    assert refuse.returncode != 0, refuse.stdout
    annonces = [ligne for ligne in refuse.stdout.splitlines() if re.match(r"(FAILED|ERROR) .*motif.\d", ligne)]
    assert len(annonces) == 5, refuse.stdout


def test_le_reseau_est_ferme_pendant_les_essais():
    with socket.socket() as prise, pytest.raises(Exception, match="refusée pendant les essais"):
        prise.connect(("192.0.2.1", 80))
