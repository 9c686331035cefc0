"""Ce que fait le responsable du plan : comités et décisions, campagne, changement d'un geste, retrait et retour."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from accueil.demo_complet import phrases
from accueil.demo_complet.calendrier import Calendrier, Chronique, ouvre
from accueil.demo_complet.ecriture import enregistrer
from accueil.demo_complet.personnes import Equipe
from accueil.demo_complet.recits.recit import Recit
from actions.champs import Ecart
from actions.gestes import RIEN_DE_NOUVEAU
from actions.models import Action, Campagne, Comite, Decision, DemandeDActualisation, NoteDeSuivi, Plan, PresenceAuPlan
from actions.modifications import noter_au_lot
from actions.requetes import CHAMPS_PROJETES
from actions.statuts import Mouvement, Priorite
from comptes.models import Lot

COMITES = (
    datetime.date(2023, 6, 20),
    datetime.date(2023, 12, 12),
    datetime.date(2024, 6, 18),
    datetime.date(2024, 12, 10),
    datetime.date(2025, 6, 17),
    datetime.date(2025, 12, 9),
    datetime.date(2026, 6, 16),
)
PROCHAIN_COMITE = datetime.date(2026, 12, 11)
CONVOCATION = datetime.date(2026, 10, 5)
LANCEMENT = datetime.date(2026, 10, 19)
REPONSES = (datetime.date(2026, 10, 20), datetime.date(2026, 10, 30))
PRIORITES_REVUES = datetime.date(2026, 9, 14)
# L'action qui sort du plan puis y revient, et pourquoi.
ALLER_ET_RETOUR = "Développer l'approvisionnement de proximité"
RETRAIT = (datetime.date(2025, 2, 10), "Reprise par le plan alimentaire du territoire.")
RETOUR = (datetime.date(2025, 9, 15), "Le plan alimentaire ne l'a pas retenue : elle revient ici.")


@dataclass(frozen=True)
class Pilotage:
    """De quoi l'écrire : le plan, et les actions qui y sont entrées, par leur récit."""

    plan: Plan
    actions: Mapping[Recit, Action]
    equipe: Equipe
    calendrier: Calendrier
    chronique: Chronique

    def inscrire(self) -> None:
        for jour in COMITES:
            self._tenir(jour)
        self._convoquer()
        self._lancer_la_campagne()
        self._changer_les_priorites()
        self._retirer_et_remettre()

    @property
    def _ouvertes(self) -> list[tuple[Recit, Action]]:
        return [(recit, action) for recit, action in self.actions.items() if not recit.fin and not recit.retrait]

    # --- Comités -------------------------------------------------------------------------------

    def _comite(self, jour: datetime.date, saisi_le: datetime.datetime) -> Comite:
        comite = Comite(plan=self.plan, date=jour, lieu=phrases.LIEU_DU_COMITE)
        self.chronique.noter(saisi_le, lambda: enregistrer(comite, saisi_le, self.equipe.responsable))
        return comite

    def _tenir(self, jour: datetime.date) -> None:
        """Une décision sur l'ensemble du plan, deux sur des actions alors en cours. Le relevé s'écrit après."""
        saisi_le = self.calendrier.saisie(jour, (1, 2, 3))
        comite = self._comite(jour, saisi_le)
        en_cours = [
            action
            for recit, action in self.actions.items()
            if recit.debut and recit.debut < jour.year and (recit.fin or jour.year + 1) > jour.year
        ]
        sujets = self.calendrier.hasard.sample(en_cours, k=min(2, len(en_cours)))
        for action in (None, *sujets):
            textes = phrases.DECISIONS_SUR_UNE_ACTION if action else phrases.DECISIONS_SUR_LE_PLAN
            decision = Decision(
                comite=comite,
                action=action,
                texte=self.calendrier.hasard.choice(textes),
                saisi_le=saisi_le,
                auteur=self.equipe.responsable,
            )
            self.chronique.noter(saisi_le, partial(self._relever, decision))

    def _relever(self, decision: Decision) -> Decision:
        """Écrite une fois le comité enregistré : il a alors une clé."""
        decision.comite_id = decision.comite.pk
        return enregistrer(decision, decision.saisi_le, decision.auteur)

    def _convoquer(self) -> None:
        self._comite(PROCHAIN_COMITE, self.calendrier.saisie(CONVOCATION, (0,)))

    # --- Campagne ------------------------------------------------------------------------------

    def _lancer_la_campagne(self) -> None:
        """Toutes les actions ouvertes sont demandées ; un peu plus de la moitié des pilotes ont répondu."""
        lancee_le = self.calendrier.saisie(LANCEMENT, (0,))
        campagne = Campagne(
            plan=self.plan,
            avant_le=PROCHAIN_COMITE,
            motif="le comité de pilotage",
            message=phrases.MESSAGE_DE_CAMPAGNE,
            lancee_le=lancee_le,
            lancee_par=self.equipe.responsable,
        )
        demandees = [action for _, action in self._ouvertes]

        def lancer() -> None:
            enregistrer(campagne, lancee_le, self.equipe.responsable)
            for action in demandees:
                demande = DemandeDActualisation(campagne=campagne, action=action, destinataire=action.pilote)
                enregistrer(demande, lancee_le, self.equipe.responsable)

        self.chronique.noter(lancee_le, lancer)
        parlantes = [action for recit, action in self._ouvertes if not recit.muette and action.pilote]
        for rang, action in enumerate(parlantes):
            if rang % 5 < 3:
                texte = RIEN_DE_NOUVEAU if rang % 5 == 2 else self.calendrier.hasard.choice(phrases.NOTES_DE_SUIVI)
                self._repondre(action, texte)

    def _repondre(self, action: Action, texte: str) -> None:
        jour = self.calendrier.jour(*REPONSES)
        saisi_le = self.calendrier.saisie(jour, (0,))
        note = NoteDeSuivi(action=action, date=jour, texte=texte, auteur=action.pilote, saisi_le=saisi_le)
        self.chronique.noter(saisi_le, lambda: enregistrer(note, saisi_le, action.pilote))

    # --- D'un geste ----------------------------------------------------------------------------

    def _changer_les_priorites(self) -> None:
        """Les actions pas encore commencées passent en priorité haute, d'un geste qu'on peut défaire."""
        fait_le, responsable = self.calendrier.saisie(PRIORITES_REVUES, (0,)), self.equipe.responsable
        pas_commencees = [action for recit, action in self._ouvertes if not recit.debut]

        def changer() -> None:
            actions = Action.objects.filter(pk__in=[a.pk for a in pas_commencees]).exclude(priorite=Priorite.HAUTE)
            changees = list(actions)
            lot = Lot.objects.create(
                intitule=f"Priorité haute à {len(changees)} actions pas commencées",
                auteur=responsable,
                fait_le=fait_le,
            )
            for action in changees:
                ecart = Ecart("priorite", action.priorite, Priorite.HAUTE)
                action.priorite = Priorite.HAUTE
                enregistrer(action, fait_le, responsable, sauf=CHAMPS_PROJETES)
                noter_au_lot(lot, action, [ecart])

        if pas_commencees:
            self.chronique.noter(fait_le, changer)

    # --- Retrait et retour ---------------------------------------------------------------------

    def _retirer_et_remettre(self) -> None:
        action = next((a for r, a in self.actions.items() if r.intitule.startswith(ALLER_ET_RETOUR)), None)
        if action is None:
            return
        self._deplacer(action, Mouvement.RETRAIT, *RETRAIT)
        self._deplacer(action, Mouvement.RETOUR, *RETOUR)

    def _deplacer(self, action: Action, mouvement: Mouvement, jour: datetime.date, motif: str) -> None:
        saisi_le = self.calendrier.saisie(ouvre(jour))
        self.chronique.noter(
            saisi_le,
            lambda: PresenceAuPlan.ecrire(
                action,
                mouvement=mouvement,
                motif=motif,
                date_effet=jour,
                saisi_le=saisi_le,
                auteur=self.equipe.responsable,
            ),
        )
