"""Les calendriers que chacun peut suivre dans son agenda : leurs jetons, et ce qu'ils contiennent.

Un calendrier est une adresse sans connexion : le jeton qu'elle porte en est le seul droit. Il obéit à ce que son
titulaire peut encore lire au moment de la demande, et ne montre que son sujet : « moi », ou « plan:12 ».
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from actions.etapes import Etape
from actions.journaux import ChangementDeStatut, ReportEcheance
from actions.models import Action, Plan
from actions.requetes import NON_TERMINEE, ActionQuerySet
from actions.statuts import Statut
from comptes.droits import Droit, peut
from comptes.gestes import Jeton, PorteeDeJeton
from comptes.models import Utilisateur
from socle.echeances import Echeance, Precision

if TYPE_CHECKING:
    from icalendar import Event

    from comptes.models import Utilisateur

MOI = "moi"
PLAN = "plan:"
# Ce que l'agenda attend avant de redemander.
RELECTURE = timedelta(hours=6)
SANS_TRACE = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Calendrier:
    """Ce qu'un jeton ouvre. `plan` None : ce qui relève du titulaire, dans tous les plans."""

    jeton: Jeton
    plan: Plan | None

    @property
    def nom(self) -> str:
        return f"Échéances : {self.plan}" if self.plan else f"Mes échéances ({self.jeton.utilisateur})"

    @property
    def actions(self) -> ActionQuerySet:
        """Au plan et pas terminées, aujourd'hui."""
        actions = Action.objects.etat_au().au_plan().filter(NON_TERMINEE)
        return actions.filter(plan=self.plan) if self.plan else actions.qui_relevent_de(self.jeton.utilisateur)


# --- Jetons -------------------------------------------------------------------------------------


def secret_de(utilisateur: Utilisateur, alea: str) -> str:
    """Le secret de l'adresse, tiré de la clé du site et d'un aléa de la page : le même envoi reçu deux fois donne le
    même calendrier, sans que le secret soit gardé nulle part."""
    return salted_hmac("actions.calendriers", f"{utilisateur.pk}:{alea}", algorithm="sha256").hexdigest()


def ouvrir(utilisateur: Utilisateur, *, sujet: str, nom: str, alea: str) -> Jeton:
    """Le jeton d'un nouveau calendrier, ou celui que ce même envoi a déjà créé, révoqué ou non."""
    secret = secret_de(utilisateur, alea)
    with transaction.atomic():
        Utilisateur.objects.select_for_update(of=("self",)).get(pk=utilisateur.pk)
        deja = Jeton.objects.filter(empreinte=Jeton.empreinte_de(secret)).first()
        if deja:
            return deja
        return Jeton.objects.emettre(utilisateur, nom, [PorteeDeJeton.CALENDRIER], sujet=sujet, secret=secret)[0]


def jetons_de(utilisateur: Utilisateur):
    """Ses calendriers qui s'ouvrent encore, le dernier créé d'abord."""
    jetons = Jeton.objects.filter(utilisateur=utilisateur).valables(timezone.now())
    return [jeton for jeton in jetons if PorteeDeJeton.CALENDRIER in jeton.portees]


def calendrier_du_secret(secret: str) -> Calendrier | None:
    """None si rien ne s'ouvre, quelle qu'en soit la raison : inconnu, révoqué, expiré, autre portée, droit perdu."""
    maintenant = timezone.now()
    jetons = Jeton.objects.valables(maintenant).select_related("utilisateur")
    jeton = jetons.filter(empreinte=Jeton.empreinte_de(secret)).first()
    if jeton is None or not jeton.permet(PorteeDeJeton.CALENDRIER, maintenant):
        return None
    if not peut(jeton.utilisateur, Droit.CONSULTER):
        return None
    if jeton.sujet == MOI:
        return Calendrier(jeton, None)
    numero = jeton.sujet.removeprefix(PLAN) if jeton.sujet.startswith(PLAN) else ""
    plan = Plan.objects.filter(pk=int(numero)).first() if numero.isascii() and numero.isdigit() else None
    return Calendrier(jeton, plan) if plan else None


# --- Contenu ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Evenement:
    """Une échéance telle que l'agenda la lit : un jour entier, le dernier de sa période, qui ne rend personne occupé.

    `version` avance à chaque changement, `ecrit` en est le moment.
    """

    uid: str
    jour: date
    titre: str
    description: str
    adresse: str
    version: int
    ecrit: datetime


def evenements(calendrier: Calendrier) -> list[Evenement]:
    """Les échéances d'actions puis celles des étapes à faire, en deux requêtes."""
    return [*_des_actions(calendrier), *_des_etapes(calendrier)]


def etiquette(calendrier: Calendrier, lus: Sequence[Evenement]) -> str:
    """L'ETag : un agenda qui a déjà ce contenu ne le reçoit pas de nouveau, et on ne l'écrit pas pour rien."""
    return f'"{hashlib.sha256(repr((calendrier.nom, lus)).encode()).hexdigest()[:32]}"'


def en_ical(calendrier: Calendrier, lus: Iterable[Evenement]) -> bytes:
    """Le calendrier, au format de la RFC 5545."""
    from icalendar import Calendar

    ical = Calendar()
    ical.add("prodid", "-//Commande publique responsable//Calendrier des échéances//FR")
    ical.add("version", "2.0")
    ical.add("calscale", "GREGORIAN")
    ical.add("method", "PUBLISH")
    ical.add("x-wr-calname", calendrier.nom)
    ical.add("x-wr-timezone", settings.TIME_ZONE)
    ical.add("refresh-interval", RELECTURE, parameters={"VALUE": "DURATION"})
    ical.add("x-published-ttl", "PT6H")
    for evenement in lus:
        ical.add_component(_en_ical(evenement))
    return ical.to_ical()


def _en_ical(evenement: Evenement) -> "Event":
    from icalendar import Event

    ical = Event()
    ical.add("uid", evenement.uid)
    ical.add("dtstamp", evenement.ecrit)
    ical.add("last-modified", evenement.ecrit)
    ical.add("sequence", evenement.version)
    ical.add("dtstart", evenement.jour)
    ical.add("dtend", evenement.jour + timedelta(days=1))
    ical.add("summary", evenement.titre)
    ical.add("description", evenement.description)
    ical.add("url", evenement.adresse)
    ical.add("transp", "TRANSPARENT")
    return ical


def _des_actions(calendrier: Calendrier) -> Iterator[Evenement]:
    datees = calendrier.actions.filter(etat_echeance__isnull=False).annotate(
        ecrit_report=_dernier(ReportEcheance.objects.all(), "action", "saisi_le"),
        ecrit_statut=_dernier(ChangementDeStatut.objects.all(), "action", "saisi_le"),
        ecrit_fiche=_dernier(Action.history.all(), "id", "history_date"),
    )
    for action in cast(
        "Iterable[Any]", datees.select_related("plan", "pilote").order_by("etat_echeance", "plan", "numero")
    ):
        ecrits = (action.ecrit_report, action.ecrit_statut, action.ecrit_fiche)
        titre = f"N° {action.numero} : {action.intitule}"
        yield _evenement(f"action-{action.pk}", titre, action, action.valeur_echeance, action.version, ecrits)


def _des_etapes(calendrier: Calendrier) -> Iterator[Evenement]:
    ouvertes = calendrier.actions.order_by().values("pk")
    etapes = Etape.objects.all().a_faire().filter(echeance__isnull=False, action__in=ouvertes).par_echeance()
    datees = etapes.annotate(ecrit=_dernier(Etape.history.all(), "id", "history_date"))
    for etape in cast("Iterable[Any]", datees.select_related("action__plan", "action__pilote")):
        titre = f"Étape : {etape.intitule} (n° {etape.action.numero})"
        yield _evenement(
            f"etape-{etape.pk}", titre, etape.action, etape.valeur_echeance, etape.version, (etape.ecrit,)
        )


def _dernier(lignes: QuerySet[Any], sujet: str, moment: str) -> Subquery:
    """Le dernier moment d'écriture parmi ces lignes, pour chaque objet lu."""
    des_siennes = lignes.filter(**{sujet: OuterRef("pk")}).order_by().values(sujet)
    return Subquery(des_siennes.annotate(dernier=Max(moment)).values("dernier"))


def _evenement(
    nom: str,
    titre: str,
    action: Action,
    echeance: Echeance,
    version: int,
    ecrits: Iterable[datetime | None],
) -> Evenement:
    """Un trimestre ou une année se dit dans le titre : l'agenda ne sait montrer que son dernier jour."""
    periode = "" if echeance.precision == Precision.JOUR else f" ({echeance})"
    adresse = f"{settings.ADRESSE_DU_SITE}{action.get_absolute_url()}"
    description = [
        f"N° {action.numero} : {action.intitule}",
        f"Statut : {Statut(action.statut).label if action.statut else 'inconnu'}",
        f"Échéance : {echeance}",
        f"Pilote : {action.pilote}" if action.pilote else "Sans pilote",
        f"Plan : {action.plan}",
        adresse,
    ]
    return Evenement(
        uid=f"{nom}@{urlsplit(settings.ADRESSE_DU_SITE).hostname}",
        jour=echeance.fin,
        titre=f"{titre}{periode}",
        description="\n".join(description),
        adresse=adresse,
        version=version,
        # Sans aucune trace d'écriture : une date fixe, pour que le contenu ne change pas à chaque lecture.
        ecrit=max(filter(None, ecrits), default=SANS_TRACE),
    )


def adresse_du_calendrier(secret: str) -> str:
    return f"{settings.ADRESSE_DU_SITE}{reverse('actions:calendrier', args=[secret])}"
