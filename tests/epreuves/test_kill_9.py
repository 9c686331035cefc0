"""kill -9 du serveur pendant que huit personnes changent des statuts : rien de répondu ne se perd, rien n'est à demi.

Longue avec `make epreuves` : EPREUVE_ENVOIS et EPREUVE_MORTS disent combien de changements et de morts.
"""

import os
import threading
from collections import Counter

import pytest
import requests

from tests.epreuves.client import Client
from tests.epreuves.site import Site, attendre

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("kill_9")]

CLIENTS = 8
ENVOIS = int(os.environ.get("EPREUVE_ENVOIS", "200"))
MORTS = int(os.environ.get("EPREUVE_MORTS", "2"))
REPONDU, REFUSE, SANS_REPONSE, PAS_ENVOYE = "répondu", "refusé", "sans réponse", "pas envoyé"


def commentaire(numero: int) -> str:
    return f"envoi {numero:05d}"


class Foule:
    """Huit personnes qui se partagent les numéros ; `issues` : ce que chacun de ceux-ci est devenu."""

    def __init__(self, site: Site, actions: list[int]) -> None:
        self.site, self.actions = site, actions
        self.numeros = iter(range(ENVOIS))
        self.issues: dict[int, str] = {}
        self.debout = threading.Event()
        self.debout.set()
        self.verrou = threading.Lock()
        self.pannes: list[BaseException] = []

    def travailler(self, client: Client) -> None:
        try:
            while (numero := self._prendre()) is not None:
                self.issues[numero] = self._tenter(client, numero)
        except BaseException as panne:
            self.pannes.append(panne)
            raise

    def _prendre(self) -> int | None:
        self.debout.wait(60)
        with self.verrou:
            return next(self.numeros, None)

    def _tenter(self, client: Client, numero: int) -> str:
        # Deux personnes sur une même action : il y a des conflits, comme en vrai.
        action = self.actions[numero % len(self.actions)]
        try:
            formulaire = client.lire_le_statut(action)
        except requests.RequestException:
            return PAS_ENVOYE
        assert formulaire is not None
        try:
            reponse = client.envoyer_le_statut(formulaire, commentaire(numero))
        except requests.RequestException:
            return SANS_REPONSE
        # 302 : enregistré. 200 : le formulaire revient, avec ce qui l'a refusé (un autre est passé).
        assert reponse.status_code in (200, 302), (reponse.status_code, reponse.text[:2000])
        return REPONDU if reponse.status_code == 302 else REFUSE

    def repondus(self) -> int:
        if self.pannes:
            raise self.pannes[0]
        return sum(issue == REPONDU for issue in list(self.issues.values()))


def test_un_serveur_tue_n_a_rien_perdu_de_ce_qu_il_avait_repondu_et_rien_laisse_a_demi(site):
    actions = [pk for (pk,) in site.lire("SELECT id FROM actions_action ORDER BY id")]
    avant = etat(site)
    foule = Foule(site, actions)
    clients = [Client(site, ("responsable", "admin")[rang % 2]).se_connecter() for rang in range(CLIENTS)]
    fils = [threading.Thread(target=foule.travailler, args=(client,), daemon=True) for client in clients]
    for fil in fils:
        fil.start()
    for mort in range(1, MORTS + 1):
        seuil = ENVOIS * mort // (MORTS + 2)
        attendre(lambda seuil=seuil: len(foule.issues) >= seuil and foule.repondus(), "assez d'envois", 300)
        foule.debout.clear()
        site.tuer()
        site.demarrer()
        foule.debout.set()
    for fil in fils:
        fil.join(300)
    if foule.pannes:
        raise foule.pannes[0]
    compte = Counter(foule.issues.values())
    print(f"{site.moteur} : {ENVOIS} envois, {MORTS} morts : {dict(compte)}")  # noqa: T201
    assert len(foule.issues) == ENVOIS
    assert compte[REPONDU] > ENVOIS / 4
    assert compte[SANS_REPONSE] + compte[PAS_ENVOYE] > 0, "le serveur n'est pas mort au milieu de leur travail"
    verifier(site, foule.issues, avant)


def etat(site: Site) -> dict[int, tuple[int, int]]:
    """Par action : le nombre de ses lignes de journal, et son numéro de version."""
    requete = """
        SELECT a.id, (SELECT COUNT(*) FROM actions_changementdestatut c WHERE c.action_id = a.id), a.version
        FROM actions_action a
    """
    return {pk: (lignes, version) for pk, lignes, version in site.lire(requete)}


def verifier(site: Site, issues: dict[int, str], avant: dict[int, tuple[int, int]]) -> None:
    ecrits = Counter(
        dict(site.lire("SELECT commentaire, COUNT(*) FROM actions_changementdestatut GROUP BY commentaire"))
    )
    permis = {REPONDU: {1}, REFUSE: {0}, SANS_REPONSE: {0, 1}, PAS_ENVOYE: {0}}
    fautes = {
        numero: (issue, ecrits[commentaire(numero)])
        for numero, issue in issues.items()
        if ecrits[commentaire(numero)] not in permis[issue]
    }
    assert fautes == {}
    # Jamais à demi : une ligne de journal et un pas de version vont ensemble.
    pas = {pk: tuple(b - a for a, b in zip(avant[pk], apres, strict=True)) for pk, apres in etat(site).items()}
    assert {pk: (lignes, versions) for pk, (lignes, versions) in pas.items() if lignes != versions} == {}
    assert sum(lignes for lignes, _ in pas.values()) == sum(ecrits[commentaire(numero)] for numero in issues)
    site.gerer("verifier_journal")
