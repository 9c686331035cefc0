"""La valeur d'une année : la donner, la corriger, la valider."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from actions.views.commun import lecture_ou_envoi
from comptes.droits import Droit, exiger
from comptes.models import Utilisateur
from indicateurs.comparaisons import Comparaison
from indicateurs.deplacements import taux_appuyes
from indicateurs.formulaire_de_valeur import FormulaireDeValeur
from indicateurs.grille_de_saisie import exiger_une_annee
from indicateurs.listes import Etat
from indicateurs.models import Indicateur, ValeurAnnuelle
from indicateurs.plausibilite import etonnement
from indicateurs.saisie import Saisie
from socle.erreurs import Introuvable

# Les années d'avant que la page rappelle.
ANNEES_RAPPELEES = 3


@lecture_ou_envoi
def valeur(request: HttpRequest, code: str, annee: int) -> HttpResponse:
    """Le formulaire d'une valeur, avec les années d'avant et les taux qui s'appuient sur elle."""
    indicateur = trouver_l_indicateur(code)
    exiger(request.user, Droit.SAISIR_UNE_DONNEE, indicateur)
    exiger_une_annee(annee)
    rappel = Rappel(indicateur, annee)
    formulaire = FormulaireDeValeur(
        request.POST or None,
        indicateur=indicateur,
        annee=annee,
        enregistree=rappel.valeur,
        partage=rappel.partage,
        motif_utile=rappel.motif_utile,
        auteur=cast("Utilisateur", request.user),
    )
    saisie = formulaire.enregistrer() if formulaire.is_valid() else None
    if saisie is not None:
        return _apres(request, indicateur, annee, saisie)
    return render(request, "indicateurs/valeur.html", {"rappel": rappel, "formulaire": formulaire})


def trouver_l_indicateur(code: str) -> Indicateur:
    trouve = Indicateur.objects.select_related("denominateur", "service").filter(code=code).first()
    if trouve is None:
        raise Introuvable("Cet indicateur n'existe pas.")
    return trouve


class Rappel:
    """Ce que la page rappelle autour d'une valeur. Deux requêtes."""

    def __init__(self, indicateur: Indicateur, annee: int) -> None:
        self.indicateur, self.annee = indicateur, annee
        series = [indicateur.pk, indicateur.denominateur_id]
        lues = ValeurAnnuelle.objects.avec_valeur().filter(
            indicateur__in=[pk for pk in series if pk], annee__range=(annee - ANNEES_RAPPELEES, annee)
        )
        par_cle = {(v.indicateur_id, v.annee): v for v in lues.select_related("indicateur")}
        self.valeur: ValeurAnnuelle | None = par_cle.get((indicateur.pk, annee))
        denominateur = indicateur.denominateur_id
        self.partage: ValeurAnnuelle | None = par_cle.get((denominateur, annee)) if denominateur else None
        avant = range(annee - 1, annee - ANNEES_RAPPELEES - 1, -1)
        self.precedentes = [v for a in avant if (v := par_cle.get((indicateur.pk, a)))]
        self.comparaison = Comparaison(indicateur, self.valeur, par_cle.get((indicateur.pk, annee - 1)))
        self.etonnement = etonnement(self.comparaison)
        self.appuyes = taux_appuyes(self.valeur or ValeurAnnuelle(indicateur=indicateur, annee=annee))

    @property
    def motif_utile(self) -> bool:
        """Une valeur validée peut bouger : celle-ci, ou un taux qui s'appuie sur elle."""
        return any(valeur.etat == Etat.VALIDEE for valeur in (self.valeur, *self.appuyes) if valeur)


def _apres(request: HttpRequest, indicateur: Indicateur, annee: int, saisie: Saisie) -> HttpResponse:
    """Dit ce qui est enregistré et ce qui a bougé ; un chiffre qui étonne, sans remarque, en demande une."""
    ecrite = saisie.valeur
    assert ecrite is not None  # noqa: S101 - le formulaire refuse une saisie vide
    if not saisie.change:
        messages.info(request, "Rien à changer : c'était déjà enregistré.")
        return redirect(indicateur)
    messages.success(request, f"Valeur {annee} enregistrée : {ecrite.detail}.")
    for deplace in saisie.deplaces:
        messages.info(request, f"Un taux a bougé. {deplace}")
    if not ecrite.remarque and (phrase := Rappel(indicateur, annee).etonnement):
        messages.warning(request, phrase)
        return redirect("indicateurs:valeur", indicateur.code, annee)
    return redirect(indicateur)
