"""Les valeurs d'indicateurs devenues connues, corrigées ou validées entre deux dates, une phrase chacune.

Une valeur est connue à partir de `connue_le`, et vaut ce que l'historique en disait à la fin du jour ; saisie plus
tard, ce que sa première saisie en a dit. Un dénominateur partagé qui bouge fait bouger la part. Trois requêtes.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from actions.models import Plan
from indicateurs.affichage import AffichageDeValeur
from indicateurs.listes import Etat, Nature
from indicateurs.models import Indicateur, IndicateurDuPlan, ValeurAnnuelle
from socle.formats import plier


@dataclass(frozen=True)
class ValeurChangee:
    """La phrase, et l'indicateur dont elle parle."""

    indicateur: Indicateur
    phrase: str


@dataclass(frozen=True)
class _Alors(AffichageDeValeur):
    """Une valeur annuelle telle qu'elle était à un moment."""

    indicateur: Indicateur
    annee: int
    valeur: Decimal | None
    numerateur: Decimal | None
    denominateur_retenu: Decimal | None
    denominateur_propre: bool
    indisponible: bool
    motif_indisponibilite: str
    etat: str
    rupture: str

    @property
    def valeur_retenue(self) -> Decimal | None:
        if self.numerateur is None:
            return self.valeur
        return 100 * self.numerateur / self.denominateur_retenu if self.denominateur_retenu else None

    @property
    def chiffres(self) -> tuple[Any, ...]:
        """Ce dont un changement est une correction."""
        return self.valeur, self.numerateur, self.numerateur and self.denominateur_retenu, self.indisponible

    @property
    def breve(self) -> str:
        """« 171 », « 25,3 % », « 23 910 tonnes » : un compte tait l'unité que son intitulé dit déjà."""
        indicateur = self.indicateur
        unite = rf"(?<!\w){re.escape(plier(indicateur.unite))}(?!\w)"
        dite = indicateur.nature == Nature.COMPTE and re.search(unite, plier(indicateur.intitule))
        return self.chiffre_avec_symbole if dite else self.taux_ecrit

    @property
    def ecrite(self) -> str:
        """« 171 », « 42 / 166 = 25,3 % », « indisponible (registre perdu) »."""
        if self.indisponible:
            return f"indisponible ({self.motif_indisponibilite.rstrip('. ')})"
        return self.breve if self.numerateur is None else self.detail


def valeurs_changees(plan: Plan, depuis: date, jusqu_au: date) -> list[ValeurChangee]:
    """Après `depuis` et jusqu'à `jusqu_au` compris, dans l'ordre du plan puis des années."""
    indicateurs = [
        place.indicateur for place in IndicateurDuPlan.objects.filter(plan=plan).select_related("indicateur")
    ]
    histoires = _Histoires(indicateurs)
    return [
        ValeurChangee(indicateur, phrase)
        for indicateur in indicateurs
        for cle in histoires.valeurs_de(indicateur)
        for phrase in _phrases(histoires, cle, depuis, jusqu_au)
    ]


def _fin(jour: date) -> datetime:
    """L'instant où ce jour finit, à Paris."""
    return timezone.make_aware(datetime.combine(jour + timedelta(days=1), time.min))


# --- Lire l'historique --------------------------------------------------------------------------


class _Histoires:
    """Les versions de chaque valeur de ces indicateurs et de leurs dénominateurs, de la première à la dernière."""

    def __init__(self, indicateurs: Sequence[Indicateur]) -> None:
        self._indicateurs = {indicateur.pk: indicateur for indicateur in indicateurs}
        cles = {*self._indicateurs, *(i.denominateur_id for i in indicateurs if i.denominateur_id)}
        self._versions: dict[int, list[Any]] = defaultdict(list)
        for version in ValeurAnnuelle.history.filter(indicateur__in=cles).order_by("history_date", "history_id"):
            self._versions[version.id].append(version)
        # Écrite sans historique (un chargement en masse), une valeur n'a que son état d'aujourd'hui.
        for ligne in ValeurAnnuelle.objects.filter(indicateur__in=cles):
            self._versions.setdefault(ligne.pk, [ligne])
        self._places: dict[tuple[int, int], int] = {
            (versions[-1].indicateur_id, versions[-1].annee): cle for cle, versions in self._versions.items()
        }

    def valeurs_de(self, indicateur: Indicateur) -> list[int]:
        """Les clés de ses valeurs, de l'année la plus ancienne à la plus récente."""
        places = sorted(place for place in self._places if place[0] == indicateur.pk)
        return [self._places[place] for place in places]

    def annee_d_avant(self, valeur: _Alors, jour: date) -> _Alors | None:
        cle = self._places.get((valeur.indicateur.pk, valeur.annee - 1))
        return self.connue_le(cle, jour) if cle else None

    def connue_le(self, cle: int, jour: date) -> _Alors | None:
        """La valeur telle qu'on la connaissait à la fin de ce jour ; None si on ne la connaissait pas."""
        version = self._version(cle, _fin(jour))
        if _effacee(version) or version.connue_le > jour:
            return None
        return self._alors(version, _fin(jour))

    def premiere_validee(self, cle: int, depuis: date, jusqu_au: date) -> _Alors | None:
        """La première validation de la période : ce qui la corrige ensuite dit son motif."""
        for version in self._dans(cle, depuis, jusqu_au):
            if version.etat == Etat.VALIDEE and not _effacee(version):
                return self._alors(version, version.history_date + timedelta(microseconds=1))
        return None

    def motif(self, valeur: _Alors, cle: int, depuis: date, jusqu_au: date) -> str:
        """Le dernier donné dans la période, pour la valeur, sinon pour le dénominateur qu'elle partage."""
        partage = self._places.get((valeur.indicateur.denominateur_id or 0, valeur.annee))
        for de in (cle, partage):
            versions = self._dans(de, depuis, jusqu_au) if de else []
            motifs = [version.history_change_reason for version in versions if version.history_change_reason]
            if motifs:
                return str(motifs[-1])
        return ""

    def _dans(self, cle: int, depuis: date, jusqu_au: date) -> list[Any]:
        bornes = _fin(depuis), _fin(jusqu_au)
        return [v for v in self._versions[cle] if _ecrite_le(v) and bornes[0] <= _ecrite_le(v) < bornes[1]]

    def _version(self, cle: int, fin: datetime) -> Any:
        versions = self._versions[cle]
        ecrites = [version for version in versions if _ecrite_le(version) and _ecrite_le(version) < fin]
        return ecrites[-1] if ecrites else versions[0]

    def _alors(self, version: Any, fin: datetime) -> _Alors:
        indicateur = self._indicateurs[version.indicateur_id]
        partage = self._places.get((indicateur.denominateur_id or 0, version.annee))
        denominateur = version.denominateur
        if denominateur is None and partage:
            d_alors = self._version(partage, fin)
            denominateur = None if _effacee(d_alors) else d_alors.valeur
        return _Alors(
            indicateur=indicateur,
            annee=version.annee,
            valeur=version.valeur,
            numerateur=version.numerateur,
            denominateur_retenu=denominateur,
            denominateur_propre=version.denominateur is not None and indicateur.denominateur_id is not None,
            indisponible=version.indisponible,
            motif_indisponibilite=version.motif_indisponibilite,
            etat=version.etat,
            rupture=version.rupture,
        )


def _ecrite_le(version: Any) -> Any:
    return getattr(version, "history_date", None)


def _effacee(version: Any) -> bool:
    return getattr(version, "history_type", "") == "-"


# --- Le dire ------------------------------------------------------------------------------------


def _phrases(histoires: _Histoires, cle: int, depuis: date, jusqu_au: date) -> list[str]:
    avant, apres = histoires.connue_le(cle, depuis), histoires.connue_le(cle, jusqu_au)
    if apres is None:
        return [f"{avant.indicateur} : valeur {avant.annee} ({avant.ecrite}) retirée."] if avant else []
    phrases = [] if avant else [_devenue_connue(apres, histoires.annee_d_avant(apres, jusqu_au))]
    reference = avant or histoires.premiere_validee(cle, depuis, jusqu_au)
    if reference:
        phrases += _changee(reference, apres, histoires.motif(apres, cle, depuis, jusqu_au))
    return phrases


def _devenue_connue(valeur: _Alors, precedente: _Alors | None) -> str:
    """« Consultations finalisées : 171 en 2024 (166 en 2023). »"""
    etat = ", valeur provisoire" if valeur.etat == Etat.PROVISOIRE and not valeur.indisponible else ""
    return f"{valeur.indicateur} : {valeur.ecrite} en {valeur.annee}{_face_a(valeur, precedente)}{etat}."


def _face_a(valeur: _Alors, precedente: _Alors | None) -> str:
    if precedente is None or precedente.valeur_retenue is None or valeur.valeur_retenue is None:
        return ""
    rompue = f", non comparable : {valeur.rupture.rstrip('. ')}" if valeur.rupture else ""
    return f" ({precedente.breve} en {precedente.annee}{rompue})"


def _changee(avant: _Alors, apres: _Alors, motif: str) -> list[str]:
    """Corrigée, validée, repassée en provisoire ; rien si ni les chiffres ni l'état n'ont bougé."""
    raison = f", motif : « {motif.rstrip('. ')} »" if motif else ""
    if avant.chiffres != apres.chiffres:
        validee = ", et validée" if _validee(avant, apres) else ""
        return [
            f"{apres.indicateur} : valeur {apres.annee} corrigée de {avant.ecrite} à {apres.ecrite}{validee}{raison}."
        ]
    if avant.etat == apres.etat:
        return []
    devenue = "validée" if _validee(avant, apres) else "repassée en provisoire"
    return [f"{apres.indicateur} : valeur {apres.annee} ({apres.ecrite}) {devenue}{raison}."]


def _validee(avant: _Alors, apres: _Alors) -> bool:
    return avant.etat == Etat.PROVISOIRE and apres.etat == Etat.VALIDEE
