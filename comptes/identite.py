"""Qui se connecte par le fournisseur d'identité : quel compte, avec quels rôles, ou pourquoi pas.

Le compte se trouve par `Utilisateur.sub_oidc`, la seule vérité : la table des comptes d'allauth reste vide.
"""

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from comptes.droits import Role
from comptes.fournisseur import Identite
from comptes.gestes import Geste
from comptes.models import Utilisateur
from comptes.reglages_oidc import reglages
from comptes.traces import tracer

# Dans la session : le compte que le fournisseur a reconnu. Son second facteur est alors l'affaire du fournisseur.
PAR_LE_FOURNISSEUR = "par_le_fournisseur"


class Refus(Exception):
    """La personne est reconnue, mais n'entre pas. Le message est une phrase pour elle."""


def par_le_fournisseur(request: HttpRequest, utilisateur: Utilisateur) -> bool:
    """Vrai si c'est le fournisseur qui a reconnu ce compte, dans cette session. Le numéro du compte y est écrit : la
    marque de l'un ne dispense pas l'autre de son second facteur."""
    return utilisateur.pk is not None and request.session.get(PAR_LE_FOURNISSEUR) == utilisateur.pk


def marquer(request: HttpRequest, utilisateur: Utilisateur) -> None:
    request.session[PAR_LE_FOURNISSEUR] = utilisateur.pk


def compte_de(identite: Identite) -> Utilisateur:
    """Le compte de cette identité, ses rôles à jour. Lève Refus, et trace pourquoi."""
    try:
        return _compte_de(identite)
    except Refus as refus:
        tracer(
            Geste.ECHEC,
            objet="Connexion par le fournisseur d'identité",
            identifiant=identite.nommee,
            details={"raison": str(refus)},
        )
        raise


def _compte_de(identite: Identite) -> Utilisateur:
    roles = _roles(identite)
    compte = Utilisateur.objects.filter(sub_oidc=identite.sub).first()
    if compte is not None and not compte.is_active:
        raise Refus("Votre compte n'est plus actif. Adressez-vous à l'administrateur du site.")
    if reglages().groupes:
        if compte is not None:
            _donner_les_roles(compte, roles)
        if not roles:
            raise Refus(
                "Le fournisseur d'identité vous connaît, mais aucun de vos groupes n'ouvre ce site. Demandez à "
                "l'administrateur de quel groupe vous devez être."
            )
    return compte or _rattacher(identite, roles) or _creer(identite, roles)


# --- Les rôles ----------------------------------------------------------------------------------


def _roles(identite: Identite) -> frozenset[Role]:
    return frozenset(role for groupe, role in reglages().groupes.items() if groupe in identite.groupes)


@transaction.atomic
def _donner_les_roles(compte: Utilisateur, roles: frozenset[Role]) -> None:
    """Exactement ceux-ci. Les sessions déjà ouvertes suivent : un droit se lit à chaque demande."""
    avant = compte.libelles_des_roles
    if compte.roles == roles:
        return
    compte.groups.remove(*Group.objects.filter(name__in=set(Role.values) - {role.value for role in roles}))
    compte.groups.add(*Group.objects.filter(name__in=[role.value for role in roles]))
    # Lus et gardés une fois par demande : ceux d'avant ne doivent pas servir à la suite de celle-ci.
    del compte.roles
    tracer(
        Geste.DROITS,
        compte,
        f"Compte {compte.username}",
        details={"avant": avant, "apres": compte.libelles_des_roles, "par": "le fournisseur d'identité"},
    )


# --- Un compte que le site ne connaît pas encore ------------------------------------------------


def _rattacher(identite: Identite, roles: frozenset[Role]) -> Utilisateur | None:
    """Le compte local qui a ce courriel, si le fournisseur l'a vérifié et si le réglage le permet."""
    if not (reglages().rattacher_par_courriel and identite.courriel_verifie and identite.courriel):
        return None
    with transaction.atomic():
        compte = (
            Utilisateur.objects.select_for_update()
            .filter(courriel__iexact=identite.courriel, sub_oidc__isnull=True, is_active=True)
            .first()
        )
        if compte is None:
            return None
        compte.sub_oidc = identite.sub
        compte.save(update_fields=["sub_oidc"])
        tracer(
            Geste.COMPTE,
            compte,
            f"Compte {compte.username}",
            details={"rattaché": "au fournisseur d'identité, par son courriel vérifié"},
        )
        if reglages().groupes:
            _donner_les_roles(compte, roles)
    return compte


def _creer(identite: Identite, roles: frozenset[Role]) -> Utilisateur:
    if not reglages().creer_les_comptes:
        raise Refus(
            "Le fournisseur d'identité vous connaît, mais aucun compte de ce site n'est le vôtre. Demandez à "
            "l'administrateur de le créer, ou de rattacher celui que vous avez."
        )
    try:
        with transaction.atomic():
            compte = Utilisateur.objects.create_user(
                identite.identifiant or identite.courriel or identite.sub,
                sub_oidc=identite.sub,
                courriel=identite.courriel,
                prenom=identite.prenom[:150],
                nom=identite.nom[:150],
            )
            tracer(
                Geste.COMPTE, compte, f"Compte {compte.username}", details={"créé par": "le fournisseur d'identité"}
            )
            _donner_les_roles(compte, roles)
    except (ValidationError, IntegrityError) as erreur:
        raise Refus(
            "Votre compte n'a pas pu être créé : l'identifiant ou le courriel que donne le fournisseur d'identité est "
            "déjà pris ici, ou ne convient pas. Demandez à l'administrateur de rattacher votre compte."
        ) from erreur
    return compte
