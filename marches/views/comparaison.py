"""Les chiffres des données essentielles, pour la collectivité et d'autres acheteurs importés."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from comptes.droits import Droit, exiger
from marches.calculs.chargement import acheteurs_de_la_collectivite
from marches.comparaison import ACHETEURS_AU_PLUS, ANNEES_AU_PLUS, Acheteur, Tableau, acheteurs_importes, comparer
from marches.exports import Format, exporter, format_demande
from marches.models import Territoire
from marches.views.commun import sirens_de_la_collectivite
from socle.ecriture import ColonneEcrite, Sorte
from socle.formats import ANNEE_MAX, ANNEE_MIN

ANNEES_PAR_DEFAUT = 3
AVERTISSEMENT = (
    "Les données essentielles ne disent pas tout : rien sous le seuil de publication (40 000 € HT), ni les "
    "consultations sans suite, ni ce qui a été payé. Un acheteur peut publier en retard, ou pas du tout ; un "
    "groupement de commandes paraît chez son seul coordonnateur. On compare ici des publications."
)
_ANNEE: dict[str, Any] = {
    "min_value": ANNEE_MIN,
    "max_value": ANNEE_MAX,
    "required": False,
    "widget": forms.TextInput(attrs={"inputmode": "numeric"}),
}


class DemandeDeComparaison(forms.Form):
    avec = forms.MultipleChoiceField(label="Autres acheteurs", required=False, widget=forms.CheckboxSelectMultiple)
    de = forms.IntegerField(label="De l'année", **_ANNEE)
    a = forms.IntegerField(label="À l'année", **_ANNEE)
    territoire = forms.ModelChoiceField(
        Territoire.objects.all(), label="Territoire", to_field_name="code", required=False, empty_label="Aucun"
    )

    def __init__(self, *args: Any, proposes: list[Acheteur], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["avec"].choices = [  # type: ignore[attr-defined]
            (acheteur.perimetre, f"{acheteur.nom or 'Acheteur'} ({acheteur.perimetre})") for acheteur in proposes
        ]

    def clean_avec(self) -> list[str]:
        choisis = self.cleaned_data["avec"]
        if len(choisis) >= ACHETEURS_AU_PLUS:
            raise forms.ValidationError(f"Choisissez {ACHETEURS_AU_PLUS - 1} acheteurs au plus.")
        return choisis

    def clean(self) -> dict[str, Any]:
        lu = super().clean() or {}
        debut, fin = lu.get("de"), lu.get("a")
        if debut and fin and not 0 <= fin - debut < ANNEES_AU_PLUS:
            self.add_error("a", f"Choisissez une période de {ANNEES_AU_PLUS} années au plus.")
        return lu

    @property
    def annees(self) -> list[int]:
        """La plus récente d'abord."""
        fin = self.cleaned_data["a"] or timezone.localdate().year
        debut = self.cleaned_data["de"] or fin - ANNEES_PAR_DEFAUT + 1
        return list(range(fin, max(debut, fin - ANNEES_AU_PLUS + 1) - 1, -1))


@require_safe
def comparaison(request: HttpRequest) -> HttpResponse:
    """Un tableau par calcul, une ligne par année, une colonne par acheteur ; ou tout dans un fichier."""
    exiger(request.user, Droit.CONSULTER)
    proposes = acheteurs_importes(sirens_de_la_collectivite())
    demande = DemandeDeComparaison(request.GET, proposes=proposes)
    lisible = demande.is_valid()
    compares = _compares(demande, proposes) if lisible else []
    tableaux = comparer(compares, demande.annees, demande.cleaned_data["territoire"]) if lisible else []
    if lisible and (forme := format_demande(request)):
        colonnes = _colonnes(compares)
        notes = [("À savoir", AVERTISSEMENT)]
        lignes = _lignes(tableaux)
        return exporter(request, forme, sujet="Comparaison", colonnes=colonnes, lignes=lignes, notes=notes)
    contexte = {
        "filtre": {"form": demande},
        "compares": compares,
        "tableaux": tableaux,
        "proposes": proposes,
        "avertissement": AVERTISSEMENT,
        "exports": Format,
    }
    return render(request, "marches/comparaison.html", contexte, status=200 if lisible else 400)


def _compares(demande: DemandeDeComparaison, proposes: list[Acheteur]) -> list[Acheteur]:
    """La collectivité d'abord, si elle a dit ses SIREN."""
    siens = acheteurs_de_la_collectivite()
    premier = [Acheteur(siens, "La collectivité", 0, est_la_collectivite=True)] if siens else []
    return premier + [acheteur for acheteur in proposes if acheteur.perimetre in demande.cleaned_data["avec"]]


def _colonnes(compares: list[Acheteur]) -> list[ColonneEcrite]:
    noms = [acheteur.nom or acheteur.perimetre for acheteur in compares]
    debut = [ColonneEcrite("Calcul", largeur=50), ColonneEcrite("Année", Sorte.ENTIER, 8)]
    return debut + [ColonneEcrite(f"{nom}{suite}") for nom in noms for suite in ("", ", détail")]


def _lignes(tableaux: list[Tableau]) -> list[list[Any]]:
    return [
        [tableau.calcul.libelle, ligne.annee, *(t for c in ligne.cases for t in (c.texte or c.absence, c.detail))]
        for tableau in tableaux
        for ligne in tableau.lignes
    ]
