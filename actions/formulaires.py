"""Formulaires des gestes sur une action. La fiche a le sien : `fiche.py`."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from actions.journaux import ChangementDeStatut, SaisieTardive
from actions.models import Action
from actions.statuts import PointAttention, Statut
from actions.suivi import PorteeDeNote
from comptes.models import Utilisateur
from socle.champs import ChampDate, ChampEcheance
from socle.formats import formater_date
from socle.formulaires import remplacer_la_saisie
from socle.modeles import ConflitDeVersion


class FormulaireDeGeste(forms.Form):
    """Un geste sur une action. `enregistrer` rend vrai si c'est écrit ; sinon les erreurs sont dans le formulaire.

    `conflit` est l'action telle qu'enregistrée quand quelqu'un d'autre est passé entre-temps : la page montre les
    deux versions, et l'envoyer de nouveau enregistre en connaissance de cause.
    """

    titre = ""
    bouton = "Enregistrer"
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, action: Action, **kwargs) -> None:
        self.action = action
        self.conflit: Action | None = None
        kwargs["initial"] = {**self.valeurs_de_depart(action), "version": action.version}
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.add_input(Submit("", self.bouton))
        self.helper.form_tag = True

    def valeurs_de_depart(self, action: Action) -> dict:
        return {}

    @property
    def compte_rendu(self) -> str:
        """La phrase qui confirme le geste."""
        return "C'est enregistré."

    def ecrire(self, auteur: Utilisateur) -> None:
        raise NotImplementedError

    def enregistrer(self, auteur) -> bool:
        try:
            self.ecrire(auteur)
        except SaisieTardive as erreur:
            self._demander_ou_inserer(erreur)
        except ConflitDeVersion as erreur:
            self._montrer_le_conflit(erreur)
        except ValidationError as erreur:
            self._reporter(erreur)
        return self.is_valid()

    def _reporter(self, erreur: ValidationError) -> None:
        if not hasattr(erreur, "error_dict"):
            self.add_error(None, erreur)
            return
        for champ, messages in erreur.message_dict.items():
            self.add_error(champ if champ in self.fields else None, messages)

    def _montrer_le_conflit(self, erreur: ConflitDeVersion) -> None:
        self.conflit = Action.objects.etat_au().get(pk=erreur.actuelle.pk)
        remplacer_la_saisie(self, "version", self.conflit.version)
        self.add_error(
            None,
            "Cette action a été modifiée pendant votre saisie. Rien n'a été écrasé ; votre saisie est gardée. "
            "Enregistrez de nouveau pour l'ajouter à ce qui est enregistré.",
        )

    @property
    def derniere_ligne(self) -> ChangementDeStatut | None:
        """Le dernier changement de statut saisi, à montrer en cas de conflit."""
        return ChangementDeStatut.objects.filter(action=self.action).select_related("auteur").order_by("-pk").first()

    def _demander_ou_inserer(self, erreur: SaisieTardive) -> None:
        """Une case à cocher, qui nomme la ligne avant laquelle la saisie viendrait."""
        suivante = erreur.suivante
        champ = self["insere_avant"]
        champ.label = f"Insérer avant le changement du {formater_date(suivante.date_effet)} ({suivante})"
        champ.field.widget = forms.CheckboxInput(attrs={"value": suivante.pk})
        remplacer_la_saisie(self, "insere_avant", "")
        self.add_error("date_effet", erreur)


class FormulaireAuJournal(FormulaireDeGeste):
    """Un geste qui s'inscrit dans un journal : il a une date d'effet, et peut arriver après coup."""

    insere_avant = forms.IntegerField(required=False, widget=forms.HiddenInput)

    @property
    def insertion(self) -> dict:
        donnees = self.cleaned_data
        return {
            "version": donnees["version"],
            "date_effet": donnees["date_effet"],
            "insere_avant": donnees["insere_avant"],
        }


def champ_date_effet() -> ChampDate:
    return ChampDate(
        label="Date d'effet",
        initial=timezone.localdate,
        help_text="Quand la chose est devenue vraie : aujourd'hui, ou une date passée.",
    )


class FormulaireStatut(FormulaireAuJournal):
    """Changer le statut d'une action."""

    titre = "Changer le statut"
    bouton = "Enregistrer le statut"
    # Écrite par `enregistrer` : celle que l'auteur peut encore défaire.
    ligne: ChangementDeStatut

    statut = forms.ChoiceField(
        label="Nouveau statut",
        choices=Statut,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Statut inconnu : choisissez terminée, en cours ou non initiée."},
    )
    avancement = forms.IntegerField(
        label="Avancement (%)", required=False, help_text="De 1 à 99, pour une action en cours."
    )
    date_effet = champ_date_effet()
    commentaire = forms.CharField(
        label="Commentaire", required=False, widget=forms.Textarea(attrs={"rows": 3}), max_length=2000
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not self.action.plan.affiche_avancement:
            del self.fields["avancement"]

    def valeurs_de_depart(self, action: Action) -> dict:
        return {"statut": action.statut, "avancement": action.avancement if action.statut == Statut.EN_COURS else None}

    @property
    def compte_rendu(self) -> str:
        donnees = self.cleaned_data
        return (
            f"Statut enregistré : {Statut(donnees['statut']).label}, au {formater_date(donnees['date_effet'])} "
            f"(action {self.action.numero})."
        )

    @property
    def refus(self) -> list[str]:
        """Pourquoi rien n'est enregistré, en phrases, pour qui n'a pas ce formulaire sous les yeux."""
        if self.conflit:
            statut = Statut(self.conflit.etat_statut).label if self.conflit.etat_statut else "Inconnu"
            return [f"Quelqu'un l'a modifiée entre-temps : elle est maintenant « {statut} »."]
        return [str(phrase) for phrases in self.errors.values() for phrase in phrases]

    def ecrire(self, auteur: Utilisateur) -> None:
        self.ligne = self.action.changer_statut(
            self.cleaned_data["statut"],
            avancement=self.cleaned_data.get("avancement"),
            commentaire=self.cleaned_data["commentaire"],
            auteur=auteur,
            **self.insertion,
        )


class FormulaireEcheance(FormulaireAuJournal):
    """Fixer ou reporter l'échéance d'une action."""

    titre = "Fixer ou reporter l'échéance"
    bouton = "Enregistrer l'échéance"

    echeance = ChampEcheance(label="Échéance", required=False)
    motif = forms.CharField(
        label="Motif",
        required=False,
        max_length=300,
        help_text="Demandé quand une échéance est déjà fixée.",
    )
    date_effet = champ_date_effet()

    def valeurs_de_depart(self, action: Action) -> dict:
        return {"echeance": action.valeur_echeance}

    def ecrire(self, auteur: Utilisateur) -> None:
        self.action.reporter_echeance(
            self.cleaned_data["echeance"], motif=self.cleaned_data["motif"], auteur=auteur, **self.insertion
        )


class FormulaireAttention(FormulaireDeGeste):
    """Poser, changer ou lever le point d'attention."""

    titre = "Point d'attention"
    bouton = "Enregistrer le point d'attention"

    nature = forms.ChoiceField(
        label="Nature", choices=[("", "Aucun point d'attention"), *PointAttention.choices], required=False
    )
    phrase = forms.CharField(
        label="En une phrase", required=False, max_length=300, help_text="Ce qui est à décider, ou ce qui bloque."
    )

    def valeurs_de_depart(self, action: Action) -> dict:
        return {"nature": action.attention_nature, "phrase": action.attention}

    def clean(self) -> dict:
        donnees = super().clean() or {}
        if donnees.get("nature") and not donnees.get("phrase"):
            self.add_error("phrase", "Dites en une phrase ce qui est à décider ou ce qui bloque.")
        if donnees.get("phrase") and not donnees.get("nature"):
            self.add_error("nature", "Choisissez la nature du point d'attention, ou effacez la phrase.")
        return donnees

    def ecrire(self, auteur: Utilisateur) -> None:
        donnees = self.cleaned_data
        self.action.signaler(donnees["nature"], donnees["phrase"], version=donnees["version"])


class FormulaireNote(FormulaireDeGeste):
    """Écrire une note de suivi. Une note ne remplace rien : la version lue n'importe pas."""

    titre = "Écrire une note de suivi"
    bouton = "Enregistrer la note"

    date = ChampDate(label="Date", initial=timezone.localdate)
    texte = forms.CharField(label="Texte", widget=forms.Textarea(attrs={"rows": 4}), max_length=5000)
    portee = forms.ChoiceField(
        label="Pour qui",
        choices=PorteeDeNote,
        initial=PorteeDeNote.INTERNE,
        help_text="Une note interne reste un document administratif : elle peut être communiquée à qui la demande.",
    )

    def ecrire(self, auteur: Utilisateur) -> None:
        donnees = self.cleaned_data
        self.action.noter(donnees["texte"], auteur=auteur, le=donnees["date"], portee=donnees["portee"])
