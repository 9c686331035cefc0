"""Une liste de l'application dans un fichier : la page en dit les colonnes et les lignes."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from comptes.traces import tracer_un_export
from socle.ecriture import ClasseurEcrit, ColonneEcrite, ecrire_csv
from socle.erreurs import DemandeIllisible
from socle.formats import accorder, formater_moment, typographie


class Format(models.TextChoices):
    """Format d'un export ; la valeur est l'extension du fichier."""

    XLSX = "xlsx", "classeur Excel"
    ODS = "ods", "classeur LibreOffice"
    CSV = "csv", "texte CSV"

    @property
    def mime(self) -> str:
        return {
            "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "ods": "application/vnd.oasis.opendocument.spreadsheet",
            "csv": "text/csv; charset=utf-8",
        }[self.value]


def format_demande(request: HttpRequest) -> Format | None:
    """Le format d'export que l'adresse demande (`format`), None si elle demande la page.

    Lève DemandeIllisible s'il n'existe pas.
    """
    forme = request.GET.get("format")
    if forme is None:
        return None
    if forme not in Format.values:
        raise DemandeIllisible("Ce format d'export n'existe pas. Choisissez xlsx, ods ou csv.")
    return Format(forme)


def exporter(
    request: HttpRequest,
    forme: Format,
    *,
    sujet: str,
    colonnes: Sequence[ColonneEcrite],
    lignes: Sequence[Sequence[Any]],
    filtres: Sequence[tuple[str, str]] = (),
    notes: Sequence[tuple[str, str]] = (),
) -> HttpResponse:
    """La réponse qui porte le fichier, et sa trace. `sujet` nomme la feuille et le fichier ; `notes` : ce qu'il faut
    savoir pour lire la liste, écrit dans le mode d'emploi."""
    from socle.ecriture_ods import ecrire_ods
    from socle.ecriture_xlsx import ecrire_xlsx

    demande = typographie(" ; ".join(f"{libelle} : {valeur}" for libelle, valeur in filtres)) or "toutes les lignes"
    emploi = [
        ("Contenu", f"{accorder(len(lignes), 'ligne')}, le {formater_moment(timezone.now())}."),
        ("Filtres", demande),
        *notes,
    ]
    classeur = ClasseurEcrit(feuille=sujet[:31], colonnes=colonnes, lignes=lignes, mode_d_emploi=emploi)
    ecrire = {Format.XLSX: ecrire_xlsx, Format.ODS: ecrire_ods, Format.CSV: ecrire_csv}[forme]
    nom = f"{sujet.lower().replace(' ', '-')}-{timezone.localdate().isoformat()}.{forme.value}"
    tracer_un_export(request, sujet, fichier=nom, filtres=dict(filtres), lignes=len(lignes))
    entetes = {"Content-Type": forme.mime, "Content-Disposition": f'attachment; filename="{nom}"'}
    return HttpResponse(ecrire(classeur), headers=entetes)
