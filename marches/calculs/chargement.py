"""Lit en base ce que les calculs demandent, en un nombre de requêtes qui ne dépend pas du nombre d'enregistrements."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from comptes.models import Siren
from marches.calculs.catalogue import Source
from marches.calculs.lignes import (
    Donnees,
    LieuDeTitulaire,
    LigneDeConsultation,
    LigneDeContrat,
    LigneDeLot,
    LigneDeMandats,
)
from marches.communes import communes_du_code_postal, departement_du_code_postal
from marches.models import (
    Consultation,
    Contrat,
    ContratDeConsultation,
    ImportDeMandats,
    LieuDEtablissement,
    LotDeConsultation,
    TitulaireDeContrat,
    TotalDeMandats,
)

PAR_TRANCHE = 2000
DOUBLON = "doublon"


def acheteurs_de_la_collectivite() -> str:
    """Ses SIREN, triés et joints par « + » ; vide si elle n'en a déclaré aucun."""
    return "+".join(Siren.objects.order_by("numero").values_list("numero", flat=True))


def charger(acheteurs: str, sources: Collection[Source] = tuple(Source)) -> Donnees:
    """Les lignes de ces acheteurs, toutes années : un regroupement passe d'une année à l'autre.

    Une consultation, un budget sans SIREN sont ceux de la collectivité.
    """
    sirens = frozenset(acheteurs.split("+")) - {""}
    avec_les_siens = sirens | {""} if _est_la_collectivite(sirens) else sirens
    return Donnees(
        contrats=contrats(Contrat.objects.en_vigueur().de_l_acheteur(*sirens)) if Source.DECP in sources else (),
        consultations=_consultations(avec_les_siens) if Source.REGISTRE in sources else (),
        mandats=_mandats(avec_les_siens) if Source.MANDATS in sources else (),
    )


def _est_la_collectivite(sirens: frozenset[str]) -> bool:
    """Faute de SIREN déclaré, l'installation n'a qu'un acheteur, quel que soit celui qu'on nomme."""
    declares = set(Siren.objects.values_list("numero", flat=True))
    return not declares or not sirens or bool(declares & sirens)


# --- Contrats -----------------------------------------------------------------------------------------------

# Ceux de `LigneDeContrat`, de même nom ; les deux derniers n'en sont pas.
CHAMPS_DU_CONTRAT = (
    *("id", "siren", "identifiant", "objet", "procedure", "nature", "concession", "date", "montant", "drapeau"),
    *("environnement", "social", "subsequent", "doublon", "souche"),
)


def contrats(lignes: QuerySet[Contrat]) -> tuple[LigneDeContrat, ...]:
    """Ces contrats, leurs titulaires et leur consultation confirmée."""
    titulaires = _titulaires(lignes)
    confirmees = dict(ContratDeConsultation.objects.values_list("souche", "consultation"))
    lues = lignes.order_by("pk").values(*CHAMPS_DU_CONTRAT).iterator(chunk_size=PAR_TRANCHE)
    return tuple(
        LigneDeContrat(
            exclu=DOUBLON if ligne.pop("doublon") else "",
            consultation=confirmees.get(ligne.pop("souche")),
            titulaires=tuple(titulaires.get(ligne["id"], ())),
            **ligne,
        )
        for ligne in lues
    )


def _titulaires(lignes: QuerySet[Contrat]) -> dict[int, list[LieuDeTitulaire]]:
    """Les titulaires par contrat. La commune dite par quelqu'un complète celle des fichiers, sans la remplacer."""
    dites = dict(LieuDEtablissement.objects.values_list("siret", "commune"))
    par_contrat: dict[int, list[LieuDeTitulaire]] = defaultdict(list)
    demandes = TitulaireDeContrat.objects.filter(contrat__in=lignes.order_by().values("pk")).order_by("contrat", "pk")
    champs = ("contrat", "identifiant", "type_identifiant", "commune", "departement")
    for contrat, identifiant, sorte, commune, departement in demandes.values_list(*champs).iterator(
        chunk_size=PAR_TRANCHE
    ):
        lieu = LieuDeTitulaire(identifiant, sorte, commune or dites.get(identifiant, ""), departement)
        par_contrat[contrat].append(lieu)
    return par_contrat


# --- Registre et mandats ------------------------------------------------------------------------------------

CHAMPS_DU_LOT = (
    *("suite", "date_de_suite", "clause_environnementale", "critere_environnemental", "clause_sociale"),
    *("critere_social", "pk"),
)


def _consultations(sirens: Collection[str]) -> tuple[LigneDeConsultation, ...]:
    lots: dict[int, list[LigneDeLot]] = defaultdict(list)
    demandes: Any = LotDeConsultation.objects.filter(consultation__siren__in=sirens).order_by("pk")
    for consultation, *valeurs in demandes.values_list("consultation", *CHAMPS_DU_LOT):
        lots[consultation].append(LigneDeLot(*valeurs))
    return tuple(
        LigneDeConsultation(pk, numero, tuple(lots.get(pk, ())))
        for pk, numero in Consultation.objects.filter(siren__in=sirens).order_by("pk").values_list("pk", "numero")
    )


def _mandats(sirens: Collection[str]) -> tuple[LigneDeMandats, ...]:
    en_vigueur = ImportDeMandats.objects.en_vigueur().filter(budget__siren__in=sirens)
    totaux = TotalDeMandats.objects.filter(import_de_mandats__in=en_vigueur).order_by("pk")
    de_l_import = (f"import_de_mandats__{champ}" for champ in ("annee", "budget__nom", "budget__base"))
    return tuple(
        LigneDeMandats(
            id=pk,
            exercice=exercice,
            budget=budget,
            base=base,
            montant=montant,
            communes=frozenset({commune}) if commune else communes_du_code_postal(code_postal) or None,
            departement=departement_du_code_postal(code_postal),
        )
        for pk, exercice, budget, base, montant, commune, code_postal in totaux.values_list(
            "pk", *de_l_import, "montant", "commune", "code_postal"
        )
    )
