"""Le bilan d'une année, prêt à montrer : la version qui vaut, sinon le brouillon tiré de l'état du plan."""

from dataclasses import dataclass
from datetime import date

from bilans.arret import bilan_de
from bilans.bilan import Bilan
from bilans.cadre import cadrer
from bilans.contenu.composition import composer
from bilans.contenu.schema import Portee, lire
from bilans.demande import Demande, fin_de_l_annee
from bilans.rendu.page import PageDeBilan, preparer
from bilans.situation import SituationDuBilan, situation_du_bilan
from bilans.versions import VersionDeBilan
from socle.erreurs import Introuvable


@dataclass(frozen=True)
class FicheDeBilan(SituationDuBilan):
    """`montree` : None pour le brouillon ; `empreinte` : celle du contenu montré, vide pour le brouillon."""

    montree: VersionDeBilan | None
    page: PageDeBilan
    empreinte: str

    @property
    def courante(self) -> bool:
        """Vrai si c'est ce que montre l'adresse de l'année : le brouillon, ou la dernière version."""
        return self.montree is None or (self.montree == self.derniere and self.bilan.rouvert_le is None)

    @property
    def publique(self) -> bool:
        """La portée montrée, pas la publication."""
        return self.page.lu.portee is Portee.PUBLIQUE

    @property
    def depuis(self) -> date:
        """La fin de l'année d'avant : à quoi l'année du bilan se compare."""
        return fin_de_l_annee(self.bilan.annee - 1)


def fiche_de_l_annee(slug: str, annee: int, portee: Portee) -> FicheDeBilan:
    """La dernière version arrêtée ; sans elle, ou si le bilan est rouvert, le brouillon. Lève Introuvable.

    Une version se montre sans lire ni action, ni indicateur, ni partenaire.
    """
    bilan = _bilan(slug, annee)
    versions = _versions(bilan)
    if bilan and versions and bilan.rouvert_le is None:
        return _fiche(bilan, versions, versions[0], portee)
    cadre = cadrer(Demande(plan=slug, annee=annee, au=None))
    if cadre is None:
        raise Introuvable("Il n'y a encore aucun plan.")
    bilan = bilan or bilan_de(cadre.plan, annee)
    return FicheDeBilan(bilan, versions, None, preparer(lire(composer(bilan).de(portee))), "")


def fiche_de_version(slug: str, annee: int, rang: int, portee: Portee) -> FicheDeBilan:
    """La version de ce rang, lisible pour toujours. Lève Introuvable."""
    bilan = _bilan(slug, annee)
    versions = _versions(bilan)
    version = next((version for version in versions if version.rang == rang), None)
    if bilan is None or version is None:
        raise Introuvable(f"Le bilan {annee} n'a pas de version {rang}.")
    return _fiche(bilan, versions, version, portee)


def version_arretee(slug: str, annee: int, rang: int) -> VersionDeBilan:
    """Lève Introuvable."""
    versions = VersionDeBilan.objects.select_related("bilan__plan")
    version = versions.filter(bilan__plan__slug=slug, bilan__annee=annee, rang=rang).first()
    if version is None:
        raise Introuvable(f"Le bilan {annee} n'a pas de version {rang}.")
    return version


def _fiche(bilan: Bilan, versions: list[VersionDeBilan], version: VersionDeBilan, portee: Portee) -> FicheDeBilan:
    return FicheDeBilan(bilan, versions, version, preparer(version.lu(portee)), version.empreinte_de(portee))


def _bilan(slug: str, annee: int) -> Bilan | None:
    return Bilan.objects.select_related("plan").filter(plan__slug=slug, annee=annee).first()


def _versions(bilan: Bilan | None) -> list[VersionDeBilan]:
    return situation_du_bilan(bilan).versions if bilan else []
