"""Les formulaires d'allauth avec nos mots : un libellé au-dessus de chaque champ, rien dedans."""

from allauth.account.forms import (
    ChangePasswordForm,
    LoginForm,
    ReauthenticateForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
)
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as FormulaireDeCodeAllauth
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.core.validators import MaxLengthValidator

from comptes.mots_de_passe import envoyer_un_lien
from comptes.second_facteur import CodeUneSeuleFois


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
    """La page ne cherche pas le compte : rien, ni sa réponse ni sa durée, ne dit s'il existe."""

    libelles = {"email": "Courriel"}

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()

    def save(self, request, **kwargs) -> str:
        envoyer_un_lien.enqueue(self.cleaned_data["email"])
        return self.cleaned_data["email"]


class FormulaireNouveauMotDePasse(SansTexteDansLesChamps, ResetPasswordKeyForm):
    """Après le lien reçu par courriel."""


class FormulaireChangement(SansTexteDansLesChamps, ChangePasswordForm):
    """Depuis son compte."""


class FormulaireDeConfirmation(SansTexteDansLesChamps, ReauthenticateForm):
    """Son mot de passe, avant un geste qui touche à la connexion."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""


class ChampDeCode(SansTexteDansLesChamps):
    """Le téléphone montre alors un clavier de chiffres, et propose le code reçu."""

    libelles = {"code": "Code"}

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].validators.append(MaxLengthValidator(20))
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "autofocus": True, "maxlength": 20}


class FormulaireDePose(ChampDeCode, ActivateTOTPForm):
    """Le premier code de l'application, qui prouve qu'elle a bien lu le secret."""

    libelles = {"code": "Code affiché par l'application"}


class FormulaireDeCode(ChampDeCode, CodeUneSeuleFois, AuthenticateForm):
    """À la connexion : le code de l'application, ou un code de secours."""


class FormulaireDeCodeDeConfirmation(ChampDeCode, CodeUneSeuleFois, FormulaireDeCodeAllauth):
    """Avant un geste qui touche à la connexion, pour qui a posé un second facteur."""
