"""Ce que partagent les lignes d'une grille de saisie : ce que l'écran montrait, ce qu'on y a tapé, ce qui s'en dit.

Une ligne envoyée dit ce que l'écran montrait (`depart`) : seules les cellules que l'auteur a touchées comptent, et une
ligne qu'il n'a pas touchée n'écrase jamais ce qu'un autre y a mis. Refusée, elle garde sa saisie, ses refus à côté.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from socle.choix import membre_de
from socle.formats import INSECABLE, FormatInvalide, accorder

# D'un envoi : la page n'en montre pas tant, une plus longue n'en vient pas.
LIGNES_AU_PLUS = 100


@dataclass(frozen=True)
class Colonne:
    """Une colonne éditable. `proposee_par` : la liste de la page où chercher ; `choix` : une liste fermée, dont
    `sans_choix` est le choix vide ; `obligatoire` : il ne se propose plus une fois qu'un choix est fait."""

    champ: str
    libelle: str
    proposee_par: str = ""
    choix: type[models.TextChoices] | None = None
    sans_choix: str = ""
    obligatoire: bool = False


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

    @property
    def options(self) -> list[tuple[str, str]]:
        """Les choix d'une liste fermée ; un texte collé qui n'en est pas un y reste montré."""
        if self.colonne.choix is None:
            return []
        choix = [*self.colonne.choix.choices]
        if not self.enregistre or not self.colonne.obligatoire:
            choix.insert(0, ("", self.colonne.sans_choix))
        if self.valeur not in dict(choix):
            choix.append((self.valeur, self.valeur or self.colonne.sans_choix))
        return choix


class LigneEditee:
    """Une ligne ; avec `envoi`, ce que l'auteur y a tapé.

    Une sous-classe dit ses `colonnes`, `enregistres()`, `nom(champ)` et `_lire(champ)`.
    """

    colonnes: tuple[Colonne, ...] = ()
    # Les saisies qui ne sont d'aucune colonne, et dont un refus se montre quand même à côté.
    a_part: tuple[str, ...] = ()
    # Où montrer le refus d'un champ que la grille n'a pas.
    equivalents: Mapping[str, str] = {}
    CONFLIT = (
        "Modifiée par quelqu'un d'autre pendant votre saisie. Rien n'est écrasé : enregistrez de nouveau pour garder "
        "la vôtre."
    )

    def __init__(self, envoi: Mapping[str, str] | None = None) -> None:
        self.envoi = envoi if envoi is not None else {}
        self.erreurs: dict[str, list[str]] = {}
        self.etat = ""
        self.dit = ""
        self._enregistres = self.enregistres()
        self._depart_lu = self._depart_envoye()
        self._valeurs: dict[str, Any] = {}
        self._en_conflit = False

    def nom(self, champ: str) -> str:
        """Celui de la saisie dans le formulaire."""
        raise NotImplementedError

    def enregistres(self) -> dict[str, str]:
        """Ce que chaque cellule écrirait de ce qui est en base."""
        raise NotImplementedError

    def _lire(self, champ: str) -> Any:
        """Ce que le texte tapé veut dire. Lève FormatInvalide ou ValidationError."""
        raise NotImplementedError

    # --- Montrer -------------------------------------------------------------------------------

    @property
    def nom_de_la_version(self) -> str:
        return self.nom("version")

    @property
    def nom_du_depart(self) -> str:
        return self.nom("depart")

    @property
    def depart(self) -> str:
        """Ce que l'écran montre comme enregistré : revient avec l'envoi."""
        return json.dumps(self._enregistres, ensure_ascii=False)

    @property
    def refusee(self) -> bool:
        return self.etat in ("refusee", "conflit")

    def cellule(self, colonne: Colonne) -> Cellule:
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
            entre_temps=_en_clair(colonne, enregistre) if change_ailleurs and valeur != enregistre else "",
        )

    # --- Lire ----------------------------------------------------------------------------------

    def _tape(self, champ: str) -> str:
        return self.envoi.get(self.nom(champ), "").replace("\r\n", "\n").strip()

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

    def _comprendre(self, champs: Iterable[str]) -> None:
        """Range dans `_valeurs` ce qui se lit, dans `erreurs` ce qui ne se lit pas."""
        for champ in champs:
            try:
                self._valeurs[champ] = self._lire(champ)
            except FormatInvalide as erreur:
                self.erreurs[champ] = [str(erreur)]
            except ValidationError as erreur:
                self.erreurs[champ] = erreur.messages

    # --- Dire la suite -------------------------------------------------------------------------

    def _actualiser(self) -> None:
        """La base vient d'être relue : l'écran montre ce qu'elle a."""
        self._enregistres = self.enregistres()

    def _conclure(self, *, change: bool) -> None:
        """Enregistrée, ou sans rien à changer : plus rien de tapé n'attend."""
        self._actualiser()
        self.envoi, self._valeurs = {}, {}
        self.etat = "enregistree" if change else "inchangee"
        self.dit = "Enregistré" if change else "Rien à changer"

    def _signaler_le_conflit(self) -> None:
        self._actualiser()
        self._en_conflit = True
        self.etat, self.dit = "conflit", self.CONFLIT

    def _refuser(self) -> None:
        self.etat = "refusee"
        self.dit = " ".join(self.erreurs.get("", [])) or "Refusé : rien n'est enregistré sur cette ligne"

    def _ranger(self, erreur: ValidationError, connus: Collection[str]) -> None:
        """Chaque refus à côté de sa cellule (`connus`) ; ce qui n'est d'aucune cellule, à côté de la ligne."""
        par_champ = erreur.message_dict if hasattr(erreur, "error_dict") else {"": erreur.messages}
        for champ, messages in par_champ.items():
            place = self.equivalents.get(champ, champ)
            self.erreurs.setdefault(place if place in connus else "", []).extend(messages)
        self._refuser()


def _en_clair(colonne: Colonne, texte: str) -> str:
    if colonne.choix is not None:
        texte = str(dict(colonne.choix.choices).get(texte, colonne.sans_choix))
    return texte or "rien"


def membre_nomme(liste: type[models.TextChoices], texte: str, nature: str) -> str:
    """Le membre de la liste que ce texte nomme. Lève ValidationError, qui dit lesquels il y a."""
    if (membre := membre_de(liste, texte)) is not None:
        return membre
    *debut, fin = [str(libelle).lower() for libelle in liste.labels]
    cite = f"«{INSECABLE}{texte[:60]}{INSECABLE}»"
    raise ValidationError(f"{cite} n'est pas {nature} : {', '.join(debut)} ou {fin}.")


def cles_envoyees(cles: Iterable[str]) -> list[int]:
    """Les clés des lignes d'un envoi, dans l'ordre de la page ; ce qui n'en est pas une est laissé."""
    return [int(c) for c in list(cles)[:LIGNES_AU_PLUS] if c.isascii() and c.isdigit() and len(c) < 10]


def compte_rendu(lignes: Iterable[LigneEditee]) -> str:
    """« 11 lignes enregistrées, 1 refusée »."""
    etats = [ligne.etat for ligne in lignes]
    ecrites, refusees = etats.count("enregistree"), etats.count("refusee") + etats.count("conflit")
    return ", ".join(_morceaux(ecrites, refusees)) or "Rien à enregistrer : aucune ligne n'a changé"


def _morceaux(ecrites: int, refusees: int) -> Iterator[str]:
    if ecrites:
        yield accorder(ecrites, "ligne enregistrée", "lignes enregistrées")
    if refusees and ecrites:
        yield accorder(refusees, "refusée")
    elif refusees:
        yield accorder(refusees, "ligne refusée", "lignes refusées")
