"""Combien de consultations derrière les contrats : une estimation, puisque les données essentielles n'en portent pas
le numéro.

Source : schéma 2.0.4, qui n'a ni numéro de consultation ni numéro de lot ; l'objet y est celui « du marché ou du lot
». Limites, à dire à l'écran : des lots notifiés à plus de soixante jours se séparent ; deux consultations de même
objet et de même procédure, rapprochées, se confondent ; un objet qui commence par « Lot 2 » reste seul ; les
infructueuses n'y paraissent pas.
"""

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable

from marches.calculs.lignes import Groupe, LigneDeContrat, Perimetre
from marches.calculs.population import marches_de, motif_d_exclusion
from marches.calculs.resultats import Resultat, compte
from socle.formats import plier

ECART_MAXIMAL = datetime.timedelta(days=60)

# « lot n° 3 », « lot n°3 », « lot no 3 », « lot 3 », « lots 1 et 2 », « lot n° A » ; ni « lot nord », ni «
# lotissement ».
_MENTION_D_UN_LOT = re.compile(r"\blots?\s*(?:n\s*[°.]\s*\w|(?:n|no|numero)?\s*\d)")
_PONCTUATION = " -–—:;,.·/|([«\"'"


def racine_de_l_objet(objet: str) -> str:
    """L'objet plié, avant « lot n… » ; vide si l'objet manque ou commence par le lot : rien à comparer, le contrat
    reste seul.
    """
    plie = plier(objet)
    mention = _MENTION_D_UN_LOT.search(plie)
    return (plie[: mention.start()] if mention else plie).strip(_PONCTUATION)


def regrouper(contrats: Iterable[LigneDeContrat]) -> list[Groupe]:
    """Toutes les consultations estimées de ces contrats, par première notification.

    Se fait sur toutes les années à la fois : un groupe à cheval sur le 31 décembre est un seul groupe. Les contrats
    écartés (sans date, doublon, concession, subséquent) n'entrent dans aucun. Deux dates qui se suivent à soixante
    jours ou moins se tiennent.
    """
    paquets: dict[tuple[object, ...], list[LigneDeContrat]] = defaultdict(list)
    for ligne in contrats:
        if not motif_d_exclusion(ligne):
            paquets[_paquet(ligne)].append(ligne)
    groupes = [groupe for lignes in paquets.values() for groupe in _decouper(lignes)]
    return sorted(groupes, key=lambda groupe: (groupe.premiere, groupe.contrats[0]))


def consultations_estimees(
    contrats: Iterable[LigneDeContrat], perimetre: Perimetre, groupes: Iterable[Groupe] | None = None
) -> Resultat:
    """Le nombre de consultations des acheteurs dont le premier contrat est notifié dans la période ; à afficher avec
    « ≈ ».

    Numérateur : un contrat par consultation, le premier notifié, dont l'identifiant la désigne. `ids_denominateur` :
    tous leurs contrats, y compris ceux notifiés après la période. Pas de dénominateur. Exclus : ceux des marchés
    notifiés. `groupes` : le regroupement de toutes les années, s'il est déjà fait ; sinon `contrats` doit les avoir
    toutes. Version 1.
    """
    lignes = [ligne for ligne in contrats if ligne.siren in perimetre.sirens]
    de_la_periode = [
        groupe
        for groupe in (regrouper(lignes) if groupes is None else groupes)
        if groupe.siren in perimetre.sirens and perimetre.contient(groupe.premiere)
    ]
    return compte(
        "consultations_estimees",
        (groupe.contrats[0] for groupe in de_la_periode),
        marches_de(lignes, perimetre).exclus,
        sources=(contrat for groupe in de_la_periode for contrat in groupe.contrats),
    )


def _paquet(ligne: LigneDeContrat) -> tuple[object, ...]:
    if ligne.consultation is not None:
        return ("confirmee", ligne.consultation)
    racine = racine_de_l_objet(ligne.objet)
    return (ligne.siren, "racine", plier(ligne.procedure), racine) if racine else ("seul", ligne.id)


def _decouper(lignes: list[LigneDeContrat]) -> list[Groupe]:
    """Un paquet par dates qui se suivent ; une consultation confirmée ne se coupe pas."""
    morceaux: list[list[tuple[datetime.date, LigneDeContrat]]] = []
    datees = sorted(((ligne.date, ligne) for ligne in lignes if ligne.date), key=lambda paire: (paire[0], paire[1].id))
    for jour, ligne in datees:
        suite = morceaux and (ligne.consultation is not None or jour - morceaux[-1][-1][0] <= ECART_MAXIMAL)
        if suite:
            morceaux[-1].append((jour, ligne))
        else:
            morceaux.append([(jour, ligne)])
    return [_groupe(morceau) for morceau in morceaux]


def _groupe(morceau: list[tuple[datetime.date, LigneDeContrat]]) -> Groupe:
    premiere = morceau[0][1]
    return Groupe(
        siren=premiere.siren,
        procedure=premiere.procedure,
        racine=racine_de_l_objet(premiere.objet),
        premiere=morceau[0][0],
        derniere=morceau[-1][0],
        contrats=tuple(ligne.id for _, ligne in morceau),
        consultation=premiere.consultation,
    )
