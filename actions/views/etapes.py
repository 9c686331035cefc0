"""Les étapes d'une action : les ajouter, les changer, les dire faites, les ranger, les retirer."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from actions.formulaires_de_suivi import FormulaireEtape, FormulaireNouvelleEtape
from actions.models import Action, Etape
from actions.views.commun import lecture_ou_envoi, trouver_l_action
from comptes.droits import Droit, exiger
from socle.erreurs import DemandeIllisible, Introuvable
from socle.modeles import ConflitDeVersion


def trouver_l_etape(request: HttpRequest, pk: int, etape: int) -> tuple[Action, Etape]:
    """L'action et son étape, pour qui peut la mettre à jour."""
    action = trouver_l_action(pk)
    exiger(request.user, Droit.METTRE_A_JOUR, action)
    trouvee = Etape.objects.filter(action=action, pk=etape).first()
    if trouvee is None:
        raise Introuvable("Cette étape n'existe pas.")
    return action, trouvee


def vers_les_etapes(action: Action) -> HttpResponse:
    return redirect(f"{action.get_absolute_url()}#etapes")


def nombre_envoye(request: HttpRequest, nom: str) -> int:
    """Un nombre que la page a mis dans son bouton ; 400 si l'envoi a été écrit autrement."""
    texte = request.POST.get(nom, "")
    if not (texte.isascii() and texte.isdigit() and len(texte) < 9):
        raise DemandeIllisible("On ne sait pas ce qui est demandé : revenez à la page d'où vous venez.")
    return int(texte)


@lecture_ou_envoi
def ajouter(request: HttpRequest, pk: int) -> HttpResponse:
    action = trouver_l_action(pk)
    exiger(request.user, Droit.METTRE_A_JOUR, action)
    formulaire = FormulaireNouvelleEtape(request.POST or None, action=action)
    if formulaire.is_valid() and formulaire.enregistrer(request.user):
        messages.success(request, formulaire.compte_rendu)
        return vers_les_etapes(action)
    return render(request, "actions/geste.html", {"action": action, "formulaire": formulaire})


@lecture_ou_envoi
def modifier(request: HttpRequest, pk: int, etape: int) -> HttpResponse:
    action, trouvee = trouver_l_etape(request, pk, etape)
    formulaire = FormulaireEtape(request.POST or None, action=action, ligne=trouvee)
    if formulaire.is_valid() and formulaire.enregistrer(request.user):
        messages.success(request, formulaire.compte_rendu)
        return vers_les_etapes(action)
    return render(request, "actions/geste.html", {"action": action, "formulaire": formulaire})


def d_un_clic(request: HttpRequest, pk: int, etape: int, geste: Callable, compte_rendu: str) -> HttpResponse:
    """Un bouton de la liste : le geste, sa confirmation ou son refus, et retour à la liste."""
    action, trouvee = trouver_l_etape(request, pk, etape)
    try:
        geste(trouvee, version=nombre_envoye(request, "version"))
    except ConflitDeVersion as conflit:
        phrase = f"L'étape « {conflit.actuelle} » vient d'être changée par quelqu'un : regardez-la, puis recommencez."
        messages.warning(request, phrase)
    except ValidationError as refus:
        messages.warning(request, " ".join(refus.messages))
    else:
        messages.success(request, f"{compte_rendu} : {trouvee}.")
    return vers_les_etapes(action)


@require_POST
def faite(request: HttpRequest, pk: int, etape: int) -> HttpResponse:
    """Faite aujourd'hui ; la date se change sur la page de l'étape."""
    return d_un_clic(request, pk, etape, Etape.faire, "Étape faite aujourd'hui")


@require_POST
def retirer(request: HttpRequest, pk: int, etape: int) -> HttpResponse:
    return d_un_clic(request, pk, etape, Etape.retirer, "Étape retirée")


@require_POST
def remettre(request: HttpRequest, pk: int, etape: int) -> HttpResponse:
    return d_un_clic(request, pk, etape, Etape.remettre, "Étape remise")


@require_POST
def deplacer(request: HttpRequest, pk: int, etape: int) -> HttpResponse:
    """Met l'étape au rang demandé. Sans message : la liste le montre."""
    action, trouvee = trouver_l_etape(request, pk, etape)
    trouvee.placer(nombre_envoye(request, "rang"))
    return vers_les_etapes(action)
