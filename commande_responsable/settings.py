"""Réglages : un seul fichier, lu dans l'environnement (modèle : `.env.example`).

Une valeur absente ou illisible arrête le démarrage en nommant la variable : un service public ne
doit jamais tourner avec un réglage deviné.
"""

import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(str(BASE_DIR / ".env"), recurse=False)


def _lire(lecteur, nom: str, *args, **options):
    """Lit une variable ; toute erreur devient un arrêt qui la nomme."""
    try:
        return lecteur(nom, *args, **options)
    except (EnvError, ValueError) as erreur:
        raise ImproperlyConfigured(f"Réglage {nom} : {erreur}") from erreur


def _base_de_donnees() -> dict:
    """Connexion par défaut : SQLite en mode WAL, ou PostgreSQL si DATABASE_URL le dit."""
    url = env.str("DATABASE_URL", f"sqlite:///{BASE_DIR / 'donnees' / 'commande_responsable.sqlite3'}")
    if not url.startswith(("sqlite:///", "postgres://", "postgresql://")):
        raise ImproperlyConfigured("Réglage DATABASE_URL : sqlite:///… ou postgres://… attendu.")
    connexion = _lire(env.dj_db_url, "DATABASE_URL", url)
    if connexion["NAME"] in ("", ":memory:"):
        raise ImproperlyConfigured("Réglage DATABASE_URL : il manque le nom de la base, ou le chemin du fichier.")
    if connexion["ENGINE"].endswith("sqlite3"):
        Path(connexion["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        # IMMEDIATE : un écrivain attend son tour dès le début de la transaction au lieu d'échouer à la fin.
        connexion["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    else:
        connexion["CONN_MAX_AGE"] = 60
        connexion["CONN_HEALTH_CHECKS"] = True
    return connexion


# --- Installation -------------------------------------------------------------------------------

DEBUG = _lire(env.bool, "DEBUG", False)
# HTTPS=0 ne sert qu'à la démonstration sur un poste : les cookies voyagent alors en clair.
HTTPS = _lire(env.bool, "HTTPS", not DEBUG)
SECRET_KEY = _lire(env.str, "SECRET_KEY")
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5:
    raise ImproperlyConfigured("Réglage SECRET_KEY : 50 caractères au moins, tirés au hasard.")
ALLOWED_HOSTS = [hote.strip() for hote in _lire(env.list, "ALLOWED_HOSTS", ["127.0.0.1", "localhost"])]
CSRF_TRUSTED_ORIGINS = [origine.strip() for origine in _lire(env.list, "CSRF_TRUSTED_ORIGINS", [])]
if any("://" not in origine for origine in CSRF_TRUSTED_ORIGINS):
    raise ImproperlyConfigured("Réglage CSRF_TRUSTED_ORIGINS : chaque origine commence par https:// ou http://.")
# Les clés d'avant : changer SECRET_KEY ne déconnecte alors personne.
SECRET_KEY_FALLBACKS = [cle.strip() for cle in _lire(env.list, "SECRET_KEY_FALLBACKS", []) if cle.strip()]
if any(len(cle) < 50 for cle in SECRET_KEY_FALLBACKS):
    raise ImproperlyConfigured("Réglage SECRET_KEY_FALLBACKS : d'anciennes SECRET_KEY, séparées par une virgule.")
PROXYS_DE_CONFIANCE = _lire(env.int, "PROXYS_DE_CONFIANCE", 0)
if PROXYS_DE_CONFIANCE < 0:
    raise ImproperlyConfigured("Réglage PROXYS_DE_CONFIANCE : un nombre de relais, 0 s'il n'y en a pas.")

ROOT_URLCONF = "commande_responsable.urls"
WSGI_APPLICATION = "commande_responsable.wsgi.application"

INSTALLED_APPS = [
    "socle",
    "comptes",
    "partenaires",
    "actions",
    "marches",
    "indicateurs",
    "bilans",
    "publication",
    "accueil",
    "exploitation",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
    "csp",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "django_tasks",
    "django_tasks_db",
    "import_export",
    "simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.forms",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    # Le premier : tout ce qui se journalise ensuite porte le numéro de la demande.
    "comptes.demande.NumeroDeDemande",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Les pages aussi voyagent compressées, même sans serveur frontal ; Django y brouille la longueur (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    # Avant tout ce qui lit ou pose un cookie : une page publique se sert à tous depuis un cache.
    "publication.intergiciel.SansCookie",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "comptes.intergiciel.ConnexionRequise",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "comptes.contexte.collectivite_et_droits",
                "accueil.contexte.menu",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
CRISPY_FAIL_SILENTLY = False
DJANGO_TABLES2_TEMPLATE = "socle/tableau.html"

# --- Données ------------------------------------------------------------------------------------

DATABASES = {"default": _base_de_donnees()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Tâches longues -----------------------------------------------------------------------------

# En file dans la base, exécutées par l'ouvrier (`manage.py db_worker`). Les imports longs y viendront ; rien encore.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# --- Langue, heure ------------------------------------------------------------------------------

LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True

# --- Comptes ------------------------------------------------------------------------------------

AUTH_USER_MODEL = "comptes.Utilisateur"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "comptes.authentification.BackendDesRoles",
]
CSRF_FAILURE_VIEW = "commande_responsable.erreurs.jeton_csrf_refuse"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "accueil:tableau_de_bord"
ACCOUNT_ADAPTER = "comptes.authentification.Adaptateur"
ACCOUNT_FORMS = {
    "login": "comptes.formulaires.FormulaireConnexion",
    "reset_password": "comptes.formulaires.FormulaireMotDePasseOublie",
    "reset_password_from_key": "comptes.formulaires.FormulaireNouveauMotDePasse",
    "change_password": "comptes.formulaires.FormulaireChangement",
    "reauthenticate": "comptes.formulaires.FormulaireDeConfirmation",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_EMAIL_FIELD = "courriel"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
# Ni inscription ni courriel à qui n'a pas de compte : il ne saurait qu'en faire.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# Les essais de connexion sont comptés par axes, une seule fois, en base.
ACCOUNT_RATE_LIMITS = {"login": False, "login_failed": False}

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "comptes.mots_de_passe.RegleDeLaCnil"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Le lien « mot de passe oublié » attend parfois que le serveur de courriels revienne ; en secondes.
PASSWORD_RESET_TIMEOUT = 2 * 3600

# Dix essais ratés d'un même compte depuis une même adresse : un quart d'heure d'attente.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "commande_responsable.erreurs.trop_d_essais"
AXES_CLIENT_IP_CALLABLE = "comptes.provenance.adresse_du_client"
AXES_VERBOSE = False

# --- Second facteur, sessions, fournisseur d'identité --------------------------------------------

MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "comptes.second_facteur.AdaptateurDuSecondFacteur"
_FORMULAIRES = {"activate_totp": "Pose", "authenticate": "Code", "reauthenticate": "CodeDeConfirmation"}
MFA_FORMS = {geste: f"comptes.formulaires.FormulaireDe{nom}" for geste, nom in _FORMULAIRES.items()}
# L'horloge d'un téléphone a parfois une demi-minute d'écart ; un code ne sert quand même qu'une fois.
MFA_TOTP_TOLERANCE = 1
# Les rôles qui n'entrent pas sans second facteur.
SECOND_FACTEUR_EXIGE = [role.strip() for role in _lire(env.list, "SECOND_FACTEUR_EXIGE", []) if role.strip()]
if not set(SECOND_FACTEUR_EXIGE) <= {"lecteur", "agent", "responsable", "administrateur"}:
    raise ImproperlyConfigured("Réglage SECOND_FACTEUR_EXIGE : lecteur, agent, responsable, administrateur, ou rien.")
MINUTES_D_INACTIVITE = _lire(env.int, "MINUTES_D_INACTIVITE", 120)
if not 5 <= MINUTES_D_INACTIVITE <= 720:
    raise ImproperlyConfigured("Réglage MINUTES_D_INACTIVITE : un nombre de minutes, de 5 à 720.")

# --- Sécurité -----------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if PROXYS_DE_CONFIANCE:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# La supervision interroge /sante/ en clair depuis la machine même.
SECURE_REDIRECT_EXEMPT = [r"^sante/$"]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # data: pour les pictogrammes de Bootstrap, blob: pour « Télécharger l'image » de plotly.
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Suivi du plan ------------------------------------------------------------------------------

# Au bout de combien de mois une action dont on ne dit plus rien est à relancer.
MOIS_SANS_NOUVELLE = _lire(env.int, "MOIS_SANS_NOUVELLE", 6)
if MOIS_SANS_NOUVELLE < 1:
    raise ImproperlyConfigured("Réglage MOIS_SANS_NOUVELLE : un nombre de mois, 1 au moins.")

# Combien de jours avant un comité de pilotage partent les rappels.
JOURS_AVANT_COMITE = _lire(env.int, "JOURS_AVANT_COMITE", 14)
if JOURS_AVANT_COMITE < 1:
    raise ImproperlyConfigured("Réglage JOURS_AVANT_COMITE : un nombre de jours, 1 au moins.")

# Au-delà de quel écart avec l'année d'avant une valeur saisie demande une remarque : en points pour une part, en pour
# cent pour le reste.
ECART_PLAUSIBLE_EN_POINTS = _lire(env.int, "ECART_PLAUSIBLE_EN_POINTS", 20)
ECART_PLAUSIBLE_EN_POURCENT = _lire(env.int, "ECART_PLAUSIBLE_EN_POURCENT", 50)
if min(ECART_PLAUSIBLE_EN_POINTS, ECART_PLAUSIBLE_EN_POURCENT) < 1:
    raise ImproperlyConfigured("Réglages ECART_PLAUSIBLE_… : un nombre, 1 au moins.")

# L'adresse que portent les courriels et les calendriers, écrits sans qu'une page soit demandée.
ADRESSE_DU_SITE = _lire(env.str, "ADRESSE_DU_SITE", "http://127.0.0.1:8000").rstrip("/")
if not ADRESSE_DU_SITE.startswith(("https://", "http://")):
    raise ImproperlyConfigured("Réglage ADRESSE_DU_SITE : une adresse entière, qui commence par https:// ou http://.")

# --- Marchés ------------------------------------------------------------------------------------


def _seuil(nom: str, texte: str) -> Decimal | None:
    """Un seuil en euros hors taxes ; vide : à renseigner, ce qui s'y compare ne se vérifie pas."""
    if not texte.strip():
        return None
    try:
        seuil = Decimal(texte.strip().replace(",", "."))
    except InvalidOperation:
        seuil = Decimal("NaN")
    if not seuil.is_finite() or seuil <= 0:
        raise ImproperlyConfigured(f"Réglage {nom} : un montant en euros, sans espace, ou rien.")
    return seuil


# À partir de quel lancement l'article 35 de la loi 2021-1104 s'impose (décret 2022-767), et les seuils européens des
# pouvoirs adjudicateurs autres que l'État (règlement délégué (UE) 2025/2152, du 01/01/2026 au 31/12/2027).
ARTICLE_35_DEPUIS = _lire(env.date, "ARTICLE_35_DEPUIS", datetime.date(2026, 8, 21))
SEUILS_EUROPEENS_TRAVAUX = _seuil("SEUILS_EUROPEENS_TRAVAUX", _lire(env.str, "SEUILS_EUROPEENS_TRAVAUX", "5404000"))
SEUIL_EUROPEEN_FOURNITURES_SERVICES = _seuil(
    "SEUIL_EUROPEEN_FOURNITURES_SERVICES", _lire(env.str, "SEUIL_EUROPEEN_FOURNITURES_SERVICES", "216000")
)

# Les codes des deux territoires que la page des territoires montre d'abord, le plus proche en premier. Sans eux, les
# deux qui ont le moins de communes.
TERRITOIRES_COMPARES = [code.strip() for code in _lire(env.list, "TERRITOIRES_COMPARES", []) if code.strip()]
if len(TERRITOIRES_COMPARES) not in (0, 2):
    raise ImproperlyConfigured("Réglage TERRITOIRES_COMPARES : deux codes de territoire, séparés par une virgule.")

# Les chapitres dont les mandats sont des achats (M57, M4) ; les subventions d'équipement (204) ne sont pas du 20.
CHAPITRES_DES_ACHATS = [
    code.strip() for code in _lire(env.list, "CHAPITRES_DES_ACHATS", ["011", "20", "21", "23"]) if code.strip()
]
if not CHAPITRES_DES_ACHATS or not all(code.isdigit() and len(code) <= 4 for code in CHAPITRES_DES_ACHATS):
    raise ImproperlyConfigured("Réglage CHAPITRES_DES_ACHATS : des codes de chapitre, séparés par une virgule.")

# --- Publication --------------------------------------------------------------------------------

# 0 ferme d'un coup tout ce qui se lit sans connexion. Ouvertes, elles ne montrent que les plans marqués « publié ».
PAGES_PUBLIQUES = _lire(env.bool, "PAGES_PUBLIQUES", True)


# Les licences qu'une administration peut donner à des données sans homologation (code des relations entre le public et
# l'administration, art. D. 323-2-1) : titre, adresse du texte. Le code est celui de SPDX.
LICENCES_CONNUES = {
    "etalab-2.0": ("Licence Ouverte 2.0", "https://www.etalab.gouv.fr/licence-ouverte-open-licence/"),
    "ODbL-1.0": ("Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
}
LICENCE_DES_DONNEES = _lire(env.str, "LICENCE_DES_DONNEES", "etalab-2.0").strip()
if LICENCE_DES_DONNEES not in LICENCES_CONNUES:
    raise ImproperlyConfigured(f"Réglage LICENCE_DES_DONNEES : {' ou '.join(LICENCES_CONNUES)}.")

# --- API ----------------------------------------------------------------------------------------

# /api/v1/ ne répond que si on l'ouvre ; fermée, elle ne charge rien au démarrage.
API = _lire(env.bool, "API", False)
# Combien de demandes une même adresse peut faire en une minute, et combien un même jeton.
API_DEMANDES_PAR_MINUTE = _lire(env.int, "API_DEMANDES_PAR_MINUTE", 60)
API_DEMANDES_PAR_JETON = _lire(env.int, "API_DEMANDES_PAR_JETON", 300)
if min(API_DEMANDES_PAR_MINUTE, API_DEMANDES_PAR_JETON) < 1:
    raise ImproperlyConfigured("Réglages API_DEMANDES_PAR_… : un nombre de demandes par minute, 1 au moins.")

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # Les demandes comptées, dans une table que tous les processus partagent (migration publication/0001). Une ligne
    # par client et par minute ; au-delà de MAX_ENTRIES, les périmées s'en vont.
    "limites": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "publication_limites",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
}


# --- Fichiers statiques, courriels, journaux ----------------------------------------------------

MEDIA_ROOT = BASE_DIR / "donnees" / "fichiers"
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

_courriel = _lire(env.dj_email_url, "EMAIL_URL", "console:")
if "EMAIL_BACKEND" not in _courriel:
    raise ImproperlyConfigured("Réglage EMAIL_URL : console: ou smtp://compte:mot-de-passe@serveur:port attendu.")
EMAIL_BACKEND = _courriel["EMAIL_BACKEND"]
EMAIL_HOST = _courriel["EMAIL_HOST"]
EMAIL_PORT = _courriel["EMAIL_PORT"]
EMAIL_HOST_USER = _courriel["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _courriel["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _courriel["EMAIL_USE_TLS"]
EMAIL_USE_SSL = _courriel["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _lire(env.str, "DEFAULT_FROM_EMAIL", "ne-pas-repondre@localhost")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"ligne": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"sans_secret": {"()": "commande_responsable.journalisation.SansSecret"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ligne", "filters": ["sans_secret"]}},
    "root": {"handlers": ["stderr"], "level": _lire(env.log_level, "NIVEAU_DE_JOURNAL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "NOTSET", "propagate": True},
        # Chaque étape de chaque PDF n'apprend rien à qui exploite le site.
        "weasyprint": {"level": "WARNING"},
        "weasyprint.progress": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
    },
}
