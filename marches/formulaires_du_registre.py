"""La saisie rapide d'une consultation : elle et son premier lot sur une page ; puis un lot à la fois."""

from typing import Any, cast

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from comptes.droits import Droit, Portee, portee
from comptes.models import Service, Siren, Utilisateur
from marches.consultations import Consultation, LotDeConsultation
from marches.reponses import Reponse
from marches.tenue_du_registre import verifier_les_lots
from socle.champs import ChampDate, ChampNombre, ChampPourcentage
from socle.formulaires import FormulaireVersionne

DE_LOT = "lot"
DATES = ("lancee_le", "plis_avant_le", "commission_le", "date_de_suite")
MONTANTS = ("estimation_ht", "montant_ht", "minimum_ht", "maximum_ht")
POIDS = ("poids_environnemental", "poids_social")
REPONSES = ("clause_environnementale", "critere_environnemental", "clause_sociale", "critere_social")


class FormulaireDuRegistre(FormulaireVersionne):
    """Les champs lisent les formats français ; les boutons sont dans la page, qui peut montrer deux formulaires."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for nom in self.fields:
            if nom in DATES:
                self._relire(nom, ChampDate)
            elif nom in MONTANTS:
                self._relire(nom, ChampNombre, max_digits=18, decimal_places=2, min_value=0, suffixe=" (€)")
            elif nom in POIDS:
                self._relire(nom, ChampPourcentage, max_digits=5, decimal_places=2, min_value=0, max_value=100)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    def _relire(self, nom: str, classe: Any, suffixe: str = "", **options: Any) -> None:
        ancien = self.fields[nom]
        libelle = f"{str(ancien.label)[0].upper()}{str(ancien.label)[1:]}{suffixe}"
        self.fields[nom] = classe(label=libelle, required=False, help_text=ancien.help_text, **options)

    @property
    def valeurs(self) -> dict[str, Any]:
        return {nom: valeur for nom, valeur in self.cleaned_data.items() if nom != "version"}


class FormulaireDeConsultation(FormulaireDuRegistre):
    class Meta:
        model = Consultation
        fields = (
            *("numero", "objet", "service", "acheteur", "nature", "procedure", "forme", "estimation_ht"),
            *("lancee_le", "plis_avant_le", "commission_le", "siren", "pour_le_compte_de"),
        )
        widgets = {"objet": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, auteur: Utilisateur, **kwargs: Any) -> None:
        super().__init__(*args, auteur=auteur, **kwargs)
        self._proposer_le_service(auteur)
        if self.instance._state.adding:
            self.fields["siren"].initial = siren_de_la_collectivite()
        for nom in ("nature", "procedure"):
            champ = cast(forms.ChoiceField, self.fields[nom])
            champ.choices = [("", "Non renseignée"), *self._meta.model._meta.get_field(nom).choices]
        self.helper.layout = Layout(
            "version",
            "objet",
            Fieldset("", "numero", "service", "acheteur"),
            Fieldset("Procédure", "nature", "procedure", "forme", "estimation_ht"),
            Fieldset("Dates", "lancee_le", "plis_avant_le", "commission_le"),
            Fieldset("Pouvoir adjudicateur", "siren", "pour_le_compte_de"),
        )

    def _proposer_le_service(self, auteur: Utilisateur) -> None:
        """Un agent tient les consultations de son service ; les autres choisissent."""
        champ = cast(forms.ModelChoiceField, self.fields["service"])
        champ.empty_label = "Non renseigné"
        if portee(auteur, Droit.SAISIR_UNE_DONNEE) is Portee.SIENS:
            champ.queryset = Service.objects.filter(pk__in=[auteur.service_id] if auteur.service_id else [])
            champ.required, champ.empty_label, champ.initial = True, None, auteur.service_id
            if auteur.service_id is None:
                champ.help_text = "Votre compte n'a pas de service : demandez à l'administrateur de le dire."
        else:
            champ.queryset = Service.objects.filter(Q(actif=True) | Q(pk=self.initial.get("service")))

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or {}
        if not self.instance._state.adding and "lancee_le" in donnees:
            self.instance.lancee_le = donnees["lancee_le"]
            try:
                verifier_les_lots(self.instance)
            except ValidationError as refus:
                self.add_error(None, refus)
        return donnees

    def enregistrer(self) -> Consultation | None:
        """La consultation, ou None : les refus sont dans le formulaire."""
        with transaction.atomic():
            return self.save() if self.is_valid() else None


class FormulaireDeLot(FormulaireDuRegistre):
    class Meta:
        model = LotDeConsultation
        fields = (
            *("numero", "objet", "suite", "date_de_suite", "motif_sans_suite", "plis_recus"),
            *("titulaire", "siret", "code_postal", "ville", "montant_ht", "minimum_ht", "maximum_ht"),
            *("clause_environnementale", "critere_environnemental", "poids_environnemental"),
            *("clause_sociale", "critere_social", "poids_social", "heures_insertion", "motif_derogation"),
        )
        help_texts = {
            "heures_insertion": "Demandées par le marché, pour toute sa durée.",
            "motif_derogation": "Pourquoi ce lot n'a pas la condition ou le critère que la loi demande.",
        }

    def __init__(self, *args: Any, consultation: Consultation | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if consultation is not None:
            self.instance.consultation = consultation
        for nom, vide in (("suite", "Aucune : la consultation court"), ("motif_sans_suite", "—")):
            champ = cast(forms.ChoiceField, self.fields[nom])
            champ.choices = [("", vide), *self._meta.model._meta.get_field(nom).choices]
        for nom in REPONSES:
            self.fields[nom].required = False
        self.helper.layout = Layout(
            "version",
            Fieldset("Lot", "numero", "objet"),
            Fieldset("Suite donnée", "suite", "date_de_suite", "motif_sans_suite", "plis_recus"),
            Fieldset("Titulaire", "titulaire", "siret", "code_postal", "ville"),
            Fieldset("Montants hors taxes", "montant_ht", "minimum_ht", "maximum_ht"),
            Fieldset("Environnement", "clause_environnementale", "critere_environnemental", "poids_environnemental"),
            Fieldset("Social", "clause_sociale", "critere_social", "poids_social", "heures_insertion"),
            "motif_derogation",
        )

    def clean(self) -> dict[str, Any]:
        """Une réponse qu'on ne donne pas est « non renseigné »."""
        donnees = super().clean() or {}
        return donnees | {nom: donnees.get(nom) or Reponse.INCONNU.value for nom in REPONSES if nom not in self.errors}

    def clean_numero(self) -> str:
        """Le champ « consultation » n'est pas du formulaire : Django ne vérifie pas que le numéro y est unique."""
        numero = self.cleaned_data["numero"].strip()
        if self.instance.consultation_id is None:
            return numero
        autres = LotDeConsultation.objects.filter(consultation=self.instance.consultation_id, numero=numero)
        deja = autres.exclude(pk=self.instance.pk).first()
        if deja is not None and not self._vient_d_etre_ecrit(deja):
            raise ValidationError("La consultation a déjà un lot de ce numéro.")
        return numero

    def _vient_d_etre_ecrit(self, deja: LotDeConsultation) -> bool:
        """Un ajout reçu deux fois : `Consultation.ajouter_un_lot` rend alors le premier, s'il est le même."""
        return self.instance._state.adding and deja.version == 1 and self._auteur_de(deja) == self.auteur

    def enregistrer(self) -> LotDeConsultation | None:
        """Le lot écrit, ou None : les refus sont dans le formulaire."""
        with transaction.atomic():
            if not self.is_valid():
                return None
            if not self.instance._state.adding:
                return self.save()
            try:
                return self.instance.consultation.ajouter_un_lot(self.valeurs, auteur=self.auteur)
            except ValidationError as refus:
                self.add_error(None, refus)
        return None


def creer_la_consultation(consultation: FormulaireDeConsultation, lot: FormulaireDeLot) -> Consultation | None:
    """Les deux formulaires d'une page, ensemble ou pas du tout ; un même envoi reçu deux fois n'écrit qu'une fois."""
    valables = [formulaire.is_valid() for formulaire in (consultation, lot)]
    deja = "numero" in consultation.errors and valables[1]
    if not all(valables) and not deja:
        return None
    valeurs = consultation.valeurs | ({"numero": str(consultation.data.get("numero", "")).strip()} if deja else {})
    try:
        return Consultation.objects.creer(valeurs, [lot.valeurs], auteur=consultation.auteur)
    except ValidationError as refus:
        _ranger(refus, consultation, lot, deja=deja)
    return None


def _ranger(
    refus: ValidationError, consultation: FormulaireDeConsultation, lot: FormulaireDeLot, *, deja: bool
) -> None:
    for champ, messages in refus.message_dict.items():
        formulaire, nom = (lot, champ.removeprefix("lot-")) if champ.startswith("lot-") else (consultation, champ)
        if deja and nom == "numero":
            continue  # le formulaire le dit déjà
        formulaire.add_error(nom if nom in formulaire.fields else None, messages)


def siren_de_la_collectivite() -> str:
    """Le sien, si elle n'en a déclaré qu'un."""
    sirens = list(Siren.objects.values_list("numero", flat=True)[:2])
    return sirens[0] if len(sirens) == 1 else ""
