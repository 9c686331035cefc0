"""Les valeurs des indicateurs dans un classeur : l'emporter, le rendre."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from actions.classeur.export import Format
from actions.depot_de_fichier import nom_sur
from actions.views.commun import lecture_ou_envoi, qui_demande
from comptes.droits import Droit, exiger
from comptes.traces import tracer_un_export
from indicateurs.classeur.apercu import Apercu
from indicateurs.classeur.export import ANNEES_PAR_DEFAUT, annees_demandees, exporter, nom_du_fichier
from indicateurs.classeur.formulaires import CONFLIT, FormulaireDApplication, FormulaireDeDepot
from indicateurs.classeur.imports import ApercuPerime, Depot, DepotPerime, Import, ImportRefuse, appliquer
from indicateurs.filtres import FiltreIndicateurs
from indicateurs.grille_de_saisie import derniere_annee_finie
from indicateurs.models import Indicateur
from indicateurs.views.pages import liste
from socle.erreurs import DemandeIllisible, Introuvable
from socle.formats import accorder, typographie
from socle.relecture import tel_que_saisi
from socle.tableaux import FichierIllisible

PERIME = "Des valeurs ont changé depuis l'aperçu : en voici un autre, rien n'est écrit."
DEPLACEMENTS_DITS = 10
EXPIRE = "Cet aperçu a expiré : déposez le fichier de nouveau."


@require_safe
@tel_que_saisi
def export(request: HttpRequest) -> HttpResponse:
    """Ce que la liste montre avec les mêmes filtres. Un filtre absurde : la liste, qui le dit à côté du champ."""
    exiger(request.user, Droit.CONSULTER)
    forme = request.GET.get("format", Format.XLSX)
    if forme not in Format.values:
        raise DemandeIllisible("Ce format d'export n'existe pas. Choisissez xlsx, ods ou csv.")
    filtre = FiltreIndicateurs(request.GET, queryset=Indicateur.objects.all(), request=request)
    if not filtre.form.is_valid():
        return liste(request)
    forme, demandes = Format(forme), _filtres(request, filtre)
    indicateurs = filtre.qs.filter(code=request.GET["code"]) if "code" in request.GET else filtre.qs
    annees, filtres = annees_demandees(request.GET), list(demandes.items())
    fichier = exporter(indicateurs, forme, annees=annees, filtres=filtres, instant=filtre.instant)
    nom = nom_du_fichier(forme, request.GET.get("code") or request.GET.get("plan", ""))
    tracer_un_export(request, "Indicateurs", fichier=nom, filtres=demandes, lignes=fichier.lignes)
    return HttpResponse(
        fichier.contenu,
        headers={"Content-Type": forme.mime, "Content-Disposition": f'attachment; filename="{nom}"'},
    )


@lecture_ou_envoi
def importer(request: HttpRequest) -> HttpResponse:
    """Le formulaire de dépôt ; un fichier lu montre ce qu'il changerait, et n'écrit rien."""
    exiger(request.user, Droit.IMPORTER)
    formulaire = FormulaireDeDepot(request.POST or None, request.FILES or None)
    if formulaire.is_valid():
        fichier = formulaire.cleaned_data["fichier"]
        depot = Depot(nom_sur(fichier.name) or "classeur", fichier.read())
        try:
            return _montrer(request, depot, depot.etudier())
        except FichierIllisible as refus:
            formulaire.add_error("fichier", typographie(str(refus)))
    return render(request, "indicateurs/importer.html", {"formulaire": formulaire} | _annees())


@require_POST
def appliquer_l_import(request: HttpRequest) -> HttpResponse:
    """Écrit tout ce que l'aperçu annonçait, ou le remontre avec ce qui manque pour le faire."""
    exiger(request.user, Droit.IMPORTER)
    try:
        depot = Depot.signe(request.POST.get("depot", ""))
    except DepotPerime:
        messages.error(request, EXPIRE)
        return redirect("indicateurs:importer")
    pris = set(request.POST.getlist(CONFLIT))
    apercu = depot.etudier(pris)
    formulaire = FormulaireDApplication(request.POST, apercu=apercu)
    if apercu.empreinte != depot.empreinte:
        return _remontrer(request, depot, pris)
    if not formulaire.is_valid():
        return _montrer(request, depot, apercu, formulaire)
    try:
        fait = appliquer(depot, pris, formulaire.motif_donne, par=qui_demande(request))
    except ApercuPerime:
        return _remontrer(request, depot, pris)
    except ImportRefuse as refus:
        return _montrer(request, depot, apercu, formulaire, refus.phrases)
    _dire(request, depot, fait)
    return redirect("indicateurs:liste")


# --- Ce qu'elles partagent ----------------------------------------------------------------------


def _filtres(request: HttpRequest, filtre: FiltreIndicateurs) -> dict[str, str]:
    """Ce qu'on a demandé, en clair. Lève Introuvable si l'indicateur demandé n'existe pas."""
    demandes = {}
    if plan := filtre.form.cleaned_data["plan"]:
        demandes["Plan"] = str(plan)
    if annee := filtre.annee:
        demandes["Sans valeur en"] = str(annee)
    if phrase := filtre.instant.phrase:
        demandes["Instant"] = phrase
    if (code := request.GET.get("code")) is not None:
        if not Indicateur.objects.filter(code=code).exists():
            raise Introuvable("Cet indicateur n'existe pas.")
        demandes["Indicateur"] = code
    return demandes


def _annees() -> dict[str, int]:
    """Celles d'un classeur à remplir : les dernières années finies."""
    derniere = derniere_annee_finie()
    return {"de": derniere - ANNEES_PAR_DEFAUT + 1, "a": derniere}


def _montrer(
    request: HttpRequest,
    depot: Depot,
    apercu: Apercu,
    formulaire: FormulaireDApplication | None = None,
    phrases: list[str] | None = None,
) -> HttpResponse:
    """L'aperçu, et de quoi l'appliquer. `phrases` : ce que l'écriture a refusé."""
    signe = depot.signer(apercu.empreinte)
    formulaire = formulaire or FormulaireDApplication(apercu=apercu, initial={"depot": signe})
    refus = phrases or ([apercu.trop] if apercu.trop else [str(raison) for raison in apercu.refus])
    contexte = {
        "apercu": apercu,
        "nom": depot.nom,
        "formulaire": formulaire,
        "refus": [typographie(phrase) for phrase in refus],
        "nouveau": FormulaireDeDepot(),
    }
    return render(request, "indicateurs/apercu_d_import.html", contexte)


def _remontrer(request: HttpRequest, depot: Depot, pris: set[str]) -> HttpResponse:
    """Un aperçu neuf : ce qui était annoncé n'est plus ce qui serait fait."""
    apercu = depot.etudier(pris)
    if apercu.vide:
        messages.info(request, f"« {depot.nom} » dit ce qui est déjà enregistré : il n'y a rien à importer.")
        return redirect("indicateurs:liste")
    messages.warning(request, PERIME)
    return _montrer(request, depot, apercu)


def _dire(request: HttpRequest, depot: Depot, fait: Import) -> None:
    nombre = accorder(fait.ecrites, "valeur enregistrée", "valeurs enregistrées")
    messages.success(request, f"Import de « {depot.nom} » : {nombre}.")
    for deplace in fait.deplaces[:DEPLACEMENTS_DITS]:
        messages.info(request, f"Un taux a bougé. {deplace}")
    reste = len(fait.deplaces) - DEPLACEMENTS_DITS
    if reste > 0:
        messages.info(request, f"{accorder(reste, 'autre taux a bougé', 'autres taux ont bougé')}.")
