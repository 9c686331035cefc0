"""Parler au fournisseur d'identité : OpenID Connect, par code d'autorisation avec PKCE, state et nonce.

allauth tient le state, PKCE et l'échange du code. Ce module ajoute ce qu'il laisse de côté : le nonce, la signature du
jeton vérifiée même quand il arrive par une connexion sûre, l'émetteur comparé au réglage, le `sub` des deux réponses.
Rien n'en est gardé : ni jeton, ni compte d'allauth.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.utils import build_absolute_uri
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare, get_random_string
from requests.exceptions import InvalidJSONError, RequestException

from comptes.reglages_oidc import adresse_sure, origine, reglages

NOM_INTERNE = "fournisseur"
# Des signatures à deux clés seulement : avec HS256, la clé publique du fournisseur suffirait à signer.
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
# Ce que deux horloges peuvent avoir d'écart, en secondes.
ECART_D_HORLOGE = 60
# OpenID Connect Core 1.0, section 2 : « sub » ne dépasse pas 255 caractères ASCII.
LONGUEUR_DU_SUB = 255


class DemandePerdue(Exception):
    """Le retour ne répond à aucune demande faite dans cette session : trop ancien, rejoué, ou fabriqué."""


class FournisseurMuet(Exception):
    """Le fournisseur ne répond pas, ou répond une panne."""


class ReponseIrrecevable(Exception):
    """Le fournisseur a répondu, mais rien qu'on puisse croire. Le message, pour le journal, dit quoi."""


@dataclass(frozen=True)
class Identite:
    """Qui le fournisseur dit avoir reconnu. Seul `sub` est sûr et stable ; le reste peut manquer ou changer."""

    sub: str
    courriel: str = ""
    courriel_verifie: bool = False
    identifiant: str = ""
    prenom: str = ""
    nom: str = ""
    groupes: frozenset[str] = frozenset()

    @property
    def nommee(self) -> str:
        """De quoi la reconnaître dans la trace."""
        return self.courriel or self.identifiant or self.sub


class Fournisseur(OpenIDConnectProvider):
    """Celui des réglages, sans ligne en base."""

    pkce_enabled_default = True

    def get_oauth2_adapter(self, request: HttpRequest) -> "Dialogue":
        return Dialogue(request)

    def redirect(self, request, process, next_url=None, data=None, **kwargs) -> HttpResponse:
        """Vers la page de connexion du fournisseur. L'adresse demandée n'y ajoute ni portée ni paramètre."""
        nonce = get_random_string(32)
        return super().redirect(request, AuthProcess.LOGIN, next_url, auth_params={"nonce": nonce}, nonce=nonce)


class Dialogue(OpenIDConnectOAuth2Adapter):
    """Les échanges d'une connexion."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, NOM_INTERNE)

    def get_provider(self) -> Fournisseur:
        application = SocialApp(
            provider=Fournisseur.id,
            provider_id=NOM_INTERNE,
            name=reglages().nom,
            client_id=reglages().client,
            secret=reglages().secret,
            settings={"server_url": reglages().serveur},
        )
        return Fournisseur(self.request, app=application)

    def get_callback_url(self, request: HttpRequest, app) -> str:
        return build_absolute_uri(request, reverse("identite_retour"))

    @property
    def openid_config(self) -> dict[str, Any]:
        """Ce que le fournisseur annonce de lui (OpenID Connect Discovery 1.0), vérifié."""
        if not hasattr(self, "_openid_config"):
            annonce = _lire(self.get_provider().server_url)
            if str(annonce["issuer"]).rstrip("/") != reglages().serveur:
                raise ReponseIrrecevable(f"il se nomme {annonce['issuer']!r}, pas comme le dit OIDC_SERVEUR")
            for nom in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not adresse_sure(str(annonce[nom])):
                    raise ReponseIrrecevable(f"{nom} n'est pas une adresse https")
            if origine(annonce["authorization_endpoint"]) != reglages().origine:
                # La politique de sécurité de la page de connexion (CSP, form-action) ne laisse aller que là.
                raise ReponseIrrecevable("sa page de connexion n'est pas à l'adresse de OIDC_SERVEUR")
            self._openid_config = annonce
        return self._openid_config

    def partir(self, suite: str | None) -> HttpResponse:
        """Redirige vers le fournisseur. `suite` : où aller une fois connecté, déjà vérifiée."""
        with _reponses_lisibles():
            return self.get_provider().redirect(self.request, AuthProcess.LOGIN, next_url=suite)

    def reprendre(self) -> dict[str, Any]:
        """Ce que cette session avait note en partant ; ne sert qu'une fois. DemandePerdue s'il n'y en a pas."""
        try:
            return self.get_provider().unstash_redirect_state(self.request, self.request.GET.get("state", ""))
        except PermissionDenied as erreur:
            raise DemandePerdue from erreur

    def identite(self, note: dict[str, Any]) -> Identite:
        """Échange le code contre l'identité. `note` : ce que `reprendre` a rendu.

        Lève FournisseurMuet ou ReponseIrrecevable.
        """
        with _reponses_lisibles():
            application = self.get_provider().app
            client = self.get_client(self.request, application)
            recu = self.get_access_token_data(
                self.request, application, client, pkce_code_verifier=note["pkce_code_verifier"]
            )
            dit = _verifier(recu["id_token"], self.openid_config, note["nonce"])
            if "userinfo_endpoint" in self.openid_config:
                dit |= self._informations(recu["access_token"], dit["sub"])
            return _identite(dit)

    def _informations(self, jeton_d_acces: str, sub: str) -> dict[str, Any]:
        """OpenID Connect Core 1.0, section 5.3.2 : sans le même `sub`, cette réponse ne doit pas servir."""
        if not adresse_sure(str(self.profile_url)):
            raise ReponseIrrecevable("userinfo_endpoint n'est pas une adresse https")
        informations = _lire(self.profile_url, {"Authorization": f"Bearer {jeton_d_acces}"})
        if informations["sub"] != sub:
            raise ReponseIrrecevable("le jeton et les informations ne parlent pas de la même personne")
        return informations


@contextmanager
def _reponses_lisibles() -> Iterator[None]:
    """Tout ce qu'une réponse mal faite peut causer se dit d'une seule façon. Il n'y a ici que de la lecture."""
    try:
        yield
    except RequestException as erreur:
        illisible = isinstance(erreur, InvalidJSONError)
        refus = erreur.response is not None and erreur.response.status_code < 500
        raise (ReponseIrrecevable if illisible or refus else FournisseurMuet)(str(erreur)) from erreur
    except (OAuth2Error, jwt.PyJWTError, KeyError, TypeError, ValueError, AttributeError) as erreur:
        raise ReponseIrrecevable(f"{type(erreur).__name__} : {erreur}"[:500]) from erreur


def _lire(adresse: str, en_tetes: dict[str, str] | None = None) -> dict[str, Any]:
    with get_adapter().get_requests_session() as session:
        reponse = session.get(adresse, headers=en_tetes)
        reponse.raise_for_status()
        lu = reponse.json()
    if not isinstance(lu, dict):
        raise ReponseIrrecevable(f"{adresse} ne rend pas un objet JSON")
    return lu


def _verifier(jeton: str, annonce: dict[str, Any], nonce: str) -> dict[str, Any]:
    """Ce que dit le jeton d'identité, une fois vérifiés signature, émetteur, destinataire, dates et nonce."""
    cle = _cle(jeton, _lire(annonce["jwks_uri"]))
    dit = jwt.decode(
        jeton,
        cle,
        algorithms=SIGNATURES,
        audience=reglages().client,
        issuer=annonce["issuer"],
        leeway=ECART_D_HORLOGE,
        options={"require": ["iss", "sub", "aud", "exp", "iat"]},
    )
    if not constant_time_compare(str(dit.get("nonce", "")), nonce):
        raise ReponseIrrecevable("le nonce du jeton n'est pas celui de la demande")
    if dit.get("azp", reglages().client) != reglages().client:
        raise ReponseIrrecevable("le jeton est fait pour une autre application")
    return dit


def _cle(jeton: str, annoncees: dict[str, Any]) -> jwt.PyJWK:
    numero = jwt.get_unverified_header(jeton).get("kid")
    signatures = [cle for cle in jwt.PyJWKSet.from_dict(annoncees).keys if cle.public_key_use in (None, "sig")]
    choisies = [cle for cle in signatures if numero is None or cle.key_id == numero]
    if len(choisies) != 1:
        raise ReponseIrrecevable("la clé qui a signé le jeton n'est pas parmi celles qu'il annonce")
    return choisies[0]


def _identite(dit: dict[str, Any]) -> Identite:
    sub = dit["sub"]
    if not isinstance(sub, str) or not 0 < len(sub) <= LONGUEUR_DU_SUB or not (sub.isascii() and sub.isprintable()):
        raise ReponseIrrecevable("son identifiant « sub » n'est pas un texte de 255 caractères au plus")
    groupes = dit.get(reglages().champ_des_groupes, [])
    groupes = [groupes] if isinstance(groupes, str) else groupes
    return Identite(
        sub=sub,
        courriel=_texte(dit, "email"),
        courriel_verifie=dit.get("email_verified") is True,
        identifiant=_texte(dit, "preferred_username"),
        prenom=_texte(dit, "given_name"),
        nom=_texte(dit, "family_name"),
        groupes=frozenset(groupe for groupe in groupes if isinstance(groupe, str)),
    )


def _texte(dit: dict[str, Any], nom: str) -> str:
    """Un texte d'une ligne, sans signe de commande ; vide si ce n'en est pas un."""
    valeur = dit.get(nom)
    if not isinstance(valeur, str):
        return ""
    return "".join(signe for signe in valeur if signe.isprintable()).strip()
