"""Les formulaires de la revue : un champ d'un contrat à corriger, la commune d'un établissement."""

import datetime
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from comptes.models import Utilisateur
from marches.communes import commune_de
from marches.decp.dates import PREMIERE_ANNEE
from marches.generations import ContratsOccupes
from marches.listes import ChampCorrige
from marches.models import Contrat
from marches.reponses import Reponse
from marches.revision import corriger, situer
from socle.champs import ChampDate, ChampNombre
from socle.formats import formater_date, formater_montant

OCCUPE = "Un import écrit en ce moment\u00a0: réessayez dans un instant. Rien n'est perdu."
_ADRESSES = {champ.value.lower(): champ for champ in ChampCorrige}
CANDIDATS = 50


def champ_de_l_adresse(texte: str) -> ChampCorrige | None:
    """« date », « montant »… : le champ que l'adresse nomme."""
    return _ADRESSES.get(texte)


class FormulaireDeRevue(forms.Form):
    """Un motif et un bouton. `ecrire` peut lever ValidationError ou ContratsOccupes : dits en tête du formulaire."""

    bouton = "Corriger"

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.add_input(Submit("", self.bouton))
        return helper

    def ecrire(self, auteur: Utilisateur) -> None:
        raise NotImplementedError

    def enregistrer(self, auteur: Utilisateur) -> bool:
        try:
            self.ecrire(auteur)
        except ValidationError as refus:
            self.add_error(None, refus.messages)
        except ContratsOccupes:
            self.add_error(None, OCCUPE)
        return not self.errors


class FormulaireDeCorrection(FormulaireDeRevue):
    """La valeur d'un seul champ. `champ` décide de ce qu'on y tape."""

    motif = forms.CharField(
        label="Motif",
        max_length=300,
        help_text="D'où vient la bonne valeur : il reste avec la correction, signée de votre nom.",
    )

    def __init__(self, *args: Any, contrat: Contrat, champ: ChampCorrige, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.contrat, self.champ = contrat, champ
        if valeur := self._valeur():
            self.fields = {"valeur": valeur, **self.fields}
        if champ == ChampCorrige.DISTINCT:
            self.bouton = "Dire que c'est un contrat distinct"

    @property
    def sans_candidat(self) -> bool:
        """Rien avec quoi se confondre : il n'y a pas de formulaire à montrer."""
        return self.champ == ChampCorrige.DOUBLON and not self.fields["valeur"].choices  # type: ignore[attr-defined]

    @property
    def titre(self) -> str:
        return {
            ChampCorrige.DATE: "Corriger la date de notification",
            ChampCorrige.MONTANT: "Corriger ou confirmer le montant",
            ChampCorrige.ENVIRONNEMENT: "Renseigner la considération environnementale",
            ChampCorrige.SOCIAL: "Renseigner la considération sociale",
            ChampCorrige.DOUBLON: "Écarter un doublon",
            ChampCorrige.DISTINCT: "Garder comme contrat distinct",
        }[self.champ]

    def _valeur(self) -> forms.Field | None:
        match self.champ:
            case ChampCorrige.DATE:
                return ChampDate(label="Notifié le", initial=self.contrat.date)
            case ChampCorrige.MONTANT:
                return ChampNombre(
                    label="Montant HT, en euros",
                    initial=self.contrat.montant,
                    max_digits=18,
                    decimal_places=2,
                    min_value=0,
                    help_text="Celui de l'état initial ; le montant maximum pour un accord-cadre.",
                )
            case ChampCorrige.ENVIRONNEMENT | ChampCorrige.SOCIAL:
                choix = [(Reponse.OUI.value, Reponse.OUI.label), (Reponse.NON.value, Reponse.NON.label)]
                return forms.ChoiceField(label="Réponse", choices=choix, widget=forms.RadioSelect)
            case ChampCorrige.DOUBLON:
                return forms.ChoiceField(
                    label="Il est le doublon de",
                    choices=[(str(c.souche), _resume(c)) for c in semblables(self.contrat)],
                    widget=forms.RadioSelect,
                    help_text="Celui-ci reste compté ; l'autre ne l'est plus.",
                    error_messages={"required": "Choisissez le contrat à garder."},
                )
        return None

    def clean_valeur(self) -> Any:
        valeur = self.cleaned_data["valeur"]
        if isinstance(valeur, datetime.date):
            if valeur > timezone.localdate():
                raise ValidationError(f"Le {formater_date(valeur)} est à venir.")
            if valeur.year < PREMIERE_ANNEE:
                raise ValidationError(f"Les dates publiées commencent en {PREMIERE_ANNEE}.")
        return valeur

    def ecrire(self, auteur: Utilisateur) -> None:
        dite = self.cleaned_data.get("valeur", "")
        valeur = dite.isoformat() if isinstance(dite, datetime.date) else str(dite)
        corriger(self.contrat, self.champ, valeur, motif=self.cleaned_data["motif"], auteur=auteur)


class FormulaireDeLieu(FormulaireDeRevue):
    """Un code postal et, s'il sert plusieurs communes, la ville."""

    bouton = "Enregistrer la commune"
    code_postal = forms.RegexField(
        r"^\d{5}$", label="Code postal", error_messages={"invalid": "Un code postal compte cinq chiffres."}
    )
    ville = forms.CharField(
        label="Ville", required=False, max_length=200, help_text="Utile si le code postal sert plusieurs communes."
    )
    source = forms.CharField(label="Source", max_length=200, help_text="Annuaire des entreprises, facture…")

    def __init__(self, *args: Any, siret: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.siret = siret

    def clean(self) -> dict[str, Any]:
        lu = super().clean() or {}
        if not self.errors:
            lu["commune"] = commune_de(lu["code_postal"], lu["ville"])
            if not lu["commune"]:
                self.add_error("ville", "Ce code postal et cette ville ne désignent pas une seule commune.")
        return lu

    def ecrire(self, auteur: Utilisateur) -> None:
        situer(self.siret, self.cleaned_data["commune"], source=self.cleaned_data["source"], auteur=auteur)


def semblables(contrat: Contrat) -> list[Contrat]:
    """Ceux avec lesquels il peut se confondre : même identifiant, ou même date et même montant."""
    pareil = Q(groupe=contrat.groupe)
    if contrat.date and contrat.montant is not None:
        pareil |= Q(date=contrat.date, montant=contrat.montant)
    autres = Contrat.objects.en_vigueur().filter(pareil, siren=contrat.siren, doublon=False)
    return list(autres.exclude(souche=contrat.souche).order_by("pk")[:CANDIDATS])


def _resume(contrat: Contrat) -> str:
    dits = (contrat.identifiant, str(contrat), formater_date(contrat.date), formater_montant(contrat.montant))
    return " · ".join(dit for dit in dits if dit)
