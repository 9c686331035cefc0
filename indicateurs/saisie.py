"""Saisir la valeur d'une année : une seule règle pour la fiche, la grille, la page d'un service et le classeur."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from comptes.droits import Droit, exiger, peut
from comptes.models import Utilisateur
from indicateurs.deplacements import Deplacement, deplacements, taux_appuyes
from indicateurs.listes import Etat, OrigineDeValeur
from indicateurs.models import Indicateur
from indicateurs.valeurs import MotifRequis, ValeurAnnuelle, verrouiller_la_serie
from indicateurs.ventilations import Ventilation
from marches.models import ResultatDeCalcul
from socle.modeles import ConflitDeVersion

CHIFFRES = ("valeur", "numerateur", "denominateur")
NE_S_EFFACE_PAS = "Une valeur ne s'efface pas : corrigez-la, ou dites-la indisponible avec son motif."
RESERVE = "Une valeur validée bougerait : seul un responsable du plan peut le faire, avec un motif. Concerne : {}."


@dataclass(frozen=True)
class Saisie:
    """Ce qu'une saisie a donné. `valeur` : annotée par `avec_valeur()`, None s'il n'y avait rien à écrire ni
    d'écrit ; `change` : faux si tout y était déjà ; `deplaces` : les taux qu'elle a fait bouger."""

    valeur: ValeurAnnuelle | None
    change: bool
    deplaces: list[Deplacement]


class MotifDeSaisieRequis(MotifRequis):
    """MotifRequis, et ce que la saisie ferait bouger : `deplaces`."""

    def __init__(self, valeurs: list[ValeurAnnuelle], deplaces: list[Deplacement]) -> None:
        super().__init__(valeurs)
        self.deplaces = deplaces


def saisir(
    indicateur: Indicateur,
    annee: int,
    champs: Mapping[str, Any],
    *,
    auteur: Utilisateur,
    version: int,
    motif: str = "",
    origine: OrigineDeValeur = OrigineDeValeur.SAISIE,
    ventilation: Ventilation | None = None,
    resultat: ResultatDeCalcul | None = None,
) -> Saisie:
    """Donne ces champs à la valeur de l'année, créée s'il le faut ; ceux qu'on ne cite pas restent.

    `champs` : noms de `ValeurAnnuelle` → valeurs typées. Donner un chiffre lève une indisponibilité ; donner une
    valeur remplace numérateur et dénominateur, et l'inverse. `version` : celle que l'auteur avait sous les yeux, 0
    s'il n'y avait pas de ligne. `resultat` : le calcul dont viennent les chiffres, gardé avec eux. Le même envoi reçu
    deux fois n'écrit qu'une fois.

    Lève PermissionDenied, ConflitDeVersion, ValidationError, MotifDeSaisieRequis ; rien n'est alors écrit.
    """
    exiger(auteur, Droit.SAISIR_UNE_DONNEE, indicateur)
    if champs.get("etat") == Etat.VALIDEE:
        exiger(auteur, Droit.VALIDER)
    with transaction.atomic():
        # Deux premières saisies de la même année : la seconde attend ici, puis voit la ligne.
        verrouiller_la_serie(indicateur)
        valeur = ValeurAnnuelle.objects.filter(indicateur=indicateur, annee=annee).first()
        existe = valeur is not None
        valeur = valeur or ValeurAnnuelle(indicateur=indicateur, annee=annee, origine=origine)
        valeur.indicateur = indicateur
        nouveaux = completer(champs)
        if resultat is not None:
            nouveaux |= {"resultat_id": resultat.pk, "origine": OrigineDeValeur.CALCUL}
        if not ventilation and not _change(valeur, nouveaux, existe=existe):
            return Saisie(_relue(valeur) if existe else None, change=False, deplaces=[])
        if valeur.version * existe != version:
            raise ConflitDeVersion(valeur)
        rechiffree = any(getattr(valeur, champ) != nouveaux.get(champ, getattr(valeur, champ)) for champ in CHIFFRES)
        for champ, donne in nouveaux.items():
            setattr(valeur, champ, donne)
        if existe and not valeur.indisponible and valeur.a_ventiler is None:
            raise ValidationError({"valeur": NE_S_EFFACE_PAS})
        if rechiffree and resultat is None:
            valeur.origine = origine
        valeur._history_user = auteur  # type: ignore[attr-defined]
        return _ecrire(valeur, motif, ventilation, auteur)


def completer(champs: Mapping[str, Any]) -> dict[str, Any]:
    """Ce que les champs donnés entraînent : un chiffre lève l'indisponibilité, une indisponibilité ôte le chiffre, un
    taux donné seul n'a plus de parts."""
    complets = dict(champs)
    if any(champs.get(champ) is not None for champ in CHIFFRES):
        complets = {"indisponible": False, "motif_indisponibilite": ""} | complets
    elif champs.get("indisponible"):
        complets = dict.fromkeys(CHIFFRES) | complets
    if champs.get("valeur") is not None:
        complets = {"numerateur": None, "denominateur": None} | complets
    elif champs.get("numerateur") is not None:
        complets = {"valeur": None} | complets
    return complets


def _change(valeur: ValeurAnnuelle, nouveaux: Mapping[str, Any], *, existe: bool) -> bool:
    """Faux si tout y est déjà, ou si une ligne qui n'existe pas ne recevrait rien."""
    if not existe:
        return any(nouveaux.get(champ) is not None for champ in CHIFFRES) or bool(nouveaux.get("indisponible"))
    return any(getattr(valeur, champ) != donne for champ, donne in nouveaux.items())


def _ecrire(valeur: ValeurAnnuelle, motif: str, ventilation: Ventilation | None, auteur: Utilisateur) -> Saisie:
    avant = taux_appuyes(valeur)
    peut_valider = peut(auteur, Droit.VALIDER)
    try:
        valeur.enregistrer(motif=motif if peut_valider else "", ventilation=ventilation)
    except MotifRequis as refus:
        if not peut_valider:
            noms = ", ".join(f"« {touchee.indicateur} » ({touchee.annee})" for touchee in refus.valeurs)
            raise ValidationError(RESERVE.format(noms)) from refus
        raise MotifDeSaisieRequis(refus.valeurs, _a_blanc(valeur, ventilation, avant)) from refus
    return Saisie(_relue(valeur), change=True, deplaces=deplacements(avant, taux_appuyes(valeur)))


def _a_blanc(
    valeur: ValeurAnnuelle, ventilation: Ventilation | None, avant: list[ValeurAnnuelle]
) -> list[Deplacement]:
    """Ce que l'enregistrement ferait bouger : il est fait, lu, et défait."""
    with transaction.atomic():
        valeur.enregistrer(motif="à blanc", ventilation=ventilation)
        bouges = deplacements(avant, taux_appuyes(valeur))
        transaction.set_rollback(True)
    return bouges


def _relue(valeur: ValeurAnnuelle) -> ValeurAnnuelle:
    return ValeurAnnuelle.objects.avec_valeur().select_related("indicateur__denominateur").get(pk=valeur.pk)
