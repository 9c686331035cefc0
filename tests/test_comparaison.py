"""Les mêmes calculs pour d'autres acheteurs importés, côte à côte, avec ce que les DECP ne disent pas."""

import datetime
import re
from html import unescape

import pytest
from django.urls import reverse

from comptes.droits import Role
from comptes.models import Collectivite, Siren
from marches.comparaison import acheteurs_importes
from marches.reponses import Reponse
from tests import fabriques
from tests.fabriques_decp import AUTRE_SIREN, SIREN, contrat, territoire
from tests.visites import client_de

PAGE = "marches:comparaison"
DEUX = f"?avec={AUTRE_SIREN}&de=2023&a=2024"


@pytest.fixture
def client(db):
    collectivite = Collectivite.objects.create(nom="Collectivité d'essai")
    Siren.objects.create(collectivite=collectivite, numero=SIREN)
    for reponse in (Reponse.OUI, Reponse.NON, Reponse.INCONNU):
        contrat(environnement=reponse)
    for reponse in (Reponse.OUI, Reponse.OUI):
        contrat(siren=AUTRE_SIREN, acheteur="Métropole d'essai", environnement=reponse)
    contrat(siren=AUTRE_SIREN, acheteur="Métropole d'essai", date=datetime.date(2023, 6, 1))
    return client_de(fabriques.utilisateur(Role.LECTEUR))


def cases(client, code: str, requete: str = DEUX) -> dict[int, list[str]]:
    """Par année, le chiffre de chaque acheteur."""
    tableaux = client.get(reverse(PAGE) + requete).context["tableaux"]
    (tableau,) = [t for t in tableaux if t.calcul.code == code]
    return {ligne.annee: [case.texte or case.absence for case in ligne.cases] for ligne in tableau.lignes}


def test_chaque_acheteur_a_sa_colonne_et_chaque_annee_sa_ligne(client):
    assert cases(client, "marches_notifies") == {2024: ["3", "2"], 2023: ["0", "1"]}


def test_une_part_dit_de_quoi_elle_est_faite_et_avertit_sous_80_pour_cent(client):
    assert cases(client, "part_environnementale_nombre")[2024] == ["50,0\u00a0%", "100,0\u00a0%"]
    page = unescape(client.get(reverse(PAGE) + DEUX).content.decode())
    assert "1 / 2, part renseignée 67\u00a0%" in page
    assert "moins de 80" in page


def test_avant_2024_une_consideration_n_existe_pas(client):
    assert set(cases(client, "part_environnementale_nombre")[2023]) == {"Donnée inexistante avant 2024."}


def test_une_part_locale_ne_se_compare_que_pour_un_territoire_dit(client):
    tableaux = client.get(reverse(PAGE) + DEUX).context["tableaux"]
    assert not any(tableau.calcul.territorial for tableau in tableaux)
    territoire("agglomeration")
    assert cases(client, "part_locale_nombre", DEUX + "&territoire=agglomeration")[2024] == ["100,0\u00a0%"] * 2


def test_la_page_dit_ce_que_les_decp_ne_disent_pas(client):
    page = unescape(client.get(reverse(PAGE)).content.decode())
    assert "On compare ici des publications" in page


def test_un_nombre_mene_aux_contrats_qu_il_compte(client):
    page = unescape(client.get(reverse(PAGE) + DEUX).content.decode())
    liens = re.findall(r'<a href="([^"]*compte=oui[^"]*)">([^<]*)</a>', page)
    notifies = [(adresse, texte) for adresse, texte in liens if texte.isdigit()]
    assert len(notifies) == 4
    for adresse, texte in notifies:
        assert client.get(adresse).context["table"].paginator.count == int(texte)


def test_seuls_les_acheteurs_importes_se_proposent_la_collectivite_a_part(client):
    proposes = acheteurs_importes([SIREN])
    assert [(a.perimetre, a.nom, a.contrats) for a in proposes] == [(AUTRE_SIREN, "Métropole d'essai", 3)]


@pytest.mark.parametrize("requete", ["?avec=999999999", "?de=2010&a=2024", "?de=2024&a=2023", "?a=demain"])
def test_une_demande_absurde_se_dit_a_cote_du_champ(client, requete):
    assert client.get(reverse(PAGE) + requete).status_code == 400


def test_la_comparaison_s_emporte(client):
    lignes = client.get(reverse(PAGE) + DEUX + "&format=csv").content.decode("utf-8-sig").splitlines()
    noms = ("La collectivité", "Métropole d'essai")
    assert lignes[0].split(";") == [
        "Calcul",
        "Année",
        *(f"{nom}{suite}" for nom in noms for suite in ("", ", détail")),
    ]
    assert lignes[1] == "Marchés notifiés;2024;3;;2;"
