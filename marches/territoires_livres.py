"""Les territoires livrés avec le produit : 8, 31 et 39 communes, avec leur source."""

import json
from typing import Any

from django.conf import settings
from django.db import transaction

from marches.territoires import Territoire


def fiches() -> list[dict[str, Any]]:
    """Les champs de chacun, tels que `fixtures/territoires.json` les donne."""
    fichier = settings.BASE_DIR / "fixtures" / "territoires.json"
    return json.loads(fichier.read_text(encoding="utf-8"))


def charger() -> int:
    """Ajoute ceux dont le code manque ; rend leur nombre. Un territoire déjà là, même changé, reste ce qu'il est."""
    with transaction.atomic():
        connus = set(Territoire.objects.values_list("code", flat=True))
        neufs = [Territoire(**fiche) for fiche in fiches() if fiche["code"] not in connus]
        for territoire in neufs:
            territoire.full_clean()
            territoire.save()
    return len(neufs)
