"""Les réglages OIDC_… : lus au démarrage, tous ensemble, parce qu'ils n'ont de sens qu'ensemble."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from comptes.droits import Role

OBLIGATOIRES = ("OIDC_SERVEUR", "OIDC_CLIENT", "OIDC_SECRET")
NOM = "Se connecter avec mon compte professionnel"
CHAMP_DES_GROUPES = "groups"


@dataclass(frozen=True)
class ReglagesOidc:
    """`serveur` : l'adresse qui précède « /.well-known/openid-configuration », sans barre finale ; `groupes` : le rôle
    que donne chaque groupe du fournisseur, vide si les rôles se donnent ici."""

    serveur: str
    client: str
    secret: str = field(repr=False)
    nom: str = NOM
    champ_des_groupes: str = CHAMP_DES_GROUPES
    groupes: Mapping[str, Role] = field(default_factory=dict)
    creer_les_comptes: bool = False
    rattacher_par_courriel: bool = False

    @property
    def origine(self) -> str:
        return origine(self.serveur)


def origine(adresse: str) -> str:
    """« https://connexion.exemple.fr:8443 » : ce que la CSP et la comparaison de deux adresses regardent."""
    morceaux = urlsplit(adresse)
    return f"{morceaux.scheme}://{morceaux.netloc}"


def adresse_sure(adresse: str) -> bool:
    """https, ou http vers la machine même : le secret et les jetons ne voyagent jamais en clair."""
    try:
        morceaux = urlsplit(adresse)
        hote = morceaux.hostname or ""
        morceaux.port  # noqa: B018 - lève ValueError s'il n'est pas un nombre
    except ValueError:
        return False
    if not hote or morceaux.username is not None:
        return False
    return morceaux.scheme == "https" or (morceaux.scheme == "http" and _boucle_locale(hote))


def lire_les_reglages(
    *, serveur: str, client: str, secret: str, nom: str, champ: str, groupes: str, creer: bool, rattacher: bool
) -> ReglagesOidc | None:
    """Les réglages d'un fournisseur, ou None si rien n'en est dit : chaque texte est vide quand le sien manque.

    Incomplets ou incohérents : ImproperlyConfigured, qui nomme le réglage.
    """
    lus = {
        "OIDC_SERVEUR": serveur.strip(),
        "OIDC_CLIENT": client.strip(),
        "OIDC_SECRET": secret.strip(),
        "OIDC_NOM": nom.strip(),
        "OIDC_CHAMP_DES_GROUPES": champ.strip(),
        "OIDC_GROUPES": groupes.strip(),
        "OIDC_CREER_LES_COMPTES": creer,
        "OIDC_RATTACHER_PAR_COURRIEL": rattacher,
    }
    donnes = [reglage for reglage, valeur in lus.items() if valeur]
    if not donnes:
        return None
    for reglage in OBLIGATOIRES:
        if reglage not in donnes:
            raise ImproperlyConfigured(f"Réglage {reglage} : il manque, alors que {donnes[0]} est donné.")
    if champ.strip() and not groupes.strip():
        raise ImproperlyConfigured("Réglage OIDC_CHAMP_DES_GROUPES : il ne sert à rien sans OIDC_GROUPES.")
    return ReglagesOidc(
        serveur=_serveur(serveur.strip()),
        client=client.strip(),
        secret=secret.strip(),
        nom=nom.strip() or NOM,
        champ_des_groupes=champ.strip() or CHAMP_DES_GROUPES,
        groupes=_groupes(groupes),
        creer_les_comptes=creer,
        rattacher_par_courriel=rattacher,
    )


def reglages() -> ReglagesOidc:
    """Ceux du site, où l'on sait qu'il y en a."""
    if settings.OIDC is None:
        raise ImproperlyConfigured("Réglage OIDC_SERVEUR : le site n'a pas de fournisseur d'identité.")
    return settings.OIDC


def _serveur(texte: str) -> str:
    if not adresse_sure(texte) or set(texte) & set("?# \\'\";,"):
        raise ImproperlyConfigured(
            "Réglage OIDC_SERVEUR : une adresse qui commence par https:// (http:// pour la machine même seulement), "
            "sans compte ni paramètre."
        )
    return texte.removesuffix("/.well-known/openid-configuration").rstrip("/")


def _groupes(texte: str) -> dict[str, Role]:
    """« direction=responsable,agents=agent ». Le nom d'un groupe peut contenir « = », jamais une virgule."""
    groupes: dict[str, Role] = {}
    for couple in filter(None, (morceau.strip() for morceau in texte.split(","))):
        groupe, egal, role = (morceau.strip() for morceau in couple.rpartition("="))
        if not egal or not groupe or role not in Role.values:
            roles = ", ".join(Role.values)
            raise ImproperlyConfigured(
                f"Réglage OIDC_GROUPES : « {couple} » n'est pas « groupe=rôle », avec un rôle parmi {roles}."
            )
        if groupe in groupes:
            raise ImproperlyConfigured(f"Réglage OIDC_GROUPES : le groupe « {groupe} » y est deux fois.")
        groupes[groupe] = Role(role)
    return groupes


def _boucle_locale(hote: str) -> bool:
    try:
        return ipaddress.ip_address(hote).is_loopback
    except ValueError:
        return hote == "localhost"
