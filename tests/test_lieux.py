"""Un lieu est d'un territoire, n'en est pas, ou ne se sait pas."""

from dataclasses import dataclass, field

import pytest

from marches.communes import communes_du_code_postal
from marches.lieux import local
from marches.reponses import Reponse

OUI, NON, INCONNU = Reponse.OUI, Reponse.NON, Reponse.INCONNU


@dataclass
class Territoire:
    communes: list[str] = field(default_factory=list)
    departements: list[str] = field(default_factory=list)


PAYS_DE_L_OR = Territoire(["34050", "34127", "34154", "34176", "34192", "34240", "34321", "34344"])
MAUGUIO = Territoire(["34154"])
HERAULT = Territoire(departements=["34"])
MAUGUIO_ET_GARD = Territoire(["34154"], ["30"])


@pytest.mark.parametrize(
    ("code_postal", "territoire", "reponse"),
    [
        ("34130", PAYS_DE_L_OR, OUI),
        ("34130", MAUGUIO, INCONNU),
        ("34000", PAYS_DE_L_OR, NON),
        ("34130", HERAULT, OUI),
        ("30000", HERAULT, NON),
        ("30000", MAUGUIO_ET_GARD, OUI),
    ],
)
def test_un_code_postal_est_local_si_toutes_ses_communes_le_sont(code_postal, territoire, reponse):
    assert local(communes_du_code_postal(code_postal), "", territoire) == reponse


@pytest.mark.parametrize(
    ("commune", "territoire", "reponse"),
    [
        ("34154", PAYS_DE_L_OR, OUI),
        ("34172", PAYS_DE_L_OR, NON),
        ("34172", HERAULT, OUI),
        ("75108", Territoire(["75056"]), OUI),
        ("75056", Territoire(["75108"]), OUI),
        ("30189", MAUGUIO_ET_GARD, OUI),
        ("99999", PAYS_DE_L_OR, NON),
    ],
)
def test_une_commune_connue_repond_directement(commune, territoire, reponse):
    assert local(frozenset({commune}), "", territoire) == reponse


@pytest.mark.parametrize("communes", [None, frozenset()])
@pytest.mark.parametrize(
    ("departement", "territoire", "reponse"),
    [
        ("34", HERAULT, OUI),
        ("30", HERAULT, NON),
        ("34", PAYS_DE_L_OR, INCONNU),
        ("75", PAYS_DE_L_OR, INCONNU),
        ("30", MAUGUIO_ET_GARD, OUI),
        ("75", MAUGUIO_ET_GARD, INCONNU),
        ("", HERAULT, INCONNU),
    ],
)
def test_un_departement_seul_ne_repond_qu_a_un_territoire_de_departements(communes, departement, territoire, reponse):
    assert local(communes, departement, territoire) == reponse
