"""Ce qu'on tape désigne un choix d'une liste fermée, ou aucun : jamais à peu près."""

import pytest

from actions.statuts import Priorite, Statut
from actions.suivi import RoleDePartenaire
from socle.choix import membre_de


@pytest.mark.parametrize(
    ("liste", "texte", "attendu"),
    [
        (Statut, "En cours", Statut.EN_COURS),
        (Statut, "EN_COURS", Statut.EN_COURS),
        (Statut, " en\u00a0COURS ", Statut.EN_COURS),
        (Statut, "terminee", Statut.TERMINEE),
        (Statut, "Terminé", Statut.TERMINEE),
        (Statut, "non initié", Statut.NON_INITIEE),
        (Priorite, "haute", Priorite.HAUTE),
        (RoleDePartenaire, "Porteur", RoleDePartenaire.PORTEUR),
    ],
)
def test_un_code_ou_un_libelle_se_reconnait_sans_accents_ni_casse_ni_genre(liste, texte, attendu):
    assert membre_de(liste, texte) == attendu


@pytest.mark.parametrize("texte", ["", " ", "presque", "termin", "en", "terminées", "Non"])
def test_ce_qui_n_est_pas_un_choix_n_en_designe_aucun(texte):
    assert membre_de(Statut, texte) is None
