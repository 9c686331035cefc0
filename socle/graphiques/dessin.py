"""Le graphique en SVG : axes, barres, courbes, étiquettes et légende, d'après une composition mesurée."""

from decimal import Decimal

from django.utils.html import escape

from . import aspect, ecriture
from .composition import Composition
from .ecriture import CORPS, INTERLIGNE
from .etiquettes import ValeurEcrite
from .modele import FigureLue, Serie
from .svg import balise, chiffre, marqueur, motif, texte
from .tableau import RIEN

AGRANDISSEMENT = 1.25  # 440 unités s'affichent sur 550 pixels, le texte à 16


def dessiner(c: Composition, ecrites: tuple[ValeurEcrite, ...], cle: str, titre: str, description: str) -> str:
    """Le <svg> complet ; ses identifiants commencent par `cle`."""
    parties = [_motifs(c, cle), _axe_des_valeurs(c), _barres(c, cle), _reperes(c), _courbes(c), _zero(c)]
    parties += [_axe_des_positions(c), _legende(c, cle), *map(_valeur, ecrites)]
    return _enveloppe("".join(parties), c.largeur, c.hauteur, cle, titre, description)


def dessiner_vide(lue: FigureLue, cle: str, titre: str, description: str) -> str:
    """Le dessin d'une figure sans valeur : il le dit, il n'invente pas d'axe."""
    hauteur = 72.0
    cadre = balise(
        "rect", x=0.5, y=0.5, width=lue.largeur - 1.0, height=hauteur - 1, rx=6, fill="none",
        stroke=aspect.TRAIT, stroke_dasharray="4 4",
    )  # fmt: skip
    phrase = texte(lue.largeur / 2, hauteur / 2, RIEN.rstrip("."), "middle", class_="vide")
    return _enveloppe(cadre + phrase, lue.largeur, hauteur, cle, titre, description)


def _enveloppe(contenu: str, largeur: float, hauteur: float, cle: str, titre: str, description: str) -> str:
    noms = balise("title", escape(titre), id=f"{cle}-titre")
    noms += balise("desc", escape(description), id=f"{cle}-description")
    return balise(
        "svg",
        noms + contenu,
        xmlns="http://www.w3.org/2000/svg",
        class_="graphique-svg img-fluid d-block",
        role="img",
        aria_labelledby=f"{cle}-titre {cle}-description",
        viewBox=f"0 0 {chiffre(largeur)} {chiffre(hauteur)}",
        width=str(round(largeur * AGRANDISSEMENT)),
        height=str(round(hauteur * AGRANDISSEMENT)),
        font_size=CORPS,
    )


# --- Axes -------------------------------------------------------------------------------------------


def _axe_des_valeurs(c: Composition) -> str:
    if not c.lue.valeurs.visible:
        return ""
    traits: list[str] = []
    textes: list[str] = []
    for g in c.graduations:
        px = c.valeurs.px(g.position)
        if c.lue.horizontale:
            traits.append(f"M{chiffre(px)} {chiffre(c.haut)}V{chiffre(c.bas)}")
            textes.append(texte(px, c.bas + 14, g.texte, "middle", class_="graduation"))
        else:
            traits.append(f"M{chiffre(c.gauche)} {chiffre(px)}H{chiffre(c.droite)}")
            textes.append(texte(c.gauche - 6, px, g.texte, "end", class_="graduation"))
    lignes = balise("path", class_="grille", d="".join(traits), stroke=aspect.TRAIT, fill="none")
    titre = ""
    if c.lue.valeurs.titre:
        place = ecriture.abreger(c.lue.valeurs.titre, c.largeur - 16)
        if c.lue.horizontale:
            titre = texte(c.droite, c.hauteur - 9, place, "end", class_="titre-axe")
        else:
            titre = texte(8, c.haut - INTERLIGNE / 2 - 2, place, class_="titre-axe")
    return lignes + "".join(textes) + titre


def _zero(c: Composition) -> str:
    """Le trait du zéro, par-dessus les barres : c'est de lui qu'elles partent."""
    zero = Decimal(0)
    if not c.graduations[0].position <= zero <= c.graduations[-1].position:
        return ""
    px = chiffre(c.valeurs.px(zero))
    if c.lue.horizontale:
        if not c.lue.valeurs.visible:
            return ""
        d = f"M{px} {chiffre(c.haut)}V{chiffre(c.bas)}"
    else:
        d = f"M{chiffre(c.gauche)} {px}H{chiffre(c.droite)}"
    return balise("path", class_="zero", d=d, stroke=aspect.ENCRE_DOUCE, fill="none")


def _axe_des_positions(c: Composition) -> str:
    parties = []
    for etiquette in c.etiquettes:
        px = c.positions.px(etiquette.position)
        for i, ligne in enumerate(etiquette.lignes):
            if c.lue.horizontale:
                decalage = (i - (len(etiquette.lignes) - 1) / 2) * INTERLIGNE
                parties.append(texte(c.gauche - 8, px + decalage, ligne, "end", class_="position"))
            else:
                # Au bord du dessin, le texte rentre plutôt que d'être coupé.
                demi = ecriture.largeur(ligne) / 2
                x = min(max(px, demi), c.largeur - demi)
                parties.append(texte(x, c.bas + 13 + i * INTERLIGNE, ligne, "middle", class_="position"))
    titre = c.lue.positions.titre
    if titre and c.lue.positions.visible:
        place = ecriture.abreger(titre, c.largeur - 16)
        if c.lue.horizontale:
            parties.append(texte(8, c.haut - INTERLIGNE / 2, place, class_="titre-axe"))
        else:
            milieu = (c.gauche + c.droite) / 2
            parties.append(texte(milieu, c.hauteur - 9, place, "middle", class_="titre-axe"))
    return "".join(parties)


# --- Barres -----------------------------------------------------------------------------------------


def _identifiant_du_motif(cle: str, serie: Serie, couleur: str) -> str:
    return f"{cle}-motif-{serie.rang}-{couleur[1:]}"


def _remplissage(cle: str, serie: Serie, couleur: str) -> str:
    return f"url(#{_identifiant_du_motif(cle, serie, couleur)})" if serie.motif else couleur


def _motifs(c: Composition, cle: str) -> str:
    trames = [
        motif(_identifiant_du_motif(cle, s, couleur), s.motif, couleur)
        for s in c.lue.barres
        if s.motif
        for couleur in sorted({s.couleur, *s.couleurs})
    ]
    return balise("defs", "".join(trames)) if trames else ""


def _barres(c: Composition, cle: str) -> str:
    formes = []
    filet = "#ffffff" if len(c.lue.barres) > 1 else None
    for serie in c.lue.barres:
        for i in range(len(serie.points)):
            if (serie.rang, i) not in c.etendues:
                continue
            bord, epaisseur, depart, bout = c.barre(serie, i)
            debut, longueur = min(depart, bout), abs(bout - depart)
            x, y, large, haut = (
                (debut, bord, longueur, epaisseur) if c.lue.horizontale else (bord, debut, epaisseur, longueur)
            )
            couleur = serie.couleur_de(i)
            formes.append(
                balise(
                    "rect", x=x, y=y, width=large, height=haut,
                    class_="barre", data_serie=serie.rang, data_rang=i,
                    fill=_remplissage(cle, serie, couleur), stroke=aspect.contour_de(couleur) or filet,
                )
            )  # fmt: skip
    return "".join(formes)


def _valeur(ecrite: ValeurEcrite) -> str:
    """Une valeur, cernée de ce qui est dessous pour se lire sur une trame ou une ligne."""
    serie, dedans = ecrite.serie, ecrite.dedans
    fond = serie.couleur_de(ecrite.rang) if dedans else "#ffffff"
    return texte(
        ecrite.x, ecrite.y, ecrite.contenu, ecrite.ancre,
        class_="valeur", data_serie=serie.rang, data_rang=ecrite.rang,
        fill=aspect.encre_sur(fond), font_weight="bold" if dedans else None,
        stroke=fond, stroke_width=4 if dedans else 3, stroke_linejoin="round", paint_order="stroke",
    )  # fmt: skip


# --- Repères ----------------------------------------------------------------------------------------


def _reperes(c: Composition) -> str:
    parties = []
    for repere in c.lue.reperes:
        px = c.positions.px(Decimal(repr(repere.position)))
        d = f"M{chiffre(px)} {chiffre(c.haut)}V{chiffre(c.bas)}"
        parties.append(balise("path", class_="repere", d=d, stroke=aspect.ENCRE, stroke_dasharray="5 4", fill="none"))
        x, y, ancre = c.place_du_repere(repere)
        parties.append(texte(x, y, repere.texte, ancre, class_="texte-repere", fill=aspect.ENCRE))
    return "".join(parties)


# --- Courbes ----------------------------------------------------------------------------------------


def _courbes(c: Composition) -> str:
    """Les aires d'abord, puis les lignes, puis les points : rien n'en cache un autre."""
    aires: list[str] = []
    lignes: list[str] = []
    points: list[str] = []
    for serie in c.lue.courbes:
        lieux = c.lieux(serie)
        for morceau in serie.morceaux(lieux):
            trace = [(lieux[i][0], lieux[i][2]) for i in morceau]
            if serie.remplie and len(morceau) > 1:
                aires.append(_aire(serie, trace, [(lieux[i][0], lieux[i][1]) for i in reversed(morceau)]))
            if serie.avec_ligne and len(morceau) > 1:
                lignes.append(_ligne(serie, trace))
        if serie.avec_marqueurs:
            points += [
                marqueur(
                    x, y, serie.symbole, serie.taille, serie.couleur,
                    class_="point", data_serie=serie.rang, data_rang=i,
                )
                for i, (x, _, y) in lieux.items()
            ]  # fmt: skip
    return "".join(aires + lignes + points)


def _chemin(points: list[tuple[float, float]], escalier: bool) -> str:
    """La suite des points ; en escalier, la valeur tient jusqu'à la position suivante."""
    pas = [f"M{chiffre(points[0][0])} {chiffre(points[0][1])}"]
    for x, y in points[1:]:
        pas.append(f"H{chiffre(x)}V{chiffre(y)}" if escalier else f"L{chiffre(x)} {chiffre(y)}")
    return "".join(pas)


def _ligne(serie: Serie, trace: list[tuple[float, float]], classe: str = "ligne") -> str:
    return balise(
        "path", class_=classe, data_serie=serie.rang, d=_chemin(trace, serie.escalier), fill="none",
        stroke=serie.couleur, stroke_width=serie.epaisseur, stroke_linejoin="round",
        stroke_dasharray=aspect.TIRETS[serie.tiret] or None,
    )  # fmt: skip


def _aire(serie: Serie, trace: list[tuple[float, float]], retour: list[tuple[float, float]]) -> str:
    bord = _chemin(trace, serie.escalier)
    dessous = _chemin(retour, False).replace("M", "L", 1)
    if serie.escalier:
        # À rebours, l'escalier monte avant d'avancer.
        dessous = f"L{chiffre(retour[0][0])} {chiffre(retour[0][1])}" + "".join(
            f"V{chiffre(y)}H{chiffre(x)}" for x, y in retour[1:]
        )
    opacite = 0.35 if serie.pile else 0.18
    return balise(
        "path", class_="aire", data_serie=serie.rang, d=f"{bord}{dessous}Z", fill=serie.couleur,
        fill_opacity=opacite,
    )  # fmt: skip


# --- Légende ----------------------------------------------------------------------------------------


def _legende(c: Composition, cle: str) -> str:
    parties = []
    for entree in c.legende:
        s, y = entree.serie, entree.y
        if s.genre == "barre":
            parties.append(
                balise(
                    "rect", x=entree.x, y=y - 6.5, width=18, height=13, rx=2,
                    fill=_remplissage(cle, s, s.couleur), stroke=aspect.contour_de(s.couleur),
                )
            )  # fmt: skip
        else:
            if s.avec_ligne:
                parties.append(_ligne(s, [(entree.x, y), (entree.x + 18, y)], "echantillon"))
            if s.remplie:
                parties.append(balise("rect", x=entree.x, y=y, width=18, height=6, fill=s.couleur, fill_opacity=0.35))
            if s.avec_marqueurs:
                parties.append(marqueur(entree.x + 9, y, s.symbole, s.taille, s.couleur))
        parties.append(texte(entree.x + 23, y, entree.texte, class_="legende", fill=aspect.ENCRE))
    return balise("g", "".join(parties), class_="legendes") if parties else ""
