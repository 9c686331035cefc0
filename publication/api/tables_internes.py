"""Les tables que seul un jeton ouvre : les colonnes publiques, et celles que les comptes du site lisent en plus.

Elles ne sont pas dans `publication.tables.TABLES` : ni les fichiers ni les adresses publiques ne peuvent les écrire.
"""

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from actions.models import ChangementDeStatut, NoteDeSuivi, PartenaireDeLAction, Plan
from actions.statuts import PointAttention, Priorite
from actions.suivi import PorteeDeNote, RoleDePartenaire
from indicateurs.listes import Etat
from indicateurs.models import IndicateurDuPlan, ValeurAnnuelle
from partenaires.models import Partenaire
from publication.colonnes import Colonne, Table, TypeDeColonne, champ, nombre_du_champ
from publication.tables import ACTIONS, INDICATEURS, PARTENAIRES, VALEURS
from socle.echeances import Precision

T = TypeDeColonne


def _euros(nom: str, titre: str) -> Colonne:
    return Colonne(nom, titre, T.NOMBRE, "En euros.", nombre_du_champ(nom))


def _actions(plan: Plan) -> QuerySet:
    aujourdhui = timezone.localdate()
    return (
        plan.actions.etat_au()
        .au_plan()
        .avec_retard(aujourdhui)
        .annotate(statut_depuis=ChangementDeStatut.pris_le(aujourdhui))
        .select_related("axe", "pilote", "suppleant", "service_pilote")
        .order_by("numero")
    )


def _notes(plan: Plan) -> QuerySet:
    return NoteDeSuivi.objects.filter(action__plan=plan).en_vigueur().order_by("date", "pk")


def _participations(plan: Plan) -> QuerySet:
    return PartenaireDeLAction.objects.filter(action__plan=plan).select_related("partenaire").order_by("pk")


def _indicateurs(plan: Plan) -> QuerySet:
    places = IndicateurDuPlan.objects.filter(plan=plan).select_related("indicateur__service")
    return places.annotate(denominateur_public=F("indicateur__denominateur")).order_by("ordre", "pk")


def _valeurs(plan: Plan) -> QuerySet:
    valeurs = ValeurAnnuelle.objects.filter(indicateur__places__plan=plan).avec_valeur()
    return valeurs.select_related("indicateur").order_by("indicateur_id", "annee")


def _partenaires(plan: Plan) -> QuerySet:
    citations = plan.citations.filter(partenaire=OuterRef("pk"))
    participations = PartenaireDeLAction.objects.filter(action__plan=plan, partenaire=OuterRef("pk"))
    lies = Partenaire.objects.annotate(du_plan=Exists(citations), d_une_action=Exists(participations))
    return (lies.filter(du_plan=True) | lies.filter(d_une_action=True)).order_by("nom", "pk")


ACTIONS_INTERNES = Table(
    "actions",
    "Actions",
    "Les actions au plan, visibles du public ou non.",
    _actions,
    [
        *ACTIONS.colonnes,
        Colonne(
            "visible_du_public",
            "Visible du public",
            T.BOOLEEN,
            "Vrai si elle paraît quand le plan est publié.",
            champ("visible_du_public"),
            obligatoire=True,
        ),
        Colonne("echeance", "Échéance", T.DATE, "Le dernier jour de l'échéance.", champ("etat_echeance")),
        Colonne(
            "echeance_precision",
            "Précision de l'échéance",
            T.TEXTE,
            "Ce que l'échéance désigne.",
            champ("etat_precision"),
            choix=Precision,
        ),
        Colonne(
            "en_retard",
            "En retard",
            T.BOOLEEN,
            "Vrai si l'échéance est passée et l'action pas terminée ; null sans échéance.",
            champ("est_en_retard"),
        ),
        Colonne("priorite", "Priorité", T.TEXTE, "Vide si elle n'est pas dite.", champ("priorite"), choix=Priorite),
        Colonne("pilote", "Pilote", T.TEXTE, "Le nom de la personne qui la pilote.", lambda a, plan: _nom(a.pilote)),
        Colonne(
            "suppleant", "Suppléant·e", T.TEXTE, "Le nom du ou de la suppléant·e.", lambda a, p: _nom(a.suppleant)
        ),
        Colonne("service", "Service pilote", T.TEXTE, "Le nom du service.", lambda a, plan: _nom(a.service_pilote)),
        Colonne("elu_referent", "Élu·e référent·e", T.TEXTE, "Son nom.", champ("elu_referent")),
        Colonne("date_debut", "Date de début", T.DATE, "Le jour où elle commence.", champ("date_debut")),
        _euros("budget_previsionnel", "Budget prévisionnel"),
        _euros("budget_realise", "Budget réalisé"),
        Colonne(
            "attention_nature",
            "Point d'attention",
            T.TEXTE,
            "De quelle sorte il est.",
            champ("attention_nature"),
            choix=PointAttention,
        ),
        Colonne("attention", "Point d'attention, en une phrase", T.TEXTE, "Ce qu'il dit.", champ("attention")),
    ],
    cle=("id",),
)

NOTES = Table(
    "notes",
    "Notes de suivi",
    "Les nouvelles d'une action, internes ou destinées au bilan.",
    _notes,
    [
        Colonne("action_id", "Action", T.ENTIER, "Identifiant de l'action.", champ("action_id"), obligatoire=True),
        Colonne("date", "Date", T.DATE, "Le jour dont parle la note.", champ("date"), obligatoire=True),
        Colonne(
            "portee", "Portée", T.TEXTE, "À qui elle s'adresse.", champ("portee"), obligatoire=True, choix=PorteeDeNote
        ),
        Colonne("texte", "Texte", T.TEXTE, "Ce qu'elle dit.", champ("texte"), obligatoire=True),
    ],
    cle=("action_id", "date"),
)

PARTICIPATIONS = Table(
    "participations",
    "Partenaires de l'action",
    "Qui prend part à l'action, et à quel titre.",
    _participations,
    [
        Colonne(
            "partenaire_id",
            "Partenaire",
            T.ENTIER,
            "Identifiant du partenaire.",
            champ("partenaire_id"),
            obligatoire=True,
        ),
        Colonne("nom", "Nom", T.TEXTE, "Nom de l'organisme.", champ("partenaire.nom"), obligatoire=True),
        Colonne("role", "Rôle", T.TEXTE, "Vide s'il n'est pas dit.", champ("role"), choix=RoleDePartenaire),
    ],
    cle=("partenaire_id",),
)

INDICATEURS_INTERNES = Table(
    "indicateurs",
    "Indicateurs",
    "Ce que le plan mesure chaque année, et qui le produit.",
    _indicateurs,
    [
        *INDICATEURS.colonnes,
        Colonne(
            "service",
            "Service producteur",
            T.TEXTE,
            "Le nom du service.",
            lambda place, plan: _nom(place.indicateur.service),
        ),
    ],
    cle=("id",),
)

VALEURS_INTERNES = Table(
    "valeurs",
    "Valeurs annuelles",
    "Les valeurs des indicateurs du plan, provisoires comprises.",
    _valeurs,
    [
        *VALEURS.colonnes,
        Colonne("etat", "État", T.TEXTE, "Provisoire ou validée.", champ("etat"), obligatoire=True, choix=Etat),
    ],
    cle=("indicateur_id", "annee"),
)

PARTENAIRES_INTERNES = Table(
    "partenaires",
    "Partenaires",
    "Les organismes du plan et de toutes ses actions.",
    _partenaires,
    [
        *PARTENAIRES.colonnes,
        Colonne("actif", "Actif", T.BOOLEEN, "Faux s'il ne se propose plus.", champ("actif"), obligatoire=True),
        Colonne("description", "Description", T.TEXTE, "Ce qu'il est.", champ("description")),
        Colonne("contact", "Contact", T.TEXTE, "Qui joindre.", champ("contact")),
    ],
    cle=("id",),
)


def _nom(objet: object | None) -> str | None:
    return str(objet) if objet else None
