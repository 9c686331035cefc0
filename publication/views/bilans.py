"""Un bilan publié : sa page, son PDF, ses données. Rien que le contenu public de la version publiée."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse

from bilans.contenu.schema import Portee
from bilans.rendu.page import preparer
from bilans.versions import PdfDeVersion
from publication.acces import bilan_publie, introuvable, plan_publie
from publication.reponses import Fichier, fichier, page, page_publique


@page_publique
def bilan(request: HttpRequest, plan: str, annee: int) -> HttpResponse:
    public = bilan_publie(plan_publie(plan), annee)
    lu = public.version.lu(Portee.PUBLIQUE)
    contexte = {
        "public": public,
        # Les liens mènent au plan où qu'il soit aujourd'hui : son adresse a pu changer depuis l'arrêt.
        "page": preparer(replace(lu, plan=replace(lu.plan, slug=plan))),
        "empreinte": public.version.empreinte_publique,
        "pdf": PdfDeVersion.objects.filter(version=public.version).exists(),
    }
    return page(request, "publication/bilan.html", contexte)


@page_publique
def pdf(request: HttpRequest, plan: str, annee: int) -> HttpResponse:
    """Les octets gardés à l'arrêt."""
    garde = PdfDeVersion.objects.filter(version=bilan_publie(plan_publie(plan), annee).version).first()
    if garde is None:
        raise introuvable()
    nom = f"bilan-{plan}-{annee}.pdf"
    return fichier(request, Fichier(nom, "application/pdf", garde.octets, garde.empreinte, garde.fait_le))


@page_publique
def donnees(request: HttpRequest, plan: str, annee: int) -> HttpResponse:
    """Le contenu public, octet pour octet celui qui a été arrêté ; son empreinte est aussi dans l'en-tête."""
    version = bilan_publie(plan_publie(plan), annee).version
    octets = version.contenu_public.encode()
    nom, empreinte = f"bilan-{plan}-{annee}.json", version.empreinte_publique
    return fichier(
        request,
        Fichier(nom, "application/json", octets, empreinte, version.arretee_le),
        **{"X-Empreinte-SHA256": empreinte},
    )
