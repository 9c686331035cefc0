"""Ce qui, dans les contrats de la collectivité, déplace un chiffre montré, et de quel chiffre il s'agit.

Rien ici ne lit la base : des contrats entrent, des anomalies sortent. Ce qui ne change aucun chiffre (un objet absent,
un SIRET d'acheteur invalide) n'est pas à revoir.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from statistics import median

from marches.achats import est_un_siret
from marches.calculs.catalogue import PREMIERE_ANNEE_DES_CONSIDERATIONS
from marches.listes import ChampCorrige
from marches.models import Contrat
from marches.reponses import Reponse
from marches.signalements import phrase_du_drapeau

# Au-delà du plus grand des deux, un montant se relit, même s'il est plausible.
MONTANT_A_RELIRE = Decimal(5_000_000)
FOIS_LA_MEDIANE = 20


class Sorte(Enum):
    """Le code de l'adresse, et ce qui ne va pas."""

    DATE = "date", "Sans date de notification, ou date impossible"
    CONFLIT = "conflit", "Même identifiant qu'un autre contrat"
    DOUBLE = "double", "Doublon possible"
    A_PART = "montant-a-part", "Montant mis à part"
    ELEVE = "montant-eleve", "Montant inhabituel"
    LIEU = "lieu", "Titulaire sans commune connue"
    CONSIDERATION = "consideration", "Considération non renseignée"

    def __init__(self, code: str, libelle: str) -> None:
        self.code = code
        self.libelle = libelle


@dataclass(frozen=True)
class Anomalie:
    """`chiffre` : celui qu'elle déplace. `corrections` : ce qui peut la lever. `siret` : l'établissement à situer.
    `voisins` : les contrats avec lesquels celui-ci se confond."""

    sorte: Sorte
    contrat: Contrat
    constat: str
    chiffre: str
    corrections: tuple[ChampCorrige, ...] = ()
    siret: str = ""
    voisins: tuple[Contrat, ...] = ()


def anomalies(
    contrats: Sequence[Contrat], *, corriges: Collection[tuple[object, str]], situes: Collection[str]
) -> list[Anomalie]:
    """Celles de ces contrats en vigueur, leurs titulaires lus d'avance.

    `corriges` : les (souche, champ) qui ont une correction en vigueur ; `situes` : les SIRET dont quelqu'un a dit la
    commune. Un contrat qui n'entre dans aucun chiffre n'est pas à revoir.
    """
    utiles = [c for c in contrats if not (c.doublon or c.concession or c.subsequent)]
    comptes = [c for c in utiles if c.date is not None]
    trouvees = [_sans_date(c) for c in utiles if c.date is None]
    trouvees += _conflits(utiles)
    trouvees += _doubles(comptes, corriges)
    trouvees += [_a_part(c) for c in comptes if c.drapeau]
    trouvees += _eleves(comptes, corriges)
    trouvees += [a for c in comptes for a in _sans_lieu(c, situes)]
    trouvees += [a for c in comptes for a in _sans_consideration(c)]
    return trouvees


def _annee(contrat: Contrat) -> str:
    return str(contrat.date.year) if contrat.date else "de son année"


def _sans_date(contrat: Contrat) -> Anomalie:
    constat = "La date publiée est impossible ou à venir." if "date_invalide" in contrat.anomalies else "Aucune date."
    return Anomalie(
        Sorte.DATE,
        contrat,
        constat,
        "Le nombre de marchés notifiés de son année, et toutes ses parts\u00a0: il n'est compté nulle part.",
        (ChampCorrige.DATE,),
    )


def _conflits(contrats: Iterable[Contrat]) -> list[Anomalie]:
    """Sans autre contrat encore compté sous le même identifiant, il n'y a plus de conflit."""
    groupes: dict[tuple[str, str], list[Contrat]] = defaultdict(list)
    for contrat in contrats:
        groupes[contrat.siret, contrat.groupe].append(contrat)
    return [
        Anomalie(
            Sorte.CONFLIT,
            contrat,
            f"{len(groupe)} contrats portent l'identifiant «\u00a0{contrat.identifiant}\u00a0»\u00a0: des lots, ou "
            "une correction publiée sans le dire.",
            f"Le nombre de marchés notifiés {_annee(contrat)}, et les parts\u00a0: il est compté comme un marché.",
            (ChampCorrige.DOUBLON, ChampCorrige.DISTINCT),
            voisins=tuple(autre for autre in groupe if autre is not contrat),
        )
        for groupe in groupes.values()
        for contrat in groupe
        if contrat.conflit and len(groupe) > 1
    ]


def _doubles(contrats: Iterable[Contrat], corriges: Collection[tuple[object, str]]) -> list[Anomalie]:
    """Même acheteur, même date, même montant, un titulaire commun, sous deux identifiants."""
    pareils: dict[tuple[object, ...], list[Contrat]] = defaultdict(list)
    for contrat in contrats:
        if contrat.montant is not None and (contrat.souche, ChampCorrige.DISTINCT) not in corriges:
            for identifiant in {t.identifiant for t in contrat.titulaires.all()} - {""}:
                pareils[contrat.siren, contrat.date, contrat.montant, identifiant].append(contrat)
    voisins: dict[int, dict[int, Contrat]] = defaultdict(dict)
    par_cle = {contrat.pk: contrat for groupe in pareils.values() for contrat in groupe}
    for groupe in pareils.values():
        for contrat in groupe:
            autres = {autre.pk: autre for autre in groupe if autre.identifiant != contrat.identifiant}
            voisins[contrat.pk] |= autres
    return [
        Anomalie(
            Sorte.DOUBLE,
            par_cle[cle],
            "Même date, même montant et même titulaire qu'un contrat d'un autre identifiant.",
            f"Le nombre de marchés notifiés {_annee(par_cle[cle])} et les parts\u00a0: il est peut-être compté "
            "deux fois.",
            (ChampCorrige.DOUBLON, ChampCorrige.DISTINCT),
            voisins=tuple(autres.values()),
        )
        for cle, autres in voisins.items()
        if autres
    ]


def _a_part(contrat: Contrat) -> Anomalie:
    return Anomalie(
        Sorte.A_PART,
        contrat,
        f"{phrase_du_drapeau(contrat.drapeau)}.",
        f"Les parts en montant {_annee(contrat)}\u00a0: il n'y est pas compté.",
        (ChampCorrige.MONTANT,),
    )


def _eleves(contrats: Iterable[Contrat], corriges: Collection[tuple[object, str]]) -> list[Anomalie]:
    par_acheteur: dict[str, list[Contrat]] = defaultdict(list)
    for contrat in contrats:
        if contrat.montant is not None and not contrat.drapeau:
            par_acheteur[contrat.siren].append(contrat)
    trouvees = []
    for siens in par_acheteur.values():
        limite = max(MONTANT_A_RELIRE, FOIS_LA_MEDIANE * median(c.montant for c in siens if c.montant is not None))
        trouvees += [
            Anomalie(
                Sorte.ELEVE,
                contrat,
                "Plus de cinq millions d'euros, et de vingt fois le montant médian de l'acheteur.",
                f"Les parts en montant {_annee(contrat)}\u00a0: à lui seul, il peut les décider.",
                (ChampCorrige.MONTANT,),
            )
            for contrat in siens
            if contrat.montant is not None
            and contrat.montant > limite
            and (contrat.souche, ChampCorrige.MONTANT) not in corriges
        ]
    return trouvees


def _sans_lieu(contrat: Contrat, situes: Collection[str]) -> list[Anomalie]:
    return [
        Anomalie(
            Sorte.LIEU,
            contrat,
            f"On ne sait pas où est {titulaire} ({titulaire.identifiant}).",
            f"La part locale {_annee(contrat)}\u00a0: le contrat y est parmi les non renseignés.",
            siret=titulaire.identifiant,
        )
        for titulaire in contrat.titulaires.all()
        if not titulaire.commune and est_un_siret(titulaire) and titulaire.identifiant not in situes
    ]


def _sans_consideration(contrat: Contrat) -> list[Anomalie]:
    """Avant 2024 la donnée n'existe pas : rien à revoir."""
    if contrat.date is None or contrat.date.year < PREMIERE_ANNEE_DES_CONSIDERATIONS:
        return []
    inconnues = [
        (champ, nom)
        for champ, nom, reponse in (
            (ChampCorrige.ENVIRONNEMENT, "environnementale", contrat.environnement),
            (ChampCorrige.SOCIAL, "sociale", contrat.social),
        )
        if reponse == Reponse.INCONNU
    ]
    if not inconnues:
        return []
    noms = " et ".join(nom for _, nom in inconnues)
    return [
        Anomalie(
            Sorte.CONSIDERATION,
            contrat,
            f"Considération {noms} non renseignée.",
            f"La part {noms} {_annee(contrat)}\u00a0: il n'y est pas compté.",
            tuple(champ for champ, _ in inconnues),
        )
    ]
