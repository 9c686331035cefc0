"""Chaque page du site, ouverte dans Chromium sur de vrais objets : console, CSP, réseau, styles, axe, largeur.

Une adresse absente du tableau fait échouer l'essai ; une ligne dont l'adresse n'existe plus, aussi.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.test import Client
from playwright.sync_api import expect

from comptes.droits import Role
from publication.api.routes import INTERNES, PUBLIQUES
from publication.fichiers import FICHIERS
from tests import resolveur
from tests.decor import Decor, plan_garni
from tests.decor_contrats import SOUCHE
from tests.navigateur import ETROIT, LARGE, Fenetre, cookie_de_session

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]

ANONYME = "anonyme"
TOUS = (Role.LECTEUR, Role.AGENT, Role.RESPONSABLE)
GESTE = (Role.AGENT, Role.RESPONSABLE)

# --- Le tableau ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ligne:
    """Ce qu'on attend d'une adresse. `aussi` : les rôles qui y voient autre chose que l'administrateur.

    `variantes` : des requêtes qui montrent la page autrement. `graphiques` : combien elle en a, au moins.
    """

    aussi: tuple[str, ...] = ()
    code: int = 200
    graphiques: int = 0
    variantes: tuple[str, ...] = ()
    connecte: bool = True


PAGES = {
    "accueil:tableau_de_bord": Ligne(TOUS, graphiques=1, variantes=("?annee=2023", "?annee=2022")),
    "bilans:liste": Ligne(TOUS),
    "bilans:bilan": Ligne(TOUS, graphiques=1, variantes=("?portee=public",)),
    "bilans:version": Ligne(TOUS, graphiques=1, variantes=("?portee=public",)),
    **{f"publication:{nom}": Ligne(connecte=False) for nom in ("plans", "plan", "bilan", "donnees")},
    "publication:introuvable": Ligne(connecte=False, code=404),
    "ouverture:plan": Ligne((Role.RESPONSABLE,)),
    **{
        f"bilans:{nom}": Ligne((Role.RESPONSABLE,))
        for nom in ("preparer", "arreter", "rouvrir", "publier", "references")
    },
    "bilans:ecarts": Ligne(TOUS, variantes=("?a=2", "?de=1&a=maintenant&portee=public")),
    "bilans:changements": Ligne(TOUS, variantes=("?du=2023-12-31",)),
    "bilans:tirage": Ligne(TOUS),
    "bilans:comparer": Ligne(TOUS, graphiques=1, variantes=("?de=2023&a=2024",)),
    "accueil:recherche": Ligne(TOUS, variantes=("?q=clauses", "?q=introuvable", "?q=%25")),
    "accueil:mon_compte": Ligne(TOUS),
    "accueil:jetons": Ligne((Role.LECTEUR,)),
    "personnes:information": Ligne(connecte=False),
    "personnes:anonymiser": Ligne(),
    "api:documentation": Ligne(connecte=False),
    "account_login": Ligne(connecte=False),
    "account_logout": Ligne(),
    "account_inactive": Ligne(connecte=False),
    "account_change_password": Ligne(),
    "account_reauthenticate": Ligne(),
    "mfa_index": Ligne(),
    "usersessions_list": Ligne(),
    "account_reset_password": Ligne(connecte=False),
    "account_reset_password_done": Ligne(connecte=False),
    "account_reset_password_from_key": Ligne(connecte=False),
    "account_reset_password_from_key_done": Ligne(connecte=False),
    "invitation_choisir": Ligne(connecte=False, code=404),
    "blocages": Ligne(),
    "actions:liste": Ligne(
        TOUS, variantes=("?page=2&sort=-echeance", "?statut=EN_COURS&retard=oui", "?q=introuvable")
    ),
    "actions:miennes": Ligne(TOUS),
    "actions:creer": Ligne((Role.RESPONSABLE,)),
    "actions:detail": Ligne(TOUS),
    "actions:modifier": Ligne((Role.RESPONSABLE,)),
    "actions:statut": Ligne(GESTE),
    "actions:echeance": Ligne(GESTE),
    "actions:attention": Ligne(GESTE),
    "actions:note": Ligne(GESTE),
    "actions:corriger": Ligne(GESTE),
    "actions:note_corriger": Ligne(GESTE),
    "actions:etape_ajouter": Ligne(GESTE),
    "actions:etape_modifier": Ligne(GESTE),
    "actions:document_ajouter": Ligne(GESTE),
    "actions:document_modifier": Ligne(GESTE),
    "actions:retirer": Ligne((Role.RESPONSABLE,)),
    "actions:remettre": Ligne((Role.RESPONSABLE,)),
    "actions:grille": Ligne((Role.RESPONSABLE,), variantes=("?manque=pilote", "?page=2")),
    "actions:en_nombre": Ligne(GESTE),
    "actions:reaffecter": Ligne((Role.RESPONSABLE,)),
    "actions:importer": Ligne((Role.RESPONSABLE,)),
    "actions:depot": Ligne((Role.RESPONSABLE,), variantes=("?page=2",)),
    "actions:lots": Ligne(),
    "actions:lot": Ligne((Role.AGENT,)),
    "actions:comites": Ligne(TOUS),
    "actions:comite_creer": Ligne((Role.RESPONSABLE,)),
    "actions:comite": Ligne(TOUS, variantes=("?fiche=entiere",)),
    "actions:comite_modifier": Ligne((Role.RESPONSABLE,)),
    "actions:decision_ajouter": Ligne((Role.RESPONSABLE,)),
    "actions:decision_modifier": Ligne((Role.RESPONSABLE,)),
    "actions:calendriers": Ligne((Role.LECTEUR,)),
    "actions:partenaire": Ligne(TOUS),
    "actions:dupliquer": Ligne((Role.RESPONSABLE,)),
    "actions:campagnes": Ligne((Role.RESPONSABLE,)),
    "actions:campagne_lancer": Ligne((Role.RESPONSABLE,)),
    "actions:campagne": Ligne((Role.RESPONSABLE,)),
    "actions:campagne_repondre": Ligne(GESTE),
    "partenaires:liste": Ligne(TOUS),
    "indicateurs:liste": Ligne(
        TOUS, variantes=("?plan=plan-garni&sans_valeur=2026", "?plan=plan-garni&sans_valeur=2023", "?page=2")
    ),
    "marches:accueil": Ligne(TOUS),
    "marches:consultations": Ligne(TOUS, variantes=("?annee=2024&social=OUI", "?page=2", "?q=introuvable")),
    "marches:consultation": Ligne(TOUS),
    **{
        f"marches:{nom}": Ligne(GESTE)
        for nom in ("consultation_ajouter", "consultation_modifier", "lot_ajouter", "lot_modifier")
    },
    "marches:grille_des_consultations": Ligne(GESTE, variantes=("?manque=environnement", "?annee=2024&page=2")),
    "marches:importer_le_registre": Ligne((Role.RESPONSABLE,)),
    "marches:import_du_registre": Ligne((Role.LECTEUR, Role.RESPONSABLE)),
    "marches:imports": Ligne(TOUS),
    "marches:import_decp": Ligne((Role.LECTEUR, Role.RESPONSABLE), variantes=("?page=2",)),
    "marches:deposer": Ligne((Role.RESPONSABLE,)),
    "marches:article_35": Ligne(TOUS, variantes=("?point=condition&etat=non",)),
    "marches:territoires": Ligne(
        TOUS, variantes=("?source=contrats&annee=2024", "?source=montants&annee=2024&zone=premier")
    ),
    "marches:contrats": Ligne(TOUS, variantes=("?annee=2024&montant=sur", "?page=2", "?q=introuvable")),
    "marches:contrat": Ligne((Role.LECTEUR, Role.RESPONSABLE)),
    "marches:revue": Ligne((Role.LECTEUR, Role.RESPONSABLE), variantes=("?sorte=lieu&page=2",)),
    "marches:corriger_contrat": Ligne((Role.RESPONSABLE,)),
    "marches:situer_etablissement": Ligne((Role.RESPONSABLE,)),
    "marches:regroupements": Ligne((Role.LECTEUR, Role.RESPONSABLE), variantes=("?annee=2024&page=2",)),
    "marches:regrouper": Ligne((Role.RESPONSABLE,), variantes=(f"?de={SOUCHE}",)),
    "marches:comparaison": Ligne(TOUS, variantes=("?avec=243400017&de=2023&a=2024",)),
    "marches:mandats": Ligne(TOUS),
    "marches:import_de_mandats": Ligne((Role.LECTEUR, Role.RESPONSABLE), variantes=("?par=commune", "?page=2")),
    "marches:importer_mandats": Ligne((Role.RESPONSABLE,)),
    "indicateurs:detail": Ligne(TOUS, graphiques=1),
    "indicateurs:retenir": Ligne((Role.RESPONSABLE,)),
    "marches:resultat": Ligne((Role.LECTEUR, Role.RESPONSABLE), variantes=("?page=2",)),
    "indicateurs:objectifs": Ligne((Role.LECTEUR,)),
    "indicateurs:collectes": Ligne((Role.RESPONSABLE,)),
    "indicateurs:collecte_ouvrir": Ligne((Role.RESPONSABLE,)),
    "indicateurs:collecte": Ligne((Role.RESPONSABLE,)),
    "indicateurs:collecte_repondre": Ligne((Role.AGENT,)),
    "indicateurs:demande_renvoyer": Ligne((Role.RESPONSABLE,)),
    "indicateurs:importer": Ligne((Role.RESPONSABLE,)),
    "indicateurs:valeur": Ligne((Role.RESPONSABLE,)),
    "indicateurs:historique_de_la_valeur": Ligne(),
    "indicateurs:justificatif_ajouter": Ligne((Role.RESPONSABLE,)),
    "indicateurs:saisie": Ligne(GESTE, variantes=("?manque=oui", "?services=tous", "?plan=&page=2")),
    "admin:index": Ligne((Role.RESPONSABLE,)),
    "admin:app_list": Ligne(),
    "admin:password_change": Ligne(),
    "admin:password_change_done": Ligne(),
    "admin:auth_user_password_change": Ligne(),
    "admin:partenaires_partenaire_import": Ligne((Role.RESPONSABLE,)),
    # Une adresse inconnue de l'administration : la page d'erreur du site.
    "admin:admin/(?P<url>.*)$": Ligne(code=404),
}

# Les écrans d'administration de chaque modèle. Ceux que personne n'ouvre (« ! ») montrent la page de refus.
ECRANS = {
    "comptes_collectivite": "changelist change history !add !delete",
    "comptes_service": "changelist change history add delete",
    "comptes_utilisateur": "changelist change history add !delete",
    "comptes_lot": "changelist change history !add !delete",
    "comptes_trace": "changelist change history !add !delete",
    "comptes_jeton": "changelist change history !add !delete",
    "comptes_courriel": "changelist change history !add !delete",
    "exploitation_bordereau": "changelist change history !add !delete",
    "partenaires_partenaire": "changelist change history add delete",
    "partenaires_convention": "changelist change history add delete",
    "actions_plan": "changelist change history add delete",
    "actions_axe": "changelist change history add delete",
    "actions_action": "changelist change history add !delete",
    "actions_notedesuivi": "changelist change history add delete",
    "indicateurs_indicateur": "changelist change history add delete",
    "indicateurs_valeurannuelle": "changelist change history add !delete",
    "indicateurs_cible": "changelist change history add !delete",
    "marches_consultation": "changelist change history !add !delete",
    "marches_territoire": "changelist change history add delete",
    "bilans_bilan": "changelist change history !add !delete",
    "bilans_versiondebilan": "changelist change history !add !delete",
    "bilans_tirage": "changelist change history !add !delete",
}

PAGES |= {
    f"admin:{modele}_{ecran.removeprefix('!')}": Ligne(code=403 if ecran.startswith("!") else 200)
    for modele, ecrans in ECRANS.items()
    for ecran in ecrans.split()
}

# Ce qu'un navigateur n'affiche pas : le code que l'adresse répond.
SANS_PAGE = {
    # Sans second facteur posé, elles mènent ailleurs : tests/test_second_facteur.py les ouvre.
    **dict.fromkeys(("mfa_reauthenticate", "mfa_authenticate", "mfa_activate_totp"), 302),
    "mfa_generate_recovery_codes": 302,
    **dict.fromkeys(("mfa_deactivate_totp", "mfa_view_recovery_codes"), 404),
    "accueil:sante": 200,  # JSON, pour la supervision
    "sante:vivant": 200,
    "sante:pret": 200,
    "accueil:accent": 200,  # une feuille de style
    **{f"publication:{nom}": 200 for nom in ("fil", "pdf", "json")},  # des fichiers
    **{f"publication:{fichier.route}": 200 for fichier in FICHIERS.values()},  # des fichiers
    "api:openapi": 200,  # JSON, pour un programme
    **{f"api:{nom}": 200 for nom in PUBLIQUES},
    **{f"api:{nom}": 401 for nom in INTERNES},  # JSON, avec un jeton
    "api:inconnue": 404,
    "accueil:jeton_revoquer": 405,  # un envoi
    "debloquer": 405,  # un envoi
    "invitation_ouvrir": 302,  # vers la page où l'on choisit son mot de passe
    **dict.fromkeys(("identite_partir", "identite_retour"), 404),  # sans fournisseur d'identité
    **dict.fromkeys(("personnes:mes_donnees", "personnes:export"), 405),  # des envois
    "admin:exploitation_bordereau_fichier": 200,  # un fichier
    "actions:annuler_statut": 405,  # un envoi
    "actions:etape_faite": 405,  # un envoi
    "actions:etape_deplacer": 405,  # un envoi
    "actions:etape_retirer": 405,  # un envoi
    "actions:etape_remettre": 405,  # un envoi
    "actions:document": 200,  # un fichier
    "actions:document_retirer": 405,  # un envoi
    "indicateurs:justificatif": 200,  # un fichier
    "bilans:docx": 200,  # un fichier
    "bilans:contenu_arrete": 200,  # un fichier
    **dict.fromkeys(("bilans:pdf", "bilans:pdf_de_version", "bilans:fichier_de_tirage"), 200),  # un fichier
    **{f"indicateurs:collecte_{geste}": 405 for geste in ("relancer", "clore", "rouvrir", "valider_tout")},
    "indicateurs:demande_valider": 405,  # un envoi
    "indicateurs:justificatif_retirer": 405,  # un envoi
    "actions:grille_ligne": 405,  # un envoi
    "indicateurs:saisie_ligne": 405,  # un envoi
    "indicateurs:appliquer_import": 405,  # un envoi
    **{
        f"marches:{nom}": 405
        for nom in (
            *("colonnes_du_registre", "enregistrer_le_registre", "defaire_l_import"),
            *("ligne_du_registre", "lot_retirer", "reprendre_import"),
            *("annuler_correction", "detacher_contrat"),
        )
    },
    **{f"marches:{nom}_mandats": 405 for nom in ("colonnes_de", "enregistrer", "retirer")},
    "indicateurs:export": 200,  # un fichier
    "marches:resultat_export": 200,  # un fichier
    "actions:appliquer_en_nombre": 405,  # un envoi
    "actions:appliquer_depot": 405,  # un envoi
    "actions:abandonner_depot": 405,  # un envoi
    "actions:reprendre_depot": 405,  # un envoi
    "actions:defaire_lot": 405,  # un envoi
    "actions:decision_retirer": 405,  # un envoi
    "actions:decision_remettre": 405,  # un envoi
    "actions:calendrier": 200,  # un fichier, pour un agenda
    "actions:calendrier_revoquer": 405,  # un envoi
    "actions:rien_de_nouveau": 405,  # un envoi
    "actions:campagne_relancer": 405,  # un envoi
    "actions:campagne_clore": 405,  # un envoi
    "actions:campagne_rouvrir": 405,  # un envoi
    "bilans:depublier": 405,  # un envoi
    "admin:login": 302,  # vers la connexion du site
    "admin:logout": 405,  # se déconnecter est un envoi
    "admin:autocomplete": 403,  # JSON, demandé par les listes à recherche
    "admin:jsi18n": 200,  # script
    "admin:view_on_site": 302,
    "admin:partenaires_partenaire_export": 200,  # un fichier
    "admin:comptes_trace_export": 200,  # un fichier
    "actions:export": 200,  # un fichier
    "admin:partenaires_partenaire_import_appliquer": 405,  # un envoi
    **{f"admin:admin/{modele.replace('_', '/')}/<path:object_id>/": 302 for modele in ECRANS},
}

# Des adresses qui se trompent, et qui s'en aperçoit ; « {autrui} » est une action qui n'est pas celle de l'agent.
ERREURS = (
    (Role.LECTEUR, "/actions/{autrui}/statut/", 403),
    (Role.AGENT, "/actions/{autrui}/statut/", 403),
    (Role.AGENT, "/actions/creer/", 403),
    (ANONYME, "/nulle-part/", 404),
    (Role.LECTEUR, "/actions/999999/", 404),
    (Role.LECTEUR, "/bilans/plan-garni/2023/?portee=secrete", 400),
    (Role.LECTEUR, "/bilans/plan-garni/changements/?du=demain", 400),
    (Role.LECTEUR, "/bilans/plan-garni/comparer/?de=1950", 400),
    (Role.ADMINISTRATEUR, "/nulle-part/", 404),
    (Role.ADMINISTRATEUR, "/?annee=bientot", 400),
    (Role.ADMINISTRATEUR, "/?annee=2023&au=2023-12-31", 400),
    (Role.ADMINISTRATEUR, "/actions/?statut=PRESQUE&au=hier&axe=0", 400),
    (Role.ADMINISTRATEUR, "/indicateurs/?plan=inconnu&sans_valeur=hier", 400),
)

# Ce qu'axe reproche et que nous ne pouvons pas mieux écrire : règle, et ce qui se lit dans l'élément en cause.
TOLERE = {
    # select2, livré avec l'administration de Django, pose la recherche d'une liste à plusieurs choix directement dans
    # son <ul>. Le champ est nommé et s'atteint au clavier ; seul le balisage de select2 est hors de nos mains.
    "list": "select2-selection__rendered",
}

# --- Juger une page -----------------------------------------------------------------------------

# Ce que la feuille de style du site, ou celle de l'administration, donne à toutes ses pages.
STYLE_DU_SITE = "() => getComputedStyle(document.body).fontVariantNumeric === 'tabular-nums'"
STYLE_DE_L_ADMINISTRATION = """
() => getComputedStyle(document.getElementById("header")).backgroundColor !== "rgba(0, 0, 0, 0)"
"""


def juger(fenetre: Fenetre, style: str = STYLE_DU_SITE, *, avec_axe: bool = True) -> list[str]:
    """Les styles posés, la largeur tenue, axe : ce qu'on voit de la page une fois ses blocs dépliés."""
    fenetre.deplier()
    absence = [] if fenetre.page.evaluate(style) else ["la feuille de style n'est pas appliquée"]
    return [*absence, *fenetre.debordements(), *(fenetre.violations_axe(TOLERE) if avec_axe else [])]


def visiter(fenetre: Fenetre, page: "AVisiter") -> list[str]:
    """Tous les défauts d'une page."""
    defauts = fenetre.ouvrir(page.chemin, page.code)
    if page.administration:
        fenetre.page.locator('html[data-administration="prete"]').wait_for()
    montres = fenetre.page.locator("[data-graphique]").count()
    if montres < page.graphiques:
        defauts.append(f"{montres} graphique au lieu de {page.graphiques}")
    # L'administration se juge large, où elle montre tout ; étroite, elle ne fait que replier sa barre latérale.
    etroite = fenetre.page.viewport_size == ETROIT
    style = STYLE_DE_L_ADMINISTRATION if page.administration else STYLE_DU_SITE
    defauts += juger(fenetre, style, avec_axe=not (page.administration and etroite))
    fenetre.oublier()
    return defauts


@pytest.fixture
def decor(live_server) -> Decor:
    """Trente actions : deux pages de liste, des colonnes pleines, des historiques."""
    return plan_garni(30)


@pytest.fixture
def ouvrir_chez(ouvrir_une_fenetre, decor):
    """Ouvre la fenêtre de quelqu'un, déjà connecté."""

    def ouvrir(qui: str, taille: dict[str, int]) -> Fenetre:
        fenetre = ouvrir_une_fenetre(viewport=taille)
        if qui != ANONYME:
            fenetre.page.context.add_cookies([cookie_de_session(decor.comptes[qui], fenetre.origine)])
        return fenetre

    return ouvrir


# --- Les essais ---------------------------------------------------------------------------------


def test_le_tableau_couvre_exactement_le_site():
    assert resolveur.ecarts([*PAGES, *SANS_PAGE]) == []


def test_ce_qui_est_dit_sans_page_n_en_affiche_pas(decor):
    client = Client(raise_request_exception=False)
    client.force_login(decor.comptes[Role.ADMINISTRATEUR], backend="comptes.authentification.BackendDesRoles")
    for nom, code in SANS_PAGE.items():
        reponse = client.get(decor.adresse(nom))
        assert (nom, reponse.status_code) == (nom, code)
        assert code != 200 or not reponse["Content-Type"].startswith("text/html"), nom


@dataclass(frozen=True)
class AVisiter:
    """Une page que quelqu'un ouvre, et ce qu'on en attend."""

    chemin: str
    code: int = 200
    graphiques: int = 0
    administration: bool = False


def a_visiter(qui: str, decor: Decor) -> Iterator[AVisiter]:
    """Tout ce que cette personne ouvre : les pages du tableau qui la concernent, et ses erreurs."""
    for nom, ligne in PAGES.items():
        premier = Role.ADMINISTRATEUR if ligne.connecte else ANONYME
        if qui == premier or qui in ligne.aussi:
            administration = nom.startswith("admin:") and ligne.code == 200
            adresse = decor.adresse(nom)
            yield AVisiter(adresse, ligne.code, ligne.graphiques, administration)
            for variante in ligne.variantes if qui == premier else ():
                yield AVisiter(adresse + variante, ligne.code)
    for personne, chemin, code in ERREURS:
        if personne == qui:
            yield AVisiter(chemin.format(autrui=decor.actions["d_autrui"].pk), code)


@pytest.mark.parametrize(
    ("qui", "taille"),
    [
        (Role.ADMINISTRATEUR, ETROIT),
        (Role.ADMINISTRATEUR, LARGE),
        (Role.RESPONSABLE, ETROIT),
        (Role.AGENT, ETROIT),
        (Role.LECTEUR, ETROIT),
        (ANONYME, ETROIT),
        (ANONYME, LARGE),
    ],
    ids=lambda valeur: valeur["width"] if isinstance(valeur, dict) else str(valeur),
)
def test_chaque_page_est_sans_defaut(ouvrir_chez, decor, qui, taille):
    fenetre = ouvrir_chez(qui, taille)
    defauts = {page.chemin: visiter(fenetre, page) for page in a_visiter(qui, decor)}
    assert defauts, "rien n'a été visité"
    phrases = [f"{chemin} : {defaut}" for chemin, trouves in defauts.items() for defaut in trouves]
    if phrases:
        pytest.fail("\n".join(phrases), pytrace=False)


def test_apres_trop_d_essais_la_page_429_est_sans_defaut(ouvrir_une_fenetre):
    fenetre = ouvrir_une_fenetre(viewport=ETROIT)
    page = fenetre.page
    page.goto(f"{fenetre.origine}/connexion/")
    for _ in range(10):
        page.get_by_label("Identifiant").fill("quelqu-un")
        page.get_by_label("Mot de passe").fill("ce n'est pas le bon")
        with page.expect_navigation() as navigation:
            page.get_by_role("button", name="Se connecter").click()
    assert navigation.value.status == 429
    expect(page.get_by_role("heading", level=1)).to_have_text("Trop d'essais")
    assert fenetre.defauts() + juger(fenetre) == []


def test_la_page_de_panne_est_sans_defaut(ouvrir_chez, monkeypatch, caplog):
    def tomber(*args):
        raise RuntimeError("panne d'essai")

    monkeypatch.setattr("accueil.views.lire_demande", tomber)
    fenetre = ouvrir_chez(Role.LECTEUR, ETROIT)
    assert fenetre.ouvrir("/", 500) + juger(fenetre) == []
    assert "panne d'essai" in caplog.text
