"""Le registre des consultations : une procédure, ses lots, les contrats qu'elle a donnés."""

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from simple_history.models import HistoricalRecords

from comptes.droits import Droit, peut
from comptes.models import Service
from marches.listes import MotifSansSuite, Nature, Procedure, Suite
from marches.regles_du_registre import lever, objections_a_la_consultation, objections_au_lot
from marches.reponses import Reponse, au_moins_un
from marches.requetes_du_registre import RequetesDuRegistre
from socle.contraintes import liste_fermee
from socle.modeles import LigneVersionnee, QuerySetSuivi
from socle.recherche import COLONNE, ChampRecherche, Cherchable, QuerySetCherchable

if TYPE_CHECKING:
    from comptes.models import Utilisateur

_SIREN = RegexValidator(r"^\d{9}$", "Un SIREN compte neuf chiffres.")
_SIRET = RegexValidator(r"^\d{14}$", "Un SIRET compte quatorze chiffres.")
_POIDS = [MinValueValidator(0), MaxValueValidator(100)]


def _montant(libelle: str) -> models.DecimalField:
    """Un montant en euros hors taxes, facultatif, jamais négatif."""
    return models.DecimalField(
        libelle, max_digits=18, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )


def _reponse(libelle: str) -> models.CharField:
    return models.CharField(libelle, max_length=7, choices=Reponse, default=Reponse.INCONNU)


class ConsultationQuerySet(RequetesDuRegistre, QuerySetCherchable["Consultation"]):
    def avec_ses_lots(self) -> "ConsultationQuerySet":
        return self.select_related("service").prefetch_related("lots")

    def creer(
        self, valeurs: dict[str, Any], lots: Sequence[dict[str, Any]], *, auteur: "Utilisateur"
    ) -> "Consultation":
        """Une consultation et ses lots, un au moins. Le même envoi reçu deux fois rend la première.

        Lève ValidationError ; les refus d'un lot y sont sous « lot-<champ> ».
        """
        from marches.tenue_du_registre import creer

        return creer(valeurs, lots, auteur=auteur)


class Consultation(Cherchable, LigneVersionnee):
    """Une procédure. Ce qu'elle est devenue se lit sur ses lots (`marches.registre`)."""

    numero = models.CharField("numéro", max_length=60)
    siren = models.CharField("pouvoir adjudicateur (SIREN)", max_length=9, blank=True, validators=[_SIREN])
    pour_le_compte_de = models.CharField("pour le compte de", max_length=200, blank=True)
    service = models.ForeignKey(
        Service,
        verbose_name="service",
        on_delete=models.PROTECT,
        related_name="consultations",
        null=True,
        blank=True,
    )
    acheteur = models.CharField("acheteur en charge", max_length=200, blank=True)
    objet = models.CharField("objet", max_length=1000)
    nature = models.CharField("nature", max_length=11, choices=Nature, blank=True)
    procedure = models.CharField("procédure", max_length=11, choices=Procedure, blank=True)
    forme = models.CharField("forme", max_length=200, blank=True)
    estimation_ht = _montant("estimation HT")
    lancee_le = models.DateField("lancée le (avis de publicité)", null=True, blank=True)
    plis_avant_le = models.DateField("date limite des plis", null=True, blank=True)
    commission_le = models.DateField("commission d'appel d'offres", null=True, blank=True)
    recherche = ChampRecherche(sources=("numero", "objet", "acheteur"))

    CHAMPS_DES_CONTRAINTES: ClassVar[dict[str, str]] = {"consultation_numero_unique": "numero"}

    objects = ConsultationQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=[COLONNE])

    class Meta:
        verbose_name = "consultation"
        verbose_name_plural = "consultations"
        ordering = ["-lancee_le", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["siren", "numero"],
                name="consultation_numero_unique",
                violation_error_message="Une consultation porte déjà ce numéro.",
            ),
            liste_fermee(
                "nature", Nature, nom="consultation_nature_connue", message="Nature inconnue.", facultatif=True
            ),
            liste_fermee(
                "procedure",
                Procedure,
                nom="consultation_procedure_connue",
                message="Procédure inconnue.",
                facultatif=True,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.numero} {self.objet}"

    def get_absolute_url(self) -> str:
        return reverse("marches:consultation", args=[self.pk])

    def releve_de(self, utilisateur: "Utilisateur") -> bool:
        """Une consultation relève des agents du service qui l'a lancée."""
        return self.service_id is not None and self.service_id == utilisateur.service_id

    def modifiable_par(self, utilisateur: "Utilisateur") -> bool:
        return peut(utilisateur, Droit.SAISIR_UNE_DONNEE, self)

    def clean(self) -> None:
        super().clean()
        lever(objections_a_la_consultation(self))

    def modifier(self, valeurs: dict[str, Any], *, auteur: "Utilisateur", version: int) -> bool:
        """Donne ces valeurs ; faux si elle les avait déjà. Lève ConflitDeVersion, ValidationError."""
        from marches.tenue_du_registre import modifier

        return modifier(self, valeurs, auteur=auteur, version=version)

    def ajouter_un_lot(self, valeurs: dict[str, Any], *, auteur: "Utilisateur") -> "LotDeConsultation":
        """Un lot de plus. Le même envoi reçu deux fois rend le premier. Lève ValidationError."""
        from marches.tenue_du_registre import ajouter_un_lot

        return ajouter_un_lot(self, valeurs, auteur=auteur)


class LotDeConsultation(LigneVersionnee):
    """Un lot, ou la consultation entière quand elle n'est pas allotie (lot 1). Montants en euros hors taxes, poids en
    %."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="lots")
    numero = models.CharField("lot", max_length=20, default="1")
    objet = models.CharField("objet du lot", max_length=1000, blank=True)
    suite = models.CharField("suite donnée", max_length=10, choices=Suite, blank=True)
    date_de_suite = models.DateField("notifié ou déclaré sans suite le", null=True, blank=True)
    motif_sans_suite = models.CharField(
        "motif de la déclaration sans suite", max_length=11, choices=MotifSansSuite, blank=True
    )
    plis_recus = models.PositiveIntegerField("plis reçus", null=True, blank=True)
    titulaire = models.CharField("titulaire", max_length=300, blank=True)
    siret = models.CharField("SIRET du titulaire", max_length=14, blank=True, validators=[_SIRET])
    code_postal = models.CharField("code postal du titulaire", max_length=5, blank=True)
    ville = models.CharField("ville du titulaire", max_length=200, blank=True)
    montant_ht = _montant("montant HT")
    minimum_ht = _montant("montant minimum HT")
    maximum_ht = _montant("montant maximum HT")
    clause_environnementale = _reponse("condition d'exécution environnementale")
    critere_environnemental = _reponse("critère d'attribution environnemental")
    poids_environnemental = models.DecimalField(
        "poids du critère environnemental (%)",
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=_POIDS,
    )
    clause_sociale = _reponse("condition d'exécution sociale")
    critere_social = _reponse("critère d'attribution social")
    poids_social = models.DecimalField(
        "poids du critère social (%)", max_digits=5, decimal_places=2, null=True, blank=True, validators=_POIDS
    )
    heures_insertion = models.PositiveIntegerField("heures d'insertion", null=True, blank=True)
    motif_derogation = models.CharField("motif de dérogation", max_length=500, blank=True)

    CHAMPS_DES_CONTRAINTES: ClassVar[dict[str, str]] = {"lotdeconsultation_numero_unique": "numero"}

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "lot de consultation"
        verbose_name_plural = "lots de consultation"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["consultation", "numero"],
                name="lotdeconsultation_numero_unique",
                violation_error_message="La consultation a déjà un lot de ce numéro.",
            ),
            liste_fermee(
                "suite", Suite, nom="lotdeconsultation_suite_connue", message="Suite inconnue.", facultatif=True
            ),
            liste_fermee(
                "motif_sans_suite",
                MotifSansSuite,
                nom="lotdeconsultation_motif_connu",
                message="Motif inconnu.",
                facultatif=True,
            ),
            *(
                liste_fermee(
                    champ, Reponse, nom=f"lotdeconsultation_{champ}_connu", message="Oui, non ou non renseigné."
                )
                for champ in ("clause_environnementale", "critere_environnemental", "clause_sociale", "critere_social")
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{champ}__isnull": True}) | Q(**{f"{champ}__gte": 0, f"{champ}__lte": 100}),
                    name=f"lotdeconsultation_{champ}_borne",
                    violation_error_message="Un poids est compris entre 0 et 100, en pourcentage.",
                )
                for champ in ("poids_environnemental", "poids_social")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.consultation.numero}, lot {self.numero}"

    def clean(self) -> None:
        super().clean()
        consultation = self.consultation if "consultation" in self._state.fields_cache else None
        if consultation is None and self.consultation_id is not None:
            consultation = self.consultation
        lever(objections_au_lot(self, consultation))

    def modifier(self, valeurs: dict[str, Any], *, auteur: "Utilisateur", version: int) -> bool:
        """Donne ces valeurs ; faux s'il les avait déjà. Lève ConflitDeVersion, ValidationError."""
        from marches.tenue_du_registre import modifier

        return modifier(self, valeurs, auteur=auteur, version=version)

    def donner_une_suite(
        self, suite: Suite, le: datetime.date | None, *, auteur: "Utilisateur", version: int, motif: str = ""
    ) -> bool:
        """Attribué, notifié, sans suite (avec son motif) ou abandonné, ce jour-là. Comme `modifier`."""
        valeurs = {"suite": suite, "date_de_suite": le, "motif_sans_suite": motif}
        return self.modifier(valeurs, auteur=auteur, version=version)

    def retirer(self, *, auteur: "Utilisateur") -> None:
        """Ôte un lot saisi par erreur ; son historique reste. Lève ValidationError si c'est le dernier."""
        from marches.tenue_du_registre import retirer_le_lot

        retirer_le_lot(self, auteur=auteur)

    @property
    def environnement(self) -> Reponse:
        """Le lot a-t-il intégré une considération environnementale : l'une ou l'autre suffit."""
        return au_moins_un([self.clause_environnementale, self.critere_environnemental])

    @property
    def social(self) -> Reponse:
        return au_moins_un([self.clause_sociale, self.critere_social])


class ContratDeConsultation(models.Model):
    """Un contrat DECP qu'une personne a rattaché à sa consultation : un regroupement confirmé ne se recalcule plus."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="contrats")
    lot = models.ForeignKey(
        LotDeConsultation, on_delete=models.SET_NULL, related_name="contrats", null=True, blank=True
    )
    souche = models.UUIDField("contrat", unique=True)

    class Meta:
        verbose_name = "contrat d'une consultation"
        verbose_name_plural = "contrats des consultations"

    def __str__(self) -> str:
        return f"{self.consultation} : {self.souche}"
