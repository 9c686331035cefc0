"""Une ligne de la grille de rattrapage : ce qu'elle montre d'une action, et ce qu'on y change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from actions.annuaire import Annuaire
from actions.champs import LIBELLES
from actions.journaux import SaisieTardive
from actions.models import Action
from actions.modifications import Signature, modifier
from actions.requetes import ActionQuerySet
from actions.statuts import Mouvement, Priorite, Statut
from comptes.models import Utilisateur
from socle.echeances import Echeance
from socle.formats import formater_date, lire_date
from socle.grilles import Cellule, Colonne, LigneEditee, membre_nomme
from socle.modeles import ConflitDeVersion

RETIREE = "Cette action a été retirée du plan pendant votre saisie : rien n'est enregistré."

COLONNES = (
    Colonne("pilote", LIBELLES["pilote"], proposee_par="comptes"),
    Colonne("service_pilote", LIBELLES["service_pilote"], proposee_par="services"),
    Colonne("echeance", LIBELLES["echeance"]),
    Colonne("priorite", LIBELLES["priorite"], choix=Priorite, sans_choix="—"),
    Colonne("statut", LIBELLES["statut"], choix=Statut, sans_choix="Inconnu", obligatoire=True),
    Colonne("date_effet", "Date d'effet"),
)
MOTIF = Colonne("motif", "Motif du report")


@dataclass(frozen=True)
class Insertion:
    """De quoi accepter qu'une saisie tardive vienne avant une ligne du journal : sa clé, et la phrase à cocher."""

    avant: int
    libelle: str


class LigneDeGrille(LigneEditee):
    """Une action dans la grille ; avec `envoi`, ce que l'auteur y a tapé."""

    colonnes = COLONNES
    # Le pilote est le seul champ de la grille qui se compare à un autre de la fiche.
    equivalents = {"suppleant": "pilote", "avancement": "statut"}

    def __init__(self, action: Action, annuaire: Annuaire, envoi: Mapping[str, str] | None = None) -> None:
        self.action, self.annuaire = action, annuaire
        self.insertion: Insertion | None = None
        super().__init__(envoi)

    def nom(self, champ: str) -> str:
        return f"a{self.action.pk}-{champ}"

    # --- Montrer -------------------------------------------------------------------------------

    @property
    def nom_de_l_insertion(self) -> str:
        return self.nom("insere_avant")

    @property
    def cellules(self) -> list[Cellule]:
        return [self.cellule(colonne) for colonne in COLONNES]

    @property
    def motif(self) -> Cellule:
        return self.cellule(MOTIF)

    def enregistres(self) -> dict[str, str]:
        action = self.action
        return {
            "pilote": self.annuaire.nom_du_compte(action.pilote),
            "service_pilote": str(action.service_pilote or ""),
            "echeance": str(action.valeur_echeance or ""),
            "priorite": action.priorite,
            "statut": action.statut or "",
            "date_effet": formater_date(timezone.localdate()),
        }

    # --- Lire ----------------------------------------------------------------------------------

    def _lire(self, champ: str) -> Any:
        texte = self._tape(champ)
        match champ:
            case "pilote":
                return self.annuaire.compte(texte, self.action.pilote)
            case "service_pilote":
                return self.annuaire.service(texte, self.action.service_pilote)
            case "echeance":
                return Echeance.lire(texte) if texte else None
            case "priorite":
                return membre_nomme(Priorite, texte, "une priorité") if texte else ""
            case "statut":
                return membre_nomme(Statut, texte, "un statut") if texte else None
        return lire_date(texte) if texte else timezone.localdate()

    @property
    def _touches(self) -> list[str]:
        touches = [colonne.champ for colonne in COLONNES if self._touchee(colonne.champ)]
        # La date montrée est celle du changement, que l'auteur l'ait touchée ou non.
        if "statut" in touches and "date_effet" not in touches and self.nom("date_effet") in self.envoi:
            touches.append("date_effet")
        return touches

    # --- Écrire --------------------------------------------------------------------------------

    def enregistrer(self, auteur: Utilisateur) -> None:
        """Écrit ce que l'auteur a changé sur cette ligne, ou rien : `etat` et `erreurs` disent la suite."""
        self._comprendre(self._touches)
        if not self._valeurs and not self.erreurs:
            # Un motif seul ne change rien, et ne reste pas à l'écran comme s'il attendait.
            if self._touchee(MOTIF.champ):
                self._confirmer(change=False)
            return
        if self.action.presence == Mouvement.RETRAIT:
            self.erreurs[""] = [RETIREE]
        if self.erreurs:
            self._refuser()
            return
        try:
            change = self._ecrire(auteur)
        except ConflitDeVersion:
            self._relire()
            self._signaler_le_conflit()
        except SaisieTardive as erreur:
            self._demander_ou_inserer(erreur)
        except ValidationError as erreur:
            self._ranger(erreur, {*self._enregistres, MOTIF.champ})
        else:
            self._confirmer(change=change)

    def _ecrire(self, auteur: Utilisateur) -> bool:
        """La date d'effet est celle du statut ; le reste, échéance comprise, prend effet aujourd'hui."""
        valeurs = {champ: valeur for champ, valeur in self._valeurs.items() if champ != "date_effet"}
        statut = {"statut": valeurs.pop("statut")} if "statut" in valeurs else {}
        # Une version illisible n'est celle de personne : elle ne passe que si rien n'est à écrire.
        version = self._entier("version") or 0
        date_effet: date | None = self._valeurs.get("date_effet")
        with transaction.atomic():
            change = modifier(self.action, valeurs, Signature(auteur, motif=self._tape("motif")), version=version)
            # Ce premier enregistrement a fait avancer la version, sous un verrou que la transaction tient encore.
            change += modifier(
                self.action,
                statut,
                Signature(auteur, date_effet=date_effet, insere_avant=self._entier("insere_avant")),
                version=None if change else version,
            )
        return bool(change)

    def _confirmer(self, *, change: bool) -> None:
        date_seule = self._valeurs.keys() == {"date_effet"}
        self._relire()
        self._conclure(change=change)
        if date_seule:
            self.dit = "Rien à changer : la date d'effet est celle d'un nouveau statut"

    def _relire(self) -> None:
        self.action = actions_de_la_grille().get(pk=self.action.pk)

    def _demander_ou_inserer(self, erreur: SaisieTardive) -> None:
        suivante = erreur.suivante
        libelle = f"Insérer avant le changement du {formater_date(suivante.date_effet)} ({suivante})"
        self.insertion = Insertion(suivante.pk, libelle)
        self.erreurs["date_effet"] = erreur.messages
        self._refuser()


def actions_de_la_grille() -> ActionQuerySet:
    """Avec ce que leurs lignes montrent."""
    return Action.objects.etat_au().select_related("pilote", "service_pilote")
