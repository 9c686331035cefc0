"""La vie d'une action, de son entrée au plan à aujourd'hui : chaque fait a son jour, sa saisie et son auteur."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

from accueil.demo_complet import phrases
from accueil.demo_complet.calendrier import DELAIS_DE_FIN_D_ANNEE, DERNIER_JOUR, Calendrier, Chronique, ouvre
from accueil.demo_complet.ecriture import enregistrer
from accueil.demo_complet.personnes import Equipe
from accueil.demo_complet.recits.recit import AxeRaconte, Recit
from actions.models import (
    Action,
    Axe,
    ChangementDeStatut,
    NoteDeSuivi,
    PartenaireDeLAction,
    Plan,
    PresenceAuPlan,
    ReferenceCadre,
    ReportEcheance,
)
from actions.requetes import CHAMPS_PROJETES
from actions.statuts import Mouvement, Priorite, Statut, avancement_impose
from actions.suivi import PorteeDeNote, RoleDePartenaire
from comptes.models import Utilisateur
from partenaires.models import Partenaire
from socle.echeances import Echeance

# Année d'entrée → jour : l'adoption du plan, puis les revues annuelles.
ENTREES = {
    2022: datetime.date(2022, 1, 24),
    2023: datetime.date(2023, 2, 6),
    2024: datetime.date(2024, 2, 5),
    2025: datetime.date(2025, 2, 3),
}
# Une action muette n'a plus rien dit depuis.
SILENCE = datetime.date(2026, 2, 27)
DERNIERES_NOUVELLES = datetime.date(2026, 6, 8)
JOUR_DE_RETRAIT = (12, 9)
PREPARATION = datetime.timedelta(days=25)
DUREE_DANS_L_ANNEE = datetime.timedelta(days=60)
DUREE_MINIMALE = datetime.timedelta(days=150)
BUDGETS = (None, None, 2_000, 5_000, 8_000, 12_000, 15_000, 25_000, 40_000, 60_000, 120_000)
PRIORITES = (Priorite.HAUTE, Priorite.HAUTE, Priorite.NORMALE, Priorite.NORMALE, Priorite.NORMALE, Priorite.BASSE, "")
ROLES = (RoleDePartenaire.CONTRIBUTEUR, RoleDePartenaire.CONTRIBUTEUR, RoleDePartenaire.FINANCEUR, "")


@dataclass(frozen=True)
class Decor:
    """Ce que toutes les vies partagent."""

    plan: Plan
    equipe: Equipe
    partenaires: dict[str, Partenaire]
    calendrier: Calendrier


@dataclass
class Vie:
    """`raconter` tire tout et l'inscrit à la chronique ; `action` existe une fois son entrée jouée."""

    recit: Recit
    numero: int
    raconte: AxeRaconte
    axe: Axe
    decor: Decor
    chronique: Chronique
    action: Action | None = None
    pilote: Utilisateur | None = field(init=False)
    entree: datetime.date = field(init=False)

    def __post_init__(self) -> None:
        self.calendrier = self.decor.calendrier
        self.hasard = self.calendrier.hasard
        self.responsable = self.decor.equipe.responsable
        self.entree = ENTREES[self.recit.entree]
        self.pilote = self._choisir_le_pilote()

    def raconter(self) -> None:
        debut, fin = self._demarrer(), None
        self._entrer(debut)
        if debut is not None:
            fin = self._achever(debut)
            self._avancer(debut, fin)
            self._noter(debut, fin)
        elif not self.recit.muette and not self.recit.retrait:
            self._note(self._jour_recent(), phrases.NOTES_D_ATTENTE)
        self._reporter(fin)
        self._se_tromper()
        self._signaler()
        self._retirer()

    @property
    def _ecrite(self) -> Action:
        """L'action, pour ce qui s'écrit après son entrée : rien ne s'en joue avant."""
        return cast("Action", self.action)

    def _borne(self, fin: datetime.date | None) -> datetime.date:
        """Le dernier jour où il se passe quelque chose : la fin, le retrait, le silence, ou la fin du récit."""
        if fin is not None:
            return fin
        if self.recit.retrait is not None:
            return datetime.date(self.recit.retrait[0], *JOUR_DE_RETRAIT)
        return SILENCE if self.recit.muette else DERNIER_JOUR

    # --- Entrée au plan ------------------------------------------------------------------------

    def _choisir_le_pilote(self) -> Utilisateur | None:
        if self.recit.pilote == "personne":
            return None
        if self.recit.pilote:
            return self.decor.equipe.comptes[self.recit.pilote]
        return self.hasard.choice(self.decor.equipe.pilotes[self.recit.service])

    def _entrer(self, debut: datetime.date | None) -> None:
        saisi_le = self.calendrier.saisie(self.entree, (0, 1, 2))
        fiche = self._fiche(debut)
        partenaires, references = self._partenaires(), self._references()
        commentaire = phrases.ENTREE if self.recit.entree == 2022 else phrases.REVUE
        signature: dict[str, Any] = {
            "date_effet": self.entree,
            "saisi_le": saisi_le,
            "auteur": self.responsable,
            "commentaire": commentaire,
        }
        premiere = self._echeances()[:1]

        def ecrire() -> None:
            action = enregistrer(fiche, saisi_le, self.responsable, sauf=CHAMPS_PROJETES)
            for partenaire, role in partenaires:
                lien = PartenaireDeLAction(action=action, partenaire=partenaire, role=role)
                enregistrer(lien, saisi_le, self.responsable)
            for cadre, code in references:
                enregistrer(ReferenceCadre(action=action, cadre=cadre, code=code), saisi_le, self.responsable)
            PresenceAuPlan.ecrire(action, mouvement=Mouvement.ENTREE, **signature)
            ChangementDeStatut.ecrire(action, statut=Statut.NON_INITIEE, avancement=0, **signature)
            for echeance in premiere:
                ReportEcheance.ecrire(action, echeance=echeance.fin, precision=echeance.precision, **signature)
            self.action = action

        self.chronique.noter(saisi_le, ecrire)

    def _fiche(self, debut: datetime.date | None) -> Action:
        budget = self.hasard.choice(BUDGETS)
        depense = self.hasard.randint(55, 110)
        suppleants = [p for p in self.decor.equipe.pilotes[self.recit.service] if p != self.pilote]
        return Action(
            plan=self.decor.plan,
            axe=self.axe,
            numero=self.numero,
            intitule=self.recit.intitule,
            description=self.recit.description,
            pilote=self.pilote,
            suppleant=suppleants[0] if self.pilote and suppleants and self.calendrier.une_fois_sur(3) else None,
            service_pilote=self.decor.equipe.services[self.recit.service],
            elu_referent=f"Élu·e fictif·ve {self.hasard.choice(self.raconte.elus)}",
            priorite=self.hasard.choice(PRIORITES),
            date_debut=debut.replace(day=1) if debut else None,
            budget_previsionnel=budget,
            budget_realise=budget * depense // 100 if budget and self.recit.fin else None,
            visible_du_public=not self.recit.interne,
        )

    def _partenaires(self) -> list[tuple[Partenaire, str]]:
        """Aucun, un ou plusieurs partenaires de l'axe ; le premier peut porter l'action."""
        sigles = self.hasard.sample(self.raconte.partenaires, k=self.hasard.choice((0, 1, 1, 2, 3)))
        roles = [self.hasard.choice(ROLES) for _ in sigles]
        if roles and self.calendrier.une_fois_sur(3):
            roles[0] = RoleDePartenaire.PORTEUR
        return [(self.decor.partenaires[sigle], role) for sigle, role in zip(sigles, roles, strict=True)]

    def _references(self) -> list[tuple[str, str]]:
        cadres = self.hasard.sample(self.raconte.cadres, k=self.hasard.choice((0, 1, 1, 2)))
        return [(cadre, self.hasard.choice(codes)) for cadre, codes in cadres]

    # --- Statuts -------------------------------------------------------------------------------

    def _demarrer(self) -> datetime.date | None:
        annee = self.recit.debut
        if annee is None:
            return None
        # Qui s'achève la même année démarre tôt ; en 2026, seul le début d'année est connu.
        mois, jour = (5, 15) if self.recit.fin == annee else (8, 28) if annee == 2026 else (11, 10)
        debut = self.calendrier.jour(
            max(self.entree + PREPARATION, datetime.date(annee, 1, 10)), datetime.date(annee, mois, jour)
        )
        self._statut(debut, Statut.EN_COURS, self.hasard.choice((None, 5, 10, 15)), phrases.DEMARRAGE)
        return debut

    def _achever(self, debut: datetime.date) -> datetime.date | None:
        annee = self.recit.fin
        if annee is None:
            return None
        duree = DUREE_DANS_L_ANNEE if debut.year == annee else DUREE_MINIMALE
        # Un report ne se décide que si l'action n'était pas finie à l'échéance d'avant.
        reportees = [echeance.fin for echeance in self._echeances()[:-1]]
        au_plus_tot = max(debut + duree, datetime.date(annee, 1, 15), *reportees)
        fin = self.calendrier.jour(au_plus_tot, datetime.date(annee, 12, 12))
        delais = {"delais": DELAIS_DE_FIN_D_ANNEE} if fin.month >= 11 else {}
        self._statut(fin, Statut.TERMINEE, None, phrases.ACHEVEMENT, **delais)
        return fin

    def _avancer(self, debut: datetime.date, fin: datetime.date | None) -> None:
        """Des points d'avancement entre le début et la fin, ou les dernières nouvelles."""
        borne = self._borne(fin)
        fois = self.hasard.choice((0, 1, 1, 2)) if (borne - debut).days > 120 else 0
        for n in range(1, fois + 1):
            jour = ouvre(debut + (borne - debut) * n // (fois + 1))
            avancement = 5 * (round(20 * n / (fois + 1)) + self.hasard.randint(-2, 3))
            self._statut(jour, Statut.EN_COURS, avancement, phrases.AVANCEE)

    def _statut(
        self,
        jour: datetime.date,
        statut: Statut,
        avancement: int | None,
        commentaires: tuple[str, ...],
        **delais: tuple[int, ...],
    ) -> None:
        commentaire = self.hasard.choice(commentaires)
        avancement = avancement or avancement_impose(statut)
        self._signer(
            jour,
            lambda **signature: ChangementDeStatut.ecrire(
                self._ecrite, statut=statut, avancement=avancement, commentaire=commentaire, **signature
            ),
            **delais,
        )

    def _se_tromper(self) -> None:
        """Une ligne fausse, puis celle qui la corrige : l'action n'était pas terminée."""
        if self.recit.fin_par_erreur is None:
            return
        jour = datetime.date(self.recit.fin_par_erreur, 11, 18)
        self._statut(jour, Statut.TERMINEE, None, phrases.ACHEVEMENT, delais=(0,))
        relu_le = self.calendrier.saisie(jour + datetime.timedelta(days=24), (0,))

        def corriger() -> None:
            faite = ChangementDeStatut.objects.get(action=self._ecrite, date_effet=jour, statut=Statut.TERMINEE)
            faite.corriger(
                auteur=self.responsable,
                saisi_le=relu_le,
                commentaire=phrases.ERREUR,
                statut=Statut.EN_COURS,
                avancement=50,
            )

        self.chronique.noter(relu_le, corriger)

    # --- Échéances, notes, retrait -------------------------------------------------------------

    def _echeances(self) -> list[Echeance]:
        return [Echeance.lire(texte) for texte in self.recit.echeances.split(">") if texte.strip()]

    def _reporter(self, fin: datetime.date | None) -> None:
        """Chaque report se décide peu avant l'échéance qu'il remplace, et jamais après la fin de l'action."""
        echeances = self._echeances()
        borne = self._borne(fin)
        for avant, apres in pairwise(echeances):
            decide = ouvre(min(avant.fin, borne) - datetime.timedelta(days=self.hasard.randint(8, 45)))
            motif = self.hasard.choice(phrases.MOTIFS_DE_REPORT)
            self._reporter_a(apres, decide, motif)

    def _reporter_a(self, echeance: Echeance, jour: datetime.date, motif: str) -> None:
        self._signer(
            jour,
            lambda **signature: ReportEcheance.ecrire(
                self._ecrite, echeance=echeance.fin, precision=echeance.precision, motif=motif, **signature
            ),
        )

    def _noter(self, debut: datetime.date, fin: datetime.date | None) -> None:
        self._note(ouvre(debut + datetime.timedelta(days=21)), phrases.NOTES_DE_DEMARRAGE)
        borne = self._borne(fin)
        for annee in range(debut.year, borne.year):
            if self.calendrier.une_fois_sur(3):
                self._note(datetime.date(annee, 12, 15), phrases.NOTES_DE_BILAN, PorteeDeNote.BILAN)
            if annee > debut.year and self.calendrier.une_fois_sur(2):
                self._note(
                    self.calendrier.jour(datetime.date(annee, 2, 1), datetime.date(annee, 10, 1)),
                    phrases.NOTES_DE_SUIVI,
                )
        if fin is not None:
            self._note(fin, phrases.NOTES_D_ACHEVEMENT, PorteeDeNote.BILAN)
        elif not self.recit.muette and not self.recit.retrait:
            self._note(self._jour_recent(), phrases.NOTES_DE_SUIVI)

    def _jour_recent(self) -> datetime.date:
        return self.calendrier.jour(DERNIERES_NOUVELLES, DERNIER_JOUR - datetime.timedelta(days=14))

    def _note(self, jour: datetime.date, textes: tuple[str, ...], portee: PorteeDeNote = PorteeDeNote.INTERNE) -> None:
        texte = self.hasard.choice(textes)
        saisi_le = self.calendrier.saisie(jour)
        auteur = self.pilote or self.responsable
        self.chronique.noter(
            saisi_le,
            lambda: enregistrer(
                NoteDeSuivi(
                    action=self._ecrite, date=jour, texte=texte, portee=portee, auteur=auteur, saisi_le=saisi_le
                ),
                saisi_le,
                auteur,
            ),
        )

    def _signaler(self) -> None:
        """Le point d'attention, posé dans la dernière année où l'on a parlé de l'action."""
        if self.recit.attention is None:
            return
        nature, phrase = self.recit.attention
        borne = self._borne(None) - datetime.timedelta(days=14)
        saisi_le = self.calendrier.saisie(self.calendrier.jour(borne - datetime.timedelta(days=150), borne))
        auteur = self.pilote or self.responsable

        def ecrire() -> None:
            # Relue : les journaux ont fait avancer sa version.
            action = Action.objects.get(pk=self._ecrite.pk)
            action.attention_nature, action.attention = nature, phrase
            enregistrer(action, saisi_le, auteur, sauf=CHAMPS_PROJETES)

        self.chronique.noter(saisi_le, ecrire)

    def _retirer(self) -> None:
        if self.recit.retrait is None:
            return
        annee, motif = self.recit.retrait
        self._signer(
            datetime.date(annee, *JOUR_DE_RETRAIT),
            lambda **signature: PresenceAuPlan.ecrire(
                self._ecrite, mouvement=Mouvement.RETRAIT, motif=motif, **signature | {"auteur": self.responsable}
            ),
        )

    def _signer(self, jour: datetime.date, ecrire: Callable[..., object], **delais: tuple[int, ...]) -> None:
        """Inscrit une ligne de journal à la chronique : son jour, sa saisie, et le pilote ou le responsable."""
        saisi_le = self.calendrier.saisie(jour, **delais)
        auteur = self.responsable if self.pilote is None or self.calendrier.une_fois_sur(4) else self.pilote
        self.chronique.noter(saisi_le, lambda: ecrire(date_effet=jour, saisi_le=saisi_le, auteur=auteur))
