"""D'une ligne du fichier à ce qu'elle change : une année à la fois, en ne retenant que ce qui n'est pas déjà ainsi."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from indicateurs.classeur.cellules import (
    CelluleRefusee,
    Indisponible,
    cite,
    dit_la_meme_chose,
    lire_un_nombre,
    lire_une_remarque,
    lire_une_valeur,
    lire_une_version,
)
from indicateurs.classeur.colonnes import Champ
from indicateurs.classeur.lecture import LigneLue, Place, Refus
from indicateurs.classeur.releve import Releve
from indicateurs.listes import Nature
from indicateurs.models import Indicateur, ValeurAnnuelle
from indicateurs.saisie import CHIFFRES
from socle.formats import INSECABLE, arrondir, formater_nombre


@dataclass
class Changement:
    """Ce qu'une ligne change à la valeur d'une année. `version` : celle du site ; `perime` : le fichier en avait une
    autre. `taux_redit`, `denominateur_redit` : ce que des cellules répètent sans l'écrire, à vérifier."""

    indicateur: Indicateur
    annee: int
    ligne: LigneLue
    avant: ValeurAnnuelle | None
    champs: dict[str, Any] = field(default_factory=dict)
    perime: bool = False
    taux_redit: Decimal | None = None
    denominateur_redit: Decimal | None = None

    @property
    def cle(self) -> str:
        """Ce qui le désigne dans le formulaire."""
        return f"{self.indicateur.pk}-{self.annee}"

    @property
    def version(self) -> int:
        return self.avant.version if self.avant else 0

    @property
    def en_conflit(self) -> bool:
        return self.perime and bool(self.champs)

    @property
    def donne_un_chiffre(self) -> bool:
        return any(champ in self.champs for champ in (*CHIFFRES, "indisponible"))

    def place(self, champ: Champ) -> Place:
        return self.ligne.place_de(self.annee, champ)

    @property
    def place_du_premier(self) -> Place:
        remplis = self.ligne.annees[self.annee]
        return self.place(next((champ for champ in remplis if champ.a_remplir), Champ.VALEUR))


class AnneeRefusee(Exception):
    def __init__(self, refus: list[Refus]) -> None:
        super().__init__(" ".join(map(str, refus)))
        self.refus = refus


_LECTEURS = {
    Champ.NUMERATEUR: lire_un_nombre,
    Champ.DENOMINATEUR: lire_un_nombre,
    Champ.REMARQUE: lire_une_remarque,
    Champ.VERSION: lire_une_version,
}


def lire_une_annee(ligne: LigneLue, indicateur: Indicateur, annee: int, releve: Releve) -> Changement:
    """Lève AnneeRefusee, avec chaque cellule en cause."""
    cellules = ligne.annees[annee]
    avant = releve.avant(indicateur, annee)
    lus: dict[Champ, Any] = {}
    refus = []
    for champ, cellule in cellules.items():
        try:
            if champ is Champ.VALEUR:
                lus[champ] = lire_une_valeur(cellule, indicateur, avant.valeur if avant else None)
            elif champ in _LECTEURS:
                lus[champ] = _LECTEURS[champ](cellule)
        except CelluleRefusee as raison:
            refus.append(Refus(ligne.place_de(annee, champ), str(raison)))
    if refus:
        raise AnneeRefusee(refus)
    return _changement(Changement(indicateur, annee, ligne, avant), lus)


def _changement(changement: Changement, lus: Mapping[Champ, Any]) -> Changement:
    version = lus.get(Champ.VERSION)
    changement.perime = version is not None and version != changement.version
    valeur = lus.get(Champ.VALEUR)
    if isinstance(valeur, Indisponible):
        _dire_indisponible(changement, valeur, lus)
    else:
        _donner_les_parts(changement, lus)
        if valeur is not None:
            _donner_la_valeur(changement, valeur, lus)
    remarque = lus.get(Champ.REMARQUE)
    deja = changement.avant.remarque if changement.avant else ""
    if remarque and remarque != "\n".join(ligne.rstrip() for ligne in deja.splitlines()).strip():
        changement.champs["remarque"] = remarque
    if changement.avant is None and changement.champs and not changement.donne_un_chiffre:
        raison = "donnez d'abord un chiffre, ou dites la valeur indisponible"
        raise AnneeRefusee([Refus(changement.place(Champ.REMARQUE), raison)])
    return changement


def _dire_indisponible(changement: Changement, dit: Indisponible, lus: Mapping[Champ, Any]) -> None:
    if Champ.NUMERATEUR in lus or Champ.DENOMINATEUR in lus:
        raison = f"la valeur est dite indisponible et elle a un chiffre{INSECABLE}: gardez l'un ou l'autre"
        raise AnneeRefusee([Refus(changement.place(Champ.VALEUR), raison)])
    avant = changement.avant
    if avant is None or not avant.indisponible or " ".join(avant.motif_indisponibilite.split()) != dit.motif:
        changement.champs |= {"indisponible": True, "motif_indisponibilite": dit.motif}


def _donner_les_parts(changement: Changement, lus: Mapping[Champ, Any]) -> None:
    avant, indicateur = changement.avant, changement.indicateur
    propre = avant is not None and avant.denominateur is not None
    for champ, nom in ((Champ.NUMERATEUR, "numerateur"), (Champ.DENOMINATEUR, "denominateur")):
        if champ not in lus:
            continue
        if champ is Champ.DENOMINATEUR and indicateur.denominateur_id and not propre:
            changement.denominateur_redit = lus[champ]
        elif not dit_la_meme_chose(lus[champ], getattr(avant, nom, None)):
            changement.champs[nom] = lus[champ]


def _donner_la_valeur(changement: Changement, valeur: Decimal, lus: Mapping[Champ, Any]) -> None:
    """Un taux à côté de son numérateur ne le remplace pas : il le redit, ou il le contredit."""
    avant = changement.avant
    if dit_la_meme_chose(valeur, avant.valeur if avant else None):
        return
    a_ses_parts = Champ.NUMERATEUR in lus or (avant is not None and avant.numerateur is not None)
    if changement.indicateur.nature == Nature.PART and a_ses_parts and not changement.perime:
        changement.taux_redit = valeur
    else:
        changement.champs["valeur"] = valeur


def contradictions(changement: Changement, releve: Releve) -> list[Refus]:
    """Ce que des cellules répètent, et qui n'est pas ce que le site aurait."""
    refus = []
    apres = releve.apres(changement.indicateur, changement.annee)
    redit = changement.taux_redit
    if redit is not None and not _arrondi_de(apres.valeur_retenue if apres else None, redit):
        detail = apres.detail if apres else ""
        raison = (
            f"{cite(formater_nombre(redit))} n'est pas ce que disent les parts ({detail}){INSECABLE}: corrigez le "
            "numérateur, ou videz la valeur"
        )
        refus.append(Refus(changement.place(Champ.VALEUR), raison))
    if changement.denominateur_redit is not None:
        partagee = releve.partagee(changement.indicateur, changement.annee)
        if partagee is None or partagee.valeur != changement.denominateur_redit:
            nom = cite(str(changement.indicateur.denominateur))
            raison = f"ce dénominateur est la valeur {changement.annee} de {nom}{INSECABLE}: tapez-le à sa ligne"
            refus.append(Refus(changement.place(Champ.DENOMINATEUR), raison))
    return refus


def _arrondi_de(taux: Decimal | None, redit: Decimal) -> bool:
    if taux is None:
        return False
    exposant = redit.normalize().as_tuple().exponent
    return arrondir(taux, max(0, -exposant) if isinstance(exposant, int) else 0) == redit
