"""Ce qui s'écrit au registre refait ses calculs, après la transaction, et une seule fois par page."""

import datetime

import pytest
from django.db import transaction

from comptes.droits import Role
from comptes.models import Collectivite, Siren
from marches.models import Consultation, ResultatDeCalcul
from marches.recalculs import en_un_seul_recalcul, registre_change
from tests import fabriques

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SIREN = "123456789"
JOUR = datetime.date(2024, 3, 1)


@pytest.fixture
def auteur(groupes_des_roles):
    collectivite = Collectivite.objects.create(nom="Collectivité d'essai")
    Siren.objects.create(collectivite=collectivite, numero=SIREN)
    return fabriques.utilisateur(Role.RESPONSABLE)


def creer(auteur, numero="2024-1", **lot):
    return Consultation.objects.creer(
        {"numero": numero, "objet": "Voirie", "siren": SIREN},
        [{"suite": "NOTIFIE", "date_de_suite": JOUR, **lot}],
        auteur=auteur,
    )


def finalisees():
    courants = ResultatDeCalcul.objects.filter(code="consultations_finalisees", debut=JOUR.replace(month=1, day=1))
    dernier = courants.filter(fin=datetime.date(2024, 12, 31)).order_by("-calcule_le", "-pk").first()
    return dernier and int(dernier.valeur)


def test_creer_modifier_allotir_et_oter_un_lot_refont_le_nombre(auteur):
    consultation = creer(auteur)
    assert finalisees() == 1
    lot = consultation.lots.get()
    lot.modifier({"suite": "ATTRIBUE", "date_de_suite": None}, auteur=auteur, version=lot.version)
    assert finalisees() == 0
    lot.modifier({"suite": "NOTIFIE", "date_de_suite": JOUR}, auteur=auteur, version=lot.version)
    second = consultation.ajouter_un_lot({"numero": "2"}, auteur=auteur)
    assert finalisees() == 0
    second.retirer(auteur=auteur)
    assert finalisees() == 1


def test_une_transaction_defaite_ne_refait_rien(auteur):
    creer(auteur)
    avant = ResultatDeCalcul.objects.count()
    with transaction.atomic():
        creer(auteur, "2024-2")
        transaction.set_rollback(True)
    assert (finalisees(), ResultatDeCalcul.objects.count()) == (1, avant)


def test_plusieurs_ecritures_d_une_page_ne_calculent_qu_une_fois(auteur, django_assert_num_queries):
    creer(auteur)
    with en_un_seul_recalcul():
        for _ in range(3):
            with django_assert_num_queries(3), transaction.atomic():
                registre_change()
                Consultation.objects.count()
    assert finalisees() == 1


def test_rien_d_ecrit_rien_de_refait(auteur, django_assert_num_queries):
    with django_assert_num_queries(0), en_un_seul_recalcul():
        pass
