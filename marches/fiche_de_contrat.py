"""Tout ce que le site sait d'un contrat : ce qu'il vaut, d'où il vient, ce qu'il a été, ce qu'on en a corrigé."""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch

from marches.communes import nom_de
from marches.generations import generation_visible
from marches.listes import ChampCorrige
from marches.models import (
    Contrat,
    ContratDeConsultation,
    CorrectionDeContrat,
    EnregistrementDecp,
    LieuDEtablissement,
    RepriseDEnregistrement,
    TitulaireDeContrat,
)
from marches.reponses import Reponse
from marches.signalements import Signalement, phrase_du_drapeau, signalements_de
from socle.formats import ABSENT, formater_date, formater_montant


@dataclass(frozen=True)
class Titulaire:
    """`dite` : la source d'une commune dite à la revue, vide si un fichier la donne."""

    titulaire: TitulaireDeContrat
    commune: str
    dite: str


@dataclass(frozen=True)
class Enregistrement:
    """Un enregistrement tel qu'un fichier le porte. `role` : ce qu'il est pour ce contrat."""

    enregistrement: EnregistrementDecp
    role: str
    json: str


@dataclass(frozen=True)
class Version:
    """Ce qui, d'une version à la suivante, a changé : (champ, avant, après)."""

    ligne: Contrat
    ecarts: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Fiche:
    """`contrat` : la ligne en vigueur, ou la dernière si le contrat n'est plus dit par aucun enregistrement."""

    contrat: Contrat
    en_vigueur: bool
    signalements: list[Signalement]
    titulaires: list[Titulaire]
    enregistrements: list[Enregistrement]
    versions: list[Version]
    corrections: list[CorrectionDeContrat]
    rattachement: ContratDeConsultation | None
    doublon_de: Contrat | None

    @property
    def a_corriger(self) -> list[ChampCorrige]:
        """Les champs sans correction en vigueur : les autres, on les annule d'abord."""
        tenus = {correction.champ for correction in self.corrections if correction.annulee_le is None}
        return [champ for champ in ChampCorrige if champ not in tenus]


def fiche_de(souche: uuid.UUID) -> Fiche | None:
    """Huit requêtes, quels que soient les enregistrements ; None si aucun contrat n'a cette souche."""
    visible = generation_visible()
    lignes = list(
        Contrat.objects.filter(souche=souche, de__lte=visible).prefetch_related("titulaires").order_by("-de", "-pk")
    )
    if not lignes:
        return None
    contrat = lignes[0]
    corrections = list(CorrectionDeContrat.objects.filter(souche=souche).select_related("auteur", "annulee_par"))
    rattachements = ContratDeConsultation.objects.filter(souche=souche).select_related("consultation", "lot")
    return Fiche(
        contrat=contrat,
        en_vigueur=contrat.a is None or contrat.a > visible,
        signalements=signalements_de(contrat),
        titulaires=_titulaires(contrat),
        enregistrements=_enregistrements(contrat),
        versions=_versions(lignes),
        corrections=corrections,
        rattachement=rattachements.first(),
        doublon_de=_original(corrections),
    )


def _original(corrections: Iterable[CorrectionDeContrat]) -> Contrat | None:
    souches = [c.valeur for c in corrections if c.champ == "DOUBLON" and c.annulee_le is None and c.valeur]
    return Contrat.objects.en_vigueur().filter(souche=souches[0]).first() if souches else None


def _titulaires(contrat: Contrat) -> list[Titulaire]:
    titulaires = list(contrat.titulaires.all())
    dits = {
        lieu.siret: lieu
        for lieu in LieuDEtablissement.objects.filter(siret__in=[titulaire.identifiant for titulaire in titulaires])
    }
    return [_titulaire(titulaire, dits.get(titulaire.identifiant)) for titulaire in titulaires]


def _titulaire(titulaire: TitulaireDeContrat, lieu: LieuDEtablissement | None) -> Titulaire:
    if titulaire.commune or lieu is None:
        return Titulaire(titulaire, nom_de(titulaire.commune) or titulaire.commune, "")
    return Titulaire(titulaire, nom_de(lieu.commune) or lieu.commune, lieu.source)


def _enregistrements(contrat: Contrat) -> list[Enregistrement]:
    """Celui qui fait foi d'abord."""
    reprises = Prefetch("reprises", RepriseDEnregistrement.objects.select_related("import_decp"))
    lus = EnregistrementDecp.objects.select_related("import_decp").prefetch_related(reprises)
    tenus = lus.in_bulk(contrat.enregistrements)
    dans_l_ordre = [tenus[cle] for cle in contrat.enregistrements if cle in tenus]
    return [
        Enregistrement(enregistrement, "Fait foi" if rang == 0 else "Remplacé, ou complète", _en_clair(enregistrement))
        for rang, enregistrement in enumerate(dans_l_ordre)
    ]


def _en_clair(enregistrement: EnregistrementDecp) -> str:
    return json.dumps(enregistrement.contenu, ensure_ascii=False, indent=2)


def _versions(lignes: list[Contrat]) -> list[Version]:
    """La plus récente d'abord, chacune avec ce qui la sépare de la précédente."""
    etats = [_etat(ligne) for ligne in lignes]
    return [
        Version(ligne, [(champ, avant[champ], apres[champ]) for champ in apres if avant[champ] != apres[champ]])
        for ligne, apres, avant in zip(lignes, etats, [*etats[1:], etats[-1]], strict=True)
    ]


def _etat(ligne: Contrat) -> dict[str, str]:
    """Ce dont un chiffre dépend, et de quoi reconnaître le contrat, en clair."""
    textes: dict[str, Any] = {
        "Objet": ligne.objet,
        "Notifié le": formater_date(ligne.date),
        "Montant HT": formater_montant(ligne.montant),
        "Montant à part": phrase_du_drapeau(ligne.drapeau) if ligne.drapeau else "",
        "Procédure": ligne.procedure,
        "Considération environnementale": Reponse(ligne.environnement).label,
        "Considération sociale": Reponse(ligne.social).label,
        "Titulaires": ", ".join(str(titulaire) for titulaire in ligne.titulaires.all()),
        "Doublon": "Oui" if ligne.doublon else "Non",
        "Même identifiant qu'un autre": "Oui" if ligne.conflit else "Non",
        "Modifications": str(len(ligne.modifications)),
    }
    return {champ: str(texte) or ABSENT for champ, texte in textes.items()}
