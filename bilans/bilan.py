"""Le bilan d'une année : ce qu'on en écrit, ce qu'il devient. Ce qui est arrêté est dans `versions.py`."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from simple_history.models import HistoricalRecords

from actions.models import Plan
from bilans.demande import fin_de_l_annee
from socle.contraintes import BORNES_ANNEE
from socle.formats import formater_date
from socle.modeles import LigneVersionnee, QuerySetSuivi


class Section(models.TextChoices):
    """Les sections de la page, dans l'ordre de la page publiée ; chacune peut porter un commentaire."""

    TERMINEES = "terminees", "Actions terminées"
    EN_COURS = "en_cours", "Actions en cours"
    NON_INITIEES = "non_initiees", "Actions non initiées"
    PARTENAIRES = "partenaires", "Partenaires"
    CHIFFRES = "chiffres", "Chiffres"
    GRAPHIQUES = "graphiques", "Graphiques et tableaux"


class EtatDeBilan(models.TextChoices):
    """Déduit, jamais gardé."""

    BROUILLON = "BROUILLON", "Brouillon"
    ARRETE = "ARRETE", "Arrêté"
    ROUVERT = "ROUVERT", "Rouvert"
    PUBLIE = "PUBLIE", "Publié"


class Bilan(LigneVersionnee):
    """Le bilan d'un plan pour une année : avant-propos, commentaires, dates, et la version que le public voit.

    Rien n'y est arrêté : une version (`VersionDeBilan`) garde l'état du plan et ces textes. `rouvert_le` : une version
    existe, et on en prépare une autre.
    """

    plan = models.ForeignKey(Plan, verbose_name="plan", on_delete=models.PROTECT, related_name="bilans")
    annee = models.PositiveSmallIntegerField("année", validators=BORNES_ANNEE)
    avant_propos = models.TextField("avant-propos", blank=True)
    commentaire_terminees = models.TextField("commentaire des actions terminées", blank=True)
    commentaire_en_cours = models.TextField("commentaire des actions en cours", blank=True)
    commentaire_non_initiees = models.TextField("commentaire des actions non initiées", blank=True)
    commentaire_partenaires = models.TextField("commentaire des partenaires", blank=True)
    commentaire_chiffres = models.TextField("commentaire des chiffres", blank=True)
    commentaire_graphiques = models.TextField("commentaire des graphiques", blank=True)
    rouvert_le = models.DateTimeField("rouvert le", null=True, blank=True, editable=False)
    motif_de_reouverture = models.CharField("motif de la réouverture", max_length=300, blank=True, editable=False)
    presente_en_commission_le = models.DateField("présenté en commission le", null=True, blank=True)
    presente_en_conseil_le = models.DateField("présenté en conseil le", null=True, blank=True)
    numero_de_deliberation = models.CharField("numéro de délibération", max_length=60, blank=True)
    relu_par_la_communication_le = models.DateField("relu par la communication le", null=True, blank=True)
    publie_le = models.DateField("publié le", null=True, blank=True, editable=False)
    version_publiee = models.ForeignKey(
        "VersionDeBilan",
        verbose_name="version publiée",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        editable=False,
    )

    CHAMPS_DES_CONTRAINTES = {"bilan_un_par_annee": "annee", "bilan_publication_complete": "publie_le"}
    CHAMPS_DATES = ("presente_en_commission_le", "presente_en_conseil_le", "relu_par_la_communication_le")

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "bilan"
        verbose_name_plural = "bilans"
        ordering = ["plan", "-annee"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "annee"],
                name="bilan_un_par_annee",
                violation_error_message="Ce plan a déjà un bilan pour cette année.",
            ),
            models.CheckConstraint(
                condition=Q(publie_le__isnull=True, version_publiee__isnull=True)
                | Q(publie_le__isnull=False, version_publiee__isnull=False),
                name="bilan_publication_complete",
                violation_error_message="Un bilan publié a une date et une version, ou ni l'une ni l'autre.",
            ),
            models.CheckConstraint(
                condition=Q(rouvert_le__isnull=True, motif_de_reouverture="")
                | (Q(rouvert_le__isnull=False) & ~Q(motif_de_reouverture="")),
                name="bilan_reouverture_motivee",
                violation_error_message="Une réouverture dit son motif.",
            ),
        ]

    def __str__(self) -> str:
        return f"Bilan {self.annee}, {self.plan}"

    def get_absolute_url(self) -> str:
        return reverse("bilans:bilan", args=[self.plan.slug, self.annee])

    def clean(self) -> None:
        super().clean()
        aujourd_hui = timezone.localdate()
        for champ in self.CHAMPS_DATES:
            jour = getattr(self, champ)
            if jour and jour > aujourd_hui:
                raise ValidationError({champ: "Cette date est à venir : elle s'inscrit une fois passée."})

    @property
    def fin(self):
        """Le jour que le bilan décrit : le 31 décembre, ou aujourd'hui si l'année court encore."""
        return min(fin_de_l_annee(self.annee), timezone.localdate())

    @property
    def finie(self) -> bool:
        """L'année est passée : son bilan peut s'arrêter."""
        return fin_de_l_annee(self.annee) < timezone.localdate()

    @property
    def references(self) -> list[tuple[str, str]]:
        """Les dates et références données, en clair, dans l'ordre où elles viennent ; hors de ce qui est arrêté."""
        dites = {
            "presente_en_commission_le": formater_date(self.presente_en_commission_le),
            "presente_en_conseil_le": formater_date(self.presente_en_conseil_le),
            "numero_de_deliberation": self.numero_de_deliberation,
            "relu_par_la_communication_le": formater_date(self.relu_par_la_communication_le),
        }
        return [
            (capfirst(str(getattr(self._meta.get_field(champ), "verbose_name", champ))), texte)
            for champ, texte in dites.items()
            if getattr(self, champ)
        ]

    @property
    def commentaires(self) -> dict[str, str]:
        """Par section, dans l'ordre de la page ; les vides n'y sont pas."""
        textes = {section.value: getattr(self, f"commentaire_{section.value}") for section in Section}
        return {section: texte for section, texte in textes.items() if texte}
