"""Ce sur quoi les pages s'essaient : un petit décor pour les accès, un plan garni pour les requêtes et le navigateur.

Chaque adresse du site s'écrit avec `Decor.adresse` : une route dont un paramètre est inconnu s'ajoute ici.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.db.models import Model
from django.utils import timezone

from actions.classeur import imports
from actions.models import (
    Action,
    Axe,
    Campagne,
    ChangementDeStatut,
    Comite,
    Decision,
    DepotDeClasseur,
    NoteDeSuivi,
    PartenaireDeLAction,
    PartenaireDuPlan,
    Plan,
    PresenceAuPlan,
    ReferenceCadre,
    ReportEcheance,
)
from actions.statuts import Mouvement, PointAttention, Priorite, Statut, avancement_impose
from actions.suivi import PorteeDeNote, RoleDePartenaire
from bilans.models import Tirage, VersionDeBilan
from comptes.droits import Role
from comptes.gestes import Geste, PorteeDeJeton
from comptes.models import Collectivite, Courriel, Jeton, LigneDeLot, Lot, Service, Siren, Trace, Utilisateur
from exploitation.models import Bordereau
from indicateurs.listes import Etat, Nature, OrigineDeCible, Sens
from indicateurs.models import (
    Cible,
    Collecte,
    DemandeDeValeur,
    Indicateur,
    IndicateurDuPlan,
    Justificatif,
    ValeurAnnuelle,
)
from marches.models import (
    Consultation,
    Contrat,
    CorrectionDeContrat,
    ImportDecp,
    ImportDeMandats,
    LotDeConsultation,
    ResultatDeCalcul,
)
from marches.registre_importe.defaire import lots_du_registre
from partenaires.models import Convention, Partenaire, TypeDePartenaire
from socle.echeances import Echeance, Precision
from tests import fabriques, resolveur
from tests.decor_bilans import arreter_un_bilan
from tests.decor_contrats import SIRET, publier_des_contrats
from tests.decor_marches import calculer_une_part, importer_des_decp, importer_des_mandats
from tests.decor_registre import tenir_un_registre
from tests.decor_suivi import attacher_un_suivi, demander_des_nouvelles

ENTREE_AU_PLAN = datetime.date(2023, 12, 31)
SECOND_STATUT = datetime.date(2024, 6, 30)
# Des échéances toutes passées, de chaque précision.
ECHEANCES = (
    Echeance(datetime.date(2024, 9, 30), Precision.TRIMESTRE),
    Echeance(datetime.date(2024, 12, 31), Precision.ANNEE),
    Echeance(datetime.date(2025, 2, 14), Precision.JOUR),
)
PREMIERE_ANNEE = 2021
# Celle où l'indicateur du décor a une valeur.
ANNEE_DE_LA_VALEUR = 2023
CHIFFRES_CLES = 3
SIREN_DU_DECOR = "123456789"
# Le calcul des parts du décor ; il a des résultats jusqu'à l'année de la valeur.
CALCUL_D_UNE_PART = "part_environnementale_consultations"
SECRET_DE_CALENDRIER = "le-secret-d-un-calendrier-d-essai"
SECRET_D_API = "le-secret-d-un-jeton-d-api-d-essai"


@dataclass(frozen=True)
class Decor:
    """Un plan et un objet de chaque sorte. `comptes` : un par rôle, et « sans_role ».

    `actions`, du point de vue de l'agent : « sienne » (il la pilote), « du_service », « d_autrui ».
    """

    plan: Plan
    comptes: dict[str, Utilisateur]
    actions: dict[str, Action]
    objets: dict[str, Model] = field(default_factory=dict)
    # Par action, les paramètres des adresses de ce qui s'y attache : étape, document, note, ligne de journal.
    attaches: dict[int, dict[str, object]] = field(default_factory=dict)

    def objet(self, modele: type[Model]) -> Any:
        """L'objet du décor de ce modèle. KeyError s'il n'y en a pas : à ajouter ici."""
        return self.objets[modele._meta.label_lower]

    def adresse(self, nom: str, **precisions: object) -> str:
        """L'adresse de cette route sur un objet du décor ; `precisions` : d'autres valeurs de ses paramètres."""
        route = resolveur.route(nom)
        attaches = self.attaches.get(self.actions["sienne"].pk, {}) | self.attaches.get(precisions.get("pk"), {})
        donnees = attaches | precisions
        valeurs = {p: donnees[p] if p in donnees else self._valeur(p, route) for p in route.parametres}
        return route.adresse(**valeurs)

    def _valeur(self, parametre: str, route: resolveur.Route) -> object:
        match parametre:
            case "pk":
                return self.actions["sienne"].pk
            case "slug":
                return self.objet(Partenaire).slug
            case "plan":
                return self.plan.slug
            case "annee":
                return ANNEE_DE_LA_VALEUR
            case "code":
                return self.objet(Indicateur).code
            case "id" if route.nom.startswith("api:"):
                return self.actions["sienne"].pk
            case "object_id" | "id" if route.nom == "admin:view_on_site":
                return self.objet(Indicateur).pk
            case "object_id" | "id":
                _, application, modele, *_ = route.route.split("/")
                return self.objets[f"{application}.{modele}"].pk
            case "content_type_id":
                return ContentType.objects.get_for_model(Indicateur).pk
            case "compte":
                return self.comptes["agent"].pk
            case "bordereau":
                return self.objet(Bordereau).pk
            case "forme":
                return "csv"
            case "lot":
                return self.objet(Lot).pk
            case "comite":
                return self.objet(Comite).pk
            case "decision":
                return self.objet(Decision).pk
            case "jeton" if route.nom == "accueil:jeton_revoquer":
                # Le dernier émis est un jeton d'API.
                return Jeton.objects.latest("pk").pk
            case "jeton":
                return self.objet(Jeton).pk
            case "secret":
                return SECRET_DE_CALENDRIER
            case "campagne":
                return self.objet(Campagne).pk
            case "depot":
                return self.objet(DepotDeClasseur).pk
            case "resultat":
                return self.objet(ResultatDeCalcul).pk
            case "liste":
                return "denominateur"
            case "consultation":
                return self.objet(Consultation).pk
            case "lot_du_registre":
                return self.objet(LotDeConsultation).pk
            case "import_du_registre":
                return lots_du_registre().last().pk
            case "import_decp":
                return self.objet(ImportDecp).pk
            case "souche":
                return self.objet(Contrat).souche
            case "champ":
                return "distinct"
            case "correction":
                return self.objet(CorrectionDeContrat).pk
            case "siret":
                return SIRET
            case "mandats":
                return self.objet(ImportDeMandats).pk
            case "collecte":
                return self.objet(Collecte).pk
            case "demande":
                return self.objet(DemandeDeValeur).pk
            case "justificatif":
                return self.objet(Justificatif).pk
            case "rang":
                return self.objet(VersionDeBilan).rang
            case "portee":
                return "public"
            case "tirage":
                return self.objet(Tirage).pk
            case "couleur":
                return "0b5b82"
            case "uidb36":
                return user_pk_to_url_str(self.comptes["agent"])
            case "key":
                # Relu : la clé dépend de la dernière connexion.
                return default_token_generator.make_token(Utilisateur.objects.get(pk=self.comptes["agent"].pk))
            case "jeton_d_invitation":
                return "inconnu"
            case "app_label":
                return "partenaires"
            case "format_choisi":
                return "csv"
            case "portee":
                return "public"
            case "url" | "reste":
                return "nulle-part/"
        raise KeyError(f"tests/decor.py ne sait pas remplir « {parametre} » dans {route.route}.")


def ecrire_un_bordereau() -> Bordereau:
    """Un bordereau d'élimination qui attend son visa."""
    serie = {"code": "courriels", "libelle": "Courriels partis", "du": "2020-01-01", "au": "2020-12-31", "cles": [1]}
    return Bordereau.objects.create(avant=ENTREE_AU_PLAN, series=[serie], nombre=1, empreinte="0" * 64)


def comptes_par_role(service: Service) -> dict[str, Utilisateur]:
    """Un compte par rôle, l'agent dans ce service ; un compte sans rôle."""
    comptes = {
        role.value: fabriques.utilisateur(role, service=service if role is Role.AGENT else None, nom=role.label)
        for role in Role
    }
    return comptes | {"sans_role": fabriques.utilisateur(None, nom="Sans rôle")}


def un_de_chaque(*objets: Model) -> dict[str, Model]:
    return {objet._meta.label_lower: objet for objet in objets}


def gestes_et_traces(auteur: Utilisateur, actions: Sequence[Action], fois: int = 1) -> dict[str, Model]:
    """Ce que les gens ont fait : un lot d'une ligne par action, et `fois` traces, jetons et essais de connexion."""
    lot = Lot.objects.create(intitule="Statuts changés d'un geste", auteur=auteur)
    type_d_objet = ContentType.objects.get_for_model(Action)
    LigneDeLot.objects.bulk_create(
        LigneDeLot(lot=lot, type_d_objet=type_d_objet, id_objet=action.pk, champ="priorite", avant="", apres="HAUTE")
        for action in actions
    )
    lignes = "".join(f"{action.numero};Mme Durand\n" for action in actions)
    depot = imports.deposer(actions[0].plan, "classeur.csv", f"N°;Élue référente\n{lignes}".encode(), par=auteur)
    traces = Trace.objects.bulk_create(Trace(geste=Geste.CONNEXION, utilisateur=auteur) for _ in range(fois))
    jetons = [
        Jeton.objects.emettre(auteur, f"Agenda {n}", [PorteeDeJeton.CALENDRIER])[0] for n in range(min(fois, 40))
    ]
    Jeton.objects.emettre(
        auteur, "Du plan", [PorteeDeJeton.CALENDRIER], sujet=f"plan:{actions[0].plan_id}", secret=SECRET_DE_CALENDRIER
    )
    demain = timezone.now() + datetime.timedelta(days=1)
    for n in range(min(fois, 40)):
        options = {"expire_le": demain, "secret": "" if n else SECRET_D_API}
        Jeton.objects.emettre(auteur, f"Entrepôt {n}", [PorteeDeJeton.API], **options)
    essais = [
        AccessAttempt.objects.create(
            username=f"inconnu{n}", ip_address="127.0.0.1", path_info="/connexion/", failures_since_start=1
        )
        for n in range(min(fois, 40))
    ]
    journal = AccessLog.objects.create(username="inconnu", ip_address="127.0.0.1", path_info="/connexion/")
    echec = AccessFailureLog.objects.create(username="inconnu", ip_address="127.0.0.1", path_info="/connexion/")
    courriels = Courriel.objects.bulk_create(
        Courriel(cle=f"essai-{n}", destinataire=auteur, adresse="essai@exemple.fr", objet="À relire", texte="Bonjour.")
        for n in range(min(fois, 40))
    )
    return un_de_chaque(lot, depot, traces[0], jetons[0], essais[0], journal, echec, courriels[0])


# --- Le petit décor des accès -------------------------------------------------------------------


def decor_acces() -> Decor:
    """Le plus petit site où chaque page a quelque chose à montrer. Écrit par les méthodes du produit."""
    collectivite = Collectivite.objects.create(nom="Collectivité d'essai")
    Siren.objects.create(collectivite=collectivite, numero=SIREN_DU_DECOR)
    service, autre_service = fabriques.service("Achats"), fabriques.service("Voirie")
    comptes = comptes_par_role(service)
    autre = fabriques.utilisateur(Role.AGENT, nom="Autrui", service=autre_service)
    plan = fabriques.plan(intitule="Plan d'essai", annee_debut=2023, annee_fin=2026, affiche_avancement=True)
    axe = Axe.objects.create(plan=plan, code="A1", intitule="Acheter mieux")
    partenaire = fabriques.partenaire("Réseau d'essai", type=TypeDePartenaire.RESEAU_ACHETEURS)
    citation = PartenaireDuPlan.objects.create(plan=plan, partenaire=partenaire, ordre=1)
    convention = Convention.objects.create(partenaire=partenaire, intitule="Convention d'essai", debut=ENTREE_AU_PLAN)

    communs = {"axe": axe, "auteur": comptes["responsable"], "echeance": ECHEANCES[0], "partenaires": [partenaire]}
    actions = {
        "sienne": fabriques.action(plan, pilote=comptes["agent"], service_pilote=autre_service, **communs),
        "du_service": fabriques.action(plan, pilote=autre, service_pilote=service, **communs),
        "d_autrui": fabriques.action(plan, pilote=autre, service_pilote=autre_service, **communs),
    }
    for action in actions.values():
        _raconter(action, comptes["responsable"])
    attaches = {action.pk: attacher_un_suivi(action, comptes["responsable"]) for action in actions.values()}
    actions = {nom: Action.objects.get(pk=action.pk) for nom, action in actions.items()}
    premiere = actions["sienne"]

    indicateur, valeur, place, cible = _petit_indicateur(plan, service)
    indicateur.actions.set(actions.values())
    return Decor(
        plan=plan,
        comptes=comptes,
        actions=actions,
        objets=un_de_chaque(
            *(collectivite, collectivite.sirens.get(), service, comptes["agent"], ecrire_un_bordereau()),
            *(plan, axe, citation, partenaire, convention, premiere),
            *(premiere.participations.get(), premiere.references.get(), premiere.notes.get()),
            *(premiere.changementdestatuts.first(), premiere.reportecheances.first()),
            premiere.presenceauplans.first(),
            *(premiere.decisions.first(), premiere.decisions.first().comite),
            *(indicateur, valeur, place, cible, justifier(valeur, comptes["responsable"])),
            *collecter(plan, valeur, comptes["responsable"]),
            importer_des_mandats(comptes["responsable"], ANNEE_DE_LA_VALEUR),
            importer_des_decp(comptes["responsable"]),
            *tenir_un_registre(service, comptes["responsable"]),
            *publier_des_contrats(comptes["responsable"], SIREN_DU_DECOR),
            calculer_une_part(CALCUL_D_UNE_PART, [ANNEE_DE_LA_VALEUR], SIREN_DU_DECOR),
            *arreter_un_bilan(plan, ANNEE_DE_LA_VALEUR, comptes["responsable"]),
        )
        | gestes_et_traces(comptes["administrateur"], [premiere])
        | un_de_chaque(demander_des_nouvelles(plan, comptes["responsable"])),
        attaches=attaches,
    )


def _raconter(action: Action, auteur: Utilisateur) -> None:
    """Un statut corrigé, une note, un point d'attention, une référence : de quoi remplir la page de l'action."""
    action.noter("Première réunion tenue.", auteur=auteur, le=SECOND_STATUT)
    action.changer_statut(Statut.EN_COURS, auteur=auteur, version=_version(action), date_effet=SECOND_STATUT)
    ChangementDeStatut.en_vigueur_pour(action).corriger(auteur=auteur, statut=Statut.EN_COURS, avancement=40)
    action.signaler(PointAttention.ARBITRAGE, "Le budget est à décider.", version=_version(action))
    ReferenceCadre.objects.create(action=action, cadre="PCAET", code="4.2")


def _version(action: Action) -> int:
    return Action.objects.values_list("version", flat=True).get(pk=action.pk)


def collecter(plan: Plan, valeur: ValeurAnnuelle, auteur: Utilisateur) -> tuple[Collecte, DemandeDeValeur]:
    """La collecte de l'année de cette valeur, et la demande qui la concerne."""
    collecte, _ = Collecte.objects.all().ouvrir(
        plan, valeur.annee, auteur=auteur, avant_le=datetime.date(2199, 12, 31), message="Merci."
    )
    return collecte, collecte.demandes.get(indicateur=valeur.indicateur)


def justifier(valeur: ValeurAnnuelle, auteur: Utilisateur, rang: int = 0) -> Justificatif:
    """Un fichier, déposé comme un agent le ferait."""
    fichier = ContentFile(f"Registre {rang}".encode(), name=f"registre{rang}.txt")
    return Justificatif.objects.all().deposer(valeur, auteur=auteur, fichier=fichier)


def _petit_indicateur(plan: Plan, service: Service) -> tuple[Indicateur, ValeurAnnuelle, IndicateurDuPlan, Cible]:
    """Une part validée du service de l'agent et son dénominateur partagé, un objectif."""
    consultations = fabriques.indicateur(plan, code="consultations", intitule="Consultations")
    fabriques.valeur(consultations, 2023, valeur=166)
    part = fabriques.indicateur(
        plan,
        code="part",
        intitule="Part avec clause",
        nature=Nature.PART,
        unite="%",
        denominateur=consultations,
        service=service,
        sens=Sens.HAUSSE,
        calculs=[CALCUL_D_UNE_PART],
    )
    valeur = fabriques.valeur(part, 2023, numerateur=42, etat=Etat.VALIDEE)
    cible = Cible.objects.create(indicateur=part, annee=2026, valeur=50, origine=OrigineDeCible.PLAN)
    return part, valeur, part.places.get(), cible


# --- Le plan garni ------------------------------------------------------------------------------


def plan_garni(nombre: int, *, indicateurs: int = 10, annees: int = 5, gestes: int = 3) -> Decor:
    """`nombre` actions remplies et en retard, écrites en masse (trois secondes au plus pour 1 200).

    Le reste grandit avec elles : services, axes, pilotes, partenaires et conventions, traces. `gestes` : combien de
    lignes de plus a la vie de la première action, et de fois les premières fiches ont été enregistrées. Les
    journaux et l'état affiché concordent, comme après autant de gestes.
    """
    collectivite = Collectivite.objects.create(nom="Collectivité d'essai")
    Siren.objects.create(collectivite=collectivite, numero=SIREN_DU_DECOR)
    services = Service.objects.bulk_create(Service(nom=f"Service {n:03}") for n in range(max(4, nombre // 40)))
    comptes = comptes_par_role(services[0])
    pilotes = Utilisateur.objects.bulk_create(
        Utilisateur(username=f"pilote{n}", prenom="Camille", nom=f"Martin {n:03}", service=services[n % len(services)])
        for n in range(max(5, nombre // 30))
    )
    plan = fabriques.plan(intitule="Plan garni", annee_debut=PREMIERE_ANNEE, annee_fin=2026, affiche_avancement=True)
    axes = Axe.objects.bulk_create(
        Axe(plan=plan, code=f"A{n}", intitule=f"Axe {n}", ordre=n) for n in range(max(3, nombre // 100))
    )
    partenaires = _partenaires_garnis(plan, max(6, nombre // 20))
    actions = _actions_garnies(plan, nombre, comptes["agent"], services, axes, [comptes["agent"], *pilotes])
    _attacher(actions, partenaires, comptes["responsable"])
    _allonger(actions[0], comptes["responsable"], gestes)
    suivi = attacher_un_suivi(actions[0], comptes["responsable"], gestes)
    mesures = _indicateurs_garnis(plan, indicateurs, annees, services, actions)
    # Un site de moins de trois années n'a pas celle-là.
    siennes = ValeurAnnuelle.objects.filter(indicateur=mesures[0])
    valeur = siennes.filter(annee=ANNEE_DE_LA_VALEUR).first() or siennes.first()
    pieces = [justifier(valeur, comptes["responsable"], n) for n in range(gestes)]
    premiere = actions[0]
    decor = Decor(
        plan=plan,
        comptes=comptes,
        actions={"sienne": premiere, "du_service": actions[len(services)], "d_autrui": actions[1]},
        objets=un_de_chaque(
            *(Collectivite.objects.get(), services[0], comptes["agent"], ecrire_un_bordereau()),
            *(plan, axes[0], partenaires[0], partenaires[0].conventions.first(), premiere),
            *(premiere.participations.first(), premiere.references.first(), premiere.notes.first()),
            *(premiere.changementdestatuts.first(), premiere.reportecheances.first()),
            premiere.presenceauplans.first(),
            *(premiere.decisions.first(), premiere.decisions.first().comite),
            *mesures,
            pieces[0],
            *collecter(plan, valeur, comptes["responsable"]),
            importer_des_mandats(comptes["responsable"], ANNEE_DE_LA_VALEUR, nombre),
            importer_des_decp(comptes["responsable"], nombre),
            *tenir_un_registre(services[0], comptes["responsable"], nombre),
            *publier_des_contrats(comptes["responsable"], SIREN_DU_DECOR, max(2, nombre // 6)),
            calculer_une_part(
                CALCUL_D_UNE_PART, range(PREMIERE_ANNEE, ANNEE_DE_LA_VALEUR + 1), SIREN_DU_DECOR, nombre
            ),
            *arreter_un_bilan(plan, ANNEE_DE_LA_VALEUR, comptes["responsable"], min(gestes, 6)),
        )
        | gestes_et_traces(comptes["administrateur"], actions[:200], fois=nombre)
        | un_de_chaque(demander_des_nouvelles(plan, comptes["responsable"])),
        attaches={premiere.pk: suivi},
    )
    _garder_l_histoire(comptes["responsable"])
    _enregistrer_encore(decor, gestes)
    return decor


def _partenaires_garnis(plan: Plan, combien: int) -> list[Partenaire]:
    types = TypeDePartenaire.values
    partenaires = Partenaire.objects.bulk_create(
        Partenaire(nom=f"Partenaire {n:03}", slug=f"partenaire-{n:03}", type=types[n % len(types)])
        for n in range(combien)
    )
    PartenaireDuPlan.objects.bulk_create(
        PartenaireDuPlan(plan=plan, partenaire=partenaire, ordre=n) for n, partenaire in enumerate(partenaires)
    )
    # Deux conventions par partenaire ; le premier en a autant qu'il y a de partenaires.
    conventions = [(partenaire, n) for partenaire in partenaires for n in range(2)]
    conventions += [(partenaires[0], n) for n in range(2, combien)]
    Convention.objects.bulk_create(
        Convention(partenaire=partenaire, intitule=f"Convention {n}", debut=ENTREE_AU_PLAN)
        for partenaire, n in conventions
    )
    return partenaires


def _statuts(rang: int) -> tuple[Statut, Statut]:
    """Le statut à l'entrée au plan, puis celui d'aujourd'hui : les trois, à tour de rôle."""
    dernier = list(Statut)[rang % 3]
    return Statut.EN_COURS if dernier is Statut.NON_INITIEE else Statut.NON_INITIEE, dernier


def _actions_garnies(
    plan: Plan,
    nombre: int,
    agent: Utilisateur,
    services: Sequence[Service],
    axes: Sequence[Axe],
    pilotes: Sequence[Utilisateur],
) -> list[Action]:
    """Les actions et leurs journaux. La première est celle de l'agent, qui n'en pilote pas d'autre."""
    actions = Action.objects.bulk_create(
        Action(
            plan=plan,
            numero=n + 1,
            intitule=f"Action {n + 1} : intégrer des clauses sociales et environnementales",
            description="Recenser les achats concernés, puis rédiger la clause avec le service.",
            axe=axes[n % len(axes)],
            service_pilote=services[(n + 1 if n == 0 else n) % len(services)],
            pilote=agent if n == 0 else pilotes[1 + n % (len(pilotes) - 1)],
            priorite=Priorite.values[n % 3],
            attention_nature="" if n % 5 else PointAttention.ARBITRAGE,
            attention="" if n % 5 else "Le budget est à décider.",
            budget_previsionnel=1000 + n,
            date_debut=ENTREE_AU_PLAN,
            statut=_statuts(n)[1],
            avancement=avancement_impose(_statuts(n)[1]),
            echeance=ECHEANCES[n % 3].fin,
            echeance_precision=ECHEANCES[n % 3].precision,
            presence=Mouvement.ENTREE,
        )
        for n in range(nombre)
    )
    signature = {"auteur": agent, "commentaire": "Repris du suivi de l'an passé.", "date_effet": ENTREE_AU_PLAN}
    PresenceAuPlan.objects.bulk_create(
        PresenceAuPlan(action=action, mouvement=Mouvement.ENTREE, **signature) for action in actions
    )
    for rang, jour in enumerate((ENTREE_AU_PLAN, SECOND_STATUT)):
        ChangementDeStatut.objects.bulk_create(
            ChangementDeStatut(
                action=action,
                statut=_statuts(n)[rang],
                avancement=avancement_impose(_statuts(n)[rang]),
                **(signature | {"date_effet": jour}),
            )
            for n, action in enumerate(actions)
        )
    ReportEcheance.objects.bulk_create(
        ReportEcheance(action=action, echeance=action.echeance, precision=action.echeance_precision, **signature)
        for action in actions
    )
    return actions


def _attacher(actions: Sequence[Action], partenaires: Sequence[Partenaire], auteur: Utilisateur) -> None:
    """Deux partenaires, une note et une référence par action."""
    PartenaireDeLAction.objects.bulk_create(
        PartenaireDeLAction(action=action, partenaire=partenaires[(n + m) % len(partenaires)], role=role)
        for n, action in enumerate(actions)
        for m, role in enumerate((RoleDePartenaire.PORTEUR, ""))
    )
    NoteDeSuivi.objects.bulk_create(
        NoteDeSuivi(
            action=action, date=SECOND_STATUT, texte="Réunion tenue.", auteur=auteur, portee=PorteeDeNote.BILAN
        )
        for action in actions
    )
    ReferenceCadre.objects.bulk_create(ReferenceCadre(action=action, cadre="PCAET", code="4.2") for action in actions)


def _allonger(action: Action, auteur: Utilisateur, gestes: int) -> None:
    """Une vie plus longue pour une action : des statuts, dont le dernier est corrigé, et des notes."""
    for n in range(gestes):
        jour = SECOND_STATUT + datetime.timedelta(days=n + 1)
        ChangementDeStatut.ecrire(action, statut=Statut.EN_COURS, avancement=n + 1, date_effet=jour, auteur=auteur)
        action.noter(f"Réunion {n} tenue.", auteur=auteur, le=jour)
    ChangementDeStatut.en_vigueur_pour(action).corriger(auteur=auteur, commentaire="Relu avec le service.")
    action.refresh_from_db()


def _indicateurs_garnis(
    plan: Plan, combien: int, annees: int, services: Sequence[Service], actions: Sequence[Action]
) -> list[Model]:
    """Des indicateurs et leurs valeurs. Rend la première part, sa valeur, sa place et son objectif.

    Le premier est un compte, dont la valeur sert de dénominateur à un sur trois ; les autres parts ont leur propre
    dénominateur, ou une valeur telle que publiée. Tous sont liés à la première action, et un à chaque autre.
    """
    consultations = fabriques.indicateur(
        plan, code="consultations", intitule="Consultations", service=services[0], chiffre_cle=True
    )
    parts = Indicateur.objects.bulk_create(
        Indicateur(
            code=f"part-{n:03}",
            intitule=f"Part {n:03} des consultations avec clause",
            nature=Nature.PART,
            unite="%",
            service=services[n % len(services)],
            denominateur=consultations if n % 3 == 0 else None,
            calculs=[CALCUL_D_UNE_PART],
        )
        for n in range(combien - 1)
    )
    IndicateurDuPlan.objects.bulk_create(
        IndicateurDuPlan(plan=plan, indicateur=part, ordre=1000 + n, chiffre_cle=n < CHIFFRES_CLES - 1)
        for n, part in enumerate(parts)
    )
    valeurs = []
    for annee in range(PREMIERE_ANNEE, PREMIERE_ANNEE + annees):
        communs = {"annee": annee, "connue_le": datetime.date(annee, 12, 31), "etat": Etat.VALIDEE}
        valeurs.append(ValeurAnnuelle(indicateur=consultations, valeur=annee - 1860, **communs))
        for n, part in enumerate(parts):
            chiffres = ({"numerateur": 42}, {"numerateur": 40, "denominateur": 120}, {"valeur": 25})[n % 3]
            valeurs.append(ValeurAnnuelle(indicateur=part, **chiffres, **communs))
    ValeurAnnuelle.objects.bulk_create(valeurs)
    tous = [consultations, *parts]
    Cible.objects.bulk_create(Cible(indicateur=indicateur, annee=2026, valeur=50) for indicateur in tous)
    lien = Indicateur.actions.through
    lien.objects.bulk_create(
        lien(indicateur=indicateur, action=action)
        for n, action in enumerate(actions)
        for indicateur in (tous if n == 0 else [tous[n % len(tous)]])
    )
    part = parts[0]
    return [part, part.valeurs.first(), part.places.get(), part.cibles.get()]


# Ce que le plan garni écrit en masse, et que le produit aurait gardé ligne à ligne.
_SANS_HISTOIRE = (
    *(Service, Axe, Partenaire, PartenaireDuPlan, Convention, Action, PartenaireDeLAction, NoteDeSuivi),
    *(ReferenceCadre, Indicateur, IndicateurDuPlan, ValeurAnnuelle, Cible),
)


def _garder_l_histoire(auteur: Utilisateur) -> None:
    """Sans elle, relu tel que saisi, le site serait vide."""
    for modele in _SANS_HISTOIRE:
        nues = modele.objects.exclude(pk__in=modele.history.values("id"))
        modele.history.bulk_history_create(list(nues), batch_size=500, default_user=auteur)


def _enregistrer_encore(decor: Decor, fois: int) -> None:
    """Remplit l'historique des premières fiches : `fois` enregistrements signés du responsable."""
    for objet in decor.objets.values():
        if not hasattr(objet, "history"):
            continue
        for _ in range(fois):
            objet._history_user = decor.comptes["responsable"]
            # La base, pas la méthode d'écriture : ici rien ne change que l'historique.
            objet.save()
