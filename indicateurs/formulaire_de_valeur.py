"""Le formulaire d'une valeur annuelle. Une part se donne par ses deux nombres, ou par son taux s'ils manquent."""

from decimal import Decimal
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Layout, Submit
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from comptes.droits import Droit, peut
from comptes.models import Utilisateur
from indicateurs.deplacements import Deplacement
from indicateurs.listes import Etat, Nature
from indicateurs.models import Dimension, Indicateur, ValeurAnnuelle
from indicateurs.saisie import CHIFFRES, MotifDeSaisieRequis, Saisie, saisir
from indicateurs.ventilations import ecrire_la_ventilation, lire_la_ventilation
from socle.champs import ChampDate, ChampNombre, ChampPourcentage
from socle.formats import FormatInvalide
from socle.formulaires import Divergence, afficher, remplacer_la_saisie
from socle.modeles import ConflitDeVersion

CONFLIT = (
    "Cette valeur a été modifiée pendant votre saisie. Rien n'a été écrasé ; votre saisie est gardée. Enregistrez de "
    "nouveau pour la garder."
)
# Ce que la valeur porte et que le formulaire donne tel quel.
TEXTES = ("motif_indisponibilite", "remarque", "source", "rupture", "libelle")


class FormulaireDeValeur(forms.Form):
    """`enregistree` : la ligne, annotée par `avec_valeur()`, ou None ; `partage` : celle qui sert de dénominateur ;
    `motif_utile` : l'enregistrement peut demander un motif. `enregistrer` rend la Saisie, ou None :
    les erreurs sont alors dans le formulaire, et `divergences` ou `deplaces` disent la suite."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    numerateur = ChampNombre(label="Numérateur", required=False)
    denominateur = ChampNombre(label="Dénominateur", required=False)
    valeur = ChampNombre(label="Valeur", required=False)
    motif_indisponibilite = forms.CharField(
        label="Ou bien, indisponible : pourquoi ?",
        required=False,
        max_length=300,
        help_text="L'écrire ferme la ligne : on n'attend plus de chiffre.",
    )
    remarque = forms.CharField(
        label="Remarque",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Affichée avec la valeur : ce qui explique un écart, ce que le chiffre ne compte pas.",
    )
    etat = forms.ChoiceField(label="État", choices=Etat)
    motif = forms.CharField(
        label="Motif du changement",
        required=False,
        max_length=500,
        help_text="Une valeur validée ne change pas sans motif ; il reste dans son historique.",
    )
    source = forms.CharField(label="Source de ce chiffre", required=False, max_length=300)
    rupture = forms.CharField(
        label="Rupture de série",
        required=False,
        max_length=300,
        help_text="Une phrase : ce qui empêche de comparer avec l'année d'avant. Le graphique la montre.",
    )
    connue_le = ChampDate(label="Connue le")
    libelle = forms.CharField(
        label="Texte sous le chiffre", required=False, max_length=300, help_text="Vide : l'intitulé de l'indicateur."
    )

    def __init__(
        self,
        *args,
        indicateur: Indicateur,
        annee: int,
        enregistree: ValeurAnnuelle | None,
        partage: ValeurAnnuelle | None,
        motif_utile: bool,
        auteur: Utilisateur,
        **kwargs,
    ) -> None:
        self.indicateur, self.annee, self.auteur = indicateur, annee, auteur
        self.enregistree = enregistree
        self.divergences: list[Divergence] = []
        self.deplaces: list[Deplacement] = []
        self.dimensions = {f"ventilation_{dimension.pk}": dimension for dimension in indicateur.dimensions.all()}
        kwargs["initial"] = self._depart(enregistree)
        super().__init__(*args, **kwargs)
        self._demander_un_chiffre(partage)
        self._selon_les_droits(motif_utile)
        for nom, dimension in self.dimensions.items():
            self.fields[nom] = champ_de_ventilation(dimension)
        self.helper = FormHelper()
        self.helper.layout = self._disposer()

    # --- Montrer -------------------------------------------------------------------------------

    def _depart(self, valeur: ValeurAnnuelle | None) -> dict[str, Any]:
        if valeur is None:
            return {"version": 0, "connue_le": timezone.localdate(), "etat": Etat.PROVISOIRE}
        noms = (*CHIFFRES, *TEXTES, "etat", "connue_le", "version")
        ventilations = {nom: ecrire_la_ventilation(valeur, dimension) for nom, dimension in self.dimensions.items()}
        return {nom: getattr(valeur, nom) for nom in noms} | ventilations

    def _demander_un_chiffre(self, partage: ValeurAnnuelle | None) -> None:
        champs = self.fields
        if self.indicateur.nature != Nature.PART:
            del champs["numerateur"], champs["denominateur"]
            unite = self.indicateur.unite
            champs["valeur"].label = f"Valeur {self.annee}" + (f" ({unite})" if unite else "")
            return
        champs["valeur"] = ChampPourcentage(
            label="Ou bien le taux seul (%)",
            required=False,
            help_text="Seulement si ses deux nombres ne sont pas connus : il sera dit « numérateur non publié ».",
        )
        denominateur = self.indicateur.denominateur
        if denominateur is not None:
            connu = partage.taux_ecrit if partage else "pas encore connue"
            champs["denominateur"].label = "Dénominateur, s'il diffère"
            champs[
                "denominateur"
            ].help_text = f"Vide : la valeur {self.annee} de « {denominateur.intitule} » ({connu})."

    def _selon_les_droits(self, motif_utile: bool) -> None:
        """État et motif sont de qui valide ; le texte publié, de qui tient l'indicateur."""
        if not peut(self.auteur, Droit.VALIDER):
            del self.fields["etat"]
            motif_utile = False
        if not motif_utile:
            del self.fields["motif"]
        if not peut(self.auteur, Droit.TENIR_LES_REFERENTIELS):
            del self.fields["libelle"]

    def _disposer(self) -> Layout:
        en_vue = ("version", "numerateur", "denominateur", "valeur", "motif_indisponibilite", "remarque")
        fin = ("etat", "motif")
        connus = {*en_vue, *fin, *self.dimensions}
        replies = [nom for nom in self.fields if nom not in connus]
        return Layout(
            *(nom for nom in (*en_vue, *self.dimensions) if nom in self.fields),
            Div(*replies, template="socle/_replie.html"),
            *(nom for nom in fin if nom in self.fields),
            Submit("", f"Enregistrer la valeur {self.annee}"),
        )

    # --- Lire et écrire ------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or {}
        rien = not any(donnees.get(champ) is not None for champ in CHIFFRES)
        if rien and not donnees.get("motif_indisponibilite") and not self.errors and self.enregistree is None:
            self.add_error("numerateur" if "numerateur" in self.fields else "valeur", "Donnez un chiffre.")
        return donnees

    @property
    def _champs(self) -> dict[str, Any]:
        noms = (*CHIFFRES, *TEXTES, "etat", "connue_le")
        champs = {nom: self.cleaned_data[nom] for nom in noms if nom in self.fields}
        return champs | {"indisponible": bool(champs["motif_indisponibilite"])}

    @property
    def _ventilation(self) -> dict[Dimension, dict[str, Decimal]]:
        """Les dimensions que l'auteur a touchées."""
        return {d: self.cleaned_data[nom] for nom, d in self.dimensions.items() if nom in self.changed_data}

    def enregistrer(self) -> Saisie | None:
        try:
            return saisir(
                self.indicateur,
                self.annee,
                self._champs,
                auteur=self.auteur,
                version=self.cleaned_data["version"],
                motif=self.cleaned_data.get("motif", ""),
                ventilation=self._ventilation,
            )
        except ConflitDeVersion as conflit:
            self._montrer_le_conflit(conflit)
        except ValidationError as refus:
            self.deplaces = refus.deplaces if isinstance(refus, MotifDeSaisieRequis) else []
            self._reporter(refus)
        return None

    def _reporter(self, refus: ValidationError) -> None:
        if not hasattr(refus, "error_dict"):
            self.add_error(None, refus)
            return
        for champ, messages in refus.message_dict.items():
            # Le seul refus d'une ventilation qui ne nomme pas son champ nomme sa dimension.
            place = next(iter(self.dimensions), None) if champ == "ventilation" else champ
            self.add_error(place if place in self.fields else None, messages)

    def _montrer_le_conflit(self, conflit: ConflitDeVersion) -> None:
        actuelle = conflit.actuelle
        for nom in (nom for nom in self._champs if nom in self.fields):
            enregistre, saisi = getattr(actuelle, nom), self.cleaned_data[nom]
            if enregistre != saisi:
                self.divergences.append(
                    Divergence(str(self.fields[nom].label), _en_clair(nom, enregistre), _en_clair(nom, saisi))
                )
        remplacer_la_saisie(self, "version", actuelle.version)  # type: ignore[attr-defined]
        self.add_error(None, CONFLIT)


def _en_clair(nom: str, valeur: Any) -> str:
    return str(Etat(valeur).label) if nom == "etat" else afficher(valeur)


class ChampVentilation(forms.CharField):
    """Une modalité et son nombre par ligne : « Travaux : 41 »."""

    def clean(self, value: Any) -> dict[str, Decimal]:
        try:
            return lire_la_ventilation(super().clean(value))
        except FormatInvalide as refus:
            raise ValidationError(str(refus)) from refus


def champ_de_ventilation(dimension: Dimension) -> ChampVentilation:
    return ChampVentilation(
        label=f"Ventilation {dimension}",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Une ligne par modalité, son nombre après deux-points : « Travaux : 41 ». Leur somme est la valeur, "
        "ou le numérateur d'une part.",
    )
