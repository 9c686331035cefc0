"""L'instant qu'une page montre : une date d'effet (`au`), et ce qui était saisi à un moment (`saisi_au`).

Le moment d'une saisie se donne par un jour (jusqu'à sa fin, à Paris), par une minute ou plus finement : il vaut
toujours jusqu'à la fin de ce que l'on a écrit, pour que ce qui se lit « saisi à 14:05 » soit compris dans 14:05.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from socle.champs import ChampDate, ChampLu, SaisieDate
from socle.erreurs import DemandeIllisible
from socle.formats import INSECABLE, FormatInvalide, formater_date, formater_date_longue, lire_date

AU, SAISI_AU = "au", "saisi_au"

_MOMENT = re.compile(
    r"(?P<jour>\S+?)(?:T|\s+(?:à\s+)?)(?P<heure>[0-9]{1,2})[:h](?P<minute>[0-9]{2})"
    r"(?::(?P<seconde>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,6}))?)?"
)
_UN_RIEN = timedelta(microseconds=1)


class InstantContradictoire(FormatInvalide):
    """Les deux dates se contredisent. `str()` est la phrase à montrer à côté de « tel que saisi au »."""


@dataclass(frozen=True)
class Instant:
    """Sans `au` ni `saisi_au`, c'est aujourd'hui, tel qu'on le sait. `saisi_au` seul montre le jour de ce moment."""

    au: date | None = None
    saisi_au: datetime | None = None

    @property
    def passe(self) -> bool:
        """Vrai si l'on demande autre chose qu'aujourd'hui : rien ne s'écrit alors."""
        return self.jour is not None

    @property
    def jour(self) -> date | None:
        """La date montrée ; None = aujourd'hui."""
        if self.au is not None or self.saisi_au is None:
            return self.au
        return jour_de(self.saisi_au)

    @property
    def le(self) -> date:
        """La date montrée, aujourd'hui compris."""
        return self.jour or timezone.localdate()

    @property
    def phrase(self) -> str:
        """« Situation au 31 décembre 2024, telle que saisie au 15 mars 2025 » ; vide aujourd'hui."""
        if self.jour is None:
            return ""
        situation = f"Situation au {formater_date_longue(self.jour)}"
        return f"{situation}, telle que saisie au {dire_le_moment(self.saisi_au)}" if self.saisi_au else situation

    @property
    def parametres(self) -> dict[str, str]:
        """Ce qui, dans une adresse, redemande cet instant."""
        donnes = {AU: self.au and self.au.isoformat(), SAISI_AU: self.saisi_au and ecrire_le_moment(self.saisi_au)}
        return {nom: valeur for nom, valeur in donnes.items() if valeur}


AUJOURD_HUI = Instant()


def jour_de(moment: datetime) -> date:
    """Le jour de ce moment, à Paris."""
    return timezone.localtime(moment).date()


# --- Lire ---------------------------------------------------------------------------------------


def lire_jour_passe(texte: str) -> date:
    """Une date passée ou d'aujourd'hui. Lève FormatInvalide."""
    jour = lire_date(texte)
    if jour > timezone.localdate():
        raise FormatInvalide(f"Le {formater_date(jour)} est à venir : la situation n'est pas encore connue.")
    return jour


def lire_moment_passe(texte: str) -> datetime:
    """« 15/03/2025 », « 2025-03-15T14:05 », « 15/03/2025 à 14:05 » : la fin de ce jour, de cette minute, à Paris.

    Aujourd'hui se demande ; plus tard, non. Lève FormatInvalide.
    """
    nu = texte.strip()
    trouve = _MOMENT.fullmatch(nu)
    jour = lire_date(trouve["jour"] if trouve else nu)
    if jour > timezone.localdate():
        raise FormatInvalide(f"Le {formater_date(jour)} est à venir : rien n'y est encore saisi.")
    if trouve is None:
        return _derniere_fois(datetime.combine(jour, time.max, tzinfo=timezone.get_default_timezone()))
    moment = _fin_du_moment(jour, trouve, texte)
    if moment > timezone.now() + timedelta(minutes=1):
        raise FormatInvalide("Ce moment est à venir : rien n'y est encore saisi.")
    return moment


def _fin_du_moment(jour: date, trouve: re.Match[str], texte: str) -> datetime:
    seconde, fraction = trouve["seconde"], trouve["fraction"]
    try:
        debut = datetime(
            jour.year,
            jour.month,
            jour.day,
            int(trouve["heure"]),
            int(trouve["minute"]),
            int(seconde or 0),
            int((fraction or "0").ljust(6, "0")),
            tzinfo=timezone.get_default_timezone(),
        )
    except ValueError as erreur:
        raise FormatInvalide.pour(
            texte, "un moment", f"par exemple «{INSECABLE}15/03/2025 14:05{INSECABLE}»"
        ) from erreur
    if fraction:
        return _derniere_fois(debut)
    return _derniere_fois(debut + (timedelta(seconds=1) if seconde else timedelta(minutes=1)) - _UN_RIEN)


def _derniere_fois(moment: datetime) -> datetime:
    """L'heure qui revient deux fois en octobre est la seconde : on lit tout ce qui a pu s'écrire à cette heure-là."""
    return moment.replace(fold=1)


def verifier(instant: Instant) -> Instant:
    """Lève InstantContradictoire si l'on demande, tel que saisi un jour, la situation d'un jour plus tardif."""
    if instant.au and instant.saisi_au and instant.au > jour_de(instant.saisi_au):
        raise InstantContradictoire(
            f"Au {dire_le_moment(instant.saisi_au)}, on ne savait rien encore du {formater_date(instant.au)} : "
            "demandez une saisie plus récente, ou une situation plus ancienne."
        )
    return instant


def lire_instant(parametres: Mapping[str, str]) -> Instant:
    """L'instant d'une adresse. Lève FormatInvalide ; un paramètre vide ne demande rien."""
    au, saisi_au = (parametres.get(nom, "").strip() for nom in (AU, SAISI_AU))
    return verifier(Instant(lire_jour_passe(au) if au else None, lire_moment_passe(saisi_au) if saisi_au else None))


def instant_demande(parametres: Mapping[str, str]) -> Instant:
    """`lire_instant`, pour une page sans formulaire. Lève DemandeIllisible (400)."""
    try:
        return lire_instant(parametres)
    except FormatInvalide as erreur:
        raise DemandeIllisible(str(erreur)) from erreur


def instant_lisible(parametres: Mapping[str, str]) -> Instant:
    """`lire_instant`, ou aujourd'hui si l'adresse est absurde : la page le dira à côté du champ."""
    try:
        return lire_instant(parametres)
    except FormatInvalide:
        return AUJOURD_HUI


# --- Écrire -------------------------------------------------------------------------------------


def dire_le_moment(moment: datetime) -> str:
    """« 15 mars 2025 » pour la fin d'un jour, sinon « 15 mars 2025 à 14:05 »."""
    local, jour = timezone.localtime(moment), formater_date_longue(moment)
    return jour if _est_la_fin_du_jour(local) else f"{jour} à {local:%H:%M}"


def ecrire_le_moment(moment: datetime) -> str:
    """Le texte que `lire_moment_passe` relit en ce même moment, aussi court que possible."""
    local = timezone.localtime(moment)
    if _est_la_fin_du_jour(local):
        return local.date().isoformat()
    if (local.second, local.microsecond) == (59, 999_999):
        return f"{local:%Y-%m-%dT%H:%M}"
    return f"{local:%Y-%m-%dT%H:%M:%S.%f}"


def _est_la_fin_du_jour(local: datetime) -> bool:
    return (local.hour, local.minute, local.second, local.microsecond) == (23, 59, 59, 999_999)


# --- Dans un formulaire -------------------------------------------------------------------------


class ChampJourPasse(ChampDate):
    lire = staticmethod(lire_jour_passe)


class ChampMomentPasse(ChampLu):
    """Un moment passé. Ce qui a été tapé se remontre tel quel."""

    lire = staticmethod(lire_moment_passe)


class FormulaireAvecInstant(forms.Form):
    """Base d'un formulaire qui porte `au` et `saisi_au`, dont les fautes se disent à côté du champ."""

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or self.cleaned_data
        try:
            verifier(self.instant)
        except InstantContradictoire as erreur:
            self.add_error(SAISI_AU, str(erreur))
        return donnees

    @property
    def instant(self) -> Instant:
        donnees = self.cleaned_data
        return Instant(donnees.get(AU), donnees.get(SAISI_AU))


class FormulaireDInstant(FormulaireAvecInstant):
    """Le choix « Situation au … », et ses options d'audit (`templates/socle/_instant.html`)."""

    au = ChampJourPasse(
        label="Situation au", required=False, widget=SaisieDate(attrs={"class": "form-control form-control-sm"})
    )
    saisi_au = ChampMomentPasse(
        label="Tel que saisi au",
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control form-control-sm", "placeholder": "15/03/2025"}),
        help_text="Un jour, jusqu'à sa fin (15/03/2025), ou une heure (15/03/2025 14:05).",
    )
