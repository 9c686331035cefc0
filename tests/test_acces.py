"""Qui peut quoi, page par page : une ligne par route du site, essayée par chacun, en lecture et en envoi.

Une page nouvelle s'ajoute à TABLE. Le premier essai nomme celles qui y manquent.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from actions.models import Action, Axe, DepotDeClasseur, NoteDeSuivi, Plan
from bilans.models import Bilan, Tirage, VersionDeBilan
from comptes.models import Collectivite, Courriel, Jeton, Lot, Service, Trace, Utilisateur
from exploitation.models import Bordereau
from indicateurs.models import Cible, Indicateur, ValeurAnnuelle
from marches.models import Consultation, ImportDeMandats, LotDeConsultation, Territoire
from partenaires.classeurs import COLONNES
from partenaires.models import Convention, Partenaire
from publication.api.routes import INTERNES, PUBLIQUES
from publication.fichiers import FICHIERS
from tests import fabriques, resolveur
from tests.decor import ANNEE_DE_LA_VALEUR, Decor, decor_acces
from tests.decor_contrats import SOUCHE
from tests.visites import client_de, formulaire_de, photo, sans_lendemain, tables_ecrites

# Le décor s'écrit une fois : tout le fichier va au même ouvrier.
pytestmark = pytest.mark.xdist_group("acces")

# --- Qui ----------------------------------------------------------------------------------------

# Compte du décor, et l'action qu'il demande : l'agent essaie la sienne, celle de son service, celle d'autrui.
VISITEURS = {
    "anonyme": (None, "sienne"),
    "sans_role": ("sans_role", "sienne"),
    "lecteur": ("lecteur", "sienne"),
    "agent": ("agent", "sienne"),
    "service": ("agent", "du_service"),
    "ailleurs": ("agent", "d_autrui"),
    "responsable": ("responsable", "d_autrui"),
    "administrateur": ("administrateur", "d_autrui"),
}
TOUT_LE_MONDE = frozenset(VISITEURS)
ANONYME = frozenset({"anonyme"})
CONNECTES = TOUT_LE_MONDE - ANONYME
TOUS_LES_ROLES = CONNECTES - {"sans_role"}
METTRE_A_JOUR = frozenset({"agent", "service", "responsable", "administrateur"})
# L'indicateur du décor est du service de l'agent, quelle que soit l'action qu'il demande.
SAISIR = METTRE_A_JOUR | {"ailleurs"}
RESPONSABLES = frozenset({"responsable", "administrateur"})
ADMINISTRATEURS = frozenset({"administrateur"})

# --- Quoi ---------------------------------------------------------------------------------------

METHODES = LECTURE, TETE, VIDE, ENVOI = "GET", "HEAD", "POST vide", "POST"
LECTURES = (LECTURE, TETE)
TAPE = "Texte tapé pendant dix minutes."


@dataclass(frozen=True)
class Ligne:
    """Une route, qui y entre, et ce qu'elle répond à ceux qui entrent.

    Les autres reçoivent 403, sauf l'anonyme qui demande une page : il est conduit à la connexion. `envoi` : ce qu'on
    change au formulaire de la page pour un envoi valable, ou de quoi l'écrire ; None : la page refuse tout envoi,
    avec le code `sans_envoi`. `requete` : ce qui suit l'adresse. `sauf` : les réponses qui s'écartent de ces règles.
    """

    nom: str
    ouverte_a: frozenset[str] = TOUS_LES_ROLES
    envoi: "dict[str, Any] | Callable[[Site], dict[str, Any]] | None" = None
    lit: int = 200
    ecrit: int = 302
    vide: int = 200
    sans_envoi: int = 405
    requete: str = ""
    sauf: dict[tuple[str, str], int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.nom

    def attendu(self, methode: str, qui: str) -> int:
        if (methode, qui) in self.sauf:
            return self.sauf[methode, qui]
        if qui not in self.ouverte_a:
            return 302 if qui == "anonyme" and methode in LECTURES else 403
        if methode in LECTURES:
            return self.lit
        if self.envoi is None:
            return self.sans_envoi
        return self.vide if methode == VIDE else self.ecrit


def a_chacun(code: int, parmi: frozenset[str], *methodes: str) -> dict[tuple[str, str], int]:
    """La même réponse, hors des règles, à chacun de ceux-là."""
    return {(methode, qui): code for methode in methodes for qui in parmi}


def un(modele: type[models.Model]) -> Callable[[Decor], int]:
    """La clé d'un objet du décor, à mettre dans un envoi."""
    return lambda decor: decor.objet(modele).pk


def fiche(
    modele: type[models.Model],
    ouverte_a: frozenset[str],
    *,
    ajout: dict[str, Any] | None = None,
    changement: dict[str, Any] | None = None,
    suppression: int | None = None,
    vide: int = 200,
) -> list[Ligne]:
    """Les pages que l'administration donne à un modèle. `ajout`, `changement` : un envoi valable, ou None si le geste
    n'existe pas ; `suppression` : la réponse à l'envoi confirmé, 302, ou 200 si d'autres objets tiennent à celui-là.
    `vide` : la réponse à un changement vide."""
    application, nom = modele._meta.app_label, modele._meta.model_name

    def ligne(page: str, **options: Any) -> Ligne:
        return Ligne(f"admin:{application}_{nom}_{page}", **{"ouverte_a": ouverte_a, "sans_envoi": 403} | options)

    def si(permis: Any) -> frozenset[str]:
        return ouverte_a if permis is not None else frozenset()

    return [
        ligne("changelist", envoi={}, ecrit=200),
        ligne("history", envoi={}, ecrit=200),
        ligne("change", envoi=changement, vide=vide),
        ligne("add", ouverte_a=si(ajout), envoi=ajout),
        ligne("delete", ouverte_a=si(suppression), envoi={"post": "yes"}, ecrit=suppression or 302),
        Ligne(f"admin:admin/{application}/{nom}/<path:object_id>/", RESPONSABLES, {}, lit=302, vide=302),
    ]


def bouton(nom: str, envoi: dict[str, Any]) -> Ligne:
    """Un envoi d'un clic depuis la page d'une action. Vide, il ne dit pas ce qu'il veut."""
    demandent = a_chacun(405, frozenset({"lecteur", "ailleurs"}), LECTURE)
    return Ligne(nom, METTRE_A_JOUR, lambda _: envoi, lit=405, vide=400, sauf=demandent)


def bouton_du_releve(nom: str) -> Ligne:
    """Un envoi d'un clic depuis le relevé de décisions. Vide, il ne dit pas ce qu'il veut."""
    demandent = a_chacun(405, TOUS_LES_ROLES - RESPONSABLES, LECTURE)
    return Ligne(nom, RESPONSABLES, lambda _: {"version": "1"}, lit=405, vide=400, sauf=demandent)


def depot(site: "Site") -> dict[str, Any]:
    """Le fichier signé que l'aperçu d'un import a mis dans sa page."""
    with sans_lendemain():
        apercu = site.clients["administrateur"].post(
            site.decor.adresse("admin:partenaires_partenaire_import"), {"fichier": un_tableau()}
        )
    return {"depot": apercu.context["depot"]}


def valeurs_deposees(site: "Site") -> dict[str, Any]:
    """Le classeur signé que l'aperçu d'un import de valeurs a mis dans sa page."""
    with sans_lendemain():
        apercu = site.clients["administrateur"].post(site.decor.adresse("indicateurs:importer"), des_valeurs(site))
    return formulaire_de(apercu) | {"motif": TAPE}


def des_valeurs(site: "Site") -> dict[str, Any]:
    contenu = f"Code;{ANNEE_DE_LA_VALEUR} remarque\n{site.decor.objet(Indicateur).code};{TAPE}\n"
    return {"fichier": SimpleUploadedFile("valeurs.csv", contenu.encode())}


def apercu_en_nombre(site: "Site") -> dict[str, Any]:
    """Ce que l'aperçu d'un changement en nombre a signé pour l'administrateur."""
    demande = {"choix": "", "priorite": "HAUTE"}
    reponse = site.clients["administrateur"].post(site.decor.adresse("actions:en_nombre"), demande)
    return {"jeton": reponse.context["jeton"]}


def grille_remplie(site: "Site") -> dict[str, Any]:
    """Une cellule changée sur la ligne de l'action qu'un responsable demande."""
    action = site.decor.actions["d_autrui"]
    return {f"a{action.pk}-priorite": "HAUTE", f"a{action.pk}-version": str(action.version)}


def valeur_remarquee(site: "Site") -> dict[str, Any]:
    """Une remarque sur la valeur de l'indicateur du décor."""
    valeur = site.decor.objet(ValeurAnnuelle)
    ligne = f"i{valeur.indicateur_id}"
    return {"lignes": str(valeur.indicateur_id), f"{ligne}-remarque": TAPE, f"{ligne}-version": str(valeur.version)}


def un_classeur(site: "Site") -> dict[str, Any]:
    contenu = b"Action\nAcheter local\n"
    return {"plan": site.decor.plan.pk, "fichier": SimpleUploadedFile("actions.csv", contenu)}


def essai_du_classeur(site: "Site") -> dict[str, Any]:
    """Ce que la page du dépôt enverrait."""
    return {"empreinte": site.decor.objet(DepotDeClasseur).apercu["empreinte"]}


def un_tableau() -> SimpleUploadedFile:
    nouveau = {"nom": "Nouveau réseau", "actif": "oui"}
    lignes = [";".join(COLONNES.values()), ";".join(nouveau.get(colonne, "") for colonne in COLONNES)]
    return SimpleUploadedFile("partenaires.csv", "\n".join(lignes).encode())


def un_fichier_decp(_: "Site") -> dict[str, Any]:
    return {"fichier": SimpleUploadedFile("decp.json", b'{"marches": {"marche": []}}'), "acheteurs": "tous"}


def des_mandats(site: "Site") -> dict[str, Any]:
    contenu = b"Chapitre;Code postal;Montant HT\n011;34130;12,50\n"
    return {
        "annee": str(ANNEE_DE_LA_VALEUR),
        "budget": site.decor.objet(ImportDeMandats).budget_id,
        "mandats": SimpleUploadedFile("mandats.csv", contenu),
    }


def mandats_deposes(site: "Site") -> dict[str, Any]:
    """Ce que la page des colonnes enverrait."""
    with sans_lendemain():
        colonnes = site.clients["administrateur"].post(
            site.decor.adresse("marches:importer_mandats"), des_mandats(site)
        )
    formulaire = colonnes.context["formulaire"]
    return {nom: formulaire[nom].value() or "" for nom in formulaire.fields}


def mandats_lus(site: "Site") -> dict[str, Any]:
    """Les totaux signés que l'aperçu a mis dans sa page."""
    with sans_lendemain():
        adresse = site.decor.adresse("marches:colonnes_de_mandats")
        return {"essai": site.clients["administrateur"].post(adresse, mandats_deposes(site)).context["signe"]}


def un_registre() -> dict[str, Any]:
    return {"registre": SimpleUploadedFile("registre.csv", b"N\xc2\xb0 consultation;Objet\nNEUVE;Voirie\n")}


def registre_depose(site: "Site") -> dict[str, Any]:
    """Ce que la page des colonnes enverrait."""
    with sans_lendemain():
        colonnes = site.clients["administrateur"].post(
            site.decor.adresse("marches:importer_le_registre"), un_registre()
        )
    return formulaire_de(colonnes)


def registre_lu(site: "Site") -> dict[str, Any]:
    """Le fichier signé que l'aperçu a mis dans sa page."""
    with sans_lendemain():
        adresse = site.decor.adresse("marches:colonnes_du_registre")
        return {"depot": site.clients["administrateur"].post(adresse, registre_depose(site)).context["signe"]}


def lot_rempli(site: "Site") -> dict[str, Any]:
    """Un montant sur le lot du décor, qui est d'une consultation du service de l'agent."""
    lot = site.decor.objet(LotDeConsultation)
    return {"lignes": str(lot.pk), f"l{lot.pk}-montant_ht": "10", f"l{lot.pk}-version": str(lot.version)}


NOUVEAU_MOT_DE_PASSE = "Une-phrase-plus-longue-2026"
TABLE = [
    # --- accueil
    Ligne("accueil:tableau_de_bord"),
    Ligne("bilans:liste"),
    *[Ligne(f"bilans:{nom}") for nom in ("bilan", "version", "contenu_arrete")],
    Ligne("bilans:preparer", RESPONSABLES, {"avant_propos": TAPE}),
    # Le bilan du décor a deux versions, et il est rouvert.
    Ligne("bilans:arreter", RESPONSABLES, {"attendue": "3"}, vide=400),
    Ligne("bilans:rouvrir", RESPONSABLES, {"motif": TAPE}),
    Ligne("bilans:publier", RESPONSABLES, {"version": "1"}, vide=400),
    bouton_du_releve("bilans:depublier"),
    Ligne("bilans:references", RESPONSABLES, {"numero_de_deliberation": TAPE}),
    Ligne("bilans:ecarts"),
    Ligne("bilans:changements"),
    Ligne("bilans:comparer"),
    Ligne("bilans:docx"),
    # --- le PDF : le demander est une lecture ; celui qui est gardé se rend, sans rien écrire
    Ligne("bilans:pdf", envoi=lambda _: {}, vide=302),
    Ligne("bilans:pdf_de_version", envoi=lambda _: {}, ecrit=200),
    Ligne("bilans:tirage", envoi=lambda _: {}, vide=302),
    Ligne("bilans:fichier_de_tirage"),
    Ligne("accueil:recherche"),
    Ligne("accueil:mon_compte", envoi={"rappels": "non"}),
    Ligne("accueil:accent", TOUT_LE_MONDE),
    # --- données personnelles : le compte du décor est actif, l'anonymiser est refusé par une phrase
    Ligne("personnes:information", TOUT_LE_MONDE),
    Ligne("personnes:mes_donnees", envoi={}, lit=405, vide=200, ecrit=200),
    Ligne(
        "personnes:export",
        ADMINISTRATEURS,
        envoi={},
        lit=405,
        vide=200,
        ecrit=200,
        sauf=a_chacun(405, TOUS_LES_ROLES - ADMINISTRATEURS, LECTURE),
    ),
    Ligne("personnes:anonymiser", ADMINISTRATEURS, envoi={}, ecrit=200),
    *fiche(Bordereau, ADMINISTRATEURS),
    Ligne("admin:exploitation_bordereau_fichier", ADMINISTRATEURS, sans_envoi=200),
    Ligne("accueil:sante", TOUT_LE_MONDE),
    Ligne("sante:vivant", TOUT_LE_MONDE),
    Ligne("sante:pret", TOUT_LE_MONDE),
    Ligne("accueil:jetons", envoi={"nom": TAPE, "portees": "api:actions"}),
    # Le jeton du décor est d'un administrateur.
    Ligne(
        "accueil:jeton_revoquer",
        envoi={},
        lit=405,
        vide=302,
        sauf=a_chacun(404, TOUS_LES_ROLES - ADMINISTRATEURS, VIDE, ENVOI),
    ),
    # --- API : la session n'y compte pas, seul un jeton ouvre les adresses internes
    *(Ligne(f"api:{nom}", TOUT_LE_MONDE) for nom in ("documentation", "openapi", *PUBLIQUES)),
    *(Ligne(f"api:{nom}", TOUT_LE_MONDE, lit=401) for nom in INTERNES),
    Ligne("api:inconnue", TOUT_LE_MONDE, lit=404),
    # --- publication : les mêmes octets pour tous, et rien à envoyer
    *(Ligne(f"publication:{nom}", TOUT_LE_MONDE) for nom in ("plans", "plan", "fil", "bilan", "pdf", "json")),
    *(Ligne(f"publication:{nom}", TOUT_LE_MONDE) for nom in ("donnees", *(f.route for f in FICHIERS.values()))),
    Ligne("publication:introuvable", TOUT_LE_MONDE, lit=404),
    Ligne("ouverture:plan", RESPONSABLES, {"publie": "non"}),
    # --- comptes : un compte connecté n'a plus à se connecter
    Ligne(
        "account_login",
        TOUT_LE_MONDE,
        lambda site: {"login": site.decor.comptes["lecteur"].username, "password": fabriques.MOT_DE_PASSE},
        sauf=a_chacun(302, CONNECTES, *METHODES),
    ),
    Ligne("account_logout", TOUT_LE_MONDE, {}, vide=302, sauf=a_chacun(302, ANONYME, *LECTURES)),
    Ligne("account_inactive", TOUT_LE_MONDE),
    Ligne(
        "account_change_password",
        envoi={
            "oldpassword": fabriques.MOT_DE_PASSE,
            "password1": NOUVEAU_MOT_DE_PASSE,
            "password2": NOUVEAU_MOT_DE_PASSE,
        },
    ),
    Ligne("account_reset_password", TOUT_LE_MONDE, {"email": "quelqu-un@exemple.fr"}),
    Ligne("account_reset_password_done", TOUT_LE_MONDE),
    Ligne("account_reset_password_from_key", TOUT_LE_MONDE, {}, lit=302, vide=302),
    Ligne("account_reset_password_from_key_done", TOUT_LE_MONDE),
    # Sans fournisseur d'identité dans les réglages, ses adresses n'existent pas ; sans invitation, pas de page.
    *(
        Ligne(nom, TOUT_LE_MONDE, {}, lit=404, vide=404, ecrit=404)
        for nom in ("identite_partir", "identite_retour", "invitation_choisir")
    ),
    Ligne("invitation_ouvrir", TOUT_LE_MONDE, lit=302),
    Ligne("blocages", ADMINISTRATEURS, sauf=a_chacun(405, TOUS_LES_ROLES - ADMINISTRATEURS, VIDE, ENVOI)),
    Ligne(
        "debloquer",
        ADMINISTRATEURS,
        lambda _: {"identifiant": "inconnu"},
        lit=405,
        vide=302,
        sauf=a_chacun(405, TOUS_LES_ROLES - ADMINISTRATEURS, LECTURE),
    ),
    # --- second facteur, sessions : le décor n'en a pas posé, et l'on confirme d'abord que c'est soi
    Ligne("account_reauthenticate", envoi={"password": fabriques.MOT_DE_PASSE}),
    Ligne("mfa_reauthenticate", envoi=lambda _: {}, lit=302, vide=302),
    Ligne("mfa_authenticate", TOUT_LE_MONDE, lambda _: {}, lit=302, vide=302),
    Ligne("mfa_index"),
    Ligne("mfa_activate_totp", envoi=lambda _: {}, lit=302, vide=302),
    Ligne("mfa_deactivate_totp", envoi=lambda _: {}, lit=404, vide=404, ecrit=404),
    Ligne("mfa_view_recovery_codes", lit=404),
    Ligne("mfa_generate_recovery_codes", envoi=lambda _: {}, lit=302, vide=302),
    Ligne("usersessions_list", envoi={}, vide=302),
    *fiche(Collectivite, ADMINISTRATEURS, changement={"nom": TAPE}),
    *fiche(Service, ADMINISTRATEURS, ajout={"nom": TAPE}, changement={"nom": TAPE}, suppression=200),
    *fiche(
        Utilisateur,
        ADMINISTRATEURS,
        ajout={
            "username": "nouvelle",
            "usable_password": "true",
            "password1": NOUVEAU_MOT_DE_PASSE,
            "password2": NOUVEAU_MOT_DE_PASSE,
        },
        changement={"nom": TAPE},
    ),
    Ligne(
        "admin:auth_user_password_change",
        ADMINISTRATEURS,
        {"password1": NOUVEAU_MOT_DE_PASSE, "password2": NOUVEAU_MOT_DE_PASSE},
    ),
    *fiche(Lot, ADMINISTRATEURS),
    *fiche(Trace, ADMINISTRATEURS),
    Ligne("admin:comptes_trace_export", ADMINISTRATEURS, sans_envoi=200),
    *fiche(Jeton, ADMINISTRATEURS),
    *fiche(Courriel, ADMINISTRATEURS),
    *fiche(Bilan, ADMINISTRATEURS, changement={"numero_de_deliberation": TAPE}),
    *fiche(VersionDeBilan, ADMINISTRATEURS),
    *fiche(Tirage, ADMINISTRATEURS),
    # --- partenaires
    Ligne("partenaires:liste"),
    *fiche(Partenaire, RESPONSABLES, ajout={"nom": TAPE}, changement={"description": TAPE}, suppression=200),
    Ligne("admin:partenaires_partenaire_import", RESPONSABLES, lambda _: {"fichier": un_tableau()}, ecrit=200),
    Ligne("admin:partenaires_partenaire_import_appliquer", RESPONSABLES, depot, lit=405, vide=302),
    Ligne("admin:partenaires_partenaire_export", RESPONSABLES),
    *fiche(
        Convention,
        RESPONSABLES,
        ajout={"partenaire": un(Partenaire), "intitule": TAPE},
        changement={"intitule": TAPE},
        suppression=302,
    ),
    # --- actions
    Ligne("actions:liste"),
    Ligne("actions:export"),
    Ligne("actions:miennes"),
    Ligne("actions:creer", RESPONSABLES, {"intitule": TAPE}),
    Ligne("actions:detail"),
    Ligne("actions:modifier", RESPONSABLES, {"description": TAPE}),
    Ligne("actions:statut", METTRE_A_JOUR, {"statut": "TERMINEE", "avancement": "", "commentaire": TAPE}),
    # Une ligne qui n'est pas de soi ne s'annule pas : l'envoi le dit, et n'écrit rien.
    Ligne(
        "actions:annuler_statut",
        METTRE_A_JOUR,
        lambda _: {"ligne": "1"},
        lit=405,
        vide=400,
        sauf=a_chacun(405, frozenset({"lecteur", "ailleurs"}), LECTURE),
    ),
    Ligne("actions:echeance", METTRE_A_JOUR, {"echeance": "T4 2027", "motif": TAPE}),
    Ligne("actions:attention", METTRE_A_JOUR, {"nature": "AUTRE", "phrase": TAPE}),
    Ligne("actions:note", METTRE_A_JOUR, {"texte": TAPE}),
    Ligne(
        "actions:rien_de_nouveau",
        METTRE_A_JOUR,
        {},
        lit=405,
        vide=302,
        sauf=a_chacun(405, frozenset({"lecteur", "ailleurs"}), LECTURE),
    ),
    Ligne("actions:retirer", RESPONSABLES, {"motif": TAPE}),
    # L'action du décor est au plan : la page dit pourquoi rien ne s'écrit.
    Ligne("actions:remettre", RESPONSABLES, {"motif": TAPE}, ecrit=200),
    Ligne("actions:corriger", METTRE_A_JOUR, {"statut": "TERMINEE", "avancement": "", "commentaire": TAPE}),
    Ligne("actions:note_corriger", METTRE_A_JOUR, {"texte": TAPE}),
    Ligne("actions:etape_ajouter", METTRE_A_JOUR, {"intitule": TAPE}),
    Ligne("actions:etape_modifier", METTRE_A_JOUR, {"intitule": TAPE}),
    bouton("actions:etape_faite", {"version": "1"}),
    bouton("actions:etape_deplacer", {"rang": "2"}),
    bouton("actions:etape_retirer", {"version": "1"}),
    bouton("actions:etape_remettre", {"version": "1"}),
    Ligne("actions:document"),
    Ligne("actions:document_ajouter", METTRE_A_JOUR, {"lien": "https://exemple.fr/page", "nom": TAPE}),
    Ligne("actions:document_modifier", METTRE_A_JOUR, {"nom": TAPE}),
    bouton("actions:document_retirer", {"version": "1"}),
    Ligne("actions:partenaire"),
    Ligne("actions:dupliquer", RESPONSABLES, {"intitule": TAPE}),
    Ligne("actions:campagnes", RESPONSABLES, sauf=a_chacun(405, frozenset({"lecteur", "agent"}), ENVOI)),
    # L'aperçu n'écrit rien.
    Ligne("actions:campagne_lancer", RESPONSABLES, {"avant_le": "31/12/2199", "message": TAPE}, ecrit=200),
    Ligne("actions:campagne", RESPONSABLES, sauf=a_chacun(405, frozenset({"lecteur", "agent"}), ENVOI)),
    Ligne("actions:campagne_repondre", METTRE_A_JOUR, sauf=a_chacun(405, frozenset({"lecteur"}), ENVOI)),
    *[
        Ligne(
            f"actions:campagne_{geste}",
            RESPONSABLES,
            {},
            lit=405,
            vide=302,
            sauf=a_chacun(405, frozenset({"lecteur", "agent"}), LECTURE),
        )
        for geste in ("relancer", "clore", "rouvrir")
    ],
    *fiche(Plan, ADMINISTRATEURS, ajout={"intitule": TAPE}, changement={"description": TAPE}, suppression=200),
    *fiche(
        Axe,
        ADMINISTRATEURS,
        ajout={"plan": un(Plan), "intitule": TAPE},
        changement={"intitule": TAPE},
        suppression=200,
    ),
    *fiche(Action, ADMINISTRATEURS, ajout={"plan": un(Plan), "intitule": TAPE}, changement={"description": TAPE}),
    *fiche(
        NoteDeSuivi,
        ADMINISTRATEURS,
        ajout={"action": un(Action), "date": "01/02/2024", "texte": TAPE},
        changement={"texte": TAPE},
        suppression=302,
    ),
    # --- plusieurs à la fois
    Ligne("actions:grille", RESPONSABLES, grille_remplie, vide=302),
    # Sans ligne, l'envoi ne change rien ; une ligne inchangée non plus.
    Ligne(
        "actions:grille_ligne",
        RESPONSABLES,
        grille_remplie,
        lit=405,
        vide=302,
        sauf=a_chacun(405, frozenset({"lecteur", "agent", "service", "ailleurs"}), LECTURE),
    ),
    Ligne("actions:en_nombre", METTRE_A_JOUR, {"statut": "TERMINEE", "commentaire": TAPE}, ecrit=200),
    # L'aperçu signé pour un compte ne s'applique que par lui.
    Ligne(
        "actions:appliquer_en_nombre",
        METTRE_A_JOUR,
        apercu_en_nombre,
        lit=405,
        vide=400,
        sauf=a_chacun(400, frozenset({"agent", "responsable"}), ENVOI)
        | a_chacun(405, frozenset({"lecteur"}), LECTURE),
    ),
    # Sans personne dans l'adresse, l'envoi n'a rien à écrire.
    Ligne("actions:reaffecter", RESPONSABLES, {}, ecrit=200),
    Ligne("actions:importer", RESPONSABLES, un_classeur),
    Ligne("actions:depot", RESPONSABLES, sauf=a_chacun(405, frozenset({"lecteur", "agent"}), ENVOI)),
    # Le dépôt du décor est d'un administrateur : le responsable le lit, et ne l'enregistre pas.
    *(
        Ligne(
            nom,
            ADMINISTRATEURS,
            envoi,
            lit=405,
            vide=vide,
            sauf=a_chacun(405, frozenset({"lecteur", "agent", "responsable"}), LECTURE),
        )
        for nom, envoi, vide in (
            ("actions:appliquer_depot", essai_du_classeur, 200),
            ("actions:abandonner_depot", {}, 302),
            ("actions:reprendre_depot", {}, 302),
        )
    ),
    Ligne("actions:lots"),
    Ligne("actions:lot"),
    # --- comités de pilotage
    Ligne("actions:comites"),
    Ligne("actions:comite_creer", RESPONSABLES, {"date": "2031-03-04", "lieu": TAPE}),
    Ligne("actions:comite"),
    Ligne("actions:comite_modifier", RESPONSABLES, {"lieu": TAPE}),
    Ligne("actions:decision_ajouter", RESPONSABLES, {"texte": TAPE}),
    Ligne("actions:decision_modifier", RESPONSABLES, {"texte": TAPE}),
    bouton_du_releve("actions:decision_retirer"),
    bouton_du_releve("actions:decision_remettre"),
    # --- calendriers : l'adresse en est le seul droit, et l'on ne révoque que les siens
    Ligne("actions:calendriers", envoi={"sujet": "moi"}),
    Ligne("actions:calendrier", TOUT_LE_MONDE),
    Ligne(
        "actions:calendrier_revoquer",
        envoi={},
        lit=405,
        vide=302,
        sauf=a_chacun(404, TOUS_LES_ROLES - ADMINISTRATEURS, VIDE, ENVOI),
    ),
    # Le lot du décor est d'un administrateur : l'agent le lit, et ne le défait pas.
    Ligne(
        "actions:defaire_lot",
        RESPONSABLES,
        {},
        lit=405,
        vide=302,
        sauf=a_chacun(405, frozenset({"lecteur", "agent"}), LECTURE),
    ),
    # --- registre des consultations : celles du décor sont du service de l'agent
    Ligne("marches:accueil"),
    Ligne("marches:consultations"),
    Ligne("marches:consultation"),
    Ligne("marches:consultation_ajouter", SAISIR, {"numero": "NEUVE", "objet": TAPE, "service": un(Service)}),
    Ligne("marches:consultation_modifier", SAISIR, {"objet": TAPE}),
    Ligne("marches:lot_ajouter", SAISIR, {"objet": TAPE}),
    Ligne("marches:lot_modifier", SAISIR, {"objet": TAPE}),
    Ligne("marches:lot_retirer", SAISIR, {}, lit=405, vide=302, sauf=a_chacun(405, frozenset({"lecteur"}), LECTURE)),
    Ligne("marches:grille_des_consultations", SAISIR, lot_rempli, vide=302),
    Ligne(
        "marches:ligne_du_registre",
        SAISIR,
        lot_rempli,
        lit=405,
        vide=302,
        sauf=a_chacun(405, frozenset({"lecteur"}), LECTURE),
    ),
    Ligne("marches:importer_le_registre", RESPONSABLES, lambda _: un_registre(), ecrit=200),
    *[
        Ligne(
            f"marches:{nom}",
            RESPONSABLES,
            envoi,
            lit=405,
            ecrit=ecrit,
            vide=302,
            sauf=a_chacun(405, frozenset({"lecteur", "agent"}), LECTURE),
        )
        for nom, envoi, ecrit in (
            ("colonnes_du_registre", registre_depose, 200),
            ("enregistrer_le_registre", registre_lu, 302),
            ("defaire_l_import", {}, 302),
        )
    ],
    Ligne("marches:import_du_registre"),
    *fiche(Consultation, ADMINISTRATEURS),
    # --- mandats
    Ligne("marches:mandats"),
    Ligne("marches:import_de_mandats"),
    Ligne("marches:importer_mandats", RESPONSABLES, des_mandats, ecrit=200),
    *[
        Ligne(
            f"marches:{nom}",
            RESPONSABLES,
            envoi,
            lit=405,
            ecrit=ecrit,
            vide=302,
            sauf=a_chacun(405, frozenset({"lecteur", "agent"}), LECTURE),
        )
        for nom, envoi, ecrit in (
            ("colonnes_de_mandats", mandats_deposes, 200),
            ("enregistrer_mandats", mandats_lus, 302),
            ("retirer_mandats", {}, 302),
        )
    ],
    # --- données essentielles
    Ligne("marches:imports"),
    Ligne("marches:import_decp"),
    Ligne("marches:deposer", RESPONSABLES, un_fichier_decp),
    Ligne(
        "marches:reprendre_import",
        RESPONSABLES,
        {},
        lit=405,
        vide=302,
        sauf=a_chacun(405, frozenset({"lecteur", "agent"}), LECTURE),
    ),
    # --- contrats
    Ligne("marches:article_35"),
    Ligne("marches:territoires"),
    Ligne("marches:contrats"),
    Ligne("marches:contrat"),
    Ligne("marches:revue"),
    Ligne("marches:corriger_contrat", RESPONSABLES, {"motif": TAPE}),
    Ligne(
        "marches:situer_etablissement",
        RESPONSABLES,
        {"code_postal": "34130", "ville": "Mauguio", "source": TAPE},
    ),
    Ligne("marches:regroupements"),
    Ligne("marches:regrouper", RESPONSABLES, {"numero": "NEUVE", "objet": TAPE}, requete=f"?de={SOUCHE}"),
    *[
        Ligne(
            f"marches:{nom}",
            RESPONSABLES,
            {},
            lit=405,
            vide=302,
            sauf=a_chacun(405, frozenset({"lecteur", "agent"}), LECTURE),
        )
        for nom in ("annuler_correction", "detacher_contrat")
    ],
    Ligne("marches:comparaison"),
    *fiche(
        Territoire,
        RESPONSABLES,
        ajout={"nom": "Littoral", "code": "littoral", "communes": "34154"},
        changement={"nom": TAPE},
        suppression=302,
    ),
    # --- calculs
    Ligne("marches:resultat"),
    Ligne("marches:resultat_export"),
    Ligne("indicateurs:retenir", RESPONSABLES, {"motif": TAPE}),
    # --- indicateurs
    Ligne("indicateurs:liste"),
    Ligne("indicateurs:detail"),
    Ligne("indicateurs:export"),
    Ligne("indicateurs:importer", RESPONSABLES, des_valeurs, ecrit=200),
    Ligne(
        "indicateurs:appliquer_import",
        RESPONSABLES,
        valeurs_deposees,
        lit=405,
        vide=302,
        sauf=a_chacun(405, frozenset({"lecteur", "agent"}), LECTURE),
    ),
    Ligne(
        "indicateurs:objectifs",
        envoi=lambda site: {"objectif": "environnement-pnad", "indicateur": site.decor.objet(Indicateur).code},
        sauf=a_chacun(403, frozenset({"lecteur", "agent", "service", "ailleurs"}), VIDE, ENVOI),
    ),
    *[
        Ligne(f"indicateurs:{page}", RESPONSABLES, sauf=a_chacun(405, frozenset({"lecteur", "agent"}), ENVOI))
        for page in ("collectes", "collecte")
    ],
    Ligne("indicateurs:collecte_ouvrir", RESPONSABLES, {"annee": "2022", "avant_le": "31/12/2199"}),
    # Qui mène la collecte et n'a pas de service est conduit à son tableau.
    Ligne("indicateurs:collecte_repondre", SAISIR, {}, vide=302, sauf=a_chacun(302, RESPONSABLES, *LECTURES)),
    *[
        Ligne(
            f"indicateurs:collecte_{geste}",
            RESPONSABLES,
            {},
            lit=405,
            vide=302,
            sauf=a_chacun(405, frozenset({"lecteur", "agent"}), LECTURE),
        )
        for geste in ("relancer", "clore", "rouvrir", "valider_tout")
    ],
    Ligne(
        "indicateurs:demande_valider",
        RESPONSABLES,
        lambda _: {"version": "1"},
        lit=405,
        vide=400,
        sauf=a_chacun(405, frozenset({"lecteur", "agent"}), LECTURE),
    ),
    Ligne("indicateurs:demande_renvoyer", RESPONSABLES, {"motif": TAPE}),
    Ligne("indicateurs:valeur", SAISIR, {"remarque": TAPE}),
    Ligne("indicateurs:historique_de_la_valeur"),
    Ligne("indicateurs:justificatif"),
    Ligne("indicateurs:justificatif_ajouter", SAISIR, {"lien": "https://exemple.fr/registre", "nom": TAPE}),
    Ligne(
        "indicateurs:justificatif_retirer",
        SAISIR,
        lambda _: {"version": "1"},
        lit=405,
        vide=400,
        sauf=a_chacun(405, frozenset({"lecteur"}), LECTURE),
    ),
    Ligne("indicateurs:saisie", SAISIR, valeur_remarquee, vide=302),
    Ligne(
        "indicateurs:saisie_ligne",
        SAISIR,
        valeur_remarquee,
        lit=405,
        vide=302,
        sauf=a_chacun(405, frozenset({"lecteur"}), LECTURE),
    ),
    *fiche(
        Indicateur,
        RESPONSABLES,
        ajout={"code": "nouveau", "intitule": TAPE, "nature": "COMPTE"},
        changement={"definition": TAPE},
        suppression=200,
    ),
    *fiche(
        ValeurAnnuelle,
        RESPONSABLES,
        ajout={"indicateur": un(Indicateur), "annee": "2024", "valeur": "25"},
        changement={"remarque": TAPE},
    ),
    *fiche(
        Cible,
        RESPONSABLES,
        ajout={"indicateur": un(Indicateur), "annee": "2025", "valeur": "50"},
        changement={"reference": TAPE},
    ),
    # --- l'administration elle-même
    Ligne("admin:index", RESPONSABLES, {}, ecrit=200),
    # Une seule page de connexion, celle du site : celle de Django n'y mène que l'anonyme.
    Ligne(
        "admin:login",
        RESPONSABLES | {"anonyme"},
        {},
        lit=302,
        ecrit=200,
        sauf=a_chacun(302, ANONYME, VIDE, ENVOI) | a_chacun(200, RESPONSABLES, TETE),
    ),
    Ligne("admin:logout", RESPONSABLES, {}, lit=405, ecrit=200),
    Ligne(
        "admin:password_change",
        RESPONSABLES,
        {
            "old_password": fabriques.MOT_DE_PASSE,
            "new_password1": NOUVEAU_MOT_DE_PASSE,
            "new_password2": NOUVEAU_MOT_DE_PASSE,
        },
    ),
    Ligne("admin:password_change_done", RESPONSABLES),
    Ligne(
        "admin:autocomplete",
        RESPONSABLES,
        requete="?app_label=indicateurs&model_name=indicateur&field_name=service",
    ),
    Ligne("admin:jsi18n", RESPONSABLES),
    # Raccourci de Django vers la page publique d'un objet : il renvoie à get_absolute_url.
    Ligne("admin:view_on_site", RESPONSABLES, {}, lit=302, vide=302),
    Ligne("admin:app_list", RESPONSABLES, {}, ecrit=200),
    # Toute autre adresse sous /admin/.
    Ligne("admin:admin/(?P<url>.*)$", RESPONSABLES, {}, lit=404, ecrit=404, vide=404),
]

# --- Comment ------------------------------------------------------------------------------------

EN_TETES = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
CONNEXIONS = ("account_login", "admin:login")


class Site:
    """Le décor et ses visiteurs, déjà connectés. Rien de ce que fait une demande n'en reste."""

    def __init__(self, decor: Decor) -> None:
        self.decor = decor
        self.clients = {
            qui: client_de(decor.comptes[compte] if compte else None) for qui, (compte, _) in VISITEURS.items()
        }
        self.connexions = tuple(reverse(nom) for nom in CONNEXIONS)
        self.avant = photo()

    def adresse(self, ligne: Ligne, qui: str) -> str:
        return self.decor.adresse(ligne.nom, pk=self.decor.actions[VISITEURS[qui][1]].pk) + ligne.requete

    def envoi_valable(self, ligne: Ligne, qui: str) -> dict[str, Any]:
        """Ce que ce visiteur enverrait s'il avait la page sous les yeux : elle est lue par un administrateur."""
        if callable(ligne.envoi):
            return ligne.envoi(self)
        changements = {nom: v(self.decor) if callable(v) else v for nom, v in (ligne.envoi or {}).items()}
        return self._formulaire(self.adresse(ligne, qui)) | changements if changements else {}

    @functools.cache  # noqa: B019 - le site dure autant que le fichier
    def _formulaire(self, adresse: str) -> dict[str, Any]:
        return formulaire_de(self.clients["administrateur"].get(adresse))

    def defauts(self, ligne: Ligne, methode: str, qui: str) -> list[str]:
        """Ce que la réponse a d'inattendu, en phrases ; vide si tout y est."""
        client, adresse = self.clients[qui], self.adresse(ligne, qui)
        entre, cookies = qui in ligne.ouverte_a, client.cookies.copy()
        envoi = self.envoi_valable(ligne, qui) if methode == ENVOI else {}
        cache.clear()  # allauth y compte les demandes
        with sans_lendemain() as requetes:
            reponse = _demander(client, methode, adresse, envoi)
            accepte = entre and methode not in LECTURES and reponse.status_code == 302
            defauts = [
                *self._code(reponse, ligne.attendu(methode, qui)),
                *self._ecritures(reponse, tables_ecrites(requetes), accepte=accepte),
            ]
        client.cookies = cookies
        # Une méthode que l'adresse n'a pas se refuse à tous, avant de regarder qui demande.
        if not entre and reponse.status_code != 405:
            defauts += self._refus(reponse, methode, qui, envoi)
        if reponse.status_code == 200:
            gardee = ligne.nom.startswith(("publication:", "api:"))
            defauts += self._en_tetes(reponse, publique="anonyme" in ligne.ouverte_a, gardee=gardee)
        return [f"{methode} par {qui} : {defaut}" for defaut in defauts]

    def _code(self, reponse: HttpResponse, attendu: int) -> list[str]:
        if reponse.status_code == attendu:
            return []
        vers = f" vers {reponse['Location']}" if "Location" in reponse.headers else ""
        return [f"{reponse.status_code}{vers} au lieu de {attendu}{panne_de(reponse)}{erreurs_de(reponse)}"]

    def _ecritures(self, reponse: HttpResponse, tables: set[str], *, accepte: bool) -> list[str]:
        """Seul un envoi accepté écrit ; un essai à blanc, défait, n'a rien écrit."""
        if tables and not accepte and photo() != self.avant:
            return [f"écrit dans {', '.join(sorted(tables))} avec une réponse {reponse.status_code}"]
        return []

    def _refus(self, reponse: HttpResponse, methode: str, qui: str, envoi: dict[str, Any]) -> list[str]:
        """L'anonyme est conduit à la connexion ; qui envoie revoit ce qu'il a tapé, jamais un mot de passe."""
        if reponse.status_code == 302:
            vers = urlsplit(reponse["Location"])
            revient = "next=" in vers.query or reponse.wsgi_request.path == "/"
            return [] if vers.path in self.connexions and revient else [f"conduit à {vers.geturl()}"]
        if methode == TETE:
            return []
        page = unescape(reponse.content.decode())
        phrase = "Votre session a expiré" if qui == "anonyme" else "Geste refusé"
        defauts = [] if phrase in page else [f"la page ne dit pas « {phrase} »"]
        if TAPE in envoi.values() and TAPE not in page:
            defauts.append("la page ne montre pas le texte tapé")
        if any(secret in page for secret in (fabriques.MOT_DE_PASSE, NOUVEAU_MOT_DE_PASSE)):
            defauts.append("la page montre un mot de passe")
        return defauts

    def _en_tetes(self, reponse: HttpResponse, *, publique: bool, gardee: bool) -> list[str]:
        defauts = [
            f"{nom} : {reponse.get(nom)} au lieu de {valeur}"
            for nom, valeur in EN_TETES.items()
            if reponse.get(nom) != valeur
        ]
        csp = reponse.get("Content-Security-Policy", "")
        if "default-src 'self'" not in csp or "unsafe-" in csp:
            defauts.append(f"CSP : {csp or 'absente'}")
        if "public" in reponse.get("Cache-Control", "") and not gardee:
            defauts.append(f"Cache-Control : {reponse['Cache-Control']}")
        if not publique and "Cookie" not in reponse.get("Vary", ""):
            defauts.append("Vary ne dit pas Cookie : un relais servirait la page d'un autre")
        return defauts


def _demander(client: Client, methode: str, adresse: str, envoi: dict[str, Any]) -> HttpResponse:
    match methode:
        case "GET":
            return client.get(adresse)
        case "HEAD":
            return client.head(adresse)
    return client.post(adresse, envoi)


def panne_de(reponse: HttpResponse) -> str:
    return f" ({reponse.exc_info[1]!r})" if getattr(reponse, "exc_info", None) else ""


def erreurs_de(reponse: HttpResponse) -> str:
    """Les erreurs des formulaires de la page, pour comprendre pourquoi un envoi valable ne l'a pas été."""
    contexte = reponse.context or {}
    formulaires = [contexte.get(nom) for nom in ("formulaire", "form", "adminform")]
    formulaires += [bloc.formset for bloc in contexte.get("inline_admin_formsets", ())]
    erreurs = [str(getattr(formulaire, "errors", "")) for formulaire in formulaires if formulaire]
    return " ".join(filter(None, erreurs))


@pytest.fixture(scope="module")
def site_du_fichier(django_db_setup, django_db_blocker):
    """Le décor, écrit une fois pour le fichier et défait à la fin."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Site(decor_acces())
        transaction.set_rollback(True)


@pytest.fixture
def site(site_du_fichier, db):
    """Le site, sur lequel un essai n'apprend rien du précédent : ni la base, ni les sessions, ni le cache."""
    cookies = {qui: client.cookies.copy() for qui, client in site_du_fichier.clients.items()}
    cache.clear()
    yield site_du_fichier
    for qui, client in site_du_fichier.clients.items():
        client.cookies = cookies[qui]


def essais(ligne: Ligne) -> list[tuple[str, str]]:
    """Qui demande quoi. Sans action dans l'adresse, l'agent n'a qu'un cas. Un refus ne dépend pas de ce qu'on envoie.
    HEAD suit GET : l'anonyme et l'administrateur suffisent."""
    seul = "pk" not in resolveur.route(ligne.nom).parametres
    return [
        (qui, methode)
        for qui in VISITEURS
        for methode in METHODES
        if not (seul and qui in ("service", "ailleurs"))
        and not (methode == VIDE and qui not in ligne.ouverte_a)
        and not (methode == TETE and qui not in ("anonyme", "administrateur"))
    ]


# --- La table -----------------------------------------------------------------------------------


def test_la_table_dit_chaque_route_du_site():
    assert resolveur.ecarts(ligne.nom for ligne in TABLE) == []


@pytest.mark.parametrize("ligne", TABLE, ids=str)
def test_chacun_recoit_ce_que_dit_la_table(site, ligne):
    defauts = [defaut for qui, methode in essais(ligne) for defaut in site.defauts(ligne, methode, qui)]
    assert not defauts, "\n".join([ligne.nom, *defauts])


# --- Ce qui s'emporte se trace ------------------------------------------------------------------

RESERVEES = [ligne for ligne in TABLE if "administrateur" in ligne.ouverte_a and "anonyme" not in ligne.ouverte_a]


def test_tout_fichier_remis_a_un_compte_connecte_laisse_une_trace(site):
    """Par l'adresse même, ou parce qu'on demande la page dans un tableur."""
    remis, sans_trace = set(), []
    for ligne in RESERVEES:
        adresse = site.adresse(ligne, "administrateur")
        for demande in (adresse, f"{adresse}{'&' if '?' in adresse else '?'}format=csv"):
            with sans_lendemain():
                deja = Trace.objects.count()
                reponse = site.clients["administrateur"].get(demande)
                if "Content-Disposition" in reponse.headers:
                    remis.add(ligne.nom)
                    sans_trace += [demande] if Trace.objects.count() != deja + 1 else []
    assert sans_trace == []
    assert remis >= {
        "actions:export",
        "actions:document",
        "marches:resultat_export",
        "marches:contrats",
        "bilans:docx",
    }
    assert len(remis) >= 15, sorted(remis)


# --- Ce que la table ne dit pas -----------------------------------------------------------------

GESTES = ("actions:statut", "actions:echeance", "actions:attention", "actions:note")


def ligne_de(nom: str) -> Ligne:
    return next(ligne for ligne in TABLE if ligne.nom == nom)


@pytest.mark.parametrize("nom", GESTES)
def test_un_envoi_forge_sur_l_action_d_autrui_ne_change_rien(site, nom):
    ligne = ligne_de(nom)
    envoi = site.envoi_valable(ligne, "ailleurs")
    reponse = site.clients["ailleurs"].post(site.adresse(ligne, "ailleurs"), envoi)
    assert reponse.status_code == 403
    assert photo() == site.avant
    # Le même envoi, par qui en a le droit, est bien de ceux qui écrivent.
    assert site.clients["responsable"].post(site.adresse(ligne, "ailleurs"), envoi).status_code == 302
    assert photo() != site.avant


DROITS_PERDUS = [
    ("actions:statut", "agent"),
    ("actions:note", "agent"),
    ("actions:modifier", "responsable"),
    ("admin:partenaires_partenaire_change", "responsable"),
    ("admin:actions_action_change", "administrateur"),
]


@pytest.mark.parametrize(("nom", "qui"), DROITS_PERDUS)
def test_un_droit_perdu_pendant_la_saisie_rend_le_texte_tape(site, nom, qui):
    ligne, compte = ligne_de(nom), site.decor.comptes[VISITEURS[qui][0]]
    adresse = site.adresse(ligne, qui)
    page = site.clients[qui].get(adresse)
    assert page.status_code == 200
    compte.groups.clear()
    reponse = site.clients[qui].post(adresse, formulaire_de(page) | ligne.envoi)
    assert reponse.status_code == 403
    assert "Geste refusé" in reponse.content.decode()
    assert TAPE in reponse.content.decode()
    assert {table for table, lignes in photo().items() if lignes != site.avant[table]} == {
        "comptes_utilisateur_groups"
    }


@pytest.mark.parametrize("nom", ["actions:statut", "actions:note", "admin:partenaires_partenaire_change"])
def test_sans_jeton_csrf_l_envoi_est_refuse_et_le_texte_tape_montre(site, nom):
    ligne = ligne_de(nom)
    client = client_de(site.decor.comptes["administrateur"], enforce_csrf_checks=True)
    envoi, avant = site.envoi_valable(ligne, "administrateur"), photo()
    reponse = client.post(site.adresse(ligne, "administrateur"), envoi)
    assert reponse.status_code == 403
    assert "Formulaire périmé" in reponse.content.decode()
    assert TAPE in reponse.content.decode()
    assert photo() == avant


def test_le_jeton_csrf_de_la_page_suffit_a_l_envoi(site):
    """Sans quoi l'essai précédent réussirait aussi sur une page dont aucun envoi n'est accepté."""
    client = client_de(site.decor.comptes["agent"], enforce_csrf_checks=True)
    ligne = ligne_de("actions:note")
    page = client.get(site.adresse(ligne, "agent"))
    jeton = {"csrfmiddlewaretoken": page.context["csrf_token"]}
    reponse = client.post(site.adresse(ligne, "agent"), formulaire_de(page) | ligne.envoi | jeton)
    assert reponse.status_code == 302


def test_un_compte_desactive_est_deconnecte(site):
    client, adresse = site.clients["agent"], site.adresse(ligne_de("actions:note"), "agent")
    assert client.get(adresse).status_code == 200
    compte = Utilisateur.objects.get(pk=site.decor.comptes["agent"].pk)
    compte.is_active = False
    compte.save()
    lecture, envoi = client.get(adresse), client.post(adresse, {"texte": TAPE})
    assert (lecture.status_code, urlsplit(lecture["Location"]).path) == (302, reverse("account_login"))
    assert envoi.status_code == 403
    assert "Votre session a expiré" in envoi.content.decode()
    assert TAPE in envoi.content.decode()


INTROUVABLES = [
    *[(nom, {"pk": pk}) for nom in ("actions:detail", "actions:modifier", *GESTES) for pk in (999_999, 10**30)],
    ("actions:partenaire", {"slug": "inconnu"}),
    *[(nom, {"code": "inconnu"}) for nom in ("indicateurs:detail", "indicateurs:valeur")],
]


@pytest.mark.parametrize(("nom", "valeurs"), INTROUVABLES)
def test_ce_qui_n_existe_pas_est_une_page_404_en_francais(site, nom, valeurs):
    reponse = site.clients["administrateur"].get(site.decor.adresse(nom, **valeurs))
    assert reponse.status_code == 404
    assert "Page introuvable" in reponse.content.decode()


@pytest.mark.parametrize("methode", ["PUT", "PATCH", "DELETE"])
def test_nos_pages_refusent_les_autres_methodes(site, methode):
    nos_pages = [ligne for ligne in TABLE if ":" in ligne.nom and not ligne.nom.startswith("admin:")]
    codes = {
        ligne.nom: site.clients["administrateur"].generic(methode, site.adresse(ligne, "administrateur")).status_code
        for ligne in nos_pages
    }
    assert set(codes.values()) == {405}, codes
    assert photo() == site.avant


def champs_a_completer() -> list[tuple[type[models.Model], str]]:
    """Les listes déroulantes de l'administration qui cherchent pendant qu'on tape."""
    from django.contrib import admin

    des_fiches = [(modele, champ) for modele, f in admin.site._registry.items() for champ in f.autocomplete_fields]
    des_lignes = [
        (ligne.model, champ)
        for f in admin.site._registry.values()
        for ligne in f.inlines
        for champ in ligne.autocomplete_fields
    ]
    return sorted({*des_fiches, *des_lignes}, key=lambda couple: (couple[0]._meta.label, couple[1]))


@pytest.mark.parametrize("terme", ["", "essai"])
def test_chaque_liste_deroulante_de_l_administration_repond(site, terme):
    defauts = []
    for modele, champ in champs_a_completer():
        demande = {"app_label": modele._meta.app_label, "model_name": modele._meta.model_name, "field_name": champ}
        reponse = site.clients["administrateur"].get(reverse("admin:autocomplete"), demande | {"term": terme})
        if reponse.status_code != 200:
            defauts.append(f"{modele._meta.label}.{champ} : {reponse.status_code} {panne_de(reponse)}")
    assert not defauts, "\n".join(defauts)
