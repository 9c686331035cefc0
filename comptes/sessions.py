"""Les sessions : quand l'une expire, lesquelles sont ouvertes, comment on les ferme.

La table des sessions ne dit pas à qui elles sont ; `allauth.usersessions` ajoute une ligne à chaque connexion.
"""

import ipaddress
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from comptes.gestes import Geste
from comptes.models import Utilisateur
from comptes.traces import tracer
from socle.formats import accorder

OUVERTE, VUE = "ouverte_le", "vue_le"
# Noter qu'une session sert coûte une écriture : vingt fois par durée d'inactivité, jamais une par page.
FINESSE = 20


def ouvrir(request: HttpRequest) -> None:
    """À la connexion : les deux horloges de la session partent."""
    request.session[OUVERTE] = request.session[VUE] = int(time.time())


def veiller(request: HttpRequest) -> None:
    """Ferme la session restée trop longtemps sans page, ou ouverte depuis trop longtemps ; sinon note qu'elle sert.

    Après quoi `request.user` est anonyme si elle est fermée.
    """
    session, maintenant = request.session, int(time.time())
    vue, ouverte = session.get(VUE, maintenant), session.get(OUVERTE, maintenant)
    if _est_passee(vue, ouverte, maintenant):
        tracer(Geste.SESSIONS, request.user, "Session expirée")
        session.flush()
        request.user = AnonymousUser()
    # Une horloge reculée donnerait une session sans fin : elle repart de maintenant.
    elif VUE not in session or not 0 <= FINESSE * (maintenant - vue) < 60 * settings.MINUTES_D_INACTIVITE:
        session[VUE], session[OUVERTE] = maintenant, min(ouverte, maintenant)


def _est_passee(vue: int, ouverte: int, maintenant: int) -> bool:
    inactive = maintenant - vue > 60 * settings.MINUTES_D_INACTIVITE
    # Chaque écriture repousse l'expiration que Django tient : la durée totale se compte depuis l'ouverture.
    return inactive or maintenant - ouverte > settings.SESSION_COOKIE_AGE


# --- Les voir -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SessionOuverte:
    """`appareil` : « Firefox, Windows » ; `adresse` : vide si le site ne l'a pas vue."""

    cle: str
    appareil: str
    adresse: str
    ouverte_le: datetime
    vue_le: datetime
    courante: bool


def sessions_de(compte: Utilisateur, courante: str) -> list[SessionOuverte]:
    """Les sessions qui ouvrent encore le site, la plus récente d'abord, en deux requêtes quel que soit leur nombre ;
    les lignes des autres sont effacées."""
    lignes = list(UserSession.objects.filter(user=compte).order_by("-created_at", "-pk"))
    stockees = Session.objects.filter(
        session_key__in=[ligne.session_key for ligne in lignes], expire_date__gt=timezone.now()
    )
    contenus = {session.session_key: session.get_decoded() for session in stockees}
    vivantes = {cle: contenu for cle, contenu in contenus.items() if _ouvre_encore(contenu, compte)}
    mortes = [ligne.pk for ligne in lignes if ligne.session_key not in vivantes]
    if mortes:
        UserSession.objects.filter(pk__in=mortes).delete()
    return [
        SessionOuverte(
            cle=ligne.session_key,
            appareil=appareil(ligne.user_agent),
            adresse="" if ligne.ip == ADRESSE_INCONNUE else ligne.ip,
            ouverte_le=ligne.created_at,
            vue_le=_vue_le(vivantes[ligne.session_key], ligne),
            courante=ligne.session_key == courante,
        )
        for ligne in lignes
        if ligne.session_key in vivantes
    ]


def _ouvre_encore(contenu: dict, compte: Utilisateur) -> bool:
    """Un mot de passe changé, une durée passée ferment une session sans l'effacer."""
    maintenant = int(time.time())
    if _est_passee(contenu.get(VUE, maintenant), contenu.get(OUVERTE, maintenant), maintenant):
        return False
    empreintes = [compte.get_session_auth_hash(), *compte.get_session_auth_fallback_hash()]
    gardee = contenu.get(HASH_SESSION_KEY, "")
    return contenu.get(SESSION_KEY) == str(compte.pk) and any(constant_time_compare(gardee, e) for e in empreintes)


def _vue_le(contenu: dict, ligne: UserSession) -> datetime:
    return datetime.fromtimestamp(contenu[VUE], UTC) if VUE in contenu else ligne.last_seen_at


NAVIGATEURS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMES = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def appareil(agent: str) -> str:
    """« Firefox, Windows », d'après ce que le navigateur dit de lui-même."""
    trouves = [next((nom for repere, nom in table if repere in agent), "") for table in (NAVIGATEURS, SYSTEMES)]
    return ", ".join(nom for nom in trouves if nom) or "Appareil inconnu"


ADRESSE_INCONNUE = "0.0.0.0"  # noqa: S104 - une valeur gardée en base, pas une adresse où l'on écoute


def adresse_a_garder(texte: str) -> str:
    """Telle que la colonne l'accepte : ADRESSE_INCONNUE quand le serveur frontal ne dit rien."""
    try:
        return str(ipaddress.ip_address(texte))
    except ValueError:
        return ADRESSE_INCONNUE


class MesSessions(ListUserSessionsView):
    """La page « Mes sessions » et son bouton."""

    def get_context_data(self, **kwargs) -> dict:
        # Sans la lecture d'allauth, qui fait deux requêtes par session.
        sessions = sessions_de(self.request.user, self.request.session.session_key)
        return {"sessions": sessions, "minutes": settings.MINUTES_D_INACTIVITE, "view": self, **kwargs}

    def form_valid(self, form) -> HttpResponse:
        compte, cle = self.request.user, self.request.session.session_key
        nombre = fermer(compte, compte, sauf=cle)
        messages.success(self.request, f"{accorder(nombre, 'session fermée', 'sessions fermées')}.")
        return super(ListUserSessionsView, self).form_valid(form)


# --- Les fermer ---------------------------------------------------------------------------------


def fermer(compte: Utilisateur, par: Utilisateur, *, sauf: str | None = None) -> int:
    """Ferme toutes les sessions d'un compte, sauf celle dont la clé est donnée, et rend leur nombre.

    Lit toute la table : une session ouverte avant que `UserSession` la note serait oubliée sinon.
    """
    ouvertes = Session.objects.filter(expire_date__gt=timezone.now()).exclude(session_key=sauf)
    cles = [s.session_key for s in ouvertes.iterator() if s.get_decoded().get(SESSION_KEY) == str(compte.pk)]
    Session.objects.filter(session_key__in=cles).delete()
    UserSession.objects.filter(user=compte).exclude(session_key=sauf).delete()
    tracer(Geste.SESSIONS, par, f"Compte {compte.username}", details={"fermées": len(cles)})
    return len(cles)


def purger() -> int:
    """Efface les sessions expirées, et ce que la liste des sessions gardait (adresse, navigateur) de celles qui
    n'existent plus. Rend le nombre de lignes effacées ; `manage.py purger_traces` l'appelle."""
    expirees, _ = Session.objects.filter(expire_date__lte=timezone.now()).delete()
    orphelines, _ = UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return expirees + orphelines
