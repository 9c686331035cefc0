"""Retenir ce qu'un calcul a donné : ce chiffre devient la valeur de l'année, avec un motif, et garde d'où il vient."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from comptes.droits import Droit, exiger
from comptes.models import Utilisateur
from indicateurs.models import Indicateur, ValeurAnnuelle
from indicateurs.recalcul import Recalcul
from indicateurs.saisie import Saisie, saisir
from socle.formats import formater_nombre, formater_valeur


@dataclass(frozen=True)
class Retenue:
    """Un résultat qu'on propose de retenir. `avant` : la valeur de l'année, annotée par `avec_valeur()`, ou None ;
    `partage` : la valeur, la même année, de l'indicateur qui sert de dénominateur, ou None."""

    indicateur: Indicateur
    recalcul: Recalcul
    avant: ValeurAnnuelle | None
    partage: ValeurAnnuelle | None

    @property
    def annee(self) -> int:
        return self.recalcul.annee

    @property
    def refus(self) -> str:
        """Pourquoi ce résultat ne se retient pas ; vide s'il se retient."""
        if self.annee >= timezone.localdate().year:
            return f"L'année {self.annee} n'est pas finie : un calcul à ce jour n'en est pas la valeur."
        if self.recalcul.inexistante:
            return self.recalcul.inexistante
        if self.recalcul.valeur is None:
            return "Ce calcul ne donne pas de chiffre pour cette année : il n'y a rien à retenir."
        return ""

    @property
    def sur_le_partage(self) -> bool:
        """La part se donne sur le dénominateur partagé seulement s'il compte exactement ce que le calcul a compté :
        tous les enregistrements répondent oui ou non, et il y en a autant."""
        resultat = self.recalcul.resultat
        return (
            resultat is not None
            and self.recalcul.est_une_part
            and not self.recalcul.calcul.en_montant
            and resultat.inconnus == 0
            and self.partage is not None
            and self.partage.valeur == resultat.denominateur
        )

    @property
    def pourquoi_propre(self) -> str:
        """Pourquoi la part garde son propre dénominateur alors que l'indicateur en partage un ; vide sinon."""
        resultat, partage = self.recalcul.resultat, self.indicateur.denominateur
        if resultat is None or partage is None or not self.recalcul.est_une_part or self.sur_le_partage:
            return ""
        dite = formater_nombre(self.partage.valeur) if self.partage else "pas encore connue"
        if self.recalcul.calcul.en_montant:
            raison = "le calcul est en euros"
        elif resultat.inconnus:
            raison = f"{formater_nombre(resultat.inconnus)} enregistrements ne sont pas renseignés"
        else:
            raison = f"le calcul en compte {formater_nombre(resultat.denominateur)}"
        return (
            f"Elle ne se donne pas sur « {partage} » ({dite}) : {raison}. Elle aura son propre dénominateur, "
            f"{formater_nombre(resultat.denominateur)}."
        )

    @property
    def chiffres(self) -> dict[str, Decimal | None]:
        resultat = self.recalcul.resultat
        assert resultat is not None  # noqa: S101 - `refus` l'a dit
        if not self.recalcul.est_une_part:
            return {"valeur": resultat.valeur}
        propre = None if self.sur_le_partage else resultat.denominateur
        return {"numerateur": resultat.numerateur, "denominateur": propre}

    @property
    def apres(self) -> str:
        """« 42 / 166 = 25,3 % », « 166 consultations »."""
        unite = self.indicateur.unite
        if not self.recalcul.est_une_part:
            return formater_valeur(self.recalcul.valeur, unite)
        return f"{self.recalcul.parts} = {formater_valeur(self.recalcul.valeur, unite, 1)}"

    @property
    def phrase_demandee(self) -> bool:
        """Sous 80 % renseignés, la valeur ne se montre pas sans une phrase qui le dit."""
        return self.recalcul.sous_le_seuil

    def retenir(self, *, auteur: Utilisateur, version: int, motif: str, phrase: str = "") -> Saisie:
        """Écrit la valeur de l'année et garde le résultat dont elle vient. Le même envoi reçu deux fois n'écrit
        qu'une fois. `phrase` s'ajoute à la remarque de la valeur.

        Lève PermissionDenied, ConflitDeVersion, ValidationError ; rien n'est alors écrit.
        """
        exiger(auteur, Droit.VALIDER)
        if self.refus:
            raise ValidationError(self.refus)
        if not motif.strip():
            raise ValidationError({"motif": "Retenir une valeur demande un motif."})
        if self.phrase_demandee and not phrase.strip():
            raise ValidationError({"phrase": "Sous 80 % renseignés, dites ce que ce chiffre ne compte pas."})
        champs: dict[str, Any] = {**self.chiffres, "remarque": self._remarque(phrase.strip())}
        return saisir(
            self.indicateur,
            self.annee,
            champs,
            auteur=auteur,
            version=version,
            motif=motif,
            resultat=self.recalcul.resultat,
        )

    def _remarque(self, phrase: str) -> str:
        """Celle d'avant, et la phrase si elle n'y est pas déjà."""
        dite = self.avant.remarque if self.avant else ""
        return dite if not phrase or phrase in dite else "\n".join(filter(None, [dite, phrase]))
