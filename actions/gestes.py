"""Ce qu'on fait à une action : un geste est une méthode, une transaction, une ou plusieurs lignes écrites."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from actions.creation import avancement_a_ecrire
from actions.journaux import ChangementDeStatut, JournalDAction, PresenceAuPlan, ReportEcheance
from actions.requetes import CHAMPS_PROJETES
from actions.statuts import Mouvement
from actions.suivi import NoteDeSuivi, PorteeDeNote
from socle.echeances import Echeance
from socle.modeles import ConflitDeVersion, LigneVersionnee

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from actions.models import Action
    from comptes.models import Lot, Utilisateur

# Le temps de se rendre compte d'un faux clic ; au-delà, un nouveau changement dit mieux ce qui s'est passé.
DELAI_D_ANNULATION = timedelta(minutes=1)
ANNULE = "Changement annulé aussitôt."
REPOSEE = "(Reprise telle quelle, après la correction d'une ligne plus ancienne du même jour.)"
RIEN_DE_NOUVEAU = "Rien de nouveau."

Ligne = TypeVar("Ligne", bound=JournalDAction)


class GestesDAction(LigneVersionnee):
    """Les gestes d'une action. Base abstraite d'`Action`, dont elle porte toutes les écritures datées."""

    class Meta:
        abstract = True

    @property
    def _action(self) -> "Action":
        """Elle-même, sous le seul type qui hérite d'ici."""
        return cast("Action", self)

    def changer_statut(
        self,
        statut: str,
        *,
        auteur: "Utilisateur | None",
        version: int,
        date_effet: date | None = None,
        avancement: int | None = None,
        commentaire: str = "",
        insere_avant: int | None = None,
        lot: "Lot | None" = None,
    ) -> ChangementDeStatut:
        """Inscrit un changement de statut au journal.

        `version` est celle que l'auteur avait sous les yeux. Le même geste reçu deux fois (double clic,
        rechargement) rend la ligne déjà écrite. Lève ConflitDeVersion si quelqu'un d'autre est passé
        entre-temps, SaisieTardive, ou ValidationError ; rien n'est alors écrit.
        """
        valeurs: dict[str, Any] = {
            "statut": statut,
            "avancement": avancement_a_ecrire(statut, avancement),
            "date_effet": date_effet or timezone.localdate(),
            "commentaire": commentaire.strip(),
        }

        def verifier(en_vigueur: ChangementDeStatut | None) -> None:
            if en_vigueur and en_vigueur.valeurs == {champ: valeurs[champ] for champ in en_vigueur.valeurs}:
                raise ValidationError({"statut": f"L'action est déjà « {en_vigueur} » à cette date : rien à changer."})

        return self._inscrire(ChangementDeStatut, valeurs, verifier, auteur, version, insere_avant, lot)

    def annuler_le_changement(self, ligne: int, *, auteur: "Utilisateur | AnonymousUser") -> ChangementDeStatut:
        """Défait le changement de statut que l'auteur vient de faire : une ligne corrige la sienne et reprend les
        valeurs d'avant. `ligne` est l'identifiant de celle à défaire.

        Demandé deux fois, rend la ligne déjà écrite. Lève ValidationError si la minute est passée, si la ligne n'est
        pas de lui, si rien n'était connu avant ou si le statut a rechangé depuis ; rien n'est alors écrit.
        """
        with transaction.atomic():
            actuelle = self._action.verrouillee()
            lignes = ChangementDeStatut.objects.filter(action=actuelle)
            voulue = lignes.filter(pk=ligne, auteur_id=auteur.pk).first()
            derniere = lignes.order_by("-pk").first()
            if voulue is None or derniere is None:
                raise ValidationError("Ce changement de statut n'est pas de vous : rien n'a été annulé.")
            if derniere.annule_id == voulue.pk and derniere.commentaire == ANNULE:
                return derniere
            if timezone.now() - voulue.saisi_le > DELAI_D_ANNULATION:
                raise ValidationError("La minute est passée : pour revenir en arrière, changez de nouveau le statut.")
            avant = lignes.exclude(pk=voulue.pk).en_vigueur(voulue.date_effet).first()
            if derniere != voulue or avant is None:
                raise ValidationError("Le statut a changé depuis : rien n'a été annulé. Regardez où en est l'action.")
            return voulue.corriger(auteur=auteur, commentaire=ANNULE, statut=avant.statut, avancement=avant.avancement)

    def reporter_echeance(
        self,
        echeance: Echeance | None,
        *,
        auteur: "Utilisateur | None",
        version: int,
        motif: str = "",
        date_effet: date | None = None,
        insere_avant: int | None = None,
        lot: "Lot | None" = None,
    ) -> ReportEcheance:
        """Inscrit une échéance au journal. Changer une échéance déjà fixée demande un motif.

        Mêmes erreurs que `changer_statut`.
        """
        valeurs: dict[str, Any] = {
            "echeance": echeance.fin if echeance else None,
            "precision": echeance.precision if echeance else None,
            "motif": motif.strip(),
            "date_effet": date_effet or timezone.localdate(),
            "commentaire": "",
        }

        def verifier(en_vigueur: ReportEcheance | None) -> None:
            if (en_vigueur.valeur if en_vigueur else None) == echeance:
                raise ValidationError({"echeance": "L'échéance est déjà celle-là à cette date : rien à changer."})
            if en_vigueur and en_vigueur.valeur and not valeurs["motif"]:
                raise ValidationError({"motif": "Une échéance déjà fixée ne change pas sans motif."})

        return self._inscrire(ReportEcheance, valeurs, verifier, auteur, version, insere_avant, lot)

    def signaler(self, nature: str, phrase: str, *, version: int) -> "Action":
        """Pose, change ou lève (nature et phrase vides) le point d'attention. Rend l'action relue.

        Lève ConflitDeVersion ou ValidationError.
        """
        with transaction.atomic():
            actuelle = self._action.verrouillee()
            if actuelle.version != version:
                if actuelle.version == version + 1 and (nature, phrase.strip()) == (
                    actuelle.attention_nature,
                    actuelle.attention,
                ):
                    return actuelle
                raise ConflitDeVersion(actuelle)
            actuelle.attention_nature, actuelle.attention = nature, phrase.strip()
            actuelle.full_clean(exclude=CHAMPS_PROJETES)
            actuelle.save(update_fields=["attention_nature", "attention"])
        return actuelle

    def noter(
        self,
        texte: str,
        *,
        auteur: "Utilisateur | None",
        le: date | None = None,
        portee: str = PorteeDeNote.INTERNE,
        depuis: datetime | None = None,
    ) -> NoteDeSuivi:
        """Ajoute une note de suivi. La même note du même auteur, reçue deux fois, n'est écrite qu'une fois.

        `depuis` : celle saisie avant ce moment en est une autre. Lève ValidationError.
        """
        note = NoteDeSuivi(
            action=self._action, texte=texte.strip(), auteur=auteur, date=le or timezone.localdate(), portee=portee
        )
        with transaction.atomic():
            self._action.verrouillee()
            meme = {"texte": note.texte, "auteur": auteur, "date": note.date, "portee": portee}
            memes = NoteDeSuivi.objects.filter(action=self._action, **meme).en_vigueur()
            deja = (memes.filter(saisi_le__gt=depuis) if depuis else memes).first()
            if deja:
                return deja
            note.full_clean()
            note.save()
        return note

    def dire_rien_de_nouveau(self, *, auteur: "Utilisateur | None") -> NoteDeSuivi:
        """Note que l'action suit son cours : une nouvelle comme une autre, qui la sort de celles dont on ne dit rien.

        Du même auteur le même jour, rend la note déjà écrite, sauf si des nouvelles ont été demandées entre-temps.
        """
        ouvertes = self._action.demandes.filter(campagne__close_le__isnull=True)
        demandees_le = ouvertes.aggregate(derniere=Max("campagne__lancee_le"))["derniere"]
        return self.noter(RIEN_DE_NOUVEAU, auteur=auteur, depuis=demandees_le)

    def retirer(
        self,
        *,
        auteur: "Utilisateur | None",
        version: int,
        motif: str,
        date_effet: date | None = None,
        insere_avant: int | None = None,
    ) -> PresenceAuPlan:
        """Sort l'action des totaux du plan à une date, avec un motif. Mêmes erreurs que `changer_statut`."""
        return self._deplacer(Mouvement.RETRAIT, motif, auteur, version, date_effet, insere_avant)

    def remettre(
        self,
        *,
        auteur: "Utilisateur | None",
        version: int,
        motif: str = "",
        date_effet: date | None = None,
        insere_avant: int | None = None,
    ) -> PresenceAuPlan:
        """Remet au plan une action retirée. Mêmes erreurs que `changer_statut`."""
        return self._deplacer(Mouvement.RETOUR, motif, auteur, version, date_effet, insere_avant)

    def _deplacer(self, mouvement, motif, auteur, version, date_effet, insere_avant) -> PresenceAuPlan:
        valeurs = {
            "mouvement": mouvement,
            "motif": motif.strip(),
            "date_effet": date_effet or timezone.localdate(),
            "commentaire": "",
        }

        def verifier(en_vigueur: PresenceAuPlan | None) -> None:
            if en_vigueur is None:
                raise ValidationError({"date_effet": "À cette date, l'action n'était pas encore entrée au plan."})
            retiree = en_vigueur.mouvement == Mouvement.RETRAIT
            if retiree == (mouvement == Mouvement.RETRAIT):
                etat = "déjà retirée du plan" if retiree else "déjà au plan"
                raise ValidationError({"mouvement": f"L'action est {etat} à cette date."})

        return self._inscrire(PresenceAuPlan, valeurs, verifier, auteur, version, insere_avant)

    def corriger(
        self,
        ligne: Ligne,
        *,
        auteur: "Utilisateur | None",
        version: int,
        date_effet: date,
        commentaire: str = "",
        insere_avant: int | None = None,
        **valeurs: Any,
    ) -> Ligne:
        """Corrige une ligne d'un journal de cette action : une ligne de plus l'annule et porte les bonnes valeurs.

        `valeurs` : celles qui changent ; le reste est repris. Une ligne qu'une autre avait remplacée le même jour le
        reste : cette autre est reposée telle quelle, sans quoi la correction, plus récente, passerait devant elle.
        La même correction du même auteur, reçue deux fois, n'est écrite qu'une fois. Lève ConflitDeVersion,
        SaisieTardive, ou ValidationError (déjà corrigée, rien à changer, motif manquant).
        """
        with transaction.atomic():
            actuelle = self._action.verrouillee()
            demandees = {"date_effet": date_effet, "commentaire": commentaire.strip(), **valeurs}
            deja = ligne.sa_correction()
            if deja:
                if deja.auteur == auteur and _porte(deja, demandees):
                    return deja
                qui = f" par {deja.auteur}" if deja.auteur else ""
                raise ValidationError(f"Cette ligne est déjà corrigée{qui} : « {deja} ». Corrigez plutôt celle-là.")
            if actuelle.version != version:
                raise ConflitDeVersion(actuelle)
            if _porte(ligne, {**valeurs, "date_effet": date_effet}):
                raise ValidationError("Rien n'est changé : il n'y a rien à corriger.")
            ligne.verifier_la_correction(date_effet, valeurs)
            suivante = ligne.qui_la_remplace_le_jour_meme() if date_effet == ligne.date_effet else None
            correction = ligne.corriger(
                auteur=auteur, commentaire=commentaire, date_effet=date_effet, insere_avant=insere_avant, **valeurs
            )
            if suivante is not None:
                suivante.corriger(auteur=auteur, commentaire=" ".join(filter(None, [suivante.commentaire, REPOSEE])))
        return correction

    def _inscrire(
        self,
        journal: type[Ligne],
        valeurs: dict[str, Any],
        verifier: Callable[[Ligne | None], None],
        auteur: "Utilisateur | None",
        version: int,
        insere_avant: int | None,
        lot: "Lot | None" = None,
    ) -> Ligne:
        """Le même chemin pour tout geste daté : verrou, version, règle du geste sur la ligne en vigueur, journal."""
        with transaction.atomic():
            actuelle = self._action.verrouillee()
            if actuelle.version != version:
                return journal.deja_fait(actuelle, auteur, version, valeurs)
            verifier(journal.en_vigueur_pour(actuelle, valeurs["date_effet"]))
            return journal.ecrire(
                actuelle, auteur=auteur, insere_avant=insere_avant, lot=lot, sous_verrou=True, **valeurs
            )


def _porte(ligne: JournalDAction, valeurs: dict[str, Any]) -> bool:
    """Vrai si la ligne dit déjà tout cela."""
    return all(getattr(ligne, champ) == valeur for champ, valeur in valeurs.items())
