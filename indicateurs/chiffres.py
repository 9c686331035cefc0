"""Un chiffre et ce qui le situe : l'année d'avant, l'écart, l'objectif. Pur assemblage, sans requête."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from indicateurs.appreciation import Jugement, apprecier
from indicateurs.cibles import cible_visee
from indicateurs.comparaisons import Comparaison, ecrire_l_ecart
from indicateurs.confrontations import Confrontation, confronter
from indicateurs.listes import Sens
from indicateurs.models import Cible, Indicateur, ValeurAnnuelle
from indicateurs.recalcul import Recalcul
from socle.formats import ABSENT, INSECABLE, formater_valeur


@dataclass(frozen=True)
class ChiffreCle(Comparaison):
    """Un chiffre à montrer en grand.

    `annee` : celle que l'on montre, None si aucune n'est connue. `jugement` : face à l'objectif. `reference` : celle
    pour laquelle proposer de saisir ce qui manque. `fige` : situation à une date passée, où rien ne se saisit.
    `confrontation` : face aux calculs ; None sans année, ou à une date passée (un résultat est d'aujourd'hui).
    """

    annee: int | None
    cible: Cible | None
    jugement: Jugement
    reference: int
    fige: bool = False
    confrontation: Confrontation | None = None

    @property
    def libelle(self) -> str:
        """Le texte publié sous le chiffre, sinon l'intitulé."""
        return (self.valeur.libelle if self.valeur else "") or self.indicateur.intitule

    @property
    def nombre(self) -> str:
        return self.valeur.chiffre_avec_symbole if self.valeur else ABSENT

    @property
    def unite(self) -> str:
        """L'unité, quand elle est un mot : un symbole est déjà collé au nombre, un tiret n'en a pas."""
        return self._unite_de(self.valeur)

    def _unite_de(self, valeur: ValeurAnnuelle | None) -> str:
        connue = valeur is not None and valeur.valeur_retenue is not None
        return self.indicateur.unite if connue and self.indicateur.unite not in ("%", "€") else ""

    @property
    def explication(self) -> str:
        """Ce que dit une valeur qui ne porte pas de chiffre : indisponible, ou dénominateur inconnu."""
        return self.valeur.detail if self.valeur and self.valeur.valeur_retenue is None else ""

    @property
    def annee_precedente(self) -> int | None:
        return self.annee - 1 if self.annee else None

    @property
    def nombre_precedent(self) -> str:
        """« 48 % », « 19 480 heures » ou « — »."""
        if self.precedente is None:
            return ABSENT
        return INSECABLE.join(filter(None, [self.precedente.chiffre_avec_symbole, self._unite_de(self.precedente)]))

    @property
    def montre_l_objectif(self) -> bool:
        """Sans objectif, un indicateur neutre n'a pas à s'en voir réclamer un."""
        return self.cible is not None or self.indicateur.sens != Sens.NEUTRE

    @property
    def objectif(self) -> str:
        """« Objectif 2026 », que suit `cible_ecrite` ; « Objectif » quand il n'y en a pas."""
        return f"Objectif {self.cible.annee}" if self.cible else "Objectif"

    @property
    def cible_ecrite(self) -> str:
        return formater_valeur(self.cible.valeur, self.indicateur.unite) if self.cible else ABSENT

    @property
    def ecart_a_l_objectif(self) -> str:
        """« − 64,9 points » entre la valeur et l'objectif montrés, non arrondis ; vide si l'un manque."""
        if self.cible is None or self.valeur is None or self.valeur.valeur_retenue is None:
            return ""
        return ecrire_l_ecart(self.indicateur, self.valeur.valeur_retenue - self.cible.valeur)


def chiffre_de(
    indicateur: Indicateur,
    valeurs: Iterable[ValeurAnnuelle],
    cibles: Iterable[Cible],
    *,
    annee: int | None = None,
    reference: int,
    fige: bool = False,
    recalculs: Mapping[int, list[Recalcul]] | None = None,
) -> ChiffreCle:
    """Le chiffre de `annee`, sinon le dernier qui soit connu ; à défaut de chiffre, la dernière ligne, qui dit
    pourquoi il manque. `recalculs` : ceux de l'indicateur, par année ; sans aucune valeur, on montre la dernière."""
    recalculs = {} if fige or recalculs is None else recalculs
    par_annee = {valeur.annee: valeur for valeur in valeurs}
    montree = annee
    if annee is None:
        chiffrees = [a for a, valeur in par_annee.items() if valeur.valeur_retenue is not None]
        montree = max(chiffrees or par_annee, default=None)
    cibles = list(cibles)
    confrontee = montree or max(recalculs, default=None)
    valeur = par_annee.get(montree) if montree else None
    precedente = par_annee.get(montree - 1) if montree else None
    return ChiffreCle(
        indicateur=indicateur,
        annee=montree,
        valeur=valeur,
        precedente=precedente,
        cible=cible_visee(cibles, montree or reference),
        jugement=apprecier(Comparaison(indicateur, valeur, precedente), cibles),
        reference=annee or reference,
        fige=fige,
        confrontation=confronter(indicateur, confrontee, valeur, recalculs) if confrontee and not fige else None,
    )


def annee_a_saisir(valeurs: Iterable[ValeurAnnuelle], derniere: int) -> int | None:
    """La plus récente des années sans ligne, de la première connue à `derniere` ; None s'il n'en manque aucune."""
    prises = {valeur.annee for valeur in valeurs}
    manquantes = (annee for annee in range(derniere, min(prises, default=derniere) - 1, -1) if annee not in prises)
    return next(manquantes, None)
