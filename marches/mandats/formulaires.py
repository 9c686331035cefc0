"""Déposer des mandats, puis dire ce que contient chaque colonne."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field, Fieldset, Layout, Submit
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from comptes.models import Siren
from marches.listes import Base, SorteDeFichier
from marches.mandats.correspondances import Correspondance, Role
from marches.mandats.fichiers import LIMITES, FichierLu
from marches.mandats.imports import SORTES, Cadre, Depot, correspondance_pour
from marches.mandats_importes import BudgetDeMandats
from socle.contraintes import BORNES_ANNEE
from socle.formats import INSECABLE, plier, typographie

BUDGETS_MAX = 40
# Les colonnes dont on montre des exemples : ni nom, ni code, rien qui dise qui est une personne.
_MONTRES = frozenset(Role) - {Role.NOM, Role.CODE_TIERS, Role.SIRET}
_DES_TIERS = (Role.CODE_TIERS, Role.NOM, Role.SIRET, Role.CODE_POSTAL, Role.VILLE)


class FormulaireDeDepot(forms.Form):
    """L'exercice, le budget, et un ou deux fichiers."""

    annee = forms.IntegerField(label="Exercice", min_value=BORNES_ANNEE[0].limit_value)
    budget = forms.ModelChoiceField(
        BudgetDeMandats.objects.all(), label="Budget", required=False, empty_label="Un nouveau budget"
    )
    nouveau = forms.CharField(
        label="Nom du nouveau budget", max_length=200, required=False, help_text="Par exemple « Budget principal »."
    )
    base = forms.ChoiceField(
        label="Montants du nouveau budget",
        choices=[("", "—"), *Base.choices],
        required=False,
        help_text="Un budget assujetti à la TVA se compte souvent hors taxes. Les deux ne s'additionnent jamais.",
    )
    siren = forms.ChoiceField(label="SIREN du nouveau budget", required=False)
    mandats = forms.FileField(
        label="Mandats",
        help_text="L'export des finances, en .xlsx, .ods ou .csv, de 20 Mo au plus.",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.ods,.csv,.txt"}),
        error_messages={"empty": "Ce fichier est vide."},
    )
    tiers = forms.FileField(
        label="Tiers (facultatif)",
        required=False,
        help_text="Si le SIRET, le code postal et la ville sont dans un autre fichier, joint par le code du tiers.",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.ods,.csv,.txt"}),
        error_messages={"empty": "Ce fichier est vide."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["annee"].initial = timezone.localdate().year - 1
        sirens = list(Siren.objects.values_list("numero", flat=True))
        self.fields["siren"].choices = [("", "—"), *((siren, siren) for siren in sirens)]  # type: ignore[attr-defined]
        self.fields["siren"].initial = sirens[0] if len(sirens) == 1 else ""
        self.helper = FormHelper()
        self.helper.layout = Layout(
            "annee",
            "budget",
            Fieldset("Si le budget est nouveau", "nouveau", "base", "siren"),
            Fieldset("Fichiers", "mandats", "tiers"),
        )
        self.helper.add_input(Submit("", "Lire le fichier"))

    def clean_annee(self) -> int:
        annee = self.cleaned_data["annee"]
        if annee > timezone.localdate().year:
            raise ValidationError("Cet exercice est à venir : aucun mandat n'y est attendu.")
        return annee

    def clean_mandats(self):
        return self._pese("mandats")

    def clean_tiers(self):
        return self._pese("tiers")

    def _pese(self, champ: str):
        fichier = self.cleaned_data[champ]
        if fichier and fichier.size > LIMITES.octets:
            raise ValidationError("Ce fichier pèse plus de 20 Mo.")
        return fichier

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or {}
        if donnees.get("budget"):
            return donnees
        nom = (donnees.get("nouveau") or "").strip()
        if not nom:
            self.add_error("nouveau", "Choisissez un budget, ou nommez le nouveau.")
        elif any(plier(nom) == plier(connu) for connu in BudgetDeMandats.objects.values_list("nom", flat=True)):
            self.add_error("nouveau", "Ce budget existe déjà : choisissez-le dans la liste.")
        if not donnees.get("base"):
            self.add_error("base", "Dites si les montants de ce budget sont hors taxes ou toutes taxes comprises.")
        return donnees

    @property
    def cadre(self) -> Cadre:
        dit = self.cleaned_data
        if budget := dit["budget"]:
            return Cadre(dit["annee"], budget.base, budget.pk)
        return Cadre(dit["annee"], dit["base"], None, dit["nouveau"].strip(), dit["siren"])


class FormulaireDeColonnes(forms.Form):
    """Un choix par rôle et par fichier. Les rôles du second sont ceux qui décrivent un tiers."""

    depot = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, depot: Depot, **kwargs: Any) -> None:
        self.depose = depot
        super().__init__(*args, **kwargs)
        self.retenues = False
        blocs = []
        for rang, (fichier, sorte) in enumerate(zip(depot.fichiers, SORTES, strict=False)):
            blocs.append(self._bloc(rang, fichier.lu, sorte))
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.layout = Layout("depot", *blocs)

    def _bloc(self, rang: int, fichier: FichierLu, sorte: SorteDeFichier) -> Fieldset:
        proposee, retenue = correspondance_pour(fichier, sorte)
        self.retenues = self.retenues or retenue
        noms: list[Any] = []
        for role in Role if rang == 0 else _DES_TIERS:
            nom = f"{role.value}_{rang}"
            titre = proposee.colonne(role)
            self.fields[nom] = forms.ChoiceField(
                label=role.libelle,
                required=False,
                choices=[("", "—"), *((entete, entete) for entete in fichier.entetes)],
                initial=titre,
                help_text=_exemples(fichier, titre) if role in _MONTRES else "",
            )
            noms.append(Field(nom))
        if rang == 0 and (champ := self._budgets_du_fichier(fichier, proposee)):
            noms.append(champ)
        return Fieldset(typographie(f"« {fichier.nom} »"), *noms)

    def _budgets_du_fichier(self, fichier: FichierLu, proposee: Correspondance) -> Any:
        valeurs = fichier.valeurs(proposee.budget)
        if not 1 < len(valeurs) <= BUDGETS_MAX:
            return None
        self.colonne_des_budgets = proposee.budget
        self.fields["budgets"] = forms.MultipleChoiceField(
            label="Lignes à garder, parmi les budgets du fichier",
            choices=[(valeur, valeur) for valeur in valeurs],
            widget=forms.CheckboxSelectMultiple,
            required=False,
        )
        return Field("budgets")

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or {}
        for rang in range(len(self.depose.fichiers)):
            self._refuser_les_doubles(donnees, rang)
        if "budgets" in self.fields and not donnees.get("budgets") and self._colonne_gardee(donnees):
            self.add_error("budgets", "Ce fichier mêle plusieurs budgets : cochez celui ou ceux à garder.")
        return donnees

    def _colonne_gardee(self, donnees: dict[str, Any]) -> bool:
        return donnees.get("budget_0") == self.colonne_des_budgets

    def _refuser_les_doubles(self, donnees: dict[str, Any], rang: int) -> None:
        vues: dict[str, str] = {}
        for role in Role:
            nom = f"{role.value}_{rang}"
            titre = donnees.get(nom)
            if titre and titre in vues:
                self.add_error(nom, f"Cette colonne dit déjà{INSECABLE}: {vues[titre].lower()}.")
            elif titre:
                vues[titre] = role.libelle

    @property
    def correspondances(self) -> list[Correspondance]:
        return [
            Correspondance(**{role.value: self.cleaned_data.get(f"{role.value}_{rang}", "") for role in Role})
            for rang in range(len(self.depose.fichiers))
        ]

    @property
    def budgets(self) -> list[str]:
        return self.cleaned_data.get("budgets", []) if self._colonne_gardee_ici else []

    @property
    def _colonne_gardee_ici(self) -> bool:
        return "budgets" in self.fields and self._colonne_gardee(self.cleaned_data)


def _exemples(fichier: FichierLu, titre: str) -> str:
    """Les premières valeurs de la colonne, telles que le fichier les écrit."""
    exemples = fichier.premieres(titre, 3)
    return typographie(f"Par exemple : {', '.join(exemples)}") if exemples else ""
