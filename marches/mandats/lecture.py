"""D'un ou deux fichiers des finances aux mandats d'un budget et d'une année : gardés, exclus par motif, refusés.

Le second fichier, s'il y en a un, est l'annuaire des tiers : il complète le premier par leur code.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings

from marches.communes import code_postal_lu
from marches.listes import Base
from marches.mandats.annuaire import DES_TIERS, Annuaire, code_du_tiers, joindre, phrase_du_double
from marches.mandats.correspondances import Correspondance, Role
from marches.mandats.fichiers import FichierLu, Place, Refus, cite, rangs_de
from marches.mandats.valeurs import Sens, ValeurIllisible, annee_lue, chapitre_lu, montant_lu, sens_lu, siret_lu
from socle.formats import INSECABLE, accorder, plier
from socle.tableaux import FichierIllisible, Ligne, texte_de

REFUS_MAX = 50

SOUS_TOTAL = "Sous-total"
TITRES_REPETES = "Titres répétés"
SANS_MONTANT = "Sans montant"
AUTRE_BUDGET = "Autre budget"
AUTRE_ANNEE = "Autre année"
SANS_DATE = "Sans date lisible"
RECETTE = "Titre de recette"
SENS_INCONNU = "Type de pièce inconnu"
SANS_CHAPITRE = "Sans chapitre lisible"

# Presque aucune cellule n'a ces lettres : on ne replie que celles-là.
_PEUT_DIRE_TOTAL = re.compile(r"total|cumul|report|s/", re.IGNORECASE)
_COMMENCE_PAR_TOTAL = re.compile(r"(?:sous[ -]?total|s/ ?(?:total|t)|total|cumul|report|a reporter)\b")
_DIT_TOTAL = re.compile(
    r"(?:sous[ -]?total|s/ ?(?:total|t)|total)(?: ?:)?$|(?:sous[ -]?total|total|cumul|report|a reporter)"
    r"(?: (?:general|du|de la|des|de l'\w+|par|pour|chapitre|chap\.?|article|tiers|compte|nature|budget|"
    r"exercice|\d+))+"
)


def chapitres_des_achats() -> tuple[str, ...]:
    """Les chapitres dont les mandats sont des achats. Source : réglage CHAPITRES_DES_ACHATS ; le 204 n'en est pas."""
    return tuple(settings.CHAPITRES_DES_ACHATS)


@dataclass(frozen=True)
class Demande:
    """Ce que la personne dit du fichier. `base` : celle du budget ; `budgets` : ceux à garder, tous si vide."""

    annee: int
    base: Base
    budgets: frozenset[str] = frozenset()
    chapitres: tuple[str, ...] = field(default_factory=chapitres_des_achats)


@dataclass(frozen=True)
class Mandat:
    """Une ligne gardée, le temps de l'additionner. Montant en euros dans la base demandée ; annulé, il est négatif.

    Sans SIRET, ni nom, ni code : le tiers peut être une personne.
    """

    chapitre: str
    montant: Decimal
    siret: str = ""
    nom: str = ""
    code_postal: str = ""
    ville: str = ""


@dataclass
class Compte:
    """Combien de lignes, et leur montant en euros."""

    nombre: int = 0
    montant: Decimal = Decimal(0)

    def ajouter(self, montant: Decimal) -> None:
        self.nombre += 1
        self.montant += montant


@dataclass
class Lecture:
    """`lues` = gardées + exclues + refusées. `signalements` : ce qui se lit mal sans fausser le total."""

    mandats: list[Mandat] = field(default_factory=list)
    exclus: dict[str, Compte] = field(default_factory=lambda: defaultdict(Compte))
    refus: list[Refus] = field(default_factory=list)
    signalements: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    lues: int = 0
    refusees: int = 0
    colonne_du_montant: str = ""


# --- Lire les mandats ---------------------------------------------------------------------------


def lire_les_mandats(
    fichier: FichierLu,
    correspondance: Correspondance,
    demande: Demande,
    annuaire: tuple[FichierLu, Correspondance] | None = None,
) -> Lecture:
    """Les mandats gardés, et tout ce qui ne l'est pas. Lève FichierIllisible si les colonnes ne suffisent pas."""
    rangs = rangs_de(fichier, correspondance)
    colonne = colonne_du_montant(fichier, correspondance, demande.base)
    if not {Role.CHAPITRE, Role.NATURE} & rangs.keys():
        raise FichierIllisible(
            f"{cite(fichier.nom)}{INSECABLE}: aucune colonne ne donne le chapitre ni l'article. Sans eux, les achats "
            "ne se distinguent pas des salaires et des subventions."
        )
    tiers = joindre(fichier, rangs, annuaire) if annuaire else None
    lecture = Lecture(colonne_du_montant=colonne)
    lecteur = _Lecteur(fichier, rangs, fichier.entetes.index(colonne), demande, tiers, lecture)
    for ligne in fichier.tableau.lignes:
        lecture.lues += 1
        lecteur.lire(ligne)
    if annuaire and tiers:
        for lignes in tiers.en_double.values():
            lecture.signalements[phrase_du_double(lignes, annuaire[0].nom)] += len(lignes)
    return lecture


def colonne_du_montant(fichier: FichierLu, correspondance: Correspondance, base: Base) -> str:
    """La colonne à additionner, dans la base du budget. HT et TTC ne se mêlent jamais. Lève FichierIllisible."""
    dite, autre = Role.MONTANT_HT, Role.MONTANT_TTC
    if base == Base.TTC:
        dite, autre = autre, dite
    titre = correspondance.colonne(dite) or correspondance.montant
    if titre:
        return titre
    if correspondance.colonne(autre):
        raise FichierIllisible(
            f"{cite(fichier.nom)}{INSECABLE}: ce fichier n'a qu'un montant "
            f"{'TTC' if base == Base.HT else 'HT'}, la colonne {cite(correspondance.colonne(autre))}, "
            f"et ce budget se compte {Base(base).label.lower()}."
        )
    cites = ", ".join(cite(entete) for entete in fichier.entetes[:12])
    raise FichierIllisible(f"{cite(fichier.nom)}{INSECABLE}: aucune colonne ne donne le montant, parmi {cites}.")


@dataclass
class _Lecteur:
    fichier: FichierLu
    rangs: dict[Role, int]
    rang_du_montant: int
    demande: Demande
    tiers: Annuaire | None
    lecture: Lecture

    def lire(self, ligne: Ligne) -> None:
        """Garde, exclut ou refuse cette ligne : une seule des trois."""
        if self._titres_repetes(ligne):
            self.lecture.exclus[TITRES_REPETES].ajouter(Decimal(0))
            return
        sous_total = self._est_un_sous_total(ligne)
        try:
            montant = montant_lu(ligne.cellules[self.rang_du_montant])
        except ValeurIllisible as illisible:
            if sous_total:
                self.lecture.exclus[SOUS_TOTAL].ajouter(Decimal(0))
            else:
                self._refuser(ligne, str(illisible))
            return
        motif, montant = (SOUS_TOTAL, montant) if sous_total else self._motif(ligne, montant)
        if motif:
            self.lecture.exclus[motif].ajouter(montant or Decimal(0))
        elif montant is not None:
            self.lecture.mandats.append(self._mandat(ligne, montant))

    def _cellule(self, ligne: Ligne, role: Role) -> Any:
        return ligne.cellules[self.rangs[role]] if role in self.rangs else None

    def _refuser(self, ligne: Ligne, raison: str) -> None:
        self.lecture.refusees += 1
        if len(self.lecture.refus) < REFUS_MAX:
            titre = self.fichier.entetes[self.rang_du_montant]
            place = Place(self.fichier.nom, self.fichier.tableau.feuille, ligne.numero, titre)
            self.lecture.refus.append(Refus(place, raison))

    def _titres_repetes(self, ligne: Ligne) -> bool:
        """Une page suivante de l'état imprimé : au moins deux cellules redisent leur titre, et aucune autre chose."""
        montant = texte_de(ligne.cellules[self.rang_du_montant])
        if montant and montant[:1].casefold() != self.fichier.entetes[self.rang_du_montant][:1].casefold():
            return False
        dites = [(texte_de(c), t) for c, t in zip(ligne.cellules, self.fichier.entetes, strict=True) if texte_de(c)]
        return len(dites) > 1 and all(plier(texte) == plier(titre) for texte, titre in dites)

    def _est_un_sous_total(self, ligne: Ligne) -> bool:
        """« Total chapitre 011 », ou un montant seul ; pas « TOTAL ENERGIES », qui a un code ou un chapitre."""
        identite = [self._cellule(ligne, role) for role in (Role.CODE_TIERS, Role.SIRET, Role.DATE)]
        codes = [*identite, *(self._cellule(ligne, role) for role in (Role.CHAPITRE, Role.NATURE))]
        textes = [plier(c) for c in ligne.cellules if isinstance(c, str) and _PEUT_DIRE_TOTAL.search(c)]
        if textes and any(_COMMENCE_PAR_TOTAL.match(plier(texte_de(code))) for code in codes):
            return True
        if not any(texte_de(valeur) for valeur in identite) and any(_DIT_TOTAL.match(texte) for texte in textes):
            return True
        if any(texte_de(valeur) for valeur in codes):
            return False
        remplies = [rang for rang, cellule in enumerate(ligne.cellules) if texte_de(cellule)]
        montants = {self.rangs[r] for r in (Role.MONTANT, Role.MONTANT_HT, Role.MONTANT_TTC) if r in self.rangs}
        return set(remplies) <= montants or any(_COMMENCE_PAR_TOTAL.match(texte) for texte in textes)

    def _motif(self, ligne: Ligne, montant: Decimal | None) -> tuple[str, Decimal | None]:
        """Pourquoi cette ligne n'est pas un achat de l'année, et son montant une fois son sens lu."""
        if montant is None:
            return SANS_MONTANT, None
        sens = sens_lu(self._cellule(ligne, Role.SENS))
        if sens is Sens.ANNULATION:
            montant = -abs(montant)
        budget = texte_de(self._cellule(ligne, Role.BUDGET))
        if self.demande.budgets and budget not in self.demande.budgets:
            return AUTRE_BUDGET, montant
        if sens is None:
            return SENS_INCONNU, montant
        if sens is Sens.RECETTE:
            return RECETTE, montant
        return self._motif_de_date(ligne) or self._motif_de_chapitre(ligne), montant

    def _motif_de_date(self, ligne: Ligne) -> str:
        """L'exercice l'emporte sur la date : un mandat de la journée complémentaire est daté de janvier."""
        roles = [role for role in (Role.EXERCICE, Role.DATE) if role in self.rangs]
        for role in roles:
            try:
                annee = annee_lue(self._cellule(ligne, role))
            except ValeurIllisible:
                return SANS_DATE
            if annee is not None:
                return "" if annee == self.demande.annee else AUTRE_ANNEE
        return SANS_DATE if roles else ""

    def _chapitre(self, ligne: Ligne) -> str:
        return chapitre_lu(self._cellule(ligne, Role.CHAPITRE), self._cellule(ligne, Role.NATURE))

    def _motif_de_chapitre(self, ligne: Ligne) -> str:
        chapitre = self._chapitre(ligne)
        if not chapitre:
            return SANS_CHAPITRE
        return "" if chapitre in self.demande.chapitres else f"Chapitre {chapitre}"

    def _mandat(self, ligne: Ligne, montant: Decimal) -> Mandat:
        """Le nom ne suit que le SIRET : sans lui, le tiers peut être une personne."""
        dit = self._du_tiers(ligne)
        try:
            siret = siret_lu(dit.get(Role.SIRET))
        except ValeurIllisible as illisible:
            siret = ""
            self.lecture.signalements[f"SIRET non retenu, car il {illisible}"] += 1
        code_postal = code_postal_lu(dit.get(Role.CODE_POSTAL))
        if not code_postal and texte_de(dit.get(Role.CODE_POSTAL)):
            self.lecture.signalements["Le code postal n'en est pas un de France"] += 1
        return Mandat(
            self._chapitre(ligne),
            montant,
            siret,
            texte_de(dit.get(Role.NOM))[:300] if siret else "",
            code_postal,
            texte_de(dit.get(Role.VILLE)) or _ville_apres(dit.get(Role.CODE_POSTAL), code_postal),
        )

    def _du_tiers(self, ligne: Ligne) -> dict[Role, Any]:
        """Ce que la ligne dit du tiers, complété par l'annuaire ; un blanc n'efface rien."""
        dit = {role: self._cellule(ligne, role) for role in DES_TIERS}
        dit = {role: valeur for role, valeur in dit.items() if texte_de(valeur)}
        code = code_du_tiers(self._cellule(ligne, Role.CODE_TIERS)) if self.tiers else ""
        if self.tiers and code:
            connu = self.tiers.tiers.get(code)
            if connu is None:
                self.lecture.signalements["Le tiers n'est pas dans l'annuaire"] += 1
            return {**(connu or {}), **dit}
        return dit


def _ville_apres(valeur: Any, code_postal: str) -> str:
    """« 34130 MAUGUIO » dans une seule colonne : la ville."""
    texte = texte_de(valeur)
    return re.sub(r"^\D*[\d \u00a0\u202f-]+", "", texte) if code_postal and re.search(r"[^\W\d]", texte) else ""


def phrases_de(signalements: dict[str, int]) -> Iterator[str]:
    """« SIRET non retenu, car il est arrondi par un tableur : 12 lignes. »"""
    for phrase, nombre in sorted(signalements.items()):
        yield f"{phrase}{INSECABLE}: {accorder(nombre, 'ligne')}."
