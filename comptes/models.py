"""Qui utilise le site : la collectivité, ses services, ses comptes."""

import math
import re
from functools import cached_property
from typing import ClassVar, cast

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from simple_history.models import HistoricalRecords

from comptes.courriels import Courriel
from comptes.droits import Droit, Role, peut
from comptes.gestes import Geste, Jeton, LigneDeLot, Lot, Trace, objet_du_compte
from socle.couleurs import BLANC, CONTRASTE_D_UN_TEXTE, contraste
from socle.formats import formater_nombre
from socle.modeles import LigneVersionnee, QuerySetSuivi

__all__ = [
    "Collectivite",
    "Courriel",
    "Jeton",
    "LigneDeLot",
    "Lot",
    "Service",
    "Siren",
    "Trace",
    "Utilisateur",
]


def valider_couleur(couleur: str) -> None:
    """Lève ValidationError si ce n'est pas « #rrggbb », ou si un texte de cette couleur se lirait mal sur du blanc
    (et du blanc sur elle) : WCAG 1.4.3."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", couleur):
        raise ValidationError("Une couleur s'écrit comme #0b5b82.")
    rapport = contraste(couleur, BLANC)
    if rapport < CONTRASTE_D_UN_TEXTE:
        # Arrondi vers le bas : « 4,5, il en faut 4,5 » ne se comprendrait pas.
        dixiemes = math.floor(10 * rapport) / 10
        raise ValidationError(
            f"Cette couleur se lit mal sur du blanc : son contraste est de {formater_nombre(dixiemes, 1)} pour 1, "
            f"il en faut {formater_nombre(CONTRASTE_D_UN_TEXTE)}. Choisissez-en une plus foncée."
        )


class Collectivite(LigneVersionnee):
    """L'organisme qui tient le site : une installation, un organisme."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    nom = models.CharField("nom", max_length=200)
    sigle = models.CharField("sigle", max_length=30, blank=True)
    logo = models.FileField(
        "logo",
        upload_to="collectivite/",
        blank=True,
        validators=[FileExtensionValidator(["png", "jpg", "jpeg", "webp"])],
    )
    couleur = models.CharField(
        "couleur d'accent",
        max_length=7,
        default="#0b5b82",
        validators=[valider_couleur],
        help_text="Celle des liens et des boutons, sur fond blanc.",
    )
    demo = models.BooleanField(
        "site de démonstration",
        default=False,
        help_text="Un site de démonstration porte un bandeau et accepte les comptes de démonstration.",
    )
    donnees_synthetiques = models.BooleanField(
        "données synthétiques",
        default=False,
        help_text="Tout ce que le site montre est inventé ; chaque page le dit.",
    )

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()
    # Le nom, le logo, les réglages sont ceux d'aujourd'hui (socle.relecture).
    RELU_TEL_QUE_SAISI = False

    class Meta:
        verbose_name = verbose_name_plural = "collectivité"
        constraints = [
            models.CheckConstraint(
                condition=Q(id=1),
                name="collectivite_unique",
                violation_error_message="Une installation sert une seule collectivité.",
            ),
        ]

    def __str__(self) -> str:
        return self.nom

    @property
    def bandeau(self) -> str:
        """Ce que chaque page dit en tête d'un site qui n'est pas un vrai ; vide sinon."""
        if self.donnees_synthetiques:
            return "Données synthétiques : tout ce que ce site montre est inventé."
        if self.demo:
            return "Site de démonstration : le service pilote et les comptes sont des données de démonstration."
        return ""


class Siren(models.Model):
    """Un numéro SIREN sous lequel la collectivité achète (budgets annexes et régies compris)."""

    collectivite = models.ForeignKey(Collectivite, on_delete=models.CASCADE, related_name="sirens")
    numero = models.CharField(
        "SIREN",
        max_length=9,
        unique=True,
        validators=[RegexValidator(r"^\d{9}$", "Un SIREN compte neuf chiffres.")],
    )
    libelle = models.CharField("libellé", max_length=200, blank=True)

    class Meta:
        verbose_name = "SIREN"
        verbose_name_plural = "SIREN"
        ordering = ["numero"]

    def __str__(self) -> str:
        return self.numero


class Service(LigneVersionnee):
    """Un service de la collectivité (liste à plat : l'organigramme n'aide pas à suivre un plan)."""

    nom = models.CharField("nom", max_length=200)
    sigle = models.CharField("sigle", max_length=30, blank=True)
    actif = models.BooleanField("actif", default=True)

    CHAMPS_DES_CONTRAINTES = {"service_nom_unique": "nom"}

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()
    # Un service repris après ce qu'il pilote se nomme quand même (socle.relecture).
    RELU_DES_L_ORIGINE = True

    class Meta:
        verbose_name = "service"
        verbose_name_plural = "services"
        ordering = ["nom"]
        constraints = [
            models.UniqueConstraint(
                Lower("nom"),
                name="service_nom_unique",
                violation_error_message="Un service porte déjà ce nom.",
            ),
        ]

    def __str__(self) -> str:
        return self.nom


_ManagerSuivi = BaseUserManager.from_queryset(QuerySetSuivi)


# mypy ne suit pas toujours from_queryset() quand des modules s'importent en rond.
class UtilisateurManager(_ManagerSuivi):  # type: ignore[misc, valid-type]
    """Création de comptes, avec leur rôle."""

    def create_user(self, username: str, password: str | None = None, *, role: Role | None = None, **champs):
        utilisateur = cast("Utilisateur", self.model(username=Utilisateur.normalize_username(username), **champs))
        utilisateur.set_password(password)
        utilisateur.full_clean(exclude=["password"])
        utilisateur.save(using=self._db)
        if role is not None:
            utilisateur.groups.add(Group.objects.get(name=role))
        return utilisateur

    def create_superuser(self, username: str, password: str | None = None, **champs):
        """Appelée par `createsuperuser` : un administrateur, au sens de la table des droits."""
        from comptes.traces import tracer

        compte = self.create_user(username, password, role=Role.ADMINISTRATEUR, **champs)
        details = {"fait": "créé", "roles": [Role.ADMINISTRATEUR.label]}
        tracer(Geste.COMPTE, None, objet_du_compte(compte.username), details=details)
        return compte


class Utilisateur(AbstractBaseUser, PermissionsMixin):
    """Une personne qui se connecte. Ses droits viennent de ses groupes, un par rôle.

    `is_staff` et `is_superuser` sont déduits des rôles : rien d'autre ne donne accès à l'administration.
    """

    username = models.CharField(
        "identifiant",
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": "Cet identifiant est déjà pris."},
    )
    prenom = models.CharField("prénom", max_length=150, blank=True)
    nom = models.CharField("nom", max_length=150, blank=True)
    courriel = models.EmailField("courriel", blank=True)
    service = models.ForeignKey(
        Service,
        verbose_name="service",
        on_delete=models.PROTECT,
        related_name="agents",
        null=True,
        blank=True,
    )
    sub_oidc = models.CharField(
        "identifiant de connexion unique (sub)",
        max_length=255,
        unique=True,
        null=True,
        blank=True,
        help_text="Donné par le fournisseur d'identité ; laissé vide pour un compte local.",
    )
    is_active = models.BooleanField(
        "actif", default=True, help_text="Décocher plutôt que supprimer : l'historique garde l'auteur."
    )
    rappels = models.BooleanField(
        "recevoir les rappels",
        default=True,
        help_text="Un courriel par mois, et avant un comité, quand quelque chose est attendu.",
    )
    date_joined = models.DateTimeField("créé le", default=timezone.now, editable=False)
    anonymise_le = models.DateTimeField("anonymisé le", null=True, blank=True, editable=False)

    EMAIL_FIELD = "courriel"
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UtilisateurManager()
    history = HistoricalRecords(excluded_fields=["password", "last_login"])
    # Un nom effacé le reste, et les droits sont ceux d'aujourd'hui (socle.relecture).
    RELU_TEL_QUE_SAISI = False

    class Meta:
        verbose_name = "compte"
        verbose_name_plural = "comptes"
        ordering = ["nom", "prenom", "username"]
        constraints = [
            models.UniqueConstraint(
                Lower("courriel"),
                condition=~Q(courriel=""),
                name="utilisateur_courriel_unique",
                violation_error_message="Un autre compte a déjà ce courriel.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prenom} {self.nom}".strip() or self.username

    def clean(self) -> None:
        super().clean()
        self.courriel = type(self).objects.normalize_email(self.courriel)
        self.sub_oidc = self.sub_oidc or None

    def save(self, *args, **kwargs) -> None:
        """Se connecter n'écrit que `last_login`, que l'historique n'a pas : la Trace le dit, et elle seule."""
        if set(kwargs.get("update_fields") or ()) != {"last_login"}:
            super().save(*args, **kwargs)
            return
        self.skip_history_when_saving = True
        try:
            super().save(*args, **kwargs)
        finally:
            del self.skip_history_when_saving

    def get_full_name(self) -> str:
        return str(self)

    def identifiants_employes(self) -> set[str]:
        """Ce qu'elle a pu taper pour se connecter : son identifiant, ceux d'avant, son courriel. Sans ceux qu'un autre
        compte porte à présent : ils désignent quelqu'un d'autre."""
        employes = {self.username, self.courriel, *self.history.values_list("username", flat=True)} - {""}
        autres = type(self).objects.exclude(pk=self.pk).filter(username__in=employes)
        return employes - set(autres.values_list("username", flat=True))

    @property
    def joignable(self) -> bool:
        """Un courriel peut lui être écrit : compte actif, avec une adresse."""
        return self.is_active and bool(self.courriel)

    def choisir_les_rappels(self, oui: bool) -> None:
        """Recevoir ou non les rappels. Le même choix, demandé deux fois, n'écrit rien de plus."""
        if self.rappels != oui:
            self.rappels = oui
            self.save(update_fields=["rappels"])

    @cached_property
    def roles(self) -> frozenset[Role]:
        """Rôles tenus de ses groupes ; un groupe étranger à l'application ne compte pas."""
        noms = self.groups.values_list("name", flat=True)
        return frozenset(Role(nom) for nom in noms if nom in Role.values)

    @property
    def libelles_des_roles(self) -> list[str]:
        """Ses rôles, du plus étroit au plus large, comme le site les nomme."""
        return [role.label for role in Role if role in self.roles]

    # Un champ chez PermissionsMixin ; ici une déduction, pour qu'un droit ne soit écrit qu'à un endroit.
    @property
    def is_superuser(self) -> bool:  # type: ignore[override]
        return peut(self, Droit.ADMINISTRER)

    @property
    def is_staff(self) -> bool:
        return peut(self, Droit.ADMINISTRER) or peut(self, Droit.TENIR_LES_REFERENTIELS)
