"""Une ligne de la grille du registre : un lot, ce qu'on y tape."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse

from comptes.models import Utilisateur
from marches.consultations import LotDeConsultation
from marches.listes import MotifSansSuite, Suite
from marches.reponses import Reponse
from socle.champs import ChampNombre
from socle.formats import formater_date, lire_date, lire_nombre, lire_pourcentage
from socle.grilles import Cellule, Colonne, LigneEditee, membre_nomme
from socle.modeles import ConflitDeVersion

PAS_LA_SIENNE = "Cette consultation est d'un autre service : rien n'est enregistré."
RETIRE = "Ce lot a été retiré pendant votre saisie : rien n'est enregistré."

SUITE = Colonne("suite", "Suite", choix=Suite, sans_choix="Aucune")
COLONNES = (
    SUITE,
    Colonne("date_de_suite", "Le"),
    Colonne("montant_ht", "Montant HT"),
    Colonne("clause_environnementale", "Envir. : condition", choix=Reponse, obligatoire=True),
    Colonne("critere_environnemental", "Envir. : critère", choix=Reponse, obligatoire=True),
    Colonne("poids_environnemental", "Envir. : poids %"),
    Colonne("clause_sociale", "Social : condition", choix=Reponse, obligatoire=True),
    Colonne("critere_social", "Social : critère", choix=Reponse, obligatoire=True),
    Colonne("poids_social", "Social : poids %"),
)
MOTIF = Colonne("motif_sans_suite", "Motif sans suite", choix=MotifSansSuite, sans_choix="—")
TOUTES = (*COLONNES, MOTIF)
NATURES = {"suite": "une suite", "motif_sans_suite": "un motif"}


class LigneDeRegistre(LigneEditee):
    """Un lot dans la grille ; avec `envoi`, ce que l'auteur y a tapé."""

    colonnes = COLONNES

    def __init__(self, lot: LotDeConsultation, auteur: Utilisateur, envoi: Mapping[str, str] | None = None) -> None:
        self.lot, self.auteur = lot, auteur
        super().__init__(envoi)

    def nom(self, champ: str) -> str:
        return f"l{self.lot.pk}-{champ}"

    # --- Montrer -------------------------------------------------------------------------------

    @property
    def adresse(self) -> str:
        """Où cette seule ligne s'enregistre."""
        return reverse("marches:ligne_du_registre", args=[self.lot.pk])

    @property
    def cellules(self) -> list[Cellule]:
        return [self.cellule(colonne) for colonne in COLONNES]

    @property
    def motif(self) -> Cellule:
        return self.cellule(MOTIF)

    def enregistres(self) -> dict[str, str]:
        return {colonne.champ: _ecrire(getattr(self.lot, colonne.champ)) for colonne in TOUTES}

    # --- Lire ----------------------------------------------------------------------------------

    def _lire(self, champ: str) -> Any:
        texte = self._tape(champ)
        colonne = next(colonne for colonne in TOUTES if colonne.champ == champ)
        if colonne.choix is not None:
            return _choix(colonne, texte)
        if not texte:
            return None
        if champ == "date_de_suite":
            return lire_date(texte)
        return lire_nombre(texte.removesuffix("€").rstrip()) if champ == "montant_ht" else lire_pourcentage(texte)

    # --- Écrire --------------------------------------------------------------------------------

    def enregistrer(self) -> None:
        """Écrit ce que l'auteur a changé sur cette ligne, ou rien : `etat` et `erreurs` disent la suite."""
        self._comprendre(colonne.champ for colonne in TOUTES if self._touchee(colonne.champ))
        if not self._valeurs and not self.erreurs:
            return
        if not self.lot.consultation.modifiable_par(self.auteur):
            self.erreurs[""] = [PAS_LA_SIENNE]
        if self.erreurs:
            self._refuser()
            return
        # Une version illisible n'est celle de personne : elle ne passe que si rien n'est à écrire.
        version = self._entier("version") or 0
        try:
            change = self.lot.modifier(self._valeurs, auteur=self.auteur, version=version)
        except ConflitDeVersion:
            self._relire()
            self._signaler_le_conflit()
        except LotDeConsultation.DoesNotExist:
            self.erreurs[""] = [RETIRE]
            self._refuser()
        except ValidationError as refus:
            self._ranger(refus, {colonne.champ for colonne in TOUTES})
        else:
            self._relire()
            self._conclure(change=change)

    def _relire(self) -> None:
        self.lot = lots_de_la_grille().get(pk=self.lot.pk)


def _choix(colonne: Colonne, texte: str) -> str:
    if not texte or colonne.choix is None:
        return Reponse.INCONNU if colonne.choix is Reponse else ""
    return membre_nomme(colonne.choix or Reponse, texte, NATURES.get(colonne.champ, "une réponse"))


def _ecrire(valeur: Any) -> str:
    if valeur is None:
        return ""
    if isinstance(valeur, str):
        return valeur
    if hasattr(valeur, "year"):
        return formater_date(valeur)
    return str(ChampNombre().prepare_value(valeur))


def lots_de_la_grille() -> Any:
    """Avec ce que leurs lignes montrent."""
    return LotDeConsultation.objects.select_related("consultation__service")


def lignes_du_registre(
    lots: Iterable[LotDeConsultation], auteur: Utilisateur, envoi: Mapping[str, str] | None = None
) -> list[LigneDeRegistre]:
    return [LigneDeRegistre(lot, auteur, envoi) for lot in lots]
