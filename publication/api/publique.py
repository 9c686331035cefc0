"""Ce que chacun lit sans jeton : ce que `publication.acces` dit public, dans les colonnes de `publication.tables`."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import NinjaAPI, Query

from actions.models import Plan as PlanDuSite
from publication import tables
from publication.acces import BilanPublic, actions_publiques, bilan_publie, bilans_publies, plan_publie, plans_publies
from publication.api import filtres, schemas
from publication.api.operations import Annee, Cle, Code, Slug, lire
from publication.api.pages import page
from socle.erreurs import Introuvable


def ajouter(api: NinjaAPI) -> None:
    """Les opérations publiques, dans l'ordre du document."""
    s, liste = schemas, schemas.Page
    lire(api, "plans", liste[s.Plan], "Les plans publiés")(plans)
    lire(api, "plan", s.PlanDetaille, "Un plan")(plan)
    lire(api, "actions", liste[s.Action], "Les actions d'un plan")(actions)
    lire(api, "action", s.ActionDetaillee, "Une action")(action)
    lire(api, "statuts", liste[s.Changement], "Les statuts successifs des actions")(statuts)
    lire(api, "indicateurs", liste[s.Indicateur], "Les indicateurs d'un plan")(indicateurs)
    lire(api, "indicateur", s.IndicateurDetaille, "Un indicateur et ses valeurs")(indicateur)
    lire(api, "valeurs", liste[s.Valeur], "Les valeurs annuelles d'un plan")(valeurs)
    lire(api, "partenaires", liste[s.Partenaire], "Les partenaires d'un plan")(partenaires)
    lire(api, "bilans", liste[s.Bilan], "Les bilans publiés d'un plan")(bilans)
    lire(api, "bilan", s.ContenuDeBilan, "Le contenu d'un bilan publié")(bilan)


# --- Le plan ----------------------------------------------------------------------------------------


def plans(request: HttpRequest, filtre: Query[schemas.Pagination]) -> dict[str, Any]:
    """Les plans que la collectivité publie, le plus récent d'abord."""
    return page(request, filtre, plans_publies(), ligne_de_plan)


def ligne_de_plan(lu: PlanDuSite) -> dict[str, Any]:
    return {
        "plan": lu.slug,
        "intitule": lu.intitule,
        "label": lu.label,
        "description": lu.description,
        "annee_debut": lu.annee_debut,
        "annee_fin": lu.annee_fin,
    }


def plan(request: HttpRequest, plan: Slug) -> dict[str, Any]:
    """Un plan, les axes de ses actions publiques, et combien de celles-ci ont chaque statut aujourd'hui."""
    lu = plan_publie(plan)
    visibles = actions_publiques(lu)
    return ligne_de_plan(lu) | plan_detaille(lu, visibles)


def plan_detaille(lu: PlanDuSite, visibles: Any) -> dict[str, Any]:
    """Les axes de ces actions, et leur décompte."""
    decompte = visibles.order_by().decompte()
    axes = lu.axes.filter(actions__in=visibles.order_by().values("pk")).distinct()
    return {
        "axes": [{"code": axe.code, "intitule": axe.intitule} for axe in axes],
        "avancement": {
            "total": decompte.total,
            "terminees": decompte.terminees,
            "en_cours": decompte.en_cours,
            "non_initiees": decompte.non_initiees,
            "inconnues": decompte.inconnues,
        },
    }


# --- Les actions ------------------------------------------------------------------------------------


def actions(request: HttpRequest, plan: Slug, filtre: Query[schemas.FiltreDActions]) -> dict[str, Any]:
    """Les actions publiques du plan, dans son ordre, avec leur statut du jour."""
    lu = plan_publie(plan)
    choisies = filtres.d_actions(tables.ACTIONS.requete(lu), statut=filtre.statut, axe=filtre.axe, q=filtre.q)
    return page(request, filtre, choisies, lambda action: tables.ACTIONS.ligne(action, lu))


def action(request: HttpRequest, plan: Slug, id: Cle) -> dict[str, Any]:
    """Une action publique, les partenaires qui y prennent part et ses statuts successifs."""
    lu = plan_publie(plan)
    trouvee = tables.ACTIONS.requete(lu).filter(pk=id).first()
    if trouvee is None:
        raise Introuvable("Cette action n'existe pas, ou n'est pas publique.")
    siens = tables.PARTENAIRES.requete(lu).filter(participations__action=trouvee.pk)
    changements = tables.STATUTS.requete(lu).filter(action=trouvee.pk)
    return tables.ACTIONS.ligne(trouvee, lu) | {
        "partenaires": [tables.PARTENAIRES.ligne(partenaire, lu) for partenaire in siens],
        "statuts": [tables.STATUTS.ligne(changement, lu) for changement in changements],
    }


def statuts(request: HttpRequest, plan: Slug, filtre: Query[schemas.FiltreDeStatuts]) -> dict[str, Any]:
    """Chaque changement de statut des actions publiques, par action puis par date d'effet."""
    lu = plan_publie(plan)
    choisis = tables.STATUTS.requete(lu)
    if filtre.action is not None:
        choisis = choisis.filter(action=filtre.action)
    return page(request, filtre, choisis, lambda changement: tables.STATUTS.ligne(changement, lu))


def partenaires(request: HttpRequest, plan: Slug, filtre: Query[schemas.Pagination]) -> dict[str, Any]:
    """Ceux que le plan cite, dans son ordre, puis ceux que seules ses actions publiques nomment."""
    lu = plan_publie(plan)
    siens = tables.PARTENAIRES.requete(lu)
    return page(request, filtre, siens, lambda partenaire: tables.PARTENAIRES.ligne(partenaire, lu))


# --- Les indicateurs --------------------------------------------------------------------------------


def indicateurs(request: HttpRequest, plan: Slug, filtre: Query[schemas.Pagination]) -> dict[str, Any]:
    """Ce que le plan mesure, dans son ordre."""
    lu = plan_publie(plan)
    siens = tables.INDICATEURS.requete(lu)
    return page(request, filtre, siens, lambda place: tables.INDICATEURS.ligne(place, lu))


def indicateur(request: HttpRequest, plan: Slug, code: Code) -> dict[str, Any]:
    """Un indicateur du plan et toutes ses valeurs validées."""
    lu = plan_publie(plan)
    place = tables.INDICATEURS.requete(lu).filter(indicateur__code=code).first()
    if place is None:
        raise Introuvable("Cet indicateur n'existe pas dans ce plan.")
    siennes = tables.VALEURS.requete(lu).filter(indicateur=place.indicateur_id)
    return tables.INDICATEURS.ligne(place, lu) | {
        "valeurs": [tables.VALEURS.ligne(valeur, lu) for valeur in siennes],
    }


def valeurs(request: HttpRequest, plan: Slug, filtre: Query[schemas.FiltreDeValeurs]) -> dict[str, Any]:
    """Les valeurs validées des indicateurs du plan, par indicateur puis par année."""
    lu = plan_publie(plan)
    choisies = filtres.de_valeurs(tables.VALEURS.requete(lu), annee=filtre.annee, indicateur=filtre.indicateur)
    return page(request, filtre, choisies, lambda valeur: tables.VALEURS.ligne(valeur, lu))


# --- Les bilans -------------------------------------------------------------------------------------


def bilans(request: HttpRequest, plan: Slug, filtre: Query[schemas.Pagination]) -> dict[str, Any]:
    """Les bilans publiés du plan, le plus récent d'abord, chacun avec l'empreinte de son contenu."""
    lu = plan_publie(plan)
    return page(request, filtre, bilans_publies(lu), lambda public: _ligne_de_bilan(public, lu.slug))


def _ligne_de_bilan(public: BilanPublic, slug: str) -> dict[str, Any]:
    return {
        "plan": slug,
        "annee": public.annee,
        "version": public.version.rang,
        "arrete_le": public.version.arretee_le,
        "publie_le": public.bilan.publie_le,
        "empreinte": public.version.empreinte_publique,
        "contenu": f"{settings.ADRESSE_DU_SITE}{reverse('api:bilan', args=[slug, public.annee])}",
    }


def bilan(request: HttpRequest, plan: Slug, annee: Annee) -> HttpResponse:
    """Le contenu public arrêté, octet pour octet : son SHA-256 est l'empreinte que la liste donne."""
    public = bilan_publie(plan_publie(plan), annee)
    return HttpResponse(public.version.contenu_public, content_type="application/json; charset=utf-8")
