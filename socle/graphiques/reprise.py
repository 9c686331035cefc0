"""La figure telle que plotly la redessine dans le navigateur : mêmes valeurs, mêmes échelles, mêmes textes.

Elle est récrite à partir de ce qui a été compris, pas recopiée : le navigateur ne peut donc pas montrer
autre chose que le dessin du serveur.
"""

import json
from decimal import Decimal

from django.utils.safestring import SafeString, mark_safe

from socle import formats

from . import aspect, ecriture
from .composition import Composition, texte_de_legende
from .empilement import pile_complete
from .etiquettes import ValeurEcrite
from .modele import Axe, FigureLue, Serie
from .tableau import entete

# Au-delà, agrandir une partie de la courbe sert à quelque chose.
POINTS_A_AGRANDIR = 24
_PROTECTIONS = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}
_TYPES = {"categorie": "category", "date": "date", "annee": "linear", "nombre": "linear"}


def reprendre(c: Composition, ecrites: tuple[ValeurEcrite, ...]) -> SafeString:
    """Le JSON compact de la figure, protégé pour <script type="application/json"> ; '' s'il n'y en a pas.

    « cadre » dit au navigateur la taille du dessin du serveur et où commence ce que plotly en recouvre :
    légende et titre d'axe, au-dessus, restent ceux du serveur.
    Il n'y en a pas quand plotly dessinerait autrement que nous : une aire trouée, qu'il referme ou ramène à zéro.
    """
    if _aire_trouee(c.lue):
        return SafeString("")
    figure = {
        "data": [_trace(c, s, [e for e in ecrites if e.serie is s]) for s in c.lue.series],
        "layout": _mise_en_page(c),
        "cadre": {
            "largeur": c.largeur,
            "hauteur": c.hauteur,
            "haut": c.haut,
            "corps": ecriture.CORPS,
            "legende": c.lue.legende,
            "axe": _brut((c.lue.positions if c.lue.horizontale else c.lue.valeurs).titre),
        },
    }
    texte = json.dumps(figure, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return mark_safe(texte.translate(_PROTECTIONS))  # noqa: S308 - plus aucun <, > ni & n'y reste


def _aire_trouee(lue: FigureLue) -> bool:
    trous = any(s.remplie and any(p.valeur is None for p in s.points) for s in lue.courbes)
    return trous or not pile_complete(lue)


def _brut(texte: str) -> str:
    """plotly lit un peu de HTML dans les textes : rien de ce qui vient des données ne doit en être."""
    return texte.replace("&", "&amp;").replace("<", "&lt;")


def _nombre(v: Decimal) -> int | float:
    return int(v) if v == v.to_integral_value() else float(v)


# --- Traces -----------------------------------------------------------------------------------------


def _trace(c: Composition, serie: Serie, ecrites: list[ValeurEcrite]) -> dict:
    lue = c.lue
    lieux = [_brut(p.origine) if isinstance(p.origine, str) else p.origine for p in serie.points]
    valeurs = [None if p.valeur is None else _nombre(p.valeur) for p in serie.points]
    nom = entete(lue, serie) if not serie.nom else serie.nom
    trace = {
        "type": "bar" if serie.genre == "barre" else "scatter",
        "name": _brut(texte_de_legende(lue, serie) if lue.legende else nom),
        "x": valeurs if lue.horizontale else lieux,
        "y": lieux if lue.horizontale else valeurs,
        "hovertext": [
            "" if p.valeur is None else f"{_brut(p.libelle)}<br>{_brut(nom)} : {_brut(_entiere(serie, p.valeur))}"
            for p in serie.points
        ],
        "hoverinfo": "text",
    }
    textes = {e.rang: e for e in ecrites}
    trace["text"] = [_brut(textes[i].contenu) if i in textes else "" for i in range(len(serie.points))]
    if serie.genre == "barre":
        return trace | _aspect_des_barres(lue, serie) | _place_des_valeurs(lue, serie, textes)
    places = [textes[i].place if i in textes else "top center" for i in range(len(serie.points))]
    return trace | _aspect_de_la_courbe(serie, places if ecrites else [])


def _entiere(serie: Serie, valeur: Decimal) -> str:
    """La valeur et son unité, que le nom de la série ne dit pas déjà."""
    unite = "" if serie.unite.lower() == serie.nom.lower() else serie.unite
    return formats.formater_valeur(valeur, unite, serie.decimales)


def _aspect_des_barres(lue: FigureLue, serie: Serie) -> dict:
    contour = aspect.contour_de(serie.couleur) or "#ffffff"
    marqueur: dict = {
        "color": list(serie.couleurs) or serie.couleur,
        "line": {"color": contour, "width": 1 if lue.empilee or len(lue.barres) > 1 or contour != "#ffffff" else 0},
    }
    if serie.motif:
        marqueur["pattern"] = {
            "shape": serie.motif,
            "fillmode": "overlay",
            "fgcolor": "#ffffff",
            "fgopacity": 0.4,
            "size": 8,
            "solidity": 0.12 if serie.motif == "." else 0.2,
        }
    return {
        "orientation": "h" if lue.horizontale else "v",
        "marker": marqueur,
        "insidetextanchor": "middle",
        "insidetextfont": {
            "color": aspect.encre_sur(serie.couleur),
            "weight": 700,
            "shadow": _cerne(serie.couleur),
        },
        "outsidetextfont": {"color": aspect.ENCRE, "shadow": _cerne("#ffffff")},
        "textangle": 0,
        "constraintext": "none",
        "cliponaxis": False,
    }


def _place_des_valeurs(lue: FigureLue, serie: Serie, textes: dict[int, ValeurEcrite]) -> dict:
    """Dans la barre ou à son bout ; au cas par cas seulement quand des points disputent la place."""
    if lue.empilee or not lue.courbes:
        return {"textposition": "inside" if lue.empilee else "outside"}
    dedans = {i for i, ecrite in textes.items() if ecrite.dedans}
    return {"textposition": ["inside" if i in dedans else "outside" for i in range(len(serie.points))]}


def _cerne(couleur: str) -> str:
    """Une ombre de texte qui fait le tour des lettres."""
    return ",".join(f"{dx}px {dy}px 1px {couleur}" for dx, dy in ((1, 1), (-1, 1), (1, -1), (-1, -1)))


def _aspect_de_la_courbe(serie: Serie, places: list[str]) -> dict:
    voulus = (("lines", serie.avec_ligne), ("markers", serie.avec_marqueurs), ("text", bool(places)))
    modes = [mode for mode, oui in voulus if oui]
    trace: dict = {
        "mode": "+".join(modes) or "markers",
        "line": {
            "color": serie.couleur,
            "dash": serie.tiret,
            "width": serie.epaisseur,
            "shape": "hv" if serie.escalier else "linear",
        },
        "marker": {
            "color": serie.couleur,
            "symbol": serie.symbole,
            "size": serie.taille,
            "line": {"color": "#ffffff", "width": 1},
        },
        "connectgaps": False,
        "cliponaxis": False,
    }
    if places:
        trace |= {"textposition": places, "textfont": {"color": aspect.ENCRE, "shadow": _cerne("#ffffff")}}
    if serie.pile:
        trace |= {"stackgroup": serie.pile, "fillcolor": serie.couleur + "59"}
    elif serie.remplie:
        trace |= {"fill": "tozeroy", "fillcolor": serie.couleur + "2e"}
    return trace


# --- Axes et mise en page ---------------------------------------------------------------------------


def _mise_en_page(c: Composition) -> dict:
    lue = c.lue
    axes = (_axe_des_positions(c), _axe_des_valeurs(c))
    x, y = reversed(axes) if lue.horizontale else axes
    return {
        "barmode": "relative" if lue.empilee else "group",
        "bargap": round(max(0.0, 1 - c.bande / c.pas_px), 4),
        "separators": "," + formats.FINE,
        "showlegend": False,
        # À l'écran, la légende est celle du serveur ; celle-ci ne sert qu'à l'image téléchargée.
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        "margin": {"l": c.gauche, "r": c.largeur - c.droite, "t": 0, "b": c.hauteur - c.bas},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "font": {"color": aspect.ENCRE_DOUCE},
        "hovermode": "closest",
        "dragmode": False,
        "xaxis": x,
        "yaxis": y,
    } | _reperes(c)


def _reperes(c: Composition) -> dict:
    """Les traits et leurs textes, aux mêmes places que sur le dessin du serveur."""
    if not c.lue.reperes:
        return {}
    traits, textes = [], []
    for repere in c.lue.reperes:
        _, _, ancre = c.place_du_repere(repere)
        droite = ancre == "start"
        trait = {"type": "line", "xref": "x", "yref": "paper", "x0": repere.position, "x1": repere.position}
        traits.append(trait | {"y0": 0, "y1": 1, "line": {"color": aspect.ENCRE, "dash": "dash", "width": 1}})
        textes.append(
            {
                "x": repere.position,
                "y": 1,
                "yref": "paper",
                "text": _brut(repere.texte),
                "showarrow": False,
                "xanchor": "left" if droite else "right",
                "yanchor": "top",
            }
        )
    return {"shapes": traits, "annotations": textes}


def _axe(axe: Axe, en_bas: bool) -> dict:
    demande: dict = {
        "visible": axe.visible,
        "fixedrange": True,
        "tickangle": 0,
        # Un trait invisible écarte les textes de l'axe, comme sur le dessin du serveur.
        "ticks": "outside",
        "ticklen": 2,
        "tickcolor": "rgba(0,0,0,0)",
    }
    if axe.titre and en_bas:
        demande["title"] = {"text": _brut(axe.titre), "standoff": 4}
    return demande


def _axe_des_positions(c: Composition) -> dict:
    lue, e = c.lue, c.positions
    bords = (c.bas, c.haut) if lue.horizontale else (c.gauche, c.droite)
    axe = _axe(lue.positions, not lue.horizontale) | {
        "type": _TYPES[lue.positions.genre],
        "range": [_place(c, e.inverse(px)) for px in bords],
        "showgrid": False,
        "zeroline": False,
    }
    if lue.positions.genre == "categorie":
        axe |= {"categoryorder": "array", "categoryarray": [_brut(n) for n in lue.categories]}
    lieux = {p.position for s in lue.series for p in s.points}
    if not lue.barres and lue.positions.genre != "categorie" and len(lieux) > POINTS_A_AGRANDIR:
        # Agrandie, la courbe a besoin d'autres graduations : plotly les choisit.
        return axe | {"fixedrange": False} | ({"tickformat": "d"} if lue.positions.genre == "annee" else {})
    return axe | {
        "tickvals": [_graduation(c, etiquette.position) for etiquette in c.etiquettes],
        "ticktext": ["<br>".join(map(_brut, etiquette.lignes)) for etiquette in c.etiquettes],
    }


def _place(c: Composition, v: Decimal) -> float | str:
    """Une borne de l'axe des positions, comme plotly la lit."""
    if c.lue.positions.genre == "date":
        return ecriture.jour_en_date(float(v)).isoformat()
    return round(float(v), 6)


def _graduation(c: Composition, v: Decimal) -> float | str:
    return _brut(c.lue.categories[int(v)]) if c.lue.positions.genre == "categorie" else _place(c, v)


def _axe_des_valeurs(c: Composition) -> dict:
    bords = (c.gauche, c.droite) if c.lue.horizontale else (c.bas, c.haut)
    decimales = max(0, -int(c.pas.normalize().as_tuple().exponent))
    return _axe(c.lue.valeurs, c.lue.horizontale) | {
        "range": [float(c.valeurs.inverse(px)) for px in bords],
        "tickvals": [float(g.position) for g in c.graduations],
        "ticktext": [_brut(g.texte) for g in c.graduations],
        "tickformat": f",.{decimales}f" if decimales else ",d",
        "gridcolor": aspect.TRAIT,
        "zeroline": True,
        "zerolinecolor": aspect.ENCRE_DOUCE,
        "zerolinelayer": "above traces",
    }
