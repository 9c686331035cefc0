from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from bilans.arret import bilan_de, derniere_version
from bilans.cadre import cadrer
from bilans.contenu.composition import composer
from bilans.contenu.schema import Portee, lire
from bilans.demande import Demande
from bilans.rendu_docx import ecrire_docx
from socle.erreurs import DemandeIllisible

MIME = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@require_safe
def docx(request: HttpRequest, plan: str, annee: int) -> HttpResponse:
    """Le bilan en .docx : la dernière version arrêtée, sinon le brouillon ; public, ou interne (`?portee=interne`)."""
    portee = _lire_portee(request.GET.get("portee", Portee.PUBLIQUE.value))
    cadre = cadrer(Demande(plan=plan, annee=annee, au=None))
    assert cadre is not None  # noqa: S101 - un plan nommé se trouve, ou lève Introuvable
    bilan = bilan_de(cadre.plan, annee)
    version = derniere_version(bilan)
    lu = version.lu(portee) if version else lire(composer(bilan).de(portee))
    empreintes = (
        {Portee.INTERNE: version.empreinte_interne, Portee.PUBLIQUE: version.empreinte_publique} if version else {}
    )
    suite = f"version-{version.rang}" if version else "brouillon"
    nom = f"bilan-{annee}-{plan}-{portee.value}-{suite}.docx"
    return HttpResponse(
        ecrire_docx(lu, empreinte=empreintes.get(portee, "")),
        headers={"Content-Type": MIME, "Content-Disposition": f'attachment; filename="{nom}"'},
    )


def _lire_portee(texte: str) -> Portee:
    try:
        return Portee(texte)
    except ValueError as erreur:
        raise DemandeIllisible(f"« {texte} » n'est pas une portée : demandez « interne » ou « public ».") from erreur
