"""Des marchés pour le décor des tables communes."""

from collections.abc import Iterable
from decimal import Decimal

from comptes.models import Utilisateur
from marches.models import (
    BudgetDeMandats,
    Consultation,
    ImportDecp,
    ImportDeMandats,
    LotDeConsultation,
    MorceauDeFichier,
    RefusDecp,
    ResultatDeCalcul,
    TotalDeMandats,
)
from tests.fabriques_resultats import resultat


def importer_des_mandats(auteur: Utilisateur, annee: int, tiers: int = 1) -> ImportDeMandats:
    """Un import en vigueur : `tiers` tiers qui ont un SIRET, et autant de communes qui n'en ont pas."""
    budget = BudgetDeMandats.objects.create(code="principal", nom="Budget principal", base="HT", siren="123456789")
    fait = ImportDeMandats.objects.create(
        budget=budget,
        annee=annee,
        fichiers=[{"nom": "mandats.csv", "sha256": "0" * 64, "taille": 1}],
        comptes={
            "lues": 2 * tiers,
            "gardees": 2 * tiers,
            "exclues": {"Chapitre 012": [1, "10.00"]},
            "chapitres": {"011": [2 * tiers, "20.00"]},
        },
        auteur=auteur,
    )
    TotalDeMandats.objects.bulk_create(
        TotalDeMandats(
            import_de_mandats=fait,
            siret=siret,
            nom=f"Fournisseur {rang}" if siret else "",
            code_postal="34130",
            commune="34154",
            nombre=1,
            montant=Decimal(10 + rang),
        )
        for rang in range(tiers)
        for siret in (f"{rang:014}", "")
    )
    return fait


def importer_des_decp(auteur: Utilisateur, refuses: int = 1) -> ImportDecp:
    """Un fichier interrompu dont un morceau attend, avec ce qu'il avait refusé."""
    fait = ImportDecp.objects.create(
        nom="decp.json",
        sha256="0" * 64,
        taille=2,
        format="json-v2",
        sirens=["123456789"],
        auteur=auteur,
        etat="INTERROMPU",
        message="Arrêté en route.",
    )
    MorceauDeFichier.objects.create(import_decp=fait, rang=0, octets=b"{}")
    RefusDecp.objects.bulk_create(
        RefusDecp(import_decp=fait, position=rang + 1, motif="sans_acheteur") for rang in range(refuses)
    )
    return fait


def calculer_une_part(code: str, annees: Iterable[int], perimetre: str, combien: int = 2) -> ResultatDeCalcul:
    """Un résultat par année, de ce calcul sur le registre : des consultations toutes renseignées, moitié oui, moitié
    non ; rend le dernier."""
    consultations = Consultation.objects.bulk_create(
        Consultation(numero=f"decor-{rang}", siren=perimetre[:9], objet=f"Consultation {rang}")
        for rang in range(combien)
    )
    LotDeConsultation.objects.bulk_create(LotDeConsultation(consultation=c, suite="NOTIFIE") for c in consultations)
    cles = [consultation.pk for consultation in consultations]
    oui, non = cles[: combien // 2], cles[combien // 2 :]
    return [resultat(code, annee, perimetre=perimetre, oui=oui, non=non) for annee in annees][-1]
