"""Ce que chacun vient faire, de bout en bout dans Chromium. Le statut changé sur place a son fichier."""

import datetime
import io
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import APIResponse, Locator, Page, Request, expect

from actions.models import Action, ChangementDeStatut
from comptes.droits import Role
from comptes.models import Utilisateur
from socle.formats import formater_date
from tests import fabriques
from tests.fabriques import MOT_DE_PASSE
from tests.navigateur import ETROIT, Fenetre, cookie_de_session

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]

NON_INITIEE = 10
TERMINEE = 1
COMMENTAIRE = "Réunion de lancement tenue avec les acheteurs."


@pytest.fixture
def entrer(ouvrir_une_fenetre, demo):
    """Ouvre la fenêtre de quelqu'un, déjà connecté, là où la connexion l'aurait mené : `entrer("agent")`."""

    def ouvrir(identifiant: str, **options) -> Page:
        fenetre = ouvrir_une_fenetre(**options)
        compte = Utilisateur.objects.get(username=identifiant)
        fenetre.page.context.add_cookies([cookie_de_session(compte, fenetre.origine)])
        fenetre.page.goto(f"{fenetre.origine}{'/mes-actions/' if identifiant == 'agent' else '/'}")
        return fenetre.page

    return ouvrir


def se_connecter(fenetre: Fenetre, identifiant: str) -> None:
    """En tapant, comme tout le monde."""
    page = fenetre.page
    page.goto(f"{fenetre.origine}/connexion/")
    page.get_by_label("Identifiant").fill(identifiant)
    page.get_by_label("Mot de passe").fill(MOT_DE_PASSE)
    page.get_by_role("button", name="Se connecter").click()
    expect(page.locator("details.compte")).to_have_text(re.compile(identifiant))


def aller(page: Page, chemin: str) -> int:
    """Suit une adresse du site ; rend le code de la réponse."""
    origine = urlsplit(page.url)
    reponse = page.goto(f"{origine.scheme}://{origine.netloc}{chemin}")
    return reponse.status


def action(numero: int) -> Action:
    return Action.objects.get(numero=numero)


def ouvrir_le_changement(page: Page, numero: int) -> None:
    assert aller(page, f"/actions/{action(numero).pk}/statut/") == 200


def remplir(page: Page, statut: str, commentaire: str = COMMENTAIRE, date: datetime.date | None = None) -> None:
    page.get_by_label(statut, exact=True).check()
    page.get_by_label("Commentaire").fill(commentaire)
    if date:
        page.get_by_label("Date d'effet").fill(date.isoformat())


def enregistrer(page: Page) -> None:
    page.get_by_role("button", name="Enregistrer le statut").click()


def changer(page: Page, numero: int, statut: str, **saisie) -> None:
    """Le geste entier, jusqu'à la confirmation."""
    ouvrir_le_changement(page, numero)
    remplir(page, statut, **saisie)
    enregistrer(page)
    expect(page.get_by_role("status")).to_have_text(confirmation(numero, statut))


def confirmation(numero: int, statut: str) -> str:
    """Ce que le site dit une fois le statut enregistré, effectif aujourd'hui."""
    return f"Statut enregistré : {statut}, au {formater_date(timezone.localdate())} (action {numero})."


def pastille(dans: Locator) -> Locator:
    """Le statut montré ; le volet replié nomme aussi les autres, où aller."""
    return dans.locator(".statut-en-place > .statut")


def statuts(page: Page) -> Locator:
    """Les changements de statut de la chronologie, du plus récent au plus ancien."""
    return page.get_by_role("region", name="Chronologie").locator(".evenement-statut")


def lignes_de(identifiant: str) -> int:
    return ChangementDeStatut.objects.filter(auteur__username=identifiant).count()


def erreur_du_champ(champ: Locator) -> Locator:
    """Le message qu'un lecteur d'écran lit avec le champ : désigné par lui, et lui-même dit faux."""
    expect(champ).to_have_attribute("aria-invalid", "true")
    designes = (champ.get_attribute("aria-describedby") or "").split()
    selecteur = ", ".join(f'[id="{identifiant}"].invalid-feedback' for identifiant in designes)
    assert selecteur, "le champ ne désigne aucun message"
    return champ.page.locator(selecteur)


# --- Changer un statut --------------------------------------------------------------------------


@pytest.mark.parametrize("javascript", [True, False], ids=["avec JavaScript", "sans JavaScript"])
def test_un_contributeur_met_en_cours_une_action_et_cela_se_voit_partout(entrer, javascript):
    page = entrer("agent", java_script_enabled=javascript)
    intitule = action(NON_INITIEE).intitule
    expect(page.get_by_role("heading", level=1)).to_have_text("Mes actions")
    page.get_by_role("link", name=intitule).click()
    page.get_by_role("link", name="Changer le statut").click()
    expect(page.get_by_label("Date d'effet")).to_have_value(timezone.localdate().isoformat())
    remplir(page, "En cours")
    enregistrer(page)
    expect(page.get_by_role("status")).to_have_text(confirmation(NON_INITIEE, "En cours"))

    derniere, *avant = statuts(page).all()
    aujourdhui = formater_date(timezone.localdate())
    expect(derniere).to_contain_text("Statut : En cours")
    expect(derniere).to_contain_text(COMMENTAIRE)
    expect(derniere).to_contain_text(re.compile(rf"Effet au {aujourdhui} · saisi le {aujourdhui} à .* par agent"))
    assert len(avant) == 1
    expect(avant[0]).to_contain_text("Effet au 31/12/2023")

    page.get_by_role("link", name="Actions", exact=True).first.click()
    expect(pastille(page.get_by_role("row", name=intitule))).to_have_text("En cours")

    page.get_by_role("link", name="Tableau de bord").click()
    expect(page.locator("main")).to_contain_text("4 actions sur 12 terminées, 6 en cours, 2 non initiées")
    for titre, nombre in (("terminées", 4), ("en cours", 6), ("non initiées", 2)):
        colonne = page.get_by_role("region", name=f"Actions {titre}")
        expect(colonne.get_by_role("heading")).to_have_text(f"Actions {titre} {nombre}")
        # Chaque colonne montre les cinq premières, et celle que l'on vient de changer.
        expect(colonne.get_by_role("listitem")).to_have_count(min(nombre, 6))
    expect(page.get_by_role("region", name="Actions en cours")).to_contain_text(intitule)

    page.get_by_label("Année").select_option("2023")
    page.get_by_role("button", name="Afficher").click()
    assert parse_qs(urlsplit(page.url).query)["annee"] == ["2023"]
    expect(page.locator("main")).to_contain_text("4 actions sur 12 terminées, 5 en cours, 3 non initiées")


def test_le_responsable_change_n_importe_quelle_action(entrer):
    page = entrer("responsable")
    for cible in Action.objects.all():  # personne ne les pilote
        cible.service_pilote = None
        cible.save()
    for numero, statut in ((TERMINEE, "En cours"), (2, "Non initiée"), (NON_INITIEE, "Terminée")):
        changer(page, numero, statut)
        expect(pastille(page.locator(".etat-action"))).to_have_text(statut)


def test_le_lecteur_ne_voit_aucun_geste_et_son_adresse_lui_est_refusee(entrer):
    page = entrer("lecteur")
    cible = action(NON_INITIEE)
    for chemin in ("/", "/actions/", cible.get_absolute_url()):
        assert aller(page, chemin) == 200
        gestes = "a[href*='/statut/'], a[href$='/modifier/'], a[href$='/creer/'], main form[method=post]"
        expect(page.locator(gestes)).to_have_count(0)
        expect(page.locator("main").get_by_text("Changer")).to_have_count(0)
    assert aller(page, cible.adresse_du_statut) == 403
    expect(page.get_by_role("heading", level=1)).to_have_text("Geste refusé")


def test_au_clavier_seul_on_date_et_commente_un_changement_de_statut(ouvrir_une_fenetre, demo):
    fenetre = ouvrir_une_fenetre()
    page = fenetre.page
    page.goto(f"{fenetre.origine}/connexion/")
    expect(page.get_by_label("Identifiant")).to_be_focused()
    page.keyboard.type("agent")
    atteindre(page, page.get_by_label("Mot de passe"))
    page.keyboard.type(MOT_DE_PASSE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mes actions")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#contenu")).to_be_focused()
    suivre(page, page.get_by_role("link", name=action(NON_INITIEE).intitule))
    suivre(page, page.get_by_role("link", name="Changer le statut"))
    atteindre(page, page.get_by_label("Non initiée"))
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("En cours")).to_be_checked()
    atteindre(page, page.get_by_label("Commentaire"))
    page.keyboard.type(COMMENTAIRE)
    suivre(page, page.get_by_role("button", name="Enregistrer le statut"))
    expect(page.get_by_role("status")).to_have_text(confirmation(NON_INITIEE, "En cours"))
    expect(statuts(page).first).to_contain_text(COMMENTAIRE)


def atteindre(page: Page, cible: Locator) -> None:
    """Avance de tabulation en tabulation jusqu'à la cible, dont le contour doit se voir."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if cible.evaluate("element => element === document.activeElement"):
            contour = cible.evaluate("element => getComputedStyle(element).outlineStyle")
            assert contour != "none", "rien ne montre où est le clavier"
            return
    pytest.fail(f"Inatteignable au clavier : {cible}")


def suivre(page: Page, cible: Locator) -> None:
    atteindre(page, cible)
    page.keyboard.press("Enter")


# --- Deux personnes, deux clics -----------------------------------------------------------------


def test_deux_personnes_sur_une_action_le_second_voit_les_deux_versions_et_ne_perd_rien(entrer):
    agent, responsable = entrer("agent"), entrer("responsable")
    for page in (agent, responsable):
        ouvrir_le_changement(page, NON_INITIEE)
    remplir(agent, "En cours", "La version de l'agent.")
    remplir(responsable, "Terminée", "La version du responsable.")
    enregistrer(agent)
    expect(agent.get_by_role("status")).to_have_text(confirmation(NON_INITIEE, "En cours"))
    enregistrer(responsable)

    conflit = responsable.get_by_role("region", name="Ce qui est enregistré maintenant")
    expect(conflit).to_contain_text("En cours")
    expect(conflit).to_contain_text("La version de l'agent.")
    expect(conflit).to_contain_text("par agent")
    expect(responsable.get_by_label("Terminée")).to_be_checked()
    expect(responsable.get_by_label("Commentaire")).to_have_value("La version du responsable.")
    assert lignes_de("responsable") == 0

    enregistrer(responsable)
    expect(responsable.get_by_role("status")).to_have_text(confirmation(NON_INITIEE, "Terminée"))
    expect(statuts(responsable)).to_contain_text(
        ["La version du responsable.", "La version de l'agent.", "Page publiée"]
    )


def test_deux_personnes_sur_la_fiche_le_second_voit_les_deux_valeurs_et_garde_la_sienne(entrer):
    premier, second = entrer("admin"), entrer("responsable")
    cible = action(NON_INITIEE)
    for page, intitule in ((premier, "Intitulé du premier"), (second, "Intitulé du second")):
        aller(page, f"{cible.get_absolute_url()}modifier/")
        page.get_by_label("Intitulé").fill(intitule)
    premier.get_by_role("button", name="Enregistrer l'action").click()
    expect(premier.get_by_role("status")).to_contain_text("Action enregistrée.")
    second.get_by_role("button", name="Enregistrer l'action").click()

    versions = second.get_by_role("region", name="Deux versions").get_by_role("row", name="Intitulé")
    expect(versions.get_by_role("cell")).to_have_text(["Intitulé du premier", "Intitulé du second"])
    expect(second.get_by_label("Intitulé")).to_have_value("Intitulé du second")
    assert action(NON_INITIEE).intitule == "Intitulé du premier"

    second.get_by_role("button", name="Enregistrer l'action").click()
    expect(second.get_by_role("heading", level=1)).to_have_text(f"{NON_INITIEE}. Intitulé du second")


def test_un_double_clic_n_ecrit_qu_une_ligne_et_le_meme_envoi_rejoue_n_en_ajoute_pas(entrer):
    page = entrer("agent")
    ouvrir_le_changement(page, NON_INITIEE)
    remplir(page, "En cours")
    envoi = double_cliquer(page, "Enregistrer le statut")
    expect(statuts(page)).to_have_count(2)
    assert lignes_de("agent") == 1
    assert rejouer(page, envoi).url == page.url
    assert lignes_de("agent") == 1


def test_un_double_clic_ne_cree_qu_une_action_et_le_meme_envoi_rejoue_n_en_ajoute_pas(entrer):
    page = entrer("responsable")
    aller(page, "/actions/creer/")
    page.get_by_label("Intitulé").fill("Cartographier les achats")
    envoi = double_cliquer(page, "Enregistrer l'action")
    expect(page.get_by_role("heading", level=1)).to_have_text("13. Cartographier les achats")
    assert Action.objects.count() == 13
    assert rejouer(page, envoi).url == page.url
    assert Action.objects.count() == 13


def double_cliquer(page: Page, bouton: str) -> Request:
    """Deux clics coup sur coup ; rend l'envoi qui en part. Chromium peut n'en laisser passer qu'un."""
    with page.expect_request(lambda requete: requete.method == "POST") as envoi:
        page.get_by_role("button", name=bouton).dblclick()
    return envoi.value


def rejouer(page: Page, envoi: Request) -> APIResponse:
    """Le même formulaire envoyé encore, comme un rechargement ou le second clic : même session, mêmes octets."""
    entetes = {"content-type": envoi.headers["content-type"], "referer": page.url}
    reponse = page.request.post(envoi.url, data=envoi.post_data, headers=entetes)
    assert reponse.ok
    return reponse


# --- Dates --------------------------------------------------------------------------------------


def test_une_saisie_tardive_demande_ou_l_inserer_et_ne_change_pas_le_statut_d_aujourd_hui(entrer):
    page = entrer("agent")
    ouvrir_le_changement(page, TERMINEE)
    remplir(page, "En cours", date=datetime.date(2023, 6, 1))
    enregistrer(page)
    case = page.get_by_role("checkbox", name="Insérer avant le changement du 31/12/2023 (Terminée)")
    expect(erreur_du_champ(page.get_by_label("Date d'effet"))).to_contain_text(
        "Cette date précède le changement du 31/12/2023"
    )
    expect(case).not_to_be_checked()
    expect(page.get_by_label("Commentaire")).to_have_value(COMMENTAIRE)
    expect(page.get_by_label("Date d'effet")).to_have_value("2023-06-01")
    assert lignes_de("agent") == 0

    case.check()
    enregistrer(page)
    expect(pastille(page.locator(".etat-action"))).to_have_text("Terminée")
    expect(statuts(page)).to_contain_text(["Effet au 31/12/2023", "Effet au 01/06/2023"])
    assert action(TERMINEE).statut == "TERMINEE"


def test_une_date_future_est_refusee_a_cote_de_son_champ_sans_perdre_la_saisie(entrer):
    page = entrer("agent")
    demain = timezone.localdate() + datetime.timedelta(days=1)
    ouvrir_le_changement(page, NON_INITIEE)
    remplir(page, "En cours", date=demain)
    enregistrer(page)
    erreur = erreur_du_champ(page.get_by_label("Date d'effet"))
    expect(erreur).to_be_visible()
    expect(erreur).to_contain_text("dans le futur")
    expect(page.get_by_label("Commentaire")).to_have_value(COMMENTAIRE)
    expect(page.get_by_label("Date d'effet")).to_have_value(demain.isoformat())
    expect(page.get_by_label("En cours")).to_be_checked()
    assert lignes_de("agent") == 0


# --- Filtres ------------------------------------------------------------------------------------


def test_les_filtres_sont_dans_l_adresse_et_un_lien_remontre_la_meme_liste(entrer):
    page = entrer("agent")
    aller(page, "/actions/")
    page.get_by_text("Filtrer les actions").click()
    page.get_by_label("Statut", exact=True).select_option(label="En cours")
    page.get_by_label("Texte ou numéro").fill("achat")
    page.get_by_role("button", name="Filtrer").click()
    demande = parse_qs(urlsplit(page.url).query)
    assert demande == {"q": ["achat"], "statut": ["EN_COURS"]}
    lignes = page.locator("tbody tr")
    trouvees = lignes.all_inner_texts()
    assert trouvees
    assert all("achat" in ligne for ligne in trouvees)
    expect(pastille(lignes)).to_have_text(["En cours"] * len(trouvees))
    poses = page.get_by_role("list", name="Filtres").locator("strong")
    expect(poses).to_have_text(["achat", "En cours"])

    page.reload()
    assert lignes.all_inner_texts() == trouvees
    expect(poses).to_have_text(["achat", "En cours"])
    expect(page.get_by_label("Statut", exact=True)).to_have_value("EN_COURS")
    expect(page.get_by_label("Texte ou numéro")).to_have_value("achat")


def test_un_filtre_absurde_se_dit_a_cote_de_son_champ(entrer):
    page = entrer("lecteur")
    assert aller(page, "/actions/?statut=PRESQUE&au=31%2F02%2F2024&q=achat") == 400
    expect(erreur_du_champ(page.get_by_label("Statut", exact=True))).to_be_visible()
    date = page.get_by_label("Situation au")
    expect(erreur_du_champ(date)).to_be_visible()
    expect(date).to_have_value("31/02/2024")
    expect(page.get_by_label("Texte ou numéro")).to_have_value("achat")
    expect(page.locator("tbody tr")).to_have_count(0)


# --- Base vide ----------------------------------------------------------------------------------


def test_sur_une_base_vide_la_connexion_dit_comment_creer_le_premier_compte(ouvrir_une_fenetre):
    fenetre = ouvrir_une_fenetre(viewport=ETROIT)
    assert fenetre.ouvrir("/") == []
    expect(fenetre.page.get_by_role("heading", level=1)).to_have_text("Connexion")
    expect(fenetre.page.locator("main")).to_contain_text("manage.py createsuperuser")


def test_sur_une_base_vide_l_administrateur_sait_quoi_faire_et_chaque_lien_mene_quelque_part(
    ouvrir_une_fenetre, monkeypatch
):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", MOT_DE_PASSE)
    call_command("createsuperuser", "--noinput", "--username", "premiere", stdout=io.StringIO())
    fenetre = ouvrir_une_fenetre()
    se_connecter(fenetre, "premiere")
    page = fenetre.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Il n'y a pas encore de plan")
    premiers_pas = {
        "/": "manage.py charger_plan",
        "/actions/": "Créez un plan",
        "/indicateurs/": "Enregistrez le premier",
        "/partenaires/": "Enregistrez le premier",
    }
    for chemin, phrase in premiers_pas.items():
        assert aller(page, chemin) == 200
        expect(page.locator("main")).to_contain_text(phrase)
        liens = page.locator("main a").evaluate_all("liens => liens.map(lien => lien.getAttribute('href'))")
        assert liens, f"{chemin} ne mène nulle part"
        for lien in liens:
            assert aller(page, lien) == 200, lien
    expect(page.get_by_role("button", name="Enregistrer", exact=True)).to_be_visible()


def test_sur_une_base_vide_un_lecteur_sait_a_qui_s_adresser(ouvrir_une_fenetre):
    fabriques.utilisateur(Role.LECTEUR, username="lectrice")
    fenetre = ouvrir_une_fenetre(viewport=ETROIT)
    se_connecter(fenetre, "lectrice")
    principal = fenetre.page.locator("main")
    conseils = {
        "/": "Demandez à l'administrateur du site",
        "/actions/": "Demandez à l'administrateur du site",
        "/indicateurs/": "Un responsable du plan peut les enregistrer",
        "/partenaires/": "Un responsable du plan peut les enregistrer",
    }
    for chemin, conseil in conseils.items():
        assert fenetre.ouvrir(chemin) == []
        expect(principal).to_contain_text(conseil)


# --- Court chemin -------------------------------------------------------------------------------


@pytest.mark.fumee
def test_le_court_chemin_de_la_connexion_a_la_deconnexion(ouvrir_une_fenetre, demo):
    fenetre = ouvrir_une_fenetre()
    page = fenetre.page
    se_connecter(fenetre, "agent")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mes actions")
    page.get_by_role("link", name="Tableau de bord").click()
    expect(page.locator("main")).to_contain_text("4 actions sur 12 terminées, 5 en cours, 3 non initiées")
    expect(page.locator(".chiffre .grand")).to_contain_text(["166", "53 %", "25 %"])
    changer(page, NON_INITIEE, "En cours", commentaire=COMMENTAIRE)
    expect(statuts(page).first).to_contain_text(COMMENTAIRE)
    page.locator("details.compte summary").click()
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")
    aller(page, "/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")
