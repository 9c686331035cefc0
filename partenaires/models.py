"""Les partenaires de la collectivité et les conventions qui les lient."""

from datetime import date

from django.core.validators import URLValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from simple_history.models import HistoricalRecords

from socle.contraintes import LONGUEUR_D_ADRESSE, adresse_de_page, liste_fermee
from socle.formats import accorder, formater_date, plier
from socle.modeles import LigneVersionnee, QuerySetSuivi
from socle.recherche import COLONNE, ChampRecherche, Cherchable, QuerySetCherchable


class TypeDePartenaire(models.TextChoices):
    COLLECTIVITE = "COLLECTIVITE", "Collectivité"
    CHAMBRE_CONSULAIRE = "CHAMBRE_CONSULAIRE", "Chambre consulaire"
    OPERATEUR_ETAT = "OPERATEUR_ETAT", "Opérateur de l'État"
    RESEAU_ACHETEURS = "RESEAU_ACHETEURS", "Réseau d'acheteurs"
    SPL_SEM = "SPL_SEM", "SPL ou SEM"
    ENTREPRISE = "ENTREPRISE", "Entreprise"
    ASSOCIATION = "ASSOCIATION", "Association"
    AUTRE = "AUTRE", "Autre"


class PartenaireQuerySet(QuerySetCherchable["Partenaire"]):
    def actifs(self) -> "PartenaireQuerySet":
        return self.filter(actif=True)


class Partenaire(Cherchable, LigneVersionnee):
    """Un organisme avec lequel le plan se fait. On le désactive plutôt que de le supprimer."""

    nom = models.CharField("nom", max_length=200)
    sigle = models.CharField("sigle", max_length=30, blank=True)
    alias = models.TextField(
        "autres noms",
        blank=True,
        help_text="Un par ligne : ils servent à reconnaître le partenaire à l'import.",
    )
    slug = models.SlugField("adresse de la page", max_length=LONGUEUR_D_ADRESSE, unique=True, blank=True)
    type = models.CharField("type", max_length=20, choices=TypeDePartenaire, blank=True)
    site = models.CharField("site internet", max_length=200, blank=True, validators=[URLValidator(["http", "https"])])
    description = models.TextField("description", blank=True)
    contact = models.TextField("contact", blank=True, help_text="Interne : jamais publié.")
    actif = models.BooleanField("actif", default=True)
    recherche = ChampRecherche(sources=("nom", "sigle", "alias", "description"))

    CHAMPS_DES_CONTRAINTES = {"partenaire_nom_unique": "nom"}

    objects = PartenaireQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=[COLONNE])

    class Meta:
        verbose_name = "partenaire"
        verbose_name_plural = "partenaires"
        ordering = ["nom"]
        constraints = [
            models.UniqueConstraint(
                Lower("nom"),
                name="partenaire_nom_unique",
                violation_error_message="Un partenaire porte déjà ce nom.",
            ),
            liste_fermee(
                "type",
                TypeDePartenaire,
                nom="partenaire_type_connu",
                message="Type de partenaire inconnu.",
                facultatif=True,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.nom} ({self.sigle})" if self.sigle else self.nom

    def clean(self) -> None:
        super().clean()
        self.slug = self.slug or adresse_de_page(self.sigle or self.nom, "nom")

    @property
    def noms_reconnus(self) -> frozenset[str]:
        """Nom, sigle et autres noms, repliés (sans accents ni casse), pour l'import."""
        return frozenset(plier(nom) for nom in [self.nom, self.sigle, *self.alias.splitlines()] if nom.strip())


# Le temps de préparer un renouvellement.
MOIS_POUR_RENOUVELER = 6


class Convention(LigneVersionnee):
    """Un accord signé avec un partenaire, avec ses dates quand elles sont connues."""

    partenaire = models.ForeignKey(Partenaire, on_delete=models.PROTECT, related_name="conventions")
    intitule = models.CharField("intitulé", max_length=300)
    debut = models.DateField("début", null=True, blank=True)
    fin = models.DateField("fin", null=True, blank=True)

    CHAMPS_DES_CONTRAINTES = {"convention_dates_ordonnees": "fin"}

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "convention"
        verbose_name_plural = "conventions"
        ordering = ["partenaire", "-debut"]
        constraints = [
            models.CheckConstraint(
                condition=Q(debut__isnull=True) | Q(fin__isnull=True) | Q(fin__gte=F("debut")),
                name="convention_dates_ordonnees",
                violation_error_message="La fin de la convention précède son début.",
            ),
        ]

    def __str__(self) -> str:
        return self.intitule

    def finit_bientot(self, le: date | None = None) -> bool:
        """En vigueur ce jour-là (aujourd'hui par défaut), et à renouveler dans les six mois."""
        le = le or timezone.localdate()
        return self.fin is not None and self.fin >= le and mois_entiers(le, self.fin) < MOIS_POUR_RENOUVELER

    def fin_ecrite(self, le: date | None = None) -> str:
        """« jusqu'au 31/12/2026 », « finit dans 2 mois », « finie le 31/12/2025 », « sans date de fin ».

        Le dernier jour en fait encore partie.
        """
        le = le or timezone.localdate()
        if self.fin is None:
            return "sans date de fin"
        if self.fin < le:
            return f"finie le {formater_date(self.fin)}"
        if self.fin == le:
            return "finit aujourd'hui"
        if not self.finit_bientot(le):
            return f"jusqu'au {formater_date(self.fin)}"
        mois = mois_entiers(le, self.fin)
        return f"finit dans {accorder(mois, 'mois', 'mois') if mois else accorder((self.fin - le).days, 'jour')}"


def mois_entiers(de: date, a: date) -> int:
    """Combien de mois sont passés de `de` à `a` : du 31 janvier au 28 février, aucun."""
    return (a.year - de.year) * 12 + a.month - de.month - (a.day < de.day)
