"""Une ligne de la grille de rattrapage : ce qu'elle montre d'une action, et ce qu'on y change.

Une ligne envoyée dit ce que l'écran montrait (`depart`) : seules les cellules que l'auteur a touchées comptent, et une
ligne qu'il n'a pas touchée n'écrase jamais ce qu'un autre y a mis. Refusée, elle garde sa saisie, ses refus à côté.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from actions.annuaire import Annuaire
from actions.champs import LIBELLES
from actions.journaux import SaisieTardive
from actions.models import Action
from actions.modifications import Signature, modifier
from actions.requetes import ActionQuerySet
from actions.statuts import Mouvement, Priorite, Statut
from comptes.models import Utilisateur
from socle.choix import membre_de
from socle.echeances import Echeance
from socle.formats import FormatInvalide, formater_date, lire_date
from socle.modeles import ConflitDeVersion

RETIREE = "Cette action a été retirée du plan pendant votre saisie : rien n'est enregistré."
CONFLIT = (
    "Modifiée par quelqu'un d'autre pendant votre saisie. Rien n'est écrasé : enregistrez de nouveau pour garder la "
    "vôtre."
)


@dataclass(frozen=True)
class Colonne:
    """Une colonne éditable. `proposee_par` : la liste de la page où chercher ; `choix` : une liste fermée."""

    champ: str
    libelle: str
    proposee_par: str = ""
    choix: type[models.TextChoices] | None = None
    sans_choix: str = ""


COLONNES = (
    Colonne("pilote", LIBELLES["pilote"], proposee_par="comptes"),
    Colonne("service_pilote", LIBELLES["service_pilote"], proposee_par="services"),
    Colonne("echeance", LIBELLES["echeance"]),
    Colonne("priorite", LIBELLES["priorite"], choix=Priorite, sans_choix="—"),
    Colonne("statut", LIBELLES["statut"], choix=Statut, sans_choix="Inconnu"),
    Colonne("date_effet", "Date d'effet"),
)
MOTIF = Colonne("motif", "Motif du report")


@dataclass(frozen=True)
class Insertion:
    """De quoi accepter qu'une saisie tardive vienne avant une ligne du journal : sa clé, et la phrase à cocher."""

    avant: int
    libelle: str


@dataclass(frozen=True)
class Cellule:
    """Ce qu'une cellule montre. `enregistre` : la valeur en base, telle qu'elle s'écrit ; `entre_temps` : en clair, ce
    qu'un autre y a mis pendant la saisie."""

    colonne: Colonne
    nom: str
    valeur: str
    enregistre: str
    erreurs: list[str] = field(default_factory=list)
    entre_temps: str = ""
    insertion: Insertion | None = None

    @property
    def options(self) -> list[tuple[str, str]]:
        """Les choix d'une liste fermée ; un texte collé qui n'en est pas un y reste montré."""
        if self.colonne.choix is None:
            return []
        choix = [*self.colonne.choix.choices]
        if not self.enregistre or self.colonne.champ != "statut":
            choix.insert(0, ("", self.colonne.sans_choix))
        if self.valeur not in dict(choix):
            choix.append((self.valeur, self.valeur or self.colonne.sans_choix))
        return choix


class LigneDeGrille:
    """Une action dans la grille ; avec `envoi`, ce que l'auteur y a tapé."""

    def __init__(self, action: Action, annuaire: Annuaire, envoi: Mapping[str, str] | None = None) -> None:
        self.action, self.annuaire = action, annuaire
        self.envoi = envoi if envoi is not None else {}
        self.erreurs: dict[str, list[str]] = {}
        self.etat = ""
        self.dit = ""
        self._depart_lu = self._depart_envoye()
        self._valeurs: dict[str, Any] = {}
        self._insertion: Insertion | None = None
        self._en_conflit = False

    def nom(self, champ: str) -> str:
        return f"a{self.action.pk}-{champ}"

    # --- Montrer -------------------------------------------------------------------------------

    @property
    def nom_de_la_version(self) -> str:
        return self.nom("version")

    @property
    def nom_du_depart(self) -> str:
        return self.nom("depart")

    @property
    def nom_de_l_insertion(self) -> str:
        return self.nom("insere_avant")

    @property
    def cellules(self) -> list[Cellule]:
        return [self._cellule(colonne) for colonne in COLONNES]

    @property
    def motif(self) -> Cellule:
        return self._cellule(MOTIF)

    @property
    def depart(self) -> str:
        """Ce que l'écran montre comme enregistré : revient avec l'envoi."""
        return json.dumps(self._enregistres, ensure_ascii=False)

    @property
    def refusee(self) -> bool:
        return self.etat in ("refusee", "conflit")

    def _cellule(self, colonne: Colonne) -> Cellule:
        champ = colonne.champ
        enregistre = self._enregistres.get(champ, "")
        valeur = self._tape(champ) if self._touchee(champ) else enregistre
        change_ailleurs = self._en_conflit and self._touchee(champ) and enregistre != self._depart_lu.get(champ)
        return Cellule(
            colonne,
            self.nom(champ),
            valeur,
            enregistre,
            self.erreurs.get(champ, []),
            entre_temps=self._en_clair(colonne, enregistre) if change_ailleurs and valeur != enregistre else "",
            insertion=self._insertion if champ == "date_effet" else None,
        )

    @cached_property
    def _enregistres(self) -> dict[str, str]:
        action = self.action
        return {
            "pilote": self.annuaire.nom_du_compte(action.pilote),
            "service_pilote": str(action.service_pilote or ""),
            "echeance": str(action.valeur_echeance or ""),
            "priorite": action.priorite,
            "statut": action.statut or "",
            "date_effet": formater_date(timezone.localdate()),
        }

    @staticmethod
    def _en_clair(colonne: Colonne, texte: str) -> str:
        if colonne.choix is not None:
            texte = str(dict(colonne.choix.choices).get(texte, colonne.sans_choix))
        return texte or "rien"

    # --- Lire ----------------------------------------------------------------------------------

    def _tape(self, champ: str) -> str:
        return self.envoi.get(self.nom(champ), "").strip()

    def _depart_envoye(self) -> dict[str, str]:
        """Ce que l'écran montrait ; à défaut, ce qui est enregistré."""
        try:
            lu = json.loads(self.envoi.get(self.nom("depart"), ""))
        except ValueError:
            lu = None
        return {**self._enregistres, **(lu if isinstance(lu, dict) else {})}

    def _touchee(self, champ: str) -> bool:
        """Vrai si l'auteur y a mis autre chose que ce qu'il voyait."""
        return self.nom(champ) in self.envoi and self._tape(champ) != self._depart_lu.get(champ, "")

    def _entier(self, champ: str) -> int | None:
        texte = self._tape(champ)
        return int(texte) if texte.isascii() and texte.isdigit() and len(texte) < 10 else None

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
                return _membre(Priorite, texte, "une priorité") if texte else ""
            case "statut":
                return _membre(Statut, texte, "un statut") if texte else None
        return lire_date(texte) if texte else timezone.localdate()

    def _comprendre(self) -> None:
        """Range dans `_valeurs` ce qui se lit, dans `erreurs` ce qui ne se lit pas."""
        touches = [colonne.champ for colonne in COLONNES if self._touchee(colonne.champ)]
        # La date montrée est celle du changement, que l'auteur l'ait touchée ou non.
        if "statut" in touches and "date_effet" not in touches and self.nom("date_effet") in self.envoi:
            touches.append("date_effet")
        for champ in touches:
            try:
                self._valeurs[champ] = self._lire(champ)
            except FormatInvalide as erreur:
                self.erreurs[champ] = [str(erreur)]
            except ValidationError as erreur:
                self.erreurs[champ] = erreur.messages

    # --- Écrire --------------------------------------------------------------------------------

    def enregistrer(self, auteur: Utilisateur) -> None:
        """Écrit ce que l'auteur a changé sur cette ligne, ou rien : `etat` et `erreurs` disent la suite."""
        self._comprendre()
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
            self._en_conflit = True
            self.etat, self.dit = "conflit", CONFLIT
        except SaisieTardive as erreur:
            self._demander_ou_inserer(erreur)
        except ValidationError as erreur:
            self._ranger(erreur)
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
        self.envoi, self._valeurs = {}, {}
        self.etat = "enregistree" if change else "inchangee"
        self.dit = "Enregistré" if change else "Rien à changer"
        if date_seule:
            self.dit = "Rien à changer : la date d'effet est celle d'un nouveau statut"

    def _relire(self) -> None:
        self.action = actions_de_la_grille().get(pk=self.action.pk)
        del self._enregistres

    def _refuser(self) -> None:
        self.etat = "refusee"
        self.dit = " ".join(self.erreurs.get("", [])) or "Refusé : rien n'est enregistré sur cette ligne"

    def _ranger(self, erreur: ValidationError) -> None:
        """Chaque refus à côté de sa cellule ; ce qui n'est d'aucune cellule, à côté de la ligne."""
        connus = {*self._enregistres, MOTIF.champ}
        # Le pilote est le seul champ de la grille qui se compare à un autre de la fiche.
        equivalents = {"suppleant": "pilote", "avancement": "statut"}
        par_champ = erreur.message_dict if hasattr(erreur, "error_dict") else {"": erreur.messages}
        for champ, messages in par_champ.items():
            place = equivalents.get(champ, champ)
            self.erreurs.setdefault(place if place in connus else "", []).extend(messages)
        self._refuser()

    def _demander_ou_inserer(self, erreur: SaisieTardive) -> None:
        suivante = erreur.suivante
        libelle = f"Insérer avant le changement du {formater_date(suivante.date_effet)} ({suivante})"
        self._insertion = Insertion(suivante.pk, libelle)
        self.erreurs["date_effet"] = erreur.messages
        self._refuser()


def _membre(liste: type[models.TextChoices], texte: str, nature: str) -> str:
    """Le membre de la liste que ce texte nomme. Lève ValidationError, qui dit lesquels il y a."""
    if (membre := membre_de(liste, texte)) is not None:
        return membre
    *debut, fin = [str(libelle).lower() for libelle in liste.labels]
    raise ValidationError(f"«\u00a0{texte[:60]}\u00a0» n'est pas {nature} : {', '.join(debut)} ou {fin}.")


def actions_de_la_grille() -> ActionQuerySet:
    """Avec ce que leurs lignes montrent."""
    return Action.objects.etat_au().select_related("pilote", "service_pilote")
