"""Les formulaires du retrait d'une action et de son retour au plan."""

from typing import Any

from django import forms

from actions.formulaires import FormulaireAuJournal, champ_date_effet
from comptes.models import Utilisateur
from socle.formats import formater_date


class FormulaireDeRetrait(FormulaireAuJournal):
    """Sortir une action du plan à une date : elle quitte les totaux et reste dans l'historique."""

    titre = "Retirer du plan"
    bouton = "Retirer l'action du plan"
    explication = (
        "À partir de la date d'effet, l'action ne compte plus dans les totaux et n'est plus dans les listes. Rien "
        "n'est effacé : sa page et son histoire restent, et on peut la remettre au plan."
    )

    motif = forms.CharField(
        label="Motif", max_length=300, help_text="En une phrase : ce qui a été décidé, par qui, ou ce qui la remplace."
    )
    date_effet = champ_date_effet()

    @property
    def compte_rendu(self) -> str:
        return f"Retrait enregistré, au {self._jour} (action {self.action.numero})."

    @property
    def _jour(self) -> str:
        return formater_date(self.cleaned_data["date_effet"])

    @property
    def _mouvement(self) -> dict[str, Any]:
        return {"motif": self.cleaned_data["motif"], **self.insertion}

    def ecrire(self, auteur: Utilisateur) -> None:
        self.action.retirer(auteur=auteur, **self._mouvement)


class FormulaireDeRetour(FormulaireDeRetrait):
    """Remettre au plan une action retirée : elle y retrouve sa place, son statut et son échéance."""

    titre = "Remettre au plan"
    bouton = "Remettre l'action au plan"
    explication = (
        "À partir de la date d'effet, l'action compte de nouveau dans les totaux, avec son numéro, son statut et son "
        "échéance. Entre son retrait et cette date, elle reste hors du plan."
    )

    motif = forms.CharField(label="Motif", required=False, max_length=300, help_text="Facultatif, en une phrase.")

    @property
    def compte_rendu(self) -> str:
        return f"Retour enregistré, au {self._jour} (action {self.action.numero})."

    def ecrire(self, auteur: Utilisateur) -> None:
        self.action.remettre(auteur=auteur, **self._mouvement)
