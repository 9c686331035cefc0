"""Ouvrir une collecte ; renvoyer une valeur."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from actions.models import Plan
from comptes.courriels import Preparation
from comptes.models import Utilisateur
from indicateurs.collectes import Collecte
from indicateurs.demandes_de_valeur import MOTIF_DE_RENVOI, DemandeDeValeur
from socle.champs import ChampDate
from socle.modeles import ConflitDeVersion

SIGNES_DU_MESSAGE = 2000
CORRIGEE = "La valeur a changé entre-temps ({}) : rien n'est renvoyé. Renvoyez-la si le motif vaut toujours."


class FormulaireDeCollecte(forms.Form):
    """De quel plan, de quelle année, pour quand."""

    plan = forms.ModelChoiceField(label="Plan", queryset=Plan.objects.all(), empty_label=None)
    annee = forms.IntegerField(label="Année", widget=forms.TextInput(attrs={"inputmode": "numeric"}))
    avant_le = ChampDate(label="À remettre avant le")
    message = forms.CharField(
        label="Message",
        required=False,
        max_length=SIGNES_DU_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Ajouté au courriel de chacun, tel quel.",
    )

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("initial", {"annee": timezone.localdate().year - 1, "plan": Plan.objects.par_defaut()})
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Ouvrir la collecte"))

    # Celle qui existe déjà pour ce plan et cette année, quand c'est elle qui empêche d'ouvrir.
    existante: Collecte | None = None

    def ouvrir(self, auteur: Utilisateur) -> tuple[Collecte, Preparation | None] | None:
        """La collecte ouverte et ce qui part ; None si elle est refusée, les erreurs sont alors dans le formulaire."""
        donnees = self.cleaned_data
        try:
            return Collecte.objects.all().ouvrir(
                donnees["plan"],
                donnees["annee"],
                auteur=auteur,
                avant_le=donnees["avant_le"],
                message=donnees["message"],
            )
        except ValidationError as refus:
            self.existante = Collecte.objects.filter(plan=donnees["plan"], annee=donnees["annee"]).first()
            for champ, messages in refus.message_dict.items():
                self.add_error(champ if champ in self.fields else None, messages)
        return None


class FormulaireDeRenvoi(forms.Form):
    """Ce qui ne va pas, que le service lira."""

    motif = forms.CharField(
        label="Ce qui ne va pas",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": MOTIF_DE_RENVOI},
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, demande: DemandeDeValeur, **kwargs) -> None:
        self.valeur = demande.valeur
        kwargs.setdefault("initial", {"version": self.valeur.version if self.valeur else 0})
        super().__init__(*args, **kwargs)
        self.demande = demande
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Renvoyer au service"))

    def renvoyer(self, auteur: Utilisateur) -> bool:
        """Vrai si c'est renvoyé ; sinon les erreurs sont dans le formulaire."""
        try:
            self.demande.renvoyer(auteur, motif=self.cleaned_data["motif"], version=self.cleaned_data["version"])
        except ConflitDeVersion:
            if self.valeur is not None:
                self.add_error(None, CORRIGEE.format(self.valeur.detail))
                # Le prochain envoi part de la valeur qu'on vient de montrer.
                self.data = {**dict(self.data.items()), "version": str(self.valeur.version)}
        except ValidationError as refus:
            self.add_error(None, refus.messages)
        return self.is_valid()
