"""La vérification de l'article 35 : des nombres, et les lots qu'ils comptent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from comptes.droits import Droit, exiger
from marches.article35 import Etat, Examen, Point, Seuils, concerne, correspond, decompter, examiner
from marches.exports import Format, exporter, format_demande
from marches.models import Consultation
from marches.views.commun import LIGNES_PAR_PAGE
from socle.ecriture import ColonneEcrite, Sorte

MOTIFS = [("oui", "Avec un motif de dérogation"), ("non", "Sans motif")]
_COLONNES = [
    ColonneEcrite("Consultation"),
    ColonneEcrite("Lot", largeur=8),
    ColonneEcrite("Objet", largeur=50),
    ColonneEcrite("Service", largeur=24),
    ColonneEcrite("Lancée le", Sorte.DATE, 12),
    ColonneEcrite("Estimation HT", Sorte.NOMBRE, 16),
    *(ColonneEcrite(point.libelle, largeur=24) for point in Point),
    ColonneEcrite("Motif de dérogation", largeur=40),
]


class FiltreDeLots(forms.Form):
    point = forms.ChoiceField(
        label="Ce qui est vérifié", required=False, choices=[("", "Tout"), *((p.code, p.libelle) for p in Point)]
    )
    etat = forms.ChoiceField(
        label="Réponse du lot",
        required=False,
        choices=[("", "Non ou non renseigné"), *((e.code, e.libelle) for e in Etat)],
    )
    motif = forms.ChoiceField(label="Motif", required=False, choices=[("", "Avec ou sans"), *MOTIFS])

    def garder(self, examens: Sequence[Examen]) -> list[Examen]:
        dit = self.cleaned_data
        point = next((p for p in Point if p.code == dit["point"]), None)
        etat = next((e for e in Etat if e.code == dit["etat"]), None)
        motif = None if not dit["motif"] else dit["motif"] == "oui"
        return [examen for examen in examens if correspond(examen, point, etat, motif)]

    @property
    def poses(self) -> list[tuple[str, str]]:
        """Les filtres demandés, en clair."""
        return [
            (str(self.fields[nom].label), dict(self.fields[nom].choices)[valeur])  # type: ignore[attr-defined]
            for nom, valeur in self.cleaned_data.items()
            if valeur
        ]


@dataclass(frozen=True)
class Verification:
    """Les lots examinés, et les consultations que leur date ne permet pas de situer."""

    examens: list[Examen]
    consultations: int
    sans_date: int

    @property
    def sans_manque(self) -> int:
        return sum(not examen.manques for examen in self.examens)


def seuils() -> Seuils:
    return Seuils(settings.SEUILS_EUROPEENS_TRAVAUX, settings.SEUIL_EUROPEEN_FOURNITURES_SERVICES)


def verifier() -> Verification:
    """Trois requêtes, quel que soit le nombre de consultations."""
    toutes = Consultation.objects.avec_ses_lots().filter(lancee_le__gte=settings.ARTICLE_35_DEPUIS)
    sans_date = Consultation.objects.filter(lancee_le__isnull=True).count()
    lues = [consultation for consultation in toutes if concerne(consultation.lancee_le, settings.ARTICLE_35_DEPUIS)]
    examens: list[Examen] = []
    for consultation in lues:
        lots = list(consultation.lots.all())
        for lot in lots:
            lot.consultation = consultation
        examens += examiner(consultation.nature, consultation.estimation_ht, lots, seuils())
    return Verification(examens, len(lues), sans_date)


@require_safe
def article_35(request: HttpRequest) -> HttpResponse:
    """Les nombres, puis les lots que les filtres retiennent, une page à la fois, ou dans un fichier."""
    exiger(request.user, Droit.CONSULTER)
    verification, filtre = verifier(), FiltreDeLots(request.GET)
    lisible = filtre.is_valid()
    retenus = filtre.garder(verification.examens) if lisible else []
    if lisible and (forme := format_demande(request)):
        lignes = [_ligne(examen) for examen in retenus]
        return exporter(
            request, forme, sujet="Article 35", colonnes=_COLONNES, lignes=lignes, filtres=filtre.poses, notes=NOTES
        )
    contexte = {
        "filtre": {"form": filtre},
        "verification": verification,
        "decomptes": decompter(verification.examens),
        "page": Paginator(retenus, LIGNES_PAR_PAGE).get_page(request.GET.get("page")),
        "depuis": settings.ARTICLE_35_DEPUIS,
        "seuils": seuils(),
        "exports": Format,
    }
    return render(request, "marches/article_35.html", contexte, status=200 if lisible else 400)


NOTES = [
    (
        "Ce qui est vérifié",
        "Loi 2021-1104 du 22 août 2021, article 35 ; code de la commande publique, articles L2112-2, L2152-7 et "
        "L2112-2-1. Ce n'est pas un avis juridique.",
    ),
    ("Non renseigné", "Le registre ne dit ni oui ni non : ce n'est pas un non."),
]


def _ligne(examen: Examen) -> list[Any]:
    lot: Any = examen.lot
    consultation = lot.consultation
    return [
        consultation.numero,
        lot.numero,
        lot.objet or consultation.objet,
        str(consultation.service or ""),
        consultation.lancee_le,
        consultation.estimation_ht,
        *(etat.libelle for etat in examen.etats.values()),
        lot.motif_derogation,
    ]
