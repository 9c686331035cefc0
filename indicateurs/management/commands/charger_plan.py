"""Charge le plan publié : partenaires, plan et actions, indicateurs et leurs valeurs."""

import datetime
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from actions.models import Action, PartenaireDuPlan, Plan
from comptes.gestes import Geste
from comptes.traces import tracer
from indicateurs.listes import Etat, OrigineDeValeur
from indicateurs.models import Indicateur, IndicateurDuPlan, ValeurAnnuelle
from partenaires.models import Partenaire


class Command(BaseCommand):
    help = (
        "Crée ce qui manque du plan publié, par clé naturelle (nom, numéro, code, année). "
        "Ce qui existe n'est jamais modifié : on peut relancer la commande sans rien perdre."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "--dossier",
            type=Path,
            default=settings.BASE_DIR / "fixtures",
            help="dossier de partenaires.json, plan.json et indicateurs_2023.json",
        )

    def handle(self, *args, dossier: Path, **options) -> None:
        try:
            with transaction.atomic():
                crees = [
                    charger_partenaires(lire(dossier / "partenaires.json")),
                    charger_actions(lire(dossier / "plan.json")),
                    charger_indicateurs(lire(dossier / "indicateurs_2023.json")),
                ]
                if any(crees):
                    details = dict(zip(("partenaires", "actions", "valeurs"), crees, strict=True))
                    tracer(Geste.IMPORT, None, "Plan publié", details=details)
        except KeyError as erreur:
            raise CommandError(f"Il manque {erreur} dans un fichier de {dossier}.") from erreur
        except ValidationError as erreur:
            raise CommandError("Plan refusé : " + " ".join(erreur.messages)) from erreur
        self.stdout.write("Créés : {} partenaires, {} actions, {} valeurs d'indicateur.".format(*crees))


def lire(fichier: Path) -> Any:
    """Le contenu d'un fichier JSON. Lève CommandError, avec son nom, s'il est absent ou illisible."""
    try:
        return json.loads(fichier.read_text(encoding="utf-8"))
    except (OSError, ValueError) as erreur:
        raise CommandError(f"{fichier.name} : {erreur}") from erreur


def charger_partenaires(fiches: list[dict]) -> int:
    crees = 0
    for fiche in fiches:
        if not Partenaire.objects.filter(nom=fiche["nom"]).exists():
            partenaire = Partenaire(**fiche)
            partenaire.full_clean()
            partenaire.save()
            crees += 1
    return crees


def charger_actions(contenu: dict) -> int:
    plan = Plan.objects.filter(slug=contenu["slug"]).first() or creer_plan(contenu)
    existants = set(plan.actions.values_list("numero", flat=True))
    nouvelles = [fiche for fiche in contenu["actions"] if fiche["numero"] not in existants]
    for fiche in nouvelles:
        Action.objects.creer(
            plan=plan,
            auteur=None,
            date_effet=datetime.date.fromisoformat(contenu["date_effet"]),
            commentaire=contenu["commentaire"],
            partenaires=[Partenaire.objects.get(nom=nom) for nom in fiche.get("partenaires", [])],
            numero=fiche["numero"],
            intitule=fiche["intitule"],
            statut=fiche["statut"],
        )
    return len(nouvelles)


def creer_plan(contenu: dict) -> Plan:
    """Le plan et ses partenaires, dans l'ordre où la page les cite."""
    plan = Plan(slug=contenu["slug"], intitule=contenu["intitule"], label=contenu["label"])
    plan.full_clean()
    plan.save()
    for ordre, nom in enumerate(contenu["partenaires"], start=1):
        PartenaireDuPlan.objects.create(plan=plan, partenaire=Partenaire.objects.get(nom=nom), ordre=ordre)
    return plan


def charger_indicateurs(contenu: dict) -> int:
    plan = Plan.objects.get(slug=contenu["plan"])
    creees = 0
    for ordre, fiche in enumerate(contenu["indicateurs"], start=1):
        publiee = fiche.pop("valeur")
        indicateur = Indicateur.objects.filter(code=fiche["code"]).first()
        if indicateur is None:
            indicateur = Indicateur(**fiche)
            indicateur.full_clean()
            indicateur.save()
            IndicateurDuPlan.objects.create(plan=plan, indicateur=indicateur, ordre=ordre, chiffre_cle=True)
        if not indicateur.valeurs.filter(annee=contenu["annee"]).exists():
            ValeurAnnuelle(
                indicateur=indicateur,
                annee=contenu["annee"],
                etat=Etat.VALIDEE,
                origine=OrigineDeValeur.PAGE_PUBLIEE,
                connue_le=datetime.date.fromisoformat(contenu["connue_le"]),
                **publiee,
            ).enregistrer()
            creees += 1
    return creees
