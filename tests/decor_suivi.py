"""Ce qui s'attache à une action du décor : étapes, documents, décision, demande, et de quoi écrire leurs adresses."""

import datetime

from django.core.files.base import ContentFile
from django.utils import timezone

from actions.comites import Comite
from actions.models import (
    Action,
    Campagne,
    ChangementDeStatut,
    Decision,
    Document,
    Etape,
    NoteDeSuivi,
    Plan,
    ReportEcheance,
)
from comptes.models import Utilisateur
from socle.echeances import Echeance

COMITE = datetime.date(2024, 7, 3)
UN_PDF = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n"


def attacher_un_suivi(action: Action, auteur: Utilisateur, fois: int = 1) -> dict[str, object]:
    """Ce que valent, pour cette action, les paramètres des adresses de ce qui s'y attache.

    `fois` : combien d'étapes, de documents, de décisions et de reports de plus elle a.
    """
    comite = Comite.objects.get_or_create(plan=action.plan, date=COMITE)[0]
    for n in range(fois):
        etape = Etape.objects.ajouter(action, intitule=f"Étape {n}", echeance=Echeance.lire("T2 2024"))
        document = Document.objects.deposer(
            action, auteur=auteur, titre=f"Compte rendu {n}", fichier=ContentFile(UN_PDF + bytes([n]), "réunion.pdf")
        )
        Document.objects.deposer(action, auteur=auteur, lien=f"https://exemple.fr/{n}", preuve=True, restreint=True)
        Decision.objects.create(comite=comite, action=action, texte=f"Décision {n}.", auteur=auteur)
        ReportEcheance.ecrire(
            action,
            date_effet=COMITE + datetime.timedelta(days=n),
            auteur=auteur,
            motif="Le marché est relancé.",
            **_periode(action),
        )
    retiree = Etape.objects.ajouter(action, intitule="Étape retirée")
    retiree.retirer(version=retiree.version)
    Etape.objects.ajouter(action, intitule="Étape faite").faire(version=1)
    action.refresh_from_db()
    return {
        "etape": etape.pk,
        "document": document.pk,
        "note": NoteDeSuivi.objects.filter(action=action).en_vigueur().latest("pk").pk,
        "journal": "statut",
        "ligne": ChangementDeStatut.en_vigueur_pour(action).pk,
    }


def demander_des_nouvelles(plan: Plan, auteur: Utilisateur) -> Campagne:
    """Une campagne qui demande toutes les actions du plan, celles de chacun."""
    actions = Action.objects.filter(plan=plan).select_related("pilote", "suppleant")
    avant_le = timezone.localdate() + datetime.timedelta(days=30)
    return Campagne.objects.lancer(plan, list(actions), auteur=auteur, avant_le=avant_le, motif="le COPIL")[0]


def _periode(action: Action) -> dict[str, object]:
    """L'échéance de l'action ne change pas : les essais qui la regardent n'ont pas à le savoir."""
    action.refresh_from_db()
    return {"echeance": action.echeance, "precision": action.echeance_precision}
