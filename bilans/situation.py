"""Où en est un bilan : ses versions arrêtées, celle que le public voit, ce qu'on peut en faire."""

from dataclasses import dataclass

from bilans.arret import etat_de
from bilans.bilan import Bilan, EtatDeBilan
from bilans.versions import VersionDeBilan


@dataclass(frozen=True)
class SituationDuBilan:
    """`versions` : de la dernière arrêtée à la première, sans leurs contenus."""

    bilan: Bilan
    versions: list[VersionDeBilan]

    @property
    def derniere(self) -> VersionDeBilan | None:
        return self.versions[0] if self.versions else None

    @property
    def publiee(self) -> VersionDeBilan | None:
        """Celle que le public voit, si le plan est publié."""
        return next((version for version in self.versions if version.pk == self.bilan.version_publiee_id), None)

    @property
    def etat(self) -> EtatDeBilan:
        return etat_de(self.bilan, self.derniere)

    @property
    def en_preparation(self) -> bool:
        """Ses textes se changent, et il peut s'arrêter une fois l'année finie."""
        return self.derniere is None or self.bilan.rouvert_le is not None

    @property
    def a_publier(self) -> bool:
        """La dernière version arrêtée n'est pas celle que le public voit."""
        return not self.en_preparation and self.etat is EtatDeBilan.ARRETE

    @property
    def rang_suivant(self) -> int:
        return self.derniere.rang + 1 if self.derniere else 1


def situation_du_bilan(bilan: Bilan) -> SituationDuBilan:
    """Une requête, sur les versions et leurs auteurs ; aucune si le bilan n'est pas encore enregistré."""
    if bilan.pk is None:
        return SituationDuBilan(bilan, [])
    versions = bilan.versions.defer("contenu_interne", "contenu_public").select_related("auteur").order_by("-rang")
    return SituationDuBilan(bilan, list(versions))
