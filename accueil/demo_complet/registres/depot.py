"""Dépose les fichiers inventés et les importe comme ceux de n'importe quel profil d'acheteur."""

import datetime
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

from django.utils import timezone

from accueil.demo_complet.personnes import Equipe
from accueil.demo_complet.registres import decp, tabulaire
from accueil.demo_complet.registres.consultations import Dossier
from accueil.demo_complet.registres.fournisseurs import AUTRES_ACHETEURS, SIREN, Fournisseur
from marches.importation import importer
from marches.models import Consultation, Contrat, ContratDeConsultation

IMPORTES_LE = datetime.datetime(2026, 10, 12, 14, 20, tzinfo=timezone.get_default_timezone())
NOMS = ("decp-synthetiques-2024-2026.json", "decp-info-synthetiques-2024-2026.csv")
# Les consultations lancées cette année-là ont reçu leurs contrats de quelqu'un.
ANNEE_RATTACHEE = 2024


def deposer(
    dossiers: Sequence[Dossier],
    fournisseurs: Sequence[Fournisseur],
    equipe: Equipe,
    hasard: Random,
    maintenant: datetime.datetime,
) -> None:
    """Rien avant ce jour-là : les dates y seraient encore à venir."""
    if maintenant < IMPORTES_LE:
        return
    publication = decp.publier(dossiers, fournisseurs, hasard)
    contenus = (
        json.dumps(publication.contenu, ensure_ascii=False, indent=1),
        tabulaire.en_csv(publication, hasard),
    )
    with tempfile.TemporaryDirectory() as dossier:
        for nom, contenu in zip(NOMS, contenus, strict=True):
            fichier = Path(dossier) / nom
            fichier.write_text(contenu, encoding="utf-8")
            trace = importer(fichier, sirens=[SIREN, *AUTRES_ACHETEURS], auteur=equipe.responsable)
            trace.commence_le = trace.applique_le = IMPORTES_LE
            trace.save(update_fields=["commence_le", "applique_le"])
    _rattacher(publication)


def _rattacher(publication: decp.Publication) -> None:
    """Les contrats des consultations de l'année choisie, chacun à son lot ; un conflit attend la revue."""
    contrats = Contrat.objects.en_vigueur().de_l_acheteur(SIREN).filter(conflit=False).order_by("pk")
    liens = []
    for contrat in contrats:
        lot = publication.lots.get(contrat.identifiant)
        if lot is not None and _lancee_en(lot.consultation, ANNEE_RATTACHEE):
            liens.append(ContratDeConsultation(consultation=lot.consultation, lot=lot, souche=contrat.souche))
    ContratDeConsultation.objects.bulk_create(liens)


def _lancee_en(consultation: Consultation, annee: int) -> bool:
    return consultation.lancee_le is not None and consultation.lancee_le.year == annee
