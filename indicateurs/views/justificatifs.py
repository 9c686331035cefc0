"""Les justificatifs d'une valeur : en ajouter, les ouvrir, les retirer."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from actions.formulaire_de_piece import ChampsDePiece
from actions.views.commun import lecture_ou_envoi, qui_demande
from actions.views.documents import Plafond, plafonner_l_envoi, rendre_le_fichier
from actions.views.etapes import nombre_envoye
from comptes.droits import Droit, exiger
from comptes.models import Utilisateur
from indicateurs.models import Justificatif, ValeurAnnuelle
from socle.erreurs import Introuvable
from socle.modeles import ConflitDeVersion


class FormulaireDeJustificatif(ChampsDePiece):
    """Ce qui prouve une valeur."""

    def __init__(self, *args, valeur: ValeurAnnuelle, auteur: Utilisateur, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.valeur, self.auteur = valeur, auteur
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Ajouter le justificatif"))

    def enregistrer(self) -> Justificatif | None:
        donnees = self.cleaned_data
        piece = {"titre": donnees["nom"], "fichier": donnees["fichier"] or None, "lien": donnees["lien"]}
        try:
            return Justificatif.objects.all().deposer(self.valeur, auteur=self.auteur, **piece)
        except ValidationError as refus:
            self.reporter(refus)
        return None


@plafonner_l_envoi
@lecture_ou_envoi
def ajouter(request: HttpRequest, code: str, annee: int, *, plafond: Plafond) -> HttpResponse:
    valeur = trouver_la_valeur(code, annee)
    exiger(request.user, Droit.SAISIR_UNE_DONNEE, valeur)
    envoi = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    formulaire = FormulaireDeJustificatif(
        *envoi, valeur=valeur, auteur=qui_demande(request), trop_lourd_recu=plafond.trop_lourd
    )
    piece = formulaire.enregistrer() if formulaire.is_valid() else None
    if piece is not None:
        messages.success(request, f"Justificatif ajouté : {piece}.")
        return vers_l_annee(valeur)
    return render(request, "indicateurs/justificatif.html", {"valeur": valeur, "formulaire": formulaire})


@require_safe
def lire(request: HttpRequest, code: str, annee: int, justificatif: int) -> HttpResponseBase:
    """Le fichier, toujours en pièce jointe : le navigateur n'en exécute rien ici, quoi qu'il contienne."""
    exiger(request.user, Droit.CONSULTER)
    trouve = trouver_la_valeur(code, annee).justificatifs.presents().filter(pk=justificatif).first()
    if trouve is None:
        raise Introuvable("Ce justificatif n'existe pas, ou il a été retiré.")
    return rendre_le_fichier(request, trouve)


@require_POST
def retirer(request: HttpRequest, code: str, annee: int, justificatif: int) -> HttpResponse:
    valeur = trouver_la_valeur(code, annee)
    exiger(request.user, Droit.SAISIR_UNE_DONNEE, valeur)
    # Déjà retiré (double clic) : rien de plus, et pas d'erreur.
    trouve = Justificatif.objects.filter(valeur=valeur, pk=justificatif).first()
    if trouve is None:
        raise Introuvable("Ce justificatif n'existe pas.")
    try:
        trouve.retirer(version=nombre_envoye(request, "version"))
    except ConflitDeVersion:
        messages.warning(request, f"« {trouve} » vient d'être changé par quelqu'un : regardez-le, puis recommencez.")
    else:
        messages.success(request, f"Justificatif retiré : {trouve}.")
    return vers_l_annee(valeur)


def trouver_la_valeur(code: str, annee: int) -> ValeurAnnuelle:
    lues = ValeurAnnuelle.objects.avec_valeur().select_related("indicateur__denominateur")
    valeur = lues.filter(indicateur__code=code, annee=annee).first()
    if valeur is None:
        raise Introuvable("Cette valeur n'existe pas : elle est à saisir d'abord.")
    return valeur


def vers_l_annee(valeur: ValeurAnnuelle) -> HttpResponse:
    return redirect(f"{valeur.indicateur.get_absolute_url()}#annee-{valeur.annee}")
