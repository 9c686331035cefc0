"""Un compte, un service, se retrouvent par ce qu'on en tape ; ce qui ne se comprend pas se dit."""

import pytest
from django.core.exceptions import ValidationError

from actions.annuaire import Annuaire
from tests import fabriques

pytestmark = pytest.mark.django_db


def camille(**champs):
    return fabriques.utilisateur(**{"prenom": "Camille", "nom": "Martin", **champs})


def refus(chercher, texte, *deja) -> str:
    with pytest.raises(ValidationError) as erreur:
        chercher(texte, *deja)
    return erreur.value.messages[0]


@pytest.mark.parametrize(
    "texte",
    ["Camille Martin", "  camille   MARTIN ", "Cámille Martin", "Martin Camille", "c.martin", "C.Martin@Agglo.FR"],
)
def test_un_compte_se_reconnait_a_son_nom_son_identifiant_ou_son_courriel(texte):
    compte = camille(username="c.martin", courriel="c.martin@agglo.fr")
    assert Annuaire.lire().compte(texte) == compte


def test_rien_d_ecrit_ne_designe_personne():
    assert (Annuaire.lire().compte("  "), Annuaire.lire().service("")) == (None, None)


def test_un_nom_inconnu_propose_ceux_qui_lui_ressemblent():
    camille()
    phrase = refus(Annuaire.lire().compte, "Camile Martin")
    assert "«\u00a0Camile Martin\u00a0» n'est ni le nom, ni l'identifiant, ni le courriel d'un compte" in phrase
    assert "Peut-être : Camille Martin" in phrase


def test_deux_homonymes_se_distinguent_par_leur_identifiant():
    premiere, seconde = camille(username="cm1"), camille(username="cm2")
    annuaire = Annuaire.lire()
    phrase = refus(annuaire.compte, "Camille Martin")
    assert "Camille Martin (cm1), Camille Martin (cm2)" in phrase
    assert annuaire.compte("Camille Martin (cm2)") == seconde
    assert annuaire.compte("cm1") == premiere
    assert [p.texte for p in annuaire.comptes] == ["Camille Martin (cm1)", "Camille Martin (cm2)"]


def test_un_compte_desactive_n_est_pas_propose_mais_reste_ou_il_est():
    parti = camille(is_active=False)
    annuaire = Annuaire.lire()
    assert annuaire.comptes == []
    assert refus(annuaire.compte, "Camille Martin").endswith("est un compte désactivé.")
    assert annuaire.compte("Camille Martin", parti) == parti


def test_un_service_se_reconnait_a_son_nom_ou_a_son_sigle():
    achats = fabriques.service("Direction des achats")
    achats.sigle = "DA"
    achats.save()
    annuaire = Annuaire.lire()
    assert annuaire.service("direction des ACHATS") == annuaire.service("da") == achats
    assert "Peut-être : Direction des achats" in refus(annuaire.service, "Direction des achat")


def test_un_service_desactive_n_est_pas_propose_mais_reste_ou_il_est():
    voirie = fabriques.service("Voirie")
    voirie.actif = False
    voirie.save()
    annuaire = Annuaire.lire()
    assert annuaire.services == []
    assert refus(annuaire.service, "voirie").endswith("est un service désactivé.")
    assert annuaire.service("voirie", voirie) == voirie


def test_un_sigle_partage_nomme_les_services():
    for nom in ("Écoles", "Espaces verts"):
        service = fabriques.service(nom)
        service.sigle = "E"
        service.save()
    assert "Espaces verts, Écoles" in refus(Annuaire.lire().service, "e").replace(
        "Écoles, Espaces verts", "Espaces verts, Écoles"
    )


def test_l_annuaire_se_lit_en_deux_requetes(django_assert_num_queries):
    camille()
    fabriques.service("Achats")
    with django_assert_num_queries(2):
        annuaire = Annuaire.lire()
        annuaire.compte("Camille Martin")
        annuaire.service("achats")
        assert annuaire.comptes
        assert annuaire.services
