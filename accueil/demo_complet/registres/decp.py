"""Les contrats que l'acheteur inventé et deux voisins auraient publiés : un JSON réglementaire, un CSV de decp.info.

Ceux de l'acheteur viennent des lots notifiés du registre, d'au moins 40 000 € HT, depuis 2024 : avant, les données
essentielles ne disaient rien des considérations. Source : schéma 2.0.4 (arrêté du 22 décembre 2022).
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from accueil.demo_complet.calendrier import ouvre
from accueil.demo_complet.registres.consultations import Dossier
from accueil.demo_complet.registres.fournisseurs import AUTRES_ACHETEURS, SIREN, Fournisseur, siege
from accueil.demo_complet.registres.objets import LIEUX_DITS, OBJETS
from marches.listes import Procedure, Suite
from marches.models import Consultation, LotDeConsultation
from marches.reponses import Reponse

SEUIL = 40_000
DEBUT = datetime.date(2024, 1, 1)
# Publié dans les deux mois : ce qui est notifié après n'est pas encore dans les fichiers.
FIN = datetime.date(2026, 9, 30)
# Le fichier de decp.info, plus ancien que l'autre : il ne situe pas les derniers titulaires.
FIN_DU_TABULAIRE = datetime.date(2026, 6, 30)
PAR_AN_CHEZ_LES_AUTRES = (48, 70)

ADAPTEE, SANS_PUBLICITE = "Procédure adaptée", "Marché passé sans publicité ni mise en concurrence préalable"
PROCEDURES = {
    Procedure.AOO: "Appel d'offres ouvert",
    Procedure.AOR: "Appel d'offres restreint",
    Procedure.NEGOCIATION: "Procédure avec négociation",
    Procedure.DIALOGUE: "Dialogue compétitif",
    Procedure.SANS_PUBLICITE: SANS_PUBLICITE,
    Procedure.CONCOURS: SANS_PUBLICITE,
}
CPV = {"TRAVAUX": "45210000", "FOURNITURES": "39130000", "SERVICES": "90900000", "PI": "71240000"}
PAS_D_ENVIRONNEMENT, PAS_DE_SOCIAL = "Pas de considération environnementale", "Pas de considération sociale"


@dataclass
class Publication:
    """Les contrats du JSON ; par identifiant, le lot d'où chacun vient ; et le lieu de chaque titulaire."""

    marches: list[dict[str, Any]] = field(default_factory=list)
    concessions: list[dict[str, Any]] = field(default_factory=list)
    lots: dict[str, LotDeConsultation] = field(default_factory=dict)
    fournisseurs: dict[str, Fournisseur] = field(default_factory=dict)

    @property
    def contenu(self) -> dict[str, Any]:
        return {"marches": {"marche": self.marches, "contrat-concession": self.concessions}}


def publier(dossiers: Sequence[Dossier], fournisseurs: Sequence[Fournisseur], hasard: Random) -> Publication:
    publication = Publication(fournisseurs={f.siret: f for f in fournisseurs})
    redaction = Redaction(fournisseurs, hasard)
    for lot in _a_publier(dossiers):
        marche = redaction.du_lot(lot)
        publication.lots[marche["id"]] = lot
        publication.marches.append(marche)
    _abimer(publication.marches)
    publication.concessions.append(redaction.concession())
    for siren, par_an in zip(AUTRES_ACHETEURS, PAR_AN_CHEZ_LES_AUTRES, strict=True):
        publication.marches += redaction.d_un_autre(siren, par_an)
    return publication


def _a_publier(dossiers: Sequence[Dossier]) -> Iterator[LotDeConsultation]:
    for dossier in dossiers:
        for lot in dossier.lots:
            date = lot.date_de_suite
            if lot.suite == Suite.NOTIFIE and date and DEBUT <= date <= FIN and (lot.montant_ht or 0) >= SEUIL:
                yield lot


def _abimer(marches: list[dict[str, Any]]) -> None:
    """Ce que la revue doit trouver, toujours au même rang : dates impossibles, montants absurdes, un identifiant
    pour deux contrats, un contrat publié deux fois."""
    marches[11]["dateNotification"] = "2024-02-30"
    marches[140]["dateNotification"] = "0205-06-12"
    marches[35]["montant"] = 999_999_999
    marches[90]["montant"] = 1
    marches[61]["id"] = marches[60]["id"]
    marches.append({**marches[20]})
    marches.append({**marches[70], "id": f"{marches[70]['id'][:-3]}-B1"})


class Redaction:
    """Écrit un contrat comme un profil d'acheteur l'exporterait."""

    def __init__(self, fournisseurs: Sequence[Fournisseur], hasard: Random) -> None:
        self.fournisseurs = fournisseurs
        self.hasard = hasard

    def du_lot(self, lot: LotDeConsultation) -> dict[str, Any]:
        """Ce que le registre dit, moins quelques oublis : une considération sur douze n'est pas reportée."""
        consultation: Consultation = lot.consultation
        objet = consultation.objet
        if lot.objet or int(lot.numero) > 1:
            objet = f"{objet} - lot n° {lot.numero} : {lot.objet}"
        environnement = self._considerations(
            lot.clause_environnementale, lot.critere_environnemental, "environnementale", "environnemental"
        )
        social = self._considerations(lot.clause_sociale, lot.critere_social, "sociale", "social")
        marche = self._marche(
            id=f"{consultation.numero}-{int(lot.numero):02d}",
            siren=SIREN,
            objet=objet,
            nature=consultation.nature,
            procedure=PROCEDURES.get(Procedure(consultation.procedure), ADAPTEE),
            jour=lot.date_de_suite or DEBUT,
            montant=int(lot.maximum_ht or lot.montant_ht or SEUIL),
            titulaires=[lot.siret],
            environnement=environnement or [PAS_D_ENVIRONNEMENT],
            social=social or [PAS_DE_SOCIAL],
        )
        marche["offresRecues"] = lot.plis_recus or 1
        if consultation.procedure == Procedure.SUBSEQUENT:
            marche["idAccordCadre"] = f"SYN-AC-{int(lot.numero):03d}"
        return marche

    def _considerations(self, clause: str, critere: str, feminin: str, masculin: str) -> list[str]:
        if self.hasard.random() < 1 / 12:
            return []
        dites = [f"Clause {feminin}"] if clause == Reponse.OUI else []
        return [*dites, f"Critère {masculin}"] if critere == Reponse.OUI else dites

    def d_un_autre(self, siren: str, par_an: int) -> Iterator[dict[str, Any]]:
        """Des contrats d'un voisin, sans registre derrière ; sa part environnementale monte d'année en année."""
        rang = 0
        for annee, combien in ((2024, par_an), (2025, par_an), (2026, par_an * 2 // 3)):
            fin = min(datetime.date(annee, 12, 18), FIN)
            for _ in range(combien):
                rang += 1
                nature = self.hasard.choice([*OBJETS])
                objet = self.hasard.choice(OBJETS[nature])[0].format(lieu=self.hasard.choice(LIEUX_DITS))
                oui = self.hasard.random() < (annee - 2021) / 9
                debut = datetime.date(annee, 1, 4)
                jour = ouvre(debut + datetime.timedelta(days=self.hasard.randint(0, (fin - debut).days)))
                clauses = [["Clause environnementale"], ["Critère environnemental"]]
                yield self._marche(
                    id=f"SYN-{siren[5:8]}-{rang:04d}",
                    siren=siren,
                    objet=objet,
                    nature=nature,
                    procedure=self.hasard.choice([ADAPTEE, ADAPTEE, "Appel d'offres ouvert"]),
                    jour=min(jour, fin),
                    montant=self.hasard.randint(SEUIL, 600_000),
                    titulaires=[self._titulaire(nature, d_ici=self.hasard.random() < 0.15)],
                    environnement=self.hasard.choice(clauses) if oui else [PAS_D_ENVIRONNEMENT],
                    social=["Clause sociale"] if self.hasard.random() < 0.2 else [PAS_DE_SOCIAL],
                )

    def _titulaire(self, nature: str, *, d_ici: bool = True) -> str:
        """`d_ici` : faux, le fournisseur n'est pas des huit communes ; vrai, il peut l'être."""
        possibles = [f for f in self.fournisseurs if f.nature == nature and (d_ici or f.provenance != "ici")]
        return self.hasard.choice(possibles).siret

    def _marche(
        self,
        *,
        id: str,
        siren: str,
        objet: str,
        nature: str,
        procedure: str,
        jour: datetime.date,
        montant: int,
        titulaires: list[str],
        environnement: list[str],
        social: list[str],
    ) -> dict[str, Any]:
        """Un marché à l'état initial, valide au regard du schéma."""
        groupe = self.hasard.random() < 0.08
        if groupe:
            titulaires = [*titulaires, *{self._titulaire(nature)} - {*titulaires}]
        return {
            "id": id,
            "acheteur": {"id": siege(siren)},
            "nature": "Marché",
            "objet": objet,
            "codeCPV": CPV[nature],
            "techniques": {"technique": ["Sans objet"]},
            "modalitesExecution": {"modaliteExecution": ["Sans objet"]},
            "marcheInnovant": False,
            "ccag": "Travaux" if nature == "TRAVAUX" else "Fournitures courantes et services",
            "offresRecues": self.hasard.randint(1, 8),
            "attributionAvance": False,
            "typeGroupementOperateurs": "Solidaire" if len(titulaires) > 1 else "Pas de groupement",
            "sousTraitanceDeclaree": False,
            "procedure": procedure,
            "lieuExecution": {"code": "34154", "typeCode": "Code commune"},
            "dureeMois": self.hasard.choice([6, 12, 24, 36, 48]),
            "dateNotification": str(jour),
            "datePublicationDonnees": str(jour + datetime.timedelta(days=self.hasard.randint(5, 55))),
            "montant": montant,
            "typesPrix": {"typePrix": ["Définitif révisable"]},
            "formePrix": "Mixte",
            "titulaires": [{"titulaire": {"id": siret, "typeIdentifiant": "SIRET"}} for siret in titulaires],
            "considerationsSociales": {"considerationSociale": social},
            "considerationsEnvironnementales": {"considerationEnvironnementale": environnement},
        }

    def concession(self) -> dict[str, Any]:
        """Une concession : publiée, jamais comptée avec les marchés."""
        return {
            "id": "SYN-DSP-01",
            "autoriteConcedante": {"id": siege(SIREN)},
            "nature": "Délégation de service public",
            "objet": f"Exploitation {LIEUX_DITS[6]}",
            "procedure": "Procédure négociée ouverte",
            "dureeMois": 96,
            "dateSignature": "2025-03-17",
            "datePublicationDonnees": "2025-04-10",
            "dateDebutExecution": "2025-05-01",
            "valeurGlobale": 2_400_000,
            "montantSubventionPublique": 0,
            "concessionnaires": [{"concessionnaire": {"id": self._titulaire("SERVICES"), "typeIdentifiant": "SIRET"}}],
            "considerationsSociales": {"considerationSociale": [PAS_DE_SOCIAL]},
            "considerationsEnvironnementales": {"considerationEnvironnementale": ["Clause environnementale"]},
        }
