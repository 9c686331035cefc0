from django.core.management.base import BaseCommand, CommandError

from actions.models import Plan
from bilans.verification import verifier
from socle.formats import accorder


class Command(BaseCommand):
    help = "Vérifie que chaque bilan arrêté est resté tel qu'il l'a été. Sort en erreur sinon."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--plan", default="", help="L'adresse d'un plan ; sans elle, tous.")

    def handle(self, *args, plan: str = "", **options) -> None:
        if plan and not Plan.objects.filter(slug=plan).exists():
            raise CommandError(f"Aucun plan ne porte le nom « {plan} ».")
        verification = verifier(plan)
        for phrase in verification.problemes:
            self.stderr.write(phrase)
        if verification.problemes:
            raise CommandError(f"{accorder(len(verification.problemes), 'problème')}.")
        versions = accorder(verification.versions, "version arrêtée", "versions arrêtées")
        self.stdout.write(f"{versions} : tout se vérifie.")
