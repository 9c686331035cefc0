"""Le travail de tous les jours sur les actions : étapes et documents, chacun à son jour."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from django.core.files.base import ContentFile

from accueil.demo_complet.calendrier import DERNIER_JOUR, Calendrier, Chronique, ouvre
from accueil.demo_complet.ecriture import enregistrer
from accueil.demo_complet.personnes import Equipe
from accueil.demo_complet.pieces import compte_rendu, recensement
from accueil.demo_complet.recits.recit import Recit
from accueil.demo_complet.vie import SILENCE
from actions.models import Action, Document, Etape
from actions.statuts import Statut
from comptes.models import Utilisateur
from socle.echeances import Echeance, Precision

ETAPES = (
    ("Recenser les marchés concernés", "Rédiger la clause", "Essayer sur un premier marché", "Étendre à tous"),
    ("Écrire la note de cadrage", "Réunir le groupe de travail", "Valider en comité", "Publier le guide"),
    ("Interroger les services", "Comparer les offres", "Passer la commande", "Former les utilisateurs"),
    ("Rencontrer les partenaires", "Signer la convention", "Tenir la première journée", "En tirer le bilan"),
)
# Une action qui court encore a des étapes jusque-là.
HORIZON = datetime.date(2027, 4, 30)


@dataclass(frozen=True)
class Suivi:
    """De quoi écrire le suivi : les actions entrées au plan, par leur récit."""

    actions: Mapping[Recit, Action]
    equipe: Equipe
    calendrier: Calendrier
    chronique: Chronique

    def inscrire(self) -> None:
        """Des étapes pour une action commencée sur deux, des documents pour une sur trois, et un suppléant de plus."""
        commencees = [(recit, action) for recit, action in self.actions.items() if recit.debut and not recit.retrait]
        for rang, (recit, action) in enumerate(commencees):
            debut, fin = _bornes(recit, action)
            if rang % 2 == 0:
                self._etapes(action, ETAPES[rang // 2 % len(ETAPES)], debut, fin)
            if rang % 3 == 0:
                self._compte_rendu(action, debut, fin)
            if rang % 6 == 1:
                self._lien(action, debut)
            if rang % 8 == 2:
                self._recensement(action, debut)
        self._suppleer()

    def _auteur(self, action: Action) -> Utilisateur:
        return action.pilote or self.equipe.responsable

    # --- Étapes --------------------------------------------------------------------------------

    def _etapes(
        self, action: Action, intitules: tuple[str, ...], debut: datetime.date, fin: datetime.date | None
    ) -> None:
        """Réparties du début à la fin. Ce qui tombe après les dernières nouvelles reste à faire, ou en retard."""
        nouvelles = self._dernieres_nouvelles(action, fin)
        pas = ((fin or HORIZON) - debut) / len(intitules)
        prevues_le = self.calendrier.saisie(ouvre(debut + datetime.timedelta(days=7)))
        for ordre, intitule in enumerate(intitules, start=1):
            prevue = debut + pas * ordre
            echeance = Echeance(prevue, Precision.JOUR) if ordre % 2 else Echeance.lire(_trimestre(prevue))
            etape = Etape(
                action=action, intitule=intitule, echeance=echeance.fin, precision=echeance.precision, ordre=ordre
            )
            auteur = self._auteur(action)
            self.chronique.noter(prevues_le, partial(enregistrer, etape, prevues_le, auteur))
            faite_le = self.calendrier.jour(prevue - datetime.timedelta(days=20), prevue)
            if fin is not None or faite_le <= nouvelles:
                self._faire(etape, min(faite_le, nouvelles), auteur)

    def _dernieres_nouvelles(self, action: Action, fin: datetime.date | None) -> datetime.date:
        """Le dernier jour où l'on a pu dire une étape faite."""
        if fin is not None:
            return fin
        muette = next(recit.muette for recit, autre in self.actions.items() if autre == action)
        return SILENCE if muette else DERNIER_JOUR - datetime.timedelta(days=self.calendrier.hasard.randint(5, 200))

    def _faire(self, etape: Etape, le: datetime.date, auteur: Utilisateur) -> None:
        saisi_le = self.calendrier.saisie(le)

        def faire() -> None:
            etape.faite_le = le
            enregistrer(etape, saisi_le, auteur)

        self.chronique.noter(saisi_le, faire)

    # --- Documents -----------------------------------------------------------------------------

    def _deposer(self, action: Action, le: datetime.date, **document) -> None:
        saisi_le, auteur = self.calendrier.saisie(le), self._auteur(action)
        self.chronique.noter(
            saisi_le, lambda: Document.objects.deposer(action, auteur=auteur, depose_le=saisi_le, **document)
        )

    def _compte_rendu(self, action: Action, debut: datetime.date, fin: datetime.date | None) -> None:
        """Celui du lancement ; terminée, celui qui prouve ce qui a été fait."""
        lancement = ouvre(debut + datetime.timedelta(days=15))
        titre = f"Compte rendu du lancement, action {action.numero}"
        self._deposer(action, lancement, titre=titre, fichier=ContentFile(*compte_rendu(titre, lancement)))
        if fin is not None:
            titre = f"Livrable de l'action {action.numero}"
            piece = ContentFile(*compte_rendu(titre, fin))
            self._deposer(action, fin, titre=titre, fichier=piece, preuve=True)

    def _lien(self, action: Action, debut: datetime.date) -> None:
        adresse = f"https://partage.agglomeration-fictive.example/actions/{action.numero}/"
        self._deposer(action, ouvre(debut), titre="Dossier partagé du groupe de travail", lien=adresse)

    def _recensement(self, action: Action, debut: datetime.date) -> None:
        """Les offres reçues ne regardent que ceux qui suivent l'action."""
        le = ouvre(debut + datetime.timedelta(days=40))
        titre = f"Offres reçues, action {action.numero}"
        self._deposer(action, le, titre=titre, fichier=ContentFile(*recensement(action.numero)), restreint=True)

    # --- Suppléance ----------------------------------------------------------------------------

    def _suppleer(self) -> None:
        """L'agent de la démonstration supplée quelqu'un d'un autre service : l'action entre dans « Mes actions »."""
        agent, saisi_le = self.equipe.comptes["agent"], self.calendrier.saisie(datetime.date(2026, 3, 9))
        voulues = [a for r, a in self.actions.items() if r.service == "DSI" and r.debut and not r.fin and a.pilote]

        def ecrire() -> None:
            action = Action.objects.get(pk=voulues[0].pk)
            action.suppleant = agent
            action._history_date, action._history_user = saisi_le, self.equipe.responsable  # type: ignore[attr-defined]
            action.save()

        if voulues:
            self.chronique.noter(saisi_le, ecrire)


def _bornes(recit: Recit, action: Action) -> tuple[datetime.date, datetime.date | None]:
    """Le jour où l'action a commencé, et celui où elle s'est achevée."""
    lignes = {ligne.statut: ligne.date_effet for ligne in action.changementdestatuts.en_vigueur()}
    debut = lignes.get(Statut.EN_COURS) or datetime.date(recit.debut or DERNIER_JOUR.year, 3, 1)
    return debut, lignes.get(Statut.TERMINEE)


def _trimestre(jour: datetime.date) -> str:
    return f"T{(jour.month + 2) // 3} {jour.year}"
