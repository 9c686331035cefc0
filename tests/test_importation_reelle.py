"""Les DECP publiées, importées pour de bon : les comptes, la reprise, et l'ordre des fichiers."""

import json
from decimal import Decimal

import pytest

from marches.importation import importer
from marches.models import Contrat, EnregistrementDecp, RefusDecp
from tests.test_decp_reelles import AIFE, AWS, DOSSIER, E_MARCHES, TABULAIRE, pytestmark

__all__ = ["pytestmark"]

SIREN = "243400470"
# lus, retenus, doublons, refuses, marches : les fichiers pris dans cet ordre, tous acheteurs.
ATTENDUS = {
    AWS: (4509, 4509, 0, 0, 4509),
    AIFE: (4530, 4362, 167, 1, 4344),
    E_MARCHES: (470, 468, 2, 0, 467),
    TABULAIRE: (8957, 8957, 0, 0, 5180),
}
SANS_DATE = 2533


def empreintes() -> list[str]:
    return sorted(Contrat.objects.en_vigueur().values_list("empreinte", flat=True))


@pytest.mark.django_db
def test_tous_les_acheteurs_puis_une_seconde_fois_dans_l_autre_ordre():
    premiers = {nom: importer(DOSSIER / nom) for nom in ATTENDUS}
    assert {
        nom: (fait.lus, fait.retenus, fait.doublons, fait.refuses, fait.marches) for nom, fait in premiers.items()
    } == ATTENDUS
    assert list(RefusDecp.objects.values_list("import_decp__nom", "position", "motif")) == [
        (AIFE, 2437, "sans_acheteur")
    ]
    # Une date qui manque se signale et ne se refuse pas ; celui sans acheteur n'en a pas non plus.
    sans_date = [marche for marche in json.loads((DOSSIER / AIFE).read_bytes())["marches"] if not date_de(marche)]
    assert len(sans_date) == SANS_DATE
    assert Contrat.objects.en_vigueur().filter(date__isnull=True).count() > 2000

    etat = empreintes()
    for nom in reversed(ATTENDUS):
        fait = importer(DOSSIER / nom)
        attendus = premiers[nom].retenus + premiers[nom].doublons
        assert (fait.retenus, fait.mis_a_jour, fait.doublons) == (0, 0, attendus)
    assert empreintes() == etat

    for table in (Contrat, RefusDecp, EnregistrementDecp):
        table.objects.all().delete()
    for nom in reversed(ATTENDUS):
        importer(DOSSIER / nom)
    assert empreintes() == etat


def date_de(marche):
    return marche.get("dateNotification")


@pytest.mark.django_db
def test_les_deux_contrats_de_l_acheteur():
    fait = importer(DOSSIER / AWS, sirens=[SIREN])
    assert (fait.lus, fait.retenus, fait.autres_acheteurs) == (4509, 2, 4507)
    montants = Contrat.objects.en_vigueur().order_by("montant").values_list("montant", flat=True)
    assert list(montants) == [Decimal(23_900), Decimal(30_000)]
