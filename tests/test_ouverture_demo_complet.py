"""Sur le site synthétique, chaque nombre de chaque page d'indicateur mène à la liste qu'il compte."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.test import Client

from comptes.models import Utilisateur
from indicateurs.models import Indicateur
from socle.formats import lire_nombre
from tests.site_complet import horloge, site_du_fichier
from tests.visites import client_de

__all__ = ["horloge", "site_du_fichier"]

# Le décor s'écrit une fois : tout le fichier va au même ouvrier.
pytestmark = [pytest.mark.xdist_group("ouverture_demo_complet"), pytest.mark.django_db]

LIEN = re.compile(r'href="(/marches/resultats/[^"]+)">([^<]+)<')
# Une somme se fait sur la première de ces colonnes que le fichier a.
MONTANTS = ("Montant compté", "Montant HT", "Montant")


@dataclass(frozen=True)
class Nombre:
    """Un nombre d'une page, et l'adresse de sa liste."""

    adresse: str
    ecrit: str

    @property
    def valeur(self) -> Decimal:
        return lire_nombre(self.ecrit.removesuffix("€").strip())

    @property
    def en_euros(self) -> bool:
        return self.ecrit.endswith("€")

    @property
    def export(self) -> str:
        adresse = urlsplit(self.adresse)
        return f"{adresse.path}export/?format=csv&{adresse.query}"


def nombres(client: Client) -> Iterator[Nombre]:
    """Ceux de toutes les pages d'indicateur, chacun une fois."""
    vus = set()
    for indicateur in Indicateur.objects.all():
        page = client.get(indicateur.get_absolute_url()).content.decode()
        vus |= {Nombre(unescape(adresse), unescape(ecrit).strip()) for adresse, ecrit in LIEN.findall(page)}
    yield from sorted(vus, key=lambda nombre: nombre.adresse)


def compter(client: Client, nombre: Nombre) -> tuple[Decimal, Decimal]:
    """Le nombre de lignes du fichier, ou la somme de ses montants ; et ce dont l'arrondi au centime de chaque ligne
    l'écarte au plus."""
    texte = client.get(nombre.export).content.decode("utf-8-sig")
    lignes = list(csv.DictReader(io.StringIO(texte), delimiter=";"))
    if not nombre.en_euros:
        return Decimal(len(lignes)), Decimal(0)
    colonne = next(titre for titre in MONTANTS if titre in lignes[0])
    somme = sum((Decimal(ligne[colonne].replace(",", ".").lstrip("'")) for ligne in lignes), Decimal(0))
    return somme, Decimal("0.005") * len(lignes)


@pytest.fixture
def client(site_du_fichier) -> Client:
    return client_de(Utilisateur.objects.get(username="lecteur"))


def test_chaque_nombre_est_le_compte_ou_la_somme_de_sa_liste(client):
    trouves = list(nombres(client))
    assert len(trouves) >= 30
    ecarts = {}
    for nombre in trouves:
        compte, tolerance = compter(client, nombre)
        if abs(compte - nombre.valeur) > tolerance:
            ecarts[nombre] = compte
    assert ecarts == {}


def test_aucun_lien_ne_mene_a_une_liste_vide(client):
    for nombre in nombres(client):
        page = client.get(nombre.adresse)
        assert page.status_code == 200
        assert page.context["lignes"], nombre
