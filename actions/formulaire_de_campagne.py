"""Ce qu'il faut dire pour demander des nouvelles : de quel plan, de quelles actions, pour quand et pourquoi."""

import hashlib

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.conf import settings
from django.db import models
from django.utils import timezone

from actions.campagnes import Campagne
from actions.destinataires import Repartition, repartir
from actions.models import Action, Plan
from actions.requetes import JOURS_PROCHES
from comptes.courriels import Preparation
from comptes.models import Utilisateur
from socle.champs import ChampDate

SIGNES_DU_MESSAGE = 2000


class Lesquelles(models.TextChoices):
    TOUTES = "toutes", "Toutes celles qui ne sont pas terminées"
    PRESSANTES = (
        "pressantes",
        f"Celles en retard, à faire sous {JOURS_PROCHES}\u00a0jours ou sans nouvelle depuis "
        f"{settings.MOIS_SANS_NOUVELLE}\u00a0mois",
    )


def actions_a_demander(plan: Plan, lesquelles: str) -> list[Action]:
    """Les actions du plan à mener aujourd'hui, dans l'ordre du plan."""
    actions = Action.objects.filter(plan=plan).etat_au().au_plan().non_terminees()
    if lesquelles == Lesquelles.PRESSANTES:
        actions = actions.avec_urgence(timezone.localdate()).pressantes()
    return list(actions.select_related("pilote__service", "suppleant__service").order_by("numero"))


class FormulaireDeCampagne(forms.Form):
    """Validé, il connaît les actions demandées et leur répartition ; `empreinte` dit celle que la page a montrée."""

    plan = forms.ModelChoiceField(label="Plan", queryset=Plan.objects.none(), empty_label=None)
    lesquelles = forms.ChoiceField(
        label="Quelles actions", choices=Lesquelles, initial=Lesquelles.TOUTES, widget=forms.RadioSelect
    )
    avant_le = ChampDate(label="À faire avant le")
    motif = forms.CharField(
        label="Pour",
        max_length=100,
        required=False,
        help_text="Ce qui se tient ce jour-là, avec son article : « le COPIL », « l'audit ».",
    )
    message = forms.CharField(
        label="Message",
        required=False,
        max_length=SIGNES_DU_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Ajouté au courriel de chacun, tel quel.",
    )

    actions: list[Action]
    repartition: Repartition

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        plans = Plan.objects.du_plus_recent()
        self.fields["plan"].queryset = plans  # type: ignore[attr-defined]
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Voir à qui la demande ira"))

    def clean_avant_le(self):
        jour = self.cleaned_data["avant_le"]
        if jour < timezone.localdate():
            raise forms.ValidationError("Cette date est passée : choisissez-en une à venir.")
        return jour

    def clean_motif(self) -> str:
        return " ".join(self.cleaned_data["motif"].split())

    def clean(self) -> dict:
        donnees = super().clean() or {}
        if donnees.get("plan") and donnees.get("lesquelles"):
            self.actions = actions_a_demander(donnees["plan"], donnees["lesquelles"])
            self.repartition = repartir(self.actions)
            if not self.actions:
                self.add_error("lesquelles", "Aucune action de ce plan n'est dans ce cas : il n'y a rien à demander.")
        return donnees

    @property
    def campagne(self) -> Campagne:
        """Telle qu'elle serait lancée maintenant."""
        donnees = self.cleaned_data
        return Campagne(plan=donnees["plan"], avant_le=donnees["avant_le"], motif=donnees["motif"])

    @property
    def empreinte(self) -> str:
        """De la répartition : elle change si une action change de mains, entre ou sort entre l'aperçu et l'envoi."""
        parts = [
            (
                action.pk,
                action.pilote_id,
                action.suppleant_id,
                (attendu := self.repartition.attendu(action)) and attendu.pk,
            )
            for action in self.actions
        ]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    def lancer(self, auteur: Utilisateur) -> tuple[Campagne, Preparation | None]:
        donnees = self.cleaned_data
        return Campagne.objects.lancer(
            donnees["plan"],
            self.actions,
            auteur=auteur,
            avant_le=donnees["avant_le"],
            motif=donnees["motif"],
            message=donnees["message"],
        )
