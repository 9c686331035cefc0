"""Les droits, relus objet par objet : ce que dit `comptes/droits.py` est ce que font les pages, les envois groupés,
les jetons et les listes déroulantes ; ce qu'on retire agit à la demande suivante.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.urls import reverse

from actions.documents import Document
from comptes.droits import Droit, peut
from comptes.models import Jeton, Lot, Utilisateur
from indicateurs.models import DemandeDeValeur, Indicateur, Justificatif, ValeurAnnuelle
from marches.models import Consultation, LotDeConsultation
from tests import fabriques
from tests.decor import ANNEE_DE_LA_VALEUR, SECRET_D_API, SECRET_DE_CALENDRIER
from tests.test_acces import Site, champs_a_completer, site, site_du_fichier
from tests.visites import photo

__all__ = ["site", "site_du_fichier"]

# Le décor s'écrit une fois : tout le fichier va au même ouvrier.
pytestmark = pytest.mark.xdist_group("droits")

ROLES = ("sans_role", "lecteur", "agent", "responsable", "administrateur")


def confier_a_un_autre_service(site: Site) -> None:
    """L'indicateur et la consultation du décor quittent le service de l'agent, hors historique."""
    ailleurs = fabriques.service("Voirie")
    for modele in (Indicateur, Consultation, DemandeDeValeur):
        champs = {champ.name for champ in modele._meta.fields}
        if "service" in champs:
            models.QuerySet(modele).update(service=ailleurs)


# --- Écrire -------------------------------------------------------------------------------------

AGIR = Droit.METTRE_A_JOUR
SAISIR = Droit.SAISIR_UNE_DONNEE
DECRIRE = Droit.MODIFIER_LE_PLAN
SUR_UNE_ACTION = [
    *[
        (f"actions:{nom}", AGIR)
        for nom in (
            *("statut", "annuler_statut", "echeance", "attention", "note", "rien_de_nouveau", "corriger"),
            *("note_corriger", "etape_ajouter", "etape_modifier", "etape_faite", "etape_deplacer", "etape_retirer"),
            *("etape_remettre", "document_ajouter", "document_modifier", "document_retirer"),
        )
    ],
    *[(f"actions:{nom}", DECRIRE) for nom in ("modifier", "retirer", "remettre")],
]


@pytest.mark.parametrize(("nom", "droit"), SUR_UNE_ACTION)
def test_chaque_geste_sur_une_action_suit_la_table_des_droits(site, nom, droit):
    for quelle, action in site.decor.actions.items():
        for role in ROLES:
            compte = site.decor.comptes[role]
            reponse = site.clients[role].post(site.decor.adresse(nom, pk=action.pk), {})
            attendu = peut(compte, droit, action) and peut(compte, Droit.CONSULTER)
            assert (reponse.status_code != 403) == attendu, (nom, quelle, role, reponse.status_code)


OBJETS: dict[str, Callable[[Site], Any]] = {
    "indicateurs:valeur": lambda site: site.decor.objet(Indicateur),
    "indicateurs:saisie_ligne": lambda site: site.decor.objet(Indicateur),
    "indicateurs:justificatif_ajouter": lambda site: site.decor.objet(ValeurAnnuelle),
    "indicateurs:justificatif_retirer": lambda site: site.decor.objet(Justificatif).valeur,
    "marches:consultation_modifier": lambda site: site.decor.objet(Consultation),
    "marches:lot_ajouter": lambda site: site.decor.objet(Consultation),
    "marches:lot_modifier": lambda site: site.decor.objet(LotDeConsultation).consultation,
    "marches:lot_retirer": lambda site: site.decor.objet(LotDeConsultation).consultation,
    "marches:ligne_du_registre": lambda site: site.decor.objet(LotDeConsultation).consultation,
}


@pytest.mark.parametrize("d_un_autre_service", [False, True], ids=["du sien", "d'un autre service"])
@pytest.mark.parametrize("nom", OBJETS)
def test_une_donnee_ne_se_saisit_que_par_qui_la_tient(site, nom, d_un_autre_service):
    if d_un_autre_service:
        confier_a_un_autre_service(site)
    objet = OBJETS[nom](site)
    objet = type(objet)._base_manager.get(pk=objet.pk)
    for role in ROLES:
        compte = site.decor.comptes[role]
        reponse = site.clients[role].post(site.decor.adresse(nom), {})
        assert (reponse.status_code != 403) == peut(compte, SAISIR, objet), (nom, role, reponse.status_code)
    assert peut(site.decor.comptes["agent"], SAISIR, objet) is not d_un_autre_service


# --- Écrire à plusieurs : des lignes forgées ----------------------------------------------------


def lignes_forgees(site: Site) -> dict[str, dict[str, str]]:
    valeur, lot = site.decor.objet(ValeurAnnuelle), site.decor.objet(LotDeConsultation)
    action = site.decor.actions["d_autrui"]
    i, ligne, a = f"i{valeur.indicateur_id}", f"l{lot.pk}", f"a{action.pk}"
    valeurs = {"lignes": str(valeur.indicateur_id), f"{i}-remarque": "forgée", f"{i}-version": str(valeur.version)}
    return {
        "indicateurs:saisie": valeurs,
        "indicateurs:collecte_repondre": valeurs | {"transmettre": "1"},
        "marches:grille_des_consultations": {
            "lignes": str(lot.pk),
            f"{ligne}-montant_ht": "10",
            f"{ligne}-version": str(lot.version),
        },
        "actions:grille": {"lignes": str(action.pk), f"{a}-priorite": "HAUTE", f"{a}-version": str(action.version)},
    }


@pytest.mark.parametrize(
    "nom",
    ["indicateurs:saisie", "indicateurs:collecte_repondre", "marches:grille_des_consultations", "actions:grille"],
)
def test_une_ligne_forgee_dans_un_envoi_groupe_n_ecrit_rien(site, nom):
    confier_a_un_autre_service(site)
    envoi, avant = lignes_forgees(site)[nom], photo()
    autre = fabriques.service("Voirie").pk
    avant = photo()
    for suite in ("", f"?service={autre}"):
        site.clients["agent"].post(site.decor.adresse(nom) + suite, envoi)
        assert photo() == avant


def test_une_selection_forgee_ne_change_que_ce_qui_releve_de_l_agent(site):
    pks = "&".join(f"action={action.pk}" for action in site.decor.actions.values())
    demande = {"choix": f"de=selection&{pks}&action=999999", "attention_nature": "AUTRE"}
    demande |= {"attention": "Forgé"}
    client = site.clients["agent"]
    apercu = client.post(site.decor.adresse("actions:en_nombre"), demande)
    assert apercu.status_code == 200
    if jeton := apercu.context.get("jeton"):
        client.post(site.decor.adresse("actions:appliquer_en_nombre"), {"jeton": jeton})
    for quelle, action in site.decor.actions.items():
        action = type(action).objects.get(pk=action.pk)
        permis = peut(site.decor.comptes["agent"], Droit.MODIFIER_EN_NOMBRE, action)
        assert (action.attention == "Forgé") <= permis, quelle
        action.refresh_from_db()


def test_un_apercu_signe_pour_un_autre_ne_s_applique_pas(site):
    demande = {"choix": "", "priorite": "HAUTE"}
    signe = site.clients["responsable"].post(site.decor.adresse("actions:en_nombre"), demande).context["jeton"]
    avant = photo()
    for qui in ("agent", "administrateur", "lecteur"):
        reponse = site.clients[qui].post(site.decor.adresse("actions:appliquer_en_nombre"), {"jeton": signe})
        assert reponse.status_code in (400, 403)
    assert photo() == avant


def test_un_droit_retire_entre_l_apercu_et_l_application_l_arrete(site):
    demande = {"choix": "", "priorite": "HAUTE"}
    client, compte = site.clients["responsable"], site.decor.comptes["responsable"]
    signe = client.post(site.decor.adresse("actions:en_nombre"), demande).context["jeton"]
    compte.groups.set(site.decor.comptes["lecteur"].groups.all())
    avant = photo()
    reponse = client.post(site.decor.adresse("actions:appliquer_en_nombre"), {"jeton": signe})
    assert reponse.status_code == 403
    assert photo() == avant


# --- Ce qui est à quelqu'un ---------------------------------------------------------------------


def test_le_depot_d_un_autre_ne_se_touche_pas(site):
    avant = photo()
    for nom in ("actions:appliquer_depot", "actions:abandonner_depot", "actions:reprendre_depot"):
        for role in ("lecteur", "agent", "responsable"):
            assert site.clients[role].post(site.decor.adresse(nom), {"empreinte": "x"}).status_code == 403
    assert photo() == avant


def test_le_jeton_d_un_autre_ne_se_revoque_pas(site):
    d_api = Jeton.objects.latest("pk")
    for nom in ("accueil:jeton_revoquer", "actions:calendrier_revoquer"):
        for role in ("lecteur", "agent", "responsable"):
            for jeton in Jeton.objects.values_list("pk", flat=True):
                reponse = site.clients[role].post(site.decor.adresse(nom, jeton=jeton))
                assert reponse.status_code == 404
    d_api.refresh_from_db()
    assert d_api.revoque_le is None


def test_le_lot_d_un_autre_ne_se_defait_que_par_qui_en_a_le_droit(site):
    lot, avant = site.decor.objet(Lot), photo()
    for role in ("sans_role", "lecteur", "agent"):
        assert site.clients[role].post(site.decor.adresse("actions:defaire_lot", lot=lot.pk)).status_code == 403
    assert photo() == avant


# --- Lire ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("quelle", ["sienne", "du_service", "d_autrui"])
def test_un_document_reserve_ne_s_ouvre_et_ne_se_trouve_que_par_qui_peut_agir(site, quelle):
    action = site.decor.actions[quelle]
    fichier = Document.objects.filter(action=action).exclude(fichier="").first()
    assert fichier is not None
    models.QuerySet(Document).filter(pk=fichier.pk).update(
        restreint=True, titre="Zebrures", nom_du_fichier="okapi.pdf"
    )
    fichier.refresh_from_db()
    fichier.save()
    for role in ROLES:
        compte, client = site.decor.comptes[role], site.clients[role]
        lisible = fichier.lisible_par(compte)
        assert lisible == (peut(compte, AGIR, action) and peut(compte, Droit.CONSULTER))
        adresse = site.decor.adresse("actions:document", pk=action.pk, document=fichier.pk)
        assert (client.get(adresse).status_code == 200) == lisible, role
        if role == "sans_role":
            continue
        trouve = client.get(reverse("accueil:recherche"), {"q": "zebrures"}).content.decode()
        assert ("Zebrures" in trouve) == lisible, role
        export = client.get(reverse("actions:export"), {"format": "csv"})
        assert b"okapi" not in export.content
        for instant in ("", "?saisi_au=2099-01-01T00:00", "?au=2099-01-01"):
            fiche = client.get(site.decor.adresse("actions:detail", pk=action.pk) + instant).content.decode()
            assert "okapi" not in fiche or lisible, (role, instant)


def test_chaque_liste_deroulante_de_l_administration_suit_la_table_des_droits(site):
    for modele, champ in champs_a_completer():
        cible = modele._meta.get_field(champ).related_model
        fiche = admin.site._registry[cible]
        demande = {"app_label": modele._meta.app_label, "model_name": modele._meta.model_name, "field_name": champ}
        for role in ROLES:
            compte = site.decor.comptes[role]
            droits = [fiche.droit, *filter(None, [fiche.droit_de_chercher])]
            attendu = compte.is_staff and any(peut(compte, droit) for droit in droits)
            reponse = site.clients[role].get(reverse("admin:autocomplete"), demande)
            assert (reponse.status_code == 200) == attendu, (modele, champ, role)


def test_une_action_de_l_administration_forgee_est_refusee(site):
    """La suppression en nombre, demandée par qui n'ouvre pas la page, ou sur ce qui ne se supprime pas."""
    avant = photo()
    for modele, fiche in admin.site._registry.items():
        nom = f"admin:{modele._meta.app_label}_{modele._meta.model_name}_changelist"
        cles = list(modele._base_manager.values_list("pk", flat=True)[:20])
        for geste in ("delete_selected", *(fiche.actions or ())):
            geste = geste if isinstance(geste, str) else geste.__name__
            envoi = {"action": geste, "_selected_action": cles, "post": "yes", "select_across": "1", "index": "0"}
            for role in ("lecteur", "agent"):
                assert site.clients[role].post(reverse(nom), envoi).status_code == 403, (nom, role)
            droit = getattr(fiche, "droit", Droit.ADMINISTRER)
            if not peut(site.decor.comptes["responsable"], droit):
                assert site.clients["responsable"].post(reverse(nom), envoi).status_code == 403, nom
            if geste == "delete_selected" and not getattr(fiche, "suppression_permise", True):
                site.clients["administrateur"].post(reverse(nom), envoi)
    assert photo() == avant


# --- Retirer un droit agit à la demande suivante ------------------------------------------------


def retrograder(compte: Utilisateur) -> None:
    compte.groups.clear()


def desactiver(compte: Utilisateur) -> None:
    compte.is_active = False
    compte.save()


@pytest.mark.parametrize("retirer", [retrograder, desactiver])
def test_un_calendrier_et_un_jeton_d_api_cessent_avec_le_droit_de_leur_titulaire(site, retirer):
    def ouverts() -> tuple[int, int]:
        calendrier = site.clients["anonyme"].get(reverse("actions:calendrier", args=[SECRET_DE_CALENDRIER]))
        api = site.clients["anonyme"].get(
            site.decor.adresse("api:interne_actions"), headers={"Authorization": f"Bearer {SECRET_D_API}"}
        )
        return calendrier.status_code, api.status_code

    assert ouverts() == (200, 200)
    retirer(Utilisateur.objects.get(pk=Jeton.objects.get(empreinte=Jeton.empreinte_de(SECRET_D_API)).utilisateur_id))
    assert ouverts() == (404, 401)


@pytest.mark.parametrize("retirer", [retrograder, desactiver])
@pytest.mark.parametrize(
    "nom",
    ["actions:export", "indicateurs:export", "admin:index", "admin:partenaires_partenaire_export", "bilans:docx"],
)
def test_un_export_cesse_avec_le_droit(site, nom, retirer):
    client, adresse = site.clients["responsable"], site.decor.adresse(nom, annee=ANNEE_DE_LA_VALEUR)
    assert client.get(adresse).status_code == 200
    retirer(site.decor.comptes["responsable"])
    assert client.get(adresse).status_code in (302, 403)
