"""Sur le site synthétique, chaque nombre de la page d'un indicateur mène à une liste dont le compte, ou la somme, est
ce nombre."""

import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client

from comptes.models import Utilisateur
from indicateurs.models import Indicateur
from tests.site_complet import horloge, site_du_fichier

__all__ = ["horloge", "site_du_fichier"]

pytestmark = pytest.mark.xdist_group("demo_complet_registres")

LIEN = re.compile(r'<a class="nombre-lie" href="(?P<adresse>/marches/resultats/[^"]+)">(?P<texte>[^<]+)<')
# Ce qu'une somme prend d'une ligne : sa part quand le montant se partage, sinon son montant.
MONTANTS = ("Montant compté", "Montant HT", "Montant")


@pytest.fixture(autouse=True)
def site(site_du_fichier, db) -> None:
    """Chaque essai lit le site du fichier."""


@pytest.fixture
def visite() -> Client:
    client = Client()
    client.force_login(Utilisateur.objects.get(username="lecteur"))
    return client


def lire(client: Client, adresse: str) -> str:
    reponse = client.get(adresse)
    assert reponse.status_code == 200, adresse
    return unescape(reponse.content.decode())


def en_nombre(texte: str) -> Decimal:
    return Decimal(re.sub(r"[^\d,-]", "", texte.replace("−", "-")).replace(",", "."))


def lignes(client: Client, adresse: str) -> Iterator[dict[str, str]]:
    """Toutes celles de la liste, page après page ; la dernière se répète quand on la dépasse."""
    liaison, precedente = "&" if "?" in adresse else "?", None
    for numero in range(1, 100):
        corps = lire(client, f"{adresse}{liaison}page={numero}").partition("<tbody>")[2].partition("</tbody>")[0]
        if corps == precedente:
            return
        precedente = corps
        for rangee in corps.split("<tr>")[1:]:
            cellules = re.findall(r'<td data-libelle="([^"]+)"[^>]*>(.*?)</td>', rangee, re.S)
            yield {titre: re.sub(r"<[^>]+>", "", texte) for titre, texte in cellules}


def test_chaque_nombre_d_un_indicateur_est_le_compte_ou_la_somme_de_sa_liste(visite):
    suivis: dict[str, str] = {}
    for indicateur in Indicateur.objects.all():
        for lien in LIEN.finditer(lire(visite, indicateur.get_absolute_url())):
            assert suivis.setdefault(lien["adresse"], lien["texte"]) == lien["texte"]
    assert len(suivis) >= 30
    for adresse, texte in suivis.items():
        liste = list(lignes(visite, adresse))
        assert liste, f"{adresse} est vide"
        if "€" in texte:
            montant = next(titre for titre in MONTANTS if titre in liste[0])
            trouve = sum((en_nombre(ligne[montant]) for ligne in liste), Decimal(0))
        else:
            trouve = Decimal(len(liste))
        assert trouve == en_nombre(texte), adresse
