"""Les rappels : à chacun ce qui l'attend, une fois par mois et avant un comité, et rien quand rien ne presse."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone

from actions.models import Action, Comite, DemandeDActualisation
from actions.reponses import Attente
from actions.requetes import Urgence, etapes_pressantes
from comptes.courriels import RAPPEL, RENVOI, Courriel, Lettre, Preparation
from comptes.droits import Droit, roles_qui_peuvent
from comptes.models import Utilisateur
from indicateurs.lignes_de_collecte import Attente as AttenteDeValeurs
from indicateurs.lignes_de_collecte import dues_par_service
from socle.formats import accorder, formater_date

GABARIT = "courriels/rappel"
# Les raisons d'écrire qu'une clé porte : « rappel-7-2026-03+comite-12 ».
COMITE = "comite-"
ET = "+"
# Aussi loin qu'il faut relire pour savoir ce qui est déjà parti ce mois-ci.
UN_MOIS = timedelta(days=31)
RANGS = (Urgence.RETARD, Urgence.PROCHE, Urgence.SILENCE)


@dataclass
class Rappel:
    """Ce qu'on rappelle à quelqu'un. `raisons` : le mois, les comités ; `comites` : ceux de ses plans, à venir."""

    personne: Utilisateur
    actions: list[Action] = field(default_factory=list)
    attentes: list[Attente] = field(default_factory=list)
    valeurs: list[AttenteDeValeurs] = field(default_factory=list)
    comites: list[Comite] = field(default_factory=list)
    raisons: list[str] = field(default_factory=list)

    @property
    def groupes(self) -> Iterator[tuple[Urgence, list[Action]]]:
        """Ses actions, la plus pressante d'abord."""
        for urgence in RANGS:
            rangees = [action for action in self.actions if action.urgence == urgence]
            if rangees:
                yield urgence, rangees

    @property
    def plans(self) -> set[int]:
        """Les plans où quelque chose est attendu."""
        demandes = [attente.campagne for attente in self.attentes] + [attente.collecte for attente in self.valeurs]
        return {action.plan_id for action in self.actions} | {demande.plan_id for demande in demandes}

    @property
    def plusieurs_plans(self) -> bool:
        return len(self.plans) > 1

    @property
    def cle(self) -> str:
        return f"{RAPPEL}{self.personne.pk}-{ET.join(self.raisons)}"

    @property
    def phrase(self) -> str:
        """« 2 en retard, 1 sans nouvelle depuis 6 mois, 3 demandées » : ce que la commande en montre."""
        morceaux = [f"{len(actions)} {urgence.label.lower()}" for urgence, actions in self.groupes]
        demandees = sum(attente.nombre for attente in self.attentes)
        if demandees:
            morceaux.append(accorder(demandees, "demandée", "demandées"))
        if valeurs := sum(attente.nombre for attente in self.valeurs):
            morceaux.append(accorder(valeurs, "valeur à donner", "valeurs à donner"))
        return ", ".join(morceaux)

    @property
    def pourquoi(self) -> str:
        """« comité du 12/03/2026 », ou « le mois »."""
        return ", ".join(f"comité du {formater_date(comite.date)}" for comite in self.comites) or "le mois"


@dataclass(frozen=True)
class Tournee:
    """Ce qu'un passage aurait à écrire. `sans_adresse`, `sans_rappel` : à qui rien ne peut, ou ne doit, être écrit ;
    `deja` : combien l'ont déjà reçu."""

    rappels: list[Rappel]
    deja: int
    sans_adresse: list[Utilisateur]
    sans_rappel: list[Utilisateur]

    @transaction.atomic
    def ecrire(self) -> Preparation:
        """Prépare un courriel par personne ; à l'appelant de les envoyer."""
        return Courriel.objects.preparer_tous(
            Lettre(rappel.personne, rappel.cle, GABARIT, {"rappel": rappel}) for rappel in self.rappels
        )


def tournee(le: date | None = None) -> Tournee:
    """Qui doit recevoir un rappel ce jour-là, en un nombre constant de requêtes.

    Un par mois, dès que quelque chose est attendu ; un par comité, quand il se tient dans JOURS_AVANT_COMITE jours ou
    moins. Un jour manqué se rattrape le lendemain.
    """
    jour = le or timezone.localdate()
    rappels = _ce_qui_attend(jour)
    comites = _comites_proches(jour)
    deja_dites = _raisons_deja_dites(jour)
    a_ecrire, deja, sans_adresse, sans_rappel = [], 0, [], []
    for rappel in sorted(rappels, key=lambda rappel: (rappel.personne.nom.casefold(), rappel.personne.pk)):
        dites = deja_dites.get(rappel.personne.pk, set())
        rappel.comites = [c for c in comites if c.plan_id in rappel.plans and f"{COMITE}{c.pk}" not in dites]
        # Tout rappel du mois en tient lieu : la veille d'un comité, on n'en reçoit pas deux.
        mois = [] if f"{jour:%Y-%m}" in dites else [f"{jour:%Y-%m}"]
        rappel.raisons = mois + [f"{COMITE}{comite.pk}" for comite in rappel.comites]
        if not rappel.personne.rappels:
            sans_rappel.append(rappel.personne)
        elif not rappel.raisons:
            deja += 1
        elif not rappel.personne.joignable:
            sans_adresse.append(rappel.personne)
        else:
            a_ecrire.append(rappel)
    return Tournee(a_ecrire, deja, sans_adresse, sans_rappel)


def _ce_qui_attend(jour: date) -> Iterable[Rappel]:
    """Par personne qui peut agir, ce qu'elle pilote ou supplée et qui presse, et ce qu'une campagne lui demande."""
    peuvent = Utilisateur.objects.filter(is_active=True, groups__name__in=roles_qui_peuvent(Droit.METTRE_A_JOUR))
    personnes = {personne.pk: personne for personne in peuvent.distinct()}
    rappels: dict[int, Rappel] = {}

    def a(*tenants: int | None) -> Iterator[Rappel]:
        for pk in tenants:
            if pk is not None and pk in personnes:
                yield rappels.setdefault(pk, Rappel(personnes[pk]))

    for action in _actions_pressantes(jour):
        for rappel in a(action.pilote_id, action.suppleant_id):
            rappel.actions.append(action)
    demandes = DemandeDActualisation.objects.en_cours().avec_reponse().sans_reponse()
    par_campagne: dict[tuple[int, int], Attente] = {}
    for demande in demandes.select_related("campagne", "action").order_by("campagne__avant_le", "campagne"):
        for rappel in a(demande.action.pilote_id, demande.action.suppleant_id):
            cle = rappel.personne.pk, demande.campagne_id
            nombre = par_campagne[cle].nombre if cle in par_campagne else 0
            par_campagne[cle] = Attente(demande.campagne, nombre + 1)
    for (personne, _), attente in par_campagne.items():
        rappels[personne].attentes.append(attente)
    _ajouter_les_valeurs(personnes.values(), rappels)
    return rappels.values()


def _ajouter_les_valeurs(personnes: Iterable[Utilisateur], rappels: dict[int, Rappel]) -> None:
    """À chaque membre d'un service, les valeurs que ce service doit encore aux collectes ouvertes."""
    dues = dues_par_service()
    for personne in personnes:
        for attente in dues.get(personne.service_id, ()):
            rappels.setdefault(personne.pk, Rappel(personne)).valeurs.append(attente)


def _actions_pressantes(jour: date) -> Iterable[Action]:
    actions = Action.objects.etat_au().au_plan().non_terminees().avec_urgence(jour).pressantes().par_urgence()
    etapes = etapes_pressantes(jour).avec_retard(jour).order_by("echeance", "ordre", "pk")
    return actions.select_related("plan").prefetch_related(
        Prefetch("etapes", queryset=etapes, to_attr="etapes_pressantes")
    )


def _comites_proches(jour: date) -> list[Comite]:
    limite = jour + timedelta(days=settings.JOURS_AVANT_COMITE)
    return list(Comite.objects.filter(date__gte=jour, date__lte=limite).order_by("date", "pk"))


def _raisons_deja_dites(jour: date) -> dict[int, set[str]]:
    """Par personne, les raisons des rappels déjà écrits, et les mois où ils l'ont été."""
    depuis = jour - max(UN_MOIS, timedelta(days=settings.JOURS_AVANT_COMITE + 1))
    recents = Courriel.objects.filter(cle__startswith=RAPPEL, prepare_le__date__gte=depuis)
    dites: dict[int, set[str]] = {}
    for cle, destinataire, prepare_le in recents.values_list("cle", "destinataire", "prepare_le"):
        raisons = cle.partition(RENVOI)[0].removeprefix(f"{RAPPEL}{destinataire}-").split(ET)
        dites.setdefault(destinataire, set()).update(raisons, [f"{timezone.localtime(prepare_le):%Y-%m}"])
    return dites
