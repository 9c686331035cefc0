"""Déposer un registre, puis dire ce que contient chaque colonne."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset, Layout, Submit
from django import forms
from django.core.exceptions import ValidationError

from marches.registre_importe.colonnes import NUMERO, ROLES
from marches.registre_importe.imports import correspondance_pour
from marches.registre_importe.lecture import LIMITES, TAILLE_MAX
from socle.formats import INSECABLE, accorder, typographie
from socle.tableaux import Tableau, texte_de

EXEMPLES = 3


class FormulaireDeDepot(forms.Form):
    registre = forms.FileField(
        label="Registre",
        help_text=f"Excel (.xlsx), LibreOffice (.ods) ou CSV, une ligne par lot, de 1,5{INSECABLE}Mo et "
        f"{accorder(LIMITES.lignes, 'ligne')} au plus.",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.ods,.csv,.txt"}),
        error_messages={"empty": "Ce fichier est vide."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Lire le fichier"))

    def clean_registre(self):
        fichier = self.cleaned_data["registre"]
        if fichier.size > TAILLE_MAX:
            raise ValidationError(f"Ce fichier pèse plus de 1,5{INSECABLE}Mo : importez le registre année par année.")
        return fichier


class FormulaireDeColonnes(forms.Form):
    """Un champ par rôle ; les valeurs sont des rangs, un titre pouvant contenir n'importe quoi."""

    depot = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, tableau: Tableau, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tableau = tableau
        proposee, self.retenues = correspondance_pour(tableau)
        rangs = {titre: str(rang) for rang, titre in enumerate(tableau.titres)}
        choix = [("", "Aucune"), *((str(rang), titre) for rang, titre in enumerate(tableau.titres) if titre)]
        for role in ROLES:
            titre = proposee.get(role.cle, "")
            self.fields[role.cle] = forms.ChoiceField(
                label=role.libelle,
                choices=choix,
                required=role is NUMERO,
                initial=rangs.get(titre, ""),
                help_text=self._exemples(titre),
                error_messages={"required": "Sans le numéro, on ne sait pas à quelle consultation va une ligne."},
            )
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.layout = Layout(
            "depot",
            Fieldset("La consultation", *(role.cle for role in ROLES if not role.du_lot)),
            Fieldset("Le lot", *(role.cle for role in ROLES if role.du_lot)),
        )

    def _exemples(self, titre: str) -> str:
        """Les premières valeurs de la colonne proposée."""
        if not titre:
            return ""
        rang = self.tableau.titres.index(titre)
        vues: dict[str, None] = {}
        for ligne in self.tableau.lignes:
            if texte := texte_de(ligne.cellules[rang])[:40]:
                vues[texte] = None
            if len(vues) == EXEMPLES:
                break
        return typographie(f"Par exemple : {' ; '.join(vues)}") if vues else ""

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or {}
        pris: dict[str, str] = {}
        for role in ROLES:
            rang = donnees.get(role.cle)
            if rang and rang in pris:
                self.add_error(role.cle, f"Cette colonne est déjà « {pris[rang]} ».")
            elif rang:
                pris[rang] = role.libelle
        return donnees

    @property
    def colonnes(self) -> dict[str, str]:
        """Clé du rôle → titre de sa colonne, pour les rôles tenus."""
        rangs = {role.cle: self.cleaned_data.get(role.cle) for role in ROLES}
        return {cle: self.tableau.titres[int(rang)] for cle, rang in rangs.items() if rang}
