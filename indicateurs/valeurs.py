"""Valeurs annuelles et objectifs. Une part ayant un numérateur se déduit ; elle ne se tape jamais."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Func, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from simple_history.models import HistoricalRecords

from indicateurs.affichage import AffichageDeValeur
from indicateurs.listes import Etat, Nature, OrigineDeValeur
from indicateurs.ventilations import LigneDeVentilation, Ventilation, verifier_les_totaux
from marches.models import ResultatDeCalcul
from socle.contraintes import BORNES_ANNEE, liste_fermee
from socle.formats import formater_nombre
from socle.modeles import ConflitDeVersion, LigneVersionnee, QuerySetSuivi

if TYPE_CHECKING:
    from comptes.models import Utilisateur
    from indicateurs.models import Indicateur

NOMBRE = models.DecimalField(max_digits=18, decimal_places=6)


class MotifRequis(ValidationError):
    """Une valeur validée bougerait : il faut dire pourquoi. `valeurs` : celles qui bougeraient."""

    def __init__(self, valeurs: list["ValeurAnnuelle"]) -> None:
        self.valeurs = valeurs
        noms = ", ".join(f"« {valeur.indicateur} » ({valeur.annee})" for valeur in valeurs)
        super().__init__({"motif": f"Une valeur validée ne change pas sans motif. Concerne : {noms}."})


class Part(Func):
    """100 × a / b en décimal ; NULL si b est nul ou absent.

    Le littéral 100.0 compte : sur SQLite, deux nombres ronds se diviseraient en entiers.
    """

    template = "(100.0 * %(expressions)s, 0))"
    arg_joiner = " / NULLIF("
    arity = 2
    output_field = NOMBRE


class ValeurQuerySet(QuerySetSuivi):
    def avec_valeur(self, au: date | None = None) -> Self:
        """Annote `denominateur_retenu` (le sien, sinon la valeur de l'indicateur dénominateur la même année) et
        `valeur_retenue` (la valeur saisie, sinon la part qui se déduit), NULL quand on ne peut pas la dire. `au` : un
        dénominateur connu plus tard n'y compte pas."""
        partage = self.model._base_manager.filter(
            indicateur=OuterRef("indicateur__denominateur"),
            annee=OuterRef("annee"),
            **({} if au is None else {"connue_le__lte": au}),
        )
        return self.annotate(
            denominateur_retenu=Coalesce("denominateur", Subquery(partage.values("valeur")[:1]), output_field=NOMBRE),
            valeur_retenue=Coalesce("valeur", Part("numerateur", "denominateur_retenu"), output_field=NOMBRE),
        )

    def renseignees(self) -> Self:
        """Celles qui portent un chiffre (après `avec_valeur`)."""
        return self.filter(valeur_retenue__isnull=False)

    def qui_repondent(self, au: date | None = None) -> Self:
        """Celles qui portent un chiffre ou sont dites indisponibles : il n'y a plus (à cette date) rien à saisir."""
        connues = self if au is None else self.connues_au(au)
        return connues.avec_valeur(au).filter(Q(indisponible=True) | Q(valeur_retenue__isnull=False))

    def connues_au(self, le) -> Self:
        """Celles qu'on connaissait à cette date."""
        return self.filter(connue_le__lte=le)

    def taux_appuyes_sur(self, denominateur: "ValeurAnnuelle") -> Self:
        """Taux de la même année qui prennent cette valeur pour dénominateur."""
        return self.filter(
            indicateur__denominateur=denominateur.indicateur_id,
            annee=denominateur.annee,
            numerateur__isnull=False,
            denominateur__isnull=True,
        ).select_related("indicateur")


def verrouiller_la_serie(indicateur: "Indicateur") -> None:
    """L'indicateur et celui qui lui sert de dénominateur : valider un taux et changer son dénominateur en même temps,
    ou créer deux fois la même année, se fait l'un après l'autre. Toujours par clé croissante : pris dans deux ordres,
    ces verrous se bloqueraient."""
    series = {pk for pk in (indicateur.pk, indicateur.denominateur_id) if pk}
    verrous = type(indicateur)._base_manager.select_for_update(no_key=True)
    list(verrous.filter(pk__in=series).order_by("pk").only("pk"))


class ValeurAnnuelle(AffichageDeValeur, LigneVersionnee):
    """La valeur d'un indicateur pour une année, telle que retenue et publiée."""

    indicateur = models.ForeignKey("indicateurs.Indicateur", on_delete=models.PROTECT, related_name="valeurs")
    annee = models.PositiveSmallIntegerField("année", validators=BORNES_ANNEE)
    valeur = models.DecimalField("valeur", max_digits=18, decimal_places=6, null=True, blank=True)
    numerateur = models.DecimalField("numérateur", max_digits=18, decimal_places=6, null=True, blank=True)
    denominateur = models.DecimalField(
        "dénominateur propre",
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="À laisser vide quand un autre indicateur sert de dénominateur.",
    )
    indisponible = models.BooleanField("indisponible", default=False)
    motif_indisponibilite = models.CharField("motif d'indisponibilité", max_length=300, blank=True)
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.PROVISOIRE)
    origine = models.CharField("origine", max_length=12, choices=OrigineDeValeur, default=OrigineDeValeur.SAISIE)
    # Pour une valeur retenue d'un calcul : le résultat d'où elle vient, avec les enregistrements comptés.
    resultat = models.ForeignKey(
        ResultatDeCalcul,
        verbose_name="résultat retenu",
        on_delete=models.PROTECT,
        related_name="valeurs",
        null=True,
        blank=True,
        editable=False,
    )
    connue_le = models.DateField("connue le", default=timezone.localdate)
    libelle = models.CharField(
        "texte sous le chiffre",
        max_length=300,
        blank=True,
        help_text="Tel que publié ; vide, l'intitulé de l'indicateur est montré.",
    )
    remarque = models.TextField("remarque", blank=True, help_text="Affichée avec la valeur.")
    source = models.CharField(
        "source", max_length=300, blank=True, help_text="D'où vient ce chiffre-ci ; vide, la source de l'indicateur."
    )
    rupture = models.CharField(
        "rupture de série",
        max_length=300,
        blank=True,
        help_text="Ce qui empêche de comparer avec l'année d'avant.",
    )

    # Annotés par ValeurQuerySet.avec_valeur().
    valeur_retenue: Decimal | None
    denominateur_retenu: Decimal | None

    objects = ValeurQuerySet.as_manager()
    # Le motif d'un changement se garde en entier ; l'historique n'en garderait que cent signes.
    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    CHAMPS_DES_CONTRAINTES = {
        "valeurannuelle_annee_unique": "annee",
        "valeurannuelle_valeur_ou_numerateur": "valeur",
        "valeurannuelle_denominateur_avec_numerateur": "denominateur",
        "valeurannuelle_denominateur_positif": "denominateur",
        "valeurannuelle_numerateur_borne": "numerateur",
        "valeurannuelle_positive": "valeur",
        "valeurannuelle_indisponible_motivee": "motif_indisponibilite",
    }

    # Ce qui ne bouge pas sans motif une fois la valeur validée.
    CHAMPS_VALIDES = (
        "indicateur_id",
        "annee",
        "valeur",
        "numerateur",
        "denominateur",
        "indisponible",
        "etat",
    )

    class Meta:
        verbose_name = "valeur annuelle"
        verbose_name_plural = "valeurs annuelles"
        ordering = ["indicateur", "annee"]
        constraints = [
            models.UniqueConstraint(
                fields=["indicateur", "annee"],
                name="valeurannuelle_annee_unique",
                violation_error_message="Cet indicateur a déjà une valeur pour cette année.",
            ),
            models.CheckConstraint(
                condition=Q(indisponible=False, valeur__isnull=False, numerateur__isnull=True)
                | Q(indisponible=False, valeur__isnull=True, numerateur__isnull=False)
                | Q(indisponible=True, valeur__isnull=True, numerateur__isnull=True),
                name="valeurannuelle_valeur_ou_numerateur",
                violation_error_message=(
                    "Donnez une valeur ou un numérateur, pas les deux ; ou bien dites la valeur indisponible."
                ),
            ),
            models.CheckConstraint(
                condition=Q(denominateur__isnull=True) | Q(numerateur__isnull=False),
                name="valeurannuelle_denominateur_avec_numerateur",
                violation_error_message="Un dénominateur ne se donne qu'avec un numérateur.",
            ),
            models.CheckConstraint(
                condition=Q(denominateur__isnull=True) | Q(denominateur__gt=0),
                name="valeurannuelle_denominateur_positif",
                violation_error_message="Un dénominateur est supérieur à zéro.",
            ),
            models.CheckConstraint(
                condition=Q(denominateur__isnull=True) | Q(numerateur__lte=F("denominateur")),
                name="valeurannuelle_numerateur_borne",
                violation_error_message="Le numérateur dépasse le dénominateur.",
            ),
            models.CheckConstraint(
                condition=(Q(valeur__isnull=True) | Q(valeur__gte=0))
                & (Q(numerateur__isnull=True) | Q(numerateur__gte=0)),
                name="valeurannuelle_positive",
                violation_error_message="Une valeur ne peut pas être négative.",
            ),
            models.CheckConstraint(
                condition=Q(indisponible=False, motif_indisponibilite="")
                | (Q(indisponible=True) & ~Q(motif_indisponibilite="")),
                name="valeurannuelle_indisponible_motivee",
                violation_error_message="Une valeur indisponible dit son motif, et elle seule.",
            ),
            liste_fermee(
                "etat", Etat, nom="valeurannuelle_etat_connu", message="État inconnu : provisoire ou validée."
            ),
            liste_fermee("origine", OrigineDeValeur, nom="valeurannuelle_origine_connue", message="Origine inconnue."),
        ]
        indexes = [models.Index(fields=["annee", "indicateur"], name="valeurannuelle_par_annee")]

    def __str__(self) -> str:
        return f"{self.indicateur} ({self.annee})"

    def releve_de(self, utilisateur: "Utilisateur") -> bool:
        return self.indicateur.releve_de(utilisateur)

    # --- Écriture ------------------------------------------------------------------------------

    def clean(self) -> None:
        """Règles qui regardent l'horloge, l'indicateur ou une autre valeur."""
        super().clean()
        erreurs: dict[str, str] = {}
        if self.annee and self.annee > timezone.localdate().year:
            erreurs["annee"] = "Une valeur ne se donne pas pour une année à venir."
        elif self.annee == timezone.localdate().year and self.origine == OrigineDeValeur.CALCUL:
            # Ce que les registres disent à ce jour se montre (indicateurs.cumuls), et ne vaut pas pour une année.
            erreurs["annee"] = f"L'année {self.annee} n'est pas finie : un calcul à ce jour n'en est pas la valeur."
        if self.connue_le and self.connue_le > timezone.localdate():
            erreurs["connue_le"] = "Une valeur ne peut pas être connue dans le futur."
        if self.indicateur_id:
            erreurs |= self._erreurs_de_part() if self._est_une_part else self._erreurs_de_compte()
        if erreurs:
            raise ValidationError(erreurs)

    def _erreurs_de_compte(self) -> dict[str, str]:
        if self.numerateur is not None:
            return {"numerateur": "Un numérateur ne se donne que pour une part."}
        if self.valeur is None:
            return {}
        if self.indicateur.nature == Nature.COMPTE and self.valeur != self.valeur.to_integral_value():
            return {"valeur": "Un compte est un nombre entier."}
        depasse = type(self).objects.taux_appuyes_sur(self).filter(numerateur__gt=self.valeur).first()
        if depasse:
            numerateur = formater_nombre(depasse.numerateur)
            return {"valeur": f"Le numérateur de « {depasse.indicateur} » ({numerateur}) dépasserait cette valeur."}
        return {}

    def _erreurs_de_part(self) -> dict[str, str]:
        if self.valeur is not None and self.valeur > 100:
            return {"valeur": "Une part se donne de 0 à 100 %."}
        if self.numerateur is None or self.denominateur is not None:
            return {}
        if self.indicateur.denominateur_id is None:
            return {"denominateur": "Donnez le dénominateur : aucun autre indicateur ne le fournit."}
        partage = type(self).objects.filter(indicateur=self.indicateur.denominateur_id, annee=self.annee).first()
        if partage and partage.valeur is not None and self.numerateur > partage.valeur:
            return {
                "numerateur": f"Le numérateur dépasse le dénominateur ({formater_nombre(partage.valeur)}, "
                f"valeur {self.annee} de « {self.indicateur.denominateur} »)."
            }
        return {}

    def enregistrer(
        self, *, motif: str = "", version: int | None = None, ventilation: Ventilation | None = None
    ) -> None:
        """Seule voie d'écriture d'une valeur : règles, verrou, version, motif. Le motif va dans l'historique.

        `ventilation` : les dimensions à redonner ; celles qu'on ne cite pas restent, et doivent encore faire le total.

        Lève ValidationError, MotifRequis (une valeur validée bougerait, ici ou parmi les taux qui s'appuient sur
        celle-ci) ou ConflitDeVersion ; rien n'est alors écrit.
        """
        with transaction.atomic():
            if self.indicateur_id:
                verrouiller_la_serie(self.indicateur)
            ancienne = self.verrouillee() if self.pk else None
            if ancienne and ancienne.version != (self.version if version is None else version):
                raise ConflitDeVersion(ancienne)
            if ancienne:
                self.version = ancienne.version
            self._oublier_un_resultat_dementi()
            self.full_clean()
            validees = self.validees_touchees(ancienne)
            if ancienne and ancienne.etat == Etat.VALIDEE and ventilation and ancienne not in validees:
                validees.insert(0, ancienne)
            if validees and not motif.strip():
                raise MotifRequis(validees)
            self._change_reason = motif.strip() or None
            self.save()
            if ventilation:
                LigneDeVentilation.objects.all().remplacer(self, ventilation)
            verifier_les_totaux(self)

    def _oublier_un_resultat_dementi(self) -> None:
        """Un chiffre corrigé à la main n'est plus celui d'un calcul : il n'en garde ni le résultat ni l'origine."""
        if self.resultat_id is None or self._reprend(
            ResultatDeCalcul.objects.defer("listes").get(pk=self.resultat_id)
        ):
            return
        self.resultat = None
        if self.origine == OrigineDeValeur.CALCUL:
            self.origine = OrigineDeValeur.SAISIE

    def _reprend(self, resultat: ResultatDeCalcul) -> bool:
        if self.numerateur is None:
            return self.valeur is not None and self.valeur == resultat.valeur
        propre = self.denominateur is None or self.denominateur == resultat.denominateur
        return propre and self.numerateur == resultat.numerateur

    @property
    def a_ventiler(self) -> Decimal | None:
        """Ce que chaque ventilation doit totaliser : la valeur, ou le numérateur d'une part ; None si indisponible."""
        return self.valeur if self.numerateur is None else self.numerateur

    def validees_touchees(self, ancienne: "ValeurAnnuelle | None") -> list["ValeurAnnuelle"]:
        """Valeurs validées que l'enregistrement ferait bouger : elle-même, et les taux qui s'appuient sur elle."""
        touchees = []
        if ancienne and ancienne.etat == Etat.VALIDEE and self._change_de(ancienne, self.CHAMPS_VALIDES):
            touchees.append(ancienne)
        if self._change_de(ancienne, ("indicateur_id", "annee", "valeur", "indisponible")):
            # Changer d'année ou d'indicateur retire aussi leur dénominateur aux taux d'avant.
            taux = type(self).objects.taux_appuyes_sur(self)
            if ancienne:
                taux |= type(self).objects.taux_appuyes_sur(ancienne)
            touchees += taux.filter(etat=Etat.VALIDEE)
        return touchees

    def _change_de(self, ancienne: "ValeurAnnuelle | None", champs: tuple[str, ...]) -> bool:
        return ancienne is None or any(getattr(self, champ) != getattr(ancienne, champ) for champ in champs)

    @property
    def denominateur_propre(self) -> bool:
        """La ligne donne son dénominateur alors qu'un autre indicateur le fournit."""
        return self.denominateur is not None and self.indicateur.denominateur_id is not None
