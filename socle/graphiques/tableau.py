"""Le tableau des données : la forme accessible du graphique, et celle qui fait foi."""

from collections import Counter, defaultdict

from . import ecriture
from .modele import FigureLue, Serie, Tableau

RIEN = "Aucune donnée à représenter."
MANQUE = "non renseigné"

_COLONNE_DES_POSITIONS = {"categorie": "Catégorie", "annee": "Année", "date": "Date", "nombre": "Position"}


def dresser(lue: FigureLue, titre: str) -> Tableau:
    """Une ligne par position dans l'ordre de l'axe, une colonne par série ; rien n'y est arrondi en plus."""
    libelles: dict[tuple[float, int], str] = {}
    cases: dict[tuple[float, int], dict[int, str]] = defaultdict(dict)
    for serie in lue.series:
        # Une courbe peut passer deux fois au même endroit : chaque passage a sa ligne.
        passages: Counter[float] = Counter()
        for point in serie.points:
            cle = (point.position, passages[point.position])
            passages[point.position] += 1
            libelles[cle] = point.libelle
            if point.valeur is not None:
                cases[cle][serie.rang] = ecriture.nombre(point.valeur, serie.decimales)
    for repere in lue.reperes:
        suivante = min((cle for cle in libelles if cle[0] >= repere.position), default=None)
        if suivante is not None:
            libelles[suivante] += f" ({repere.texte.lower()})"
    positions = lue.positions.titre or _COLONNE_DES_POSITIONS[lue.positions.genre]
    return Tableau(
        legende=titre,
        entetes=(positions, *(entete(lue, s) for s in lue.series)),
        lignes=tuple(
            (libelles[cle], *(cases[cle].get(s.rang, MANQUE) for s in lue.series)) for cle in sorted(libelles)
        ),
        phrase="" if libelles else RIEN,
    )


def entete(lue: FigureLue, serie: Serie) -> str:
    """« Part (%) » ; une série seule et sans nom prend le titre de l'axe."""
    nom = serie.nom or lue.valeurs.titre or "Valeur"
    return f"{nom} ({serie.unite})" if serie.unite and serie.unite.lower() != nom.lower() else nom
