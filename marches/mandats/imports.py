"""Importer des mandats : le fichier, lu, reste signé dans la page de qui l'importe ; seuls ses totaux s'écrivent.

Rien n'est gardé sur le serveur avant l'enregistrement, ni jamais une ligne de mandat.
"""

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, Self

from django.core import signing
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from comptes.gestes import Geste
from comptes.models import Utilisateur
from comptes.traces import tracer
from marches.calculs.catalogue import Source
from marches.calculs.conservation import recalculer
from marches.correspondances import CorrespondanceDeColonnes
from marches.listes import Base, SorteDeFichier
from marches.mandats.annuaire import est_un_annuaire
from marches.mandats.correspondances import Correspondance, proposer, reconnu
from marches.mandats.fichiers import FichierLu, cite, ouvrir
from marches.mandats.lecture import Demande, Lecture, lire_les_mandats, phrases_de
from marches.mandats.totaux import TotauxDeMandats, totaliser
from marches.mandats_importes import BudgetDeMandats, ImportDeMandats, TotalDeMandats, lignes_de_comptes
from socle.formats import INSECABLE
from socle.tableaux import EnPourcent, FichierIllisible, Ligne, Tableau

_SEL = "marches.mandats"
_DUREE = 3600
# En deçà de ce que Django accepte d'un formulaire (DATA_UPLOAD_MAX_MEMORY_SIZE), avec ce qui l'accompagne.
SIGNE_MAX = 2_300_000
SORTES = (SorteDeFichier.MANDATS, SorteDeFichier.TIERS)


class DepotPerime(Exception):
    """La page a expiré, ou n'est pas de ce site : le fichier est à déposer de nouveau."""


class EssaiPerime(Exception):
    """Un autre import du même budget et de la même année a été enregistré ou retiré depuis l'aperçu."""


@dataclass(frozen=True)
class Cadre:
    """Ce que la personne dit : l'exercice, et le budget, par sa clé ou, s'il est nouveau, par son nom et sa base."""

    annee: int
    base: str
    budget: int | None = None
    nouveau: str = ""
    siren: str = ""


@dataclass(frozen=True)
class FichierDepose:
    """Un fichier lu, et de quoi le reconnaître. Taille en octets."""

    lu: FichierLu
    sha256: str
    taille: int

    @classmethod
    def lire(cls, nom: str, contenu: bytes, sorte: SorteDeFichier) -> Self:
        """Lève FichierIllisible."""
        return cls(ouvrir(nom, contenu, titres_retenus(sorte)), hashlib.sha256(contenu).hexdigest(), len(contenu))

    def allege(self) -> Self:
        """Le même, réduit aux colonnes dont le titre se reconnaît."""
        titres = self.lu.entetes
        rangs = [rang for rang, titre in enumerate(titres) if reconnu(titre)]
        lignes = [Ligne(ligne.numero, [ligne.cellules[rang] for rang in rangs]) for ligne in self.lu.tableau.lignes]
        tableau = Tableau([titres[rang] for rang in rangs], lignes, self.lu.tableau.feuille)
        return replace(self, lu=FichierLu(self.lu.nom, tableau))

    def en_json(self) -> list[Any]:
        tableau = self.lu.tableau
        lignes = [[ligne.numero, *map(_en_json, ligne.cellules)] for ligne in tableau.lignes]
        return [self.lu.nom, self.sha256, self.taille, tableau.feuille, tableau.titres, lignes]

    @classmethod
    def de_json(cls, donnees: list[Any]) -> Self:
        nom, sha256, taille, feuille, titres, lignes = donnees
        tableau = Tableau(titres, [Ligne(numero, cellules) for numero, *cellules in lignes], feuille)
        return cls(FichierLu(nom, tableau), sha256, taille)


def _en_json(cellule: Any) -> Any:
    """Une date se relit de son texte ; un pourcentage n'est pas un montant, et ne doit pas en devenir un."""
    if isinstance(cellule, datetime.date):
        return cellule.isoformat()
    return f"{float(cellule) * 100} %" if isinstance(cellule, EnPourcent) else cellule


@dataclass(frozen=True)
class Depot:
    """Un ou deux fichiers déposés pour un budget et un exercice ; les mandats d'abord, puis l'annuaire des tiers."""

    cadre: Cadre
    fichiers: tuple[FichierDepose, ...]

    def dans_l_ordre(self) -> Self:
        """Les deux fichiers échangés si le premier est manifestement l'annuaire du second."""
        if len(self.fichiers) == 2:
            premier, second = (est_un_annuaire(fichier.lu.proposition()) for fichier in self.fichiers)
            if premier and not second:
                return replace(self, fichiers=self.fichiers[::-1])
        return self

    def signer(self) -> str:
        """Lève FichierIllisible si la page ne peut pas le porter."""
        signe = self._signe(self.fichiers)
        if len(signe) > SIGNE_MAX:
            signe = self._signe([fichier.allege() for fichier in self.fichiers])
        if len(signe) > SIGNE_MAX:
            raise FichierIllisible(
                f"{cite(self.fichiers[0].lu.nom)}{INSECABLE}: c'est trop pour un seul import. Exportez budget par "
                "budget, ou enlevez les colonnes inutiles (libellés, références)."
            )
        return signe

    def _signe(self, fichiers: Sequence[FichierDepose]) -> str:
        corps = [asdict(self.cadre), [fichier.en_json() for fichier in fichiers]]
        return signing.dumps(corps, salt=_SEL, compress=True)

    @classmethod
    def signe(cls, texte: str) -> Self:
        """Lève DepotPerime."""
        cadre, fichiers = _relire(texte, _SEL)
        return cls(Cadre(**cadre), tuple(FichierDepose.de_json(fichier) for fichier in fichiers))

    def essayer(self, correspondances: Sequence[Correspondance], budgets: Sequence[str] = ()) -> "Essai":
        """Ce qui serait écrit. Lève FichierIllisible si les colonnes choisies ne suffisent pas."""
        demande = Demande(self.cadre.annee, Base(self.cadre.base), frozenset(budgets))
        lus = [fichier.lu for fichier in self.fichiers]
        annuaire = (lus[1], correspondances[1]) if len(lus) == 2 else None
        lecture = lire_les_mandats(lus[0], correspondances[0], demande, annuaire)
        return Essai.de(self, correspondances, lecture, totaliser(lecture.mandats))


def _relire(texte: str, sel: str) -> Any:
    try:
        return signing.loads(texte, salt=sel, max_age=_DUREE)
    except (signing.BadSignature, ValueError) as refus:
        raise DepotPerime from refus


# --- Les colonnes retenues ----------------------------------------------------------------------


def titres_retenus(sorte: SorteDeFichier) -> set[str]:
    """Les titres que quelqu'un a déjà dits être ceux d'une colonne : de quoi trouver la ligne des titres."""
    retenues = CorrespondanceDeColonnes.objects.filter(sorte=sorte).values_list("colonnes", flat=True)
    return {titre for colonnes in retenues for titre in colonnes.values()}


def correspondance_pour(fichier: FichierLu, sorte: SorteDeFichier) -> tuple[Correspondance, bool]:
    """Celle qu'on a retenue de ces en-têtes, sinon celle qu'on propose ; et si on l'avait retenue."""
    retenue = CorrespondanceDeColonnes.objects.filter(sorte=sorte, signature=fichier.signature).first()
    if retenue is None:
        return proposer(fichier.entetes), False
    return Correspondance.de_json(retenue.colonnes).adaptee_a(fichier.entetes), True


# --- L'essai ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Essai:
    """Ce qui serait écrit, et pourquoi le reste ne le serait pas. Montants en euros, dans la base du budget.

    `totaux` : siret, nom, code postal, commune, nombre, montant. `remplace` : l'import en vigueur quand on l'a vu.
    """

    cadre: Cadre
    fichiers: list[dict[str, Any]]
    correspondances: list[list[Any]]
    totaux: list[list[Any]]
    comptes: dict[str, Any]
    remplace: int | None
    refus: tuple[str, ...] = ()

    @classmethod
    def de(
        cls, depot: Depot, correspondances: Sequence[Correspondance], lecture: Lecture, totaux: TotauxDeMandats
    ) -> Self:
        en_vigueur = import_en_vigueur(depot.cadre)
        return cls(
            depot.cadre,
            [{"nom": f.lu.nom, "sha256": f.sha256, "taille": f.taille} for f in depot.fichiers],
            [
                [sorte.value, fichier.lu.signature, correspondance.en_json()]
                for sorte, fichier, correspondance in zip(SORTES, depot.fichiers, correspondances, strict=False)
            ],
            [[t.siret, t.nom, t.code_postal, t.commune, t.nombre, str(t.montant)] for t in totaux.totaux],
            {
                "lues": lecture.lues,
                "gardees": len(lecture.mandats),
                "exclues": {motif: [c.nombre, str(c.montant)] for motif, c in sorted(lecture.exclus.items())},
                "chapitres": {chapitre: [n, str(montant)] for chapitre, (n, montant) in totaux.par_chapitre.items()},
                "colonne": lecture.colonne_du_montant,
                "signalements": list(phrases_de(lecture.signalements)),
            },
            en_vigueur.pk if en_vigueur else None,
            tuple(str(refus) for refus in lecture.refus),
        )

    @property
    def montant(self) -> Decimal:
        return sum((Decimal(total[5]) for total in self.totaux), Decimal(0))

    @property
    def tiers(self) -> int:
        """Combien de tiers ont un SIRET."""
        return sum(1 for total in self.totaux if total[0])

    @property
    def sans_siret(self) -> Decimal:
        """Ce qui est mandaté à des tiers sans SIRET, tenu par lieu seulement."""
        return sum((Decimal(total[5]) for total in self.totaux if not total[0]), Decimal(0))

    @property
    def applicable(self) -> bool:
        """Faux si un montant ne se lit pas, ou si rien n'est gardé."""
        return bool(self.totaux) and not self.refus

    @property
    def exclues(self) -> list[tuple[str, int, Decimal]]:
        return lignes_de_comptes(self.comptes, "exclues")

    @property
    def chapitres(self) -> list[tuple[str, int, Decimal]]:
        return lignes_de_comptes(self.comptes, "chapitres")

    def signer(self) -> str:
        return signing.dumps(asdict(self), salt=f"{_SEL}.essai", compress=True)

    @classmethod
    def signe(cls, texte: str) -> Self:
        """Lève DepotPerime."""
        donnees = _relire(texte, f"{_SEL}.essai")
        return cls(**donnees | {"cadre": Cadre(**donnees["cadre"]), "refus": tuple(donnees["refus"])})


def import_en_vigueur(cadre: Cadre) -> ImportDeMandats | None:
    """Celui que cet import remplacerait."""
    if cadre.budget is None:
        return None
    return ImportDeMandats.objects.en_vigueur().filter(budget=cadre.budget, annee=cadre.annee).first()


# --- Écrire -------------------------------------------------------------------------------------


def appliquer(essai: Essai, *, par: Utilisateur) -> ImportDeMandats:
    """Écrit les totaux de l'essai, ou rien, puis refait les calculs de l'exercice.

    Le même envoi reçu deux fois rend l'import déjà fait. Lève EssaiPerime.
    """
    if not essai.applicable:
        raise EssaiPerime
    fait, neuf = _ecrire(essai, par)
    if neuf:
        recalculer(annees=[fait.annee], sources=[Source.MANDATS])
    return fait


def retirer(fait: ImportDeMandats, *, par: Utilisateur) -> bool:
    """Retire l'import, puis refait les calculs de l'exercice. Faux s'il l'était déjà."""
    retire = fait.retirer(par=par)
    if retire:
        recalculer(annees=[fait.annee], sources=[Source.MANDATS])
    return retire


def _ecrire(essai: Essai, par: Utilisateur) -> tuple[ImportDeMandats, bool]:
    """L'import, et vrai s'il vient d'être écrit."""
    with transaction.atomic():
        budget, deja = _budget(essai.cadre), None
        if budget is not None:
            deja = ImportDeMandats.objects.en_vigueur().filter(budget=budget, annee=essai.cadre.annee).first()
        if (deja.pk if deja else None) != essai.remplace:
            if deja is not None and deja.fichiers == essai.fichiers and deja.auteur == par:
                return deja, False
            raise EssaiPerime
        fait = ImportDeMandats.objects.create(
            budget=budget or _creer_le_budget(essai.cadre),
            annee=essai.cadre.annee,
            fichiers=essai.fichiers,
            comptes=essai.comptes,
            auteur=par,
        )
        TotalDeMandats.objects.bulk_create(_totaux(essai, fait), batch_size=1000)
        for sorte, signature, colonnes in essai.correspondances:
            CorrespondanceDeColonnes.objects.update_or_create(
                sorte=sorte, signature=signature, defaults={"colonnes": colonnes, "par": par}
            )
        details = {"fichiers": [fichier["nom"] for fichier in essai.fichiers], "gardees": essai.comptes["gardees"]}
        tracer(Geste.IMPORT, par, f"Mandats {fait}", details=details)
    return fait, True


def _totaux(essai: Essai, fait: ImportDeMandats) -> list[TotalDeMandats]:
    return [
        TotalDeMandats(
            import_de_mandats=fait,
            siret=siret,
            nom=nom,
            code_postal=code_postal,
            commune=commune,
            nombre=nombre,
            montant=Decimal(montant),
        )
        for siret, nom, code_postal, commune, nombre, montant in essai.totaux
    ]


def _budget(cadre: Cadre) -> BudgetDeMandats | None:
    """Le budget, sous verrou : deux imports du même attendent leur tour. None s'il est à créer."""
    budgets = BudgetDeMandats.objects.select_for_update(no_key=True)
    if cadre.budget is not None:
        return budgets.filter(pk=cadre.budget).first()
    return budgets.filter(nom=cadre.nouveau, base=cadre.base).first()


def _creer_le_budget(cadre: Cadre) -> BudgetDeMandats:
    racine = slugify(cadre.nouveau)[:50] or "budget"
    codes = set(BudgetDeMandats.objects.filter(code__startswith=racine).values_list("code", flat=True))
    code, rang = racine, 1
    while code in codes:
        rang += 1
        code = f"{racine}-{rang}"
    try:
        with transaction.atomic():
            return BudgetDeMandats.objects.create(code=code, nom=cadre.nouveau, siren=cadre.siren, base=cadre.base)
    except IntegrityError as deja:
        # Quelqu'un vient de créer le même.
        raise EssaiPerime from deja
