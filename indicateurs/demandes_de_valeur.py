"""Une demande de valeur et ses gestes : transmettre, valider, renvoyer. Chaque refus dit pourquoi."""

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from simple_history.models import HistoricalRecords

from comptes.droits import Droit, exiger
from indicateurs.listes import Etat, EtatDeDemande, PhaseDeDemande
from socle.contraintes import liste_fermee
from socle.modeles import ConflitDeVersion, LigneVersionnee, QuerySetSuivi

if TYPE_CHECKING:
    from comptes.models import Utilisateur
    from indicateurs.valeurs import ValeurAnnuelle

CLOSE = "Cette collecte est close : plus rien n'y est attendu, sauf à la rouvrir."
RIEN_A_TRANSMETTRE = "Rien à transmettre : aucune valeur n'est saisie."
DEJA_VALIDEE = "Déjà validée : il n'y a plus rien à transmettre."
FERMEE = "Dite indisponible : la ligne est fermée, il n'y a rien à transmettre ni à valider."
INCHANGEE = "Renvoyée, et inchangée depuis : reprenez-la, ou dites en remarque pourquoi elle est juste."
RIEN_A_VALIDER = "Rien à valider : aucune valeur n'est saisie."
ATTEND_LE_SERVICE = "Renvoyée : elle se valide quand le service l'a transmise de nouveau."
RIEN_A_RENVOYER = "Rien à renvoyer : aucune valeur n'est saisie. Relancez plutôt le service."
MOTIF_DE_RENVOI = "Dites pourquoi vous la renvoyez : le service le lira."


def etat_de(demande: "DemandeDeValeur", valeur: "ValeurAnnuelle | None") -> EtatDeDemande:
    """Où en est une ligne, d'après sa phase et sa valeur : rien d'autre ne le décide.

    Validée l'emporte : un renvoi rend la valeur provisoire, elle a donc été validée depuis.
    """
    if valeur is not None and valeur.etat == Etat.VALIDEE:
        return EtatDeDemande.VALIDEE
    if demande.phase == PhaseDeDemande.RENVOYEE:
        return EtatDeDemande.RENVOYEE
    if valeur is None:
        return EtatDeDemande.MANQUANTE
    if valeur.indisponible:
        return EtatDeDemande.INDISPONIBLE
    return EtatDeDemande.A_VALIDER if demande.phase == PhaseDeDemande.TRANSMISE else EtatDeDemande.RECUE


class DemandeDeValeur(LigneVersionnee):
    """Un indicateur dont une collecte demande la valeur. La valeur et ses refus se lisent sur la valeur."""

    collecte = models.ForeignKey("indicateurs.Collecte", on_delete=models.PROTECT, related_name="demandes")
    indicateur = models.ForeignKey("indicateurs.Indicateur", on_delete=models.PROTECT, related_name="demandes")
    phase = models.CharField("phase", max_length=9, choices=PhaseDeDemande, default=PhaseDeDemande.OUVERTE)
    motif_de_renvoi = models.CharField("motif du renvoi", max_length=500, blank=True)
    version_renvoyee = models.PositiveIntegerField(
        "version renvoyée", null=True, blank=True, editable=False, help_text="Celle de la valeur qu'on a renvoyée."
    )

    CHAMPS_DES_CONTRAINTES = {"demandedevaleur_renvoi_motive": "motif_de_renvoi"}

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "demande de valeur"
        verbose_name_plural = "demandes de valeur"
        ordering = ["collecte", "indicateur"]
        constraints = [
            models.UniqueConstraint(
                fields=["collecte", "indicateur"],
                name="demandedevaleur_une_fois",
                violation_error_message="Cette collecte demande déjà cet indicateur.",
            ),
            liste_fermee(
                "phase", PhaseDeDemande, nom="demandedevaleur_phase_connue", message="Phase de demande inconnue."
            ),
            models.CheckConstraint(
                condition=(Q(phase="RENVOYEE", version_renvoyee__isnull=False) & ~Q(motif_de_renvoi=""))
                | (~Q(phase="RENVOYEE") & Q(motif_de_renvoi="", version_renvoyee__isnull=True)),
                name="demandedevaleur_renvoi_motive",
                violation_error_message="Un renvoi dit son motif, et lui seul.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.indicateur} → {self.collecte}"

    def releve_de(self, utilisateur: "Utilisateur") -> bool:
        """Attendue du service qui produit l'indicateur aujourd'hui."""
        return self.indicateur.releve_de(utilisateur)

    @property
    def valeur(self) -> "ValeurAnnuelle | None":
        """Celle de l'année demandée, telle qu'elle est maintenant, annotée. Une requête."""
        from indicateurs.valeurs import ValeurAnnuelle

        valeurs = ValeurAnnuelle.objects.avec_valeur().select_related("indicateur__denominateur")
        return valeurs.filter(indicateur=self.indicateur_id, annee=self.collecte.annee).first()

    # --- Gestes --------------------------------------------------------------------------------

    def transmettre(self, auteur: "Utilisateur") -> None:
        """Le service remet la valeur au responsable. Demandé deux fois : rien de plus. Lève PermissionDenied,
        ValidationError ; rien n'est alors écrit."""
        exiger(auteur, Droit.SAISIR_UNE_DONNEE, self)
        with transaction.atomic():
            actuelle, valeur = self._sous_verrou()
            match etat_de(actuelle, valeur):
                case EtatDeDemande.A_VALIDER:
                    return
                case EtatDeDemande.MANQUANTE:
                    raise ValidationError(RIEN_A_TRANSMETTRE)
                case EtatDeDemande.VALIDEE:
                    raise ValidationError(DEJA_VALIDEE)
                case EtatDeDemande.INDISPONIBLE:
                    raise ValidationError(FERMEE)
            if valeur is None:
                raise ValidationError(RIEN_A_TRANSMETTRE)
            if valeur.version == actuelle.version_renvoyee:
                raise ValidationError(INCHANGEE)
            actuelle._passer(PhaseDeDemande.TRANSMISE, auteur)

    def valider(self, auteur: "Utilisateur", *, version: int, chiffre: str | None = None) -> None:
        """Valide la valeur que l'auteur avait sous les yeux : sa `version`, et son `chiffre` (`detail`), qu'un
        dénominateur partagé fait changer sans elle. Demandé deux fois : rien de plus.

        Lève PermissionDenied, ConflitDeVersion, ValidationError ; rien n'est alors écrit.
        """
        from indicateurs.saisie import saisir

        exiger(auteur, Droit.VALIDER)
        with transaction.atomic():
            actuelle, valeur = self._sous_verrou()
            match etat_de(actuelle, valeur):
                case EtatDeDemande.VALIDEE if valeur is not None and valeur.version <= version + 1:
                    return
                case EtatDeDemande.MANQUANTE:
                    raise ValidationError(RIEN_A_VALIDER)
                case EtatDeDemande.RENVOYEE:
                    raise ValidationError(ATTEND_LE_SERVICE)
                case EtatDeDemande.INDISPONIBLE:
                    raise ValidationError(FERMEE)
            if valeur is not None and valeur.valeur_retenue is None:
                denominateur = valeur.indicateur.denominateur
                raise ValidationError(f"Il manque la valeur {valeur.annee} de « {denominateur} », son dénominateur.")
            if valeur is not None and (valeur.version != version or chiffre not in (None, valeur.detail)):
                raise ConflitDeVersion(valeur)
            saisir(self.indicateur, self.collecte.annee, {"etat": Etat.VALIDEE}, auteur=auteur, version=version)

    def renvoyer(self, auteur: "Utilisateur", *, motif: str, version: int | None = None) -> None:
        """Rend la valeur au service, avec ce qui ne va pas ; validée, elle redevient provisoire. Demandé deux fois :
        rien de plus. `version` : celle de la valeur que l'auteur avait sous les yeux.

        Lève PermissionDenied, ConflitDeVersion, ValidationError ; rien n'est alors écrit.
        """
        from indicateurs.saisie import saisir

        exiger(auteur, Droit.VALIDER)
        motif = motif.strip()
        if not motif:
            raise ValidationError({"motif": MOTIF_DE_RENVOI})
        with transaction.atomic():
            actuelle, valeur = self._sous_verrou()
            if valeur is None:
                raise ValidationError(RIEN_A_RENVOYER)
            if (actuelle.motif_de_renvoi, actuelle.version_renvoyee) == (motif, valeur.version):
                return
            if version is not None and version != valeur.version:
                raise ConflitDeVersion(valeur)
            rendue = valeur.version
            if valeur.etat == Etat.VALIDEE:
                champs = {"etat": Etat.PROVISOIRE}
                saisir(self.indicateur, self.collecte.annee, champs, auteur=auteur, version=rendue, motif=motif)
                rendue += 1
            actuelle._passer(PhaseDeDemande.RENVOYEE, auteur, motif, rendue)

    def _sous_verrou(self) -> "tuple[DemandeDeValeur, ValeurAnnuelle | None]":
        """La demande relue sous verrou, et sa valeur annotée. Lève ValidationError si la collecte est close."""
        if self.collecte.verrouillee().close_le:
            raise ValidationError(CLOSE)
        valeur = self.valeur
        return self.verrouillee(), valeur

    def _passer(
        self, phase: PhaseDeDemande, auteur: "Utilisateur", motif: str = "", rendue: int | None = None
    ) -> None:
        if (self.phase, self.motif_de_renvoi, self.version_renvoyee) == (phase, motif, rendue):
            return
        self.phase, self.motif_de_renvoi, self.version_renvoyee = phase, motif, rendue
        self._history_user = auteur
        self.full_clean()
        self.save(update_fields=["phase", "motif_de_renvoi", "version_renvoyee"])
