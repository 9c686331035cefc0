"""Formulaires d'un comité : sa date et son lieu, et les décisions de son relevé."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from actions.comites import Comite, Decision
from actions.models import Action
from actions.plans import Plan
from actions.requetes import numero_demande
from comptes.models import Utilisateur
from socle.champs import ChampDate
from socle.formulaires import FormulaireVersionne, remplacer_la_saisie
from socle.modeles import ConflitDeVersion


class FormulaireComite(FormulaireVersionne):
    """Un comité : quand et où. `enregistrer` ouvre la transaction."""

    date = ChampDate(label="Date", help_text="À venir, ou passée pour un comité déjà tenu.")

    class Meta:
        model = Comite
        fields = ("date", "lieu")

    def __init__(self, *args, plan: Plan, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.instance.plan = plan
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Enregistrer le comité"))

    def _get_validation_exclusions(self) -> set[str]:
        """Le plan n'est pas un champ de la page, mais un seul comité par jour se juge avec lui."""
        return super()._get_validation_exclusions() - {"plan"}  # type: ignore[misc]

    def enregistrer(self) -> Comite | None:
        """Le comité enregistré, ou celui que ce même envoi vient de créer (double clic, rechargement) ; None si
        refusé, les erreurs sont alors dans le formulaire."""
        with transaction.atomic():
            self.instance.plan.verrouillee()
            return self.save() if self.is_valid() else self._deja_cree()

    def _deja_cree(self) -> Comite | None:
        if not (self.is_bound and self.instance._state.adding and self.instance.date):
            return None
        meme = {"plan": self.instance.plan, "date": self.instance.date, "lieu": self.instance.lieu}
        deja = Comite.objects.filter(**meme).first()
        return deja if deja and self._vient_de(deja, deja.version - 1) else None


class FormulaireDecision(forms.Form):
    """Une décision, sur une action désignée par son numéro ou sur tout le plan.

    `enregistrer` rend vrai si c'est écrit ; sinon les erreurs sont dans le formulaire, avec ce qui a été tapé.
    """

    numero = forms.CharField(
        label="Numéro de l'action",
        required=False,
        max_length=20,
        help_text="Vide : la décision porte sur tout le plan.",
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    texte = forms.CharField(label="Décision", max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, comite: Comite, decision: Decision | None = None, **kwargs) -> None:
        self.comite, self.decision = comite, decision
        if decision:
            numero = decision.action.numero if decision.action else ""
            kwargs["initial"] = {"numero": numero, "texte": decision.texte, "version": decision.version}
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_action = self.adresse
        self.helper.add_input(Submit("", "Enregistrer la décision" if decision else "Ajouter la décision"))

    @property
    def adresse(self) -> str:
        if self.decision:
            return reverse("actions:decision_modifier", args=[self.comite.pk, self.decision.pk])
        return reverse("actions:decision_ajouter", args=[self.comite.pk])

    @property
    def titre(self) -> str:
        return "Modifier la décision" if self.decision else "Ajouter une décision"

    def clean_numero(self) -> Action | None:
        tape = self.cleaned_data["numero"].strip()
        if not tape:
            return None
        numero = numero_demande(tape)
        if numero is None:
            raise ValidationError(f"« {tape} » n'est pas un numéro d'action : écrivez par exemple 12.")
        action = Action.objects.filter(plan=self.comite.plan_id, numero=numero).first()
        if action is None:
            raise ValidationError(f"Ce plan n'a pas d'action n° {numero}.")
        return action

    def enregistrer(self, auteur: Utilisateur) -> bool:
        action, texte = self.cleaned_data["numero"], self.cleaned_data["texte"]
        try:
            if self.decision:
                version = self.cleaned_data["version"] or 0
                self.decision.reprendre(version=version, texte=texte, action=action)
            else:
                Decision.objects.relever(self.comite, texte=texte, action=action, auteur=auteur)
        except ConflitDeVersion as erreur:
            self._montrer_le_conflit(erreur)
        except ValidationError as refus:
            self.add_error(None, refus.messages)
        return self.is_valid()

    def _montrer_le_conflit(self, erreur: ConflitDeVersion) -> None:
        actuelle = Decision.objects.select_related("action").get(pk=erreur.actuelle.pk)
        remplacer_la_saisie(self, "version", actuelle.version)
        derniere = actuelle.history.select_related("history_user").first()
        qui = f" par {derniere.history_user}" if derniere and derniere.history_user else ""
        sujet = f"action n° {actuelle.action.numero}" if actuelle.action else "tout le plan"
        retiree = ", retirée" if actuelle.retiree else ""
        self.add_error(
            None,
            f"Modification faite{qui} pendant votre saisie : « {actuelle.texte} » ({sujet}{retiree}). Rien n'a été "
            "écrasé ; votre saisie est gardée. Enregistrez de nouveau pour la garder.",
        )
