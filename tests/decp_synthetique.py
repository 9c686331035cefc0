"""Des données essentielles synthétiques : acheteurs, fournisseurs et contrats inventés, tirés d'une graine.

Rien ici n'est un vrai contrat. Les fichiers sont valides au regard de `schema_decp_v2.0.4.json`
(139bercy/decp-arr2022) et portent ce que l'on rencontre : lots, marchés subséquents, modifications, considérations
mêlées, titulaires sans SIRET, montants absurdes, dates impossibles, republications identiques ou corrigées,
concessions, 31 décembre et 1er janvier.
"""

import csv
import datetime
import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

MENTION = "Jeu de données synthétique"

PROCEDURES = ["Procédure adaptée", "Appel d'offres ouvert", "Procédure avec négociation"]
OBJETS = [
    "Entretien des espaces verts communautaires",
    "Réhabilitation de la médiathèque",
    "Fourniture de denrées pour la restauration scolaire",
    "Collecte des déchets ménagers",
    "Construction d'un pôle d'échanges",
    "Nettoyage des locaux",
    "Études d'aménagement du littoral",
    "Travaux de voirie et de réseaux",
    "Maintenance du parc informatique",
    "Fourniture de véhicules électriques",
]
# Les façons dont un objet nomme son lot ; la dernière ne nomme rien : « Lot nord » fait partie de l'objet.
LOTS = [
    "{objet} - lot n° {n} : {corps}",
    "{objet} – Lot n°{n} {corps}",
    "{objet} (lot {n})",
    "{objet}. LOT N° {n} - {corps}",
]
CORPS = ["gros œuvre", "électricité", "menuiseries", "peinture", "plomberie"]
# Communes de l'agglomération, de la métropole voisine, du reste du département, et d'ailleurs (codes INSEE).
COMMUNES = [
    *["34154", "34344", "34192", "34127", "34050"],
    *["34172", "34057", "34129"],
    *["34032", "34301"],
    *["30189", "13055", "75056", "2A004", "97411"],
]
MONTANTS_ABSURDES = [
    *[1, 50, 99.99, 999999, 99999999, 999999999, 12311111111, 1500000000, 222222221, 1234567890, 333333333],
]
CLAUSES_ENVIRONNEMENTALES = ["Clause environnementale", "Critère environnemental"]
PAS_D_ENVIRONNEMENT = "Pas de considération environnementale"
CLAUSES_SOCIALES = ["Clause sociale", "Critère social", "Marché réservé"]
PAS_DE_SOCIAL = "Pas de considération sociale"


def cle_de_luhn(chiffres: str) -> str:
    """Le chiffre qui rend la suite valide : SIREN et SIRET portent tous deux une clé de Luhn."""
    somme = 0
    for rang, chiffre in enumerate(reversed(chiffres)):
        n = int(chiffre) * (2 if rang % 2 == 0 else 1)
        somme += n - 9 if n > 9 else n
    return str(-somme % 10)


def siret(siren: str, etablissement: int) -> str:
    """Le SIRET d'un établissement : SIREN, quatre chiffres, clé."""
    base = f"{siren}{etablissement:04d}"
    return base + cle_de_luhn(base)


def siren(tirage: random.Random) -> str:
    """Un SIREN inventé, qui commence par 9 : la plage n'est pas servie."""
    base = f"99{tirage.randrange(10**6):06d}"
    return base + cle_de_luhn(base)


@dataclass(frozen=True)
class Fournisseur:
    """Un titulaire inventé ; commune et département vides quand le lieu n'est pas publié."""

    identifiant: str
    type: str
    commune: str = ""
    departement: str = ""


def departement_de(commune: str) -> str:
    return commune[:3] if commune.startswith("97") else commune[:2]


@dataclass
class Jeu:
    """Un jeu synthétique : ses acheteurs, ses fournisseurs, et le fichier qui les dit, avec son rectificatif.

    `rectificatif` : un second fichier, publié après, qui republie quelques contrats du premier en changeant l'objet,
    ou le montant.
    """

    sirens: list[str]
    fournisseurs: list[Fournisseur]
    fichier: dict[str, Any]
    rectificatif: dict[str, Any]
    lieux: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def fichiers(self) -> list[dict[str, Any]]:
        return [self.fichier, self.rectificatif]


class Generateur:
    """Tire des contrats un à un ; la même graine redonne les mêmes, dans le même ordre."""

    def __init__(self, graine: int, sirens: int = 3, annees: tuple[int, int] = (2022, 2026)) -> None:
        self.tirage = random.Random(graine)  # noqa: S311 - un tirage d'essai, pas un secret
        self.annees = annees
        self.sirens = [siren(self.tirage) for _ in range(sirens)]
        # Un de chaque sorte d'abord, pour qu'aucune graine n'en manque ; les autres au hasard.
        self.fournisseurs = [self._fournisseur(sort) for sort in (0.01, 0.07, 0.15, 0.22)]
        self.fournisseurs += [self._fournisseur(self.tirage.random()) for _ in range(36)]
        self.rang = 0
        self.precedente: tuple[str, str, datetime.date] | None = None

    def _fournisseur(self, sort: float) -> Fournisseur:
        if sort < 0.06:
            return Fournisseur(f"DE{self.tirage.randrange(10**9):09d}", "TVA")
        if sort < 0.1:
            return Fournisseur(f"CH-{self.tirage.randrange(10**6)}", "HORS-UE")
        numero = siret(siren(self.tirage), self.tirage.randrange(1, 60))
        commune = self.tirage.choice(COMMUNES)
        if sort < 0.2:
            return Fournisseur(numero, "SIRET")
        if sort < 0.25:
            return Fournisseur(numero, "SIRET", "", departement_de(commune))
        return Fournisseur(numero, "SIRET", commune, departement_de(commune))

    # --- Les parties d'un contrat -------------------------------------------------------------------------

    def _date(self) -> datetime.date:
        """Un jour de la période, plus souvent qu'à son tour au bord d'une année."""
        annee = self.tirage.randint(*self.annees)
        sort = self.tirage.random()
        if sort < 0.08:
            return datetime.date(annee, 1, 1)
        if sort < 0.16 and annee < self.annees[1]:
            return datetime.date(annee, 12, 31)
        fin = 181 if annee == self.annees[1] else 365
        return datetime.date(annee, 1, 1) + datetime.timedelta(days=self.tirage.randrange(fin))

    def _ecrire_la_date(self, jour: datetime.date) -> str:
        """Le schéma n'ancre pas son motif : un fuseau passe, une date impossible aussi."""
        sort = self.tirage.random()
        if sort < 0.05:
            return f"{jour}+01:00"
        if sort < 0.07:
            return self.tirage.choice(["2024-02-30", "0218-10-29", "1899-12-31"])
        return str(jour)

    def _montant(self) -> int | float:
        if self.tirage.random() < 0.08:
            return self.tirage.choice(MONTANTS_ABSURDES)
        montant = round(self.tirage.lognormvariate(11, 1.2), 2)
        return int(montant) if self.tirage.random() < 0.5 else montant

    def _considerations(self, positives: list[str], negative: str) -> list[str]:
        sort = self.tirage.random()
        if sort < 0.45:
            return [negative]
        oui = self.tirage.sample(positives, self.tirage.randint(1, 2))
        return [*oui, negative] if sort < 0.52 else oui

    def _titulaires(self) -> list[dict[str, Any]]:
        combien = self.tirage.choices([1, 2, 3], [7, 2, 1])[0]
        return [
            {"titulaire": {"id": f.identifiant, "typeIdentifiant": f.type}}
            for f in self.tirage.sample(self.fournisseurs, combien)
        ]

    def _objet(self) -> str:
        return f"{self.tirage.choice(OBJETS)} {self.tirage.randint(1, 12)}"

    def _identifiant(self) -> str:
        self.rang += 1
        return f"{self.rang:06d}{self.tirage.choice(['', 'A', '-B', '/2'])}"

    # --- Les contrats ---------------------------------------------------------------------------------------

    def marche(self, acheteur: str, objet: str, procedure: str, jour: datetime.date) -> dict[str, Any]:
        """Un marché valide, à l'état initial."""
        tirage = self.tirage
        return {
            "id": self._identifiant(),
            "acheteur": {"id": siret(acheteur, tirage.randint(1, 4))},
            "nature": "Marché",
            "objet": objet,
            "codeCPV": f"{tirage.randrange(10**8):08d}",
            "techniques": {"technique": [tirage.choice(["Accord-cadre", "Sans objet"])]},
            "modalitesExecution": {"modaliteExecution": [tirage.choice(["Bons de commande", "Sans objet"])]},
            "marcheInnovant": tirage.random() < 0.1,
            "ccag": "Fournitures courantes et services",
            "offresRecues": tirage.randint(1, 9),
            "attributionAvance": False,
            "typeGroupementOperateurs": "Pas de groupement",
            "sousTraitanceDeclaree": False,
            "procedure": procedure,
            "lieuExecution": {"code": tirage.choice(COMMUNES), "typeCode": "Code commune"},
            "dureeMois": tirage.randint(1, 48),
            "dateNotification": self._ecrire_la_date(jour),
            "datePublicationDonnees": str(jour + datetime.timedelta(days=tirage.randint(1, 60))),
            "montant": self._montant(),
            "typesPrix": {"typePrix": ["Définitif révisable"]},
            "formePrix": "Mixte",
            "titulaires": self._titulaires(),
            "considerationsSociales": {"considerationSociale": self._considerations(CLAUSES_SOCIALES, PAS_DE_SOCIAL)},
            "considerationsEnvironnementales": {
                "considerationEnvironnementale": self._considerations(CLAUSES_ENVIRONNEMENTALES, PAS_D_ENVIRONNEMENT)
            },
        }

    def concession(self) -> dict[str, Any]:
        """Une concession valide."""
        jour = self._date()
        return {
            "id": self._identifiant(),
            "autoriteConcedante": {"id": siret(self.tirage.choice(self.sirens), 1)},
            "nature": "Délégation de service public",
            "objet": f"{self.tirage.choice(OBJETS)}, délégation",
            "procedure": "Procédure négociée ouverte",
            "dureeMois": 96,
            "dateSignature": str(jour),
            "datePublicationDonnees": str(jour + datetime.timedelta(days=20)),
            "dateDebutExecution": str(jour + datetime.timedelta(days=30)),
            "valeurGlobale": self._montant(),
            "montantSubventionPublique": 0,
            "concessionnaires": [{"concessionnaire": t["titulaire"]} for t in self._titulaires()],
            "considerationsSociales": {"considerationSociale": ["Concession réservée"]},
            "considerationsEnvironnementales": {"considerationEnvironnementale": [PAS_D_ENVIRONNEMENT]},
        }

    def _modifier(self, marche: dict[str, Any], jour: datetime.date) -> None:
        """Un ou deux avenants : le montant et les titulaires changent, l'état initial reste."""
        marche["modifications"] = []
        for rang in range(1, self.tirage.randint(1, 2) + 1):
            le = jour + datetime.timedelta(days=200 * rang)
            avenant = {
                "id": rang,
                "dateNotificationModification": str(le),
                "datePublicationDonneesModification": str(le + datetime.timedelta(days=10)),
                "montant": self._montant(),
            }
            if self.tirage.random() < 0.5:
                avenant["titulaires"] = self._titulaires()
            marche["modifications"].append({"modification": avenant})

    def consultation(self) -> list[dict[str, Any]]:
        """Les marchés d'une consultation : un seul, ou un par lot, notifiés à quelques jours ou à quelques mois."""
        tirage = self.tirage
        procedure = tirage.choice(PROCEDURES)
        if self.precedente is not None and tirage.random() < 0.25:
            # Le même objet, peu après : autre procédure, ou la même, ce qui les confond.
            acheteur, objet, jour = self.precedente
            jour += datetime.timedelta(days=tirage.randrange(40))
        else:
            acheteur, objet, jour = tirage.choice(self.sirens), self._objet(), self._date()
        self.precedente = (acheteur, objet, jour)
        if tirage.random() < 0.55:
            marches = [self.marche(acheteur, objet, procedure, jour)]
        else:
            marches = []
            for n in range(1, tirage.randint(2, 5) + 1):
                objet_du_lot = tirage.choice(LOTS).format(objet=objet, n=n, corps=tirage.choice(CORPS))
                marches.append(self.marche(acheteur, objet_du_lot, procedure, jour))
                jour += datetime.timedelta(days=tirage.choice([0, 0, 7, 59, 60, 61, 75]))
        for marche in marches:
            if tirage.random() < 0.1:
                marche["idAccordCadre"] = tirage.choice([marche["id"], f"AC{tirage.randrange(999):03d}"])
            if tirage.random() < 0.15:
                self._modifier(marche, jour)
        return marches

    # --- Les fichiers ---------------------------------------------------------------------------------------

    def jeu(self, consultations: int = 60) -> Jeu:
        """Un fichier et son rectificatif : doublons identiques dans le premier, corrections dans le second."""
        marches = [marche for _ in range(consultations) for marche in self.consultation()]
        concessions = [self.concession() for _ in range(max(1, consultations // 12))]
        doublons = self.tirage.sample(marches, max(1, len(marches) // 15))
        corriges = [self._corriger(marche) for marche in self.tirage.sample(marches, max(1, len(marches) // 15))]
        marches += [json.loads(json.dumps(marche)) for marche in doublons]
        self.tirage.shuffle(marches)
        return Jeu(
            sirens=list(self.sirens),
            fournisseurs=list(self.fournisseurs),
            fichier={"marches": {"marche": marches, "contrat-concession": concessions}},
            rectificatif={"marches": {"marche": corriges}},
            lieux={f.identifiant: (f.commune, f.departement) for f in self.fournisseurs},
        )

    def _corriger(self, marche: dict[str, Any]) -> dict[str, Any]:
        """Le même contrat republié plus tard : le montant est corrigé, et parfois l'objet aussi."""
        corrige = json.loads(json.dumps(marche))
        corrige["montant"] = self._montant()
        if self.tirage.random() < 0.5:
            corrige["objet"] = f"{marche['objet']} (rectifié)"
        corrige["datePublicationDonnees"] = "2026-07-15"
        return corrige


def jeu(graine: int, consultations: int = 60, sirens: int = 3) -> Jeu:
    """Le jeu de cette graine."""
    return Generateur(graine, sirens).jeu(consultations)


def ecrire_en_json(contenu: dict[str, Any], chemin: Path) -> Path:
    chemin.write_text(json.dumps(contenu, ensure_ascii=False, indent=1), encoding="utf-8")
    return chemin


def ecrire_en_flux(chemin: Path, nombre: int, graine: int = 1, sirens: int = 3) -> Path:
    """`nombre` marchés au format JSON v2, écrits au fil de l'eau : rien n'est tenu en mémoire."""
    generateur = Generateur(graine, sirens)
    with chemin.open("w", encoding="utf-8") as sortie:
        sortie.write('{"marches": {"marche": [\n')
        for rang, marche in enumerate(_premiers(generateur, nombre)):
            sortie.write((",\n" if rang else "") + json.dumps(marche, ensure_ascii=False))
        sortie.write("\n]}}\n")
    return chemin


def _premiers(generateur: Generateur, nombre: int) -> Iterator[dict[str, Any]]:
    reste = nombre
    while reste > 0:
        for marche in generateur.consultation()[:reste]:
            reste -= 1
            yield marche


# --- XML v2 -------------------------------------------------------------------------------------------------


def en_xml(contenu: dict[str, Any]) -> str:
    """Les mêmes contrats en XML v2 : mêmes noms, les listes en éléments répétés, les booléens en oui et non."""
    lignes = ['<?xml version="1.0" encoding="UTF-8"?>', f"<!-- {MENTION} -->", "<marches>"]
    for nom, contrats in contenu["marches"].items():
        lignes += [_element(nom, contrat) for contrat in contrats]
    return "\n".join([*lignes, "</marches>", ""])


def _element(nom: str, valeur: Any) -> str:
    if isinstance(valeur, dict):
        return f"<{nom}>{''.join(_element(cle, v) for cle, v in valeur.items())}</{nom}>"
    if isinstance(valeur, list) and valeur and isinstance(valeur[0], dict):
        # [{"titulaire": {…}}, …] : la liste porte le nom, chaque élément porte le sien.
        return f"<{nom}>{''.join(_element(c, v) for entree in valeur for c, v in entree.items())}</{nom}>"
    if isinstance(valeur, list):
        return "".join(_element(nom, v) for v in valeur)
    if isinstance(valeur, bool):
        return f"<{nom}>{'oui' if valeur else 'non'}</{nom}>"
    return f"<{nom}>{escape(str(valeur))}</{nom}>"


# --- Tabulaire de decp.info ---------------------------------------------------------------------------------

COLONNES = [
    *[
        "uid",
        "id",
        "nature",
        "acheteur_id",
        "acheteur_nom",
        "titulaire_id",
        "titulaire_typeIdentifiant",
        "titulaire_nom",
    ],
    *["objet", "montant", "codeCPV", "procedure", "techniques", "dureeMois", "offresRecues", "dateNotification"],
    *["datePublicationDonnees", "considerationsSociales", "considerationsEnvironnementales", "idAccordCadre"],
    *["titulaire_commune_code", "titulaire_departement_code", "modification_id", "donneesActuelles", "sourceDataset"],
]


def en_tabulaire(contenu: dict[str, Any], lieux: dict[str, tuple[str, str]]) -> str:
    """Les mêmes marchés à plat : une ligne par contrat, titulaire et modification. Les concessions n'y sont pas.

    `lieux` : commune et département par identifiant de titulaire. Un contrat ne paraît qu'une fois par uid. Une
    modification reprend ce qu'elle ne change pas ; sa ligne porte sa date et son montant, pas ceux de la
    notification.
    """
    sortie = io.StringIO()
    plume = csv.DictWriter(sortie, COLONNES, lineterminator="\n")
    plume.writeheader()
    vus: set[str] = set()
    for marche in contenu["marches"].get("marche", []):
        uid = marche["acheteur"]["id"] + _identifiant_de_decp_info(marche["id"])
        if uid not in vus:
            vus.add(uid)
            plume.writerows(_lignes_du_marche(uid, marche, lieux))
    return sortie.getvalue()


def _identifiant_de_decp_info(identifiant: str) -> str:
    for caractere in " ,\\./":
        identifiant = identifiant.replace(caractere, "_")
    return identifiant


def _lignes_du_marche(uid: str, marche: dict[str, Any], lieux: dict[str, tuple[str, str]]) -> Iterator[dict[str, Any]]:
    etats = [(marche["dateNotification"], marche["montant"], marche["dureeMois"], marche["titulaires"])]
    for entree in marche.get("modifications", []):
        avenant, precedent = entree["modification"], etats[-1]
        etats.append(
            (
                avenant["dateNotificationModification"],
                avenant.get("montant", precedent[1]),
                avenant.get("dureeMois", precedent[2]),
                avenant.get("titulaires", precedent[3]),
            )
        )
    for rang, (jour, montant, duree, titulaires) in enumerate(etats):
        for entree in titulaires:
            yield {
                **_colonnes_du_marche(uid, marche),
                **_colonnes_du_titulaire(entree["titulaire"], lieux),
                "dateNotification": jour,
                "montant": montant,
                "dureeMois": duree,
                "modification_id": rang,
                "donneesActuelles": str(rang == len(etats) - 1).lower(),
            }


def _colonnes_du_marche(uid: str, marche: dict[str, Any]) -> dict[str, Any]:
    return {
        "uid": uid,
        "id": _identifiant_de_decp_info(marche["id"]),
        "nature": marche["nature"],
        "acheteur_id": marche["acheteur"]["id"],
        "acheteur_nom": "ACHETEUR SYNTHÉTIQUE",
        "objet": marche["objet"],
        "codeCPV": marche["codeCPV"],
        "procedure": marche["procedure"],
        "techniques": ", ".join(marche["techniques"]["technique"]),
        "offresRecues": marche["offresRecues"],
        "datePublicationDonnees": marche["datePublicationDonnees"],
        "considerationsSociales": _sans_objet(marche["considerationsSociales"]["considerationSociale"]),
        "considerationsEnvironnementales": _sans_objet(
            marche["considerationsEnvironnementales"]["considerationEnvironnementale"]
        ),
        "idAccordCadre": marche.get("idAccordCadre", ""),
        "sourceDataset": "synthetique",
    }


def _colonnes_du_titulaire(titulaire: dict[str, str], lieux: dict[str, tuple[str, str]]) -> dict[str, str]:
    commune, departement = lieux.get(titulaire["id"], ("", ""))
    return {
        "titulaire_id": titulaire["id"],
        "titulaire_typeIdentifiant": titulaire["typeIdentifiant"],
        "titulaire_nom": "FOURNISSEUR SYNTHÉTIQUE",
        "titulaire_commune_code": commune,
        "titulaire_departement_code": departement,
    }


def _sans_objet(considerations: list[str]) -> str:
    """decp.info remplace la valeur exacte « Pas de considération … » par « Sans objet », et joint les listes."""
    return ", ".join("Sans objet" if valeur.startswith("Pas de") else valeur for valeur in considerations)
