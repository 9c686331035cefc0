"""Ce qu'une page disait un jour, elle le redit, relue plus tard telle que saisie ce jour-là.

Le rejeu est le plus naïf qui soit : la page elle-même, gardée au moment où elle a été montrée.
"""

import csv
import datetime
import io
import re
from html import unescape

from django.test import Client
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from actions.models import Action, Axe, NoteDeSuivi
from actions.statuts import PointAttention, Priorite, Statut
from indicateurs.models import Cible, Indicateur, ValeurAnnuelle
from socle.echeances import Echeance, Precision
from socle.formats import formater_date
from tests import fabriques
from tests.horloge import Horloge, horloge_au

# Une adresse, et ce qui s'y lit (voir `lire`).
PAGES = (
    "/",
    "/actions/?presence=toutes",
    "/actions/?q=clause&sort=axe",
    "/actions/?partenaire=reseau&sort=-intitule",
    "/actions/?priorite=HAUTE&sort=pilote",
    "/actions/?attention=oui&sort=service_pilote",
    "/actions/export/?format=csv",
    "/indicateurs/",
    "/indicateurs/?sans_valeur=2026",
    "/indicateurs/export/?format=csv",
    "/actions/{pk}/?chronologie=entiere",
    "/partenaires/reseau/",
)
MOTS = ("Une clause sociale", "Un sourcing", "Le SPASER", "Former à la clause")


class Monde:
    """De quoi saisir : chaque geste change une chose, et l'horloge avance."""

    def __init__(self, horloge: Horloge) -> None:
        self.horloge = horloge
        self.plan = fabriques.plan(intitule="Plan d'essai", slug="essai")
        self.services = [fabriques.service("Achats"), fabriques.service("Énergie")]
        self.pilotes = [fabriques.utilisateur(nom=nom, prenom="Camille") for nom in ("Abad", "Zola")]
        self.axes = [Axe.objects.create(plan=self.plan, code=str(n), intitule=f"Axe {n}", ordre=n) for n in (1, 2)]
        self.partenaire = fabriques.partenaire("Réseau", slug="reseau")
        self.actions = [fabriques.action(self.plan, intitule=MOTS[n], date_effet=self.hier) for n in range(2)]
        self.indicateurs = [fabriques.indicateur(self.plan, code=f"i{n}", intitule=f"Indicateur {n}") for n in (1, 2)]

    @property
    def hier(self) -> datetime.date:
        return self.horloge.maintenant.date() - datetime.timedelta(days=1)

    def faire(self, geste: str, n: int) -> None:
        getattr(self, geste)(Action.objects.get(pk=self.actions[n % len(self.actions)].pk), n)

    def statut(self, action: Action, n: int) -> None:
        statut = list(Statut)[n % 3]
        if statut != action.statut:
            action.changer_statut(statut, auteur=None, version=action.version)

    def echeance(self, action: Action, n: int) -> None:
        echeance = Echeance(datetime.date(2025 + n % 3, 6, 30), Precision.JOUR)
        if echeance != action.valeur_echeance:
            action.reporter_echeance(echeance, auteur=None, version=action.version, motif="Décidé en comité.")

    def reecrire(self, action: Action, n: int) -> None:
        action.intitule = MOTS[n % len(MOTS)]
        action.priorite = (Priorite.HAUTE, Priorite.BASSE, "")[n % 3]
        action.service_pilote = (*self.services, None)[n % 3]
        action.pilote = (*self.pilotes, None)[n % 3]
        action.axe = (*self.axes, None)[n % 3]
        action.save()

    def signaler(self, action: Action, n: int) -> None:
        action.signaler(*((PointAttention.ARBITRAGE, f"Arbitrer {n}") if n % 2 else ("", "")), version=action.version)

    def lier(self, action: Action, n: int) -> None:
        lien = action.participations.filter(partenaire=self.partenaire).first()
        if lien is None:
            action.participations.create(partenaire=self.partenaire)
        else:
            lien.delete()

    def noter(self, action: Action, n: int) -> None:
        action.noter(f"Note {n} sur la clause", auteur=None)

    def creer(self, action: Action, n: int) -> None:
        self.actions.append(fabriques.action(self.plan, intitule=MOTS[n % len(MOTS)], date_effet=self.hier))

    def retirer(self, action: Action, n: int) -> None:
        if action.presence == "RETRAIT":
            action.remettre(auteur=None, version=action.version, date_effet=self.horloge.maintenant.date())
        else:
            action.retirer(
                auteur=None, version=action.version, date_effet=self.horloge.maintenant.date(), motif="Remplacée"
            )

    def renommer(self, action: Action, n: int) -> None:
        axe = Axe.objects.get(pk=self.axes[n % 2].pk)
        axe.intitule = f"Axe {axe.pk} renommé {n}"
        axe.save()
        self.partenaire.nom = f"Réseau {n}"
        self.partenaire.save()

    def valoir(self, action: Action, n: int) -> None:
        indicateur = self.indicateurs[n % 2]
        valeur = ValeurAnnuelle.objects.filter(indicateur=indicateur, annee=2025).first()
        valeur = valeur or ValeurAnnuelle(indicateur=indicateur, annee=2025)
        valeur.valeur, valeur.remarque = 10 * n, f"Remarque {n}"
        valeur.enregistrer()

    def viser(self, action: Action, n: int) -> None:
        indicateur = Indicateur.objects.get(pk=self.indicateurs[n % 2].pk)
        cible = Cible.objects.filter(indicateur=indicateur).first()
        cible = cible or Cible(indicateur=indicateur, annee=2026, valeur=0)
        cible.valeur = n
        cible.save()
        indicateur.intitule = f"Indicateur {indicateur.pk} version {n}"
        indicateur.actions.set([action] if n % 2 else [])
        indicateur.save()


GESTES = [nom for nom in vars(Monde) if not nom.startswith("_") and nom not in ("faire", "hier")]


def lire(client: Client, adresse: str, jour: datetime.date) -> list[str]:
    """Ce que la page dit du plan, sans ce qui dit de quel jour on la regarde."""
    reponse = client.get(adresse)
    assert reponse.status_code == 200, (adresse, reponse.content.decode()[:2000])
    if "/export/" in adresse:
        lignes = csv.DictReader(io.StringIO(reponse.content.decode("utf-8-sig")), delimiter=";")
        return [str({nom: cellule for nom, cellule in ligne.items() if nom != "Version"}) for ligne in lignes]
    corps = reponse.content.decode().partition("<main")[2].partition("</main>")[0]
    if adresse.startswith("/?") or adresse == "/":
        corps = corps.partition("</header>")[2]
    for a_part in (
        r"<form\b.*?</form>",
        r"<p class=.alert.*?</p>",
        r"<details.class=.filtres.*?</details>",
        r"<p class=.bandeau.*?</p>",
    ):
        corps = re.sub(a_part, " ", corps, flags=re.DOTALL)
    corps = re.sub(r'<ul class="filtres-poses".*?</ul>', " ", corps, flags=re.DOTALL)
    corps = re.sub(r'<p class="prochain-pas".*?</p>', " ", corps, flags=re.DOTALL)
    corps = re.sub(r'<script type="application/json".*?</script>', " ", corps, flags=re.DOTALL)
    texte = " ".join(unescape(re.sub(r"<[^>]+>", " ", corps)).split())
    texte = re.sub(r", situation au \d+\w* \w+ \d{4}", "", texte).replace(formater_date(jour), "à ce jour")
    return texte.split(" ")


class HistoiresQuelconques(TestCase):
    """Une classe, pour que chaque exemple d'hypothesis ait sa transaction, annulée ensuite."""

    @settings(max_examples=2, phases=[Phase.explicit, Phase.reuse, Phase.generate])
    # Chaque geste une fois : ce que le hasard, avec si peu d'exemples, pourrait ne pas tirer.
    @example([(geste, n % 3 + 1) for n, geste in enumerate(GESTES)])
    @given(gestes=st.lists(st.tuples(st.sampled_from(GESTES), st.integers(0, 5)), min_size=2, max_size=4))
    def test_une_page_relue_redit_ce_qu_elle_disait(self, gestes):
        with horloge_au(2026, 1, 5) as horloge:
            lecteur = fabriques.utilisateur("lecteur")
            monde = Monde(horloge)
            pages = [page.format(pk=monde.actions[0].pk) for page in PAGES]
            gardees = []
            for geste, n in gestes:
                horloge.avancer(days=1, minutes=7)
                monde.faire(geste, n)
                horloge.avancer(seconds=1)
                client = Client()
                client.force_login(lecteur)
                moment = horloge.maintenant
                gardees.append((moment, {page: lire(client, page, moment.date()) for page in pages}))
                horloge.avancer(seconds=1)
            horloge.avancer(days=30)
            client = Client()
            client.force_login(lecteur)
            for moment, contenus in gardees:
                for page, contenu in contenus.items():
                    suite = f"{'&' if '?' in page else '?'}saisi_au={moment:%Y-%m-%dT%H:%M:%S}"
                    assert lire(client, f"{page}{suite}", moment.date()) == contenu, (page, moment)
            assert NoteDeSuivi.objects.count() == sum(1 for geste, _ in gestes if geste == "noter")
