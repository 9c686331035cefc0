"""Des gens qui travaillent tous à la fois : ils lisent, réfléchissent quelques secondes, écrivent parfois."""

import random
import re
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.epreuves.client import Client, jeton
from tests.epreuves.site import Site

# Qui vient, et combien pour dix.
ROLES = (
    "lecteur",
    "lecteur",
    "agent",
    "agent",
    "agent",
    "agent",
    "responsable",
    "responsable",
    "responsable",
    "admin",
)
# Ce qu'on lit, et combien de fois pour cent visites.
LECTURES = {
    "/": 14,
    "/mes-actions/": 12,
    "/actions/": 12,
    "/actions/?q=achat": 4,
    "/actions/{action}/": 18,
    "/indicateurs/": 6,
    "/indicateurs/{indicateur}/": 5,
    "/bilans/": 4,
    "/partenaires/": 3,
    "/marches/": 3,
    "/comites/": 2,
    "/recherche/?q=clause": 4,
    "/public/": 2,
    "/actions/export/?format=xlsx": 1,
}
ECRITURES = {"statut": 6, "note": 4}
# « Mes actions » n'est qu'à ceux qui en ont ; les écritures aussi.
SANS_ACTIONS = "lecteur"


@dataclass
class Releve:
    """`temps` : par page, en secondes ; `codes` : par code de réponse ; `memoire` : par processus, ses RSS en Mo."""

    temps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    codes: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    memoire: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    fautes: list[str] = field(default_factory=list)
    verrou: threading.Lock = field(default_factory=threading.Lock)

    def noter(self, page: str, duree: float, code: int) -> None:
        with self.verrou:
            self.temps[page].append(duree)
            self.codes[code] += 1

    def croissance(self) -> dict[int, tuple[float, float]]:
        """Par processus encore là : la mémoire moyenne du deuxième tiers, et du dernier, en Mo."""
        moyennes = {}
        for pid, suite in self.memoire.items():
            tiers = len(suite) // 3
            if tiers:
                moyennes[pid] = statistics.fmean(suite[tiers : 2 * tiers]), statistics.fmean(suite[2 * tiers :])
        return moyennes

    def tableau(self) -> str:
        """En Markdown, de la page la plus lente à la plus rapide."""
        lignes = ["| page | fois | p50 (ms) | p95 (ms) | max (ms) |", "|---|---:|---:|---:|---:|"]
        for page, temps in sorted(self.temps.items(), key=lambda paire: -centile(paire[1], 95)):
            nombres = (centile(temps, 50), centile(temps, 95), max(temps))
            lignes.append(f"| `{page}` | {len(temps)} | " + " | ".join(f"{t * 1000:.0f}" for t in nombres) + " |")
        tous = [t for temps in self.temps.values() for t in temps]
        nombres = (centile(tous, 50), centile(tous, 95), max(tous))
        lignes.append(f"| **tout** | {len(tous)} | " + " | ".join(f"**{t * 1000:.0f}**" for t in nombres) + " |")
        lignes += ["", "| processus | mémoire au départ (Mo) | deuxième tiers | dernier tiers | la plus haute |"]
        lignes.append("|---|---:|---:|---:|---:|")
        for rang, (pid, (avant, apres)) in enumerate(self.croissance().items(), 1):
            suite = self.memoire[pid]
            lignes.append(f"| {rang} | {suite[0]:.0f} | {avant:.1f} | {apres:.1f} | {max(suite):.1f} |")
        return "\n".join(lignes)


def centile(temps: list[float], pour_cent: int) -> float:
    ordonnes = sorted(temps)
    return ordonnes[min(len(ordonnes) - 1, len(ordonnes) * pour_cent // 100)]


def memoire(pid: int) -> float:
    """RSS en Mo (proc(5), statm : la deuxième valeur, en pages)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


class Charge:
    """`utilisateurs` personnes pendant `duree` secondes ; `reflexion` : entre combien et combien de secondes."""

    def __init__(self, site: Site, *, utilisateurs: int, duree: float, reflexion: tuple[float, float]) -> None:
        self.site, self.reflexion = site, reflexion
        self.utilisateurs, self.duree = utilisateurs, duree
        self.actions = [pk for (pk,) in site.lire("SELECT id FROM actions_action ORDER BY id")]
        self.indicateurs = [code for (code,) in site.lire("SELECT code FROM indicateurs_indicateur ORDER BY id")]
        self.releve = Releve()
        self.fin = threading.Event()

    def jouer(self) -> Releve:
        fils = [threading.Thread(target=self._vivre, args=(rang,), daemon=True) for rang in range(self.utilisateurs)]
        for fil in fils:
            fil.start()
        echeance = time.monotonic() + self.duree
        while (reste := echeance - time.monotonic()) > 0 and not self.releve.fautes:
            self.fin.wait(min(reste, max(0.5, self.duree / 120)))
            for pid in self.site.processus()[1:]:
                self.releve.memoire[pid].append(memoire(pid))
        self.fin.set()
        for fil in fils:
            fil.join(90)
        return self.releve

    def _vivre(self, rang: int) -> None:
        hasard = random.Random(rang)  # noqa: S311 - une charge qui se rejoue
        qui = ROLES[rang % len(ROLES)]
        client = Client(self.site, qui)
        # Tout le monde n'arrive pas à la même seconde.
        self.fin.wait(hasard.uniform(0, min(30.0, self.duree / 4)))
        try:
            self._mesurer("connexion", client.se_connecter)
            while not self.fin.is_set():
                self._agir(client, qui, hasard)
                self.fin.wait(hasard.uniform(*self.reflexion))
        except BaseException as faute:
            self.releve.fautes.append(f"{qui} : {faute!r}")

    def _agir(self, client: Client, qui: str, hasard: random.Random) -> None:
        choix: dict[str, int] = LECTURES if qui == SANS_ACTIONS else LECTURES | ECRITURES
        quoi = hasard.choices(list(choix), list(choix.values()))[0]
        action = hasard.choice(self.actions)
        if quoi == "statut":
            self._changer_un_statut(client, action)
        elif quoi == "note":
            self._noter(client, action, f"Vu en réunion, point {hasard.randrange(10**9)}.")
        elif not (quoi == "/mes-actions/" and qui == SANS_ACTIONS):
            chemin = quoi.format(action=action, indicateur=hasard.choice(self.indicateurs))
            self._mesurer(quoi, lambda: client.aller(chemin))

    def _changer_un_statut(self, client: Client, action: int) -> None:
        page = self._mesurer("/actions/{action}/statut/", lambda: client.aller(f"/actions/{action}/statut/"))
        if page.status_code == 200:
            formulaire = client.formulaire_de(page)
            self._mesurer("changer un statut", lambda: client.envoyer_le_statut(formulaire, "Fait en passant."))

    def _noter(self, client: Client, action: int, texte: str) -> None:
        chemin = f"/actions/{action}/note/"
        page = self._mesurer("/actions/{action}/note/", lambda: client.aller(chemin))
        if page.status_code == 200:
            champs = dict(re.findall(r'name="(version|date)"[^>]*value="([^"]*)"', page.text))
            champs |= {"csrfmiddlewaretoken": jeton(page), "texte": texte, "portee": "INTERNE"}
            self._mesurer("ajouter une note", lambda: client.envoyer(chemin, champs))

    def _mesurer(self, page: str, demander: Callable):
        debut = time.monotonic()
        reponse = demander()
        self.releve.noter(page, time.monotonic() - debut, getattr(reponse, "status_code", 200))
        if getattr(reponse, "status_code", 200) >= 500:
            raise AssertionError(f"{page} : {reponse.status_code} {reponse.text[:500]}")
        return reponse
