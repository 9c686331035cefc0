"""Du fichier à ses lignes : ce que chacune dit de sa consultation et de son lot, et les cellules à corriger."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from comptes.models import Service
from marches.listes import Suite
from marches.mandats.fichiers import Place, Refus, cite
from marches.mandats.valeurs import ValeurIllisible
from marches.registre_importe.cellules import lire
from marches.registre_importe.colonnes import NUMERO, PAR_CLE, Correspondance, Role, Sorte, reconnu, titre_nu
from marches.reponses import Reponse
from socle.formats import plier
from socle.tableaux import FichierIllisible, Ligne, Limites, Tableau
from socle.tableaux import lire as lire_le_tableau

TAILLE_MAX = 1_500_000
LIMITES = Limites(octets=TAILLE_MAX, octets_deplies=60_000_000, lignes=5_000, colonnes=120)


@dataclass(frozen=True)
class LigneLue:
    """Une ligne. `consultation`, `lot` : champ du modèle → valeur, sans les cellules vides ; `titres` : d'où vient
    chaque valeur, par (du lot, champ)."""

    place: Place
    consultation: dict[str, Any]
    lot: dict[str, Any]
    titres: dict[tuple[bool, str], str]

    @property
    def numero(self) -> str:
        return self.consultation["numero"]

    def refus(self, champ: str, raison: str, *, du_lot: bool) -> Refus:
        titre = self.titres.get((du_lot, champ), "")
        return Refus(Place(self.place.fichier, self.place.feuille, self.place.ligne, titre), raison)


@dataclass
class Lecture:
    lignes: list[LigneLue] = field(default_factory=list)
    refus: list[Refus] = field(default_factory=list)


def ouvrir(nom: str, contenu: bytes, titres_connus: Collection[str] = ()) -> Tableau:
    """Trouve la feuille et la ligne des titres. Lève FichierIllisible."""
    connus = {titre_nu(titre) for titre in titres_connus}
    tableau = lire_le_tableau(
        nom, contenu, limites=LIMITES, reconnu=lambda titre: titre_nu(titre) in connus or reconnu(titre)
    )
    if not tableau.lignes:
        raise FichierIllisible("Ce fichier n'a que des titres : aucune consultation à lire.")
    return tableau


def lire_les_lignes(nom: str, tableau: Tableau, correspondance: Correspondance) -> Lecture:
    """Une requête : les services. Lève FichierIllisible si aucune colonne ne dit le numéro."""
    if not correspondance.get(NUMERO.cle):
        raise FichierIllisible("Dites quelle colonne est le numéro de la consultation : c'est par lui qu'on réunit.")
    rangs = {titre: rang for rang, titre in enumerate(tableau.titres)}
    roles = [(PAR_CLE[cle], titre, rangs[titre]) for cle, titre in correspondance.items() if titre in rangs]
    services = {plier(service.nom): service for service in Service.objects.all()}
    lecture = Lecture()
    for ligne in tableau.lignes:
        place = Place(nom, tableau.feuille, ligne.numero)
        lue, refus = _lire(ligne, place, roles, services)
        lecture.refus += refus
        if refus:
            continue
        if not lue.consultation.get("numero"):
            lecture.refus.append(
                lue.refus("numero", "est vide : sans numéro, on ne sait pas de quoi parle la ligne", du_lot=False)
            )
        else:
            lecture.lignes.append(lue)
    return lecture


def _lire(
    ligne: Ligne, place: Place, roles: list[tuple[Role, str, int]], services: Mapping[str, Service]
) -> tuple[LigneLue, list[Refus]]:
    lue, refus = LigneLue(place, {}, {}, {}), []
    for role, titre, rang in roles:
        lue.titres[(role.du_lot, role.champ)] = lue.titres.get((role.du_lot, role.champ), titre)
        try:
            valeur = lire(ligne.cellules[rang], role.sorte)
            if valeur is None:
                continue
            lue.titres[(role.du_lot, role.champ)] = titre
            _ranger(lue, role, valeur, services)
        except ValeurIllisible as raison:
            refus.append(Refus(Place(place.fichier, place.feuille, place.ligne, titre), str(raison)))
    _completer(lue, {role.cle for role, _, rang in roles if ligne.cellules[rang] is not None})
    return lue, refus


def _ranger(lue: LigneLue, role: Role, valeur: Any, services: Mapping[str, Service]) -> None:
    if role.sorte is Sorte.SERVICE:
        service = services.get(plier(valeur))
        if service is None:
            raise ValeurIllisible(f"dit {cite(valeur)} : aucun service ne s'appelle ainsi dans l'application")
        valeur = service
    if role.sorte is Sorte.CP_VILLE:
        code, ville = valeur
        if code:
            lue.lot.setdefault("code_postal", code)
        if ville:
            lue.lot.setdefault("ville", ville)
        return
    if role.cle == "notifie_le":
        lue.lot.setdefault("date_de_suite", valeur)
        return
    (lue.lot if role.du_lot else lue.consultation)[role.champ] = valeur


def _completer(lue: LigneLue, remplies: Collection[str]) -> None:
    """Une date de notification dit que le lot est notifié ; un poids dit qu'il y a un critère, zéro qu'il n'y en a
    pas. Ce que la ligne dit en toutes lettres l'emporte."""
    if "notifie_le" in remplies and "date_de_suite" in lue.lot and "suite" not in lue.lot:
        lue.lot["suite"] = Suite.NOTIFIE.value
    for poids, critere in (
        ("poids_environnemental", "critere_environnemental"),
        ("poids_social", "critere_social"),
    ):
        if lue.lot.get(poids) is not None:
            lue.lot.setdefault(critere, Reponse.OUI.value if lue.lot[poids] else Reponse.NON.value)
