"""Ce qu'un classeur changerait au plan, ligne par ligne, sans rien écrire.

Tout ce que l'écriture refuserait se voit ici d'avance : ce que l'essai accepte s'enregistre. Le nombre de requêtes ne
dépend pas du nombre de lignes.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from actions.champs import LIBELLES, Ecart, ecarts, pour_le_lot
from actions.classeur.colonnes import DATE_EFFET, IDENTIFIANT, MOTIF, PLAN, VERSION
from actions.classeur.conflits import Passage, ce_qui_a_bouge
from actions.classeur.lecture import Refus, est_vide, lire_un_champ, lire_un_jour, texte_de
from actions.classeur.rapprochement import Entete, LigneRapprochee, lire_l_entete, rapprocher
from actions.classeur.regles import raisons_de_la_creation, raisons_du_changement
from actions.classeur.releve import Releve
from actions.models import Action
from actions.statuts import avancement_impose
from socle.formats import FormatInvalide, formater_date
from socle.tableaux import Tableau

HORS_DES_CHAMPS = (IDENTIFIANT, VERSION, PLAN, DATE_EFFET, MOTIF)
LONGUEUR_DU_MOTIF = 300
# On dit où l'on en est toutes les tant de lignes.
PAS = 50


class Sort(StrEnum):
    """Ce que devient une ligne, dans l'ordre où on les montre."""

    REFUSEE = "refusee"
    CONFLIT = "conflit"
    CHANGEE = "changee"
    CREEE = "creee"
    INCHANGEE = "inchangee"


@dataclass
class LigneComparee:
    """`valeurs` : ce que la ligne donne à une action à créer. `date_effet` : None, le jour de l'enregistrement.

    `motif_attendu` : une échéance déjà fixée change, et la ligne ne dit pas pourquoi. `passage` : en cas de conflit,
    qui est passé sur le site depuis l'export, et ce que valaient alors les champs.
    """

    numero: int
    nom: str
    action: Action | None = None
    ecarts: list[Ecart] = field(default_factory=list)
    valeurs: dict[str, Any] = field(default_factory=dict)
    refus: list[Refus] = field(default_factory=list)
    date_effet: date | None = None
    motif: str = ""
    motif_attendu: bool = False
    version: int | None = None
    passage: Passage | None = None

    @property
    def sort(self) -> Sort:
        if self.refus:
            return Sort.REFUSEE
        if self.action is None:
            return Sort.CREEE
        if not self.ecarts:
            return Sort.INCHANGEE
        return Sort.CONFLIT if self.passage is not None else Sort.CHANGEE


@dataclass(frozen=True)
class Comparaison:
    """Toutes les lignes du fichier, dans leur ordre ; et les titres de colonnes que le site ne connaît pas."""

    lignes: tuple[LigneComparee, ...]
    entete: Entete

    def de_sort(self, *sorts: Sort) -> list[LigneComparee]:
        return [ligne for ligne in self.lignes if ligne.sort in sorts]

    @property
    def comptes(self) -> dict[str, int]:
        trouves = Counter(ligne.sort for ligne in self.lignes)
        return {sort.value: trouves[sort] for sort in Sort}

    @property
    def empreinte(self) -> str:
        """Change dès que ce qui serait écrit change, ou qu'une des actions à changer a bougé sur le site."""
        dit = [
            (
                ligne.numero,
                ligne.sort.value,
                ligne.action and (ligne.action.pk, ligne.action.version),
                [(e.champ, pour_le_lot(e.champ, e.avant), pour_le_lot(e.champ, e.apres)) for e in ligne.ecarts],
                {champ: pour_le_lot(champ, valeur) for champ, valeur in ligne.valeurs.items()},
                (ligne.date_effet, ligne.motif, ligne.motif_attendu),
                [(refus.colonne, refus.raison) for refus in ligne.refus],
            )
            for ligne in self.lignes
            if ligne.sort is not Sort.INCHANGEE
        ]
        return hashlib.sha256(json.dumps(dit, default=str, sort_keys=True).encode()).hexdigest()


def comparer(tableau: Tableau, releve: Releve, avancer: Callable[[int], None] = lambda fait: None) -> Comparaison:
    """`avancer` reçoit, de temps en temps, le nombre de lignes faites. Lève FichierIllisible."""
    entete = lire_l_entete(tableau)
    lignes = []
    for rang, rapprochee in enumerate(rapprocher(tableau.lignes, entete, releve), start=1):
        lignes.append(_comparer(rapprochee, entete, releve))
        if rang % PAS == 0:
            avancer(rang)
    _reconnaitre_les_conflits(lignes)
    for ligne in lignes:
        _appliquer_les_regles(ligne, entete, releve)
    return Comparaison(tuple(lignes), entete)


# --- Une ligne ----------------------------------------------------------------------------------


def _comparer(rapprochee: LigneRapprochee, entete: Entete, releve: Releve) -> LigneComparee:
    ligne = LigneComparee(
        rapprochee.ligne.numero,
        rapprochee.nom,
        rapprochee.action,
        refus=list(rapprochee.refus),
        version=rapprochee.version,
    )
    if ligne.refus:
        return ligne
    valeurs = _lire(rapprochee, ligne, entete, releve)
    if not ligne.refus:
        if ligne.action is None:
            ligne.valeurs = valeurs
        else:
            ligne.ecarts = ecarts(ligne.action, _sans_l_avancement_impose(ligne.action, valeurs))
    return ligne


def _lire(rapprochee: LigneRapprochee, ligne: LigneComparee, entete: Entete, releve: Releve) -> dict[str, Any]:
    """Les valeurs des champs ; les refus et ce qui accompagne une saisie vont dans `ligne`."""
    vide_efface = rapprochee.version is not None
    valeurs: dict[str, Any] = {}
    for colonne in entete.colonnes:
        cellule, champ = entete.cellule(rapprochee.ligne, colonne.champ), colonne.champ
        try:
            if champ == DATE_EFFET:
                ligne.date_effet = None if est_vide(cellule) else _date_passee(cellule)
            elif champ == MOTIF:
                ligne.motif = _motif(texte_de(cellule))
            elif champ not in HORS_DES_CHAMPS and (vide_efface or not est_vide(cellule)):
                if champ == "statut" and est_vide(cellule) and ligne.action and ligne.action.statut is None:
                    continue
                valeurs[champ] = lire_un_champ(colonne, cellule, ligne.action, releve)
        except (ValidationError, FormatInvalide) as refus:
            phrases = refus.messages if isinstance(refus, ValidationError) else [str(refus)]
            ligne.refus += [Refus(entete.titres[champ], phrase) for phrase in phrases]
    return valeurs


def _date_passee(cellule: Any) -> date:
    jour = lire_un_jour(cellule)
    if jour > timezone.localdate():
        raise ValidationError(f"Le {formater_date(jour)} est à venir : un changement s'enregistre une fois effectif.")
    return jour


def _motif(texte: str) -> str:
    if len(texte) > LONGUEUR_DU_MOTIF:
        raise ValidationError(f"Le motif a {len(texte)} signes : {LONGUEUR_DU_MOTIF} au plus.")
    return texte


def _sans_l_avancement_impose(action: Action, valeurs: dict[str, Any]) -> dict[str, Any]:
    """Un avancement vide, là où le statut en impose un, ne demande rien."""
    if "avancement" not in valeurs:
        return valeurs
    statut = valeurs.get("statut", action.statut)
    vide = valeurs["avancement"] is None and avancement_impose(statut) is not None
    return {champ: valeur for champ, valeur in valeurs.items() if champ != "avancement" or not vide}


# --- Toutes -------------------------------------------------------------------------------------


def _reconnaitre_les_conflits(lignes: Sequence[LigneComparee]) -> None:
    """Une action a bougé sur le site depuis l'export : ce que le fichier n'a pas touché reste ce qu'en dit le site ;
    le reste est un conflit."""
    bougees = [
        (ligne, ligne.action, ligne.version)
        for ligne in lignes
        if ligne.ecarts and ligne.version is not None and ligne.action and ligne.version != ligne.action.version
    ]
    passages = ce_qui_a_bouge((action, version) for _, action, version in bougees)
    for ligne, action, _ in bougees:
        passage = passages[action.pk]
        ligne.ecarts = [ecart for ecart in ligne.ecarts if not passage.etait_deja(ecart.champ, ecart.apres)]
        ligne.passage = passage


def _appliquer_les_regles(ligne: LigneComparee, entete: Entete, releve: Releve) -> None:
    if ligne.refus:
        return
    jour = ligne.date_effet or timezone.localdate()
    if ligne.action is None:
        raisons = raisons_de_la_creation(releve, ligne.valeurs)
    else:
        raisons = raisons_du_changement(ligne.action, ligne.ecarts, releve, jour)
        if any(ecart.champ == "echeance" for ecart in ligne.ecarts) and not ligne.motif:
            ligne.motif_attendu = releve.echeance_fixee(ligne.action, jour) is not None
    ligne.refus = [Refus(entete.titres.get(champ, LIBELLES.get(champ, "")), raison) for champ, raison in raisons]
