"""Remplit les registres, dans l'ordre ; un tirage à part, qui ne change rien à l'histoire du plan."""

import datetime
from random import Random

from accueil.demo_complet.calendrier import GRAINE
from accueil.demo_complet.personnes import Equipe
from accueil.demo_complet.registres import consultations, depot, fournisseurs, mandats
from accueil.demo_complet.registres.en_cours import en_cours
from comptes.models import Collectivite, Siren
from marches.calculs.conservation import recalculer


def tenir(equipe: Equipe, maintenant: datetime.datetime) -> None:
    """Ce que l'acheteur a consulté, payé, publié, puis les calculs. Ce qui serait encore à venir est omis."""
    hasard = Random(GRAINE)  # noqa: S311 - un décor, pas un secret
    connus = fournisseurs.inventer(hasard)
    registre = consultations.Registre(equipe, connus, hasard)
    dossiers = [*registre.dossiers(), *en_cours(registre)]
    consultations.enregistrer(dossiers, equipe, maintenant)
    mandats.enregistrer(connus, equipe, hasard, maintenant)
    depot.deposer(dossiers, connus, equipe, hasard, maintenant)
    # Son SIREN en dernier : chaque import d'un acheteur déclaré referait les calculs, qui se font ici une fois.
    Siren.objects.create(collectivite=Collectivite.objects.get(), numero=fournisseurs.SIREN, libelle="SIREN inventé")
    recalculer(sirens=fournisseurs.AUTRES_ACHETEURS)
