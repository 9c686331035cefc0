"""Comment une valeur annuelle s'écrit : la même règle pour celle de la base et pour celle d'un bilan arrêté."""

from decimal import Decimal
from typing import Any

from indicateurs.listes import Nature
from socle.formats import INSECABLE, arrondir, formater_nombre, formater_valeur


class AffichageDeValeur:
    """Suppose : `indicateur` (nature, unité, décimales), `valeur`, `numerateur`, `valeur_retenue`,
    `denominateur_retenu`, `denominateur_propre`, `indisponible`, `motif_indisponibilite`."""

    indicateur: Any
    valeur: Any
    numerateur: Any
    valeur_retenue: Any
    denominateur_retenu: Any
    denominateur_propre: Any
    indisponible: Any
    motif_indisponibilite: Any

    @property
    def chiffre_cle(self) -> str:
        """Le chiffre en grand, sans unité : une part déduite est arrondie, une valeur saisie reste telle quelle."""
        retenue: Decimal | None = self.valeur_retenue
        if retenue is not None and self.numerateur is not None:
            retenue = arrondir(retenue, self.indicateur.decimales)
        return formater_nombre(retenue)

    @property
    def chiffre_avec_symbole(self) -> str:
        """« 25 % » ou « 166 » : seuls les symboles collent au chiffre, le texte en dessous dit le reste."""
        symbole = self.indicateur.unite if self.indicateur.unite in ("%", "€") else ""
        return (
            f"{self.chiffre_cle}{INSECABLE}{symbole}"
            if symbole and self.valeur_retenue is not None
            else self.chiffre_cle
        )

    @property
    def parts(self) -> str:
        """« 42 / 166 », « numérateur non publié » pour un taux donné seul, vide si ce n'est pas une part."""
        if self.numerateur is not None:
            nombres = f"{formater_nombre(self.numerateur)} / {formater_nombre(self.denominateur_retenu)}"
            return f"{nombres} (dénominateur propre)" if self.denominateur_propre else nombres
        return "numérateur non publié" if self._est_une_part and self.valeur is not None else ""

    @property
    def taux_ecrit(self) -> str:
        """« 35,1 % », « 25 % », « 166 consultations » ou « — » : une part déduite à une décimale, le reste
        tel quel."""
        decimales = None if self.numerateur is None else 1
        return formater_valeur(self.valeur_retenue, self.indicateur.unite, decimales)

    @property
    def detail(self) -> str:
        """« 42 / 166 = 25,3 % », « 25 % » ou « 166 consultations » ; « Indisponible » ou « — » sinon."""
        if self.indisponible:
            return f"Indisponible : {self.motif_indisponibilite}"
        return self.taux_ecrit if self.numerateur is None else f"{self.parts} = {self.taux_ecrit}"

    @property
    def _est_une_part(self) -> bool:
        return self.indicateur.nature == Nature.PART
