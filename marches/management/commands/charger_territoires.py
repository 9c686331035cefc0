"""« manage.py charger_territoires » : les territoires livrés avec le produit."""

from typing import Any

from django.core.management.base import BaseCommand

from comptes.gestes import Geste
from comptes.traces import tracer
from marches.territoires_livres import charger
from socle.formats import accorder


class Command(BaseCommand):
    help = "Ajoute les territoires livrés (fixtures/territoires.json) qui manquent ; ne change pas ceux qui sont là."

    def handle(self, *args: Any, **options: Any) -> None:
        ajoutes = charger()
        if ajoutes:
            tracer(Geste.IMPORT, None, "Territoires livrés", details={"ajoutés": ajoutes})
        self.stdout.write(f"{accorder(ajoutes, 'territoire ajouté', 'territoires ajoutés')}.")
