"""Les formulaires d'allauth avec nos mots : un libellé au-dessus de chaque champ, rien dedans."""

from allauth.account.forms import ChangePasswordForm, LoginForm, ResetPasswordForm, ResetPasswordKeyForm
from django import forms


class SansTexteDansLesChamps(forms.Form):
    """Un texte posé dans un champ disparaît dès qu'on tape : le libellé suffit."""

    libelles: dict[str, str] = {}

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for nom, champ in self.fields.items():
            champ.label = self.libelles.get(nom, champ.label)
            champ.widget.attrs.pop("placeholder", None)


class FormulaireConnexion(SansTexteDansLesChamps, LoginForm):
    libelles = {"login": "Identifiant"}

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autofocus"] = True
        # La page donne déjà le lien « Mot de passe oublié ».
        self.fields["password"].help_text = ""


class FormulaireMotDePasseOublie(SansTexteDansLesChamps, ResetPasswordForm):
    libelles = {"email": "Courriel"}


class FormulaireNouveauMotDePasse(SansTexteDansLesChamps, ResetPasswordKeyForm):
    """Après le lien reçu par courriel."""


class FormulaireChangement(SansTexteDansLesChamps, ChangePasswordForm):
    """Depuis son compte."""
