"""Arrêter un bilan, le rouvrir, le publier, le retirer de la publication."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from actions.views.commun import lecture_ou_envoi, qui_demande
from actions.views.etapes import nombre_envoye
from bilans import arret
from bilans.apercu_de_l_arret import apercu_de_l_arret, ce_que_voit_le_public
from bilans.controle import controler
from bilans.formulaires import FormulaireDeReouverture
from bilans.situation import situation_du_bilan
from bilans.views.commun import tenter, trouver_le_bilan
from bilans.visibilite import obstacles
from comptes.droits import Droit, exiger


@lecture_ou_envoi
def arreter(request: HttpRequest, plan: str, annee: int) -> HttpResponse:
    """Ce qui sera gardé, et le bouton qui le garde. Demandé deux fois, une seule version."""
    exiger(request.user, Droit.VALIDER)
    bilan = trouver_le_bilan(plan, annee)
    if request.method == "POST":
        geste = partial(
            arret.arreter,
            bilan.plan,
            annee,
            auteur=qui_demande(request),
            attendue=nombre_envoye(request, "attendue"),
            version=nombre_envoye(request, "version"),
        )
        return redirect(bilan if tenter(request, geste, f"Bilan {annee} arrêté.") else request.path)
    situation = situation_du_bilan(bilan)
    if not situation.en_preparation:
        messages.info(request, f"Le bilan {annee} est déjà arrêté : rouvrez-le, en disant pourquoi, pour en changer.")
        return redirect(bilan)
    contexte = {"bilan": bilan, "situation": situation, "controle": controler(bilan)}
    return render(request, "bilans/arreter.html", contexte | {"apercu": apercu_de_l_arret(bilan)})


@lecture_ou_envoi
def rouvrir(request: HttpRequest, plan: str, annee: int) -> HttpResponse:
    exiger(request.user, Droit.VALIDER)
    bilan = trouver_le_bilan(plan, annee)
    formulaire = FormulaireDeReouverture(request.POST or None, bilan=bilan)
    if formulaire.is_valid() and formulaire.enregistrer(qui_demande(request)):
        messages.success(request, f"Bilan {annee} rouvert. La version arrêtée reste lisible.")
        return redirect("bilans:preparer", plan, annee)
    situation = situation_du_bilan(trouver_le_bilan(plan, annee))
    contexte = {"bilan": situation.bilan, "situation": situation, "formulaire": formulaire}
    return render(request, "bilans/rouvrir.html", contexte)


@lecture_ou_envoi
def publier(request: HttpRequest, plan: str, annee: int) -> HttpResponse:
    """Ce que le public verra, et où ; ou ce qu'il voit, et de quoi l'en retirer."""
    exiger(request.user, Droit.VALIDER)
    bilan = trouver_le_bilan(plan, annee)
    if request.method == "POST":
        version = nombre_envoye(request, "version")
        geste = partial(arret.publier, bilan, auteur=qui_demande(request), version=version)
        return redirect(bilan if tenter(request, geste, f"Bilan {annee} publié.") else request.path)
    situation = situation_du_bilan(bilan)
    contexte = {"bilan": bilan, "situation": situation, "public": ce_que_voit_le_public(situation)}
    return render(request, "bilans/publier.html", {**contexte, "obstacles": obstacles(bilan)})


@require_POST
def depublier(request: HttpRequest, plan: str, annee: int) -> HttpResponse:
    exiger(request.user, Droit.VALIDER)
    bilan = trouver_le_bilan(plan, annee)
    version = nombre_envoye(request, "version")
    geste = partial(arret.retirer_de_la_publication, bilan, auteur=qui_demande(request), version=version)
    tenter(request, geste, f"Bilan {annee} retiré de la publication : il reste arrêté.")
    return redirect(bilan)
