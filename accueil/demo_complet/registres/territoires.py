"""Les territoires livrés avec le produit, les seuls lieux vrais de ce site : la part locale en a besoin."""

import datetime

from accueil.demo_complet.calendrier import Calendrier
from accueil.demo_complet.ecriture import enregistrer
from accueil.demo_complet.personnes import Equipe
from marches.models import Territoire
from marches.territoires_livres import fiches

DECRITS_LE = datetime.date(2022, 3, 1)


def decrire(equipe: Equipe, calendrier: Calendrier) -> None:
    """Les 8, les 31 et les 39 communes. `calendrier` : un autre que celui du plan, dont l'histoire ne change pas."""
    for fiche in fiches():
        enregistrer(Territoire(**fiche), calendrier.saisie(DECRITS_LE), equipe.responsable)
