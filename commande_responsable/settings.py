"""Réglages, lus dans l'environnement (modèle : `.env.example`) ; ceux du produit sont dans `reglages_metier.py`.

Une valeur absente ou illisible arrête le démarrage en nommant la variable : un service public ne
doit jamais tourner avec un réglage deviné.
"""

from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from commande_responsable.lecture import BASE_DIR, env
from commande_responsable.lecture import lire as _lire
from commande_responsable.reglages_metier import *  # noqa: F403 - Django lit les réglages d'un seul module
from comptes.reglages_oidc import lire_les_reglages


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
    # Ces en-têtes sont au-dessus de tout ce qui peut répondre : redirections, fichiers statiques, refus, pannes.
    "commande_responsable.en_tetes.EnTetesParDefaut",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "commande_responsable.pannes.SuivreLesEcritures",
    "socle.intergiciel.ToujoursEnUtf8",
    "django.middleware.security.SecurityMiddleware",
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
AXES_HANDLER = "comptes.blocages.Decompte"
# Un essai refusé ne prolonge pas l'attente : elle finit à l'heure que montre la page des connexions bloquées.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# La trace dit qui s'est connecté, la page des connexions bloquées le reste.
AXES_DISABLE_ACCESS_LOG, AXES_ENABLE_ADMIN = True, False

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

# Combien de jours la trace se garde. La CNIL recommande de six mois à un an (délibération 2021-122 du 14 octobre 2021
# sur la journalisation).
JOURS_DE_TRACES = _lire(env.int, "JOURS_DE_TRACES", 365)
if JOURS_DE_TRACES < 1:
    raise ImproperlyConfigured("Réglage JOURS_DE_TRACES : un nombre de jours, 1 au moins.")
# None : pas de fournisseur d'identité. Aucune adresse ne répond alors, et rien ne sort du site.
OIDC = lire_les_reglages(
    serveur=_lire(env.str, "OIDC_SERVEUR", ""),
    client=_lire(env.str, "OIDC_CLIENT", ""),
    secret=_lire(env.str, "OIDC_SECRET", ""),
    nom=_lire(env.str, "OIDC_NOM", ""),
    champ=_lire(env.str, "OIDC_CHAMP_DES_GROUPES", ""),
    groupes=_lire(env.str, "OIDC_GROUPES", ""),
    creer=_lire(env.bool, "OIDC_CREER_LES_COMPTES", False),
    rattacher=_lire(env.bool, "OIDC_RATTACHER_PAR_COURRIEL", False),
)
SOCIALACCOUNT_STORE_TOKENS = False

# Combien de jours une invitation à choisir son mot de passe reste valable.
INVITATION_JOURS = _lire(env.int, "INVITATION_JOURS", 7)
if not 1 <= INVITATION_JOURS <= 90:
    raise ImproperlyConfigured("Réglage INVITATION_JOURS : un nombre de jours, de 1 à 90.")

# --- Sécurité -----------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# Aucun script du site ne lit de cookie : le jeton d'un formulaire est dans le formulaire.
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
if HTTPS:
    # « __Host- » : le navigateur refuse ces cookies s'ils viennent d'un autre sous-domaine ou sans chiffrement.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
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
SECURE_REDIRECT_EXEMPT = [r"^sante/((vivant|pret)/)?$"]
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
# Ce que le site n'emploie pas, et qu'une page détournée ne doit pas pouvoir demander. Le presse-papiers lui reste :
# les grilles y prennent un bloc de tableur.
PERMISSIONS_POLICY: dict[str, list[str]] = {
    capacite: []
    for capacite in (
        *("accelerometer", "autoplay", "camera", "display-capture"),
        *("encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "idle-detection"),
        *("local-fonts", "magnetometer", "microphone", "midi", "payment", "picture-in-picture"),
        *("publickey-credentials-get", "screen-wake-lock", "serial", "storage-access", "usb"),
        *("window-management", "xr-spatial-tracking"),
    )
}

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
    "default": {"BACKEND": "socle.stockage.FichiersEntiers"},
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

FORMAT_DES_JOURNAUX = _lire(env.str, "FORMAT_DES_JOURNAUX", "texte").strip()
if FORMAT_DES_JOURNAUX not in ("texte", "json"):
    raise ImproperlyConfigured("Réglage FORMAT_DES_JOURNAUX : texte ou json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "texte": {
            "()": "commande_responsable.lignes_de_journal.LigneDeTexte",
            "format": "%(asctime)s %(levelname)s %(name)s [%(origine)s] %(message)s",
        },
        "json": {"()": "commande_responsable.lignes_de_journal.LigneJson"},
    },
    "filters": {
        "sans_secret": {"()": "commande_responsable.journalisation.SansSecret"},
        "origine": {"()": "commande_responsable.lignes_de_journal.DOuVientLaLigne"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": FORMAT_DES_JOURNAUX,
            "filters": ["sans_secret", "origine"],
        }
    },
    "root": {"handlers": ["stderr"], "level": _lire(env.log_level, "NIVEAU_DE_JOURNAL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "NOTSET", "propagate": True},
        # Chaque étape de chaque PDF n'apprend rien à qui exploite le site.
        "weasyprint": {"level": "WARNING"},
        "weasyprint.progress": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
    },
}
