"""Écrire d'un trait ce qu'une comparaison annonce : un lot, dans la transaction de l'appelant, plan sous verrou.

Ce que `modifier` et `creer` écriraient ligne par ligne, en assez peu de requêtes pour que mille lignes ne retiennent
personne longtemps. Rien ne s'y vérifie : la comparaison l'a fait, sous le même verrou, et la base tient ses
contraintes. Un essai compare, ligne à ligne, ce qui est écrit ici à ce que `modifier` et `creer` écrivent.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Max
from django.utils import timezone
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from actions.champs import LIBELLES_DES_JOURNAUX, LIBELLES_DES_LIENS, Ecart
from actions.classeur.comparaison import Comparaison, LigneComparee, Sort
from actions.creation import avancement_a_ecrire
from actions.journaux import ChangementDeStatut, JournalDAction, PresenceAuPlan, ReportEcheance
from actions.models import Action
from actions.modifications import CREATION, lignes_de_lot
from actions.plans import Plan
from actions.statuts import Mouvement, Statut
from actions.suivi import PartenaireDeLAction, ReferenceCadre
from comptes.gestes import LigneDeLot, Lot
from socle.echeances import Echeance

if TYPE_CHECKING:
    from comptes.models import Utilisateur

# Un UPDATE de plusieurs lignes dit chaque valeur : au-delà, il s'allonge plus qu'il ne gagne.
PAR_REQUETE = 100


@dataclass(frozen=True)
class Choix:
    """Ce que l'auteur a décidé devant l'essai. `motif` : celui des échéances déplacées dont la ligne ne dit pas le
    sien ; `prendre_le_fichier` : pour les lignes en conflit, plutôt que de garder le site."""

    motif: str = ""
    prendre_le_fichier: bool = False

    @property
    def sorts(self) -> tuple[Sort, ...]:
        return (Sort.CHANGEE, Sort.CREEE, *([Sort.CONFLIT] if self.prendre_le_fichier else []))


@dataclass(frozen=True)
class Inscription:
    """Une ligne à ajouter à un journal."""

    journal: type[JournalDAction]
    action: Action
    date_effet: date
    valeurs: dict[str, Any]


def ecrire(comparaison: Comparaison, plan: Plan, choix: Choix, *, auteur: "Utilisateur", intitule: str) -> Lot | None:
    """Le lot de tout ce qui est écrit ; None s'il n'y avait rien à écrire."""
    lignes = comparaison.de_sort(*choix.sorts)
    if not lignes:
        return None
    lot = Lot.objects.create(intitule=intitule[:200], auteur=auteur)
    ecriture = _Ecriture(auteur, lot, choix.motif)
    ecriture.changer([(ligne, ligne.action) for ligne in lignes if ligne.action is not None])
    ecriture.creer([ligne for ligne in lignes if ligne.action is None], plan)
    return lot


class _Ecriture:
    def __init__(self, auteur: "Utilisateur", lot: Lot, motif: str) -> None:
        self.auteur, self.lot, self.motif = auteur, lot, motif

    # --- Changer -------------------------------------------------------------------------------

    def changer(self, lignes: Sequence[tuple[LigneComparee, Action]]) -> None:
        self._ecrire_les_fiches(lignes)
        self._inscrire([inscription for ligne, action in lignes for inscription in self._inscriptions(ligne, action)])
        LigneDeLot.objects.bulk_create(
            ligne_de_lot for ligne, action in lignes for ligne_de_lot in lignes_de_lot(self.lot, action, ligne.ecarts)
        )

    def _ecrire_les_fiches(self, lignes: Iterable[tuple[LigneComparee, Action]]) -> None:
        """Un enregistrement et une ligne d'historique par action dont la fiche ou les liens changent."""
        touchees, champs = [], set()
        for ligne, action in lignes:
            propres = [ecart for ecart in ligne.ecarts if ecart.champ not in LIBELLES_DES_JOURNAUX]
            for ecart in propres:
                if ecart.champ in LIBELLES_DES_LIENS:
                    self._ecrire_un_lien(action, ecart)
                else:
                    setattr(action, ecart.champ, ecart.apres)
                    champs.add(ecart.champ)
            if propres:
                action.version += 1
                touchees.append(action)
        if touchees:
            champs_ecrits = [*sorted(champs), "version"]
            bulk_update_with_history(touchees, Action, champs_ecrits, batch_size=PAR_REQUETE, default_user=self.auteur)

    def _ecrire_un_lien(self, action: Action, ecart: Ecart) -> None:
        """Rien n'est supprimé pour être recréé : seul ce qu'on ajoute, retire ou change bouge."""
        if ecart.champ == "partenaires":
            restent = dict(ecart.apres)
            for lien in action.participations.all():
                role = restent.pop(lien.partenaire, None)
                if role is None:
                    self._signer(lien).delete()
                elif lien.role != role:
                    lien.role = role
                    self._signer(lien).save()
            self._lier([(action, restent, [])])
        else:
            voulues = {_cadre_et_code(texte): texte for texte in ecart.apres}
            for reference in action.references.all():
                if voulues.pop((reference.cadre, reference.code), None) is None:
                    self._signer(reference).delete()
            self._lier([(action, {}, list(voulues.values()))])

    def _signer(self, lien: Any) -> Any:
        # Hors d'une demande du navigateur, l'historique ne saurait pas qui.
        lien._history_user = self.auteur
        return lien

    def _lier(self, liens: Iterable[tuple[Action, dict[Any, str], list[str]]]) -> None:
        liens = list(liens)
        participations = [
            PartenaireDeLAction(action=action, partenaire=partenaire, role=role)
            for action, partenaires, _ in liens
            for partenaire, role in partenaires.items()
        ]
        references = [
            ReferenceCadre(action=action, cadre=cadre, code=code)
            for action, _, textes in liens
            for cadre, code in map(_cadre_et_code, textes)
        ]
        for modele, objets in ((PartenaireDeLAction, participations), (ReferenceCadre, references)):
            if objets:
                bulk_create_with_history(objets, modele, default_user=self.auteur)

    def _inscriptions(self, ligne: LigneComparee, action: Action) -> Iterable[Inscription]:
        apres = {ecart.champ: ecart.apres for ecart in ligne.ecarts}
        jour = ligne.date_effet or timezone.localdate()
        if "statut" in apres or "avancement" in apres:
            statut = str(apres.get("statut", action.statut))
            repris = action.avancement if "statut" not in apres else None
            avancement = avancement_a_ecrire(statut, apres.get("avancement", repris))
            yield Inscription(ChangementDeStatut, action, jour, {"statut": statut, "avancement": avancement})
        if "echeance" in apres:
            valeurs = {**_echeance(apres["echeance"]), "motif": ligne.motif or self.motif}
            yield Inscription(ReportEcheance, action, jour, valeurs)

    def _inscrire(self, inscriptions: Sequence[Inscription]) -> None:
        """Ajoute les lignes, puis recopie sur les actions l'état qu'elles donnent : rien ne les suit aux journaux."""
        for journal in (ChangementDeStatut, ReportEcheance):
            siennes = [inscription for inscription in inscriptions if inscription.journal is journal]
            if not siennes:
                continue
            self._ajouter(journal, siennes)
            groupes: dict[tuple, list[Action]] = defaultdict(list)
            for inscription in siennes:
                groupes[tuple(inscription.valeurs[champ] for champ in journal.PROJECTION)].append(inscription.action)
            for etat, actions in groupes.items():
                projete = dict(zip(journal.PROJECTION.values(), etat, strict=True))
                Action.objects.ecrire_les_projections(actions, **projete)

    def _ajouter(self, journal: type[JournalDAction], inscriptions: Sequence[Inscription]) -> None:
        pks = [inscription.action.pk for inscription in inscriptions]
        dernieres = journal.objects.filter(action__in=pks).order_by().values("action")
        saisies = dict(dernieres.annotate(derniere=Max("saisi_le")).values_list("action", "derniere"))
        moment = timezone.now()
        journal.objects.bulk_create(
            journal(
                action=inscription.action,
                date_effet=inscription.date_effet,
                # Une horloge reculée ne brouille pas l'ordre des saisies.
                saisi_le=max(moment, saisies.get(inscription.action.pk, moment)),
                auteur=self.auteur,
                lot=self.lot,
                **inscription.valeurs,
            )
            for inscription in inscriptions
        )

    # --- Créer ---------------------------------------------------------------------------------

    def creer(self, lignes: Sequence[LigneComparee], plan: Plan) -> None:
        """Les numéros donnés par le fichier d'abord : le rang suivant, donné aux autres, ne les leur prendra pas."""
        if not lignes:
            return
        pris = [ligne.valeurs["numero"] for ligne in lignes if ligne.valeurs.get("numero") is not None]
        suivant = max([Action.objects.prochain_numero(plan), *(numero + 1 for numero in pris)])
        neuves: list[tuple[LigneComparee, Action]] = []
        for ligne in lignes:
            action = _action_neuve(ligne, plan)
            if action.numero is None:
                action.numero, suivant = suivant, suivant + 1
            neuves.append((ligne, action))
        bulk_create_with_history([action for _, action in neuves], Action, default_user=self.auteur)
        for journal in (PresenceAuPlan, ChangementDeStatut, ReportEcheance):
            lignes_du_journal = [i for ligne, action in neuves for i in _premieres(journal, ligne, action)]
            if lignes_du_journal:
                self._ajouter(journal, lignes_du_journal)
        self._lier(
            (action, ligne.valeurs.get("partenaires") or {}, ligne.valeurs.get("references") or [])
            for ligne, action in neuves
        )
        type_d_objet = ContentType.objects.get_for_model(Action)
        LigneDeLot.objects.bulk_create(
            LigneDeLot(
                lot=self.lot, type_d_objet=type_d_objet, id_objet=action.pk, champ=CREATION, apres=action.numero
            )
            for _, action in neuves
        )


def _action_neuve(ligne: LigneComparee, plan: Plan) -> Action:
    """L'action et l'état que ses premières lignes de journal lui donneront."""
    donnees = {champ: valeur for champ, valeur in ligne.valeurs.items() if valeur is not None}
    propres = {
        champ: valeur
        for champ, valeur in donnees.items()
        if champ not in LIBELLES_DES_JOURNAUX and champ not in LIBELLES_DES_LIENS
    }
    action = Action(plan=plan, **propres)
    action.statut = donnees.get("statut", Statut.NON_INITIEE)
    action.avancement = avancement_a_ecrire(action.statut, donnees.get("avancement"))
    action.presence = Mouvement.ENTREE
    etat = _echeance(donnees.get("echeance"))
    action.echeance, action.echeance_precision = etat["echeance"], etat["precision"]
    return action


def _premieres(journal: type[JournalDAction], ligne: LigneComparee, action: Action) -> Iterable[Inscription]:
    jour = ligne.date_effet or timezone.localdate()
    if journal is PresenceAuPlan:
        yield Inscription(journal, action, jour, {"mouvement": Mouvement.ENTREE})
    elif journal is ChangementDeStatut:
        yield Inscription(journal, action, jour, {"statut": action.statut, "avancement": action.avancement})
    elif action.echeance is not None:
        yield Inscription(journal, action, jour, _echeance(ligne.valeurs["echeance"]))


def _echeance(voulue: Echeance | None) -> dict[str, Any]:
    return {"echeance": voulue and voulue.fin, "precision": voulue and voulue.precision}


def _cadre_et_code(texte: str) -> tuple[str, str]:
    cadre, _, code = (partie.strip() for partie in texte.partition(":"))
    return cadre, code
