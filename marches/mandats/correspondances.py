"""Quelle colonne d'un fichier des finances dit quoi : on propose, la personne décide, et l'on s'en souvient."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any, Self

from socle.formats import plier


class Role(Enum):
    """Ce qu'une colonne peut dire. La valeur est le champ de `Correspondance`."""

    CHAPITRE = "chapitre"
    NATURE = "nature"
    CODE_TIERS = "code_tiers"
    NOM = "nom"
    SIRET = "siret"
    CODE_POSTAL = "code_postal"
    VILLE = "ville"
    MONTANT_HT = "montant_ht"
    MONTANT_TTC = "montant_ttc"
    MONTANT = "montant"
    DATE = "date"
    EXERCICE = "exercice"
    SENS = "sens"
    BUDGET = "budget"

    @property
    def libelle(self) -> str:
        return _LIBELLES[self]


_LIBELLES = {
    Role.CHAPITRE: "Chapitre",
    Role.NATURE: "Article ou nature",
    Role.CODE_TIERS: "Code du tiers",
    Role.NOM: "Nom du tiers",
    Role.SIRET: "SIRET",
    Role.CODE_POSTAL: "Code postal",
    Role.VILLE: "Ville",
    Role.MONTANT_HT: "Montant HT",
    Role.MONTANT_TTC: "Montant TTC",
    Role.MONTANT: "Montant (le fichier ne dit pas si c'est HT ou TTC)",
    Role.DATE: "Date du mandat",
    Role.EXERCICE: "Exercice",
    Role.SENS: "Type de pièce ou sens (mandat, annulation)",
    Role.BUDGET: "Budget",
}

# Du titre replié, sans signes : le motif et ce qu'il vaut. Cent : ce titre ne dit rien d'autre.
_TIERS = r"(?:du |de l )?(?:tiers|fournisseur|creancier|beneficiaire)"
_INDICES: dict[Role, list[tuple[str, int]]] = {
    Role.CHAPITRE: [(r"(?:code |no |n |num |numero )?chap(?:itre)?(?: (?:budgetaire|code|nature))?", 100)],
    Role.NATURE: [
        (r"(?:code |no |n )?(?:article|nature|imputation|compte|compte nature|article nature|nature comptable)", 90),
        (r"(?:article|nature|imputation|compte)(?: (?:par nature|budgetaire|comptable|code))", 80),
    ],
    Role.CODE_TIERS: [
        (rf"(?:code|no|n|num|numero|id|identifiant|ref|reference) ?{_TIERS}", 100),
        (r"code tiers .*|tiers (?:code|no|n|numero)|(?:fournisseur|creancier) (?:code|no|n|numero)", 90),
    ],
    Role.NOM: [
        (rf"(?:nom|raison sociale|libelle|designation|intitule|denomination)(?: sociale)? {_TIERS}", 100),
        (r"nom|raison sociale|denomination(?: sociale)?|nom ou raison sociale|nom raison sociale", 90),
        (r"tiers|fournisseur|creancier|beneficiaire|titulaire", 60),
    ],
    Role.SIRET: [(rf"(?:no |n |num |numero |code )?siret(?: {_TIERS})?", 100), (r".*\bsiret\b.*", 60)],
    Role.CODE_POSTAL: [
        (rf"(?:code postal|cp|code post|cpostal|codepostal|c p)(?: {_TIERS})?", 100),
        (r"adresse (?:cp|code postal)|cp ville", 80),
    ],
    Role.VILLE: [
        (rf"(?:ville|commune|localite|bureau distributeur)(?: {_TIERS})?", 100),
        (r"adresse (?:ville|commune)", 80),
    ],
    Role.MONTANT_HT: [(r"(?:montant|mt|mnt|total|mandate).* (?:ht|h t|hors taxes?)|ht|hors taxes?", 100)],
    Role.MONTANT_TTC: [
        (r"(?:montant|mt|mnt|total|mandate).* (?:ttc|t t c|toutes taxes comprises)|ttc|toutes taxes comprises", 100)
    ],
    Role.MONTANT: [
        (r"(?:montant|mt|mnt)(?: (?:du |de la )?(?:mandat|mandate|liquide|realise|paye|net|budgetaire|ligne))?", 90),
        (r"mandate|realise|net mandate|liquide", 70),
    ],
    Role.DATE: [
        (r"date (?:du |de )?(?:mandat|mandatement|emission|bordereau|prise en charge|paiement|piece)", 100),
        (r"date|date mandat.*|date d emission", 80),
    ],
    Role.EXERCICE: [(r"exercice|annee|exercice (?:budgetaire|comptable)|exo|ex|annee (?:d )?exercice", 100)],
    Role.SENS: [
        (r"sens|annulatif|annulation|type (?:de |du )?(?:mandat|piece|mouvement)|nature (?:du )?mandat", 100),
        (r"mandat annulatif|type|dr|d c", 60),
    ],
    Role.BUDGET: [(r"(?:code |libelle |no |n )?budget(?: (?:code|libelle))?|collectivite budget", 90)],
}


@dataclass(frozen=True)
class Correspondance:
    """Le titre de la colonne de chaque rôle, tel que le fichier l'écrit ; vide si aucune."""

    chapitre: str = ""
    nature: str = ""
    code_tiers: str = ""
    nom: str = ""
    siret: str = ""
    code_postal: str = ""
    ville: str = ""
    montant_ht: str = ""
    montant_ttc: str = ""
    montant: str = ""
    date: str = ""
    exercice: str = ""
    sens: str = ""
    budget: str = ""

    def colonne(self, role: Role) -> str:
        return str(getattr(self, role.value))

    def en_json(self) -> dict[str, str]:
        """Les seuls rôles tenus : de quoi s'en souvenir."""
        return {champ: titre for champ, titre in asdict(self).items() if titre}

    @classmethod
    def de_json(cls, donnees: dict[str, Any]) -> Self:
        """L'inverse ; un rôle qu'on ne connaît plus est laissé."""
        connus = {champ.name for champ in fields(cls)}
        return cls(**{champ: str(titre) for champ, titre in donnees.items() if champ in connus})

    def adaptee_a(self, entetes: Iterable[str]) -> Self:
        """La même, sans les colonnes que ces titres n'ont pas ; les titres se comparent repliés."""
        presents = {_nu(titre): titre for titre in entetes}
        return self.de_json({champ: presents.get(_nu(titre), "") for champ, titre in self.en_json().items()})


def _nu(titre: str) -> str:
    """Le titre replié, sans signes ni espaces de trop : « N° S.I.R.E.T » est « n siret »."""
    sans_points = re.sub(r"\b(\w)\.(?=\w\b)", r"\1", plier(titre).replace("°", " "))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", sans_points).split())


def _note(role: Role, titre: str) -> int:
    nu = _nu(titre)
    return max((note for motif, note in _INDICES[role] if re.fullmatch(motif, nu)), default=0)


def reconnu(titre: str) -> bool:
    """Ce titre peut être celui d'une colonne d'un fichier des finances : ainsi se trouve la ligne des titres."""
    return len(titre) <= 80 and any(_note(role, titre) for role in Role)


def proposer(entetes: Sequence[str]) -> Correspondance:
    """La colonne la plus probable de chaque rôle ; une colonne n'en tient qu'un, la première du fichier à égalité."""
    notes = sorted(
        (
            (-note, rang, role.value, titre)
            for rang, titre in enumerate(entetes)
            for role in Role
            if (note := _note(role, titre))
        ),
    )
    retenus: dict[str, str] = {}
    for _, _, role, titre in notes:
        if role not in retenus and titre not in retenus.values():
            retenus[role] = titre
    return Correspondance(**retenus)


def signature(entetes: Iterable[str]) -> str:
    """Ce qui reconnaît le même export d'une année sur l'autre : ses titres, sans égard à l'ordre ni à la casse."""
    return hashlib.sha256("\n".join(sorted(_nu(titre) for titre in entetes)).encode()).hexdigest()
