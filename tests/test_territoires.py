"""Où vont les achats d'une année : les zones, les communes, les tiers, et ce que chaque nombre compte."""

import datetime
import re
from decimal import Decimal
from html import unescape
from types import SimpleNamespace

import pytest
from django.urls import reverse

from comptes.droits import Role
from comptes.models import Collectivite, Siren
from marches.listes import Base
from marches.models import BudgetDeMandats, ImportDeMandats, LieuDEtablissement, Territoire, TotalDeMandats
from marches.repartition import Achat, Decoupage, Tiers, Zone, repartir, retenir
from tests import fabriques, fabriques_decp
from tests.fabriques_decp import BEZIERS, LATTES, MAUGUIO, NIMES, contrat, titulaire
from tests.visites import client_de

PREMIER = SimpleNamespace(communes=[MAUGUIO], departements=[])
UNION = SimpleNamespace(communes=[MAUGUIO, LATTES], departements=[])
DECOUPAGE = Decoupage(PREMIER, UNION)


def tiers(*communes: str, **champs) -> Tiers:
    return Tiers(communes=frozenset(communes), **champs)


@pytest.mark.parametrize(
    ("un_tiers", "zone"),
    [
        (tiers(MAUGUIO), Zone.PREMIER),
        (tiers(LATTES), Zone.SECOND),
        (tiers(BEZIERS), Zone.RESTE),
        (tiers(NIMES), Zone.AILLEURS),
        (tiers(), Zone.INCONNUE),
        (tiers(MAUGUIO, LATTES), Zone.INCONNUE),
        (tiers(BEZIERS, "34301"), Zone.RESTE),
        (tiers(departement="34"), Zone.INCONNUE),
        (tiers(departement="30"), Zone.AILLEURS),
        (tiers(etranger=True), Zone.AILLEURS),
    ],
)
def test_un_tiers_est_de_la_zone_ou_il_est_a_coup_sur(un_tiers, zone):
    assert DECOUPAGE.zone_du_tiers(un_tiers) is zone


def test_un_territoire_fait_de_departements_repond_au_departement():
    decoupage = Decoupage(SimpleNamespace(communes=[], departements=["34"]))
    assert decoupage.zone_du_tiers(tiers(departement="34")) is Zone.PREMIER
    assert decoupage.zone_du_tiers(tiers(BEZIERS)) is Zone.PREMIER


@pytest.mark.parametrize(
    ("les_tiers", "zone"),
    [
        ((tiers(NIMES), tiers(MAUGUIO)), Zone.PREMIER),
        ((tiers(), tiers(MAUGUIO)), Zone.PREMIER),
        ((tiers(), tiers(NIMES)), Zone.INCONNUE),
        ((tiers(NIMES), tiers(BEZIERS)), Zone.RESTE),
        ((), Zone.INCONNUE),
    ],
)
def test_un_contrat_va_au_lieu_le_plus_proche_de_ses_titulaires(les_tiers, zone):
    (part,) = DECOUPAGE.parts_de(Achat(1, Decimal(1), les_tiers))
    assert (part.zone, part.poids) == (zone, 1)


def test_un_montant_se_partage_egalement_entre_les_titulaires():
    parts = DECOUPAGE.parts_de(Achat(1, Decimal(300), (tiers(MAUGUIO), tiers(NIMES), tiers(NIMES)), partage=True))
    assert [(part.zone, part.poids) for part in parts] == [(Zone.PREMIER, 100), (Zone.AILLEURS, 200)]


def test_un_seul_titulaire_sans_lieu_rend_inconnu_tout_le_montant():
    achat = Achat(1, Decimal(300), (tiers(MAUGUIO), tiers()), partage=True)
    assert [(part.zone, part.poids) for part in DECOUPAGE.parts_de(achat)] == [(Zone.INCONNUE, 300)]


def test_la_part_se_calcule_sur_ce_qui_est_situe_et_de_rien_on_ne_dit_rien():
    achats = [Achat(1, Decimal(30), (tiers(MAUGUIO),)), Achat(2, Decimal(70), (tiers(NIMES),))]
    achats.append(Achat(3, Decimal(900), (tiers(),)))
    parts = {ligne.zone: ligne.part for ligne in repartir(achats, DECOUPAGE).zones}
    assert (parts[Zone.PREMIER], parts[Zone.AILLEURS], parts[Zone.INCONNUE]) == (30, 70, None)
    assert repartir(achats, DECOUPAGE).part_renseignee == 10
    assert repartir([], DECOUPAGE).part_renseignee is None


def test_les_zones_font_le_total():
    lieux = [MAUGUIO, LATTES, BEZIERS, NIMES]
    achats = [Achat(n, Decimal(n), (tiers(lieux[n % 4]), tiers()), partage=n % 2 == 0) for n in range(1, 30)]
    repartition = repartir(achats, DECOUPAGE)
    assert sum(ligne.poids for ligne in repartition.zones) == repartition.total == sum(range(1, 30))


def test_chaque_zone_retient_ce_qu_elle_compte():
    achats = [Achat(n, Decimal(n), (tiers(MAUGUIO if n % 2 else NIMES),)) for n in range(1, 9)]
    for ligne in repartir(achats, DECOUPAGE).zones:
        assert sum(part.poids for part in retenir(achats, DECOUPAGE, ligne.zone)) == ligne.poids


# --- La page --------------------------------------------------------------------------------------


@pytest.fixture
def collectivite(db):
    nouvelle = Collectivite.objects.create(nom="Collectivité d'essai")
    Siren.objects.create(collectivite=nouvelle, numero=fabriques_decp.SIREN)
    fabriques_decp.territoire("agglomeration", communes=[MAUGUIO])
    fabriques_decp.territoire("metropole", communes=[MAUGUIO, LATTES])
    return client_de(fabriques.utilisateur(Role.LECTEUR))


@pytest.fixture
def contrats(collectivite):
    for commune, siret in ((MAUGUIO, "1"), (LATTES, "2"), (BEZIERS, "3"), (NIMES, "4"), ("", "5")):
        contrat(titulaires=[titulaire(siret * 14, commune=commune)], montant=Decimal(1000))
    return collectivite


def lire(client, requete: str = "") -> str:
    reponse = client.get(reverse("marches:territoires") + requete)
    assert reponse.status_code == 200
    return unescape(reponse.content.decode())


def nombres(page: str) -> list[tuple[str, str]]:
    return re.findall(r'<a href="(\?[^"]*(?:zone|commune|siret)=[^"]*)">([^<]*)</a>', page)


def somme(page: str) -> str:
    return re.search(r'<p class="phrase"><strong>([^<]*)</strong>', page)[1]


@pytest.mark.parametrize("source", ["contrats", "montants"])
def test_chaque_nombre_mene_a_ce_qu_il_compte(contrats, source):
    liens = nombres(lire(contrats, f"?source={source}"))
    assert len(liens) == 5 + 4 + 5
    for requete, nombre in liens:
        assert somme(lire(contrats, requete)).replace("contrats", "").replace("contrat", "").strip() == nombre


@pytest.mark.parametrize(
    "ecarte", [{"doublon": True}, {"concession": True}, {"subsequent": True}, {"date": None}, {"siren": "999999999"}]
)
def test_ce_qui_n_est_pas_un_marche_de_la_collectivite_n_est_pas_reparti(collectivite, ecarte):
    contrat()
    contrat(**ecarte)
    assert nombres(lire(collectivite, "?source=contrats"))[0][1] == "1"


def test_un_montant_mis_a_part_n_entre_pas_dans_les_montants_mais_reste_dans_les_nombres(collectivite):
    contrat(montant=Decimal(1), drapeau="symbolique")
    contrat(montant=Decimal(5000))
    assert nombres(lire(collectivite, "?source=contrats"))[0][1] == "2"
    assert nombres(lire(collectivite, "?source=montants"))[0][1].startswith("5")


def test_une_commune_dite_a_la_revue_situe_le_titulaire(collectivite):
    contrat(titulaires=[titulaire("9" * 14)])
    assert nombres(lire(collectivite, "?source=contrats"))[0][1] == "0"
    LieuDEtablissement.objects.create(siret="9" * 14, commune=MAUGUIO, source="Annuaire")
    assert nombres(lire(collectivite, "?source=contrats"))[0][1] == "1"


@pytest.fixture
def mandats(collectivite):
    for base, montant in ((Base.HT, 100), (Base.TTC, 900)):
        budget = BudgetDeMandats.objects.create(code=f"budget-{base}", nom=f"Budget {base}", base=base)
        lu = ImportDeMandats.objects.create(budget=budget, annee=2024)
        TotalDeMandats.objects.create(
            import_de_mandats=lu, siret="1" * 14, nom="Menuiserie", commune=MAUGUIO, nombre=1, montant=montant
        )
        TotalDeMandats.objects.create(import_de_mandats=lu, code_postal="30000", nombre=1, montant=montant)
    return collectivite


def test_les_montants_hors_taxes_et_toutes_taxes_ne_s_additionnent_jamais(mandats):
    premiers = [nombres(lire(mandats, f"?source=mandats-{base}"))[0][1] for base in ("ht", "ttc")]
    assert [re.sub(r"\D", "", premier) for premier in premiers] == ["100", "900"]


def test_un_tiers_sans_siret_n_est_ni_nomme_ni_classe_parmi_les_premiers(mandats):
    page = lire(mandats, "?source=mandats-ht")
    assert page[page.index('id="tiers"') :].count('scope="row"') == 1


def test_sans_territoire_la_page_dit_quoi_faire(collectivite):
    Territoire.objects.all().delete()
    assert "Aucun territoire n'est enregistré" in lire(collectivite)


def test_sans_contrat_ni_mandat_la_page_le_dit(collectivite):
    assert "il n'y a rien à répartir" in lire(collectivite)


def test_le_reglage_choisit_les_deux_territoires(contrats, settings):
    assert nombres(lire(contrats, "?source=contrats"))[0][1] == "1"
    settings.TERRITOIRES_COMPARES = ["metropole", "agglomeration"]
    page = lire(contrats, "?source=contrats")
    assert nombres(page)[0][1] == "2"


def test_la_page_dit_que_la_part_locale_ne_se_vise_pas(contrats):
    assert "constatée, jamais visée" in lire(contrats)


@pytest.mark.parametrize("requete", ["?annee=1950", "?source=or", "?premier=lune", "?zone=x"])
def test_un_choix_absurde_se_refuse_sans_rien_montrer(contrats, requete):
    assert contrats.get(reverse("marches:territoires") + requete).status_code == 400


def test_la_liste_d_une_zone_s_emporte(contrats):
    reponse = contrats.get(reverse("marches:territoires") + "?source=montants&zone=premier&format=csv")
    lignes = reponse.content.decode("utf-8-sig").splitlines()
    assert len(lignes) == 2
    assert lignes[1].endswith(";1000,00")


# --- L'administration -----------------------------------------------------------------------------


@pytest.fixture
def responsable(db):
    return client_de(fabriques.utilisateur(Role.RESPONSABLE))


def enregistrer(client, **champs):
    envoi = {"nom": "Littoral", "code": "littoral", "communes": "", "departements": "", "source": "", "version": 1}
    return client.post(reverse("admin:marches_territoire_add"), envoi | champs)


def test_un_territoire_se_tape_par_codes_suivis_ou_non_du_nom(responsable):
    reponse = enregistrer(responsable, communes="34154 Mauguio\n34344, 34192\n\n34154", departements="2a")
    assert reponse.status_code == 302, reponse.context["adminform"].form.errors
    territoire = Territoire.objects.get()
    assert (territoire.communes, territoire.departements) == (["34154", "34344", "34192"], ["2A"])
    page = unescape(responsable.get(reverse("admin:marches_territoire_change", args=[territoire.pk])).content.decode())
    assert "34154 Mauguio\n34344 La Grande-Motte" in page


@pytest.mark.parametrize("communes", ["99999", "Mauguio", "34154 34999"])
def test_un_code_inconnu_est_nomme_a_cote_du_champ(responsable, communes):
    reponse = enregistrer(responsable, communes=communes)
    assert reponse.status_code == 200
    assert "Codes inconnus" in reponse.content.decode()
    assert not Territoire.objects.exists()


def test_un_territoire_vide_se_refuse(responsable):
    assert "au moins une commune" in enregistrer(responsable).content.decode()


def test_un_contributeur_ne_tient_pas_les_territoires(db):
    client = client_de(fabriques.utilisateur(Role.AGENT))
    assert enregistrer(client, communes="34154").status_code == 403


def test_l_annee_proposee_est_la_derniere_dont_on_a_quelque_chose(contrats):
    contrat(date=datetime.date(2025, 6, 1))
    assert "2025</h2>" in lire(contrats)
