"""Ce que la page des données ouvertes montre : chaque fichier, ce qu'il pèse, de quand il date, ce qu'il contient."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from publication.colonnes import Table
from publication.fichiers import (
    ARCHIVE,
    DICTIONNAIRE_CSV,
    EN_CSV,
    EN_JSON,
    PAQUET,
    DonneesDuPlan,
    FichierOuvert,
)
from publication.tables import TABLES, VERSION


@dataclass(frozen=True)
class Lien:
    """De quoi télécharger un fichier. `taille` en octets."""

    nom: str
    titre: str
    adresse: str
    taille: int


@dataclass(frozen=True)
class TableMontree:
    """Une table, ses deux formes, ce qu'elle compte. `mise_a_jour` None : rien ne dit quand elle a changé."""

    table: Table
    lignes: int
    mise_a_jour: datetime | None
    csv: Lien
    json: Lien


@dataclass(frozen=True)
class Presentation:
    donnees: DonneesDuPlan
    tables: Sequence[TableMontree]
    ensemble: Sequence[Lien]
    version: str


def presenter(donnees: DonneesDuPlan) -> Presentation:
    """Chaque table ne se lit qu'une fois ; les fichiers se font pour dire ce qu'ils pèsent."""

    def lien(fichier: FichierOuvert) -> Lien:
        return Lien(fichier.nom, fichier.titre, fichier.adresse(donnees.plan), len(fichier.ecrire(donnees)))

    return Presentation(
        donnees=donnees,
        tables=[
            TableMontree(
                table=table,
                lignes=len(donnees.lignes(table)),
                mise_a_jour=donnees.mises_a_jour[nom],
                csv=lien(EN_CSV[nom]),
                json=lien(EN_JSON[nom]),
            )
            for nom, table in TABLES.items()
        ],
        ensemble=[lien(fichier) for fichier in (ARCHIVE, PAQUET, DICTIONNAIRE_CSV)],
        version=VERSION,
    )
