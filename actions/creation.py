"""Créer une action : sa fiche et ses premières lignes de journal, ensemble ou pas du tout."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from actions.journaux import ChangementDeStatut, JournalDAction, PresenceAuPlan, ReportEcheance
from actions.requetes import CHAMPS_PROJETES, ActionQuerySet
from actions.statuts import Mouvement, Statut, avancement_impose
from actions.suivi import PartenaireDeLAction, ReferenceCadre
from partenaires.models import Partenaire
from socle.echeances import Echeance

if TYPE_CHECKING:
    from actions.models import Action
    from comptes.models import Utilisateur

_ActionManager = models.Manager.from_queryset(ActionQuerySet)

# Ce que disent les premières lignes d'une action neuve, par journal.
PREMIERES_LIGNES: dict[type[JournalDAction], dict[str, Any]] = {
    PresenceAuPlan: {"mouvement": Mouvement.ENTREE},
    ChangementDeStatut: {"statut": Statut.NON_INITIEE, "avancement": avancement_impose(Statut.NON_INITIEE)},
}


class ActionManager(_ActionManager):
    def creer(
        self,
        *,
        auteur: "Utilisateur | None",
        statut: str = Statut.NON_INITIEE,
        avancement: int | None = None,
        date_effet: date | None = None,
        commentaire: str = "",
        echeance: Echeance | None = None,
        partenaires: Iterable[Partenaire] = (),
        references: Iterable[Any] = (),
        lot=None,
        **champs,
    ) -> "Action":
        """Crée une action avec ses premières lignes de journal (entrée au plan, statut, échéance s'il y en a).

        `champs` : les champs d'Action ; sans `numero`, le rang suivant du plan est pris. `references` : des objets
        qui ont `cadre` et `code`.
        Lève ValidationError ; rien n'est alors écrit.
        """
        jour = date_effet or timezone.localdate()
        signature: dict[str, Any] = {"auteur": auteur, "date_effet": jour, "commentaire": commentaire, "lot": lot}
        with transaction.atomic():
            # Verrouiller le plan sérialise les créations : deux actions ne prennent pas le même rang.
            plan = champs["plan"].verrouillee()
            if champs.get("numero") is None:
                champs["numero"] = self.prochain_numero(plan)
            action = cast("Action", self.model(**champs))
            action.full_clean(exclude=CHAMPS_PROJETES)
            action.save()
            for partenaire in partenaires:
                PartenaireDeLAction.objects.create(action=action, partenaire=partenaire)
            for reference in references:
                ReferenceCadre.objects.create(action=action, cadre=reference.cadre, code=reference.code)
            PresenceAuPlan.ecrire(action, mouvement=Mouvement.ENTREE, **signature)
            ChangementDeStatut.ecrire(
                action, statut=statut, avancement=avancement_a_ecrire(statut, avancement), **signature
            )
            if echeance is not None:
                ReportEcheance.ecrire(action, echeance=echeance.fin, precision=echeance.precision, **signature)
        action.refresh_from_db()
        return action

    def creer_en_masse(
        self, actions: Iterable["Action"], *, auteur: "Utilisateur | None", date_effet: date, commentaire: str = ""
    ) -> list["Action"]:
        """Crée d'un coup des actions neuves, non initiées : ce qu'écrit `creer`, en quelques requêtes.

        À appeler sous le verrou de leur plan, avec des copies d'actions déjà vérifiées : seules les contraintes de la
        base sont jugées. Lève ValidationError si la date est dans le futur ; rien n'est alors écrit.
        """
        if date_effet > timezone.localdate():
            raise ValidationError({"date_effet": "Un journal ne commence pas dans le futur."})
        neuves = list(actions)
        for action in neuves:
            for journal, valeurs in PREMIERES_LIGNES.items():
                for champ, valeur in valeurs.items():
                    setattr(action, journal.PROJECTION[champ], valeur)
        signature = {
            "auteur": auteur,
            "date_effet": date_effet,
            "commentaire": commentaire,
            "saisi_le": timezone.now(),
        }
        with transaction.atomic():
            creees = bulk_create_with_history(neuves, self.model, default_user=auteur)
            for journal, valeurs in PREMIERES_LIGNES.items():
                journal.objects.bulk_create(journal(action=action, **signature, **valeurs) for action in creees)
        return creees


def avancement_a_ecrire(statut: str, saisi: int | None) -> int | None:
    """L'avancement à écrire : celui que le statut impose ; une autre saisie est laissée à la contrainte."""
    return avancement_impose(statut) if saisi is None else saisi
