"""Ce qu'un jeton ouvre : les mêmes listes, toutes actions et toutes valeurs comprises, et ce que le public n'a pas.

Un jeton lit ce que tout compte du site lit (droit de consulter), et rien d'une pièce restreinte.
"""

from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Prefetch, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import NinjaAPI, Query

from actions.models import Plan as PlanDuSite
from bilans.arret import etat_de
from bilans.models import Bilan, VersionDeBilan
from publication.api import filtres, schemas, schemas_internes
from publication.api import tables_internes as tables
from publication.api.operations import Annee, Cle, Code, Slug, lire
from publication.api.pages import page
from publication.api.publique import ligne_de_plan, plan_detaille
from socle.erreurs import Introuvable


def ajouter(api: NinjaAPI) -> None:
    """Les opérations internes, dans l'ordre du document."""
    s, liste = schemas_internes, schemas.Page
    lire(api, "interne_plans", liste[s.PlanInterne], "Tous les plans")(plans)
    lire(api, "interne_plan", s.PlanInterneDetaille, "Un plan, publié ou non")(plan)
    lire(api, "interne_actions", liste[s.ActionInterne], "Toutes les actions d'un plan")(actions)
    lire(api, "interne_action", s.ActionInterneDetaillee, "Une action et ses notes")(action)
    lire(api, "interne_partenaires", liste[s.PartenaireInterne], "Tous les partenaires d'un plan")(partenaires)
    lire(api, "interne_indicateurs", liste[s.IndicateurInterne], "Les indicateurs et leur service")(indicateurs)
    lire(api, "interne_indicateur", s.IndicateurInterneDetaille, "Un indicateur et toutes ses valeurs")(indicateur)
    lire(api, "interne_valeurs", liste[s.ValeurInterne], "Toutes les valeurs annuelles")(valeurs)
    lire(api, "interne_bilans", liste[s.BilanInterne], "Les bilans arrêtés, publiés ou non")(bilans)
    lire(api, "interne_bilan", schemas.ContenuDeBilan, "Le contenu interne d'un bilan arrêté")(bilan)


def _plan(slug: str) -> PlanDuSite:
    trouve = PlanDuSite.objects.filter(slug=slug).first()
    if trouve is None:
        raise Introuvable("Ce plan n'existe pas.")
    return trouve


# --- Plans, actions, partenaires --------------------------------------------------------------------


def plans(request: HttpRequest, filtre: Query[schemas.Pagination]) -> dict[str, Any]:
    """Tous les plans du site, publiés ou non, le plus récent d'abord."""
    tous = PlanDuSite.objects.du_plus_recent()
    return page(request, filtre, tous, lambda lu: ligne_de_plan(lu) | {"publie": lu.publie})


def plan(request: HttpRequest, plan: Slug) -> dict[str, Any]:
    """Un plan, les axes de ses actions et leur décompte, toutes actions comprises."""
    lu = _plan(plan)
    return ligne_de_plan(lu) | plan_detaille(lu, lu.actions.etat_au().au_plan()) | {"publie": lu.publie}


def actions(
    request: HttpRequest, plan: Slug, filtre: Query[schemas_internes.FiltreDActionsInternes]
) -> dict[str, Any]:
    """Les actions au plan aujourd'hui : échéance, retard, pilote, service, budget et point d'attention compris."""
    lu = _plan(plan)
    choisies = filtres.d_actions(tables.ACTIONS_INTERNES.requete(lu), statut=filtre.statut, axe=filtre.axe, q=filtre.q)
    if filtre.retard is not None:
        # Sans échéance, le retard ne se calcule pas : l'action n'est pas en retard pour autant.
        choisies = choisies.filter(
            Q(est_en_retard=True) if filtre.retard == "oui" else Q(est_en_retard=False) | Q(est_en_retard__isnull=True)
        )
    return page(request, filtre, choisies, lambda action: tables.ACTIONS_INTERNES.ligne(action, lu))


def action(request: HttpRequest, plan: Slug, id: Cle) -> dict[str, Any]:
    """Une action au plan, ses partenaires et leur rôle, ses notes de suivi."""
    lu = _plan(plan)
    trouvee = tables.ACTIONS_INTERNES.requete(lu).filter(pk=id).first()
    if trouvee is None:
        raise Introuvable("Cette action n'existe pas dans ce plan.")
    participations = tables.PARTICIPATIONS.requete(lu).filter(action=trouvee.pk)
    notes = tables.NOTES.requete(lu).filter(action=trouvee.pk)
    return tables.ACTIONS_INTERNES.ligne(trouvee, lu) | {
        "partenaires": [tables.PARTICIPATIONS.ligne(participation, lu) for participation in participations],
        "notes": [tables.NOTES.ligne(note, lu) for note in notes],
    }


def partenaires(request: HttpRequest, plan: Slug, filtre: Query[schemas.Pagination]) -> dict[str, Any]:
    """Les partenaires du plan et de toutes ses actions, par leur nom, avec leur contact."""
    lu = _plan(plan)
    siens = tables.PARTENAIRES_INTERNES.requete(lu)
    return page(request, filtre, siens, lambda siens: tables.PARTENAIRES_INTERNES.ligne(siens, lu))


# --- Indicateurs ------------------------------------------------------------------------------------


def indicateurs(request: HttpRequest, plan: Slug, filtre: Query[schemas.Pagination]) -> dict[str, Any]:
    """Ce que le plan mesure, dans son ordre, et le service qui le produit."""
    lu = _plan(plan)
    siens = tables.INDICATEURS_INTERNES.requete(lu)
    return page(request, filtre, siens, lambda place: tables.INDICATEURS_INTERNES.ligne(place, lu))


def indicateur(request: HttpRequest, plan: Slug, code: Code) -> dict[str, Any]:
    """Un indicateur du plan et toutes ses valeurs, provisoires comprises."""
    lu = _plan(plan)
    place = tables.INDICATEURS_INTERNES.requete(lu).filter(indicateur__code=code).first()
    if place is None:
        raise Introuvable("Cet indicateur n'existe pas dans ce plan.")
    siennes = tables.VALEURS_INTERNES.requete(lu).filter(indicateur=place.indicateur_id)
    return tables.INDICATEURS_INTERNES.ligne(place, lu) | {
        "valeurs": [tables.VALEURS_INTERNES.ligne(valeur, lu) for valeur in siennes],
    }


def valeurs(request: HttpRequest, plan: Slug, filtre: Query[schemas.FiltreDeValeurs]) -> dict[str, Any]:
    """Toutes les valeurs des indicateurs du plan, avec leur état."""
    lu = _plan(plan)
    choisies = filtres.de_valeurs(
        tables.VALEURS_INTERNES.requete(lu), annee=filtre.annee, indicateur=filtre.indicateur
    )
    return page(request, filtre, choisies, lambda valeur: tables.VALEURS_INTERNES.ligne(valeur, lu))


# --- Bilans -----------------------------------------------------------------------------------------


def _arretes(plan: PlanDuSite) -> Any:
    """Les bilans du plan qui ont une version, le plus récent d'abord, chacun avec sa dernière (`derniere`, une liste
    d'une version), sans les contenus."""
    dernieres = VersionDeBilan.objects.filter(bilan=OuterRef("bilan")).order_by("-rang").values("pk")[:1]
    versions = VersionDeBilan.objects.filter(pk=Subquery(dernieres)).defer("contenu_interne", "contenu_public")
    return (
        Bilan.objects.filter(plan=plan, versions__rang=1)
        .prefetch_related(Prefetch("versions", queryset=versions, to_attr="derniere"))
        .order_by("-annee")
    )


def bilans(request: HttpRequest, plan: Slug, filtre: Query[schemas.Pagination]) -> dict[str, Any]:
    """Les bilans qui ont une version arrêtée, le plus récent d'abord, avec l'empreinte de la dernière."""
    lu = _plan(plan)
    return page(request, filtre, _arretes(lu), lambda arrete: _ligne_de_bilan(arrete, lu.slug))


def _ligne_de_bilan(arrete: Any, slug: str) -> dict[str, Any]:
    [derniere] = arrete.derniere
    return {
        "plan": slug,
        "annee": arrete.annee,
        "etat": etat_de(arrete, derniere).value,
        "version": derniere.rang,
        "arrete_le": derniere.arretee_le,
        "motif": derniere.motif,
        "empreinte": derniere.empreinte_interne,
        "contenu": f"{settings.ADRESSE_DU_SITE}{reverse('api:interne_bilan', args=[slug, arrete.annee])}",
    }


def bilan(request: HttpRequest, plan: Slug, annee: Annee) -> HttpResponse:
    """Le contenu interne de la dernière version arrêtée, octet pour octet."""
    versions = VersionDeBilan.objects.filter(bilan__plan=_plan(plan), bilan__annee=annee)
    derniere = versions.order_by("-rang").only("contenu_interne").first()
    if derniere is None:
        raise Introuvable("Ce plan n'a pas de bilan arrêté pour cette année.")
    return HttpResponse(derniere.contenu_interne, content_type="application/json; charset=utf-8")
