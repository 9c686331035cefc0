"""Combien de requêtes chaque page fait : autant pour 30 actions que pour 1 200, et pas plus que la table ne le dit.

Une page nouvelle s'ajoute à PAGES. Le premier essai nomme les routes qui y manquent.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from actions.models import Action, Axe, NoteDeSuivi, PartenaireDeLAction, Plan
from bilans.models import Bilan, Tirage, VersionDeBilan
from comptes.models import Collectivite, Courriel, Jeton, Lot, Service, Trace, Utilisateur
from exploitation.models import Bordereau
from indicateurs.models import Cible, Indicateur, ValeurAnnuelle
from marches.models import Consultation, Territoire
from partenaires.models import Convention, Partenaire
from publication.api.routes import INTERNES, PUBLIQUES
from publication.fichiers import FICHIERS
from tests import resolveur
from tests.decor import SECRET_D_API, Decor, plan_garni
from tests.decor_contrats import SOUCHE
from tests.visites import client_de

# Les deux sites se construisent une fois : tout le fichier va au même ouvrier.
pytestmark = pytest.mark.xdist_group("requetes")

# Deux sites : tout ce qui se compte y diffère, pas seulement les actions.
PETIT = {"nombre": 30, "indicateurs": 10, "annees": 3, "gestes": 3}
GRAND = {"nombre": 1200, "indicateurs": 40, "annees": 5, "gestes": 30}


@dataclass(frozen=True)
class Page:
    """Une page, vue par `qui` ; `requete` : ce qui suit l'adresse, où {sienne} est la clé de cette action du décor.

    `au_plus` : le nombre de requêtes accepté.

    `par_ligne` : pourquoi la page en fait une de plus par ligne montrée ; vide, elle n'a pas le droit d'en faire plus.
    """

    nom: str
    au_plus: int
    requete: str = ""
    qui: str = "administrateur"
    par_ligne: str = ""

    def __str__(self) -> str:
        return f"{self.nom}{self.requete} ({self.qui})"


def fiche(modele: type[models.Model], liste: int, **pages: int) -> list[Page]:
    """Les pages que l'administration donne à un modèle, chacune avec son nombre ; celles qu'on ne dit pas n'existent
    pas pour lui (voir SANS_OBJET)."""
    debut = f"admin:{modele._meta.app_label}_{modele._meta.model_name}_"
    return [Page(f"{debut}{page}", nombre) for page, nombre in {"changelist": liste, **pages}.items()]


FILTRES_DE_L_API = {
    "actions": ("", "?taille=100", "?q=clauses&statut=EN_COURS", "?axe=1&page=1"),
    "interne_actions": ("", "?taille=100", "?q=clauses&retard=oui"),
    "valeurs": ("", "?annee=2023"),
}
# Le décor s'écrit aujourd'hui : relu tel que saisi ce jour-là, il est entier. Le jour se lit au moment de demander la
# page : minuit peut passer entre la collecte des essais et leur décor.
SAISI = "saisi_au={aujourdhui}"

PAGES = [
    # --- toute date : autant de requêtes qu'aujourd'hui, plus ce qui dit depuis quand on sait
    *[
        Page(nom, au_plus, f"?{requete}", qui)
        for nom, au_plus in (
            ("accueil:tableau_de_bord", 18),
            ("actions:liste", 13),
            ("actions:detail", 25),
            ("actions:partenaire", 13),
            ("actions:export", 20),
            ("indicateurs:liste", 14),
            ("indicateurs:detail", 20),
            ("indicateurs:export", 14),
        )
        for requete in (f"au=2024-03-01&{SAISI}", SAISI, "au=2024-03-01")
        for qui in ("administrateur", "agent")
    ],
    Page("actions:liste", 16, f"?q=clauses&partenaire=partenaire-001&{SAISI}"),
    Page("actions:liste", 15, f"?retard=oui&nouvelles=aucune&attention=oui&preuve=non&sort=pilote&{SAISI}"),
    # --- accueil
    *[
        Page("accueil:tableau_de_bord", 18, requete, qui)
        for requete in ("", "?annee=2023", "?annee=2024", "?au=2024-03-01", "?plan=plan-garni")
        for qui in ("administrateur", "agent", "responsable")
    ],
    *[Page("accueil:recherche", 10, requete) for requete in ("?q=clauses", "?q=12", "?q=reunion", "?q=introuvable")],
    Page("accueil:recherche", 10, "?q=clauses", "agent"),
    Page("accueil:recherche", 4),
    Page("accueil:mon_compte", 5),
    Page("accueil:mon_compte", 5, qui="agent"),
    Page("bilans:liste", 10),
    Page("bilans:liste", 10, "?plan=plan-garni", "agent"),
    # Rouvert, le bilan du décor se montre en brouillon ; sa version, d'elle seule.
    *[Page("bilans:bilan", 30, requete, "agent") for requete in ("", "?portee=public")],
    *[Page("bilans:version", 10, requete, "agent") for requete in ("", "?portee=public")],
    Page("bilans:contenu_arrete", 6),
    Page("bilans:preparer", 20, qui="responsable"),
    Page("bilans:arreter", 40, qui="responsable"),
    Page("bilans:rouvrir", 10, qui="responsable"),
    Page("bilans:publier", 10, qui="responsable"),
    Page("bilans:references", 10, qui="responsable"),
    *[Page("bilans:ecarts", 40, requete, "agent") for requete in ("", "?a=2", "?de=1&a=maintenant&portee=public")],
    *[Page("bilans:changements", 17, requete, "agent") for requete in ("", "?du=2023-12-31&au=2024-12-31")],
    *[Page("bilans:comparer", 60, requete, "agent") for requete in ("", "?de=2023&a=2024")],
    Page("bilans:pdf", 40, qui="agent", par_ligne="au-delà de soixante actions, la page propose de le préparer"),
    *[Page(f"bilans:{nom}", 10, qui="agent") for nom in ("pdf_de_version", "tirage", "fichier_de_tirage")],
    *[Page("bilans:docx", 40, requete, "agent") for requete in ("", "?portee=interne")],
    Page("accueil:accent", 0, qui="anonyme"),
    Page("accueil:sante", 1, qui="anonyme"),
    Page("sante:vivant", 0, qui="anonyme"),
    Page("sante:pret", 5, qui="anonyme"),
    Page("accueil:jetons", 8),
    # --- API : six requêtes comptent la demande, deux de plus lisent le jeton et son rôle
    Page("api:documentation", 1, qui="anonyme"),
    Page("api:openapi", 0, qui="anonyme"),
    *[
        Page(f"api:{nom}", 11, requete, qui="anonyme")
        for nom in PUBLIQUES
        for requete in FILTRES_DE_L_API.get(nom, ("",))
    ],
    *[
        Page(f"api:{nom}", 12, requete, qui="jeton")
        for nom in INTERNES
        for requete in FILTRES_DE_L_API.get(nom, ("",))
    ],
    # --- publication
    Page("publication:plans", 2, qui="anonyme"),
    Page("publication:plan", 11, qui="anonyme"),
    Page("publication:fil", 5, qui="anonyme"),
    Page("publication:bilan", 5, qui="anonyme"),
    Page("publication:pdf", 4, qui="anonyme"),
    Page("publication:json", 3, qui="anonyme"),
    Page("publication:donnees", 14, qui="anonyme"),
    *[Page(f"publication:{fichier.route}", 10, qui="anonyme") for fichier in FICHIERS.values()],
    Page("ouverture:plan", 12),
    Page("ouverture:plan", 12, qui="responsable"),
    # --- comptes
    Page("account_login", 2, qui="anonyme"),
    Page("account_logout", 5),
    Page("account_inactive", 2, qui="anonyme"),
    Page("account_change_password", 5),
    Page("account_reauthenticate", 10),
    Page("mfa_index", 6),
    Page("usersessions_list", 7),
    Page("account_reset_password", 2, qui="anonyme"),
    Page("account_reset_password_done", 2, qui="anonyme"),
    Page("account_reset_password_from_key_done", 2, qui="anonyme"),
    Page("blocages", 8),
    *fiche(Collectivite, 10, change=10, history=10),
    *fiche(Service, 10, add=8, change=10, history=10, delete=10),
    *fiche(Utilisateur, 12, add=8, change=10, history=12),
    Page("admin:auth_user_password_change", 10),
    *fiche(Lot, 10, change=12, history=10),
    *fiche(Trace, 12, change=10, history=10),
    Page("admin:comptes_trace_export", 12),
    *fiche(Jeton, 12, change=10, history=10),
    *fiche(Courriel, 12, change=10, history=10),
    *fiche(Bordereau, 12, change=10, history=10),
    Page("admin:exploitation_bordereau_fichier", 8),
    Page("personnes:information", 2, qui="anonyme"),
    Page("personnes:anonymiser", 8),
    *fiche(Bilan, 12, change=10, history=10),
    *fiche(VersionDeBilan, 12, change=10, history=10),
    *fiche(Tirage, 12, change=10, history=10),
    # --- partenaires
    Page("partenaires:liste", 8),
    Page("partenaires:liste", 8, "?sort=-nombre_d_actions"),
    *fiche(Partenaire, 10, add=8, change=12, history=10, delete=10),
    Page("admin:partenaires_partenaire_import", 10),
    Page("admin:partenaires_partenaire_export", 12),
    *fiche(Convention, 12, add=8, change=12, history=10, delete=12),
    # --- actions
    *[
        Page("actions:export", 20, f"?format={forme}{requete}", qui)
        for forme in ("xlsx", "ods", "csv")
        for requete, qui in (
            ("", "responsable"),
            ("&plan=plan-garni&au=2024-03-01", "agent"),
            ("&miennes=oui", "agent"),
        )
    ],
    *[
        Page("actions:liste", 12, requete, qui)
        for requete in ("", "?page=2")
        for qui in ("administrateur", "agent", "responsable")
    ],
    *[
        Page("actions:liste", 12, requete)
        for requete in (
            "?q=clauses",
            "?plan=plan-garni",
            "?statut=EN_COURS",
            "?partenaire=partenaire-001",
            "?priorite=HAUTE",
            "?retard=oui",
            "?attention=oui",
            "?presence=toutes",
            "?au=2024-03-01&retard=oui&page=2",
            "?sort=-echeance",
            "?sort=pilote",
            "?retard=inconnu",
            "?nouvelles=aucune",
            "?depuis=2023-12-31&statut=TERMINEE",
            "?axe=null&service=null&pilote=null",
        )
    ],
    Page("actions:miennes", 11, qui="agent"),
    Page("actions:miennes", 9),
    Page("actions:detail", 22),
    Page("actions:detail", 22, qui="agent"),
    Page("actions:detail", 22, qui="responsable"),
    Page("actions:creer", 12),
    Page("actions:modifier", 14),
    Page("actions:statut", 6),
    Page("actions:echeance", 6),
    Page("actions:attention", 6),
    Page("actions:note", 6),
    Page("actions:corriger", 7),
    Page("actions:note_corriger", 7),
    Page("actions:etape_ajouter", 6),
    Page("actions:etape_modifier", 7),
    Page("actions:document", 8),
    Page("actions:document_ajouter", 6),
    Page("actions:document_modifier", 7),
    Page("actions:retirer", 6),
    Page("actions:remettre", 6),
    Page("actions:partenaire", 10),
    Page("actions:dupliquer", 12),
    Page("actions:campagnes", 8),
    Page("actions:campagne_lancer", 8),
    Page("actions:campagne", 10),
    Page("actions:campagne_repondre", 10),
    Page("actions:campagne_repondre", 10, qui="agent"),
    Page("actions:partenaire", 10, qui="responsable"),
    *fiche(Plan, 10, add=8, history=10),
    # 60 partenaires et 40 indicateurs ici, une dizaine dans un vrai plan.
    Page("admin:actions_plan_change", 112, par_ligne="chaque liste déroulante qui cherche lit son libellé (Django)"),
    Page("admin:actions_plan_delete", 120, par_ligne="la liste de ce qui serait supprimé nomme chaque objet (Django)"),
    *fiche(Axe, 12, add=8, change=12, history=10, delete=10),
    *fiche(Action, 12, add=8, change=22, history=12),
    *fiche(NoteDeSuivi, 12, add=8, change=12, history=10, delete=12),
    # --- plusieurs à la fois
    Page("actions:grille", 9),
    Page("actions:grille", 9, "?manque=echeance", "responsable"),
    Page("actions:en_nombre", 10),
    Page("actions:en_nombre", 10, "?statut=EN_COURS", "responsable"),
    Page("actions:en_nombre", 10, "?de=selection&action={sienne}&action={d_autrui}", "agent"),
    Page("actions:reaffecter", 8),
    Page("actions:importer", 9),
    Page("actions:depot", 7),
    Page("actions:depot", 7, "?page=2", "responsable"),
    Page("actions:lots", 6),
    Page("actions:lot", 14),
    Page("actions:lot", 14, qui="agent"),
    Page("actions:comites", 9),
    Page("actions:comite_creer", 6),
    Page("actions:comite", 22),
    Page("actions:comite", 22, "?fiche=entiere", "responsable"),
    Page("actions:comite", 22, qui="agent"),
    Page("actions:comite_modifier", 7),
    Page("actions:decision_ajouter", 6),
    Page("actions:decision_modifier", 7),
    Page("actions:calendriers", 8),
    Page("actions:calendrier", 6, qui="anonyme"),
    # --- indicateurs
    *[
        Page("indicateurs:liste", 12, requete)
        for requete in ("", "?plan=plan-garni", "?sans_valeur=2026", "?plan=plan-garni&sans_valeur=2026", "?page=2")
    ],
    Page("indicateurs:liste", 14, qui="agent"),
    Page("marches:accueil", 5),
    *[
        Page("marches:consultations", 12, requete, qui)
        for requete in ("", "?page=2", "?annee=2024&social=OUI&suite=NOTIFIE&q=nettoyage", "?sort=-finalisee_le")
        for qui in ("administrateur", "agent")
    ],
    *[Page("marches:consultations", 12, f"?format={forme}") for forme in ("xlsx", "ods", "csv")],
    *[Page("marches:consultation", 12, qui=qui) for qui in ("lecteur", "agent", "responsable")],
    *[
        Page(f"marches:{nom}", 12, qui=qui)
        for nom in ("consultation_ajouter", "consultation_modifier", "lot_ajouter", "lot_modifier")
        for qui in ("agent", "responsable")
    ],
    *[
        Page("marches:grille_des_consultations", 8, requete, qui)
        for requete in ("", "?manque=environnement", "?annee=2024&page=2")
        for qui in ("agent", "responsable")
    ],
    Page("marches:importer_le_registre", 9, qui="responsable"),
    Page("marches:import_du_registre", 14, qui="responsable"),
    *fiche(Consultation, 12, change=14, history=12),
    *[Page("marches:imports", 8, qui=qui) for qui in ("lecteur", "responsable")],
    Page("marches:import_decp", 8),
    Page("marches:import_decp", 8, "?page=2", "responsable"),
    *[Page("marches:import_decp", 8, f"?format={forme}") for forme in ("xlsx", "ods", "csv")],
    Page("marches:deposer", 8, qui="responsable"),
    *[Page("marches:article_35", 8, requete) for requete in ("", "?point=critere&etat=inconnu&format=csv")],
    *[
        Page("marches:territoires", 18, requete)
        for requete in (
            "?source=mandats-ht&annee=2023",
            "?source=contrats&annee=2024",
            "?source=montants&annee=2024&zone=premier",
            "?source=contrats&annee=2024&zone=second&format=csv",
        )
    ],
    *[Page("marches:contrats", 10, requete) for requete in ("", "?page=2", "?q=fournitures", "?acheteurs=tous")],
    *[Page("marches:contrats", 10, f"?annee=2024&format={forme}") for forme in ("xlsx", "ods", "csv")],
    *[Page("marches:contrat", 16, qui=qui) for qui in ("lecteur", "responsable")],
    *[Page("marches:revue", 10, requete, "responsable") for requete in ("", "?sorte=lieu", "?format=csv")],
    Page("marches:corriger_contrat", 8, qui="responsable"),
    Page("marches:situer_etablissement", 8, qui="responsable"),
    *[Page("marches:regroupements", 14, requete, "responsable") for requete in ("", "?annee=2024")],
    Page("marches:regrouper", 16, f"?de={SOUCHE}", "responsable"),
    *[Page("marches:comparaison", 20, requete) for requete in ("", "?avec=243400017&de=2023&a=2024")],
    *fiche(Territoire, 10, add=8, change=10, history=10, delete=12),
    Page("marches:mandats", 5),
    Page("marches:import_de_mandats", 9),
    Page("marches:import_de_mandats", 8, "?par=commune", "responsable"),
    *[Page("marches:import_de_mandats", 8, f"?format={forme}") for forme in ("xlsx", "ods", "csv")],
    Page("marches:importer_mandats", 8, qui="responsable"),
    Page("indicateurs:detail", 17),
    Page("indicateurs:detail", 17, qui="responsable"),
    Page("indicateurs:retenir", 12, qui="responsable"),
    *[Page("marches:resultat", 8, requete) for requete in ("", "?page=2")],
    *[Page("marches:resultat_export", 8, f"?format={forme}") for forme in ("xlsx", "ods", "csv")],
    *[Page("indicateurs:export", 12, f"?format={forme}&plan=plan-garni") for forme in ("xlsx", "ods", "csv")],
    Page("indicateurs:export", 12, "?sans_valeur=2023&de=2015&a=2023", "agent"),
    Page("indicateurs:importer", 8, qui="responsable"),
    Page("indicateurs:objectifs", 6, qui="responsable"),
    Page("indicateurs:valeur", 10, qui="responsable"),
    Page("indicateurs:collectes", 10, qui="responsable"),
    Page("indicateurs:collecte_ouvrir", 8, qui="responsable"),
    Page("indicateurs:collecte", 10, qui="responsable"),
    Page("indicateurs:collecte_repondre", 12, qui="agent"),
    Page("indicateurs:demande_renvoyer", 8, qui="responsable"),
    Page("indicateurs:historique_de_la_valeur", 12),
    Page("indicateurs:justificatif", 8),
    Page("indicateurs:justificatif_ajouter", 8, qui="responsable"),
    *fiche(Indicateur, 12, add=8, change=18, delete=16),
    *[
        Page("indicateurs:saisie", 10, requete, qui)
        for requete in ("", "?plan=&page=2", "?manque=oui", "?services=tous")
        for qui in ("responsable", "agent")
    ],
    Page(
        "admin:indicateurs_indicateur_history",
        72,
        par_ligne="simple_history relit les actions liées de chaque version, cent versions par page au plus",
    ),
    *fiche(ValeurAnnuelle, 15, add=8, change=12, history=10),
    *fiche(Cible, 12, add=8, change=12, history=10),
    # --- l'administration elle-même
    Page("admin:index", 8),
    Page("admin:app_list", 6),
    Page("admin:password_change", 6),
    Page("admin:password_change_done", 6),
    Page("admin:autocomplete", 7, "?app_label=indicateurs&model_name=indicateur&field_name=service"),
    Page("admin:autocomplete", 7, "?app_label=actions&model_name=action&field_name=pilote"),
    Page("admin:autocomplete", 7, "?app_label=indicateurs&model_name=indicateur&field_name=actions"),
    Page("admin:jsi18n", 6),
]


def sans_page(raison: str, *noms: str) -> dict[str, str]:
    return dict.fromkeys(noms, raison)


def sans_geste(modele: type[models.Model], *pages: str) -> dict[str, str]:
    return sans_page(
        "le geste n'existe pas",
        *(f"admin:{modele._meta.app_label}_{modele._meta.model_name}_{page}" for page in pages),
    )


# Les routes qui ne montrent pas de page, et pourquoi.
SANS_OBJET = {
    **sans_page("sans fournisseur d'identité, n'existe pas", "identite_partir", "identite_retour"),
    **sans_page("range l'invitation dans la session et renvoie à la suite", "invitation_ouvrir"),
    **sans_page("sans invitation, une page d'erreur", "invitation_choisir"),
    **sans_page("range la clé dans la session et renvoie à la suite", "account_reset_password_from_key"),
    **sans_page(
        "mène ailleurs tant qu'aucun second facteur n'est posé",
        *("mfa_reauthenticate", "mfa_authenticate", "mfa_activate_totp", "mfa_deactivate_totp"),
        *("mfa_view_recovery_codes", "mfa_generate_recovery_codes"),
    ),
    **sans_page(
        "envoi seulement",
        "admin:logout",
        "actions:annuler_statut",
        "actions:etape_faite",
        "actions:etape_deplacer",
        "actions:etape_retirer",
        "actions:etape_remettre",
        "actions:document_retirer",
        "indicateurs:justificatif_retirer",
        *(f"indicateurs:collecte_{geste}" for geste in ("relancer", "clore", "rouvrir", "valider_tout")),
        "indicateurs:demande_valider",
        "actions:appliquer_en_nombre",
        "actions:appliquer_depot",
        "actions:abandonner_depot",
        "actions:reprendre_depot",
        "actions:defaire_lot",
        "actions:decision_retirer",
        "actions:decision_remettre",
        "actions:calendrier_revoquer",
        "actions:rien_de_nouveau",
        "actions:grille_ligne",
        "indicateurs:saisie_ligne",
        "indicateurs:appliquer_import",
        *(f"marches:{nom}_mandats" for nom in ("colonnes_de", "enregistrer", "retirer")),
        "marches:colonnes_du_registre",
        "marches:enregistrer_le_registre",
        "marches:defaire_l_import",
        "marches:ligne_du_registre",
        "marches:lot_retirer",
        "marches:reprendre_import",
        "marches:annuler_correction",
        "marches:detacher_contrat",
        "actions:campagne_relancer",
        "actions:campagne_clore",
        "actions:campagne_rouvrir",
        "bilans:depublier",
        "accueil:jeton_revoquer",
        "debloquer",
        *("personnes:mes_donnees", "personnes:export"),
        "admin:partenaires_partenaire_import_appliquer",
    ),
    **sans_page("renvoie à une autre page", "admin:login", "admin:view_on_site"),
    **sans_page(
        "renvoie à la fiche",
        *(r.nom for r in resolveur.routes() if re.fullmatch(r"admin:admin/\w+/\w+/<path:object_id>/", r.nom)),
    ),
    **sans_page("introuvable, toujours", "admin:admin/(?P<url>.*)$", "publication:introuvable", "api:inconnue"),
    **sans_geste(Collectivite, "add", "delete"),
    **sans_geste(Utilisateur, "delete"),
    **sans_geste(Lot, "add", "delete"),
    **sans_geste(Trace, "add", "delete"),
    **sans_geste(Jeton, "add", "delete"),
    **sans_geste(Courriel, "add", "delete"),
    **sans_geste(Bordereau, "add", "delete"),
    **sans_geste(Bilan, "add", "delete"),
    **sans_geste(VersionDeBilan, "add", "delete"),
    **sans_geste(Tirage, "add", "delete"),
    **sans_geste(Action, "delete"),
    **sans_geste(Consultation, "add", "delete"),
    **sans_geste(ValeurAnnuelle, "delete"),
    **sans_geste(Cible, "delete"),
}

# --- Mesurer ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mesure:
    code: int
    requetes: list[str]

    @property
    def formes(self) -> Counter[str]:
        """Les requêtes sans leurs valeurs, et combien de fois chacune."""
        return Counter(re.sub(r"'(?:[^']|'')*'|\b\d+\b|(?:\?, )+", "?", requete)[:400] for requete in self.requetes)


def mesurer(ampleur: dict[str, int]) -> dict[Page, Mesure]:
    """Chaque page, demandée une fois sur un site de cette ampleur, défait ensuite."""
    with transaction.atomic():
        decor = plan_garni(**ampleur)
        if connection.vendor == "postgresql":
            # Ce que l'autovacuum ferait : sans lui, le moteur croit les tables vides et les relit ligne à ligne.
            with connection.cursor() as curseur:
                curseur.execute("ANALYZE")
        mesures = dict(_mesures(decor))
        transaction.set_rollback(True)
    return mesures


def _mesures(decor: Decor) -> Iterator[tuple[Page, Mesure]]:
    clients = {qui: client_de(compte) for qui, compte in decor.comptes.items()} | {
        "anonyme": client_de(None),
        "jeton": client_de(None, headers={"Authorization": f"Bearer {SECRET_D_API}"}),
    }
    ContentType.objects.get_for_models(*apps.get_models())
    cles: dict[str, object] = {nom: action.pk for nom, action in decor.actions.items()}
    for page in PAGES:
        cles["aujourdhui"] = timezone.localdate().isoformat()
        cache.clear()
        # Django ne garde que les neuf mille dernières requêtes : on ne compte que celles de cette page.
        connection.queries_log.clear()
        with CaptureQueriesContext(connection) as requetes:
            reponse = clients[page.qui].get(decor.adresse(page.nom) + page.requete.format(**cles))
        yield page, Mesure(reponse.status_code, [requete["sql"] for requete in requetes])


@pytest.fixture(scope="module")
def mesures(django_db_setup, django_db_blocker) -> dict[str, dict[Page, Mesure]]:
    with django_db_blocker.unblock():
        return {"petit": mesurer(PETIT), "grand": mesurer(GRAND)}


def en_clair(formes: Counter[str]) -> str:
    return "\n".join(f"  {nombre} × {forme}" for forme, nombre in formes.most_common())


# --- Les essais ---------------------------------------------------------------------------------


def test_la_table_dit_chaque_route_du_site():
    assert resolveur.ecarts([*{page.nom for page in PAGES}, *SANS_OBJET]) == []


# « cas » et non « page », qui est une fixture de Playwright.
@pytest.mark.django_db
@pytest.mark.parametrize("cas", PAGES, ids=str)
def test_une_page_fait_autant_de_requetes_pour_1200_actions_que_pour_30(mesures, cas):
    petit, grand = mesures["petit"][cas], mesures["grand"][cas]
    assert (petit.code, grand.code) == (200, 200)
    de_plus, de_moins = grand.formes - petit.formes, petit.formes - grand.formes
    assert cas.par_ligne or len(petit.requetes) == len(grand.requetes), (
        f"{len(petit.requetes)} requêtes, puis {len(grand.requetes)}. De plus :\n{en_clair(de_plus)}\n"
        f"De moins :\n{en_clair(de_moins)}"
    )
    assert len(grand.requetes) <= cas.au_plus, (
        f"{len(grand.requetes)} requêtes, {cas.au_plus} au plus :\n{en_clair(grand.formes)}"
    )


@pytest.mark.django_db
def test_le_plan_garni_est_celui_que_le_produit_aurait_ecrit():
    """Sinon les pages se mesureraient sur des données qu'elles ne rencontrent jamais."""
    plan_garni(60)
    call_command("verifier_journal")
    for modele in (Plan, Axe, Partenaire, Convention, Indicateur, ValeurAnnuelle, Cible):
        for objet in modele.objects.all():
            objet.full_clean()
    actions = Action.objects.etat_au()
    assert actions.filter(pilote=None).count() + actions.filter(service_pilote=None).count() == 0
    assert actions.filter(axe=None).count() + actions.filter(notes=None).count() == 0
    assert PartenaireDeLAction.objects.count() == 2 * 60
    assert set(ValeurAnnuelle.objects.avec_valeur().values_list("valeur_retenue", flat=True)).isdisjoint({None})
