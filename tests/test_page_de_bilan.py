"""La page d'un bilan : sa structure, ce que chaque portée montre, ce qui ne bouge plus une fois arrêté."""

import base64
import datetime
import hashlib
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client
from django.test.utils import CaptureQueriesContext

from actions.models import Action, Axe, NoteDeSuivi, PartenaireDuPlan, Plan
from actions.suivi import PorteeDeNote
from bilans.arret import rouvrir
from bilans.contenu.composition import composer
from bilans.contenu.schema import Portee, lire
from bilans.models import Bilan
from bilans.rendu.page import PageDeBilan, preparer
from comptes.droits import Role
from comptes.models import Utilisateur
from indicateurs.listes import Etat, Nature, OrigineDeCible
from indicateurs.models import Cible, Indicateur, ValeurAnnuelle
from partenaires.models import Partenaire
from socle.echeances import Echeance, Precision
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete
from tests.visites import client_de

pytestmark = pytest.mark.django_db

FIN_2023 = datetime.date(2023, 12, 31)
TABLES_VIVANTES = ("actions_", "indicateurs_", "partenaires_", "marches_")


@pytest.fixture
def lecteur() -> Client:
    return client_de(fabriques.utilisateur(Role.LECTEUR))


@pytest.fixture
def plan() -> Plan:
    """Un plan de deux axes et de quatre actions, une par statut et une qui n'en a pas encore fin 2023."""
    plan = fabriques.plan(intitule="Plan d'essai", annee_debut=2023)
    axes = [Axe.objects.create(plan=plan, code=f"A{n}", intitule=f"Axe {n}", ordre=n) for n in (1, 2)]
    for n, statut in enumerate(("TERMINEE", "EN_COURS", "NON_INITIEE")):
        fabriques.action(plan, intitule=f"Action {statut}", statut=statut, axe=axes[n % 2])
    partenaire = fabriques.partenaire("Réseau d'essai")
    PartenaireDuPlan.objects.create(plan=plan, partenaire=partenaire, ordre=1)
    return plan


def contenu(client: Client, adresse: str, attendu: int = 200) -> str:
    """Le bloc du contenu, entre les balises de son article."""
    reponse = client.get(adresse)
    assert reponse.status_code == attendu
    return re.search(r"<article.*</article>", reponse.content.decode(), re.S)[0]


def texte(html: str) -> str:
    """Ce qui se lit, une ligne par bloc ; ni script ni dessin."""
    sans = re.sub(r"<(script|svg).*?</\1>", "", html, flags=re.S)
    blocs = re.sub(r"</?(p|li|h[1-6]|section|div|td|th|tr|caption|dt|dd|ul|header|footer)\b[^>]*>", "\n", sans)
    lignes = unescape(re.sub(r"<[^>]+>", "", blocs)).replace("\xa0", " ").replace("\u202f", " ").splitlines()
    return "\n".join(" ".join(ligne.split()) for ligne in lignes if ligne.strip())


def remplacer(modele: type[models.Model], **champs: object) -> None:
    """Dans toutes les lignes, sans passer par les méthodes du produit."""
    models.QuerySet(modele).update(**champs)


def brouillon(plan: Plan, annee: int = 2023, portee: Portee = Portee.INTERNE, **champs: str) -> PageDeBilan:
    return preparer(lire(composer(Bilan(plan=plan, annee=annee, **champs)).de(portee)))


# --- La page publiée ------------------------------------------------------------------------------


def lignes_de_la_source() -> list[str]:
    """Les lignes imprimées de 2023 ; celles d'un chiffre, que la page coupait, sont réunies."""
    source = Path(__file__).parent / "donnees" / "fiche_action_2023.txt"
    blocs = re.split(r"\n{2,}", source.read_text(encoding="utf-8").strip())
    lignes = []
    for bloc in blocs:
        if re.match(r"[0-9]+( %)?\n", bloc):
            nombre, _, suite = bloc.partition("\n")
            lignes += [nombre, " ".join(suite.split())]
        else:
            lignes += [ligne.removeprefix("- ").strip() for ligne in bloc.splitlines()]
    return lignes


@pytest.fixture
def plan_publie() -> Plan:
    call_command("charger_plan")
    return Plan.objects.get()


@pytest.mark.parametrize("portee", ["interne", "public"])
def test_le_bilan_2023_dit_chaque_ligne_de_la_page_publiee_dans_son_ordre(lecteur, plan_publie, portee):
    bilan_arrete(plan_publie, 2023)
    lu = texte(contenu(lecteur, f"/bilans/{plan_publie.slug}/2023/?portee={portee}")).casefold().splitlines()
    reste = iter(lu)
    manquantes = [ligne for ligne in lignes_de_la_source() if ligne.casefold() not in reste]
    assert (len(lignes_de_la_source()), manquantes) == (24, [])


# --- Les sections ---------------------------------------------------------------------------------


def test_les_trois_statuts_se_suivent_et_un_statut_sans_action_le_dit(plan):
    action = plan.actions.get(numero=1)
    action.changer_statut("EN_COURS", auteur=None, version=action.version, date_effet=FIN_2023)
    page = brouillon(plan)
    assert [(s.titre, s.nombre, s.vide) for s in page.sections] == [
        ("Actions terminées", 0, "Aucune action terminée."),
        ("Actions en cours", 2, ""),
        ("Actions non initiées", 1, ""),
    ]


def test_une_action_sans_statut_connu_a_sa_section(plan):
    lu = lire(composer(Bilan(plan=plan, annee=2023)).interne)
    page = preparer(replace(lu, actions=[replace(lu.actions[0], statut=None), *lu.actions[1:]]))
    assert [(s.titre, s.nombre) for s in page.sections][-1] == ("Actions de statut inconnu", 1)


def test_dans_un_statut_les_actions_se_rangent_par_axe_dans_l_ordre_du_plan(plan):
    fabriques.action(plan, statut="EN_COURS", axe=plan.axes.first(), intitule="Autre")
    fabriques.action(plan, statut="EN_COURS", intitule="Seule")
    en_cours = brouillon(plan).sections[1]
    assert [(g.titre, [ligne.action.intitule for ligne in g.lignes]) for g in en_cours.groupes] == [
        ("A1 Axe 1", ["Autre"]),
        ("A2 Axe 2", ["Action EN_COURS"]),
        ("Sans axe", ["Seule"]),
    ]


def test_sans_axe_les_actions_se_suivent_sans_intertitre(db):
    plan = fabriques.plan()
    fabriques.action(plan, statut="EN_COURS")
    assert [groupe.titre for groupe in brouillon(plan).sections[1].groupes] == [""]


def test_chaque_commentaire_se_lit_dans_sa_section(lecteur, plan):
    champs = ("terminees", "en_cours", "non_initiees", "partenaires", "chiffres", "graphiques")
    Bilan.objects.create(
        plan=plan, annee=2023, avant_propos="Mot du maire.", **{f"commentaire_{c}": f"Mot sur {c}." for c in champs}
    )
    lu = texte(contenu(lecteur, f"/bilans/{plan.slug}/2023/"))
    ordre = ["Mot du maire.", "Avancement général", "Actions terminées", "Mot sur terminees.", "Actions en cours"]
    ordre += ["Mot sur en_cours.", "Actions non initiées", "Mot sur non_initiees.", "Partenaires : Réseau d'essai"]
    ordre += ["Mot sur partenaires.", "Mot sur chiffres.", "Graphiques et tableaux", "Mot sur graphiques."]
    places = [lu.find(morceau) for morceau in ordre]
    assert -1 not in places
    assert places == sorted(places)


def test_un_texte_saisi_ne_devient_jamais_du_html(lecteur, plan):
    Bilan.objects.create(plan=plan, annee=2023, avant_propos="<script>alert(1)</script>")
    remplacer(Action, intitule="<b>Gras</b>")
    html = contenu(lecteur, f"/bilans/{plan.slug}/2023/")
    assert "<script>alert" not in html
    assert "<b>Gras" not in html
    assert "&lt;b&gt;Gras&lt;/b&gt;" in html


def test_l_avancement_ne_s_ecrit_que_si_le_plan_le_montre(plan):
    action = plan.actions.get(numero=2)
    action.changer_statut("EN_COURS", auteur=None, version=action.version, avancement=40, date_effet=FIN_2023)

    def ecrits() -> list[str]:
        return [ligne.avancement for groupe in brouillon(plan).sections[1].groupes for ligne in groupe.lignes]

    assert ecrits() == [""]
    plan.affiche_avancement = True
    plan.save()
    assert ecrits() == ["40\xa0%"]


# --- Les chiffres ---------------------------------------------------------------------------------


def test_le_chiffre_en_grand_est_celui_de_l_annee_avec_le_texte_publie(plan):
    indicateur = fabriques.indicateur(plan, intitule="Consultations", unite="consultations")
    fabriques.valeur(indicateur, 2022, valeur=150)
    fabriques.valeur(indicateur, 2023, valeur=166, libelle="consultations finalisées en 2023", etat=Etat.VALIDEE)
    (chiffre,) = brouillon(plan).chiffres
    assert (chiffre.nombre, chiffre.texte, chiffre.precision) == ("166", "consultations finalisées en 2023", "")


def test_un_chiffre_qui_manque_le_dit_et_ne_vaut_jamais_zero(plan):
    fabriques.indicateur(plan, intitule="Consultations")
    (chiffre,) = brouillon(plan).chiffres
    assert (chiffre.nombre, chiffre.texte, chiffre.precision) == ("—", "Consultations", "Non renseigné pour 2023")


def test_une_part_dit_ses_nombres_sa_cible_son_etat_et_sa_provenance(lecteur, plan):
    indicateur = fabriques.indicateur(plan, intitule="Part", nature=Nature.PART, unite="%", source="Registre d'essai")
    fabriques.valeur(
        indicateur, 2023, numerateur=42, denominateur=166, etat=Etat.PROVISOIRE, rupture="Périmètre élargi."
    )
    Cible.objects.create(
        indicateur=indicateur, annee=2026, valeur=60, origine=OrigineDeCible.OBLIGATION, reference="article 35"
    )
    lu = texte(contenu(lecteur, f"/bilans/{plan.slug}/2023/"))
    lignes = ["25 %", "Valeur provisoire", "Valeurs et objectifs par année, et leur provenance", "Provisoire"]
    lignes += ["42 / 166 = 25,3 %", "60 % (obligation, article 35)"]
    assert [ligne for ligne in lignes if ligne not in lu.splitlines()] == []
    assert "Registre d'essaiRupture de série : Périmètre élargi." in lu.replace("\n", "")


def test_chaque_graphique_a_une_cle_a_lui_et_ses_donnees(plan):
    for n in range(2):
        fabriques.valeur(fabriques.indicateur(plan, intitule=f"Indicateur {n}"), 2023, valeur=n + 1)
    page = brouillon(plan)
    graphiques = [page.evolution, *(g for fiche in page.indicateurs for g in fiche.graphiques)]
    assert len({g.cle for g in graphiques}) == len(graphiques) == 3
    assert all(g.tableau.lignes for g in graphiques)


# --- Les portées ----------------------------------------------------------------------------------


@pytest.fixture
def plan_a_secrets(plan) -> Plan:
    """Tout ce qui est interne porte le mot SECRET ou une date reconnaissable."""
    service = fabriques.service("SECRET service")
    action = fabriques.action(
        plan,
        statut="EN_COURS",
        service_pilote=service,
        priorite="HAUTE",
        echeance=Echeance(datetime.date(2023, 2, 14), Precision.JOUR),
    )
    fabriques.action(plan, intitule="SECRET invisible", statut="EN_COURS", visible_du_public=False)
    for portee, mot in ((PorteeDeNote.INTERNE, "SECRET note"), (PorteeDeNote.BILAN, "Note du bilan")):
        NoteDeSuivi.objects.create(action=action, texte=mot, date=FIN_2023, portee=portee)
    retiree = fabriques.action(plan, intitule="SECRET retirée", date_effet=datetime.date(2023, 1, 1))
    retiree.retirer(auteur=None, version=retiree.version, motif="SECRET motif", date_effet=datetime.date(2023, 6, 1))
    return plan


def test_le_contenu_interne_dit_service_echeance_retard_notes_et_sorties(lecteur, plan_a_secrets):
    lu = texte(contenu(lecteur, f"/bilans/{plan_a_secrets.slug}/2023/"))
    for mot in ("SECRET service", "14/02/2023", "en retard", "priorité haute", "SECRET note", "SECRET invisible"):
        assert mot in lu
    assert "SECRET retirée, retirée le 1er juin 2023 : SECRET motif" in lu
    assert "non visible du public" in lu
    assert "Note du bilan" in lu


@pytest.mark.parametrize("arrete", [False, True])
def test_le_contenu_public_ne_dit_rien_d_interne(lecteur, plan_a_secrets, arrete):
    if arrete:
        bilan_arrete(plan_a_secrets, 2023)
    html = contenu(lecteur, f"/bilans/{plan_a_secrets.slug}/2023/?portee=public")
    assert "Note du bilan" in html
    for mot in ("SECRET", "14/02/2023", "retard", "priorité", "nterne"):
        assert mot not in html, mot


def test_une_portee_inconnue_est_une_demande_illisible(lecteur, plan):
    reponse = lecteur.get(f"/bilans/{plan.slug}/2023/?portee=secrete")
    assert reponse.status_code == 400
    assert "« secrete » n&#x27;est pas une portée" in reponse.content.decode()


# --- Brouillon, versions --------------------------------------------------------------------------


def test_un_brouillon_porte_son_filigrane_et_le_dit(lecteur, plan):
    html = contenu(lecteur, f"/bilans/{plan.slug}/2023/")
    assert 'class="bilan bilan-brouillon"' in html
    assert "Brouillon : rien n'est arrêté" in texte(html)


def test_un_bilan_arrete_dit_sa_date_sa_version_et_son_empreinte(lecteur, plan):
    version = bilan_arrete(plan, 2023)
    for portee in Portee:
        html = contenu(lecteur, f"/bilans/{plan.slug}/2023/?portee={portee.value}")
        assert "bilan-brouillon" not in html
        assert f"<code>{version.empreinte_de(portee)}</code>" in html
        assert "version 1." in texte(html)


def test_rouvert_le_bilan_montre_un_brouillon_et_la_version_reste_a_son_adresse(lecteur, plan):
    version = bilan_arrete(plan, 2023)
    avant = contenu(lecteur, f"/bilans/{plan.slug}/2023/")
    rouvrir(
        version.bilan, auteur=fabriques.utilisateur(Role.RESPONSABLE), version=version.bilan.version, motif="Faute."
    )
    assert "bilan-brouillon" in contenu(lecteur, f"/bilans/{plan.slug}/2023/")
    assert contenu(lecteur, f"/bilans/{plan.slug}/2023/versions/1/") == avant


@pytest.mark.parametrize(
    "fin", ["2019/", "2099/", "2023/versions/1/", "2023/versions/1/public.json", "9999/versions/1/"]
)
def test_ce_qui_n_existe_pas_ne_se_trouve_pas(lecteur, plan, fin):
    assert lecteur.get(f"/bilans/{plan.slug}/{fin}").status_code == 404
    assert lecteur.get(f"/bilans/inconnu/{fin}").status_code == 404


# --- Ce qui est arrêté ne bouge plus --------------------------------------------------------------


def tout_changer(plan: Plan) -> None:
    """Statuts, intitulés, valeurs, objectifs, partenaires, plan, auteur : rien ne reste comme avant."""
    for action in plan.actions.all():
        statut = "EN_COURS" if action.statut == "TERMINEE" else "TERMINEE"
        action.changer_statut(statut, auteur=None, version=action.version, date_effet=FIN_2023)
    fabriques.action(plan, statut="TERMINEE", intitule="Changé")
    remplacer(Action, intitule="Changé", description="Changé", service_pilote=None, visible_du_public=False)
    remplacer(Axe, intitule=Concat(Value("Changé "), "intitule"))
    remplacer(Indicateur, intitule="Changé", definition="Changé", unite="kg", decimales=3)
    remplacer(ValeurAnnuelle, valeur=999, libelle="Changé")
    remplacer(Cible, valeur=999)
    remplacer(PartenaireDuPlan, ordre=99)
    remplacer(Partenaire, nom="Changé", sigle="CH")
    remplacer(Plan, intitule="Changé", label="FICHE_ACTION", affiche_avancement=True)
    remplacer(Bilan, avant_propos="Changé", commentaire_chiffres="Changé")
    remplacer(Utilisateur, prenom="", nom="Anonyme")


@pytest.fixture
def plan_complet(plan) -> Plan:
    indicateur = fabriques.indicateur(plan, intitule="Consultations", unite="consultations")
    fabriques.valeur(indicateur, 2022, valeur=150)
    fabriques.valeur(indicateur, 2023, valeur=166)
    Cible.objects.create(indicateur=indicateur, annee=2023, valeur=160, origine=OrigineDeCible.PLAN)
    return plan


def test_apres_que_tout_a_change_la_page_arretee_est_la_meme_octet_pour_octet(lecteur, plan_complet):
    auteur = fabriques.utilisateur(Role.RESPONSABLE, nom="Autrice")
    bilan_arrete(plan_complet, 2023, auteur)
    adresses = [f"/bilans/{plan_complet.slug}/2023/{fin}" for fin in ("", "?portee=public", "versions/1/")]
    adresses.append(f"/bilans/{plan_complet.slug}/2023/versions/1/?portee=public")
    fichiers = [f"/bilans/{plan_complet.slug}/2023/versions/1/{portee.value}.json" for portee in Portee]
    avant = [contenu(lecteur, adresse) for adresse in adresses] + [lecteur.get(f).content for f in fichiers]
    tout_changer(plan_complet)
    apres = [contenu(lecteur, adresse) for adresse in adresses] + [lecteur.get(f).content for f in fichiers]
    assert apres == avant
    assert b"Chang" not in b"".join(apres[4:])


@pytest.mark.parametrize("fin", ["", "?portee=public", "versions/1/", "versions/1/interne.json"])
def test_un_bilan_arrete_ne_lit_aucune_table_vivante(lecteur, plan_complet, fin):
    bilan_arrete(plan_complet, 2023)
    with CaptureQueriesContext(connection) as requetes:
        lecteur.get(f"/bilans/{plan_complet.slug}/2023/{fin}")
    assert requetes.captured_queries
    lues = {t for r in requetes.captured_queries for t in re.findall(r'(?:FROM|JOIN) "(\w+)"', r["sql"])}
    assert {table for table in lues if table.startswith(TABLES_VIVANTES)} <= {"actions_plan"}
    assert "bilans_versiondebilan" in lues


# --- Le contenu à télécharger ---------------------------------------------------------------------


@pytest.mark.parametrize("portee", list(Portee))
def test_le_json_telecharge_est_celui_qui_est_garde_avec_son_empreinte(lecteur, plan, portee):
    version = bilan_arrete(plan, 2023)
    reponse = lecteur.get(f"/bilans/{plan.slug}/2023/versions/1/{portee.value}.json")
    attendue = hashlib.sha256(reponse.content).hexdigest()
    assert reponse.content == version.texte(portee).encode()
    assert reponse["ETag"] == f'"{attendue}"' == f'"{version.empreinte_de(portee)}"'
    assert base64.b64decode(reponse["Repr-Digest"].removeprefix("sha-256=:").rstrip(":")).hex() == attendue
    assert reponse["Content-Type"] == "application/json"
    assert f'filename="bilan-{plan.slug}-2023-version-1-{portee.value}.json"' in reponse["Content-Disposition"]


def test_le_json_deja_la_ne_se_renvoie_pas(lecteur, plan):
    version = bilan_arrete(plan, 2023)
    adresse = f"/bilans/{plan.slug}/2023/versions/1/public.json"
    reponse = lecteur.get(adresse, headers={"if-none-match": f'"{version.empreinte_publique}"'})
    assert (reponse.status_code, reponse.content) == (304, b"")


def test_le_contenu_interne_demande_une_connexion(plan):
    bilan_arrete(plan, 2023)
    for fin in ("", "versions/1/", "versions/1/interne.json", "versions/1/public.json"):
        reponse = Client().get(f"/bilans/{plan.slug}/2023/{fin}")
        assert (reponse.status_code, reponse["Location"].partition("?")[0]) == (302, "/connexion/")


def test_une_portee_qui_n_existe_pas_n_a_pas_de_fichier(lecteur, plan):
    bilan_arrete(plan, 2023)
    assert lecteur.get(f"/bilans/{plan.slug}/2023/versions/1/secrete.json").status_code == 404


# --- Le tableau de bord ---------------------------------------------------------------------------


def test_le_tableau_de_bord_mene_au_bilan_et_dit_ou_il_en_est(lecteur, plan):
    lien = f'<a href="/bilans/{plan.slug}/2023/">Bilan 2023&nbsp;: '
    assert f"{lien}pas encore arrêté</a>" in lecteur.get("/?annee=2023").content.decode()
    bilan_arrete(plan, 2023)
    assert f"{lien}arrêté le " in lecteur.get("/?annee=2023").content.decode()


# --- Le nombre de requêtes ------------------------------------------------------------------------


def test_le_brouillon_fait_autant_de_requetes_quel_que_soit_le_plan(lecteur, plan_complet):
    def requetes() -> int:
        with CaptureQueriesContext(connection) as faites:
            assert lecteur.get(f"/bilans/{plan_complet.slug}/2023/").status_code == 200
        return len(faites)

    requetes()
    avant = requetes()
    for n in range(15):
        partenaire = fabriques.partenaire()
        action = fabriques.action(plan_complet, statut="EN_COURS", partenaires=[partenaire])
        NoteDeSuivi.objects.create(action=action, texte="Note", date=FIN_2023, portee=PorteeDeNote.BILAN)
        fabriques.valeur(fabriques.indicateur(plan_complet), 2023, valeur=n)
    assert requetes() == avant
