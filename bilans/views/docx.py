from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from bilans.arret import derniere_version
from bilans.bilan import Bilan
from bilans.contenu.composition import composer
from bilans.contenu.schema import Portee, lire
from bilans.rendu_docx import ecrire_docx
from bilans.versions import VersionDeBilan
from bilans.views.commun import remettre, trouver_le_bilan
from bilans.views.page import lire_portee

MIME = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@require_safe
def docx(request: HttpRequest, plan: str, annee: int) -> HttpResponseBase:
    """Le bilan en .docx : la dernière version arrêtée ; sans elle, ou si le bilan est rouvert, le brouillon. Son
    contenu public, ou l'interne (`?portee=interne`)."""
    portee = lire_portee(request.GET, Portee.PUBLIQUE)
    version = _version_qui_vaut(plan, annee)
    lu = lire(composer(trouver_le_bilan(plan, annee)).de(portee)) if version is None else version.lu(portee)
    empreinte = "" if version is None else version.empreinte_de(portee)
    suite = "brouillon" if version is None else f"version-{version.rang}"
    nom = f"bilan-{annee}-{plan}-{portee.value}-{suite}.docx"
    entetes = {"Content-Type": MIME, "Content-Disposition": f'attachment; filename="{nom}"'}
    reponse = HttpResponse(ecrire_docx(lu, empreinte=empreinte), headers=entetes)
    return remettre(request, reponse, f"Bilan {annee}", nom)


def _version_qui_vaut(plan: str, annee: int) -> VersionDeBilan | None:
    """La dernière arrêtée, si rien n'est rouvert : elle se lit sans rien demander au plan ni à ses indicateurs."""
    bilan = Bilan.objects.filter(plan__slug=plan, annee=annee, rouvert_le=None).first()
    return derniere_version(bilan) if bilan else None
