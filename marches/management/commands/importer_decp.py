"""« manage.py importer_decp » : des fichiers de DECP, un compte rendu par fichier."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from comptes.models import Siren
from marches.decp.contrats import FichierIllisible
from marches.importation import importer
from marches.imports import ImportDecp
from socle.formats import accorder, formater_nombre


class Command(BaseCommand):
    help = "Importe des données essentielles (DECP) : JSON ou XML réglementaires, CSV de decp.info."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("fichiers", nargs="+", type=Path, metavar="FICHIER")
        parser.add_argument(
            "--siren",
            action="append",
            default=[],
            dest="sirens",
            metavar="S",
            help="Ne garder que cet acheteur ; à répéter. Par défaut, les SIREN de la collectivité.",
        )
        parser.add_argument("--tous", action="store_true", help="Garder tous les acheteurs.")
        parser.add_argument("--json", action="store_true", help="Un objet JSON par fichier, un par ligne.")

    def handle(self, *args: Any, **options: Any) -> None:
        sirens = self.sirens(options["sirens"], tous=options["tous"])
        refuses = [chemin for chemin in options["fichiers"] if not self.importer(chemin, sirens, options["json"])]
        if refuses:
            raise CommandError(f"{accorder(len(refuses), 'fichier')} sur {len(options['fichiers'])} non importés.")

    def sirens(self, demandes: list[str], *, tous: bool) -> list[str]:
        """Les SIREN à garder ; une liste vide les garde tous. Lève CommandError."""
        if tous and demandes:
            raise CommandError("--tous garde tous les acheteurs : ne donnez pas --siren avec lui.")
        if faux := [s for s in demandes if not (s.isdigit() and len(s) == 9)]:
            raise CommandError(f"Un SIREN compte neuf chiffres ; à corriger : {', '.join(faux)}.")
        sirens = demandes or list(Siren.objects.values_list("numero", flat=True))
        if not tous and not sirens:
            raise CommandError("La collectivité n'a pas de SIREN : donnez --siren, ou --tous pour tous les acheteurs.")
        return [] if tous else sirens

    def importer(self, chemin: Path, sirens: list[str], en_json: bool) -> bool:
        """Vrai si le fichier est importé ; sinon, dit pourquoi sur la sortie d'erreur."""
        try:
            fait = importer(chemin, sirens=sirens)
        except FichierIllisible as refus:
            self.stderr.write(f"{chemin.name} : {refus}")
        except OSError as panne:
            self.stderr.write(f"{chemin.name} : fichier impossible à lire ({panne.strerror or panne}).")
        except DatabaseError as panne:
            self.stderr.write(f"{chemin.name} : la base n'a pas pu être écrite, rien n'a changé ({panne}).")
        else:
            self.stdout.write(json.dumps(fait.compte_rendu, ensure_ascii=False) if en_json else phrase(fait))
            return True
        return False


def phrase(fait: ImportDecp) -> str:
    """« fichier.json (json-v2) : 4 509 lus = 2 retenus + … »."""
    c = {nom: formater_nombre(nombre) for nom, nombre in fait.comptes.items()}
    return (
        f"{fait.nom} ({fait.format}) : {c['lus']} lus = {c['retenus']} retenus + {c['autres_acheteurs']} d'autres "
        f"acheteurs + {c['doublons']} déjà connus + {c['refuses']} refusés ; {c['marches']} contrats touchés, "
        f"dont {c['mis_a_jour']} mises à jour."
    )
