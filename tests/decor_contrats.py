"""Des contrats publiés pour le décor des tables communes."""

import datetime
import uuid

from comptes.models import Utilisateur
from marches.listes import ChampCorrige
from marches.models import Contrat, CorrectionDeContrat, Territoire
from tests import fabriques_decp
from tests.fabriques_decp import LATTES, MAUGUIO, titulaire

# Celle d'un contrat libre : une adresse la nomme.
SOUCHE = uuid.UUID("00000000-0000-4000-8000-000000000001")
SIRET = fabriques_decp.SIRET_LOCAL


def publier_des_contrats(
    auteur: Utilisateur, siren: str, combien: int = 2
) -> tuple[Contrat, CorrectionDeContrat, Territoire]:
    """Des contrats de 2024, chacun d'un objet à lui, de titulaires situés ou non ; autant d'un autre acheteur ; le
    premier a une correction. Deux territoires."""
    premier = None
    for rang in range(combien):
        for acheteur in (siren, fabriques_decp.AUTRE_SIREN):
            contrat = fabriques_decp.contrat(
                siren=acheteur,
                souche=SOUCHE if premier is None else uuid.uuid4(),
                identifiant=f"2024{rang:04}",
                date=datetime.date(2024, 3, 1),
                titulaires=[
                    titulaire(SIRET, commune=MAUGUIO if rang % 2 else ""),
                    titulaire(f"{rang:09}00018", commune=LATTES),
                ],
            )
            premier = premier or contrat
    assert premier is not None
    correction = CorrectionDeContrat.objects.create(
        souche=premier.souche, champ=ChampCorrige.DATE, valeur="2024-03-01", motif="Vu au dossier", auteur=auteur
    )
    fabriques_decp.territoire("metropole", communes=[MAUGUIO, LATTES])
    return premier, correction, fabriques_decp.territoire("agglomeration", communes=[MAUGUIO])
