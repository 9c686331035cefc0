"""Choisir un fichier, ou donner un lien : ce que partagent les formulaires qui déposent une pièce."""

from django import forms
from django.core.exceptions import ValidationError

from actions.depot_de_fichier import ACCEPTES, EN_CLAIR, TAILLE_MAX, poids_lisible, trop_lourd


class ChampsDePiece(forms.Form):
    """`trop_lourd_recu` : (nom, taille) du fichier que la vue n'a pas gardé."""

    fichier = forms.FileField(
        label="Fichier",
        required=False,
        # Vide, c'est au contrôle du contenu de le dire.
        allow_empty_file=True,
        max_length=500,
        help_text=f"{EN_CLAIR}. {poids_lisible(TAILLE_MAX)} au plus, sans macros.",
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPTES}),
    )
    lien = forms.URLField(
        label="Ou un lien",
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text="L'adresse d'une page.",
        # Le champ « url » d'un navigateur refuserait une adresse sans https://, que l'on sait compléter.
        widget=forms.TextInput(attrs={"inputmode": "url"}),
    )
    nom = forms.CharField(
        label="Titre", required=False, max_length=200, help_text="Vide : le nom du fichier, ou l'adresse."
    )

    def __init__(self, *args, trop_lourd_recu: tuple[str, int] | None = None, **kwargs) -> None:
        self.trop_lourd_recu = trop_lourd_recu
        super().__init__(*args, **kwargs)

    def clean(self) -> dict:
        donnees = super().clean() or {}
        if self.trop_lourd_recu:
            self.add_error("fichier", trop_lourd(*self.trop_lourd_recu))
        return donnees

    def reporter(self, refus: ValidationError) -> None:
        """Chaque refus à côté de son champ ; le titre s'y appelle « nom »."""
        if not hasattr(refus, "error_dict"):
            self.add_error(None, refus)
            return
        for champ, messages in refus.message_dict.items():
            place = "nom" if champ == "titre" else champ
            self.add_error(place if place in self.fields else None, messages)

    @property
    def explication(self) -> str:
        """Refusé avec un fichier : un navigateur ne le garde pas, et il ne faut pas le découvrir à l'envoi suivant."""
        if not (self.errors and (self.files or self.trop_lourd_recu)):
            return ""
        return "Rien n'est enregistré. Le reste de votre saisie est gardé ; le fichier, lui, est à choisir de nouveau."
