"""Ce qu'il faut dire d'un plan pour qu'il reparte d'un autre."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from actions.duplication import dupliquer, suite_de
from actions.models import Plan
from comptes.models import Utilisateur
from socle.champs import ChampDate
from socle.contraintes import BORNES_ANNEE
from socle.formats import formater_date


class FormulaireDeDuplication(forms.Form):
    """`plan` : le plan créé, ou celui que la même demande avait déjà créé, une fois `enregistrer` passé."""

    plan: Plan
    nouveau: bool

    intitule = forms.CharField(label="Intitulé du nouveau plan", max_length=300)
    annee_debut = forms.IntegerField(label="Première année", validators=BORNES_ANNEE)
    annee_fin = forms.IntegerField(label="Dernière année", validators=BORNES_ANNEE)
    depart = ChampDate(
        label="Date de départ",
        help_text="Le jour où chaque action reprise devient «\u00a0non initiée\u00a0». S'il est à venir, les journaux "
        "commencent aujourd'hui et disent le départ prévu\u00a0: rien ne s'y inscrit d'avance.",
    )
    avec_pilotes = forms.BooleanField(
        label="Reprendre aussi les pilotes et leurs suppléants",
        required=False,
        help_text="Ceux dont le compte est actif. Sinon chaque action garde son service, et attend son pilote.",
    )

    def __init__(self, *args, source: Plan, **kwargs) -> None:
        self.source = source
        suite = suite_de(source)
        kwargs["initial"] = {nom: getattr(suite, nom) for nom in ("intitule", "annee_debut", "annee_fin", "depart")}
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Dupliquer le plan"))

    def clean(self) -> dict:
        donnees = super().clean() or {}
        debut, fin, depart = (donnees.get(nom) for nom in ("annee_debut", "annee_fin", "depart"))
        if debut and fin and fin < debut:
            self.add_error("annee_fin", "La dernière année du plan précède la première.")
        elif fin and depart and depart.year > fin:
            self.add_error("depart", f"Le plan finit en {fin} : son départ ne peut pas venir après.")
        return donnees

    def enregistrer(self, auteur: Utilisateur) -> bool:
        """Vrai si le plan existe ; sinon les erreurs sont dans le formulaire."""
        try:
            self.plan, self.nouveau = dupliquer(self.source, auteur=auteur, **self.cleaned_data)
        except ValidationError as refus:
            for champ, phrases in refus.message_dict.items():
                self.add_error(champ if champ in self.fields else None, phrases)
        return self.is_valid()

    @property
    def compte_rendu(self) -> str:
        if not self.nouveau:
            return f"Le plan « {self.plan} » existe déjà, repris de celui-ci : le voici. Rien n'a été créé de plus."
        depart, aujourdhui = self.cleaned_data["depart"], timezone.localdate()
        nombre = self.plan.actions.count()
        phrase = f"Plan « {self.plan} » créé, avec {nombre} action{'' if nombre < 2 else 's'}"
        if depart <= aujourdhui:
            return f"{phrase}, au {formater_date(depart)}."
        return (
            f"{phrase}. Le départ du {formater_date(depart)} est à venir : les journaux commencent aujourd'hui, "
            f"{formater_date(aujourdhui)}."
        )
