"""Les territoires livrés : huit, trente et une et trente-neuf communes ; les charger ne défait rien."""

import pytest
from django.core.management import call_command

from marches.models import Territoire

pytestmark = pytest.mark.django_db


def test_les_trois_territoires_se_chargent_et_le_grand_reunit_les_deux_autres():
    call_command("charger_territoires", verbosity=0)
    communes = sorted((set(t.communes) for t in Territoire.objects.all()), key=len)
    assert [len(c) for c in communes] == [8, 31, 39]
    assert communes[2] == communes[0] | communes[1]


def test_les_charger_de_nouveau_ne_change_rien():
    call_command("charger_territoires", verbosity=0)
    change = Territoire.objects.order_by("pk").first()
    change.nom = "Renommé ici"
    change.save()
    call_command("charger_territoires", verbosity=0)
    assert (Territoire.objects.count(), Territoire.objects.get(pk=change.pk).nom) == (3, "Renommé ici")
