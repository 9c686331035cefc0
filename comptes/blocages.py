"""Les connexions bloquées : le décompte des essais ratés, ce qui bloque, et comment débloquer.

django-axes tient le décompte en base. Dix échecs d'un compte depuis une adresse bloquent ce compte depuis cette
adresse, un quart d'heure. Un essai réparti (un compte depuis mille adresses, mille comptes depuis une adresse) reste
sous cette limite : `Decompte` en ajoute deux, plus hautes, dont est exempte toute adresse d'où le compte s'est déjà
connecté. Un tiers ne peut donc pas fermer le site à qui se connecte de son bureau.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username, get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, Q, QuerySet, Sum
from django.utils import timezone

from comptes.gestes import Geste, Trace
from comptes.traces import tracer

if TYPE_CHECKING:
    from comptes.models import Utilisateur

# Loin au-dessus de ce qu'un service entier, derrière une seule adresse, se trompe en un quart d'heure.
ECHECS_PAR_COMPTE = 50
ECHECS_PAR_ADRESSE = 100
# Au-delà, une adresse n'est plus tenue pour celle de quelqu'un : elle a pu changer de mains.
MEMOIRE_DES_ADRESSES = timedelta(days=90)


@dataclass(frozen=True)
class Blocage:
    """Ce qui est bloqué. `identifiant` vide : tous les comptes ; `adresse` vide : toutes les adresses inconnues.
    `depuis`, `jusqu_a` : le dernier échec compté, et le moment où il ne compte plus."""

    identifiant: str
    adresse: str
    echecs: int
    depuis: datetime

    @property
    def jusqu_a(self) -> datetime:
        return self.depuis + duree()

    @property
    def objet(self) -> str:
        """Comme la trace le nomme."""
        return f"Compte {self.identifiant}" if self.identifiant else f"Adresse {self.adresse}"


class Decompte(AxesDatabaseHandler):
    """Le décompte d'axes, deux limites contre les essais répartis, et la trace de chaque blocage."""

    def is_locked(self, request, credentials=None) -> bool:
        return super().is_locked(request, credentials) or self._essai_reparti(request, credentials)

    def user_login_failed(self, sender, credentials, request=None, **kwargs) -> None:
        """Compte l'échec, et trace le blocage quand c'est lui qui l'a causé."""
        refuse = request is None or request.axes_locked_out
        super().user_login_failed(sender, credentials, request=request, **kwargs)
        if refuse:
            return
        identifiant, adresse = get_client_username(request, credentials) or "", request.axes_ip_address or ""
        if request.axes_locked_out:
            _tracer_le_blocage(identifiant, adresse, settings.AXES_FAILURE_LIMIT)
        par_compte, par_adresse = self._echecs(request, identifiant)
        if par_compte == ECHECS_PAR_COMPTE:
            _tracer_le_blocage(identifiant, "", par_compte)
        if par_adresse == ECHECS_PAR_ADRESSE:
            _tracer_le_blocage("", adresse, par_adresse)
        request.axes_locked_out = request.axes_locked_out or self._essai_reparti(request, credentials)

    def _essai_reparti(self, request, credentials) -> bool:
        identifiant = get_client_username(request, credentials) or ""
        par_compte, par_adresse = self._echecs(request, identifiant)
        if par_compte < ECHECS_PAR_COMPTE and par_adresse < ECHECS_PAR_ADRESSE:
            return False
        return not _deja_venu(identifiant, request.axes_ip_address)

    def _echecs(self, request, identifiant: str) -> tuple[int, int]:
        """Les échecs du dernier quart d'heure : de ce compte, de cette adresse."""
        totaux = AccessAttempt.objects.filter(attempt_time__gte=get_cool_off_threshold(request)).aggregate(
            compte=Sum("failures_since_start", filter=Q(username=identifiant)),
            adresse=Sum("failures_since_start", filter=Q(ip_address=request.axes_ip_address)),
        )
        return totaux["compte"] or 0, totaux["adresse"] or 0


def duree() -> timedelta:
    return get_cool_off() or timedelta()


def _deja_venu(identifiant: str, adresse: str | None) -> bool:
    """Ce compte s'est connecté de cette adresse il y a peu."""
    return Trace.objects.filter(
        geste=Geste.CONNEXION,
        utilisateur__username=identifiant,
        adresse=adresse,
        le__gte=timezone.now() - MEMOIRE_DES_ADRESSES,
    ).exists()


def _tracer_le_blocage(identifiant: str, adresse: str, echecs: int) -> None:
    tracer(
        Geste.BLOCAGE,
        objet=f"Compte {identifiant}" if identifiant else f"Adresse {adresse}",
        identifiant=identifiant,
        details={"adresse": adresse or "toute adresse inconnue du compte", "échecs": echecs},
    )


# --- Voir et débloquer --------------------------------------------------------------------------


def en_cours() -> list[Blocage]:
    """Ce qui est bloqué maintenant, le plus récent d'abord, en trois requêtes."""
    recents = AccessAttempt.objects.filter(attempt_time__gt=timezone.now() - duree()).order_by()
    trouves = [
        *_au_dela(recents, ("username", "ip_address"), settings.AXES_FAILURE_LIMIT),
        *_au_dela(recents, ("username",), ECHECS_PAR_COMPTE),
        *_au_dela(recents, ("ip_address",), ECHECS_PAR_ADRESSE),
    ]
    return sorted(trouves, key=lambda blocage: blocage.depuis, reverse=True)


def _au_dela(recents: QuerySet, par: tuple[str, ...], limite: int) -> list[Blocage]:
    groupes = recents.values(*par).annotate(echecs=Sum("failures_since_start"), dernier=Max("attempt_time"))
    return [
        Blocage(groupe.get("username") or "", groupe.get("ip_address") or "", groupe["echecs"], groupe["dernier"])
        for groupe in groupes.filter(echecs__gte=limite)
    ]


def debloquer(par: "Utilisateur", identifiant: str, adresse: str) -> bool:
    """Oublie les échecs de ce blocage et le trace ; faux s'il n'en restait aucun.

    `identifiant`, `adresse` : ceux du blocage, vides s'il n'en dit rien.
    """
    choisi = [b for b in en_cours() if (b.identifiant, b.adresse) == (identifiant, adresse)]
    if not choisi:
        return False
    essais = AccessAttempt.objects.all()
    if identifiant:
        essais = essais.filter(username=identifiant)
    if adresse:
        essais = essais.filter(ip_address=adresse)
    essais.delete()
    tracer(Geste.DEBLOCAGE, par, choisi[0].objet, details={"adresse": adresse or "toutes", "échecs": choisi[0].echecs})
    return True


def debloquer_le_compte(compte: "Utilisateur") -> None:
    """Qui vient de choisir un nouveau mot de passe, par un lien reçu dans sa boîte, n'a plus à attendre."""
    bloque = any(blocage.identifiant == compte.username for blocage in en_cours())
    AccessAttempt.objects.filter(username=compte.username).delete()
    if bloque:
        tracer(Geste.DEBLOCAGE, compte, f"Compte {compte.username}", details={"par": "un nouveau mot de passe"})


def oublier_les_essais(avant: datetime) -> int:
    """Efface les essais ratés plus vieux que `avant` ; rend leur nombre. Axes ne le fait qu'à l'essai suivant."""
    return AccessAttempt.objects.filter(attempt_time__lt=avant).delete()[0]
