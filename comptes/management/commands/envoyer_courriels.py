from django.core.management.base import BaseCommand, CommandError

from comptes.envoi import envoyer_ce_qui_attend


class Command(BaseCommand):
    help = "Envoie les courriels qui attendent, comme l'ouvrier. Sort en erreur s'il en reste ou s'il en abandonne."

    def handle(self, *args, **options) -> None:
        envoi = envoyer_ce_qui_attend()
        if not envoi.complet:
            raise CommandError(envoi.phrase)
        self.stdout.write(envoi.phrase)
