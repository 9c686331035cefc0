"""La vie d'un classeur déposé : lu, vérifié, enregistré d'un bloc ou pas du tout, ou abandonné.

Un petit fichier est lu et enregistré dans la page ; un grand, par l'ouvrier. Dans les deux cas rien n'est écrit au
plan hors d'une seule transaction, qui commence par prendre le dépôt sous verrou : interrompue ou demandée deux fois,
elle n'a rien fait, ou tout fait une fois.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from actions.classeur.apercu import apercu_de
from actions.classeur.colonnes import COLONNES, colonne_de
from actions.classeur.comparaison import comparer
from actions.classeur.ecriture import Choix, ecrire
from actions.classeur.releve import Releve
from actions.depot_de_fichier import MO
from actions.depots import DepotDeClasseur, EtatDeDepot
from actions.plans import Plan
from comptes.droits import Droit, peut
from comptes.gestes import Geste, Lot
from comptes.models import Utilisateur
from comptes.traces import tracer
from socle.modeles import ConflitDeVersion
from socle.tableaux import FichierIllisible, Limites, Tableau, TitresAbsents, lire

LIMITES = Limites(octets=5 * MO, octets_deplies=60 * MO, lignes=2000, colonnes=60)
# Au-delà, la page attendrait plus de deux secondes : l'ouvrier s'en charge.
LIGNES_SUR_PLACE = 200
# Un classeur de 200 actions bien remplies ; plus lourd, on ne l'ouvre même pas dans la page.
OCTETS_SUR_PLACE = 100_000

EN_COURS = (EtatDeDepot.DEPOSE, EtatDeDepot.LECTURE, EtatDeDepot.APPLICATION)
VIVANTS = (*EN_COURS, EtatDeDepot.LU)

PERIME = "Rien n'est écrit : le plan a bougé depuis l'essai. Le voici remis à jour."
DROIT_RETIRE = "Rien n'est écrit : le droit d'importer a été retiré à la personne qui a déposé ce fichier."


class EssaiPerime(Exception):
    """Ce qu'on confirme n'est pas l'essai que le dépôt porte : rien n'est écrit."""


# --- Lire ---------------------------------------------------------------------------------------


def lire_le_tableau(nom: str, contenu: bytes) -> Tableau:
    """Lève FichierIllisible."""
    try:
        tableau = lire(nom, contenu, limites=LIMITES, reconnu=lambda titre: colonne_de(titre) is not None)
    except TitresAbsents as refus:
        attendus = ", ".join(f"« {colonne.titre} »" for colonne in COLONNES if not colonne.technique)
        raise FichierIllisible(f"{refus} Titres attendus, dans n'importe quel ordre : {attendus}.") from refus
    if not tableau.lignes:
        raise FichierIllisible("Ce fichier n'a que des titres : aucune action à lire.")
    return tableau


def _essayer(plan: Plan, tableau: Tableau, avancer: Callable[[int], None] = lambda fait: None) -> dict[str, Any]:
    return apercu_de(comparer(tableau, Releve.du_plan(plan), avancer), tableau.feuille)


# --- Déposer ------------------------------------------------------------------------------------


def deposer(plan: Plan, nom: str, contenu: bytes, *, par: Utilisateur) -> DepotDeClasseur:
    """Garde le fichier et l'essaie, ou le confie à l'ouvrier. Le même fichier de la même personne, reçu deux fois, ne
    fait qu'un dépôt. Lève FichierIllisible ; rien n'est alors gardé."""
    tableau = lire_le_tableau(nom, contenu) if len(contenu) <= OCTETS_SUR_PLACE else None
    petit = tableau is not None and len(tableau.lignes) <= LIGNES_SUR_PLACE
    apercu = _essayer(plan, tableau) if tableau is not None and petit else None
    with transaction.atomic():
        plan.verrouillee()
        deja = DepotDeClasseur.objects.filter(plan=plan, depose_par=par, etat__in=VIVANTS, contenu=contenu).first()
        depot = deja or DepotDeClasseur(plan=plan, nom=nom, contenu=contenu, depose_par=par)
        if apercu is not None and depot.etat in (EtatDeDepot.DEPOSE, EtatDeDepot.LU):
            _garder_l_essai(depot, apercu)
        depot.save()
        if deja is None and apercu is None:
            _confier(depot, lire_le_depot)
    return depot


def _garder_l_essai(depot: DepotDeClasseur, apercu: dict[str, Any], message: str = "") -> None:
    depot.etat, depot.apercu, depot.message = EtatDeDepot.LU, apercu, message
    depot.total = depot.fait = sum(apercu["comptes"].values())


def _confier(depot: DepotDeClasseur, tache: Any) -> None:
    """Met la tâche en file, dans la transaction de l'appelant."""
    resultat = tache.enqueue(depot.pk)
    depot.apercu = {**depot.essai, "tache": str(resultat.id)}
    depot.save(update_fields=["apercu"])


def tache_de(depot: DepotDeClasseur) -> DBTaskResult | None:
    """Celle que l'ouvrier doit exécuter ou exécute pour ce dépôt."""
    cle = depot.essai.get("tache")
    return DBTaskResult.objects.filter(pk=cle).first() if cle and depot.etat in EN_COURS else None


# --- L'essai, par l'ouvrier ---------------------------------------------------------------------


@task()
def lire_le_depot(pk: int) -> None:
    """Lit le fichier et garde ce qu'il changerait ; recommence du début si un ouvrier s'y est arrêté."""
    with transaction.atomic():
        depot = _prendre(pk, EtatDeDepot.DEPOSE, EtatDeDepot.LECTURE)
        if depot is None:
            return
        depot.etat = EtatDeDepot.LECTURE
        depot.save(update_fields=["etat"])
    try:
        tableau = lire_le_tableau(depot.nom, depot.octets)
        _avancer(pk, 0, len(tableau.lignes))
        apercu = _essayer(depot.plan, tableau, lambda fait: _avancer(pk, fait))
    except FichierIllisible as refus:
        with transaction.atomic():
            if depot := _prendre(pk, EtatDeDepot.LECTURE):
                _clore(depot, EtatDeDepot.REFUSE, str(refus))
        return
    with transaction.atomic():
        if depot := _prendre(pk, EtatDeDepot.LECTURE):
            _garder_l_essai(depot, apercu)
            depot.save()


def _prendre(pk: int, *etats: EtatDeDepot) -> DepotDeClasseur | None:
    """Le dépôt sous verrou, s'il est encore dans un de ces états."""
    depot = DepotDeClasseur.objects.select_for_update(of=("self",)).filter(pk=pk, etat__in=etats)
    return depot.select_related("plan", "depose_par").first()


def _avancer(pk: int, fait: int, total: int | None = None) -> None:
    DepotDeClasseur.objects.filter(pk=pk).update(fait=fait, **({} if total is None else {"total": total}))


def _clore(depot: DepotDeClasseur, etat: EtatDeDepot, message: str = "") -> None:
    """Le fichier ne reste pas : son nom, son empreinte et les comptes suffisent."""
    comptes = {cle: depot.essai[cle] for cle in ("comptes", "changements") if cle in depot.essai}
    depot.apercu = {"sha256": hashlib.sha256(depot.octets).hexdigest(), **comptes}
    depot.etat, depot.message, depot.contenu = etat, message, None
    depot.save()


# --- Enregistrer --------------------------------------------------------------------------------


def enregistrer(depot: DepotDeClasseur, choix: Choix, empreinte: str) -> DepotDeClasseur:
    """Écrit ce que l'essai annonçait, ou le confie à l'ouvrier ; rend le dépôt relu. Demandé deux fois, une seule.

    `empreinte` : celle de l'essai que l'auteur avait sous les yeux. Lève EssaiPerime si ce n'est plus celui-là.
    """
    with transaction.atomic():
        pris = _prendre(depot.pk, EtatDeDepot.LU)
        if pris is None:
            return DepotDeClasseur.objects.get(pk=depot.pk)
        if pris.essai["empreinte"] != empreinte or pris.essai["comptes"]["refusee"]:
            raise EssaiPerime
        nombre = sum(pris.essai["comptes"][sort.value] for sort in choix.sorts)
        pris.etat, pris.message, pris.fait, pris.total = EtatDeDepot.APPLICATION, "", 0, nombre
        pris.apercu = pris.essai | {"choix": asdict(choix)}
        pris.save()
        if nombre > LIGNES_SUR_PLACE:
            _confier(pris, enregistrer_le_depot)
            return pris
    appliquer(depot.pk)
    return DepotDeClasseur.objects.get(pk=depot.pk)


@task()
def enregistrer_le_depot(pk: int) -> None:
    appliquer(pk)


def appliquer(pk: int) -> None:
    """Relit le fichier et l'enregistre d'un bloc, si l'essai annonce encore la même chose et si la personne en a
    encore le droit ; sinon rien n'est écrit, et le dépôt dit pourquoi."""
    depot = DepotDeClasseur.objects.filter(pk=pk, etat=EtatDeDepot.APPLICATION).first()
    if depot is None:
        return
    # Lire le fichier prend du temps, et pas de verrou.
    tableau = lire_le_tableau(depot.nom, depot.octets)
    try:
        with transaction.atomic():
            if depot := _prendre(pk, EtatDeDepot.APPLICATION):
                _enregistrer_sous_verrou(depot, tableau)
    except (ValidationError, ConflitDeVersion, IntegrityError) as refus:
        with transaction.atomic():
            if depot := _prendre(pk, EtatDeDepot.APPLICATION):
                raisons = " ".join(refus.messages) if isinstance(refus, ValidationError) else str(refus)
                _garder_l_essai(depot, _essayer(depot.plan, tableau), f"Rien n'est écrit. {raisons}")
                depot.save()


def _enregistrer_sous_verrou(depot: DepotDeClasseur, tableau: Tableau) -> None:
    auteur = Utilisateur.objects.get(pk=depot.depose_par_id)
    if not (peut(auteur, Droit.IMPORTER) and peut(auteur, Droit.MODIFIER_LE_PLAN)):
        depot.etat, depot.message = EtatDeDepot.LU, DROIT_RETIRE
        depot.save()
        return
    comparaison = comparer(tableau, Releve.du_plan(depot.plan, sous_verrou=True))
    if comparaison.empreinte != depot.essai["empreinte"]:
        _garder_l_essai(depot, apercu_de(comparaison, tableau.feuille), PERIME)
        depot.save()
        return
    choix = Choix(**depot.essai["choix"])
    depot.lot = ecrire(comparaison, depot.plan, choix, auteur=auteur, intitule=f"Import de « {depot.nom} »")
    depot.fait = depot.total
    _clore(depot, EtatDeDepot.APPLIQUE)
    _tracer(depot, auteur, depot.lot)


def _tracer(depot: DepotDeClasseur, auteur: Utilisateur, lot: Lot | None) -> None:
    details = {"fichier": depot.nom, "lot": lot and lot.pk, **depot.essai}
    tracer(Geste.IMPORT, auteur, str(depot.plan), details=details)


# --- Reprendre, abandonner ----------------------------------------------------------------------


def reprendre(depot: DepotDeClasseur) -> None:
    """Refait l'essai, ou relance ce qu'un ouvrier arrêté a laissé ; sans danger si l'ouvrier travaillait encore."""
    with transaction.atomic():
        pris = _prendre(depot.pk, *VIVANTS)
        if pris is None:
            return
        if pris.etat == EtatDeDepot.APPLICATION:
            _confier(pris, enregistrer_le_depot)
            return
        sur_place = pris.etat == EtatDeDepot.LU and pris.total <= LIGNES_SUR_PLACE
        if not sur_place:
            pris.etat, pris.apercu, pris.fait = EtatDeDepot.DEPOSE, None, 0
            pris.save()
            _confier(pris, lire_le_depot)
            return
        tableau = lire_le_tableau(pris.nom, pris.octets)
        _garder_l_essai(pris, _essayer(pris.plan, tableau))
        pris.save()


def abandonner(depot: DepotDeClasseur) -> bool:
    """Vide le dépôt de son fichier, sans rien écrire au plan ; faux s'il était déjà fini."""
    with transaction.atomic():
        pris = _prendre(depot.pk, *VIVANTS)
        if pris is None:
            return False
        _clore(pris, EtatDeDepot.ABANDONNE)
    return True
