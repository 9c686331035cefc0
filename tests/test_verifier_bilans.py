"""`manage.py verifier_bilans` : ce qui est arrêté est resté tel qu'il l'a été, à l'octet près."""

import datetime
import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models

from bilans.contenu.canonique import ecrire, empreinte, relire
from bilans.contenu.schema import Portee
from bilans.models import Bilan, PdfDeVersion, VersionDeBilan
from tests import fabriques
from tests.decor_suivi import UN_PDF
from tests.fabriques_bilans import bilan_arrete, bilan_publie

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    """Un plan dont le bilan 2023 a deux versions, la première publiée, avec leur PDF."""
    plan = fabriques.plan(intitule="Plan d'essai", annee_debut=2022)
    fabriques.action(plan, intitule="Former les acheteurs")
    bilan_publie(plan)
    bilan_arrete(plan)
    for version in VersionDeBilan.objects.all():
        PdfDeVersion.objects.create(version=version, contenu=UN_PDF, empreinte=empreinte(UN_PDF))
    return plan


def verifier(**options) -> tuple[str, list[str]]:
    """Ce que la commande dit, et ses problèmes."""
    sortie, erreurs = io.StringIO(), io.StringIO()
    try:
        call_command("verifier_bilans", stdout=sortie, stderr=erreurs, **options)
    except CommandError as refus:
        return str(refus).replace("\u00a0", " "), erreurs.getvalue().splitlines()
    return sortie.getvalue().strip().replace("\u00a0", " "), []


REMPLACER = {
    "interne": "UPDATE bilans_versiondebilan SET contenu_interne = REPLACE(contenu_interne, %s, %s) WHERE rang = 2",
    "public": "UPDATE bilans_versiondebilan SET contenu_public = REPLACE(contenu_public, %s, %s) WHERE rang = 2",
}


def remplacer(portee: str, avant: str, apres: str) -> None:
    """Change un contenu de la version 2 dans la base, sans passer par le site."""
    with connection.cursor() as curseur:
        curseur.execute(REMPLACER[portee], [avant, apres])


def nu(modele: type[models.Model]) -> models.QuerySet:
    """Sans les garde-fous de son manager."""
    return models.QuerySet(modele)


def test_des_bilans_intacts_se_verifient(plan):
    assert verifier() == ("2 versions arrêtées : tout se vérifie.", [])


def test_sans_bilan_tout_se_verifie():
    assert verifier() == ("0 version arrêtée : tout se vérifie.", [])


@pytest.mark.parametrize("portee", ["interne", "public"])
def test_un_octet_change_dans_un_contenu_se_trouve(plan, portee):
    remplacer(portee, "Former les acheteurs", "Fermer les acheteurs")
    assert verifier() == (
        "1 problème.",
        [f"Plan « Plan d'essai », bilan 2023, version 2 : le contenu {portee} a changé depuis l'arrêt."],
    )


def test_un_octet_change_dans_le_pdf_se_trouve(plan):
    nu(PdfDeVersion).filter(version__rang=1).update(contenu=UN_PDF.replace(b"1.7", b"1.6"))
    assert verifier()[1] == ["Plan « Plan d'essai », bilan 2023, version 1 : le PDF a changé depuis l'arrêt."]


@pytest.mark.parametrize("champ", ["empreinte_interne", "empreinte_publique"])
def test_une_empreinte_changee_se_trouve(plan, champ):
    nu(VersionDeBilan).filter(rang=2).update(**{champ: "0" * 64})
    assert len(verifier()[1]) == 1


def reecrire(**contenu) -> None:
    """Le contenu interne de la version 2, changé avec son empreinte : seule sa lecture peut le trahir."""
    version = VersionDeBilan.objects.get(rang=2)
    texte = ecrire(relire(version.contenu_interne) | contenu)
    nu(VersionDeBilan).filter(pk=version.pk).update(contenu_interne=texte, empreinte_interne=empreinte(texte))


def test_un_contenu_qui_n_est_plus_canonique_se_trouve(plan):
    texte = VersionDeBilan.objects.get(rang=2).texte(Portee.INTERNE).replace(",", ", ", 1)
    nu(VersionDeBilan).filter(rang=2).update(contenu_interne=texte, empreinte_interne=empreinte(texte))
    assert verifier()[1] == [
        "Plan « Plan d'essai », bilan 2023, version 2 : le contenu interne n'est pas écrit sous sa forme canonique."
    ]


def test_un_contenu_qui_n_est_plus_du_json_se_trouve(plan):
    nu(VersionDeBilan).filter(rang=2).update(contenu_interne="{", empreinte_interne=empreinte("{"))
    assert "n'est plus un objet JSON" in verifier()[1][0]


def test_un_schema_que_le_site_ne_connait_pas_se_trouve(plan):
    reecrire(schema=99)
    assert "est du schéma 99, que cette version du site ne sait pas lire" in verifier()[1][0]


def test_un_contenu_a_qui_il_manque_une_partie_se_trouve(plan):
    reecrire(actions=[{"cle": 1}])
    assert "ne se lit plus" in verifier()[1][0]


def test_le_contenu_d_une_autre_version_se_trouve(plan):
    premiere = VersionDeBilan.objects.get(rang=1)
    nu(VersionDeBilan).filter(rang=2).update(
        contenu_interne=premiere.contenu_interne, empreinte_interne=premiere.empreinte_interne
    )
    assert "est celui d'un autre bilan ou d'une autre version" in verifier()[1][0]


def test_le_contenu_d_un_autre_plan_se_trouve(plan):
    """La même année, le même rang, et des empreintes justes : seul le moment de l'arrêt les distingue."""
    autre = bilan_arrete(fabriques.plan(intitule="Autre plan", annee_debut=2022))
    avant = autre.arretee_le - datetime.timedelta(hours=1)
    nu(VersionDeBilan).filter(pk=autre.pk).update(arretee_le=avant)
    assert verifier(plan=autre.bilan.plan.slug)[1] == [
        f"Plan « Autre plan », bilan 2023, version 1 : le contenu {portee} est celui d'un autre bilan ou d'une autre "
        "version."
        for portee in ("interne", "public")
    ]


def test_un_rang_manquant_se_trouve(plan):
    nu(VersionDeBilan).filter(rang=2).update(rang=3)
    assert "Plan « Plan d'essai », bilan 2023 : les versions ne se suivent pas (1, 3)." in verifier()[1]


def test_la_version_publiee_d_un_autre_bilan_se_trouve(plan):
    autre = bilan_arrete(fabriques.plan(intitule="Autre plan", annee_debut=2022))
    nu(Bilan).filter(plan=plan).update(version_publiee=autre)
    assert verifier()[1] == [
        "Plan « Plan d'essai », bilan 2023 : la version publiée est celle d'un autre bilan (Bilan 2023, Autre plan)."
    ]


def test_un_seul_plan_se_verifie(plan):
    autre = fabriques.plan(intitule="Autre plan", annee_debut=2022)
    bilan_arrete(autre)
    remplacer("interne", "Former", "Fermer")
    assert verifier(plan=autre.slug) == ("1 version arrêtée : tout se vérifie.", [])
    assert verifier(plan=plan.slug)[0] == "1 problème."
    assert verifier(plan="inconnu")[0] == "Aucun plan ne porte le nom « inconnu »."
