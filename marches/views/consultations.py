"""Le registre des consultations : la liste, une consultation, sa saisie."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_tables2 import RequestConfig

from comptes.droits import Droit, exiger, peut
from marches import export_du_registre
from marches.consultations import Consultation, LotDeConsultation
from marches.exports import Format, exporter, format_demande
from marches.fiche_de_consultation import fiche_de
from marches.filtres_du_registre import FiltreConsultations
from marches.formulaires_du_registre import (
    DE_LOT,
    FormulaireDeConsultation,
    FormulaireDeLot,
    creer_la_consultation,
)
from marches.registre import DEFINITION
from marches.regles_du_registre import avertissements_du_lot
from marches.table_de_consultations import TableConsultations
from marches.views.commun import lecture_ou_envoi, qui_demande
from socle.erreurs import Introuvable

LIGNES_PAR_PAGE = 25


@require_safe
def consultations(request: HttpRequest) -> HttpResponse:
    """Les consultations que l'adresse filtre et trie, ou leur export. Un filtre absurde : 400, message à côté."""
    exiger(request.user, Droit.CONSULTER)
    filtre = FiltreConsultations(request.GET, queryset=Consultation.objects.all(), request=request)
    lisible = filtre.form.is_valid()
    lues = filtre.qs.select_related("service") if lisible else Consultation.objects.none()
    if lisible and (forme := format_demande(request)):
        poses = [(pose.libelle, pose.valeur) for pose in filtre.poses]
        lignes = export_du_registre.lignes(lues.avec_ses_lots())
        commun: dict[str, Any] = {"colonnes": export_du_registre.COLONNES, "notes": export_du_registre.NOTES}
        return exporter(request, forme, sujet=export_du_registre.SUJET, lignes=lignes, filtres=poses, **commun)
    table = TableConsultations(lues)
    RequestConfig(request, paginate={"per_page": LIGNES_PAR_PAGE}).configure(table)
    contexte = {
        "filtre": filtre,
        "table": table,
        "exports": Format,
        "definition": DEFINITION,
        "peut_saisir": peut(request.user, Droit.SAISIR_UNE_DONNEE),
    }
    return render(request, "marches/consultations.html", contexte, status=200 if lisible else 400)


@require_safe
def consultation(request: HttpRequest, consultation: int) -> HttpResponse:
    exiger(request.user, Droit.CONSULTER)
    trouvee = _trouver(consultation)
    contexte = {
        "consultation": trouvee,
        "fiche": fiche_de(trouvee),
        "definition": DEFINITION,
        "modifiable": trouvee.modifiable_par(qui_demande(request)),
    }
    return render(request, "marches/consultation.html", contexte)


@lecture_ou_envoi
def ajouter(request: HttpRequest) -> HttpResponse:
    """La consultation et son premier lot, sur une page."""
    exiger(request.user, Droit.SAISIR_UNE_DONNEE)
    envoi = request.POST or None
    formulaire = FormulaireDeConsultation(envoi, auteur=qui_demande(request))
    lot = FormulaireDeLot(
        envoi, prefix=DE_LOT, auteur=qui_demande(request), consultation=formulaire.instance, initial={"numero": "1"}
    )
    creee = creer_la_consultation(formulaire, lot) if request.method == "POST" else None
    if creee is None:
        return render(request, "marches/consultation_ajouter.html", {"formulaire": formulaire, "lot": lot})
    messages.success(request, f"Consultation {creee.numero} enregistrée.")
    _avertir(request, creee.lots.first())
    return redirect("marches:lot_ajouter", creee.pk) if "encore" in request.POST else redirect(creee)


@lecture_ou_envoi
def modifier(request: HttpRequest, consultation: int) -> HttpResponse:
    trouvee = _trouver_pour_ecrire(request, consultation)
    formulaire = FormulaireDeConsultation(request.POST or None, instance=trouvee, auteur=qui_demande(request))
    if request.method == "POST" and formulaire.enregistrer():
        messages.success(request, "Consultation enregistrée.")
        return redirect(trouvee)
    contexte = {"consultation": trouvee, "formulaire": formulaire}
    return render(request, "marches/consultation_modifier.html", contexte)


# --- Lots ---------------------------------------------------------------------------------------


@lecture_ou_envoi
def ajouter_un_lot(request: HttpRequest, consultation: int) -> HttpResponse:
    trouvee = _trouver_pour_ecrire(request, consultation)
    depart = {"numero": str(trouvee.lots.count() + 1)}
    return _montrer_ou_ecrire_le_lot(request, trouvee, LotDeConsultation(), depart)


@lecture_ou_envoi
def modifier_un_lot(request: HttpRequest, consultation: int, lot_du_registre: int) -> HttpResponse:
    trouvee = _trouver_pour_ecrire(request, consultation)
    return _montrer_ou_ecrire_le_lot(request, trouvee, _trouver_le_lot(trouvee, lot_du_registre), None)


@require_POST
def retirer_un_lot(request: HttpRequest, consultation: int, lot_du_registre: int) -> HttpResponse:
    trouvee = _trouver_pour_ecrire(request, consultation)
    lot = _trouver_le_lot(trouvee, lot_du_registre)
    try:
        lot.retirer(auteur=qui_demande(request))
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
    else:
        messages.success(request, f"Lot {lot.numero} retiré du registre ; son historique reste.")
    return redirect(trouvee)


def _montrer_ou_ecrire_le_lot(
    request: HttpRequest, de: Consultation, lot: LotDeConsultation, depart: dict[str, str] | None
) -> HttpResponse:
    formulaire = FormulaireDeLot(
        request.POST or None, instance=lot, auteur=qui_demande(request), consultation=de, initial=depart
    )
    if request.method == "POST" and (ecrit := formulaire.enregistrer()):
        messages.success(request, f"Lot {ecrit.numero} enregistré.")
        _avertir(request, ecrit)
        return redirect("marches:lot_ajouter", de.pk) if "encore" in request.POST else redirect(de)
    contexte = {"consultation": de, "lot": lot if lot.pk else None, "formulaire": formulaire}
    return render(request, "marches/lot_du_registre.html", contexte)


# --- Ce qu'elles partagent ----------------------------------------------------------------------


def _trouver(pk: int) -> Consultation:
    trouvee = Consultation.objects.avec_ses_lots().filter(pk=pk).first()
    if trouvee is None:
        raise Introuvable("Cette consultation n'existe pas.")
    return trouvee


def _trouver_pour_ecrire(request: HttpRequest, pk: int) -> Consultation:
    exiger(request.user, Droit.SAISIR_UNE_DONNEE)
    trouvee = _trouver(pk)
    if not trouvee.modifiable_par(qui_demande(request)):
        raise PermissionDenied("Cette consultation est d'un autre service : vous pouvez la lire, pas la modifier.")
    return trouvee


def _trouver_le_lot(consultation: Consultation, pk: int) -> LotDeConsultation:
    lot = consultation.lots.filter(pk=pk).first()
    if lot is None:
        raise Introuvable("Cette consultation n'a pas ce lot.")
    return lot


def _avertir(request: HttpRequest, lot: LotDeConsultation | None) -> None:
    for phrase in avertissements_du_lot(lot, lot.consultation) if lot else []:
        messages.warning(request, phrase)
