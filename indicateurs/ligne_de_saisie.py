"""Une ligne de saisie : la valeur d'un indicateur pour une année, ce qu'on y tape, ce que cela fait bouger.

Un dénominateur partagé se tape une fois, à sa ligne ; ses taux le montrent sans l'écrire.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.urls import reverse

from comptes.droits import Droit, peut
from comptes.models import Utilisateur
from indicateurs.comparaisons import Comparaison
from indicateurs.deplacements import Deplacement
from indicateurs.feuille_de_saisie import Feuille
from indicateurs.listes import Etat, Nature
from indicateurs.models import Indicateur, ValeurAnnuelle
from indicateurs.plausibilite import etonnement
from indicateurs.saisie import CHIFFRES, MotifDeSaisieRequis, saisir
from socle.champs import ChampNombre
from socle.formats import ABSENT, formater_nombre, lire_nombre, lire_pourcentage
from socle.grilles import Cellule, Colonne, LigneEditee, membre_nomme
from socle.modeles import ConflitDeVersion

PAS_LA_SIENNE = "Cet indicateur n'est pas produit par votre service : rien n'est enregistré."
SANS_CHIFFRE = "Donnez d'abord un chiffre, ou dites la valeur indisponible : rien d'autre ne s'enregistre seul."
MOTIF_REQUIS = "Une valeur validée ne change pas sans motif."

VALEUR = Colonne("valeur", "Valeur")
NUMERATEUR = Colonne("numerateur", "Numérateur")
DENOMINATEUR = Colonne("denominateur", "Dénominateur")
ETAT = Colonne("etat", "État", choix=Etat, obligatoire=True)
COLONNES = (
    VALEUR,
    NUMERATEUR,
    DENOMINATEUR,
    Colonne("remarque", "Remarque"),
    Colonne("motif_indisponibilite", "Indisponible : motif"),
    ETAT,
)
MOTIF = Colonne("motif", "Motif du changement")
LONGUEURS = {"motif_indisponibilite": 300, "motif": 500}


@dataclass(frozen=True)
class CelluleFermee:
    """Une cellule qui ne se remplit pas sur cette ligne : ce qu'elle montre, et d'où cela vient."""

    colonne: Colonne
    texte: str = ""
    precision: str = ""
    fermee: ClassVar[bool] = True


class LigneDeSaisie(LigneEditee):
    """La valeur d'un indicateur pour l'année de la feuille ; avec `envoi`, ce que l'auteur y a tapé."""

    def __init__(self, indicateur: Indicateur, feuille: Feuille, envoi: Mapping[str, str] | None = None) -> None:
        self.indicateur, self.feuille = indicateur, feuille
        # Les taux qui ont bougé, ou qui bougeraient si l'on donnait le motif demandé.
        self.deplaces: list[Deplacement] = []
        super().__init__(envoi)

    def nom(self, champ: str) -> str:
        return f"i{self.indicateur.pk}-{champ}"

    # --- Montrer -------------------------------------------------------------------------------

    @property
    def adresse(self) -> str:
        """Où cette seule ligne s'enregistre."""
        return reverse("indicateurs:saisie_ligne", args=[self.feuille.annee, self.indicateur.code])

    @property
    def modifiable(self) -> bool:
        return peut(self.auteur, Droit.SAISIR_UNE_DONNEE, self.indicateur)

    @property
    def auteur(self) -> Utilisateur:
        return self.feuille.auteur

    @property
    def valeur(self) -> ValeurAnnuelle | None:
        return self.feuille.valeur(self.indicateur)

    @property
    def precedente(self) -> ValeurAnnuelle | None:
        return self.feuille.precedente(self.indicateur)

    @property
    def version(self) -> int:
        return self.valeur.version if self.valeur else 0

    @property
    def taux(self) -> list[Indicateur]:
        return self.feuille.taux(self.indicateur)

    @property
    def usage(self) -> str:
        """« Dénominateur de « Part avec clause » » : ce que cette valeur fait bouger ; vide si rien."""
        noms = ", ".join(f"« {taux} »" for taux in self.taux)
        return f"Dénominateur de {noms}" if noms else ""

    @property
    def est_une_part(self) -> bool:
        return self.indicateur.nature == Nature.PART

    @property
    def denominateur_partage(self) -> bool:
        """Il vient d'un autre indicateur, sauf si cette valeur-ci a reçu le sien."""
        propre = self.valeur is not None and self.valeur.denominateur is not None
        return self.indicateur.denominateur_id is not None and not propre

    @property
    def cellules(self) -> "list[Cellule | CelluleFermee]":
        ouvertes = self._ouvertes
        return [self.cellule(colonne) if colonne in ouvertes else self._fermee(colonne) for colonne in COLONNES]

    @property
    def motif(self) -> Cellule:
        return self.cellule(MOTIF)

    @property
    def motif_utile(self) -> bool:
        """Une valeur validée peut bouger, ici ou parmi ses taux, et l'auteur a le droit d'en décider."""
        touchees = [self.valeur, *(self.feuille.valeur(taux) for taux in self.taux)]
        return self.feuille.peut_valider and any(v.etat == Etat.VALIDEE for v in touchees if v)

    @property
    def calcul(self) -> str:
        """« 60 / 171 = 35,1 % » ; vide quand rien ne se calcule."""
        return self.valeur.detail if self.valeur and self.valeur.numerateur is not None else ""

    @property
    def etonnement(self) -> str:
        """La phrase qui demande une remarque ; vide si elle est écrite, ou si rien n'étonne."""
        if self.valeur is None or self.valeur.remarque:
            return ""
        return etonnement(Comparaison(self.indicateur, self.valeur, self.precedente))

    @property
    def touchees(self) -> "list[LigneDeSaisie]":
        """Les lignes des taux qui s'appuient sur elle, à montrer de nouveau après un enregistrement."""
        if self.etat != "enregistree":
            return []
        return [LigneDeSaisie(taux, self.feuille) for taux in self.taux]

    @property
    def _ouvertes(self) -> list[Colonne]:
        """Les colonnes que l'auteur remplit sur cette ligne."""
        if not self.modifiable:
            return []
        fermees = {ETAT} if not self.feuille.peut_valider else set()
        if not self.est_une_part:
            fermees |= {NUMERATEUR, DENOMINATEUR}
        elif self.denominateur_partage:
            fermees.add(DENOMINATEUR)
        return [colonne for colonne in COLONNES if colonne not in fermees]

    def _fermee(self, colonne: Colonne) -> CelluleFermee:
        if colonne == DENOMINATEUR and self.est_une_part and self.denominateur_partage:
            partagee = self.feuille.partagee(self.indicateur)
            connu = (
                formater_nombre(partagee.valeur) if partagee and partagee.valeur is not None else "pas encore saisi"
            )
            return CelluleFermee(colonne, connu, f"« {self.indicateur.denominateur} »")
        if self.valeur is None:
            return CelluleFermee(colonne, ABSENT if colonne == ETAT else "")
        if colonne == ETAT:
            return CelluleFermee(colonne, self.valeur.get_etat_display())
        if colonne.champ in CHIFFRES:
            nombre = getattr(self.valeur, colonne.champ)
            return CelluleFermee(colonne, "" if nombre is None else formater_nombre(nombre))
        return CelluleFermee(colonne, getattr(self.valeur, colonne.champ))

    def enregistres(self) -> dict[str, str]:
        valeur = self.valeur
        if valeur is None:
            return {colonne.champ: "" for colonne in COLONNES} | {"etat": Etat.PROVISOIRE.value}
        return {
            **{champ: _ecrire(getattr(valeur, champ)) for champ in CHIFFRES},
            "remarque": valeur.remarque.replace("\r\n", "\n"),
            "motif_indisponibilite": valeur.motif_indisponibilite,
            "etat": valeur.etat,
        }

    # --- Lire ----------------------------------------------------------------------------------

    def _lire(self, champ: str) -> Any:
        texte = self._tape(champ)
        if champ == "etat":
            return membre_nomme(Etat, texte, "un état")
        if champ not in CHIFFRES:
            if len(texte) > LONGUEURS.get(champ, len(texte)):
                raise ValidationError(f"{LONGUEURS[champ]} signes au plus : il y en a {len(texte)}.")
            return texte
        if not texte:
            return None
        if self.est_une_part and champ == "valeur":
            return lire_pourcentage(texte)
        # Copié d'un tableur, un nombre vient parfois avec son unité.
        return lire_nombre(texte.removesuffix(self.indicateur.unite).rstrip())

    @property
    def _champs(self) -> dict[str, Any]:
        """Ce que les cellules touchées donnent à la valeur."""
        champs = dict(self._valeurs)
        if "motif_indisponibilite" in champs and not self._chiffree:
            champs["indisponible"] = bool(champs["motif_indisponibilite"])
        return champs

    @property
    def _chiffree(self) -> bool:
        """Un chiffre est tapé ; avec un motif vidé, il lève l'indisponibilité sans qu'on ait à le redire."""
        tape = any(self._valeurs.get(champ) is not None for champ in CHIFFRES)
        return tape and not self._valeurs.get("motif_indisponibilite")

    # --- Écrire --------------------------------------------------------------------------------

    def enregistrer(self) -> None:
        """Écrit ce que l'auteur a changé sur cette ligne, ou rien ; `etat`, `erreurs`, `deplaces` disent la suite."""
        touches = [colonne.champ for colonne in COLONNES if self._touchee(colonne.champ)]
        if touches and not self.modifiable:
            self.erreurs[""] = [PAS_LA_SIENNE]
            self._refuser()
            return
        ouvertes = {colonne.champ for colonne in self._ouvertes}
        self._comprendre(champ for champ in touches if champ in ouvertes)
        if not self._valeurs and not self.erreurs:
            # Un motif seul ne change rien, et ne reste pas à l'écran comme s'il attendait.
            if self._touchee(MOTIF.champ):
                self._conclure(change=False)
            return
        if not self.erreurs and self.valeur is None and not self._repond:
            self.erreurs[next(iter(self._valeurs))] = [SANS_CHIFFRE]
        if self.erreurs:
            self._refuser()
            return
        self._ecrire(ouvertes)

    @property
    def _repond(self) -> bool:
        return any(self._valeurs.get(champ) not in (None, "") for champ in (*CHIFFRES, "motif_indisponibilite"))

    def _ecrire(self, ouvertes: Iterable[str]) -> None:
        # Une version illisible n'est celle de personne : elle ne passe que si rien n'est à écrire.
        version = self._entier("version")
        try:
            saisie = saisir(
                self.indicateur,
                self.feuille.annee,
                self._champs,
                auteur=self.auteur,
                version=-1 if version is None else version,
                motif=self._tape(MOTIF.champ),
            )
        except ConflitDeVersion:
            self.feuille.relire(self.indicateur)
            self._signaler_le_conflit()
        except MotifDeSaisieRequis as refus:
            # Ce qui bougerait se lit à côté : le refus n'a pas à le redire.
            self.deplaces = refus.deplaces
            self.erreurs[MOTIF.champ] = [MOTIF_REQUIS]
            self._refuser()
        except ValidationError as refus:
            self._ranger(refus, {*ouvertes, MOTIF.champ})
        else:
            self.deplaces = saisie.deplaces
            self.feuille.relire(self.indicateur)
            self._conclure(change=saisie.change)


def _ecrire(nombre: Decimal | None) -> str:
    return str(ChampNombre().prepare_value(nombre) or "") if nombre is not None else ""


def lignes_de_saisie(
    indicateurs: Iterable[Indicateur], annee: int, auteur: Utilisateur, envoi: Mapping[str, str] | None = None
) -> list[LigneDeSaisie]:
    """Une ligne par indicateur, dans cet ordre (voir `dans_l_ordre_de_saisie`). Deux requêtes en tout.

    Les indicateurs viennent d'`indicateurs_a_saisir()` : les lignes nomment leur service et leur dénominateur.
    """
    indicateurs = list(indicateurs)
    feuille = Feuille(indicateurs, annee, auteur)
    return [LigneDeSaisie(indicateur, feuille, envoi) for indicateur in indicateurs]
