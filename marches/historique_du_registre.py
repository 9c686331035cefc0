"""Ce qu'une consultation et ses lots ont été : qui a changé quoi, du plus récent au plus ancien."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from comptes.models import Service
from marches.consultations import Consultation, LotDeConsultation
from socle.formulaires import afficher

CHANGEMENTS_MONTRES = 30
_HORS_SUJET = {"id", "version", "recherche", "consultation"}
_GESTES = {"+": "Ajout", "-": "Retrait"}


@dataclass(frozen=True)
class Changement:
    """Un enregistrement. `champs` : (libellé, avant, après) ; vide pour un ajout ou un retrait."""

    le: datetime.datetime
    par: str
    sujet: str
    geste: str
    champs: list[tuple[str, str, str]]


def historique(consultation: Consultation) -> list[Changement]:
    """Les derniers changements. Trois requêtes."""
    services = {service.pk: service.nom for service in Service.objects.all()}
    siennes = Consultation.history.filter(id=consultation.pk).select_related("history_user")
    de_lots = LotDeConsultation.history.filter(consultation_id=consultation.pk).select_related("history_user")
    lus = [*_changements(siennes, services), *_changements(de_lots, services)]
    return sorted(lus, key=lambda changement: changement.le, reverse=True)[:CHANGEMENTS_MONTRES]


def _changements(versions: Any, services: dict[int, str]) -> Iterator[Changement]:
    avant: dict[int, Any] = {}
    for version in versions.order_by("history_date", "history_id"):
        precedente, avant[version.id] = avant.get(version.id), version
        champs = list(_ecarts(precedente, version, services)) if precedente and version.history_type == "~" else []
        if version.history_type != "~" or champs:
            sujet = "Consultation" if isinstance(version.instance, Consultation) else f"Lot {version.numero}"
            geste = _GESTES.get(version.history_type, "")
            yield Changement(version.history_date, str(version.history_user or ""), sujet, geste, champs)


def _ecarts(precedente: Any, version: Any, services: dict[int, str]) -> Iterator[tuple[str, str, str]]:
    for champ in version.instance_type._meta.concrete_fields:
        if champ.name in _HORS_SUJET:
            continue
        valeurs = [getattr(v, champ.attname) for v in (precedente, version)]
        if valeurs[0] != valeurs[1]:
            if champ.name == "service":
                valeurs = [services.get(v, v) for v in valeurs]
            elif champ.choices:
                valeurs = [dict(champ.flatchoices).get(v, v) for v in valeurs]
            yield str(champ.verbose_name), afficher(valeurs[0]), afficher(valeurs[1])
