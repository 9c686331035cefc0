"""Ce que les gens font : gestes annulables, traces sans fiche, jetons d'accès, signature d'une ligne."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from socle.contraintes import liste_fermee
from socle.journal import LigneDeJournal
from socle.modeles import LigneAjoutee, LigneInalterable, QuerySetInalterable


class Lot(models.Model):
    """Un geste qui a changé plusieurs choses à la fois, et qui peut être défait d'un seul."""

    intitule = models.CharField("intitulé", max_length=200)
    auteur = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="auteur",
        on_delete=models.PROTECT,
        related_name="lots",
        null=True,
    )
    fait_le = models.DateTimeField("fait le", default=timezone.now, editable=False)
    defait_par = models.OneToOneField(
        "self",
        verbose_name="défait par",
        on_delete=models.PROTECT,
        related_name="defait",
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = "lot"
        verbose_name_plural = "lots"
        ordering = ["-fait_le", "-pk"]

    def __str__(self) -> str:
        return self.intitule


class LigneDeLot(models.Model):
    """Un champ d'un objet, avant et après le geste."""

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="lignes")
    type_d_objet = models.ForeignKey(ContentType, on_delete=models.PROTECT)
    id_objet = models.PositiveBigIntegerField()
    objet = GenericForeignKey("type_d_objet", "id_objet")
    champ = models.CharField("champ", max_length=100)
    avant = models.JSONField("avant", null=True, encoder=DjangoJSONEncoder)
    apres = models.JSONField("après", null=True, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = "ligne de lot"
        verbose_name_plural = "lignes de lot"
        constraints = [
            models.UniqueConstraint(
                fields=["lot", "type_d_objet", "id_objet", "champ"],
                name="lignedelot_champ_une_fois",
                violation_error_message="Un lot ne change qu'une fois un champ d'un objet.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.champ} : {self.avant} → {self.apres}"


class LigneSignee(LigneDeJournal):
    """Ligne de journal avec son auteur et, s'il y en a un, le lot dont elle fait partie."""

    auteur = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="auteur",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        editable=False,
    )
    lot = models.ForeignKey(
        Lot,
        verbose_name="lot",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        editable=False,
    )

    class Meta(LigneDeJournal.Meta):
        abstract = True


class Geste(models.TextChoices):
    CONNEXION = "CONNEXION", "Connexion"
    ECHEC = "ECHEC", "Échec de connexion"
    DECONNEXION = "DECONNEXION", "Déconnexion"
    SESSIONS = "SESSIONS", "Sessions fermées"
    BLOCAGE = "BLOCAGE", "Connexion bloquée"
    DEBLOCAGE = "DEBLOCAGE", "Connexion débloquée"
    MOT_DE_PASSE = "MOT_DE_PASSE", "Mot de passe"
    SECOND_FACTEUR = "SECOND_FACTEUR", "Second facteur"
    INVITATION = "INVITATION", "Invitation"
    COMPTE = "COMPTE", "Compte"
    DROITS = "DROITS", "Changement de droits"
    JETON = "JETON", "Jeton d'accès"
    EXPORT = "EXPORT", "Export"
    IMPORT = "IMPORT", "Import"
    BILAN = "BILAN", "Bilan arrêté, rouvert ou publié"
    PERSONNE = "PERSONNE", "Données d'une personne"
    ELIMINATION = "ELIMINATION", "Élimination"
    SAUVEGARDE = "SAUVEGARDE", "Sauvegarde ou restauration"


JETON_D_UN_ANCIEN_AGENT = "Jeton d'un ancien agent"


class TraceQuerySet(QuerySetInalterable["Trace"]):
    """La trace s'ajoute et se lit. Deux méthodes seulement y touchent après coup, et toutes deux se tracent."""

    def bulk_create(self, objs, *args, update_conflicts=False, **kwargs):
        if update_conflicts:
            raise LigneInalterable("Trace : une ligne ne se modifie pas.")
        return super().bulk_create(objs, *args, **kwargs)

    def purger(self, avant: datetime) -> int:
        """Efface ce qui a été écrit avant ce moment (la durée est passée), et rend combien de lignes."""
        return models.QuerySet(self.model, using=self.db).filter(le__lt=avant).delete()[0]

    def anonymiser(self, utilisateur, remplacer: Callable[[Any], Any]) -> int:
        """Ôte de toute la trace ce qui nomme cette personne, et rend combien de lignes ont changé. Les gestes restent,
        leur jour, et le numéro du compte.

        `remplacer` : rend un texte, ou les détails d'un geste, où ses noms sont remplacés.
        À appeler avant que le compte ne perde son identifiant : les échecs de connexion ne le citent que par lui.
        """
        identifiants = utilisateur.identifiants_employes()
        siennes = models.Q(utilisateur=utilisateur)
        for identifiant in identifiants:
            siennes |= models.Q(identifiant__iexact=identifiant)
        nu: models.QuerySet[Trace] = models.QuerySet(self.model, using=self.db)
        qui_nomment = nu.filter(siennes).exclude(identifiant="", adresse=None)
        changees = set(qui_nomment.values_list("pk", flat=True))
        qui_nomment.update(identifiant="", adresse=None)
        sur_lui = {objet_du_compte(nom) for nom in (*identifiants, str(utilisateur))}
        # Chacun nomme ses jetons comme il veut.
        ses_jetons = models.Q(geste=Geste.JETON, details__titulaire=utilisateur.pk)
        for condition, objet in (
            (models.Q(objet__in=sur_lui), f"Compte n° {utilisateur.pk}"),
            (ses_jetons, JETON_D_UN_ANCIEN_AGENT),
        ):
            changees.update(nu.filter(condition).values_list("pk", flat=True))
            nu.filter(condition).update(objet=objet)
        return len(changees | _remplacer_dans(nu, remplacer))


def _remplacer_dans(traces: "models.QuerySet[Trace]", remplacer: Callable[[Any], Any]) -> set[int]:
    changees = set()
    for trace in traces.exclude(objet="", details={}).order_by().iterator():
        objet, details = remplacer(trace.objet)[:200], remplacer(trace.details)
        if (objet, details) != (trace.objet, trace.details):
            traces.filter(pk=trace.pk).update(objet=objet, details=details)
            changees.add(trace.pk)
    return changees


def objet_du_compte(identifiant: str) -> str:
    """Comment la trace nomme un compte sur lequel un geste a porté."""
    return f"Compte {identifiant}"[:200]


class Trace(LigneAjoutee):
    """Un geste qui ne laisse pas de fiche derrière lui : connexion, export, changement de droits.

    On ne fait qu'y ajouter, par `comptes.traces.tracer`.
    """

    le = models.DateTimeField("le", default=timezone.now, editable=False, db_index=True)
    geste = models.CharField("geste", max_length=20, choices=Geste)
    utilisateur = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="traces", null=True, blank=True
    )
    identifiant = models.CharField("identifiant saisi", max_length=150, blank=True)
    objet = models.CharField("objet", max_length=200, blank=True)
    details = models.JSONField("détails", default=dict, blank=True, encoder=DjangoJSONEncoder)
    adresse = models.GenericIPAddressField("adresse", null=True, blank=True)
    demande = models.CharField("numéro de demande", max_length=32, blank=True)

    objects = TraceQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = "trace"
        verbose_name_plural = "traces"
        ordering = ["-le", "-pk"]
        constraints = [
            liste_fermee("geste", Geste, nom="trace_geste_connu", message="Geste inconnu."),
        ]

    def __str__(self) -> str:
        return f"{self.get_geste_display()} — {self.utilisateur or self.identifiant}"


class PorteeDeJeton(models.TextChoices):
    """Ce qu'un jeton ouvre. « api » vaut pour chacune des portées qui commencent par « api: »."""

    CALENDRIER = "calendrier", "Calendrier des échéances"
    API = "api", "Lecture par l'API"
    API_ACTIONS = "api:actions", "Lecture par l'API : plans, actions et partenaires"
    API_INDICATEURS = "api:indicateurs", "Lecture par l'API : indicateurs et valeurs"
    API_BILANS = "api:bilans", "Lecture par l'API : bilans"

    @property
    def englobantes(self) -> set[str]:
        """Les portées qui donnent celle-ci : elle-même, et la plus large dont elle est une part."""
        return {self.value, self.value.partition(":")[0]}


class JetonQuerySet(models.QuerySet["Jeton"]):
    def valables(self, le: datetime) -> "JetonQuerySet":
        """Jetons ni révoqués ni expirés à ce moment, d'un compte actif."""
        return self.filter(revoque_le__isnull=True, utilisateur__is_active=True).filter(
            models.Q(expire_le__isnull=True) | models.Q(expire_le__gt=le)
        )

    def emettre(
        self,
        utilisateur,
        nom: str,
        portees: list[str],
        expire_le: datetime | None = None,
        sujet: str = "",
        secret: str = "",
    ):
        """Crée un jeton et rend (jeton, secret). Le secret n'est montré qu'ici : seule son empreinte est gardée.

        `secret` : celui d'un appelant qui doit pouvoir le retrouver, tiré de la clé du site ; sinon, du hasard.
        """
        secret = secret or secrets.token_urlsafe(32)
        jeton = self.model(
            utilisateur=utilisateur,
            nom=nom,
            portees=portees,
            expire_le=expire_le,
            sujet=sujet,
            empreinte=self.model.empreinte_de(secret),
        )
        jeton.full_clean()
        jeton.save()
        _tracer_le_jeton(jeton, utilisateur, "émis")
        return jeton, secret


class Jeton(models.Model):
    """Clé d'accès d'une machine (calendrier, API), limitée à des portées et révocable."""

    utilisateur = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="jetons")
    nom = models.CharField("nom", max_length=100)
    empreinte = models.CharField("empreinte SHA-256", max_length=64, unique=True, editable=False)
    portees = models.JSONField("portées", default=list)
    sujet = models.CharField(
        "ouvre seulement",
        max_length=100,
        blank=True,
        help_text="Ce que le jeton ouvre quand ce n'est pas tout ce que sa portée permet : « moi », « plan:12 ».",
    )
    cree_le = models.DateTimeField("créé le", default=timezone.now, editable=False)
    expire_le = models.DateTimeField("expire le", null=True, blank=True)
    revoque_le = models.DateTimeField("révoqué le", null=True, blank=True, editable=False)

    objects = JetonQuerySet.as_manager()

    class Meta:
        verbose_name = "jeton"
        verbose_name_plural = "jetons"
        ordering = ["-cree_le"]

    def __str__(self) -> str:
        return self.nom

    def clean(self) -> None:
        super().clean()
        inconnues = set(self.portees) - set(PorteeDeJeton.values)
        if not self.portees or inconnues:
            raise ValidationError({"portees": "Choisissez une ou plusieurs portées parmi celles proposées."})

    @staticmethod
    def empreinte_de(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()

    def permet(self, portee: PorteeDeJeton, le: datetime) -> bool:
        """Vrai si le jeton est valable à ce moment et couvre cette portée."""
        vivant = self.revoque_le is None and (self.expire_le is None or self.expire_le > le)
        return vivant and self.utilisateur.is_active and not portee.englobantes.isdisjoint(self.portees)

    def revoquer(self, par=None) -> None:
        """Sans retour : un nouveau jeton se demande. Demandé deux fois : rien de plus. `par` : None, le titulaire."""
        if self.revoque_le is None:
            self.revoque_le = timezone.now()
            self.save(update_fields=["revoque_le"])
            _tracer_le_jeton(self, par or self.utilisateur, "révoqué")


def _tracer_le_jeton(jeton: Jeton, par, fait: str) -> None:
    from comptes.traces import tracer

    details = {"fait": fait, "jeton": jeton.pk, "titulaire": jeton.utilisateur_id, "portées": jeton.portees}
    tracer(Geste.JETON, par, f"Jeton « {jeton.nom} »", details=details)
