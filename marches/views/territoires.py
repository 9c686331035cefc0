"""Où vont les achats d'une année : la répartition par territoire, et les enregistrements derrière chaque nombre."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from comptes.droits import Droit, exiger
from marches.achats import Source, achats_de, annee_par_defaut, annees, source_par_defaut
from marches.communes import departements, nom_de
from marches.exports import Format, exporter, format_demande
from marches.models import Contrat, Territoire, TotalDeMandats
from marches.repartition import Achat, Decoupage, Part, Repartition, Zone, repartir, retenir
from marches.views.commun import LIGNES_PAR_PAGE
from socle.ecriture import ColonneEcrite, Sorte

COMMUNES_MONTREES = 40
_COLONNES = [
    ColonneEcrite("Enregistrement", largeur=50),
    ColonneEcrite("Tiers", largeur=40),
    ColonneEcrite("SIRET", largeur=16),
    ColonneEcrite("Commune", largeur=24),
    ColonneEcrite("Zone", largeur=30),
    ColonneEcrite("Compté", Sorte.NOMBRE, 16),
]


class DemandeDeRepartition(forms.Form):
    """Ce que la page montre : tout est dans l'adresse."""

    annee = forms.TypedChoiceField(label="Année", coerce=int, required=False)
    source = forms.ChoiceField(label="Source", choices=Source.choices, required=False)
    premier = forms.ModelChoiceField(
        Territoire.objects.all(), label="Premier territoire", to_field_name="code", required=False, empty_label=None
    )
    second = forms.ModelChoiceField(
        Territoire.objects.all(), label="Second territoire", to_field_name="code", required=False, empty_label="Aucun"
    )
    zone = forms.ChoiceField(required=False, choices=[(zone.value, zone.value) for zone in Zone])
    commune = forms.CharField(required=False, max_length=5)
    siret = forms.CharField(required=False, max_length=14)

    def __init__(self, donnees: Any, paire: list[Territoire]) -> None:
        proposes = annees()
        depart: dict[str, Any] = {"annee": annee_par_defaut() or "", "source": source_par_defaut()}
        depart |= dict(zip(("premier", "second"), (territoire.code for territoire in paire), strict=False))
        super().__init__({**depart, **{nom: donnees[nom] for nom in self.base_fields if nom in donnees}})
        self.fields["annee"].choices = [(annee, annee) for annee in proposes]  # type: ignore[attr-defined]
        for nom in ("zone", "commune", "siret"):
            self.fields[nom].widget = forms.HiddenInput()

    def visibles(self) -> list[forms.BoundField]:
        return [self[nom] for nom in ("annee", "source", "premier", "second")]


@dataclass(frozen=True)
class Vue:
    """Ce que la demande choisit, prêt à montrer."""

    annee: int
    source: Source
    decoupage: Decoupage
    achats: list[Achat]
    repartition: Repartition

    def nom_de(self, zone: Zone) -> str:
        premier, second = self.decoupage.premier, self.decoupage.second
        noms = departements()
        dits = ", ".join(noms.get(code, code) for code in sorted(self.decoupage.departements))
        emboite = second is not None and set(premier.communes) & set(second.communes)
        return {
            Zone.PREMIER: str(premier),
            Zone.SECOND: f"{second}, hors {premier}" if emboite else str(second),
            Zone.RESTE: f"Reste du département ({dits})",
            Zone.AILLEURS: "Ailleurs",
            Zone.INCONNUE: "Lieu inconnu",
        }[zone]

    @property
    def lignes(self) -> list[tuple[str, Any]]:
        return [(self.nom_de(ligne.zone), ligne) for ligne in self.repartition.zones]

    @property
    def communes(self) -> list[tuple[str, Any]]:
        return [(self.nom_de(ligne.zone), ligne) for ligne in self.repartition.communes[:COMMUNES_MONTREES]]

    @property
    def tiers(self) -> list[tuple[str, Any]]:
        return [(self.nom_de(ligne.zone), ligne) for ligne in self.repartition.tiers]


def paire_par_defaut() -> list[Territoire]:
    """Celle du réglage TERRITOIRES_COMPARES ; sinon les deux territoires qui ont le moins de communes."""
    tous = {territoire.code: territoire for territoire in Territoire.objects.all()}
    choisis = [tous[code] for code in settings.TERRITOIRES_COMPARES if code in tous]
    return choisis or sorted(tous.values(), key=lambda t: (len(t.communes) or 10**6, t.code))[:2]


@require_safe
def territoires(request: HttpRequest) -> HttpResponse:
    """La répartition d'une année ; avec une zone, une commune ou un tiers, les enregistrements qu'elle compte."""
    exiger(request.user, Droit.CONSULTER)
    paire = paire_par_defaut()
    demande = DemandeDeRepartition(request.GET, paire)
    if not paire or not demande.fields["annee"].choices:  # type: ignore[attr-defined]
        return render(request, "marches/territoires.html", {"sans_territoire": not paire})
    if not demande.is_valid():
        return render(request, "marches/territoires.html", {"demande": demande, "illisible": True}, status=400)
    lu = demande.cleaned_data
    source, decoupage = Source(lu["source"]), Decoupage(lu["premier"] or paire[0], _second(lu))
    achats = achats_de(source, lu["annee"])
    vue = Vue(lu["annee"], source, decoupage, achats, repartir(achats, decoupage))
    contexte = {"demande": demande, "vue": vue, "exports": Format}
    if not any(lu[nom] for nom in ("zone", "commune", "siret")) and "format" not in request.GET:
        return render(request, "marches/territoires.html", contexte)
    return _montrer_la_liste(request, vue, lu, contexte)


def _second(lu: dict[str, Any]) -> Territoire | None:
    return lu["second"] if lu["second"] != lu["premier"] else None


def _montrer_la_liste(request: HttpRequest, vue: Vue, lu: dict[str, Any], contexte: dict[str, Any]) -> HttpResponse:
    zone = Zone(lu["zone"]) if lu["zone"] else None
    parts = retenir(vue.achats, vue.decoupage, zone, lu["commune"], lu["siret"])
    titre = vue.nom_de(zone) if zone else nom_de(lu["commune"]) or lu["siret"] or "Toutes les zones"
    if forme := format_demande(request):
        filtres = [("Année", str(vue.annee)), ("Source", str(vue.source.label)), ("Lignes", titre)]
        lignes = _en_clair(vue, parts)
        return exporter(request, forme, sujet="Territoires", colonnes=_COLONNES, lignes=lignes, filtres=filtres)
    page = Paginator(parts, LIGNES_PAR_PAGE).get_page(request.GET.get("page"))
    contexte |= {"titre": titre, "page": page, "lignes": _en_clair(vue, list(page)), "cles": _cles(vue, list(page))}
    contexte["somme"] = sum(part.poids for part in parts)
    contexte["detail"] = list(zip(contexte["lignes"], contexte["cles"], strict=True))
    return render(request, "marches/territoires_liste.html", contexte)


def _objets(vue: Vue, parts: list[Part]) -> dict[int, Any]:
    modele: Any = TotalDeMandats.objects.select_related("import_de_mandats__budget")
    if vue.source.base is None:
        modele = Contrat.objects.all()
    return modele.in_bulk([part.achat.cle for part in parts])


def _cles(vue: Vue, parts: list[Part]) -> list[str]:
    """L'adresse du contrat de chaque ligne ; un total de mandats n'a pas de page."""
    if vue.source.base is not None:
        return [""] * len(parts)
    objets = _objets(vue, parts)
    return [objets[part.achat.cle].get_absolute_url() for part in parts]


def _en_clair(vue: Vue, parts: list[Part]) -> list[list[Any]]:
    objets = _objets(vue, parts)
    return [_ligne(vue, part, objets[part.achat.cle]) for part in parts]


def _ligne(vue: Vue, part: Part, objet: Any) -> list[Any]:
    tiers = part.achat.tiers
    communes = sorted({nom_de(t.commune) for t in tiers if t.commune})
    quoi = str(objet) if vue.source.base is None else f"{objet.import_de_mandats.budget}, code postal {_cp(objet)}"
    return [
        quoi,
        " ; ".join(t.nom for t in tiers if t.nom),
        " ; ".join(t.siret for t in tiers if t.siret),
        " ; ".join(communes),
        vue.nom_de(part.zone),
        round(part.poids, 2),
    ]


def _cp(total: TotalDeMandats) -> str:
    return total.code_postal or "non renseigné"
