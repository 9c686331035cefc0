"""Retenir ce qu'un calcul a donné pour une année."""

from datetime import MAXYEAR, MINYEAR
from typing import cast

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from actions.views.commun import lecture_ou_envoi, qui_demande
from comptes.droits import Droit, exiger
from comptes.models import Utilisateur
from indicateurs.models import Indicateur, ValeurAnnuelle
from indicateurs.recalcul import Recalcul, calculs_de
from indicateurs.retenue import Retenue
from indicateurs.saisie import Saisie
from indicateurs.views.valeurs import Rappel, trouver_l_indicateur
from marches.models import ResultatDeCalcul
from socle.erreurs import Introuvable
from socle.formulaires import remplacer_la_saisie
from socle.modeles import ConflitDeVersion

CONFLIT = (
    "Cette valeur vient d'être modifiée par quelqu'un. Rien n'a été écrasé : relisez ce qu'elle est maintenant, puis "
    "retenez de nouveau."
)


class FormulaireDeRetenue(forms.Form):
    """Le motif, et la phrase quand trop d'enregistrements ne sont pas renseignés."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    phrase = forms.CharField(
        label="Phrase à montrer avec la valeur",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Ce que ce chiffre ne compte pas. Elle s'ajoute à la remarque de la valeur.",
    )
    motif = forms.CharField(
        label="Motif", max_length=500, help_text="Pourquoi ce chiffre-ci ; il reste dans l'historique de la valeur."
    )

    def __init__(self, *args, retenue: Retenue, auteur: Utilisateur, **kwargs) -> None:
        self.retenue, self.auteur = retenue, auteur
        version = retenue.avant.version if retenue.avant else 0
        super().__init__(*args, **{"initial": {"version": version}, **kwargs})
        self.fields["phrase"].required = retenue.phrase_demandee
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Retenir cette valeur"))

    def enregistrer(self) -> Saisie | None:
        donnees = self.cleaned_data
        try:
            return self.retenue.retenir(auteur=self.auteur, **donnees)
        except ConflitDeVersion as conflit:
            remplacer_la_saisie(self, "version", cast("ValeurAnnuelle", conflit.actuelle).version)
            self.add_error(None, CONFLIT)
        except ValidationError as refus:
            for champ, phrases in getattr(refus, "error_dict", {None: refus.error_list}).items():
                self.add_error(champ if champ in self.fields else None, phrases)
        return None


@lecture_ou_envoi
def retenir(request: HttpRequest, code: str, annee: int, resultat: int) -> HttpResponse:
    """Ce que la valeur est, ce qu'elle serait ; avec un motif, elle le devient."""
    exiger(request.user, Droit.VALIDER)
    retenue, rappel = _proposer(trouver_l_indicateur(code), annee, resultat)
    formulaire = FormulaireDeRetenue(request.POST or None, retenue=retenue, auteur=qui_demande(request))
    saisie = formulaire.enregistrer() if formulaire.is_valid() else None
    if saisie is None or saisie.valeur is None:
        contexte = {"retenue": retenue, "rappel": rappel, "formulaire": formulaire}
        return render(request, "indicateurs/retenir.html", contexte)
    if not saisie.change:
        messages.info(request, "Cette valeur est déjà retenue.")
    else:
        messages.success(request, f"Valeur {annee} retenue : {saisie.valeur.detail}.")
    for deplace in saisie.deplaces:
        messages.info(request, f"Un taux a bougé. {deplace}")
    return redirect(f"{retenue.indicateur.get_absolute_url()}#annee-{annee}")


def _proposer(indicateur: Indicateur, annee: int, cle: int) -> tuple[Retenue, Rappel]:
    """Lève Introuvable si ce résultat n'est pas celui d'un calcul de l'indicateur, pour cette année."""
    # Une année que Python ne sait pas écrire n'est celle d'aucun résultat.
    datable = MINYEAR <= annee <= MAXYEAR
    garde = ResultatDeCalcul.objects.defer("listes").filter(pk=cle, fin__year=annee).first() if datable else None
    calcul = next((calcul for calcul in calculs_de(indicateur) if garde and calcul.code == garde.code), None)
    if garde is None or calcul is None or not _de_l_annee(garde, indicateur, territorial=calcul.territorial):
        raise Introuvable("Ce résultat n'est pas celui d'un calcul de cet indicateur, pour cette année.")
    rappel = Rappel(indicateur, annee)
    return Retenue(indicateur, Recalcul(calcul, annee, garde), rappel.valeur, rappel.partage), rappel


def _de_l_annee(garde: ResultatDeCalcul, indicateur: Indicateur, *, territorial: bool) -> bool:
    """L'année entière, et son territoire."""
    jours = (garde.debut.month, garde.debut.day, garde.fin.month, garde.fin.day)
    entiere = jours == (1, 1, 12, 31) and garde.debut.year == garde.fin.year
    return entiere and garde.territoire_id == (indicateur.territoire_id if territorial else None)
