"""Quelle colonne d'un registre dit quoi : on propose, la personne décide, et l'on s'en souvient."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from socle.formats import plier


class Sorte(Enum):
    """Comment se lit la cellule (`marches.registre_importe.cellules`)."""

    TEXTE = "texte"
    NUMERO_DE_LOT = "numero_de_lot"
    SERVICE = "service"
    NATURE = "nature"
    PROCEDURE = "procedure"
    SUITE = "suite"
    MOTIF = "motif"
    REPONSE = "reponse"
    MONTANT = "montant"
    POIDS = "poids"
    ENTIER = "entier"
    DATE = "date"
    SIREN = "siren"
    SIRET = "siret"
    CODE_POSTAL = "code_postal"
    CP_VILLE = "cp_ville"


@dataclass(frozen=True)
class Role:
    """Ce qu'une colonne peut dire. `champ` : celui du modèle ; `du_lot` : lequel. `indices` : motifs du titre replié,
    les plus sûrs d'abord."""

    cle: str
    libelle: str
    champ: str
    sorte: Sorte
    du_lot: bool
    indices: tuple[str, ...]


def _de(cle: str, libelle: str, sorte: Sorte, *indices: str, champ: str = "") -> Role:
    return Role(cle, libelle, champ or cle, sorte, False, indices)


def _du_lot(cle: str, libelle: str, sorte: Sorte, *indices: str, champ: str = "") -> Role:
    return Role(cle, libelle, champ or cle, sorte, True, indices)


_NO = r"(?:no|n|num|numero|ref|reference)"
_ENV = r"(?:environnementa(?:le?s?|ux)|environnement|env|ecologiques?)"
_SOC = r"(?:sociale?s?|sociaux|soc|insertion)"
_CLAUSE = r"(?:clauses?|conditions?|conditions? d execution)"

ROLES = (
    _de(
        "numero",
        "Numéro de la consultation",
        Sorte.TEXTE,
        rf"{_NO}(?: de)?(?: la)? ?(?:consultation|procedure|dossier|affaire|marche)",
        rf"consultation|{_NO}|reference (?:interne|acheteur)",
    ),
    _de("siren", "Pouvoir adjudicateur (SIREN)", Sorte.SIREN, r"siren(?: .*)?", r"siret (?:de l )?acheteur"),
    _de("pour_le_compte_de", "Pour le compte de", Sorte.TEXTE, r"pour le compte de|pouvoir adjudicateur|collectivite"),
    _de("service", "Service", Sorte.SERVICE, r"service(?: .*)?|direction(?: .*)?"),
    _de("acheteur", "Acheteur en charge", Sorte.TEXTE, r"acheteur(?: en charge)?|gestionnaire|redacteur|suivi par"),
    _de(
        "objet",
        "Objet de la consultation",
        Sorte.TEXTE,
        r"objet (?:de la consultation|de la procedure|du marche)",
        r"objet|intitule(?: .*)?|libelle",
    ),
    _de("nature", "Nature (T, F, S, PI)", Sorte.NATURE, r"nature(?: .*)?|categorie|type d achat|t f s(?: pi)?"),
    _de("procedure", "Procédure", Sorte.PROCEDURE, r"(?:type (?:de )?)?procedure(?: de passation)?"),
    _de("forme", "Forme", Sorte.TEXTE, r"forme(?: .*)?|type de (?:marche|contrat)"),
    _de("estimation_ht", "Estimation HT", Sorte.MONTANT, r"(?:montant )?estim(?:ation|e)(?: .*)?"),
    _de(
        "lancee_le",
        "Avis de publicité, lancement",
        Sorte.DATE,
        r"date (?:de l |de la |de |du )?(?:aapc|avis|publicite|publication|lancement|mise en ligne)(?: .*)?|aapc",
    ),
    _de(
        "plis_avant_le",
        "Date limite des plis",
        Sorte.DATE,
        r"date (?:et heure )?limite(?: .*)?|dlro|date (?:de )?remise des (?:plis|offres)",
    ),
    _de(
        "commission_le", "Commission d'appel d'offres", Sorte.DATE, r"(?:date )?(?:de (?:la )?)?cao|commission(?: .*)?"
    ),
    _du_lot("lot", "Lot (son numéro)", Sorte.NUMERO_DE_LOT, rf"lot|{_NO} (?:du |de )?lot|lot {_NO}", champ="numero"),
    _du_lot(
        "objet_du_lot",
        "Objet du lot",
        Sorte.TEXTE,
        r"(?:objet|intitule|libelle|designation) (?:du )?lot",
        champ="objet",
    ),
    _du_lot("suite", "Suite donnée", Sorte.SUITE, r"suite(?: donnee)?|etat|statut|issue|resultat"),
    _du_lot(
        "date_de_suite",
        "Date de la suite (notifié ou déclaré sans suite le)",
        Sorte.DATE,
        r"date (?:de (?:la )?)?(?:suite|sans suite|declaration sans suite)(?: .*)?",
    ),
    _du_lot(
        "notifie_le",
        "Date de notification (le lot est alors notifié)",
        Sorte.DATE,
        r"date (?:de (?:la )?)?notif(?:ication)?|notif(?:ication|ie)(?: le)?",
        champ="date_de_suite",
    ),
    _du_lot("motif_sans_suite", "Motif sans suite", Sorte.MOTIF, r"motif (?:de la declaration )?(?:de )?sans suite"),
    _du_lot(
        "plis_recus",
        "Plis reçus",
        Sorte.ENTIER,
        r"(?:nb|nbre|nombre)(?: de| d)? ?(?:plis?|offres?)(?: recue?s)?|plis recus|offres recues",
    ),
    _du_lot("titulaire", "Titulaire", Sorte.TEXTE, r"titulaires?|attributaires?|nom du titulaire|entreprise"),
    _du_lot("siret", "SIRET du titulaire", Sorte.SIRET, rf"(?:{_NO} )?siret(?: du)?(?: titulaire)?"),
    _du_lot("code_postal", "Code postal", Sorte.CODE_POSTAL, r"cp|code postal(?: .*)?"),
    _du_lot("ville", "Ville", Sorte.TEXTE, r"ville(?: .*)?|commune(?: .*)?"),
    _du_lot("cp_ville", "Code postal et ville", Sorte.CP_VILLE, r"cp ville|code postal (?:et )?ville", champ="ville"),
    _du_lot(
        "minimum_ht",
        "Montant minimum HT",
        Sorte.MONTANT,
        r"(?:montant )?(?:ht )?min(?:i|imum)?(?: ht)?|montant ht mini",
    ),
    _du_lot(
        "maximum_ht",
        "Montant maximum HT",
        Sorte.MONTANT,
        r"(?:montant )?(?:ht )?max(?:i|imum)?(?: ht)?|montant ht maxi",
    ),
    _du_lot("montant_ht", "Montant HT", Sorte.MONTANT, r"montant(?: .*)? ht|montant(?: attribue| notifie)?|prix ht"),
    _du_lot(
        "poids_environnemental", "Critère environnemental, poids en %", Sorte.POIDS, rf"(?:critere|poids).* {_ENV} pct"
    ),
    _du_lot(
        "critere_environnemental", "Critère environnemental (oui, non)", Sorte.REPONSE, rf"criteres? (?:d )?{_ENV}"
    ),
    _du_lot(
        "clause_environnementale",
        "Condition d'exécution environnementale (oui, non)",
        Sorte.REPONSE,
        rf"{_CLAUSE} {_ENV}|considerations? {_ENV}",
    ),
    _du_lot("poids_social", "Critère social, poids en %", Sorte.POIDS, rf"(?:critere|poids).* {_SOC} pct"),
    _du_lot("critere_social", "Critère social (oui, non)", Sorte.REPONSE, rf"criteres? {_SOC}"),
    _du_lot(
        "clause_sociale",
        "Condition d'exécution sociale (oui, non)",
        Sorte.REPONSE,
        rf"{_CLAUSE} (?:d )?{_SOC}|considerations? {_SOC}",
    ),
    _du_lot("heures_insertion", "Heures d'insertion", Sorte.ENTIER, r"(?:(?:nb|nombre) (?:d )?)?heures d insertion"),
    _du_lot("motif_derogation", "Motif de dérogation", Sorte.TEXTE, r"motif (?:de )?derogation|derogation"),
)
PAR_CLE = {role.cle: role for role in ROLES}
NUMERO = PAR_CLE["numero"]

Correspondance = Mapping[str, str]


def titre_nu(titre: str) -> str:
    """Le titre replié, sans signes : « N° de consultation » est « n de consultation », « % » se lit « pct »."""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plier(titre).replace("%", " pct ")).split())


def _note(role: Role, titre: str) -> int:
    """Plus le motif est sûr, plus la note est haute ; 0 : ce titre ne dit pas cela."""
    nu = titre_nu(titre)
    return next((100 - rang for rang, motif in enumerate(role.indices) if re.fullmatch(motif, nu)), 0)


def reconnu(titre: str) -> bool:
    """Ce titre peut être celui d'une colonne d'un registre : ainsi se trouve la ligne des titres."""
    return len(titre) <= 80 and any(_note(role, titre) for role in ROLES)


def proposer(titres: Sequence[str]) -> dict[str, str]:
    """Le titre le plus probable de chaque rôle ; une colonne n'en tient qu'un, la première du fichier à égalité."""
    notes = sorted(
        (-note, rang_du_role, rang, role.cle, titre)
        for rang_du_role, role in enumerate(ROLES)
        for rang, titre in enumerate(titres)
        if (note := _note(role, titre))
    )
    retenus: dict[str, str] = {}
    for _, _, _, cle, titre in notes:
        if cle not in retenus and titre not in retenus.values():
            retenus[cle] = titre
    return retenus


def adapter(retenue: Correspondance, titres: Sequence[str]) -> dict[str, str]:
    """Celle qu'on avait retenue, sans les colonnes ni les rôles qui n'existent plus."""
    presents = {titre_nu(titre): titre for titre in titres}
    adaptee = {cle: presents.get(titre_nu(titre), "") for cle, titre in retenue.items() if cle in PAR_CLE}
    return {cle: titre for cle, titre in adaptee.items() if titre}
