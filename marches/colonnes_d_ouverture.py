"""Ce que montre une ligne derrière un nombre : un contrat, une consultation, ce qui a été mandaté à un tiers."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Model
from django.urls import NoReverseMatch

from marches.calculs.catalogue import Source
from marches.calculs.resultats import centimes
from marches.lieux import local
from marches.listes import Suite
from marches.models import Consultation, Contrat, LieuDEtablissement, Territoire, TotalDeMandats
from marches.reponses import Reponse, au_moins_un
from socle.ecriture import Sorte
from socle.formats import ABSENT, accorder, formater_date, formater_montant, plier


@dataclass(frozen=True)
class Colonne:
    """Une colonne de la page et du fichier. `lire` : texte, date, entier, décimal (des euros) ou None."""

    titre: str
    lire: Callable[["Enregistrement"], Any]
    sorte: Sorte = Sorte.TEXTE
    largeur: int = 20
    lien: bool = False


@dataclass(frozen=True)
class Cellule:
    titre: str
    texte: str
    lien: bool


@dataclass(frozen=True)
class LigneMontree:
    """`adresse` : la page de l'enregistrement, vide s'il n'en a pas."""

    adresse: str
    cellules: list[Cellule]


@dataclass(frozen=True)
class Enregistrement:
    """Une ligne lue. `compte` : ce qu'une somme en prend, en euros ; 0 sans montant."""

    objet: Any
    compte: Fraction

    @property
    def pk(self) -> int:
        return self.objet.pk

    @property
    def adresse(self) -> str:
        """Sa propre page ; vide s'il n'en a pas."""
        try:
            return self.objet.get_absolute_url() if hasattr(self.objet, "get_absolute_url") else ""
        except NoReverseMatch:
            return ""

    def montrer(self, colonnes: Sequence[Colonne]) -> LigneMontree:
        adresse = self.adresse
        cellules = [Cellule(c.titre, _en_texte(c.lire(self)), c.lien and bool(adresse)) for c in colonnes]
        return LigneMontree(adresse, cellules)

    @classmethod
    def lire(cls, source: Source, cles: Sequence[int]) -> Iterator["Enregistrement"]:
        modele, liens = _TABLES[source]
        lus = modele._default_manager.filter(pk__in=cles).select_related(*liens[0]).prefetch_related(*liens[1])
        for objet in lus:
            yield cls(objet, Fraction(getattr(objet, "montant", None) or 0))


# Par source : la table, et ce qu'une ligne en nomme (une jointure, une requête de plus).
_TABLES: dict[Source, tuple[type[Model], tuple[tuple[str, ...], tuple[str, ...]]]] = {
    Source.DECP: (Contrat, ((), ("titulaires",))),
    Source.REGISTRE: (Consultation, (("service",), ("lots",))),
    Source.MANDATS: (TotalDeMandats, (("import_de_mandats__budget",), ())),
}
_TRIS = {Source.DECP: "date", Source.REGISTRE: "lancee_le", Source.MANDATS: "montant"}


def en_ordre(source: Source, cles: Sequence[int]) -> list[tuple[tuple[bool, Any], int]]:
    """Chaque clé trouvée, et de quoi la ranger ; ce qui n'a ni date ni montant vient en dernier."""
    lus = _TABLES[source][0]._default_manager.filter(pk__in=cles).values_list(_TRIS[source], "pk")
    return [((rang is not None, rang or 0), cle) for rang, cle in lus.order_by()]


def montants_partages(lus: dict[int, Enregistrement], territoire: Territoire | None) -> dict[int, Enregistrement]:
    """Ce qui, de chaque montant, va à des titulaires du territoire, à parts égales entre cotitulaires."""
    sirets = {t.identifiant for lu in lus.values() for t in lu.objet.titulaires.all() if not t.commune}
    dits = dict(LieuDEtablissement.objects.filter(siret__in=sirets).values_list("siret", "commune"))
    return {cle: replace(lu, compte=lu.compte * _fraction(lu.objet, territoire, dits)) for cle, lu in lus.items()}


def _fraction(contrat: Contrat, territoire: Territoire | None, dits: dict[str, str]) -> Fraction:
    titulaires = contrat.titulaires.all()
    if territoire is None or not titulaires:
        return Fraction(0)
    locaux = 0
    for titulaire in titulaires:
        commune = titulaire.commune or dits.get(titulaire.identifiant, "")
        possibles = frozenset({commune}) if commune else None
        if plier(titulaire.type_identifiant) in {"siret", ""}:
            locaux += local(possibles, titulaire.departement, territoire) == Reponse.OUI
    return Fraction(locaux, len(titulaires))


# --- Les colonnes -------------------------------------------------------------------------------


def _reponse(valeur: str) -> str:
    return str(Reponse(valeur).label)


def _titulaires(ligne: Enregistrement) -> str:
    return ", ".join(str(titulaire) for titulaire in ligne.objet.titulaires.all())


def _sorte_de_montant(ligne: Enregistrement) -> str:
    """Un accord-cadre publie un maximum, jamais une dépense."""
    dits = [ligne.objet.nature, *ligne.objet.techniques]
    return "montant maximum" if any("accord-cadre" in plier(str(dit)) for dit in dits) else ""


def _suites(ligne: Enregistrement) -> str:
    lots = ligne.objet.lots.all()
    suites = dict.fromkeys(lot.get_suite_display() or "Sans suite dite" for lot in lots)
    return f"{accorder(len(lots), 'lot')} : {', '.join(suites)}" if suites else ABSENT


def _derniere_suite(ligne: Enregistrement) -> datetime.date | None:
    return max((lot.date_de_suite for lot in ligne.objet.lots.all() if lot.date_de_suite), default=None)


def _tiers(ligne: Enregistrement) -> str:
    """Sans SIRET, ce peut être une personne : elle n'a pas de nom ici."""
    return ligne.objet.nom or ligne.objet.siret if ligne.objet.siret else "Tiers sans SIRET"


COMPTE = Colonne("Montant compté", lambda ligne: centimes(ligne.compte), Sorte.NOMBRE, 16)

COLONNES: dict[Source, list[Colonne]] = {
    Source.DECP: [
        Colonne("Objet", lambda ligne: str(ligne.objet), largeur=60, lien=True),
        Colonne("Notifié le", lambda ligne: ligne.objet.date, Sorte.DATE, 12),
        Colonne("Titulaires", _titulaires, largeur=40),
        Colonne("Montant HT", lambda ligne: ligne.objet.montant, Sorte.NOMBRE, 16),
        Colonne("Sorte de montant", _sorte_de_montant, largeur=18),
        Colonne("Environnement", lambda ligne: _reponse(ligne.objet.environnement), largeur=16),
        Colonne("Social", lambda ligne: _reponse(ligne.objet.social), largeur=16),
        Colonne("Identifiant", lambda ligne: ligne.objet.identifiant, largeur=18),
    ],
    Source.REGISTRE: [
        Colonne("Numéro", lambda ligne: ligne.objet.numero, largeur=16, lien=True),
        Colonne("Objet", lambda ligne: ligne.objet.objet, largeur=60),
        Colonne("Service", lambda ligne: ligne.objet.service and str(ligne.objet.service), largeur=24),
        Colonne("Suite donnée", _suites, largeur=30),
        Colonne("Dernière suite le", _derniere_suite, Sorte.DATE, 14),
        Colonne("Environnement", lambda ligne: _reponse(_d_un_lot(ligne, "environnement")), largeur=16),
        Colonne("Social", lambda ligne: _reponse(_d_un_lot(ligne, "social")), largeur=16),
    ],
    Source.MANDATS: [
        Colonne("Tiers", _tiers, largeur=40),
        Colonne("SIRET", lambda ligne: ligne.objet.siret, largeur=16),
        Colonne("Code postal", lambda ligne: ligne.objet.code_postal, largeur=12),
        Colonne("Commune", lambda ligne: ligne.objet.commune, largeur=12),
        Colonne("Budget", lambda ligne: str(ligne.objet.import_de_mandats.budget), largeur=24),
        Colonne("Mandats", lambda ligne: ligne.objet.nombre, Sorte.ENTIER, 10),
        Colonne("Montant", lambda ligne: ligne.objet.montant, Sorte.NOMBRE, 16),
        Colonne("Base", lambda ligne: ligne.objet.import_de_mandats.budget.base, largeur=8),
    ],
}


def _d_un_lot(ligne: Enregistrement, question: str) -> Reponse:
    """Oui si au moins un lot, hors ceux abandonnés avant publication."""
    lots = [lot for lot in ligne.objet.lots.all() if lot.suite != Suite.ABANDONNE]
    return au_moins_un(getattr(lot, question) for lot in lots)


def ecrire_des_euros(montant: int | Decimal | None) -> str:
    """« 1 200 € », « 808 139,50 € » : les centimes quand il y en a."""
    entier = montant is None or montant == int(montant)
    return formater_montant(montant, None if entier else 2)


def _en_texte(valeur: Any) -> str:
    match valeur:
        case None | "":
            return ABSENT
        case Decimal():
            return ecrire_des_euros(valeur)
        case datetime.date():
            return formater_date(valeur)
    return str(valeur)
