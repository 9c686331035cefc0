"""Les fournisseurs inventés : un nom qui se dit fictif, un SIRET à la clé juste que personne ne porte, une commune
vraie."""

from dataclasses import dataclass
from random import Random

# Aucun SIREN n'est attribué sous 999 : un numéro inventé ici n'est celui de personne.
PREFIXE = "999"
# L'acheteur de la démonstration, puis deux autres à qui le comparer.
SIREN = f"{PREFIXE}000102"
AUTRES_ACHETEURS = {f"{PREFIXE}000201": "Communauté de communes fictive", f"{PREFIXE}000300": "Métropole fictive"}

# Ce qu'un fournisseur fait, ce qu'il peut donc livrer (listes.Nature).
METIERS = {
    "Maçonnerie": "TRAVAUX",
    "Terrassements": "TRAVAUX",
    "Couverture": "TRAVAUX",
    "Menuiserie": "TRAVAUX",
    "Électricité": "TRAVAUX",
    "Chauffage": "TRAVAUX",
    "Peinture": "TRAVAUX",
    "Mobilier": "FOURNITURES",
    "Papeterie": "FOURNITURES",
    "Pépinière": "FOURNITURES",
    "Informatique": "FOURNITURES",
    "Véhicules": "FOURNITURES",
    "Signalétique": "FOURNITURES",
    "Nettoyage": "SERVICES",
    "Espaces verts": "SERVICES",
    "Gardiennage": "SERVICES",
    "Restauration": "SERVICES",
    "Transports": "SERVICES",
    "Maintenance": "SERVICES",
    "Architecture": "PI",
    "Ingénierie": "PI",
    "Conseil": "PI",
}
NOMS = (
    "du Ponant",
    "des Étangs",
    "du Canal",
    "de la Garrigue",
    "des Salicornes",
    "du Levant",
    "de la Roubine",
    "des Flamants",
    "du Vidourle",
    "de la Dune",
)

# Code INSEE, code postal, ville. « ici » : les huit communes ; puis la métropole voisine, le reste du département,
# et ailleurs.
LIEUX = {
    "ici": (
        ("34154", "34130", "Mauguio"),
        ("34344", "34280", "La Grande-Motte"),
        ("34192", "34250", "Palavas-les-Flots"),
        ("34240", "34130", "Saint-Aunès"),
        ("34127", "34130", "Lansargues"),
        ("34176", "34130", "Mudaison"),
        ("34321", "34130", "Valergues"),
        ("34050", "34130", "Candillargues"),
    ),
    "métropole": (
        ("34172", "34000", "Montpellier"),
        ("34057", "34170", "Castelnau-le-Lez"),
        ("34129", "34970", "Lattes"),
        ("34327", "34740", "Vendargues"),
        ("34022", "34670", "Baillargues"),
    ),
    "département": (
        ("34301", "34200", "Sète"),
        ("34003", "34300", "Agde"),
        ("34145", "34400", "Lunel"),
    ),
    "ailleurs": (
        ("30189", "30000", "Nîmes"),
        ("13055", "13002", "Marseille"),
        ("69123", "69003", "Lyon"),
        ("75056", "75012", "Paris"),
        ("31555", "31000", "Toulouse"),
    ),
}


@dataclass(frozen=True)
class Fournisseur:
    """`provenance` : une clé de LIEUX ; `nature` : ce qu'il livre."""

    nom: str
    siret: str
    nature: str
    provenance: str
    commune: str
    code_postal: str
    ville: str


def cle_de_luhn(chiffres: str) -> str:
    """Le chiffre qui, ajouté au bout, rend le numéro juste (SIREN sur huit chiffres, SIRET sur treize)."""
    somme = 0
    for rang, chiffre in enumerate(reversed(chiffres)):
        double = int(chiffre) * (2 if rang % 2 == 0 else 1)
        somme += double - 9 if double > 9 else double
    return str(-somme % 10)


def siret_invente(rang: int) -> str:
    """Le SIRET du siège du n-ième fournisseur. Les premiers SIREN du préfixe sont ceux des acheteurs."""
    debut = f"{PREFIXE}{rang + 1000:05d}"
    return siege(debut + cle_de_luhn(debut))


def siege(siren: str) -> str:
    """Le SIRET du premier établissement."""
    debut = f"{siren}0001"
    return debut + cle_de_luhn(debut)


def inventer(hasard: Random) -> tuple[Fournisseur, ...]:
    """Deux cent vingt fournisseurs, la moitié d'ici : chaque métier existe partout."""
    provenances = ("ici", "métropole", "ici", "département", "ici", "ailleurs", "ici", "métropole", "ailleurs", "ici")
    fournisseurs = []
    for rang, (nom, metier) in enumerate((nom, metier) for nom in NOMS for metier in METIERS):
        provenance = provenances[NOMS.index(nom)]
        commune, code_postal, ville = hasard.choice(LIEUX[provenance])
        fournisseurs.append(
            Fournisseur(
                nom=f"{metier} {nom} (fournisseur fictif)",
                siret=siret_invente(rang),
                nature=METIERS[metier],
                provenance=provenance,
                commune=commune,
                code_postal=code_postal,
                ville=ville,
            )
        )
    return tuple(fournisseurs)
