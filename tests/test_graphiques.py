"""Le dessin dit exactement ce que dit la figure : on le relit comme un lecteur, par ses axes.

L'échelle est retrouvée dans le SVG (graduations écrites et leur place), jamais demandée au code essayé.
"""

import datetime
import hashlib
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import plotly.graph_objects as go
import plotly.offline
import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from socle import formats
from socle.couleurs import contraste
from socle.graphiques import PALETTE, Graphique, GraphiqueNonPris, graphique

RACINE = Path(__file__).resolve().parent.parent
VENDOR = RACINE / "static" / "vendor"
ANNEES = [2019, 2020, 2021, 2022, 2023]
SVG = "{http://www.w3.org/2000/svg}"


# --- Relire un dessin -------------------------------------------------------------------------------


def dessiner(figure: go.Figure, **options) -> Graphique:
    champs = {"cle": "essai", "titre": "Essai", "description": "Une figure d'essai."}
    return graphique(figure, **(champs | options))


def lire(g: Graphique) -> ET.Element:
    return ET.fromstring(g.svg)  # noqa: S314 - c'est nous qui l'avons écrit


def elements(g: Graphique, classe: str) -> list[ET.Element]:
    return [e for e in lire(g).iter() if classe in e.get("class", "").split()]


def textes(g: Graphique, classe: str) -> list[str]:
    return [e.text for e in elements(g, classe)]


def nombre_lu(texte: str) -> float:
    facteur = {"M": 1e6, "Md": 1e9}
    chiffres, *reste = texte.replace("%", "").split(" ")
    brut = float(formats.lire_nombre(chiffres.rstrip(formats.INSECABLE)))
    return brut * facteur.get(reste[0], 1) if reste else brut


def echelle(g: Graphique, axe: str = "y"):
    """La fonction qui rend la valeur d'une coordonnée, d'après les graduations écrites.

    Un texte se pose sur sa ligne de base, décalée d'autant pour tous : seules comptent leurs distances au
    quadrillage, lu dans le chemin « grille ».
    """
    valeurs = [nombre_lu(t) for t in textes(g, "graduation")]
    (grille,) = elements(g, "grille")
    traits = [morceau for morceau in grille.get("d").split("M") if morceau]
    if axe == "y":
        places = [float(t.split(" ")[1].split("H")[0]) for t in traits]
    else:
        places = [float(t.split(" ")[0]) for t in traits]
    (v0, v1), (p0, p1) = (valeurs[0], valeurs[-1]), (places[0], places[-1])
    for v, p in zip(valeurs, places, strict=True):
        assert p == pytest.approx(p0 + (v - v0) / (v1 - v0) * (p1 - p0), abs=0.02)
    return lambda px: v0 + (px - p0) / (p1 - p0) * (v1 - v0), abs((v1 - v0) / (p1 - p0))


def barres_lues(g: Graphique, axe: str = "y") -> dict[tuple[int, int], tuple[float, float]]:
    """(série, rang) → (bas, haut) de chaque barre, en valeurs."""
    valeur, _ = echelle(g, axe)
    cote, longueur = ("y", "height") if axe == "y" else ("x", "width")
    lues = {}
    for rect in elements(g, "barre"):
        a = float(rect.get(cote))
        b = a + float(rect.get(longueur))
        lues[int(rect.get("data-serie")), int(rect.get("data-rang"))] = tuple(sorted((valeur(a), valeur(b))))
    return lues


def points_lus(g: Graphique) -> dict[tuple[int, int], float]:
    valeur, _ = echelle(g)
    return {
        (int(e.get("data-serie")), int(e.get("data-rang"))): valeur(float(e.get("cy"))) for e in elements(g, "point")
    }


def proche(g: Graphique, attendu: float, axe: str = "y"):
    """À deux centièmes d'unité de dessin près : l'arrondi des coordonnées écrites."""
    return pytest.approx(attendu, abs=0.02 * echelle(g, axe)[1] + 1e-9)


valeurs_ou_trous = st.lists(
    st.none()
    | st.integers(-(10**6), 10**6)
    | st.decimals(min_value=-(10**4), max_value=10**4, places=2)
    | st.floats(-(10**15), 10**15).map(lambda x: round(x, 3)),
    min_size=1,
    max_size=8,
)


# --- Barres -----------------------------------------------------------------------------------------


@given(valeurs_ou_trous)
def test_chaque_barre_va_de_zero_a_la_valeur_de_la_figure(valeurs):
    g = dessiner(go.Figure(go.Bar(x=[f"c{i}" for i in range(len(valeurs))], y=valeurs)))
    if all(v is None for v in valeurs):
        assert textes(g, "vide") == ["Aucune donnée à représenter"]
        return
    if max(abs(v) for v in valeurs if v is not None) >= 10**15:
        return  # graduations « × 10¹⁵ », relues à part
    lues = barres_lues(g)
    assert set(lues) == {(0, i) for i, v in enumerate(valeurs) if v is not None}
    for (_, i), (bas, haut) in lues.items():
        assert bas == proche(g, min(0, float(valeurs[i])))
        assert haut == proche(g, max(0, float(valeurs[i])))


@given(st.lists(st.tuples(*[st.none() | st.integers(-500, 500)] * 3), min_size=1, max_size=5))
def test_les_barres_empilees_s_ajoutent_chaque_signe_de_son_cote(lignes):
    x = [f"c{i}" for i in range(len(lignes))]
    series = list(zip(*lignes, strict=True))
    g = dessiner(
        go.Figure([go.Bar(x=x, y=s, name=f"s{i}") for i, s in enumerate(series)]).update_layout(barmode="stack")
    )
    if all(v is None for s in series for v in s):
        return
    lues = barres_lues(g)
    for i in range(len(lignes)):
        sommets = {True: 0, False: 0}
        for rang, serie in enumerate(series):
            v = serie[i]
            if v is None:
                assert (rang, i) not in lues
                continue
            debut, sommets[v < 0] = sommets[v < 0], sommets[v < 0] + v
            assert lues[rang, i][0] == proche(g, min(debut, debut + v))
            assert lues[rang, i][1] == proche(g, max(debut, debut + v))


def test_la_barre_de_progression_partage_sa_longueur_selon_les_comptes():
    g = dessiner(progression())
    largeurs = [float(r.get("width")) for r in elements(g, "barre")]
    assert [v / sum(largeurs) * 12 for v in largeurs] == pytest.approx([4, 5, 3], abs=0.01)
    assert textes(g, "valeur") == ["4", "5", "3"]
    assert textes(g, "legende") == ["Terminée : 4", "En cours : 5", "Non initiée : 3"]


def progression(comptes=(4, 5, 3)) -> go.Figure:
    noms = ("Terminée", "En cours", "Non initiée")
    barres = [go.Bar(y=["Plan"], x=[n], name=nom, orientation="h") for nom, n in zip(noms, comptes, strict=True)]
    figure = go.Figure(barres).update_layout(barmode="stack")
    return figure.update_xaxes(visible=False).update_yaxes(visible=False)


def test_les_barres_horizontales_se_lisent_sur_l_axe_du_bas():
    g = dessiner(go.Figure(go.Bar(y=["Un", "Deux", "Trois"], x=[12, -4, 0.5], orientation="h")))
    lues = barres_lues(g, "x")
    assert [lues[0, i] for i in range(3)] == [proche_de((0, 12), g), proche_de((-4, 0), g), proche_de((0, 0.5), g)]
    assert sorted(textes(g, "valeur")) == sorted(["12", f"{formats.MOINS}4", "0,5"])


def proche_de(couple: tuple[float, float], g: Graphique):
    return pytest.approx(couple, abs=0.02 * echelle(g, "x")[1])


def test_les_barres_groupees_sont_cote_a_cote_et_ne_se_recouvrent_pas():
    figure = go.Figure([go.Bar(x=ANNEES, y=[1, 2, 3, 4, 5], name=nom) for nom in ("A", "B")])
    bords = sorted((float(r.get("x")), float(r.get("width"))) for r in elements(dessiner(figure), "barre"))
    assert len(bords) == 10
    assert all(x + large <= suivant + 0.02 for (x, large), (suivant, _) in pairwise(bords))


def test_un_zero_est_dessine_a_zero_avec_son_etiquette():
    g = dessiner(go.Figure(go.Bar(x=ANNEES, y=[0, 3, None, 2, 1])))
    assert barres_lues(g)[0, 0] == (proche(g, 0), proche(g, 0))
    assert textes(g, "valeur") == ["0", "3", "2", "1"]


def test_une_valeur_manquante_ne_laisse_ni_barre_ni_etiquette_mais_garde_sa_place():
    g = dessiner(go.Figure(go.Bar(x=ANNEES, y=[5, None, float("nan"), 2, 1])))
    assert set(barres_lues(g)) == {(0, 0), (0, 3), (0, 4)}
    assert textes(g, "position") == [str(a) for a in ANNEES]


def test_une_annee_absente_de_la_figure_laisse_un_vide_sur_l_axe():
    g = dessiner(go.Figure(go.Bar(x=[2019, 2020, 2023], y=[1, 1, 1])))
    x = [float(r.get("x")) for r in elements(g, "barre")]
    assert (x[2] - x[1]) / (x[1] - x[0]) == pytest.approx(3, abs=0.01)


def test_une_seule_annee_n_emplit_pas_l_ecran():
    g = dessiner(go.Figure(go.Bar(x=[2023], y=[53], meta={"unite": "%"})))
    (barre,) = elements(g, "barre")
    assert float(barre.get("width")) <= 64
    assert textes(g, "valeur") == [f"53{formats.INSECABLE}%"]
    assert textes(g, "position") == ["2023"]


def test_rien_que_des_zeros_se_dessine():
    g = dessiner(go.Figure(go.Bar(x=ANNEES, y=[0] * 5)))
    assert textes(g, "valeur") == ["0"] * 5
    assert "NaN" not in g.svg
    assert dessiner(progression((0, 0, 0))).svg.count("Terminée : 0") == 1


def test_les_tres_grands_nombres_se_lisent_en_milliards():
    g = dessiner(go.Figure(go.Bar(x=ANNEES, y=[12_000_000_000, 48_500_000_000, 0, None, 3], meta={"unite": "€"})))
    assert textes(g, "graduation")[-1] == "50 Md €"
    assert g.tableau.lignes[1][1] == formats.formater_nombre(48_500_000_000)


def test_au_dela_des_milliards_la_puissance_de_dix_est_ecrite():
    g = dessiner(go.Figure(go.Bar(x=[2023], y=[4 * 10**16])))
    assert textes(g, "graduation")[-1] == "40 × 10¹⁵"


# --- Courbes ----------------------------------------------------------------------------------------


@given(valeurs_ou_trous)
def test_chaque_point_est_a_la_hauteur_de_sa_valeur_et_les_trous_restent_vides(valeurs):
    x = list(range(2000, 2000 + len(valeurs)))
    g = dessiner(go.Figure(go.Scatter(x=x, y=valeurs, mode="lines+markers")))
    presentes = {i for i, v in enumerate(valeurs) if v is not None}
    if not presentes or max(abs(v) for v in valeurs if v is not None) >= 10**15:
        return
    lus = points_lus(g)
    assert set(lus) == {(0, i) for i in presentes}
    for (_, i), lu in lus.items():
        assert lu == proche(g, float(valeurs[i]))
    suites = sum(1 for i in presentes if i - 1 not in presentes and i + 1 in presentes)
    assert len(elements(g, "ligne")) == suites


def test_les_points_sont_places_selon_les_dates():
    dates = [datetime.date(2023, 1, 1), datetime.date(2023, 1, 11), datetime.date(2023, 3, 2)]
    points = elements(dessiner(go.Figure(go.Scatter(x=dates, y=[1, 2, 3]))), "point")
    x = [float(p.get("cx")) for p in points]
    assert (x[2] - x[0]) / (x[1] - x[0]) == pytest.approx(6, abs=0.01)


def test_une_annee_seule_montre_son_point_et_sa_valeur():
    g = dessiner(go.Figure(go.Scatter(x=[2023], y=[25.3], mode="lines", meta={"unite": "%"})))
    assert points_lus(g) == {(0, 0): proche(g, 25.3)}
    assert textes(g, "valeur") == [f"25,3{formats.INSECABLE}%"]
    assert textes(g, "position") == ["2023"]


def test_un_point_isole_entre_deux_trous_garde_un_marqueur():
    g = dessiner(go.Figure(go.Scatter(x=ANNEES, y=[1, None, 2, None, 3], mode="lines")))
    assert len(elements(g, "point")) == 3
    assert "markers" in json.loads(g.json)["data"][0]["mode"]


def test_les_aires_empilees_ne_comptent_pas_un_manque_pour_zero():
    figure = go.Figure(
        [
            go.Scatter(x=[1, 2, 3], y=[1, None, 1], stackgroup="a", mode="lines+markers", name="A"),
            go.Scatter(
                x=[1, 2, 3], y=[2, 2, 2], stackgroup="a", mode="lines+markers", name="B", marker_symbol="circle"
            ),
        ]
    )
    g = dessiner(figure)
    lus = points_lus(g)
    assert set(lus) == {(0, 0), (0, 2), (1, 0), (1, 2)}
    assert lus[1, 0] == proche(g, 3)
    assert g.json == ""  # plotly mettrait zéro : le dessin du serveur reste seul


def test_une_courbe_part_de_zero_sauf_demande_contraire():
    figure = go.Figure(go.Scatter(x=ANNEES, y=[1000, 1001, 1002, 1001, 1003]))
    assert textes(dessiner(figure), "graduation")[0] == "0"
    assert textes(dessiner(figure.update_yaxes(rangemode="normal")), "graduation")[0] == f"1{formats.FINE}000"


def test_un_escalier_garde_sa_valeur_jusqu_a_la_position_suivante():
    (ligne,) = elements(dessiner(go.Figure(go.Scatter(x=[2020, 2021], y=[1, 3], line_shape="hv"))), "ligne")
    assert "H" in ligne.get("d")
    assert "V" in ligne.get("d")


# --- Repères ----------------------------------------------------------------------------------------


def repere(x: float = 2020.5, **autres) -> dict:
    trait = {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper"}
    return trait | {"line": {"dash": "dash"}, "label": {"text": "Rupture"}} | autres


def coupee(**autres) -> go.Figure:
    return go.Figure(go.Bar(x=ANNEES, y=[12, 30, 31, 40, 90], name="Valeur"), {"shapes": [repere(**autres)]})


def test_un_repere_se_dessine_entre_les_deux_barres_qu_il_separe_avec_son_mot():
    g = dessiner(coupee())
    (trait,) = elements(g, "repere")
    x = float(trait.get("d").split(" ")[0].removeprefix("M"))
    barres = {e.get("data-rang"): e for e in elements(g, "barre")}
    fin_de_2020 = float(barres["1"].get("x")) + float(barres["1"].get("width"))
    assert fin_de_2020 < x < float(barres["2"].get("x"))
    assert trait.get("stroke-dasharray")
    assert textes(g, "texte-repere") == ["Rupture"]


def test_le_mot_d_un_repere_proche_du_bord_reste_dans_le_cadre():
    (mot,) = elements(dessiner(coupee(x=2022.9, label={"text": "Un mot de repère bien plus long"})), "texte-repere")
    assert mot.get("text-anchor") == "end"


def test_aucune_valeur_ne_s_ecrit_sur_le_mot_d_un_repere():
    figure = go.Figure(go.Bar(x=[2022, 2023], y=[90, 100]), {"shapes": [repere(2022.5)]})
    g = dessiner(figure)
    (mot,) = elements(g, "texte-repere")
    debut, fin = float(mot.get("x")), float(mot.get("x")) + 45
    for ecrite in elements(g, "valeur"):
        ecarte = abs(float(ecrite.get("y")) - float(mot.get("y"))) >= 10
        assert ecarte or not debut < float(ecrite.get("x")) < fin


def test_la_reprise_porte_le_repere_et_son_mot_echappe():
    disposition = json.loads(dessiner(coupee(label={"text": "<b>Rupture"})).json)["layout"]
    (trait,), (mot,) = disposition["shapes"], disposition["annotations"]
    assert (trait["x0"], trait["x1"], trait["y0"], trait["y1"]) == (2020.5, 2020.5, 0, 1)
    assert trait["line"]["dash"] == "dash"
    assert (mot["x"], mot["text"], mot["showarrow"]) == (2020.5, "&lt;b>Rupture", False)


def test_le_tableau_dit_le_repere_a_la_position_qui_le_suit():
    assert [ligne[0] for ligne in dessiner(coupee()).tableau.lignes] == [
        *("2019", "2020", "2021 (rupture)", "2022", "2023")
    ]


@pytest.mark.parametrize(
    "autres",
    [
        {"type": "rect"},
        {"x1": 2021.5},
        {"x0": None, "x1": None},
        {"x0": "2020", "x1": "2020"},
        {"y1": 0.5},
        {"yref": "y"},
        {"label": {}},
        {"label": {"text": "Rupture", "textangle": 90}},
        {"line": {"dash": "dot"}},
        {"line": {"dash": "dash", "color": "#112233"}},
        {"fillcolor": "#112233"},
        {"x": 2018.5},
        {"x": 2023.5},
    ],
    ids=str,
)
def test_un_repere_que_l_on_ne_dessinerait_pas_est_refuse(autres):
    with pytest.raises(GraphiqueNonPris, match="shapes"):
        dessiner(coupee(**autres))


@pytest.mark.parametrize(
    "figure",
    [
        go.Figure(go.Bar(x=["a", "b"], y=[1, 2])),
        go.Figure(go.Bar(x=[1, 2], y=[2020, 2021], orientation="h")),
        go.Figure(),
    ],
    ids=["categories", "horizontale", "vide"],
)
def test_un_repere_sur_un_axe_qui_n_en_prend_pas_est_refuse(figure):
    with pytest.raises(GraphiqueNonPris, match="shapes"):
        dessiner(figure.update_layout(shapes=[repere()]))


# --- Refus ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "nomme"),
    [
        (go.Figure(go.Pie(values=[1])), "pie"),
        (go.Figure(go.Heatmap(z=[[1]])), "heatmap"),
        (go.Figure(go.Bar(x=[1], y=[1], error_y={"array": [1]})), "error_y"),
        (go.Figure(go.Bar(x=[1], y=[1], base=3)), "base"),
        (go.Figure(go.Bar(x=[1], y=[1], text=["a"])), "text"),
        (go.Figure(go.Bar(x=[1], y=[1], yaxis="y2")), "yaxis"),
        (go.Figure(go.Bar(x=[1], y=[1], marker_color="red")), "#rrggbb"),
        (go.Figure(go.Bar(x=[1, 2], y=[1])), "2 positions"),
        (go.Figure(go.Bar(x=["a", "a"], y=[1, 2])), "même position"),
        (go.Figure(go.Bar(x=["a"], y=["12"])), "n'est pas un nombre"),
        (go.Figure(go.Bar(x=["a"], y=[float("inf")])), "hors de"),
        (go.Figure(go.Bar(x=[None], y=[1])), "absente"),
        (go.Figure(go.Bar(x=["a", 2], y=[1, 2])), "mêlent"),
        (go.Figure(go.Scatter(x=[1], y=[1], mode="text")), "text"),
        (go.Figure(go.Scatter(x=[1], y=[1], fill="tonexty")), "tonexty"),
        (go.Figure(go.Scatter(x=[1], y=[1], line_shape="spline")), "spline"),
        (go.Figure(go.Scatter(x=[1], y=[1], connectgaps=True)), "connectgaps"),
        (go.Figure([go.Bar(x=[1], y=["a"], orientation="h"), go.Scatter(x=[1], y=[1])]), "orientation"),
        (go.Figure(go.Bar(x=[1], y=[1]), {"barmode": "overlay"}), "overlay"),
        (go.Figure(go.Bar(x=[1], y=[1]), {"barnorm": "percent"}), "barnorm"),
        (go.Figure(go.Bar(x=[1], y=[1]), {"title": {"text": "T"}}), "title"),
        (go.Figure(go.Bar(x=[1], y=[1]), {"shapes": [{"type": "line"}]}), "shapes"),
        (go.Figure(go.Bar(x=[1], y=[1]), {"yaxis": {"type": "log"}}), "log"),
        (go.Figure(go.Bar(x=[1], y=[1]), {"xaxis": {"range": [0, 3]}}), "range"),
        (go.Figure([go.Bar(x=[1], y=[1])] * 2, {"showlegend": False}), "showlegend"),
    ],
)
def test_ce_qui_ne_se_dessine_pas_est_refuse_par_son_nom(figure, nomme):
    with pytest.raises(GraphiqueNonPris, match=nomme):
        dessiner(figure)


@pytest.mark.parametrize("cle", ["", "É", "a b", "1a", 'a"', "A"])
def test_une_cle_qui_n_est_pas_un_identifiant_est_refusee(cle):
    with pytest.raises(ValueError, match="cle="):
        dessiner(go.Figure(), cle=cle)


# --- Tableau ----------------------------------------------------------------------------------------


def test_le_tableau_porte_chaque_valeur_de_la_figure_avec_son_unite():
    figure = go.Figure(
        [
            go.Bar(x=[2022, 2023], y=[1234, None], name="Marchés"),
            go.Bar(x=[2022, 2023], y=[Decimal("25.30"), 0], name="Part", meta={"unite": "%", "decimales": 1}),
        ]
    )
    tableau = dessiner(figure, titre="Les marchés").tableau
    assert tableau.legende == "Les marchés"
    assert tableau.entetes == ("Année", "Marchés", "Part (%)")
    assert tableau.lignes == (
        ("2022", f"1{formats.FINE}234", "25,3"),
        ("2023", "non renseigné", "0,0"),
    )


@given(valeurs_ou_trous)
def test_le_tableau_se_relit_en_la_figure(valeurs):
    g = dessiner(go.Figure(go.Scatter(x=list(range(len(valeurs))), y=valeurs, name="V")))
    relues = [
        None
        if c == "non renseigné"
        else Decimal(c.replace(formats.FINE, "").replace(",", ".").replace(formats.MOINS, "-"))
        for _, c in g.tableau.lignes
    ]
    assert relues == [None if v is None else Decimal(repr(v)) if isinstance(v, float) else v for v in valeurs]


def test_les_lignes_du_tableau_suivent_l_axe_et_reunissent_les_series():
    figure = go.Figure(
        [
            go.Bar(x=[2023, 2021], y=[3, 1], name="Valeur"),
            go.Scatter(x=[2021, 2022], y=[5, 6], name="Objectif"),
        ]
    )
    assert dessiner(figure).tableau.lignes == (
        ("2021", "1", "5"),
        ("2022", "non renseigné", "6"),
        ("2023", "3", "non renseigné"),
    )


def test_deux_valeurs_d_une_courbe_le_meme_jour_ont_chacune_leur_ligne():
    g = dessiner(go.Figure(go.Scatter(x=["2023-12-31", "2023-12-31"], y=[1, 2])))
    assert g.tableau.lignes == (("31/12/2023", "1"), ("31/12/2023", "2"))


@pytest.mark.parametrize("figure", [go.Figure(), go.Figure(go.Bar()), go.Figure(go.Scatter(x=[], y=[]))])
def test_une_figure_sans_point_dit_qu_il_n_y_a_rien(figure):
    g = dessiner(figure)
    assert textes(g, "vide") == ["Aucune donnée à représenter"]
    assert g.tableau.lignes == ()
    assert g.tableau.phrase == "Aucune donnée à représenter."
    assert g.json == ""


def test_une_figure_dont_tout_manque_garde_ses_lignes():
    g = dessiner(go.Figure(go.Bar(x=ANNEES, y=[None] * 5)))
    assert textes(g, "vide")
    assert g.tableau.lignes[0] == ("2019", "non renseigné")


# --- Balises, accessibilité, sûreté -----------------------------------------------------------------

MECHANT = '</script><b onload="x">&\'"'


def figure_mechante() -> go.Figure:
    return go.Figure(
        [go.Bar(x=[MECHANT, "b"], y=[1, 2], name=MECHANT, meta={"unite": MECHANT}), go.Bar(x=["b"], y=[1], name="n")],
        {"xaxis": {"title": {"text": MECHANT}}, "yaxis": {"title": {"text": MECHANT}}},
    )


def rendre(g: Graphique) -> str:
    return Template("{% load graphiques %}{% graphique g %}").render(Context({"g": g}))


def test_les_textes_des_donnees_sont_echappes_partout():
    g = dessiner(figure_mechante(), titre=MECHANT, description=MECHANT, resume=MECHANT)
    arbre = lire(g)
    assert arbre.find(f"{SVG}title").text == MECHANT
    assert arbre.find(f"{SVG}desc").text == MECHANT
    page = rendre(g)
    assert "<b " not in page
    assert page.count("</script>") == 1
    donnees = json.loads(g.json)
    assert "<b " not in json.dumps(donnees)  # plotly lirait ces balises


def test_le_dessin_n_a_ni_style_ni_script_et_nomme_ses_parties():
    figures = [progression(), go.Figure(), figure_mechante(), go.Figure(go.Scatter(x=ANNEES, y=[1, 2, 3, 4, 5]))]
    for figure in figures:
        arbre = lire(dessiner(figure))
        assert arbre.get("role") == "img"
        assert arbre.get("aria-labelledby") == "essai-titre essai-description"
        assert arbre.get("viewBox").startswith("0 0 440 ")
        identifiants = [e.get("id") for e in arbre.iter() if e.get("id")]
        assert len(identifiants) == len(set(identifiants))
        for element in arbre.iter():
            assert element.tag not in (f"{SVG}style", f"{SVG}script")
            assert not [a for a in element.attrib if a == "style" or a.startswith("on")]


def test_tout_ce_qui_est_dessine_tient_dans_le_cadre():
    figures = [progression(), figure_mechante(), go.Figure(go.Bar(x=ANNEES, y=[5, -3, 2, 9, 10**9]))]
    for figure in figures:
        g = dessiner(figure)
        _, _, largeur, hauteur = map(float, lire(g).get("viewBox").split())
        for rect in elements(g, "barre"):
            assert 0 <= float(rect.get("x")) <= float(rect.get("x")) + float(rect.get("width")) <= largeur
            assert 0 <= float(rect.get("y")) <= float(rect.get("y")) + float(rect.get("height")) <= hauteur
        for texte in lire(g).iter(f"{SVG}text"):
            assert 0 <= float(texte.get("x")) <= largeur
            assert 0 <= float(texte.get("y")) <= hauteur


def test_la_couleur_n_est_jamais_seule_a_distinguer_deux_series():
    g = dessiner(progression())
    remplissages = [r.get("fill") for r in elements(g, "barre")]
    assert not remplissages[0].startswith("url")
    assert all(r.startswith("url(#essai-motif-") for r in remplissages[1:])
    courbes = go.Figure([go.Scatter(x=ANNEES, y=[1, 2, 3, 4, i], name=str(i)) for i in range(2)])
    traits = [e.get("stroke-dasharray") for e in elements(dessiner(courbes), "ligne")]
    assert traits == [None, "8 4"]


def test_la_palette_se_voit_sur_du_blanc():
    assert len(set(PALETTE)) == len(PALETTE)
    assert all(contraste(couleur, "#ffffff") >= 3 for couleur in PALETTE)


def test_une_couleur_trop_claire_recoit_un_contour():
    (barre,) = elements(dessiner(go.Figure(go.Bar(x=["a"], y=[1], marker_color="#ffee99"))), "barre")
    assert barre.get("fill") == "#ffee99"
    assert contraste(barre.get("stroke"), "#ffffff") >= 3


def test_le_gabarit_pose_le_dessin_sa_phrase_et_un_tableau_qui_se_lit_au_clavier():
    page = rendre(dessiner(progression(), resume="4 actions sur 12 terminées"))
    assert 'data-graphique="essai"' in page
    assert "4 actions sur 12 terminées" in page
    assert "<summary>Voir les données</summary>" in page
    assert '<th scope="col">Catégorie</th>' in page
    assert '<th scope="row">Plan</th>' in page
    assert "</caption>" in page
    assert 'tabindex="0"' in page
    assert " style=" not in page


def test_les_ressources_disent_a_plotly_que_ses_styles_sont_la():
    page = Template("{% load graphiques %}{% graphiques_ressources %}").render(Context())
    assert '<link id="plotly.js-style-global" class="no-inline-styles" rel="stylesheet"' in page
    assert page.count("<script defer src=") == 3


# --- Barres et points mêlés -------------------------------------------------------------------------


def barres_et_points(valeurs: list, objectifs: dict[int, int], symbole: str = "diamond") -> Graphique:
    barres = go.Bar(x=ANNEES, y=valeurs, name="Valeur")
    points = go.Scatter(
        x=list(objectifs),
        y=list(objectifs.values()),
        name="Objectif",
        mode="markers",
        marker={"symbol": symbole, "size": 10},
    )
    return dessiner(go.Figure([barres, points]))


def test_des_points_et_des_barres_se_lisent_sur_la_meme_echelle_sans_etre_relies():
    g = barres_et_points([10, 20, 30, None, None], {2020: 25, 2021: 40, 2023: 50}, "circle")
    assert points_lus(g) == {(1, 0): proche(g, 25), (1, 1): proche(g, 40), (1, 2): proche(g, 50)}
    assert barres_lues(g)[0, 1] == (proche(g, 0), proche(g, 20))
    assert elements(g, "ligne") == elements(g, "echantillon") == []


def test_un_losange_est_centre_sur_sa_valeur_au_dessus_de_sa_barre():
    g = barres_et_points([10, 20, 30, 40, 50], {2021: 45})
    (losange,) = elements(g, "point")
    sommets = [tuple(map(float, sommet.split(","))) for sommet in losange.get("points").split()]
    valeur, _ = echelle(g)
    assert valeur(sum(y for _, y in sommets) / 4) == proche(g, 45)
    barre = next(b for b in elements(g, "barre") if b.get("data-rang") == "2")
    milieu = float(barre.get("x")) + float(barre.get("width")) / 2
    assert sum(x for x, _ in sommets) / 4 == pytest.approx(milieu, abs=0.02)


def test_un_point_seul_a_sa_place_ecrit_sa_valeur_pas_celui_qui_surmonte_une_barre():
    g = barres_et_points([10, 20, 30, None, None], {2021: 55, 2023: 60})
    assert textes(g, "valeur") == ["10", "20", "30", "60"]


def test_une_valeur_qu_un_point_couvrirait_s_ecrit_dans_sa_barre():
    """31 est juste au-dessus de 30, là où s'écrirait « 30 »."""
    g = barres_et_points([10, 20, 30, 40, 50], {2021: 31})
    bas, haut = barres_lues(g)[0, 2]
    ecrite = next(e for e in elements(g, "valeur") if e.get("data-rang") == "2")
    valeur, _ = echelle(g)
    assert ecrite.text == "30"
    assert bas < valeur(float(ecrite.get("y"))) < haut
    reprise = json.loads(g.json)["data"][0]
    assert reprise["textposition"] == ["outside", "outside", "inside", "outside", "outside"]


# --- Ce que plotly reprend --------------------------------------------------------------------------


def test_la_reprise_porte_les_memes_valeurs_et_la_meme_echelle():
    valeurs = [12, None, Decimal("3.5"), 0, -4]
    g = dessiner(go.Figure(go.Bar(x=ANNEES, y=valeurs, meta={"unite": "%"})))
    figure = json.loads(g.json)
    assert figure["data"][0]["y"] == [12, None, 3.5, 0, -4]
    assert figure["data"][0]["x"] == ANNEES
    assert figure["layout"]["separators"] == "," + formats.FINE
    assert figure["layout"]["yaxis"]["ticktext"] == textes(g, "graduation")
    valeur, _ = echelle(g)
    cadre = figure["cadre"]
    bas = cadre["hauteur"] - figure["layout"]["margin"]["b"]
    assert figure["layout"]["yaxis"]["range"] == pytest.approx([valeur(bas), valeur(cadre["haut"])], abs=0.01)
    assert "template" not in figure["layout"]


def test_la_reprise_garde_les_motifs_et_les_categories_dans_l_ordre():
    figure = json.loads(dessiner(progression()).json)
    assert [t["marker"].get("pattern", {}).get("shape", "") for t in figure["data"]] == ["", "/", "."]
    assert figure["layout"]["barmode"] == "relative"


def test_importer_les_graphiques_ne_charge_pas_plotly():
    code = "import sys, socle.graphiques, socle.templatetags.graphiques; print('plotly' in sys.modules)"
    sortie = subprocess.run([sys.executable, "-c", code], cwd=RACINE, capture_output=True, text=True, check=True)
    assert sortie.stdout.strip() == "False"


# --- Bibliothèques du navigateur --------------------------------------------------------------------


def lignes_des_versions() -> list[list[str]]:
    return [ligne.split(" ") for ligne in (VENDOR / "VERSIONS").read_text().splitlines()]


def test_chaque_fichier_rapporte_est_celui_que_disent_les_versions():
    for _, _, _, empreinte, chemin in lignes_des_versions():
        assert hashlib.sha256((VENDOR / chemin).read_bytes()).hexdigest() == empreinte, chemin


def test_aucun_fichier_rapporte_n_est_hors_des_versions():
    presents = {str(f.relative_to(VENDOR)) for f in VENDOR.rglob("*") if f.is_file()} - {"VERSIONS"}
    assert presents == {ligne[4] for ligne in lignes_des_versions()}


def test_plotly_du_navigateur_est_celui_que_nomme_plotly_du_serveur():
    versions = {nom: version for nom, version, *_ in lignes_des_versions()}
    assert versions["plotly.js-basic-dist-min"] == plotly.offline.get_plotlyjs_version()


def test_aucun_fichier_rapporte_n_annonce_une_carte_des_sources_ni_n_appelle_eval():
    # htmx n'évalue du texte que pour des attributs que la page lui interdit (htmx-config, allowEval).
    htmx = VENDOR / "htmx" / "htmx.min.js"
    for fichier in VENDOR.rglob("*.min.*"):
        source = fichier.read_text()
        assert "sourceMappingURL" not in source
        assert fichier == htmx or "new Function(" not in source
