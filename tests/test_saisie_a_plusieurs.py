"""Plusieurs personnes sur la même année, avec de vrais fils et de vraies connexions."""

import pytest

from comptes.droits import Role
from indicateurs.listes import Etat, Nature
from indicateurs.models import ValeurAnnuelle
from tests import fabriques
from tests.test_concurrence import ensemble
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ANNEE = 2024
GRILLE = f"/indicateurs/saisie/{ANNEE}/"
N = 4


def envoi(indicateur, **cellules) -> dict[str, str]:
    """Ce qu'une page vide enverrait de cette ligne."""
    ligne = {f"i{indicateur.pk}-{champ}": texte for champ, texte in cellules.items()}
    return {"lignes": str(indicateur.pk), f"i{indicateur.pk}-version": "0", **ligne}


@pytest.fixture
def personnes():
    return [client_de(fabriques.utilisateur(Role.RESPONSABLE)) for _ in range(N)]


def test_de_plusieurs_premieres_saisies_de_la_meme_annee_une_seule_passe_et_les_autres_la_voient(personnes):
    heures = fabriques.indicateur(fabriques.plan())
    reponses = ensemble(
        [
            lambda client=client, n=n: client.post(GRILLE, envoi(heures, valeur=str(10 + n)))
            for n, client in enumerate(personnes)
        ]
    )
    valeur = ValeurAnnuelle.objects.get(indicateur=heures, annee=ANNEE)
    assert sorted(reponse.status_code for reponse in reponses) == [200] * (N - 1) + [302]
    assert (valeur.version, ValeurAnnuelle.history.count()) == (1, 1)
    for rang, reponse in enumerate(reponses):
        if reponse.status_code == 200:
            # La page, non son contexte : le client d'essai confond ceux que des fils rendent en même temps.
            assert formulaire_de(reponse)[f"i{heures.pk}-valeur"] == [str(10 + rang)]
            assert f"Enregistré entre-temps : <strong>{int(valeur.valeur)}</strong>" in reponse.content.decode()


def test_la_meme_premiere_saisie_partie_plusieurs_fois_n_ecrit_qu_une_fois(personnes):
    heures = fabriques.indicateur(fabriques.plan())
    reponses = ensemble([lambda: personnes[0].post(GRILLE, envoi(heures, valeur="12")) for _ in range(N)])
    assert [reponse.status_code for reponse in reponses] == [302] * N
    assert ValeurAnnuelle.history.count() == 1


def test_valider_un_taux_pendant_qu_on_change_son_denominateur_ne_le_deplace_pas_sans_motif(personnes):
    plan = fabriques.plan()
    consultations = fabriques.indicateur(plan)
    part = fabriques.indicateur(plan, nature=Nature.PART, denominateur=consultations)
    fabriques.valeur(consultations, ANNEE, valeur=166)
    fabriques.valeur(part, ANNEE, numerateur=42)
    validee = envoi(part, etat="VALIDEE") | {f"i{part.pk}-version": "1"}
    changee = envoi(consultations, valeur="171") | {f"i{consultations.pk}-version": "1"}
    validation, changement = ensemble(
        [lambda: personnes[0].post(GRILLE, validee), lambda: personnes[1].post(GRILLE, changee)]
    )
    assert validation.status_code == 302
    assert ValeurAnnuelle.objects.get(indicateur=part).etat == Etat.VALIDEE
    # Le changement est passé avant la validation, ou il a demandé son motif.
    valeur = ValeurAnnuelle.objects.get(indicateur=consultations).valeur
    assert (changement.status_code, valeur) in ((302, 171), (200, 166))
