"""Ce qui s'écrit d'un bilan : ses textes, ses dates et références, le motif d'une réouverture."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from bilans.arret import derniere_version, rouvrir, sous_verrou
from bilans.bilan import Bilan, Section
from comptes.gestes import Geste
from comptes.models import Utilisateur
from comptes.traces import tracer
from socle.champs import ChampDate
from socle.formulaires import FormulaireVersionne, remplacer_la_saisie
from socle.modeles import ConflitDeVersion

DEJA_ARRETE = (
    "Ce bilan vient d'être arrêté : ses textes ne changent plus. Rouvrez-le, en disant pourquoi, pour les reprendre ; "
    "votre saisie est gardée ci-dessous."
)


class FormulaireDeBilan(FormulaireVersionne):
    """Des champs d'un bilan, qui n'est peut-être pas encore enregistré : sa première saisie le crée.

    `enregistrer` ouvre la transaction ; deux premières saisies à la fois se voient donc comme deux autres.
    """

    bouton = "Enregistrer"

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version
        self.helper = FormHelper()
        self.helper.add_input(Submit("", self.bouton))

    def enregistrer(self) -> bool:
        """Vrai si c'est écrit, ou l'était déjà ; sinon les erreurs sont dans le formulaire, avec ce qui a été tapé."""
        lu = self.instance
        with transaction.atomic():
            self.instance = sous_verrou(lu.plan, lu.annee)
            if self.is_valid():
                if self.has_changed():
                    self.save()
                    self.tracer()
                return True
            # Refusé, il n'a rien à laisser derrière lui.
            transaction.set_rollback(True)
        return False

    def tracer(self) -> None:
        """Ce qui s'écrit ici a son historique ; rien de plus à dire."""


class FormulaireDeTextes(FormulaireDeBilan):
    """L'avant-propos et un commentaire par section ; plus rien n'y change une fois le bilan arrêté."""

    bouton = "Enregistrer les textes"

    class Meta:
        model = Bilan
        fields = ("avant_propos", *(f"commentaire_{section.value}" for section in Section))

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for champ in self._meta.fields or ():
            self.fields[champ].widget = forms.Textarea(attrs={"rows": 6 if champ == "avant_propos" else 3})
        for section in Section:
            self.fields[f"commentaire_{section.value}"].label = f"Commentaire : {section.label.lower()}"

    def clean(self):
        if self.instance.rouvert_le is None and derniere_version(self.instance) is not None:
            raise ValidationError(DEJA_ARRETE)
        return super().clean()


class FormulaireDeReferences(FormulaireDeBilan):
    """Ce qui arrive après l'arrêt, et n'est donc pas arrêté avec lui."""

    bouton = "Enregistrer les dates et références"

    presente_en_commission_le = ChampDate(label="Présenté en commission le", required=False)
    presente_en_conseil_le = ChampDate(label="Présenté en conseil le", required=False)
    relu_par_la_communication_le = ChampDate(label="Relu par la communication le", required=False)

    class Meta:
        model = Bilan
        fields = (
            "presente_en_commission_le",
            "presente_en_conseil_le",
            "numero_de_deliberation",
            "relu_par_la_communication_le",
        )

    def tracer(self) -> None:
        """Présenté en commission ou en conseil : un pas de la vie du bilan, comme l'arrêt et la publication."""
        if dates := {champ: self.cleaned_data[champ] for champ in self.changed_data if champ.startswith("presente_")}:
            tracer(Geste.BILAN, self.auteur, str(self.instance), details={"fait": "présenté"} | dates)


class FormulaireDeReouverture(forms.Form):
    """Pourquoi un bilan arrêté se rouvre."""

    motif = forms.CharField(
        label="Motif",
        max_length=300,
        help_text="En une phrase : ce qui est à corriger. Il restera écrit sur la nouvelle version, pas sur ce que "
        "voit le public.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, bilan: Bilan, **kwargs) -> None:
        self.bilan = bilan
        kwargs["initial"] = {"version": bilan.version, "motif": bilan.motif_de_reouverture}
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.add_input(Submit("", f"Rouvrir le bilan {bilan.annee}"))

    def enregistrer(self, auteur: Utilisateur) -> bool:
        try:
            rouvrir(
                self.bilan,
                auteur=auteur,
                version=self.cleaned_data["version"],
                motif=self.cleaned_data["motif"],
            )
        except ConflitDeVersion as conflit:
            remplacer_la_saisie(self, "version", conflit.actuelle.version)  # type: ignore[attr-defined]
            self.add_error(
                None,
                "Ce bilan a changé pendant votre saisie. Rien n'a été écrasé ; votre motif est gardé. Relisez où en "
                "est le bilan, puis envoyez de nouveau.",
            )
        except ValidationError as refus:
            self.add_error(None, refus.messages)
        return self.is_valid()
