"""Les contrats que disent les DECP, et les enregistrements d'où chacun vient.

`EnregistrementDecp` garde ce que les fichiers disent, tel quel ; `Contrat` est ce que `marches.consolidation` en
déduit, sans dépendre de l'ordre des imports. Une ligne de contrat ne change jamais : ce qui la corrige en écrit une
autre, de la même souche.
"""

import json
import uuid
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q, Subquery
from django.urls import reverse
from django.utils import timezone

from marches.imports import Generation, ImportDecp
from marches.listes import ChampCorrige, SourceDeContrat
from marches.reponses import Reponse
from socle.contraintes import liste_fermee

# Au-delà, un montant n'est pas un montant : la consolidation le signale et ne le garde pas.
MONTANT_MAXIMAL = 10**18


def _generation_visible() -> Subquery:
    return Subquery(Generation.objects.values("numero")[:1])


class EnregistrementDecp(models.Model):
    """Un enregistrement d'un fichier, tel quel : l'ancre de tout ce qu'on en tire."""

    import_decp = models.ForeignKey(ImportDecp, on_delete=models.PROTECT, related_name="enregistrements")
    position = models.PositiveIntegerField("position")
    empreinte = models.CharField("empreinte du contenu", max_length=64, unique=True)
    source = models.CharField("source", max_length=10, choices=SourceDeContrat)
    format = models.CharField("format", max_length=10)
    siren = models.CharField("SIREN de l'acheteur", max_length=9)
    # Les enregistrements d'un même groupe peuvent décrire le même contrat : même acheteur, même identifiant.
    groupe = models.CharField("groupe", max_length=100)
    # Du JSON, en texte : PostgreSQL refuserait en jsonb des caractères que des fichiers portent.
    brut = models.TextField("contenu")
    de = models.PositiveBigIntegerField("depuis la génération")
    # Un fichier montre cet enregistrement à côté d'un autre contrat du même identifiant : ce sont deux contrats.
    cohabite_depuis = models.PositiveBigIntegerField("cohabite depuis la génération", null=True, blank=True)

    class Meta:
        verbose_name = "enregistrement DECP"
        verbose_name_plural = "enregistrements DECP"
        indexes = [
            models.Index(fields=["groupe"], name="enregistrementdecp_groupe"),
            models.Index(fields=["import_decp", "groupe"], name="enregistrementdecp_import"),
        ]
        constraints = [
            liste_fermee(
                "source", SourceDeContrat, nom="enregistrementdecp_source_connue", message="Source inconnue."
            ),
        ]

    def __str__(self) -> str:
        return f"{self.import_decp}, {self.position}"

    @property
    def contenu(self) -> dict[str, Any]:
        """Ce que le fichier contient, par nom de champ."""
        return json.loads(self.brut)


class RepriseDEnregistrement(models.Model):
    """Un fichier redit un enregistrement déjà connu."""

    import_decp = models.ForeignKey(ImportDecp, on_delete=models.CASCADE, related_name="reprises")
    enregistrement = models.ForeignKey(EnregistrementDecp, on_delete=models.CASCADE, related_name="reprises")
    position = models.PositiveIntegerField("position")

    class Meta:
        verbose_name = "reprise d'un enregistrement"
        verbose_name_plural = "reprises d'enregistrements"

    def __str__(self) -> str:
        return f"{self.import_decp}, {self.position}"


class ContratQuerySet(models.QuerySet["Contrat"]):
    def en_vigueur(self) -> "ContratQuerySet":
        """L'état visible : une ligne par souche."""
        visible = _generation_visible()
        return self.filter(de__lte=visible).filter(Q(a__isnull=True) | Q(a__gt=visible))

    def a_la_generation(self, numero: int) -> "ContratQuerySet":
        """L'état que montrait cette génération."""
        return self.filter(de__lte=numero).filter(Q(a__isnull=True) | Q(a__gt=numero))

    def de_l_acheteur(self, *sirens: str) -> "ContratQuerySet":
        return self.filter(siren__in=sirens)

    def de_l_annee(self, annee: int) -> "ContratQuerySet":
        """Ceux dont la notification initiale est de cette année (decp.info : modification 0)."""
        return self.filter(date__year=annee)

    def avec_leurs_titulaires(self) -> "ContratQuerySet":
        return self.prefetch_related("titulaires")


class Contrat(models.Model):
    """Un contrat notifié, à l'état initial ; montant en euros hors taxes, maximum pour un accord-cadre.

    `souche` est son identité, d'une version à l'autre ; `de` et `a` disent de quelle génération à quelle autre la
    ligne vaut.
    """

    souche = models.UUIDField("souche", default=uuid.uuid4, db_index=True)
    de = models.PositiveBigIntegerField("depuis la génération")
    a = models.PositiveBigIntegerField("jusqu'à la génération", null=True, blank=True)
    groupe = models.CharField("groupe", max_length=100)
    empreinte = models.CharField("empreinte de l'état", max_length=64)
    # Clés des EnregistrementDecp : celui qui fait foi d'abord, puis ceux qu'il remplace, puis ceux qui le complètent.
    enregistrements = models.JSONField("enregistrements", default=list, blank=True)
    siren = models.CharField("SIREN de l'acheteur", max_length=9)
    siret = models.CharField("SIRET de l'acheteur", max_length=14)
    acheteur = models.CharField("acheteur", max_length=300, blank=True)
    identifiant = models.CharField("identifiant", max_length=100, blank=True)
    concession = models.BooleanField("concession", default=False)
    nature = models.CharField("nature", max_length=100, blank=True)
    procedure = models.CharField("procédure", max_length=200, blank=True)
    objet = models.TextField("objet", blank=True)
    cpv = models.CharField("code CPV", max_length=10, blank=True)
    date = models.DateField("notifié le", null=True, blank=True)
    publie_le = models.DateField("publié le", null=True, blank=True)
    montant = models.DecimalField("montant HT", max_digits=22, decimal_places=2, null=True, blank=True)
    # marches.decp.montants.DrapeauDeMontant ; vide : le montant se compte.
    drapeau = models.CharField("montant à part", max_length=20, blank=True)
    duree_mois = models.PositiveIntegerField("durée en mois", null=True, blank=True)
    offres_recues = models.PositiveIntegerField("offres reçues", null=True, blank=True)
    accord_cadre = models.CharField("accord-cadre", max_length=100, blank=True)
    subsequent = models.BooleanField("marché subséquent", default=False)
    environnement = models.CharField("considération environnementale", max_length=7, choices=Reponse)
    social = models.CharField("considération sociale", max_length=7, choices=Reponse)
    considerations = models.JSONField("considérations publiées", default=list, blank=True)
    techniques = models.JSONField("techniques d'achat", default=list, blank=True)
    modifications = models.JSONField("modifications", default=list, blank=True, encoder=DjangoJSONEncoder)
    anomalies = models.JSONField("anomalies", default=list, blank=True)
    conflit = models.BooleanField("même identifiant qu'un autre contrat", default=False)
    doublon = models.BooleanField("doublon, écarté à la revue", default=False)

    objects = ContratQuerySet.as_manager()

    class Meta:
        verbose_name = "contrat"
        verbose_name_plural = "contrats"
        ordering = ["-date", "-pk"]
        indexes = [
            models.Index(fields=["siren", "date"], name="contrat_siren_date"),
            models.Index(fields=["groupe"], name="contrat_groupe"),
        ]
        constraints = [
            liste_fermee(
                "environnement", Reponse, nom="contrat_environnement_connu", message="Oui, non ou non renseigné."
            ),
            liste_fermee("social", Reponse, nom="contrat_social_connu", message="Oui, non ou non renseigné."),
            models.CheckConstraint(
                condition=Q(a__isnull=True) | Q(a__gt=F("de")),
                name="contrat_generations_ordonnees",
                violation_error_message="Une ligne vaut au moins une génération.",
            ),
        ]

    def __str__(self) -> str:
        return self.objet or self.identifiant or "Contrat sans objet"

    def get_absolute_url(self) -> str:
        return reverse("marches:contrat", args=[self.souche])


class TitulaireDeContrat(models.Model):
    """Un titulaire, et son lieu si un fichier le donne : code INSEE de la commune, code du département."""

    contrat = models.ForeignKey(Contrat, on_delete=models.CASCADE, related_name="titulaires")
    identifiant = models.CharField("identifiant", max_length=50, blank=True)
    type_identifiant = models.CharField("type d'identifiant", max_length=30, blank=True)
    nom = models.CharField("nom", max_length=300, blank=True)
    commune = models.CharField("commune", max_length=5, blank=True)
    departement = models.CharField("département", max_length=3, blank=True)
    categorie = models.CharField("catégorie", max_length=10, blank=True)

    class Meta:
        verbose_name = "titulaire"
        verbose_name_plural = "titulaires"
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.nom or self.identifiant


class CorrectionDeContrat(models.Model):
    """Ce qu'une personne corrige d'un contrat, à part de ce que les fichiers disent. On n'en efface pas : on
    annule."""

    souche = models.UUIDField("contrat", db_index=True)
    champ = models.CharField("champ", max_length=13, choices=ChampCorrige)
    # La valeur donnée : date ISO, montant en texte, Reponse, ou la souche du contrat dont celui-ci est le doublon.
    valeur = models.CharField("valeur", max_length=100, blank=True)
    motif = models.CharField("motif", max_length=300)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    faite_le = models.DateTimeField("faite le", default=timezone.now, editable=False)
    annulee_le = models.DateTimeField("annulée le", null=True, blank=True, editable=False)
    annulee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        verbose_name = "correction de contrat"
        verbose_name_plural = "corrections de contrats"
        ordering = ["-faite_le", "-pk"]
        constraints = [
            liste_fermee(
                "champ", ChampCorrige, nom="correctiondecontrat_champ_connu", message="Ce champ ne se corrige pas."
            ),
            models.UniqueConstraint(
                fields=["souche", "champ"],
                condition=Q(annulee_le__isnull=True),
                name="correctiondecontrat_une_en_vigueur",
                violation_error_message="Ce champ a déjà une correction : annulez-la d'abord.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_champ_display()} : {self.valeur}"


class LieuDEtablissement(models.Model):
    """La commune d'un établissement, dite par quelqu'un quand les fichiers ne la donnent pas."""

    siret = models.CharField(
        "SIRET", max_length=14, unique=True, validators=[RegexValidator(r"^\d{14}$", "Un SIRET compte 14 chiffres.")]
    )
    commune = models.CharField(
        "code INSEE de la commune",
        max_length=5,
        validators=[RegexValidator(r"^\d[\dAB]\d{3}$", "Un code INSEE de commune compte cinq caractères.")],
    )
    source = models.CharField("source", max_length=200)
    auteur = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    le = models.DateTimeField("le", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "lieu d'un établissement"
        verbose_name_plural = "lieux d'établissements"
        ordering = ["siret"]

    def __str__(self) -> str:
        return f"{self.siret} : {self.commune}"
