"""Les pages publiques : ce qu'elles montrent, ce qui les ferme, et comment un cache les garde."""

import gzip
import html
import json
import re
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.utils import timezone
from django.utils.http import http_date

from actions.models import ChangementDeStatut, PartenaireDeLAction, PartenaireDuPlan, Plan
from actions.statuts import Statut
from bilans.contenu.canonique import empreinte
from bilans.models import Bilan, PdfDeVersion
from bilans.visibilite import retenue
from comptes.droits import Role
from comptes.models import Collectivite
from indicateurs.listes import Etat, Nature
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete, bilan_publie
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

PLAN = "/public/acheter-mieux/"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def roles(db):
    from django.contrib.auth.models import Group

    for role in Role:
        Group.objects.get_or_create(name=role)


@pytest.fixture
def plan(roles):
    Collectivite.objects.create(nom="Pays d'essai", sigle="PDE")
    return fabriques.plan(
        intitule="Acheter mieux", slug="acheter-mieux", description="Acheter en pensant à demain.", publie=True
    )


@pytest.fixture
def actions(plan):
    return {statut: fabriques.action(plan, intitule=f"Action {statut.label}", statut=statut) for statut in Statut}


@pytest.fixture
def arrete(plan, actions) -> Bilan:
    """Le bilan 2023, publié, avec son PDF."""
    bilan = bilan_publie(plan, 2023)
    octets = b"%PDF-1.7 les octets du bilan"
    PdfDeVersion.objects.create(version=bilan.version_publiee, contenu=octets, empreinte=empreinte(octets))
    return bilan


def retirer(action, auteur):
    action.retirer(date_effet=date(2024, 3, 1), motif="Abandonnée", auteur=auteur, version=action.version)


def texte(reponse) -> str:
    """Le texte de la page, sans ses balises ni ses espaces en trop."""
    corps = re.sub(r"<head>.*?</head>", "", reponse.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", corps)).split())


# --- Ce qui ouvre et ce qui ferme -----------------------------------------------------------------

ADRESSES = (
    "/public/",
    PLAN,
    f"{PLAN}fil.atom",
    f"{PLAN}bilans/2023/",
    f"{PLAN}bilans/2023/pdf/",
    f"{PLAN}bilans/2023/bilan.json",
)


@pytest.mark.parametrize("adresse", ADRESSES)
def test_un_plan_publie_se_lit_sans_connexion(client, arrete, adresse):
    assert client.get(adresse).status_code == 200


@pytest.mark.parametrize("adresse", ADRESSES)
def test_un_plan_qui_n_est_pas_publie_n_existe_pas(client, plan, arrete, adresse):
    plan.publie = False
    plan.save()
    assert client.get(adresse).status_code == 404


@pytest.mark.parametrize("adresse", ADRESSES)
def test_le_reglage_ferme_toutes_les_pages_publiques(client, arrete, settings, adresse):
    settings.PAGES_PUBLIQUES = False
    assert client.get(adresse).status_code == 404


def test_un_plan_cache_repond_comme_un_plan_inconnu(client, plan):
    fabriques.plan(intitule="Caché", slug="cache")
    cache_, inconnu = client.get("/public/cache/"), client.get("/public/inconnu/")
    assert cache_.status_code == inconnu.status_code == 404
    assert cache_.content == inconnu.content


def test_un_plan_n_est_pas_publie_d_office(client, roles):
    fabriques.plan(intitule="Neuf", slug="neuf")
    assert client.get("/public/neuf/").status_code == 404


@pytest.mark.parametrize("adresse", ["/public/", "/public/a/b/c/", "/public/a/b.csv/", f"{PLAN}bilans/2019/"])
def test_le_404_public_est_en_francais_et_n_a_pas_le_menu_du_site(client, roles, adresse):
    refus = client.get(adresse)
    assert refus.status_code == 404
    assert "Page introuvable" in texte(refus)
    assert b"Menu principal" not in refus.content
    assert b"/connexion/" not in refus.content


def test_le_404_public_propose_les_plans_publies(client, plan):
    assert 'href="/public/"' in client.get("/public/inconnu/").content.decode()


def test_une_adresse_sans_barre_finale_mene_a_la_page(client, plan):
    reponse = client.get("/public/acheter-mieux")
    assert (reponse.status_code, reponse["Location"]) == (301, PLAN)


def test_une_page_publique_ne_recoit_aucun_envoi(client, arrete):
    assert {client.post(adresse).status_code for adresse in ADRESSES} == {405}


# --- Ce qu'on y lit -------------------------------------------------------------------------------


def test_la_liste_ne_nomme_que_les_plans_publies(client, plan):
    fabriques.plan(intitule="Plan en préparation")
    page = texte(client.get("/public/"))
    assert "Acheter mieux" in page
    assert "Plan en préparation" not in page


def test_la_page_dit_le_titre_la_description_la_date_et_la_collectivite(client, plan):
    page = texte(client.get(PLAN))
    assert re.search(r"Acheter mieux .*Acheter en pensant à demain\. .*Situation au \d+ \w+ \d{4}", page)
    assert "Pays d'essai" in page


@pytest.mark.parametrize(
    ("debut", "fin", "attendu"),
    [
        (2022, 2026, "Plan 2022-2026"),
        (2022, 2022, "Plan 2022"),
        (2022, None, "Plan depuis 2022"),
        (None, None, "Plan"),
    ],
)
def test_les_annees_du_plan_se_disent_de_meme_sur_la_liste_et_sur_sa_page(client, plan, debut, fin, attendu):
    plan.annee_debut, plan.annee_fin = debut, fin
    plan.save()
    assert f"Acheter mieux {attendu} Acheter en pensant" in texte(client.get("/public/"))
    assert f"{attendu} Acheter mieux Acheter en pensant" in texte(client.get(PLAN))


def test_le_resume_d_un_plan_pour_les_moteurs_ne_coupe_pas_une_apostrophe(client, plan):
    plan.description = "l'été " * 60
    plan.save()
    resume = re.search(r'<meta name="description" content="([^"]*)">', client.get(PLAN).content.decode())[1]
    assert html.unescape(resume) == ("l'été " * 60)[:199] + "…"


def test_les_actions_sont_rangees_par_statut_dans_l_ordre_de_la_page_publiee(client, actions):
    page = texte(client.get(PLAN))
    places = [
        page.index(morceau)
        for morceau in (
            "Actions terminées (1) Action Terminée",
            "Actions en cours (1) Action En cours",
            "Actions non initiées (1) Action Non initiée",
        )
    ]
    assert places == sorted(places)


def test_une_action_invisible_ne_se_montre_ni_ne_se_compte(client, plan, actions):
    fabriques.action(plan, intitule="Action secrète", visible_du_public=False)
    page = texte(client.get(PLAN))
    assert "Action secrète" not in page
    assert "sur 3 actions" in page


def test_une_action_retiree_du_plan_ne_se_montre_plus(client, plan, actions):
    responsable = fabriques.utilisateur(Role.RESPONSABLE)
    retirer(actions[Statut.EN_COURS], responsable)
    assert "Action En cours" not in texte(client.get(PLAN))


def test_l_avancement_ne_se_montre_que_si_le_plan_l_affiche(client, plan):
    fabriques.action(plan, statut=Statut.EN_COURS, avancement=40)
    assert "(40 %)" not in texte(client.get(PLAN))
    plan.affiche_avancement = True
    plan.save()
    assert "(40 %)" in texte(client.get(PLAN))


def test_seule_une_valeur_validee_est_un_chiffre_public(client, plan):
    part = fabriques.indicateur(plan, intitule="Part durable", nature=Nature.PART, unite="%")
    fabriques.valeur(part, 2022, valeur=48, etat=Etat.VALIDEE)
    fabriques.valeur(part, 2023, valeur=77, etat=Etat.PROVISOIRE)
    page = texte(client.get(PLAN))
    assert "48 % Part durable Valeur 2022" in page
    assert "77" not in page


def test_un_indicateur_sans_valeur_validee_n_a_pas_de_chiffre(client, plan):
    fabriques.valeur(fabriques.indicateur(plan, intitule="Part durable"), 2023, valeur=77)
    assert "Part durable" not in texte(client.get(PLAN))


def test_les_partenaires_du_plan_viennent_d_abord_puis_ceux_de_ses_actions_visibles(client, plan, actions):
    du_plan, de_l_action, cache_ = (fabriques.partenaire(nom) for nom in ("Zèbre", "Abeille", "Secret"))
    PartenaireDuPlan.objects.create(plan=plan, partenaire=du_plan, ordre=1)
    PartenaireDeLAction.objects.create(action=actions[Statut.EN_COURS], partenaire=de_l_action)
    invisible = fabriques.action(plan, visible_du_public=False)
    PartenaireDeLAction.objects.create(action=invisible, partenaire=cache_)
    page = texte(client.get(PLAN))
    assert "Nos partenaires Zèbre Abeille Les bilans" in page
    assert "Secret" not in page


def test_la_page_mene_a_chaque_bilan_publie(client, arrete):
    page = client.get(PLAN).content.decode()
    assert f'href="{PLAN}bilans/2023/"' in page


def test_un_bilan_arrete_mais_pas_publie_n_est_pas_public(client, plan, actions):
    bilan_arrete(plan, 2023)
    assert client.get(f"{PLAN}bilans/2023/").status_code == 404
    assert "Aucun bilan" in texte(client.get(PLAN))


# --- Les octets arrêtés ---------------------------------------------------------------------------


def test_le_json_est_celui_qui_a_ete_arrete_et_son_empreinte_se_verifie(client, arrete):
    reponse = client.get(f"{PLAN}bilans/2023/bilan.json")
    assert reponse.content.decode() == arrete.version_publiee.contenu_public
    assert reponse["X-Empreinte-SHA256"] == empreinte(reponse.content) == arrete.version_publiee.empreinte_publique
    assert json.loads(reponse.content)["portee"] == "public"


def test_le_pdf_est_celui_qui_a_ete_garde(client, arrete):
    reponse = client.get(f"{PLAN}bilans/2023/pdf/")
    assert reponse.content == arrete.version_publiee.pdf.octets
    assert (reponse["Content-Type"], reponse["Content-Disposition"]) == (
        "application/pdf",
        'inline; filename="bilan-acheter-mieux-2023.pdf"',
    )


def test_un_bilan_sans_pdf_n_en_donne_pas(client, plan, actions):
    bilan_publie(plan, 2023)
    assert client.get(f"{PLAN}bilans/2023/pdf/").status_code == 404


def test_le_bilan_publie_ne_suit_pas_les_changements(client, arrete, actions):
    avant = client.get(f"{PLAN}bilans/2023/").content
    action = actions[Statut.TERMINEE]
    action.intitule = "Réécrite depuis"
    action.save()
    assert client.get(f"{PLAN}bilans/2023/").content == avant


def test_un_plan_qui_change_d_adresse_garde_les_liens_de_ses_bilans(client, plan, arrete):
    plan.refresh_from_db()
    plan.slug = "acheter-autrement"
    plan.save()
    page = client.get("/public/acheter-autrement/bilans/2023/").content.decode()
    liens = set(re.findall(r'"(/public/[^"]+)"', page))
    assert "/public/acheter-autrement/bilans/2023/pdf/" in liens
    assert {client.get(lien).status_code for lien in liens} == {200}


# --- Une version retenue --------------------------------------------------------------------------

DU_BILAN = ("bilans/2023/", "bilans/2023/pdf/", "bilans/2023/bilan.json")


@pytest.fixture
def devenue_invisible(arrete, actions):
    action = actions[Statut.EN_COURS]
    action.visible_du_public = False
    action.save()
    return action


@pytest.mark.parametrize("adresse", DU_BILAN)
def test_une_version_qui_montre_une_action_devenue_invisible_n_est_plus_servie(client, devenue_invisible, adresse):
    assert client.get(PLAN + adresse).status_code == 404


def test_ni_la_page_du_plan_ni_le_fil_n_annoncent_plus_une_version_retenue(client, devenue_invisible):
    for adresse in (PLAN, f"{PLAN}fil.atom"):
        assert "2023/" not in client.get(adresse).content.decode()


def test_le_contenu_arrete_d_une_version_retenue_n_est_pas_touche(arrete, devenue_invisible):
    assert Bilan.objects.get().version_publiee.anomalies == []


def test_une_nouvelle_version_sans_l_action_se_publie(client, plan, devenue_invisible):
    bilan_publie(plan, 2023)
    reponse = client.get(f"{PLAN}bilans/2023/bilan.json")
    assert reponse.status_code == 200
    assert "Action En cours" not in reponse.content.decode()


def test_le_responsable_sait_pourquoi_un_bilan_est_retenu(arrete, devenue_invisible):
    phrase = retenue(Bilan.objects.get())
    assert "1\u00a0action qui n'est plus visible du public (n°\u00a02)" in phrase


def test_rien_n_est_retenu_tant_que_tout_est_visible(arrete, actions):
    assert retenue(arrete) == ""
    responsable = fabriques.utilisateur(Role.RESPONSABLE)
    retirer(actions[Statut.EN_COURS], responsable)
    assert retenue(arrete) == ""


# --- Le fil ---------------------------------------------------------------------------------------


def entrees(reponse) -> list[str]:
    return [entree.findtext(f"{ATOM}title") for entree in ET.fromstring(reponse.content).iter(f"{ATOM}entry")]  # noqa: S314 - notre propre fil


def test_le_fil_dit_les_bilans_publies_et_les_statuts_sans_leur_commentaire(client, arrete, actions):
    actions[Statut.EN_COURS].changer_statut(
        Statut.TERMINEE,
        date_effet=date(2024, 6, 30),
        auteur=fabriques.utilisateur(Role.RESPONSABLE, nom="Durand"),
        commentaire="Entre nous",
        version=actions[Statut.EN_COURS].version,
    )
    reponse = client.get(f"{PLAN}fil.atom")
    assert reponse["Content-Type"] == "application/atom+xml; charset=utf-8"
    titres = entrees(reponse)
    assert titres[0] == "Bilan 2023 publié"
    assert titres[1] == "Terminée\u00a0: Action En cours"
    assert b"Entre nous" not in reponse.content
    assert b"Durand" not in reponse.content


def test_le_fil_ne_redit_pas_un_statut_dont_seul_l_avancement_change(client, actions):
    action = actions[Statut.EN_COURS]
    avant = entrees(client.get(f"{PLAN}fil.atom"))
    action.changer_statut(
        Statut.EN_COURS,
        date_effet=date(2024, 6, 30),
        auteur=fabriques.utilisateur(Role.RESPONSABLE),
        avancement=60,
        version=action.version,
    )
    assert action.changementdestatuts.count() == 2
    assert entrees(client.get(f"{PLAN}fil.atom")) == avant


def test_le_fil_ne_dit_rien_d_une_action_invisible(client, plan):
    fabriques.action(plan, intitule="Secrète", visible_du_public=False)
    assert entrees(client.get(f"{PLAN}fil.atom")) == []


def test_un_avancement_qui_bouge_n_est_pas_une_nouvelle(client, plan):
    action = fabriques.action(plan, statut=Statut.EN_COURS, avancement=40, intitule="Former")
    for jour, statut, avancement in ((date(2024, 2, 1), "EN_COURS", 60), (date(2024, 3, 1), "TERMINEE", 100)):
        ChangementDeStatut.ecrire(action, statut=statut, avancement=avancement, date_effet=jour)
    assert entrees(client.get(f"{PLAN}fil.atom")) == ["Terminée\u00a0: Former", "En cours\u00a0: Former"]


def test_un_texte_colle_avec_un_signe_de_controle_n_empeche_pas_le_fil(client, plan):
    """La fin de ligne que Word met dans un paragraphe n'a pas d'écriture en XML."""
    for objet, champ in ((Collectivite.objects.get(), "nom"), (plan, "intitule")):
        setattr(objet, champ, "Acheter\x0bmieux")
        objet.save()
    fabriques.action(plan, intitule="Former\x0bles\ufffeacheteurs")
    assert entrees(client.get(f"{PLAN}fil.atom")) == ["Non initiée\u00a0: Former les acheteurs"]


# --- Cache, cookies, poids ------------------------------------------------------------------------


@pytest.mark.parametrize("adresse", ADRESSES)
def test_une_page_publique_se_garde_et_se_revalide_sans_se_renvoyer(client, arrete, adresse):
    reponse = client.get(adresse)
    assert reponse["Cache-Control"] == "public, max-age=60, must-revalidate"
    assert reponse["ETag"].startswith('"')
    assert client.get(adresse).content == reponse.content
    revue = client.get(adresse, headers={"If-None-Match": reponse["ETag"]})
    assert (revue.status_code, revue.content, revue["ETag"]) == (304, b"", reponse["ETag"])


def test_l_etiquette_change_avec_la_page(client, actions):
    avant = client.get(PLAN)["ETag"]
    action = actions[Statut.EN_COURS]
    action.intitule = "Autrement dit"
    action.save()
    reponse = client.get(PLAN, headers={"If-None-Match": avant})
    assert reponse.status_code == 200
    assert reponse["ETag"] != avant


def test_ce_qui_est_arrete_dit_de_quand_il_date(client, arrete):
    for adresse in ("bilans/2023/pdf/", "bilans/2023/bilan.json"):
        dit = parsedate_to_datetime(client.get(PLAN + adresse)["Last-Modified"])
        assert abs(timezone.now() - dit) < timedelta(minutes=10)


def test_une_version_publiee_apres_la_visite_se_renvoie_meme_arretee_avant(client, plan, arrete):
    """Le visiteur qui ne donne qu'une date a lu la version 1 quand la 2 était déjà arrêtée, et pas encore publiée."""
    visite = http_date((timezone.now() + timedelta(minutes=1)).timestamp())
    bilan_publie(plan, 2023)
    reponse = client.get(f"{PLAN}bilans/2023/bilan.json", headers={"If-Modified-Since": visite})
    assert reponse.status_code == 200
    assert reponse.json()["bilan"]["rang"] == 2


@pytest.mark.parametrize("adresse", ["/public/inconnu/", f"{PLAN}bilans/2019/"])
def test_un_refus_ne_dure_pas_plus_qu_une_page(client, arrete, adresse):
    assert client.get(adresse)["Cache-Control"] == "public, max-age=60, must-revalidate"


@pytest.mark.parametrize("adresse", [*ADRESSES, "/public/inconnu/", "/accent/0b5b82.css"])
def test_une_page_publique_ne_lit_ni_ne_pose_de_cookie(client, arrete, adresse):
    connecte = client_de(fabriques.utilisateur(Role.ADMINISTRATEUR, nom="Durand"))
    anonyme, personne = client.get(adresse), connecte.get(adresse)
    assert anonyme.content == personne.content
    for reponse in (anonyme, personne):
        assert not reponse.cookies
        assert "cookie" not in reponse.get("Vary", "").lower()


def test_une_page_publique_part_compressee(client, arrete):
    reponse = client.get(PLAN, headers={"Accept-Encoding": "gzip"})
    assert (reponse["Content-Encoding"], reponse["Vary"]) == ("gzip", "Accept-Encoding")


def test_une_page_publique_se_passe_de_tout_script(client, arrete):
    for adresse in ("/public/", PLAN, f"{PLAN}bilans/2023/"):
        page = client.get(adresse)
        assert b"<script" not in page.content
        assert "unsafe" not in page["Content-Security-Policy"]


def test_la_page_dit_son_adresse_et_sa_licence(client, plan, settings):
    settings.ADRESSE_DU_SITE = "https://exemple.fr"
    page = client.get(PLAN, headers={"Host": "127.0.0.1"}).content.decode()
    assert f'<link rel="canonical" href="https://exemple.fr{PLAN}">' in page
    assert "Licence Ouverte 2.0" in page
    assert '<meta name="description" content="Acheter en pensant à demain.">' in page


def envois(client, adresse: str) -> list[bytes]:
    """Ce que cette page fait venir : elle-même, ses feuilles de style, la planche de pictogrammes."""
    page = client.get(adresse).content
    feuilles = set(re.findall(r'(?:rel="stylesheet" href|<use href)="(/[^"#]+)', page.decode()))
    statiques = [finders.find(a.removeprefix("/static/")) for a in feuilles if a.startswith("/static/")]
    servies = [client.get(a).content for a in feuilles if not a.startswith("/static/")]
    return [page, *servies, *(Path(chemin).read_bytes() for chemin in statiques)]


def garnir(plan, annees: int) -> None:
    """Un plan de la taille de celui de la page publiée, et des valeurs jusqu'en 2023."""
    for n in range(12):
        fabriques.action(plan, statut=list(Statut)[n % 3], intitule=f"Action {n} " + 10 * "acheter mieux ")
    for n in range(3):
        indicateur = fabriques.indicateur(plan, intitule=f"Indicateur {n}", nature=Nature.PART, unite="%")
        for annee in range(2024 - annees, 2024):
            fabriques.valeur(indicateur, annee, valeur=annee - 2000, etat=Etat.VALIDEE)
    bilan_publie(plan, 2023)


@pytest.mark.parametrize("adresse", [PLAN, f"{PLAN}bilans/2023/"])
def test_une_page_publique_pese_moins_de_60_ko_avec_ses_feuilles_sans_compression(client, plan, adresse):
    garnir(plan, annees=5)
    assert sum(map(len, envois(client, adresse))) < 60_000


def test_un_bilan_de_vingt_annees_voyage_en_moins_de_60_ko(client, plan):
    garnir(plan, annees=20)
    assert sum(len(gzip.compress(envoi)) for envoi in envois(client, f"{PLAN}bilans/2023/")) < 60_000


# --- Ouvrir et fermer -----------------------------------------------------------------------------

OUVERTURE = "/plans/acheter-mieux/publication/"


@pytest.fixture
def responsable(plan):
    return client_de(fabriques.utilisateur(Role.RESPONSABLE))


def test_un_responsable_ferme_puis_ouvre_les_pages_d_un_plan(client, responsable, plan):
    for choix, code in (("non", 404), ("oui", 200)):
        plan.refresh_from_db()
        envoi = responsable.post(OUVERTURE, {"publie": choix, "version": plan.version})
        assert (envoi.status_code, envoi["Location"]) == (302, OUVERTURE)
        assert client.get(PLAN).status_code == code


def test_fermer_deux_fois_n_ecrit_qu_une_fois(responsable, plan):
    for _ in range(2):
        assert responsable.post(OUVERTURE, {"publie": "non", "version": plan.version}).status_code == 302
    assert Plan.objects.get(pk=plan.pk).version == plan.version + 1


def test_ouvrir_un_plan_modifie_entre_temps_demande_de_relire(responsable, plan):
    lue = plan.version
    plan.description = "Autre chose."
    plan.save()
    refus = responsable.post(OUVERTURE, {"publie": "non", "version": lue})
    assert "vient d'être modifié" in texte(refus)
    assert Plan.objects.get(pk=plan.pk).publie
    # Relue, la page sert : le bouton qu'elle remontre fait ce qu'il dit.
    assert responsable.post(OUVERTURE, formulaire_de(refus)).status_code == 302
    assert not Plan.objects.get(pk=plan.pk).publie


def test_la_page_dit_ce_que_le_public_lit_et_ce_qui_est_retenu(responsable, devenue_invisible):
    page = texte(responsable.get(OUVERTURE))
    assert "2 actions visibles du public (intitulé, description, statut, axe, partenaires)" in page
    assert "1 autre ne l'est pas et n'y paraît pas" in page
    assert "Bilan 2023 : Le public ne voit plus ce bilan" in page


def test_la_page_dit_quand_tout_le_site_est_ferme(responsable, settings):
    settings.PAGES_PUBLIQUES = False
    assert "Les pages publiques de tout le site sont fermées" in texte(responsable.get(OUVERTURE))


def test_la_page_de_publication_du_bilan_dit_qu_il_est_retenu(responsable, devenue_invisible):
    assert "Le public ne voit plus ce bilan" in texte(responsable.get("/bilans/acheter-mieux/2023/publier/"))
