"""Ce qu'on choisit avant de changer plusieurs actions : lesquelles, puis quoi."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from actions.champs import champs_permis
from actions.en_nombre import MAXIMUM, Demande
from actions.filtres import FiltreActions
from actions.models import Action
from actions.requetes import ActionQuerySet
from actions.statuts import Priorite, Statut
from comptes.models import Service, Utilisateur
from socle.champs import ChampDate, ChampEcheance
from socle.erreurs import DemandeIllisible
from socle.formats import accorder, formater_date

NE_PAS_CHANGER = ("", "Ne pas changer")
VIDER = "vider"
SEL = "actions.en_nombre"
# Un onglet laissé ouvert une nuit ne s'applique plus : on revoit d'abord ce qu'il ferait.
DUREE_DE_L_APERCU = 12 * 3600


# --- Lesquelles ---------------------------------------------------------------------------------

SELECTION = "selection"


@dataclass(frozen=True)
class Choix:
    """Les actions voulues, telles que l'adresse les dit : les cases cochées (`de=selection`), ou tout ce que le filtre
    trouve.

    Le filtre est rejoué à chaque étape : jamais une liste de mille identifiants dans une adresse.
    """

    requete: str

    @property
    def _donnees(self) -> QueryDict:
        return QueryDict(self.requete)

    @property
    def selection(self) -> bool:
        return self._donnees.get("de") == SELECTION

    @property
    def liste(self) -> str:
        """Ce qui suit l'adresse de la liste d'où l'on vient."""
        donnees = self._donnees.copy()
        for nom in ("de", "action"):
            donnees.pop(nom, None)
        return f"?{donnees.urlencode()}" if donnees else ""

    def actions(self, request: HttpRequest) -> QuerySet[Action]:
        """Lève DemandeIllisible si l'adresse n'est pas compréhensible, en dit trop, ou montre une date passée."""
        donnees = self._donnees
        if self.selection:
            actions = Action.objects.filter(pk__in=_identifiants(donnees.getlist("action"))).etat_au()
        else:
            actions = self._trouvees(donnees, request)
        if (nombre := actions.count()) > MAXIMUM:
            raise DemandeIllisible(
                f"{accorder(nombre, 'action')} : un changement en nombre en prend {MAXIMUM} au plus. Filtrez encore."
            )
        return actions.order_by("plan_id", "numero")

    def _trouvees(self, donnees: QueryDict, request: HttpRequest) -> ActionQuerySet:
        filtre = FiltreActions(donnees, queryset=Action.objects.all(), request=request)
        if not filtre.form.is_valid():
            raise DemandeIllisible("Un filtre n'est pas compréhensible : revenez à la liste pour le corriger.")
        if filtre.jour is not None:
            raise DemandeIllisible("Une situation passée se lit, elle ne se change pas : retirez la date du filtre.")
        # Un filtre sur les partenaires pourrait donner deux fois la même action.
        return Action.objects.filter(pk__in=filtre.qs.order_by().values("pk")).etat_au()


def _identifiants(textes: list[str]) -> list[int]:
    lus = [int(texte) for texte in textes if texte.isascii() and texte.isdigit() and len(texte) < 19]
    if len(lus) != len(textes):
        raise DemandeIllisible("Une des actions cochées n'est pas reconnue.")
    return lus


# --- Quoi ---------------------------------------------------------------------------------------


class ChampAChanger(forms.ChoiceField):
    """Une liste qui commence par « Ne pas changer ». Rend None si l'on ne change rien, sinon (valeur,).

    `vide` : ce que dit le choix de vider, absent si le champ ne se vide pas ; `rien` : la valeur qu'il donne.
    """

    def __init__(
        self, choix: Iterable[tuple[str, str]] = (), *, vide: str = "", rien: Any = None, **options: Any
    ) -> None:
        self._debut = [NE_PAS_CHANGER, *([(VIDER, vide)] if vide else [])]
        self._rien, self._fiches = rien, dict[str, Model]()
        super().__init__(required=False, choices=[*self._debut, *choix], **options)

    def proposer(self, fiches: Iterable[Model]) -> None:
        self._fiches = {str(fiche.pk): fiche for fiche in fiches}
        self.choices = [*self._debut, *((cle, str(fiche)) for cle, fiche in self._fiches.items())]

    def clean(self, value: Any) -> Any:
        choisi = super().clean(value)
        if not choisi:
            return None
        return (self._rien if choisi == VIDER else self._fiches.get(choisi, choisi),)


class FormulaireEnNombre(forms.Form):
    """Ce qu'on donne à toutes ; n'a que les champs permis à l'utilisateur."""

    statut = ChampAChanger(Statut.choices, label="Statut")
    commentaire = forms.CharField(
        label="Commentaire", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    echeance = ChampEcheance(
        label="Échéance",
        required=False,
        help_text="Vide : ne pas changer. Une date, un trimestre (T2 2026) ou une année (2026).",
    )
    sans_echeance = forms.BooleanField(label="Vider l'échéance", required=False)
    motif = forms.CharField(
        label="Motif du report",
        required=False,
        max_length=300,
        help_text="Demandé pour changer une échéance déjà fixée.",
    )
    date_effet = ChampDate(
        label="Date d'effet du statut et de l'échéance",
        required=False,
        initial=timezone.localdate,
        help_text="Quand la chose est devenue vraie : aujourd'hui, ou une date passée.",
    )
    pilote = ChampAChanger(label="Pilote", vide="Vider : aucun pilote")
    service_pilote = ChampAChanger(label="Service pilote", vide="Vider : aucun service")
    priorite = ChampAChanger(Priorite.choices, label="Priorité", vide="Vider : non renseignée", rien="")

    # Ce qu'il faut avoir le droit de changer pour voir chaque champ.
    DU_CHAMP = {"commentaire": "statut", "sans_echeance": "echeance", "motif": "echeance", "date_effet": "statut"}

    def __init__(self, *args, utilisateur: Utilisateur, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        permis = champs_permis(utilisateur)
        for nom in list(self.fields):
            if self.DU_CHAMP.get(nom, nom) not in permis:
                del self.fields[nom]
        for nom, fiches in {
            "pilote": Utilisateur.objects.filter(is_active=True),
            "service_pilote": Service.objects.filter(actif=True),
        }.items():
            if nom in self.fields:
                self.fields[nom].proposer(fiches)  # type: ignore[attr-defined]
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.add_input(Submit("", "Voir ce qui changera"))

    def clean_date_effet(self):
        jour = self.cleaned_data["date_effet"]
        if jour and jour > timezone.localdate():
            raise ValidationError(
                f"Le {formater_date(jour)} est à venir : un changement s'enregistre une fois effectif."
            )
        return jour or timezone.localdate()

    def clean(self) -> dict:
        donnees = super().clean() or {}
        if donnees.get("echeance") and donnees.get("sans_echeance"):
            self.add_error("sans_echeance", "Donnez une échéance, ou videz-la : pas les deux.")
        if donnees.get("commentaire") and not donnees.get("statut"):
            self.add_error("commentaire", "Le commentaire accompagne un changement de statut : choisissez le statut.")
        if donnees.get("motif") and not (donnees.get("echeance") or donnees.get("sans_echeance")):
            self.add_error("motif", "Le motif accompagne un report : donnez l'échéance.")
        if not self.errors and not self._valeurs(donnees):
            raise ValidationError("Rien n'est à changer : choisissez au moins un changement.")
        return donnees

    @staticmethod
    def _valeurs(donnees: dict[str, Any]) -> dict[str, Any]:
        valeurs = {
            champ: donnees[champ][0]
            for champ in ("statut", "pilote", "service_pilote", "priorite")
            if donnees.get(champ) is not None
        }
        if donnees.get("echeance") or donnees.get("sans_echeance"):
            valeurs["echeance"] = donnees.get("echeance")
        return valeurs

    @property
    def demande(self) -> Demande:
        """Une fois validé."""
        donnees = self.cleaned_data
        return Demande(
            self._valeurs(donnees), donnees["date_effet"], donnees["commentaire"].strip(), donnees["motif"].strip()
        )


# --- D'une étape à l'autre ----------------------------------------------------------------------


@dataclass(frozen=True)
class Apercu:
    """Ce que l'utilisateur a vu et confirme : la demande telle que saisie, les actions et leurs versions.

    Signé, il revient tel qu'on l'a montré ; `auteur` : celui pour qui il a été fait.
    """

    choix: str
    saisie: dict[str, Any]
    versions: dict[int, int]
    auteur: int
    prepare_le: datetime

    def signe(self) -> str:
        pks = sorted(self.versions)
        contenu = {
            "choix": self.choix,
            "saisie": self.saisie,
            "actions": pks,
            "versions": [self.versions[pk] for pk in pks],
            "auteur": self.auteur,
            "le": self.prepare_le.isoformat(),
        }
        return signing.dumps(contenu, salt=SEL, compress=True)

    @classmethod
    def lire(cls, jeton: str, auteur: Utilisateur, choix: str | None = None) -> "Apercu":
        """Lève DemandeIllisible si ce n'est pas l'aperçu de cet utilisateur, de ce choix, ou s'il est trop vieux."""
        try:
            lu = signing.loads(jeton, salt=SEL, max_age=DUREE_DE_L_APERCU)
        except signing.SignatureExpired as erreur:
            raise DemandeIllisible("Cet aperçu est trop ancien : refaites-le depuis la liste.") from erreur
        except signing.BadSignature as erreur:
            raise DemandeIllisible("Cet aperçu n'est pas reconnu : refaites-le depuis la liste.") from erreur
        if lu["auteur"] != auteur.pk or choix not in (None, lu["choix"]):
            raise DemandeIllisible("Cet aperçu n'est pas celui de cette page : refaites-le.")
        versions = dict(zip(lu["actions"], lu["versions"], strict=True))
        return cls(lu["choix"], lu["saisie"], versions, lu["auteur"], datetime.fromisoformat(lu["le"]))
