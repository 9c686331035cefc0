"""Ce qu'un arrêt garderait, et ce qu'une publication montrerait : des nombres, lus du contenu même."""

from dataclasses import dataclass

from bilans.bilan import Bilan
from bilans.contenu.composition import composer
from bilans.contenu.schema import BilanLu, Portee, lire
from bilans.situation import SituationDuBilan
from bilans.versions import VersionDeBilan


@dataclass(frozen=True)
class Apercu:
    """Ce que l'arrêt garderait à cet instant."""

    interne: BilanLu
    public: BilanLu

    @property
    def valeurs(self) -> int:
        """Les indicateurs qui ont un chiffre de l'année, ou sont dits indisponibles : la règle de `qui_repondent`."""
        dites = [indicateur.valeur_de(self.interne.annee) for indicateur in self.interne.indicateurs]
        return sum(dite is not None and (dite.indisponible or dite.valeur_retenue is not None) for dite in dites)

    @property
    def textes(self) -> int:
        """L'avant-propos et les commentaires écrits."""
        return len(self.interne.commentaires) + bool(self.interne.avant_propos)


@dataclass(frozen=True)
class CeQueVoitLePublic:
    """`version` : celle que le public verrait en publiant, ou qu'il voit ; `contenu` : son contenu public."""

    version: VersionDeBilan
    contenu: BilanLu


def apercu_de_l_arret(bilan: Bilan) -> Apercu:
    compose = composer(bilan)
    return Apercu(lire(compose.interne), lire(compose.public))


def ce_que_voit_le_public(situation: SituationDuBilan) -> CeQueVoitLePublic | None:
    """None si rien n'est arrêté, ou si le bilan est rouvert et rien n'est publié."""
    version = situation.publiee if situation.en_preparation else situation.derniere
    return CeQueVoitLePublic(version, version.lu(Portee.PUBLIQUE)) if version else None
