"""Les deux dates entre lesquelles une page dit ce qui a changé, et celles qu'elle propose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from actions.models import Plan
from bilans.bilan import Bilan
from bilans.changements import Changement, NatureDeChangement, changements_connus, premier_jour_connu
from bilans.demande import fin_de_l_annee
from socle.champs import ChampDate, SaisieDate
from socle.formats import INSECABLE, FormatInvalide, formater_date, lire_date

# Un plan tient quelques comités par an : les derniers, la date écrite sert pour les autres.
COMITES_PROPOSES = 6


@dataclass(frozen=True)
class Depart:
    """Un jour d'où comparer, et ce qu'il est : « le bilan 2024 », « le comité du 12/03/2025 »."""

    jour: date
    nom: str
    adresse: str


@dataclass(frozen=True)
class Groupe:
    """Les changements d'une même nature."""

    nature: NatureDeChangement
    changements: list[Changement]


@dataclass(frozen=True)
class CeQuiAChange:
    """Tout ce que la page montre. `debut` : le premier jour connu du plan ; None s'il n'y en a jamais eu."""

    depuis: date
    jusqu_au: date
    debut: date | None
    groupes: list[Groupe]

    @property
    def nombre(self) -> int:
        return sum(len(groupe.changements) for groupe in self.groupes)

    @property
    def inconnu_avant(self) -> bool:
        """La période commence avant ce qu'on connaît du plan : on compare au premier jour connu."""
        return self.debut is None or self.depuis < self.debut


def departs(plan: Plan, le: date, suite: Mapping[str, str]) -> list[Depart]:
    """Avant ce jour : le dernier bilan arrêté, chaque comité du dernier au premier, le 1er janvier. Deux requêtes.

    `suite` : ce que l'adresse de chacun demande de plus.
    """
    adresse = reverse("bilans:changements", args=[plan.slug])
    return [
        Depart(jour, nom, f"{adresse}?{urlencode({'du': jour.isoformat(), **suite})}")
        for jour, nom in _jours(plan, le)
    ]


def _jours(plan: Plan, le: date) -> Iterator[tuple[date, str]]:
    arretes = Bilan.objects.filter(plan=plan, versions__isnull=False, annee__lt=le.year).order_by("-annee")
    annee = arretes.values_list("annee", flat=True).first()
    if annee:
        yield fin_de_l_annee(annee), f"le bilan {annee}"
    for comite in plan.comites.passes(le)[:COMITES_PROPOSES]:
        yield comite.date, f"le comité du {formater_date(comite.date)}"
    # La veille : ce qui date du 1er janvier a changé dans l'année.
    yield fin_de_l_annee(le.year - 1), f"le 1er janvier {le.year}"


def _champ_de_periode(libelle: str) -> ChampDate:
    return ChampDate(label=libelle, required=False, widget=SaisieDate(attrs={"class": "form-control form-control-sm"}))


class FormulaireDePeriode(forms.Form):
    """« Depuis le… jusqu'au… ». Vides : du premier départ proposé à aujourd'hui."""

    du = _champ_de_periode(f"Depuis{INSECABLE}le")
    au = _champ_de_periode("jusqu'au")

    def __init__(self, donnees: Mapping[str, str], *, plan: Plan) -> None:
        self.plan, self.aujourdhui = plan, timezone.localdate()
        demande = {nom: donnees.get(nom, "").strip() for nom in ("du", "au")}
        suite = {"au": demande["au"]} if demande["au"] else {}
        self.departs = departs(plan, self._fin(demande["au"]), suite)
        # Le formulaire montre toujours la période lue : une date absente prend celle par défaut.
        par_defaut = {"du": self.departs[0].jour.isoformat(), "au": self.aujourdhui.isoformat()}
        super().__init__({nom: demande[nom] or defaut for nom, defaut in par_defaut.items()})

    def _fin(self, texte: str) -> date:
        """La fin demandée ; aujourd'hui si elle ne se lit pas, ou n'est pas encore passée."""
        try:
            return min(lire_date(texte), self.aujourdhui)
        except FormatInvalide:
            return self.aujourdhui

    def clean_au(self) -> date:
        au: date = self.cleaned_data["au"]
        if au > self.aujourdhui:
            raise forms.ValidationError("Cette date est à venir : rien n'en est encore connu.")
        return au

    def clean(self) -> dict[str, Any]:
        donnees = self.cleaned_data
        du, au = donnees.get("du"), donnees.get("au")
        if du and au and du >= au:
            self.add_error(
                "du", f"La période doit commencer avant de finir : choisissez un jour avant le {formater_date(au)}."
            )
        return donnees

    def ce_qui_a_change(self) -> CeQuiAChange:
        """Un nombre constant de requêtes. Le formulaire est valide."""
        depuis, jusqu_au = self.cleaned_data["du"], self.cleaned_data["au"]
        debut = premier_jour_connu(self.plan)
        dits = changements_connus(self.plan, debut, depuis, jusqu_au)
        return CeQuiAChange(
            depuis=depuis,
            jusqu_au=jusqu_au,
            debut=debut,
            groupes=[Groupe(nature, list(groupe)) for nature, groupe in groupby(dits, lambda dit: dit.nature)],
        )
