"""Une campagne d'actualisation : demander à chaque pilote où en sont ses actions, et voir qui a répondu."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import BooleanField, Case, Count, Exists, OuterRef, Q, Subquery, Value, When
from django.urls import reverse
from django.utils import timezone
from simple_history.models import HistoricalRecords

from actions.destinataires import Repartition, repartir
from actions.etapes import Etape
from actions.gestes import ANNULE
from actions.journaux import ChangementDeStatut, PresenceAuPlan, ReportEcheance
from actions.plans import Plan
from actions.suivi import NoteDeSuivi
from comptes.courriels import Courriel, Lettre, Preparation
from comptes.envoi import envoyer_des_que_possible
from socle.formats import formater_date
from socle.modeles import LigneFermable, QuerySetSuivi

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from actions.models import Action
    from comptes.models import Utilisateur


class CampagneQuerySet(QuerySetSuivi["Campagne"]):
    def ouvertes(self) -> "CampagneQuerySet":
        return self.filter(close_le__isnull=True)

    def lancer(
        self,
        plan: Plan,
        actions: Sequence["Action"],
        *,
        auteur: "Utilisateur",
        avant_le: date,
        motif: str = "",
        message: str = "",
    ) -> "tuple[Campagne, Preparation | None]":
        """Demande ces actions à qui les tient, et écrit un courriel à chacun, dans une seule transaction.

        La même demande du même auteur le même jour (double clic, rechargement) rend la campagne déjà lancée, et None.
        Lève ValidationError : date passée, aucune action.
        """
        campagne = self.model(
            plan=plan, avant_le=avant_le, motif=motif.strip(), message=message.strip(), lancee_par=auteur
        )
        with transaction.atomic():
            plan.verrouillee()
            memes = self.ouvertes().filter(plan=plan, avant_le=avant_le, motif=campagne.motif, lancee_par=auteur)
            deja = memes.filter(message=campagne.message, lancee_le__date=timezone.localdate()).first()
            if deja is not None:
                return deja, None
            campagne.full_clean()
            if avant_le < timezone.localdate():
                raise ValidationError({"avant_le": "Cette date est passée : choisissez-en une à venir."})
            if not actions:
                raise ValidationError("Il n'y a aucune action à demander.")
            campagne.save()
            repartition = repartir(actions)
            DemandeDActualisation.objects.bulk_create(
                DemandeDActualisation(campagne=campagne, action=action, destinataire=repartition.attendu(action))
                for action in actions
            )
            preparation = campagne._ecrire(repartition, "courriels/campagne")
        return campagne, preparation


class Campagne(LigneFermable):
    """« Merci d'actualiser vos actions avant le 12/03 »."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="campagnes")
    avant_le = models.DateField("à faire avant le")
    motif = models.CharField(
        "pour", max_length=100, blank=True, help_text="Ce qui se tient ce jour-là : « le COPIL », « l'audit »."
    )
    message = models.TextField("message", blank=True, help_text="Ajouté au courriel, tel quel.")
    lancee_le = models.DateTimeField("lancée le", default=timezone.now, editable=False)
    lancee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="lancée par",
        on_delete=models.PROTECT,
        related_name="campagnes",
        null=True,
        editable=False,
    )

    # Posés par DemandeQuerySet.annoncer().
    demandees: int
    repondues: int

    objects = CampagneQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "campagne d'actualisation"
        verbose_name_plural = "campagnes d'actualisation"
        ordering = ["-lancee_le", "-pk"]

    def __str__(self) -> str:
        return f"Actualisation avant {self.echeance}"

    def get_absolute_url(self) -> str:
        return reverse("actions:campagne", args=[self.pk])

    @property
    def echeance(self) -> str:
        """« le COPIL du 12/03 », « le 12/03 » ; avec l'année quand ce n'est pas celle du lancement."""
        meme_annee = self.avant_le.year == timezone.localtime(self.lancee_le).year
        jour = f"{self.avant_le:%d/%m}" if meme_annee else formater_date(self.avant_le)
        return f"{self.motif} du {jour}" if self.motif else f"le {jour}"

    @property
    def adresse_de_reponse(self) -> str:
        return reverse("actions:campagne_repondre", args=[self.pk])

    @property
    def cle(self) -> str:
        """Par quoi commence la clé de ses courriels."""
        return f"campagne-{self.pk}-"

    # --- Écriture ------------------------------------------------------------------------------

    def relancer(self) -> Preparation:
        """Écrit à ceux qui n'ont pas répondu à tout ; un courriel par jour et par personne au plus, lancement compris.

        Lève ValidationError si la campagne est close.
        """
        with transaction.atomic():
            if self.verrouillee().close_le:
                raise ValidationError("Cette campagne est close : rouvrez-la pour relancer.")
            sans_reponse = self.demandes.avec_reponse().sans_reponse().avec_l_action()
            return self._ecrire(repartir([demande.action for demande in sans_reponse]), "courriels/relance")

    def _ecrire(self, repartition: Repartition, gabarit: str) -> Preparation:
        jour = timezone.localdate().isoformat()
        preparation = Courriel.objects.preparer_tous(
            Lettre(
                part.personne,
                f"{self.cle}{part.personne.pk}-{jour}",
                gabarit,
                {"campagne": self, "part": part, "nombre": part.nombre},
            )
            for part in repartition.parts
        )
        if preparation.courriels:
            envoyer_des_que_possible()
        return preparation


class DemandeQuerySet(models.QuerySet["DemandeDActualisation"]):
    def avec_reponse(self) -> "DemandeQuerySet":
        """Annote `repondue`. Répond ce que quelqu'un a saisi de l'action après le lancement : une ligne de journal ou
        une note en vigueur, une étape."""
        dite = reduce(or_, (Q(Exists(lignes)) for lignes, _ in _ce_qui_repond().values()))
        reponse = Case(When(dite, then=Value(True)), default=Value(False), output_field=BooleanField())
        return self.annotate(repondue=reponse)

    def avec_moments(self) -> "DemandeQuerySet":
        """Annote le moment de la dernière réponse, sorte par sorte : voir `repondue_le`."""
        return self.annotate(
            **{
                nom: Subquery(lignes.order_by(f"-{moment}").values(moment)[:1])
                for nom, (lignes, moment) in _ce_qui_repond().items()
            }
        )

    def sans_reponse(self) -> "DemandeQuerySet":
        """Après `avec_reponse`."""
        return self.filter(repondue=False)

    def celles_qui_attendent_d_abord(self) -> "DemandeQuerySet":
        """Après `avec_reponse` ; puis dans l'ordre du plan."""
        return self.order_by("repondue", "action__numero")

    def en_cours(self) -> "DemandeQuerySet":
        """Celles d'une campagne qui n'est pas close."""
        return self.filter(campagne__close_le__isnull=True)

    def attendues_de(self, utilisateur: "Utilisateur | AnonymousUser") -> "DemandeQuerySet":
        """Celles dont on attend la réponse de lui aujourd'hui : il pilote l'action ou la supplée. Une action confiée à
        un autre depuis le lancement est attendue de cet autre."""
        return self.filter(Q(action__pilote=utilisateur) | Q(action__suppleant=utilisateur))

    def avec_l_action(self) -> "DemandeQuerySet":
        return self.select_related(
            "action__pilote__service", "action__suppleant__service", "action__service_pilote", "destinataire"
        ).order_by("action__numero")

    def compter(self) -> tuple[int, int]:
        """Combien répondues, sur combien. Après `avec_reponse`."""
        nombres = self.aggregate(total=Count("pk"), repondues=Count("pk", filter=Q(repondue=True)))
        return nombres["repondues"], nombres["total"]

    def annoncer(self, campagnes: "Sequence[Campagne]") -> None:
        """Pose `demandees` et `repondues`, des nombres, sur chacune de ces campagnes, en une requête."""
        comptes = (
            self.filter(campagne__in=campagnes)
            .avec_reponse()
            .order_by()
            .values("campagne")
            .annotate(total=Count("pk"), faites=Count("pk", filter=Q(repondue=True)))
        )
        nombres = {ligne["campagne"]: (ligne["faites"], ligne["total"]) for ligne in comptes} if campagnes else {}
        for campagne in campagnes:
            campagne.repondues, campagne.demandees = nombres.get(campagne.pk, (0, 0))

    def par_campagne(self) -> "list[tuple[Campagne, int]]":
        """Les campagnes de ces demandes et combien chacune en a, la plus pressée d'abord, en une requête. D'une
        campagne, seul ce qui la nomme est lu."""
        champs = {"pk": "campagne", **{nom: f"campagne__{nom}" for nom in ("avant_le", "motif", "lancee_le")}}
        lignes = self.order_by().values(*champs.values()).annotate(nombre=Count("pk"))
        return [
            (Campagne(**{nom: ligne[chemin] for nom, chemin in champs.items()}), ligne["nombre"])
            for ligne in lignes.order_by("campagne__avant_le", "campagne")
        ]


JOURNAUX = {"dit_le_statut": ChangementDeStatut, "dit_l_echeance": ReportEcheance, "dit_la_presence": PresenceAuPlan}


def _ce_qui_repond() -> dict[str, tuple[models.QuerySet, str]]:
    """Par sorte de réponse, les lignes qui répondent à une demande, et où lire le moment de leur saisie."""
    # Un changement de statut défait aussitôt n'apprend rien de l'action.
    lignes: dict[str, tuple[models.QuerySet, str]] = {
        nom: (journal.objects.all().en_vigueur().exclude(commentaire=ANNULE), "saisi_le")
        for nom, journal in JOURNAUX.items()
    }
    lignes |= {
        "dit_une_note": (NoteDeSuivi.objects.en_vigueur(), "saisi_le"),
        "dit_une_etape": (Etape.history.all(), "history_date"),
    }
    return {
        nom: (dites.filter(action=OuterRef("action"), **{f"{moment}__gt": OuterRef("campagne__lancee_le")}), moment)
        for nom, (dites, moment) in lignes.items()
    }


class DemandeDActualisation(models.Model):
    """Une action qu'une campagne demande d'actualiser, et à qui. Ce qui y répond se lit sur l'action, jamais ici."""

    campagne = models.ForeignKey(Campagne, on_delete=models.PROTECT, related_name="demandes")
    action = models.ForeignKey("actions.Action", on_delete=models.PROTECT, related_name="demandes")
    destinataire = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="destinataire",
        on_delete=models.PROTECT,
        related_name="demandes",
        null=True,
        blank=True,
        help_text="Vide : personne ne la pilotait quand la campagne a été lancée.",
    )

    # Annoté par `avec_reponse`.
    repondue: bool

    objects = DemandeQuerySet.as_manager()

    class Meta:
        verbose_name = "demande d'actualisation"
        verbose_name_plural = "demandes d'actualisation"
        ordering = ["campagne", "action"]
        constraints = [
            models.UniqueConstraint(
                fields=["campagne", "action"],
                name="demandedactualisation_une_fois",
                violation_error_message="Cette campagne demande déjà cette action.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} → {self.destinataire or 'personne'}"

    @property
    def repondue_le(self) -> datetime | None:
        """Le moment de la dernière réponse, ou None ; après `avec_moments`."""
        noms = (*JOURNAUX, "dit_une_note", "dit_une_etape")
        return max(filter(None, (getattr(self, nom) for nom in noms)), default=None)
