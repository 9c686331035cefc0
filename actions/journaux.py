"""Les trois journaux d'une action et leur seule méthode d'écriture."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self, cast

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.utils import timezone

from actions.statuts import MESSAGE_AVANCEMENT, Mouvement, Statut, avancement_impose, condition_avancement
from comptes.gestes import LigneSignee
from socle.contraintes import liste_fermee
from socle.echeances import Echeance, Precision
from socle.formats import formater_date
from socle.journal import JournalQuerySet
from socle.modeles import ConflitDeVersion

if TYPE_CHECKING:
    from actions.models import Action
    from comptes.gestes import Lot


class SaisieTardive(ValidationError):
    """La date d'effet précède une ligne déjà au journal : il faut dire qu'on insère avant elle.

    `suivante` est la ligne avant laquelle la nouvelle viendrait.
    """

    def __init__(self, suivante: "JournalDAction") -> None:
        self.suivante = suivante
        super().__init__(
            f"Cette date précède le changement du {formater_date(suivante.date_effet)} ({suivante}) : "
            "confirmez pour l'insérer avant lui, ou choisissez une date plus récente.",
            code="saisie_tardive",
        )


@dataclass(frozen=True)
class Inscription:
    """Une ligne à ajouter à un journal. `valeurs` : ses champs propres, motif et commentaire compris."""

    action: "Action"
    date_effet: date
    valeurs: dict[str, Any]


class JournalDAction(LigneSignee):
    """Base des journaux d'une action : ce qu'une ligne vaut, et comment elle s'ajoute."""

    action = models.ForeignKey("actions.Action", on_delete=models.PROTECT, related_name="%(class)ss")

    class Meta(LigneSignee.Meta):
        abstract = True
        indexes = [models.Index(fields=["action", "-date_effet", "-id"], name="%(class)s_etat")]

    @classmethod
    def en_vigueur_pour(cls, action: "Action", le: date | None = None) -> Self | None:
        """La ligne qui dit l'état de l'action à cette date (sans date : le dernier état connu)."""
        return cls.objects.filter(action=action).en_vigueur(le).first()

    @classmethod
    def ecrire(
        cls,
        action: "Action",
        *,
        date_effet: date,
        auteur=None,
        commentaire: str = "",
        lot=None,
        insere_avant: int | None = None,
        annule: Self | None = None,
        saisi_le: datetime | None = None,
        sous_verrou: bool = False,
        **valeurs: Any,
    ) -> Self:
        """Ajoute une ligne et remet à jour la projection de l'action, dans une transaction.

        `sous_verrou` : l'appelant vient de relire l'action par `verrouillee()`, dans sa propre transaction.
        `insere_avant` est l'identifiant de la ligne avant laquelle on accepte d'insérer une saisie tardive.
        `saisi_le` n'est donné que pour reprendre un historique ; il ne recule jamais par rapport au journal.

        Lève ValidationError (date future, règle d'une ligne) ou SaisieTardive ; rien n'est alors écrit.
        """
        with transaction.atomic():
            action = action if sous_verrou else action.verrouillee()
            ligne = cls(
                action=action,
                date_effet=date_effet,
                auteur=auteur,
                commentaire=commentaire.strip(),
                lot=lot,
                annule=annule,
                saisi_le=cls._moment_de_saisie(action, saisi_le),
                **valeurs,
            )
            ligne._verifier_la_correction()
            ligne._verifier_la_date(insere_avant)
            # Ce que le programme donne lui-même n'est pas à vérifier : la base tient les clés étrangères.
            ligne.full_clean(exclude={"action", "auteur", "lot"} | ({"annule"} if annule is None else set()))
            ligne.save()
            ligne._projeter()
        return ligne

    @classmethod
    def ecrire_ensemble(
        cls, inscriptions: "Sequence[Inscription]", *, auteur, lot: "Lot", projeter: bool = True
    ) -> None:
        """`ecrire`, pour plusieurs actions, en peu de requêtes ; l'appelant tient les actions sous verrou.

        Il a aussi vérifié ce qu'`ecrire` vérifierait : la date n'est pas future, rien ne la suit au journal. La
        ligne écrite est donc celle d'aujourd'hui ; le reste est tenu par les contraintes de la base. `projeter` :
        faux pour une action neuve, créée avec son état.
        """
        if not inscriptions:
            return
        actions = [inscription.action.pk for inscription in inscriptions]
        dernieres = cls.objects.filter(action__in=actions).order_by().values("action")
        saisies = dict(dernieres.annotate(derniere=models.Max("saisi_le")).values_list("action", "derniere"))
        moment = timezone.now()
        cls.objects.bulk_create(
            cls(
                action=inscription.action,
                date_effet=inscription.date_effet,
                # Une horloge reculée ne brouille pas l'ordre des saisies.
                saisi_le=max(moment, saisies.get(inscription.action.pk, moment)),
                auteur=auteur,
                lot=lot,
                **inscription.valeurs,
            )
            for inscription in inscriptions
        )
        if projeter:
            cls._projeter_ensemble(inscriptions)

    @classmethod
    def _projeter_ensemble(cls, inscriptions: "Sequence[Inscription]") -> None:
        """Recopie sur les actions l'état que ces lignes donnent, un UPDATE par état."""
        par_etat: dict[tuple, list[Action]] = defaultdict(list)
        for inscription in inscriptions:
            par_etat[tuple(inscription.valeurs[champ] for champ in cls.PROJECTION)].append(inscription.action)
        for etat, actions in par_etat.items():
            projete = dict(zip(cls.PROJECTION.values(), etat, strict=True))
            type(actions[0]).objects.ecrire_les_projections(actions, **projete)

    @classmethod
    def _moment_de_saisie(cls, action: "Action", voulu: datetime | None) -> datetime:
        """Maintenant, sans jamais précéder la dernière ligne : une horloge reculée ne brouille pas l'ordre."""
        derniere = cls.objects.filter(action=action).aggregate(models.Max("saisi_le"))["saisi_le__max"]
        moment = voulu or timezone.now()
        return max(moment, derniere) if derniere else moment

    @classmethod
    def deja_fait(cls, actuelle: "Action", auteur, version: int, valeurs: dict[str, Any]) -> Self:
        """La ligne que ce même auteur vient d'écrire avec ce même contenu (double clic, rechargement).

        Lève ConflitDeVersion si ce n'est pas le cas : quelqu'un d'autre est passé.
        """
        derniere = cls.objects.filter(action=actuelle).order_by("-pk").first()
        if (
            derniere is None
            or actuelle.version != version + 1
            or derniere.auteur != auteur
            or any(getattr(derniere, champ) != valeur for champ, valeur in valeurs.items())
        ):
            raise ConflitDeVersion(actuelle)
        return cast("Self", derniere)

    def _verifier_la_correction(self) -> None:
        if self.annule is not None and cast("Self", self.annule).action != self.action:
            raise ValidationError({"annule": "La ligne à corriger est celle d'une autre action."})

    def _verifier_la_date(self, insere_avant: int | None) -> None:
        if not isinstance(self.date_effet, date):
            raise ValidationError({"date_effet": "Indiquez une date d'effet."})
        if self.date_effet > timezone.localdate():
            raise ValidationError(
                {"date_effet": "La date d'effet est dans le futur : un changement s'enregistre une fois effectif."}
            )
        suivantes = type(self).objects.filter(action=self.action, date_effet__gt=self.date_effet)
        if self.annule is not None:
            suivantes = suivantes.exclude(pk=self.annule.pk)
        suivante = suivantes.en_vigueur().last()
        if suivante is not None and insere_avant != suivante.pk and not self._corrige_sur_place():
            raise SaisieTardive(suivante)

    def _corrige_sur_place(self) -> bool:
        """Une correction qui garde la date n'a pas à être confirmée : elle vient parmi les lignes du même jour.

        Elle y vient en dernier. Si une autre avait remplacé le jour même la ligne corrigée, c'est à l'appelant de la
        reposer : `Action.corriger` le fait.
        """
        return self.annule is not None and self.annule.date_effet == self.date_effet

    def _projeter(self) -> None:
        """Recopie l'état d'aujourd'hui sur l'action ; rien d'autre n'écrit ces champs.

        Le dernier connu est celui d'aujourd'hui : rien ne s'inscrit d'avance. Chercher celui du jour perdrait, sous
        une horloge reculée, ce qui a été inscrit avant qu'elle recule.
        """
        courante = type(self).en_vigueur_pour(self.action)
        etat = courante.valeurs if courante else dict.fromkeys(self.PROJECTION)
        self.action.ecrire_projection(**{self.PROJECTION[champ]: valeur for champ, valeur in etat.items()})

    def corriger(
        self,
        *,
        auteur=None,
        commentaire: str = "",
        date_effet: date | None = None,
        insere_avant: int | None = None,
        saisi_le: datetime | None = None,
        lot=None,
        **valeurs: Any,
    ) -> Self:
        """Ajoute la ligne qui annule celle-ci et porte les bonnes valeurs ; ce qui n'est pas dit est repris."""
        return type(self).ecrire(
            self.action,
            date_effet=date_effet or self.date_effet,
            auteur=auteur,
            commentaire=commentaire,
            insere_avant=insere_avant,
            annule=self,
            saisi_le=saisi_le,
            lot=lot,
            **{**self.valeurs_a_reprendre, **valeurs},
        )

    @property
    def valeurs_a_reprendre(self) -> dict[str, Any]:
        return self.valeurs

    def verifier_la_correction(self, date_effet: date, valeurs: dict[str, Any]) -> None:
        """Ce qu'une correction de cette ligne doit respecter en plus des règles d'une ligne. Lève ValidationError."""

    def sa_correction(self) -> Self | None:
        """La ligne qui corrige celle-ci, avec son auteur."""
        # Q : le vérificateur de types ne sait pas suivre une clé étrangère vers « soi » d'un modèle abstrait.
        return cast("Self | None", type(self).objects.filter(Q(annule=self.pk)).select_related("auteur").first())

    def qui_la_remplace_le_jour_meme(self) -> Self | None:
        """La ligne en vigueur ce jour-là, si elle a été saisie après celle-ci."""
        meme_jour = type(self).objects.filter(action=self.action, date_effet=self.date_effet, pk__gt=self.pk)
        return meme_jour.en_vigueur().first()


# Sur `ChangementDeStatut.jour_par_jour` : les lignes où le statut n'est plus celui d'avant, et pas seulement
# l'avancement.
CHANGE_DE_STATUT = Q(statut_d_avant__isnull=True) | ~Q(statut_d_avant=F("statut"))


class ChangementDeStatut(JournalDAction):
    """Le statut d'une action, et son avancement, à partir d'une date."""

    PROJECTION = {"statut": "statut", "avancement": "avancement"}
    CHAMPS_DES_CONTRAINTES = {"changementdestatut_avancement_coherent": "avancement"}

    statut = models.CharField("statut", max_length=12, choices=Statut)
    avancement = models.PositiveSmallIntegerField("avancement (%)", null=True, blank=True)

    class Meta(JournalDAction.Meta):
        verbose_name = "changement de statut"
        verbose_name_plural = "changements de statut"
        constraints = [
            *JournalDAction.Meta.constraints,
            liste_fermee(
                "statut",
                Statut,
                nom="changementdestatut_statut_connu",
                message="Statut inconnu : terminée, en cours ou non initiée.",
            ),
            models.CheckConstraint(
                condition=condition_avancement(),
                name="changementdestatut_avancement_coherent",
                violation_error_message=MESSAGE_AVANCEMENT,
            ),
        ]

    def __str__(self) -> str:
        avancement = f", {self.avancement}\u00a0%" if self.statut == Statut.EN_COURS and self.avancement else ""
        return f"{self.get_statut_display()}{avancement}"

    def corriger(self, **valeurs: Any) -> Self:
        """Un autre statut ne reprend pas l'avancement de l'ancien : il impose le sien, ou le laisse vide."""
        if valeurs.get("statut", self.statut) != self.statut:
            valeurs.setdefault("avancement", avancement_impose(valeurs["statut"]))
        return super().corriger(**valeurs)

    @classmethod
    def jour_par_jour(cls, le: date) -> JournalQuerySet:
        """Les lignes en vigueur à cette date, une par action et par jour (la dernière saisie l'emporte), la plus
        récente d'abord, chacune avec son `statut_d_avant`."""
        lignes = cls.objects.all().en_vigueur(le)
        de_l_action = lignes.filter(action=OuterRef("action"))
        remplacante = de_l_action.filter(date_effet=OuterRef("date_effet"), pk__gt=OuterRef("pk"))
        avant = de_l_action.filter(date_effet__lt=OuterRef("date_effet"))
        return lignes.filter(~Exists(remplacante)).annotate(statut_d_avant=Subquery(avant.values("statut")[:1]))

    @classmethod
    def pris_le(cls, le: date) -> Subquery:
        """Sous-requête, par action : le jour où elle a pris le statut qu'elle a à cette date. Un avancement redit dans
        le même statut n'y change rien."""
        changements = cls.jour_par_jour(le).filter(CHANGE_DE_STATUT, action=OuterRef("pk"))
        return Subquery(changements.values("date_effet")[:1])


class ReportEcheance(JournalDAction):
    """L'échéance d'une action à partir d'une date ; chaque report après le premier dit son motif."""

    PROJECTION = {"echeance": "echeance", "precision": "echeance_precision"}
    CHAMPS_DES_CONTRAINTES = {"reportecheance_precision_coherente": "echeance"}

    echeance = models.DateField("échéance", null=True, blank=True)
    precision = models.CharField("précision", max_length=9, choices=Precision, null=True, blank=True)
    motif = models.CharField("motif", max_length=300, blank=True)

    class Meta(JournalDAction.Meta):
        verbose_name = "report d'échéance"
        verbose_name_plural = "reports d'échéance"
        constraints = [
            *JournalDAction.Meta.constraints,
            models.CheckConstraint(
                condition=Q(echeance__isnull=True, precision__isnull=True)
                | Q(echeance__isnull=False, precision__isnull=False, precision__in=["JOUR", "TRIMESTRE", "ANNEE"]),
                name="reportecheance_precision_coherente",
                violation_error_message="Une échéance a une précision : jour, trimestre ou année.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.valeur) if self.valeur else "Sans échéance"

    @property
    def valeur(self) -> Echeance | None:
        return Echeance(self.echeance, Precision(self.precision)) if self.echeance and self.precision else None

    @property
    def valeurs_a_reprendre(self) -> dict[str, Any]:
        return {**self.valeurs, "motif": self.motif}

    def verifier_la_correction(self, date_effet: date, valeurs: dict[str, Any]) -> None:
        """Corrigé, un report d'une échéance déjà fixée dit toujours son motif."""
        autres = type(self).objects.filter(action=self.action).exclude(pk=self.pk)
        avant = autres.en_vigueur(date_effet).first()
        if avant and avant.valeur and not valeurs.get("motif", self.motif):
            raise ValidationError({"motif": "Une échéance déjà fixée ne change pas sans motif."})


class PresenceAuPlan(JournalDAction):
    """Entrée, retrait et retour d'une action. Retirée, elle sort des totaux et reste dans l'historique."""

    PROJECTION = {"mouvement": "presence"}
    CHAMPS_DES_CONTRAINTES = {"presenceauplan_retrait_motive": "motif"}

    mouvement = models.CharField("mouvement", max_length=7, choices=Mouvement)
    motif = models.CharField("motif", max_length=300, blank=True)

    class Meta(JournalDAction.Meta):
        verbose_name = "présence au plan"
        verbose_name_plural = "présences au plan"
        constraints = [
            *JournalDAction.Meta.constraints,
            liste_fermee(
                "mouvement",
                Mouvement,
                nom="presenceauplan_mouvement_connu",
                message="Mouvement inconnu : entrée, retrait ou retour.",
            ),
            models.CheckConstraint(
                condition=~Q(mouvement="RETRAIT") | ~Q(motif=""),
                name="presenceauplan_retrait_motive",
                violation_error_message="Un retrait du plan dit son motif.",
            ),
        ]

    def __str__(self) -> str:
        return self.get_mouvement_display()

    @property
    def valeurs_a_reprendre(self) -> dict[str, Any]:
        return {**self.valeurs, "motif": self.motif}
