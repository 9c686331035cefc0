from django.core.management.base import BaseCommand, CommandError
from django.db.models import F, Q
from django.utils import timezone

from actions.models import Action
from actions.requetes import ETATS


class Command(BaseCommand):
    help = "Compare l'état affiché des actions à celui que disent leurs journaux. Sort en erreur s'ils diffèrent."

    def handle(self, *args, **options) -> None:
        ecarts = self.ecarts()
        for action, champs in ecarts:
            self.stderr.write(f"Action {action.pk} ({action}) : {', '.join(champs)}")
        if ecarts:
            raise CommandError(f"{len(ecarts)} action(s) ne disent pas ce que dit leur journal.")
        self.stdout.write(f"{Action.objects.count()} action(s) vérifiée(s) : tout concorde.")

    @staticmethod
    def ecarts() -> list[tuple[Action, list[str]]]:
        """Les actions dont la projection diffère du journal, avec les champs en cause."""
        different = Q()
        for projete, etat in ETATS.items():
            different |= ~Q(**{projete: F(etat)}) | Q(**{f"{projete}__isnull": True, f"{etat}__isnull": False})
            different |= Q(**{f"{projete}__isnull": False, f"{etat}__isnull": True})
        jour, maintenant = timezone.localdate(), timezone.now()
        suspectes = Action.objects.etat_au(jour, maintenant).filter(different)
        return [
            (action, champs)
            for action in suspectes
            if (champs := [p for p, e in ETATS.items() if getattr(action, p) != getattr(action, e)])
        ]
