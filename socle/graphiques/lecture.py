"""De la figure plotly au modèle : rien n'est deviné, ce qui n'est pas compris est refusé.

plotly n'est pas importé : la figure se lit par son dictionnaire (`to_plotly_json`), que l'appelant paie déjà.
"""

import datetime
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from numbers import Integral, Real
from typing import TYPE_CHECKING

from django.utils import timezone

from . import aspect, demandes, ecriture
from .modele import Axe, FigureLue, GraphiqueNonPris, Point, Repere, Serie

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?")
_PLUS_GRAND = Decimal("1e30")
_TYPES_D_AXE = {"-": "", "linear": "nombre", "category": "categorie", "date": "date"}


def lire(figure: "Figure") -> FigureLue:
    """La figure comprise en entier, ou GraphiqueNonPris qui nomme ce qui ne l'est pas."""
    contenu = figure.to_plotly_json()
    layout = contenu.get("layout", {})
    traces = contenu.get("data", [])
    demandes.mise_en_page_admise(layout)
    for i, trace in enumerate(traces):
        demandes.trace_admise(trace, _nommer(trace, i))
    horizontale = _orientation(traces)
    positions, valeurs = _axes(layout, horizontale)
    cle_p, cle_v = ("y", "x") if horizontale else ("x", "y")
    brutes = [_colonnes(t, cle_p, cle_v, _nommer(t, i)) for i, t in enumerate(traces)]
    genre = _genre([p for b in brutes for p, _ in b], positions.genre)
    categories = tuple(dict.fromkeys(str(p) for b in brutes for p, _ in b)) if genre == "categorie" else ()
    points = [_points(b, genre, categories) for b in brutes]
    series = tuple(_serie(trace, i, points[i], layout, plusieurs=len(traces) > 1) for i, trace in enumerate(traces))
    _sans_doublon(series)
    empilee = demandes.parmi(layout, "barmode", "group", "layout") in ("stack", "relative")
    if layout.get("showlegend") is False and len(series) > 1:
        raise GraphiqueNonPris("layout : plusieurs séries sans légende (showlegend=False) ne se lisent pas.")
    return FigureLue(
        series=series,
        positions=replace(positions, genre=genre),
        valeurs=_unite_en_titre(valeurs, series),
        categories=categories,
        horizontale=horizontale,
        empilee=empilee,
        legende=bool(layout.get("showlegend", len(series) > 1)),
        ecart=min(0.9, float(layout.get("bargap", 0.3))),
        largeur=max(240, int(layout.get("width", 440))),
        hauteur=int(layout["height"]) if "height" in layout else None,
        reperes=_reperes(layout, genre, horizontale, [point.position for serie in series for point in serie.points]),
    )


def _reperes(layout: Mapping, genre: str, horizontale: bool, lieux: list[float]) -> tuple[Repere, ...]:
    formes = layout.get("shapes", ())
    if formes and (horizontale or genre not in ("annee", "nombre")):
        raise GraphiqueNonPris("layout.shapes : un repère se place sur un axe horizontal d'années ou de nombres.")
    for forme in formes:
        demandes.repere_admis(forme)
        if not lieux or not min(lieux) < forme["x0"] < max(lieux):
            raise GraphiqueNonPris(
                f"layout.shapes : le repère x={forme['x0']} n'est entre deux positions d'aucune série."
            )
    return tuple(Repere(float(forme["x0"]), forme["label"]["text"]) for forme in formes)


def _nommer(trace: Mapping, i: int) -> str:
    return f"trace {trace.get('name') or i + 1}"


def _orientation(traces: list[Mapping]) -> bool:
    """Vrai si la figure est faite de barres horizontales ; un mélange n'aurait pas d'axe commun."""
    sens = {t.get("orientation", "v") for t in traces}
    if len(sens) > 1:
        raise GraphiqueNonPris("orientation : barres horizontales et traces verticales ne se mêlent pas.")
    horizontale = sens == {"h"}
    if horizontale and any(t.get("type") != "bar" for t in traces):
        raise GraphiqueNonPris("orientation='h' n'est prise en charge que pour des barres.")
    return horizontale


# --- Axes -------------------------------------------------------------------------------------------


def _axes(layout: Mapping, horizontale: bool) -> tuple[Axe, Axe]:
    """(axe des positions, axe des valeurs), selon l'orientation."""
    noms = ("yaxis", "xaxis") if horizontale else ("xaxis", "yaxis")
    demande_p, demande_v = (layout.get(nom, {}) for nom in noms)
    demandes.n_accepter(demande_p, demandes.AXE, f"layout.{noms[0]}")
    demandes.n_accepter(demande_v, demandes.AXE_DES_VALEURS, f"layout.{noms[1]}")
    for nom, demande in zip(noms, (demande_p, demande_v), strict=True):
        if demande.get("type", "-") not in _TYPES_D_AXE:
            raise GraphiqueNonPris(f"layout.{nom} : type={demande['type']!r} n'est pas pris en charge.")
    if _TYPES_D_AXE[demande_v.get("type", "-")] not in ("", "nombre"):
        raise GraphiqueNonPris(f"layout.{noms[1]} : les valeurs se lisent sur un axe de nombres.")
    if demande_v.get("autorange") == "reversed":
        raise GraphiqueNonPris(f"layout.{noms[1]} : autorange='reversed' n'est pas pris en charge ici.")
    bornes = demande_v.get("range")
    mode = demandes.parmi(demande_v, "rangemode", "tozero", f"layout.{noms[1]}")
    return (
        Axe(
            genre=_TYPES_D_AXE[demande_p.get("type", "-")],
            titre=_titre(demande_p),
            visible=demande_p.get("visible", True),
            inverse=demande_p.get("autorange") == "reversed",
        ),
        Axe(
            titre=_titre(demande_v),
            visible=demande_v.get("visible", True),
            depuis_zero=mode == "tozero",
            bornes=_bornes(bornes, noms[1]) if bornes is not None else None,
        ),
    )


def _bornes(bornes: Iterable, nom: str) -> tuple[Decimal, Decimal]:
    mini, maxi = (_valeur(b, f"layout.{nom}, range") for b in bornes)
    if mini is None or maxi is None or mini >= maxi:
        raise GraphiqueNonPris(f"layout.{nom} : range va d'un nombre à un nombre plus grand.")
    return mini, maxi


def _titre(axe: Mapping) -> str:
    titre = axe.get("title") or {}
    return titre if isinstance(titre, str) else titre.get("text") or ""


def _unite_en_titre(valeurs: Axe, series: tuple[Serie, ...]) -> Axe:
    """Sans titre, l'axe des valeurs prend pour titre l'unité commune, quand elle est un mot."""
    unites = {s.unite for s in series}
    unite = unites.pop() if len(unites) == 1 else ""
    return valeurs if valeurs.titre or ecriture.unite_courte(unite) else replace(valeurs, titre=unite)


# --- Points -----------------------------------------------------------------------------------------


def _colonnes(trace: Mapping, cle_p: str, cle_v: str, ou: str) -> list[tuple[object, Decimal | None]]:
    """Les couples (position, valeur) d'une trace, les positions encore telles qu'écrites."""
    positions, valeurs = (_liste(trace.get(cle), f"{ou}, {cle}") for cle in (cle_p, cle_v))
    if len(positions) != len(valeurs):
        raise GraphiqueNonPris(f"{ou} : {len(positions)} positions ({cle_p}) pour {len(valeurs)} valeurs ({cle_v}).")
    if any(p is None for p in positions):
        raise GraphiqueNonPris(f"{ou} : une position ({cle_p}) est absente.")
    return [(p, _valeur(v, f"{ou}, {cle_v}")) for p, v in zip(positions, valeurs, strict=True)]


def _liste(brut: object, ou: str) -> list:
    if brut is None:
        return []
    if isinstance(brut, Mapping) or not isinstance(brut, Iterable):
        raise GraphiqueNonPris(f"{ou} : une liste est attendue.")
    return list(brut)


def _valeur(brut: object, ou: str) -> Decimal | None:
    """La valeur exacte ; None et NaN sont des valeurs manquantes."""
    if brut is None:
        return None
    if isinstance(brut, bool) or not isinstance(brut, Real | Decimal):
        raise GraphiqueNonPris(f"{ou} : {brut!r} n'est pas un nombre.")
    if isinstance(brut, Integral):
        v = Decimal(int(brut))
    else:
        v = brut if isinstance(brut, Decimal) else Decimal(repr(float(brut)))
    if v.is_nan():
        return None
    if abs(v) > _PLUS_GRAND:
        raise GraphiqueNonPris(f"{ou} : {brut!r} est hors de ce qui se dessine.")
    return v


def _genre(positions: list, demande: str) -> str:
    """Le genre d'axe demandé, ou celui qu'appellent ces positions : annee, nombre, date, categorie."""
    if demande in ("categorie", "date"):
        return demande
    if all(isinstance(p, datetime.date) for p in positions) and positions:
        return "date"
    if positions and all(isinstance(p, Real | Decimal) and not isinstance(p, bool) for p in positions):
        return "annee" if all(p == int(p) and 1000 <= p < 3000 for p in positions) else "nombre"
    if positions and all(isinstance(p, str) and _ISO.fullmatch(p) for p in positions):
        return "date"
    if any(not isinstance(p, str) for p in positions):
        raise GraphiqueNonPris("Les positions mêlent des textes, des nombres ou des dates.")
    return "categorie"


def _points(couples: list, genre: str, categories: tuple[str, ...]) -> tuple[Point, ...]:
    return tuple(Point(*_position(p, genre, categories), v) for p, v in couples)


def _position(brut, genre: str, categories: tuple[str, ...]) -> tuple[float, str, str | int | float]:
    """(coordonnée, libellé français, valeur pour plotly) d'une position."""
    if genre == "categorie":
        return float(categories.index(str(brut))), str(brut), str(brut)
    if genre == "date":
        instant = _instant(brut)
        return ecriture.date_en_jour(instant), ecriture.date(instant), instant.isoformat()
    if isinstance(brut, bool) or not isinstance(brut, Real | Decimal) or not math.isfinite(brut):
        raise GraphiqueNonPris(f"La position {brut!r} n'est pas un nombre.")
    lieu = float(brut)
    exact = int(lieu) if lieu.is_integer() else lieu
    return lieu, str(exact) if genre == "annee" else ecriture.nombre(Decimal(repr(exact))), exact


def _instant(brut) -> datetime.datetime:
    """Le jour ou l'heure d'une position, à l'heure de Paris s'il porte un fuseau."""
    if isinstance(brut, str):
        try:
            brut = datetime.datetime.fromisoformat(brut)
        except ValueError as erreur:
            raise GraphiqueNonPris(f"La position {brut!r} n'est pas une date.") from erreur
    if not isinstance(brut, datetime.date):
        raise GraphiqueNonPris(f"La position {brut!r} n'est pas une date.")
    if not isinstance(brut, datetime.datetime):
        brut = datetime.datetime.combine(brut, datetime.time())
    if timezone.is_aware(brut):
        brut = timezone.localtime(brut).replace(tzinfo=None)
    return brut.replace(microsecond=0)


# --- Séries -----------------------------------------------------------------------------------------


def _serie(trace: Mapping, rang: int, points: tuple[Point, ...], layout: Mapping, plusieurs: bool) -> Serie:
    ou = _nommer(trace, rang)
    meta = {**_meta(layout, "layout"), **_meta(trace, ou)}
    commun = {
        "rang": rang,
        "nom": trace.get("name") or (f"Série {rang + 1}" if plusieurs else ""),
        "unite": str(meta.get("unite", "")),
        "decimales": meta.get("decimales"),
        "points": points,
    }
    if trace.get("type") == "bar":
        return _barres(trace, commun, ou, plusieurs)
    return _courbe(trace, commun, ou, plusieurs)


def _meta(porteur: Mapping, ou: str) -> Mapping:
    """{"unite": "%", "decimales": 1}, l'un et l'autre facultatifs."""
    meta = porteur.get("meta") or {}
    if not isinstance(meta, Mapping):
        raise GraphiqueNonPris(f"{ou}, meta : un dictionnaire est attendu (unite, decimales).")
    return meta


def _couleur(brut: object, rang: int, ou: str) -> str:
    return aspect.PALETTE[rang % len(aspect.PALETTE)] if brut is None else aspect.lire_couleur(brut, ou)


def _barres(trace: Mapping, commun: dict, ou: str, plusieurs: bool) -> Serie:
    marqueur = trace.get("marker", {})
    brut = marqueur.get("color")
    couleurs: tuple[str, ...] = ()
    if isinstance(brut, list | tuple):
        if len(brut) != len(commun["points"]):
            raise GraphiqueNonPris(f"{ou}, marker.color : une couleur par barre est attendue.")
        couleurs = tuple(aspect.lire_couleur(c, ou) for c in brut)
        brut = couleurs[0] if couleurs else None
    rang = commun["rang"]
    motif = marqueur.get("pattern", {}).get("shape")
    if motif is None:
        motif = aspect.MOTIFS[rang % len(aspect.MOTIFS)] if plusieurs else ""
    if motif not in aspect.MOTIFS:
        raise GraphiqueNonPris(f"{ou}, marker.pattern : un seul motif par série est attendu.")
    return Serie(genre="barre", couleur=_couleur(brut, rang, ou), couleurs=couleurs, motif=motif, **commun)


def _courbe(trace: Mapping, commun: dict, ou: str, plusieurs: bool) -> Serie:
    ligne, marqueur, rang = trace.get("line", {}), trace.get("marker", {}), commun["rang"]
    pile = trace.get("stackgroup") or ""
    mode = trace.get("mode") or ("lines" if pile else "lines+markers")
    if set(mode.split("+")) - {"lines", "markers"}:
        raise GraphiqueNonPris(f"{ou} : mode={mode!r} n'est pas pris en charge (lines, markers).")
    symbole = marqueur.get("symbol") or aspect.SYMBOLES[rang % len(aspect.SYMBOLES) if plusieurs else 0]
    tiret = ligne.get("dash") or list(aspect.TIRETS)[rang % len(aspect.TIRETS) if plusieurs and not pile else 0]
    for nom, valeur, admis in (("symbol", symbole, aspect.SYMBOLES), ("dash", tiret, aspect.TIRETS)):
        if valeur not in admis:
            raise GraphiqueNonPris(f"{ou} : {nom}={valeur!r} n'est pas pris en charge ({', '.join(admis)}).")
    taille = marqueur.get("size", 8)
    if not isinstance(taille, Real):
        raise GraphiqueNonPris(f"{ou}, marker.size : une seule taille par série est attendue.")
    serie = Serie(
        genre="courbe",
        couleur=_couleur(ligne.get("color") or marqueur.get("color"), rang, ou),
        symbole=symbole,
        tiret=tiret,
        escalier=ligne.get("shape") == "hv",
        avec_ligne="lines" in mode,
        avec_marqueurs="markers" in mode,
        remplie=bool(pile) or trace.get("fill") == "tozeroy",
        pile=pile,
        epaisseur=float(ligne.get("width", 2.5)),
        taille=float(taille),
        **commun,
    )
    # Un point entre deux trous n'a pas de ligne : sans marqueur, il disparaîtrait.
    isole = any(len(morceau) == 1 for morceau in serie.morceaux())
    return replace(serie, avec_marqueurs=True) if isole else serie


def _sans_doublon(series: tuple[Serie, ...]) -> None:
    """Deux barres d'une série à la même place se cacheraient ; les piles demandent la même chose."""
    for serie in series:
        places = sorted(p.position for p in serie.points)
        if (serie.genre == "barre" or serie.pile) and any(a == b for a, b in pairwise(places)):
            raise GraphiqueNonPris(f"{serie.nom or 'La série'} a deux valeurs à la même position.")
