from django.core.management.base import BaseCommand, CommandError

from accueil.rappels import Tournee, tournee
from comptes.envoi import envoyer_ce_qui_attend
from socle.formats import accorder


class Command(BaseCommand):
    help = (
        "Écrit à chacun ce qui l'attend, une fois par mois et avant un comité, puis envoie. À lancer chaque jour : "
        "relancée, elle n'écrit rien deux fois. Sort en erreur si des courriels n'ont pas pu partir."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "--a-blanc", action="store_true", help="dit qui recevrait quoi ; n'écrit rien et n'envoie rien"
        )

    def handle(self, *args, **options) -> None:
        passage = tournee()
        if options["a_blanc"]:
            self._montrer(passage)
            return
        preparation = passage.ecrire()
        ecrits = accorder(len(preparation.courriels), "rappel écrit", "rappels écrits")
        deja = passage.deja + len(preparation.deja)
        self.stdout.write(f"{ecrits}, {accorder(deja, 'déjà reçu', 'déjà reçus')}.")
        self._dire_qui_n_en_a_pas(passage)
        envoi = envoyer_ce_qui_attend()
        if not envoi.complet:
            raise CommandError(envoi.phrase)
        self.stdout.write(envoi.phrase)

    def _montrer(self, passage: Tournee) -> None:
        for rappel in passage.rappels:
            personne = rappel.personne
            self.stdout.write(f"{personne} <{personne.courriel}> ({rappel.pourquoi}) : {rappel.phrase}.")
        rappels = accorder(len(passage.rappels), "rappel partirait", "rappels partiraient")
        self.stdout.write(f"{rappels}, {accorder(passage.deja, 'déjà reçu', 'déjà reçus')}. Rien n'est écrit.")
        self._dire_qui_n_en_a_pas(passage)

    def _dire_qui_n_en_a_pas(self, passage: Tournee) -> None:
        for phrase, personnes in (
            ("Sans adresse de courriel", passage.sans_adresse),
            ("N'en veulent pas", passage.sans_rappel),
        ):
            if personnes:
                self.stdout.write(f"{phrase} : {', '.join(map(str, personnes))}.")
