"""La liste des actions, dans un fichier."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from actions.classeur.export import Format, exporter, nom_du_fichier
from actions.filtres import FiltreActions
from actions.models import Action
from actions.views.listes import liste
from comptes.droits import Droit, exiger
from comptes.traces import tracer_un_export
from socle.erreurs import DemandeIllisible
from socle.relecture import tel_que_saisi


@require_safe
@tel_que_saisi
def export(request: HttpRequest) -> HttpResponse:
    """Ce que la liste montre avec les mêmes filtres. Un filtre absurde : la liste, qui le dit à côté du champ."""
    exiger(request.user, Droit.CONSULTER)
    forme = request.GET.get("format", Format.XLSX)
    if forme not in Format.values:
        raise DemandeIllisible("Ce format d'export n'existe pas. Choisissez xlsx, ods ou csv.")
    filtre = FiltreActions(request.GET, queryset=Action.objects.all(), request=request)
    if not filtre.form.is_valid():
        return liste(request)
    forme, plan = Format(forme), filtre.form.cleaned_data["plan"]
    filtres = [(pose.libelle, pose.valeur) for pose in filtre.poses]
    fichier = exporter(filtre.qs, forme, filtres=filtres, au=filtre.jour, saisi_au=filtre.instant.saisi_au)
    nom = nom_du_fichier(forme, plan.slug if plan else "")
    tracer_un_export(request, "Actions", fichier=nom, filtres=dict(filtres), lignes=fichier.lignes)
    return HttpResponse(
        fichier.contenu,
        headers={"Content-Type": forme.mime, "Content-Disposition": f'attachment; filename="{nom}"'},
    )
