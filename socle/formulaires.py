"""Formulaires sur des lignes éditées à plusieurs : personne n'écrase personne sans le voir."""

import datetime
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.db import models

from socle.formats import formater_date, formater_nombre


@dataclass(frozen=True)
class Divergence:
    """Un champ dont la valeur enregistrée entre-temps n'est pas celle qui vient d'être saisie."""

    libelle: str
    enregistre: str
    saisi: str


def afficher(valeur: Any) -> str:
    """Une valeur de champ en clair, pour montrer deux versions côte à côte."""
    if valeur is None or valeur == "":
        return "—"
    if isinstance(valeur, bool):
        return "oui" if valeur else "non"
    if isinstance(valeur, datetime.date):
        return formater_date(valeur)
    if isinstance(valeur, Decimal):
        return formater_nombre(valeur)
    if isinstance(valeur, models.QuerySet | list | tuple | set):
        return ", ".join(str(element) for element in valeur) or "—"
    return str(valeur)


def remplacer_la_saisie(formulaire: forms.BaseForm, champ: str, valeur: Any) -> None:
    """Change ce que le formulaire réaffichera dans un champ ; le reste de la saisie est gardé."""
    donnees: Any = copy(formulaire.data)
    donnees[formulaire.add_prefix(champ)] = str(valeur)
    formulaire.data = donnees


class FormulaireVersionne(forms.ModelForm):
    """ModelForm d'une LigneVersionnee : compare la version lue à celle enregistrée, sous verrou.

    À valider dans une transaction. Si la ligne a changé entre-temps, le formulaire est refusé, garde ce qui
    a été tapé, et `divergences` montre les deux versions ; l'envoyer de nouveau enregistre en connaissance de
    cause. Le même envoi reçu deux fois du même auteur (`auteur`) est reconnu : `deja_fait` est vrai et rien
    n'est écrit.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, auteur=None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.auteur = auteur
        self.deja_fait = False
        self.divergences: list[Divergence] = []
        if not self.instance._state.adding:
            self.fields["version"].initial = self.instance.version

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or {}
        if not self.instance._state.adding:
            self._comparer(donnees)
        return donnees

    def _comparer(self, donnees: dict[str, Any]) -> None:
        lue = donnees.get("version")
        actuelle = self.instance.verrouillee()
        # L'instance a pu être lue avant le verrou : on repart de ce qui est enregistré.
        self.instance.version = actuelle.version
        if lue == actuelle.version:
            return
        self.divergences = self._divergences(actuelle, donnees)
        if not self.divergences and lue is not None and self._vient_de(actuelle, lue):
            self.deja_fait = True
            return
        remplacer_la_saisie(self, "version", actuelle.version)
        raise forms.ValidationError(self._message(actuelle), code="conflit")

    def _vient_de(self, actuelle: Any, lue: int) -> bool:
        return actuelle.version == lue + 1 and self._auteur_de(actuelle) == self.auteur

    @staticmethod
    def _auteur_de(actuelle: Any):
        """L'auteur de la version enregistrée ; None si elle vient d'un journal ou d'une commande."""
        derniere = actuelle.history.first()
        return derniere.history_user if derniere and derniere.version == actuelle.version else None

    def valeurs_enregistrees(self, actuelle: Any) -> dict[str, Any]:
        """Par nom de champ, ce qui est enregistré. Un formulaire qui ajoute des champs hors du modèle les y ajoute."""
        return forms.model_to_dict(actuelle, fields=self._meta.fields, exclude=self._meta.exclude)

    def _divergences(self, actuelle: Any, donnees: dict[str, Any]) -> list[Divergence]:
        enregistre = self.valeurs_enregistrees(actuelle)
        divergences = []
        for nom, champ in self.fields.items():
            if nom == "version" or nom not in enregistre or nom not in donnees:
                continue
            if champ.has_changed(champ.prepare_value(enregistre[nom]), self[nom].data):
                divergences.append(
                    Divergence(
                        libelle=str(self[nom].label),
                        enregistre=self._en_clair(champ, getattr(actuelle, nom, enregistre[nom])),
                        saisi=self._en_clair(champ, donnees[nom]),
                    )
                )
        return divergences

    @staticmethod
    def _en_clair(champ: forms.Field, valeur: Any) -> str:
        if isinstance(valeur, models.Manager):
            valeur = valeur.all()
        if isinstance(valeur, str) and valeur:
            valeur = dict(getattr(champ, "choices", ())).get(valeur, valeur)
        return afficher(valeur)

    def _message(self, actuelle: Any) -> str:
        auteur = self._auteur_de(actuelle)
        qui = f" par {auteur}" if auteur else ""
        phrase = (
            f"Cette fiche a été modifiée{qui} pendant votre saisie. Rien n'a été écrasé ; votre saisie est gardée."
        )
        for ecart in self.divergences:
            phrase += f" {ecart.libelle} : « {ecart.enregistre} » enregistré, « {ecart.saisi} » saisi."
        return f"{phrase} Enregistrez de nouveau pour garder votre saisie."

    def save(self, commit: bool = True):
        if self.deja_fait:
            self.save_m2m = lambda: None  # type: ignore[method-assign]
            return self.instance
        return super().save(commit)
