from allauth.account.forms import LoginForm


class FormulaireConnexion(LoginForm):
    """La connexion d'allauth, avec nos mots : un libellé au-dessus du champ, rien dedans."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Identifiant"
        self.fields["password"].help_text = ""
        for champ in self.fields.values():
            champ.widget.attrs.pop("placeholder", None)
