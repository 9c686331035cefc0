"""L'API : ce qu'elle montre, ce qui la ferme, ce qu'elle dit de ce qui ne va pas."""

import json
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import caches
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pydantic import ValidationError

from actions.models import Action, Axe, NoteDeSuivi, PartenaireDeLAction
from bilans.contenu.canonique import empreinte
from bilans.models import VersionDeBilan
from comptes.droits import Role
from comptes.gestes import PorteeDeJeton
from comptes.models import Jeton
from indicateurs.listes import Etat, Nature
from publication.api import routes
from publication.api.limites import groupe
from publication.tables import ACTIONS, TABLES
from scripts.etapes import RACINE
from socle.echeances import Echeance
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete, bilan_publie
from tests.visites import client_de

pytestmark = pytest.mark.django_db

API = "/api/v1/"
PLAN = "plans/acheter-mieux"


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Acheter mieux", slug="acheter-mieux", publie=True)


@pytest.fixture
def jeton():
    compte = fabriques.utilisateur(Role.LECTEUR)
    demain = timezone.now() + timedelta(days=1)
    return Jeton.objects.emettre(compte, "Essai", [PorteeDeJeton.API], expire_le=demain)[1]


def demander(adresse: str, client: Client | None = None, **en_tetes):
    return (client or Client(raise_request_exception=False)).get(f"{API}{adresse}", headers=en_tetes)


def lire(adresse: str, jeton: str = "") -> dict:
    reponse = demander(adresse, **({"Authorization": f"Bearer {jeton}"} if jeton else {}))
    assert reponse.status_code == 200, reponse.content.decode()
    return reponse.json()


def interne(adresse: str, jeton: str) -> dict:
    return lire(f"interne/{adresse}", jeton)


def refus(adresse: str, **en_tetes) -> tuple[int, dict]:
    reponse = demander(adresse, **en_tetes)
    assert reponse["Content-Type"].startswith("application/json")
    return reponse.status_code, reponse.json()


def toutes_les_adresses(**valeurs) -> list[str]:
    connues = {"plan": "acheter-mieux", "id": 1, "code": "x", "annee": 2023} | valeurs
    return [route.format(**connues) for route in routes.ROUTES.values()]


# --- Ouverte ou fermée ----------------------------------------------------------------------------


def test_les_donnees_ouvertes_menent_a_sa_documentation_quand_elle_est_ouverte(plan, settings):
    """Qui n'a pas de compte n'y est mené que de là."""
    lien = f'href="{API}"'
    settings.PAGES_PUBLIQUES, settings.API = True, True
    assert lien in Client().get(f"/public/{plan.slug}/donnees/").content.decode()
    settings.API = False
    assert lien not in Client().get(f"/public/{plan.slug}/donnees/").content.decode()


def test_sa_documentation_ramene_aux_plans_publies_s_ils_le_sont(settings):
    settings.API, settings.PAGES_PUBLIQUES = True, True
    assert 'href="/public/"' in demander("").content.decode()
    settings.PAGES_PUBLIQUES = False
    assert 'href="/public/"' not in demander("").content.decode()


def test_fermee_toute_adresse_est_un_404(plan, jeton, settings):
    settings.API = False
    for adresse in ["", "openapi.json", "inconnue", *toutes_les_adresses()]:
        assert refus(adresse, Authorization=f"Bearer {jeton}") == (
            404,
            {"erreur": "L'API n'est pas ouverte sur ce site."},
        )


def test_l_api_est_fermee_sans_reglage():
    code = "from commande_responsable import settings; print(settings.API)"
    environnement = {"SECRET_KEY": "une-cle-de-cinquante-caracteres-au-moins-0123456789-abc", "PATH": "/usr/bin"}
    sortie = subprocess.run(
        [sys.executable, "-c", code], cwd=RACINE, env=environnement, capture_output=True, text=True, check=True
    )
    assert sortie.stdout.strip() == "False"


def test_un_site_qui_demarre_ne_charge_ni_ninja_ni_pydantic():
    code = (
        "import sys, django; django.setup(); from django.urls import get_resolver; get_resolver().url_patterns;"
        "print(sorted({'ninja', 'pydantic'} & set(sys.modules)))"
    )
    sortie = subprocess.run(
        [sys.executable, "-c", code], cwd=RACINE, env=_environnement(), capture_output=True, text=True, check=True
    )
    assert sortie.stdout.strip() == "[]"


def _environnement() -> dict[str, str]:
    import os

    return os.environ | {"DJANGO_SETTINGS_MODULE": "tests.reglages"}


def test_sans_plan_publie_l_api_publique_est_vide(plan):
    plan.publie = False
    plan.save()
    assert lire("plans")["resultats"] == []
    for adresse in toutes_les_adresses():
        if adresse != "plans" and not adresse.startswith("interne/"):
            assert refus(adresse)[0] == 404


def test_les_pages_publiques_fermees_ferment_aussi_l_api_publique(plan, settings):
    settings.PAGES_PUBLIQUES = False
    assert lire("plans")["total"] == 0
    assert refus(f"{PLAN}/actions")[0] == 404


# --- Ce qui est public ----------------------------------------------------------------------------


def test_un_plan_publie_et_le_decompte_de_ses_actions_visibles(plan):
    axe = Axe.objects.create(plan=plan, code="1", intitule="Acheter")
    Axe.objects.create(plan=plan, code="2", intitule="Vide")
    fabriques.action(plan, statut="TERMINEE", axe=axe)
    fabriques.action(plan, statut="EN_COURS", visible_du_public=False)
    lu = lire(PLAN)
    assert lu["axes"] == [{"code": "1", "intitule": "Acheter"}]
    assert lu["avancement"] == {"total": 1, "terminees": 1, "en_cours": 0, "non_initiees": 0, "inconnues": 0}
    assert [resultat["plan"] for resultat in lire("plans")["resultats"]] == ["acheter-mieux"]


def test_les_lignes_sont_celles_des_fichiers_colonne_pour_colonne(plan):
    action = fabriques.action(plan, partenaires=[fabriques.partenaire()])
    compte = fabriques.indicateur(plan)
    fabriques.valeur(compte, 2023, valeur=166, etat=Etat.VALIDEE)
    for nom in ("actions", "statuts", "indicateurs", "valeurs", "partenaires"):
        [ligne] = lire(f"{PLAN}/{nom}")["resultats"]
        [attendue] = TABLES[nom].lignes(plan)
        assert json.loads(json.dumps(attendue, default=str)) == ligne | ({"valeur": "166"} if nom == "valeurs" else {})
        assert list(ligne) == [colonne.nom for colonne in TABLES[nom].colonnes]
    assert lire(f"{PLAN}/actions/{action.pk}")["intitule"] == action.intitule


def test_une_action_dit_ses_partenaires_et_ses_statuts(plan):
    partenaire = fabriques.partenaire("Réseau")
    fabriques.partenaire("Ailleurs")
    action = fabriques.action(plan, partenaires=[partenaire])
    action.changer_statut("EN_COURS", auteur=None, version=Action.objects.get(pk=action.pk).version)
    lue = lire(f"{PLAN}/actions/{action.pk}")
    assert [lu["nom"] for lu in lue["partenaires"]] == ["Réseau"]
    assert [lu["statut"] for lu in lue["statuts"]] == ["NON_INITIEE", "EN_COURS"]


def test_un_indicateur_dit_ses_valeurs_validees_et_leur_part_en_nombre(plan):
    compte = fabriques.indicateur(plan, code="consultations")
    part = fabriques.indicateur(plan, code="part", nature=Nature.PART, unite="%", denominateur=compte)
    fabriques.valeur(compte, 2023, valeur=166, etat=Etat.VALIDEE)
    fabriques.valeur(part, 2023, numerateur=42, etat=Etat.VALIDEE)
    fabriques.valeur(compte, 2024, valeur=12)
    assert [valeur["annee"] for valeur in lire(f"{PLAN}/indicateurs/consultations")["valeurs"]] == [2023]
    [valeur] = lire(f"{PLAN}/valeurs?indicateur=part")["resultats"]
    assert (valeur["valeur"], valeur["numerateur"], valeur["denominateur"]) == (25.301205, 42, 166)


def test_une_action_invisible_n_est_nulle_part(plan):
    cachee = fabriques.action(plan, intitule="MARQUE", visible_du_public=False, partenaires=[fabriques.partenaire()])
    assert refus(f"{PLAN}/actions/{cachee.pk}")[0] == 404
    assert lire(f"{PLAN}/partenaires")["total"] == 0
    assert lire(f"{PLAN}/statuts?action={cachee.pk}")["total"] == 0
    assert lire(f"{PLAN}/actions?q=marque")["total"] == 0


def test_la_recherche_publique_ne_lit_pas_le_point_d_attention(plan):
    """Trouver l'action par un mot qui n'est que là dirait ce qu'il contient."""
    action = fabriques.action(plan, intitule="Acheter local")
    action.signaler("AUTRE", "Contentieux en vue.", version=Action.objects.get(pk=action.pk).version)
    assert lire(f"{PLAN}/actions?q=contentieux")["total"] == 0
    assert lire(f"{PLAN}/actions?q=LOCAL")["total"] == 1


@pytest.mark.parametrize(
    ("demande", "numeros"),
    [
        ("q=clauses", [1]),
        ("q=devel", [1]),
        ("q=2", [2]),
        ("statut=EN_COURS", [2]),
        ("axe=A1", [1]),
        ("axe=Acheter", [1]),
    ],
)
def test_les_filtres_d_actions(plan, demande, numeros):
    axe = Axe.objects.create(plan=plan, code="A1", intitule="Acheter")
    fabriques.action(plan, intitule="Développer les clauses", axe=axe)
    fabriques.action(plan, intitule="Former", statut="EN_COURS")
    assert [action["numero"] for action in lire(f"{PLAN}/actions?{demande}")["resultats"]] == numeros


def test_les_filtres_de_valeurs(plan):
    for code in ("un", "deux"):
        indicateur = fabriques.indicateur(plan, code=code)
        for annee in (2022, 2023):
            fabriques.valeur(indicateur, annee, valeur=1, etat=Etat.VALIDEE)
    lues = lire(f"{PLAN}/valeurs?annee=2023&indicateur=deux")["resultats"]
    assert [(valeur["annee"], valeur["indicateur"]) for valeur in lues] == [(2023, "deux")]


# --- Les bilans -----------------------------------------------------------------------------------


def test_le_contenu_public_d_un_bilan_est_rendu_octet_pour_octet(plan):
    fabriques.action(plan)
    bilan_publie(plan, 2023)
    [ligne] = lire(f"{PLAN}/bilans")["resultats"]
    reponse = demander(f"{PLAN}/bilans/2023")
    assert reponse.content.decode() == VersionDeBilan.objects.get().contenu_public
    assert ligne["empreinte"] == empreinte(reponse.content)
    assert ligne["contenu"].endswith(f"{API}{PLAN}/bilans/2023")


def test_un_bilan_arrete_mais_pas_publie_n_est_lu_qu_avec_un_jeton(plan, jeton):
    fabriques.action(plan, visible_du_public=False, intitule="MARQUE")
    bilan_arrete(plan, 2023)
    assert lire(f"{PLAN}/bilans")["total"] == 0
    assert refus(f"{PLAN}/bilans/2023")[0] == 404
    [ligne] = interne(f"{PLAN}/bilans", jeton)["resultats"]
    assert (ligne["annee"], ligne["etat"], ligne["version"], ligne["motif"]) == (2023, "ARRETE", 1, "")
    assert interne(f"{PLAN}/bilans/2023", jeton)["actions"][0]["intitule"] == "MARQUE"


def test_la_liste_interne_montre_la_derniere_version(plan, jeton):
    fabriques.action(plan)
    bilan_arrete(plan, 2023)
    bilan_arrete(plan, 2023)
    [ligne] = interne(f"{PLAN}/bilans", jeton)["resultats"]
    assert (ligne["version"], ligne["motif"]) == (2, "Une erreur à corriger.")
    assert interne(f"{PLAN}/bilans/2023", jeton)["bilan"]["rang"] == 2


# --- Ce qu'un jeton lit de plus -------------------------------------------------------------------


def test_un_jeton_lit_les_actions_cachees_et_leurs_champs_internes(plan, jeton):
    pilote = fabriques.utilisateur(Role.AGENT, prenom="Alix", nom="Martin")
    partenaire = fabriques.partenaire("Réseau", contact="Mme Durand")
    options = {"echeance": Echeance.lire("T2 2020"), "pilote": pilote, "budget_previsionnel": "1200.50"}
    action = fabriques.action(plan, visible_du_public=False, partenaires=[partenaire], **options)
    NoteDeSuivi.objects.create(action=action, date="2024-01-02", texte="Une nouvelle.", auteur=pilote)
    [ligne] = interne(f"{PLAN}/actions", jeton)["resultats"]
    assert (ligne["visible_du_public"], ligne["en_retard"], ligne["echeance"]) == (False, True, "2020-06-30")
    assert (ligne["pilote"], ligne["budget_previsionnel"]) == ("Alix Martin", 1200.5)
    lue = interne(f"{PLAN}/actions/{action.pk}", jeton)
    assert [note["texte"] for note in lue["notes"]] == ["Une nouvelle."]
    assert [participation["nom"] for participation in lue["partenaires"]] == ["Réseau"]
    assert interne(f"{PLAN}/partenaires", jeton)["resultats"][0]["contact"] == "Mme Durand"


def test_un_jeton_filtre_les_retards(plan, jeton):
    fabriques.action(plan, echeance=Echeance.lire("2020"))
    fabriques.action(plan, echeance=Echeance.lire("2100"))
    fabriques.action(plan)
    numeros = {
        reponse: [a["numero"] for a in interne(f"{PLAN}/actions?retard={reponse}", jeton)["resultats"]]
        for reponse in ("oui", "non")
    }
    assert numeros == {"oui": [1], "non": [2, 3]}


def test_un_jeton_lit_un_plan_pas_publie_et_ses_valeurs_provisoires(jeton):
    prive = fabriques.plan(slug="prive")
    fabriques.valeur(fabriques.indicateur(prive, code="compte"), 2024, valeur=12)
    assert [plan["publie"] for plan in interne("plans", jeton)["resultats"]] == [False]
    assert [valeur["etat"] for valeur in interne("plans/prive/valeurs", jeton)["resultats"]] == ["PROVISOIRE"]
    assert len(interne("plans/prive/indicateurs/compte", jeton)["valeurs"]) == 1


def test_un_jeton_ne_change_rien_a_ce_que_montre_une_adresse_publique(plan, jeton):
    fabriques.action(plan, visible_du_public=False)
    assert lire(f"{PLAN}/actions", jeton) == lire(f"{PLAN}/actions")


# --- Pages ----------------------------------------------------------------------------------------


def test_une_liste_se_lit_page_a_page_par_ses_adresses(plan, settings):
    settings.ADRESSE_DU_SITE = "https://plan.exemple.fr"
    for _ in range(5):
        fabriques.action(plan, intitule="Acheter local")
    numeros, adresse = [], f"{PLAN}/actions?taille=2&q=local"
    while adresse:
        page = lire(adresse)
        numeros += [action["numero"] for action in page["resultats"]]
        assert (page["total"], page["pages"], page["taille"]) == (5, 3, 2)
        adresse = (page["suivante"] or "").removeprefix(f"https://plan.exemple.fr{API}")
    assert numeros == [1, 2, 3, 4, 5]
    assert page["precedente"].endswith("page=2")


def test_au_dela_de_la_derniere_page_rien_n_existe(plan):
    assert lire(f"{PLAN}/actions")["pages"] == 1
    assert refus(f"{PLAN}/actions?page=2") == (404, {"erreur": "La liste n'a pas de page 2 : elle en a 1."})


# --- Ce qui ne va pas -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("demande", "parametre", "phrase"),
    [
        ("page=0", "page", "1 au moins."),
        ("page=", "page", "Un entier, écrit en chiffres."),
        ("page=1.0", "page", "Un entier, écrit en chiffres."),
        ("page=+1", "page", "Un entier, écrit en chiffres."),
        ("taille=101", "taille", "100 au plus."),
        ("statut=FINIE", "statut", "Une de ces valeurs : 'TERMINEE', 'EN_COURS', 'NON_INITIEE'."),
        ("statut=", "statut", "Une de ces valeurs : 'TERMINEE', 'EN_COURS', 'NON_INITIEE'."),
        ("q=%00", "q", "Un signe qui n'a pas sa place ici."),
        (f"q={'x' * 201}", "q", "200 signes au plus."),
        ("statu=EN_COURS", "statu", "Ce paramètre n'existe pas ici."),
        ("q=a&q=b", "q", "Ce paramètre n'est attendu qu'une fois."),
    ],
)
def test_une_demande_mal_ecrite_nomme_le_parametre(plan, demande, parametre, phrase):
    code, corps = refus(f"{PLAN}/actions?{demande}")
    assert code == 422
    assert corps["parametres"] == {parametre: phrase}


@pytest.mark.parametrize(
    "adresse", ["inconnue", f"{PLAN}/", "plans/inconnu", "interne", f"{PLAN}/indicateurs/inconnu"]
)
def test_ce_qui_n_existe_pas_se_dit_en_json(plan, adresse):
    code, corps = refus(adresse)
    assert code == 404
    assert corps["erreur"].endswith(".") or "openapi.json" in corps["erreur"]


@pytest.mark.parametrize("methode", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_l_api_est_en_lecture_seule(plan, methode):
    for adresse in ("", "openapi.json", "plans", "interne/plans", "inconnue"):
        reponse = Client(enforce_csrf_checks=True).generic(methode, f"{API}{adresse}")
        assert (reponse.status_code, reponse["Allow"]) == (405, "GET, HEAD")
        assert "lecture seule" in reponse.json()["erreur"]


def test_une_panne_est_une_phrase_sans_detail(plan, caplog):
    def en_panne(executer, sql, *suite):
        if "actions_plan" in sql:
            raise OperationalError("SECRET : la base est tombée")
        return executer(sql, *suite)

    with connection.execute_wrapper(en_panne):
        code, corps = refus("plans")
    assert (code, list(corps)) == (500, ["erreur", "demande"])
    assert "SECRET" not in corps["erreur"]
    assert "SECRET" in caplog.text


def test_un_hote_inconnu_recoit_du_json_aussi(plan):
    code, _ = refus("plans", Host="ailleurs.exemple.fr")
    assert code == 400


# --- La réponse -----------------------------------------------------------------------------------


def test_une_reponse_publique_se_garde_se_revalide_et_se_lit_d_un_autre_site(plan):
    reponse = demander("plans")
    assert (reponse["Access-Control-Allow-Origin"], reponse["Cache-Control"].split(",")[0]) == ("*", "public")
    revalidee = demander("plans", if_none_match=reponse["ETag"])
    assert (revalidee.status_code, revalidee.content) == (304, b"")
    assert revalidee["Access-Control-Allow-Origin"] == "*"
    fabriques.plan(publie=True)
    assert demander("plans", if_none_match=reponse["ETag"]).status_code == 200


def test_une_reponse_interne_ne_se_garde_pas_et_ne_se_lit_pas_d_un_autre_site(plan, jeton):
    for en_tetes in ({}, {"Authorization": f"Bearer {jeton}"}):
        reponse = demander("interne/plans", **en_tetes)
        assert reponse["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in reponse
        assert "ETag" not in reponse


def test_aucun_cookie_n_est_pose_ni_ne_change_la_reponse(plan):
    connecte = client_de(fabriques.utilisateur(Role.ADMINISTRATEUR))
    for adresse in ("", "openapi.json", "plans", f"{PLAN}/actions"):
        reponses = [demander(adresse), demander(adresse, connecte)]
        assert reponses[0].content == reponses[1].content
        for reponse in reponses:
            assert "Set-Cookie" not in reponse
            assert not reponse.cookies
            assert "cookie" not in reponse.get("Vary", "").lower()


def test_head_repond_comme_get_sans_corps(plan):
    lue, tete = demander("plans"), Client().head(f"{API}plans")
    assert (tete.status_code, tete.content, tete["ETag"]) == (200, b"", lue["ETag"])


# --- Les limites ----------------------------------------------------------------------------------


MILIEU_D_UNE_MINUTE = 1_800_000_030.0


@pytest.fixture
def deux_par_minute(settings, monkeypatch):
    """Deux demandes par minute, à une heure arrêtée : l'essai ne tombe pas à cheval sur deux minutes."""
    settings.API_DEMANDES_PAR_MINUTE = settings.API_DEMANDES_PAR_JETON = 2
    monkeypatch.setattr("publication.api.limites.time", SimpleNamespace(time=lambda: MILIEU_D_UNE_MINUTE))
    caches["limites"].clear()
    return settings


def codes(nombre: int, adresse: str = "plans", adresse_ip: str = "127.0.0.1", **en_tetes) -> list[int]:
    client = Client(REMOTE_ADDR=adresse_ip)
    return [demander(adresse, client, **en_tetes).status_code for _ in range(nombre)]


def test_au_dela_de_la_limite_on_dit_combien_attendre(plan, deux_par_minute):
    assert codes(3) == [200, 200, 429]
    reponse = demander("plans")
    assert 1 <= int(reponse["Retry-After"]) <= 60
    assert reponse.json()["erreur"].startswith("Trop de demandes")


def test_chaque_adresse_et_chaque_jeton_a_son_compte(plan, jeton, deux_par_minute):
    assert codes(3) == [200, 200, 429]
    assert codes(2, adresse_ip="192.0.2.1") == [200, 200]
    assert codes(3, "interne/plans", Authorization=f"Bearer {jeton}") == [200, 200, 429]


def test_des_essais_de_jetons_se_comptent_a_l_adresse(plan, deux_par_minute):
    assert codes(3, "interne/plans", Authorization="Bearer inconnu") == [401, 401, 429]


def test_la_limite_se_leve_a_la_minute_suivante(plan, deux_par_minute, monkeypatch):
    assert codes(3)[-1] == 429
    monkeypatch.setattr("publication.api.limites.time", SimpleNamespace(time=lambda: MILIEU_D_UNE_MINUTE + 60))
    assert codes(1) == [200]


def test_derriere_un_relais_l_adresse_est_celle_qu_il_a_vue(plan, deux_par_minute):
    deux_par_minute.PROXYS_DE_CONFIANCE = 1
    assert codes(3, **{"X-Forwarded-For": "1.1.1.1, 192.0.2.1"}) == [200, 200, 429]
    assert codes(1, **{"X-Forwarded-For": "2.2.2.2, 192.0.2.1"}) == [429]
    assert codes(1, **{"X-Forwarded-For": "1.1.1.1, 192.0.2.2"}) == [200]


def test_sans_relais_declare_l_en_tete_ne_trompe_personne(plan, deux_par_minute):
    assert codes(3, **{"X-Forwarded-For": "192.0.2.1"})[-1] == 429
    assert codes(1, **{"X-Forwarded-For": "192.0.2.2"}) == [429]


def test_un_reseau_ipv6_est_un_seul_client():
    assert groupe("2001:db8::1") == groupe("2001:db8::2") == "2001:db8::/64"
    assert groupe("192.0.2.1") == "192.0.2.1"
    assert groupe("n'importe quoi") == "inconnue"


def test_deux_clients_ipv4_d_un_serveur_qui_ecoute_en_ipv6_ont_chacun_leur_compte():
    assert (groupe("::ffff:192.0.2.1"), groupe("::ffff:192.0.2.2")) == ("192.0.2.1", "192.0.2.2")


def test_l_adresse_n_est_pas_gardee_en_clair(plan, deux_par_minute):
    codes(1, adresse_ip="192.0.2.77")
    with connection.cursor() as curseur:
        curseur.execute("SELECT cache_key FROM publication_limites")
        assert [cle for (cle,) in curseur.fetchall() if "192.0.2.77" in cle] == []


# --- Le document et sa page -----------------------------------------------------------------------


@pytest.fixture
def document():
    return lire("openapi.json")


def test_le_document_dit_chaque_adresse_et_chaque_adresse_est_au_document(document):
    assert set(document["paths"]) == {f"{API}{adresse}" for adresse in routes.ROUTES.values()}


def test_chaque_operation_dit_en_francais_ce_qu_elle_fait_ses_parametres_et_ses_erreurs(document):
    for chemin in document["paths"].values():
        operation = chemin["get"]
        assert operation["summary"]
        assert operation["description"].endswith(".")
        assert {"200", "404", "422", "429"} <= set(operation["responses"])
        for parametre in operation["parameters"]:
            assert parametre["description"].endswith(".")
            assert "example" in parametre
        for code, reponse in operation["responses"].items():
            assert reponse["description"].endswith(".")
            assert ("example" in reponse["content"]["application/json"]) if code >= "400" else True


def test_chaque_champ_de_chaque_objet_est_decrit(document):
    muets = [
        f"{nom}.{champ}"
        for nom, schema in document["components"]["schemas"].items()
        for champ, forme in schema["properties"].items()
        if not forme.get("description")
    ]
    assert muets == []


def test_les_adresses_internes_demandent_un_jeton_et_disent_leur_portee(document):
    for adresse, chemin in document["paths"].items():
        est_interne = adresse.startswith(f"{API}interne/")
        assert ("security" in chemin["get"]) is est_interne
        assert ("401" in chemin["get"]["responses"]) is est_interne
        assert ("Portée demandée" in chemin["get"]["description"]) is est_interne


def test_aucune_reponse_publique_ne_nomme_un_champ_interne(document):
    schemas = document["components"]["schemas"]
    assert set(schemas["Action"]["properties"]) == {colonne.nom for colonne in ACTIONS.colonnes}
    for adresse, chemin in document["paths"].items():
        if not adresse.startswith(f"{API}interne/"):
            assert "Interne" not in json.dumps(chemin["get"]["responses"]["200"])


def test_une_ligne_interne_ne_passe_par_aucune_reponse_publique(plan):
    """Une opération publique qui lirait une table interne tomberait en panne : elle ne la montrerait pas."""
    from publication.api import schemas, tables_internes

    fabriques.action(plan, partenaires=[fabriques.partenaire()])
    fabriques.valeur(fabriques.indicateur(plan), 2023, valeur=166)
    for nom, forme in (
        ("ACTIONS", schemas.Action),
        ("INDICATEURS", schemas.Indicateur),
        ("VALEURS", schemas.Valeur),
        ("PARTENAIRES", schemas.Partenaire),
    ):
        [ligne] = getattr(tables_internes, f"{nom}_INTERNES").lignes(plan)
        enveloppe = {"total": 1, "page": 1, "taille": 50, "pages": 1, "precedente": None, "suivante": None}
        with pytest.raises(ValidationError, match="extra_forbidden"):
            schemas.Page[forme].model_validate(enveloppe | {"resultats": [ligne]})


def test_la_page_dit_chaque_adresse_sans_script_ni_lien_vers_ailleurs(plan):
    page = demander("").content.decode()
    for adresse in routes.ROUTES.values():
        assert f"GET {API}{adresse}" in page
    assert "<script" not in page
    assert "https://" not in page.replace("http://127.0.0.1", "")
    assert len(page.encode()) <= 60_000


def test_les_partenaires_d_une_action_cachee_ne_sont_pas_ceux_du_plan(plan):
    cite = fabriques.partenaire("Visible")
    action = fabriques.action(plan)
    PartenaireDeLAction.objects.create(action=action, partenaire=cite)
    assert [lu["nom"] for lu in lire(f"{PLAN}/partenaires")["resultats"]] == ["Visible"]
