"""Ouvrir au public les pages d'un plan, ou les fermer ; et ce que cela montre."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from actions.models import Plan
from bilans.models import Bilan
from bilans.visibilite import retenue
from comptes.droits import Droit, exiger
from indicateurs.listes import Etat
from indicateurs.models import ValeurAnnuelle
from publication.acces import bilans_publies
from socle.formulaires import remplacer_la_saisie
from socle.modeles import ConflitDeVersion

if TYPE_CHECKING:
    from comptes.models import Utilisateur

DEJA_CHANGE = "Ce plan vient d'être modifié par quelqu'un d'autre : relisez cette page avant de recommencer."


@dataclass(frozen=True)
class CeQuiParait:
    """Ce que les pages publiques d'un plan montrent, ou montreraient. `retenues` : une phrase par bilan publié que le
    public ne voit plus. `fermees` : le réglage du site ferme toutes les pages publiques."""

    visibles: int
    invisibles: int
    validees: int
    provisoires: int
    bilans: Sequence[int]
    retenues: Sequence[tuple[Bilan, str]]
    fermees: bool


def ce_qui_parait(plan: Plan) -> CeQuiParait:
    """Six requêtes, et une de plus par bilan retenu."""
    actions = list(plan.actions.etat_au().au_plan().values_list("visible_du_public", flat=True))
    etats = list(ValeurAnnuelle.objects.filter(indicateur__places__plan=plan).values_list("etat", flat=True))
    montres = [public.annee for public in bilans_publies(plan)]
    publies = Bilan.objects.filter(plan=plan, version_publiee__isnull=False).exclude(annee__in=montres)
    return CeQuiParait(
        visibles=sum(actions),
        invisibles=len(actions) - sum(actions),
        validees=etats.count(Etat.VALIDEE),
        provisoires=etats.count(Etat.PROVISOIRE),
        bilans=montres,
        retenues=[(bilan, retenue(bilan)) for bilan in publies.select_related("plan", "version_publiee")],
        fermees=not settings.PAGES_PUBLIQUES,
    )


class FormulaireDOuverture(forms.Form):
    """Un bouton : ouvrir, ou fermer. `plan` : tel qu'il est après `enregistrer`."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    publie = forms.TypedChoiceField(
        choices=[("oui", "Ouvrir"), ("non", "Fermer")], coerce=lambda choix: choix == "oui", widget=forms.HiddenInput
    )

    def __init__(self, *args, plan: Plan, **kwargs) -> None:
        self.plan = plan
        kwargs["initial"] = {"version": plan.version, "publie": "non" if plan.publie else "oui"}
        super().__init__(*args, **kwargs)

    def enregistrer(self, auteur: "Utilisateur") -> bool:
        """Vrai si c'est fait, ou l'était déjà. Lève PermissionDenied."""
        exiger(auteur, Droit.VALIDER)
        try:
            self.plan = self.plan.changer_sous_verrou(self.cleaned_data["version"], publie=self.cleaned_data["publie"])
        except ConflitDeVersion as conflit:
            remplacer_la_saisie(self, "version", conflit.actuelle.version)  # type: ignore[attr-defined]
            self.add_error(None, DEJA_CHANGE)
        except ValidationError as refus:
            self.add_error(None, refus.messages)
        return not self.errors
