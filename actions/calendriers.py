"""Les calendriers que chacun peut suivre dans son agenda : leurs jetons, et ce qu'ils contiennent.

Un calendrier est une adresse sans connexion : le jeton qu'elle porte en est le seul droit. Il obéit à ce que son
titulaire peut encore lire au moment de la demande, et ne montre que son sujet : « moi », ou « plan:12 ».
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Max, OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from actions.etapes import Etape
from actions.journaux import ChangementDeStatut, ReportEcheance
from actions.models import Action, Plan
from actions.requetes import NON_TERMINEE, ActionQuerySet
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


def en_ical(calendrier: Calendrier) -> bytes:
    """Le calendrier, au format de la RFC 5545, en trois requêtes. Le même contenu donne les mêmes octets."""
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
    for evenement in _evenements(calendrier):
        ical.add_component(evenement)
    return ical.to_ical()


def etiquette(contenu: bytes) -> str:
    """L'ETag : un agenda qui a déjà ces octets ne les reçoit pas de nouveau."""
    return f'"{hashlib.sha256(contenu).hexdigest()[:32]}"'


def _evenements(calendrier: Calendrier) -> "Iterator[Event]":
    ecrites = {
        f"ecrit_{nom}": Subquery(
            lignes.filter(**{sujet: OuterRef("pk")}).order_by().values(sujet).annotate(m=Max(champ)).values("m")
        )
        for nom, lignes, sujet, champ in (
            ("report", ReportEcheance.objects.all(), "action", "saisi_le"),
            ("statut", ChangementDeStatut.objects.all(), "action", "saisi_le"),
            ("fiche", Action.history.all(), "id", "history_date"),
        )
    }
    datees = calendrier.actions.filter(etat_echeance__isnull=False).annotate(**ecrites)
    for action in datees.select_related("plan", "pilote").order_by("etat_echeance", "plan", "numero"):
        yield _de_l_action(action)
    ouvertes = calendrier.actions.order_by().values("pk")
    etapes = Etape.objects.all().a_faire().filter(echeance__isnull=False, action__in=ouvertes)
    derniere = Etape.history.filter(id=OuterRef("pk")).order_by().values("id").annotate(m=Max("history_date"))
    for etape in (
        etapes.annotate(ecrit=Subquery(derniere.values("m")))
        .par_echeance()
        .select_related("action__plan", "action__pilote")
    ):
        yield _de_l_etape(etape)


def _de_l_action(action: Any) -> "Event":
    ecrit = max(filter(None, (action.ecrit_report, action.ecrit_statut, action.ecrit_fiche)))
    return _evenement(
        uid=f"action-{action.pk}",
        titre=f"{_titre(action)}",
        action=action,
        echeance=action.valeur_echeance,
        version=action.version,
        ecrit=ecrit,
    )


def _de_l_etape(etape: Any) -> "Event":
    return _evenement(
        uid=f"etape-{etape.pk}",
        titre=f"Étape : {etape.intitule} (n° {etape.action.numero})",
        action=etape.action,
        echeance=etape.valeur_echeance,
        version=etape.version,
        ecrit=etape.ecrit,
    )


def _titre(action: Action) -> str:
    return f"N° {action.numero} : {action.intitule}"


def _evenement(
    *, uid: str, titre: str, action: Action, echeance: Echeance, version: int, ecrit: datetime | None
) -> "Event":
    """Un jour entier, le dernier de la période, qui ne rend personne occupé."""
    from icalendar import Event

    periode = "" if echeance.precision == Precision.JOUR else f" ({echeance})"
    moment = ecrit or timezone.now()
    evenement = Event()
    evenement.add("uid", f"{uid}@{urlsplit(settings.ADRESSE_DU_SITE).hostname}")
    evenement.add("dtstamp", moment)
    evenement.add("last-modified", moment)
    evenement.add("sequence", version)
    evenement.add("dtstart", echeance.fin)
    evenement.add("dtend", echeance.fin + timedelta(days=1))
    evenement.add("summary", f"{titre}{periode}")
    evenement.add("description", _description(action, echeance))
    evenement.add("url", f"{settings.ADRESSE_DU_SITE}{action.get_absolute_url()}")
    evenement.add("transp", "TRANSPARENT")
    return evenement


def _description(action: Action, echeance: Echeance) -> str:
    lignes = [
        _titre(action),
        f"Statut : {action.get_statut_display() if action.statut else 'inconnu'}",
        f"Échéance : {echeance}",
        f"Pilote : {action.pilote}" if action.pilote else "Sans pilote",
        f"Plan : {action.plan}",
        f"{settings.ADRESSE_DU_SITE}{action.get_absolute_url()}",
    ]
    return "\n".join(lignes)


def adresse_du_calendrier(secret: str) -> str:
    return f"{settings.ADRESSE_DU_SITE}{reverse('actions:calendrier', args=[secret])}"
