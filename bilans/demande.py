"""Ce que l'adresse du tableau de bord demande : quel plan, quelle année, quelle date, tel que saisi quand."""

from dataclasses import dataclass
from datetime import date, datetime

from django.http import QueryDict
from django.utils import timezone

from socle.erreurs import DemandeIllisible
from socle.formats import FormatInvalide
from socle.instants import Instant, dire_le_moment, instant_demande, jour_de, lire_jour_passe


def fin_de_l_annee(annee: int) -> date:
    """Le 31 décembre : le jour où une année se montre."""
    return date(annee, 12, 31)


@dataclass(frozen=True)
class Demande:
    """`plan` : l'adresse d'un plan, vide pour celui par défaut. `annee` et `au` ne sont jamais donnés ensemble ; sans
    l'un ni l'autre, c'est aujourd'hui, ou le jour de `saisi_au` : le moment dont on relit les saisies."""

    plan: str
    annee: int | None
    au: date | None
    saisi_au: datetime | None = None

    @property
    def jour(self) -> date | None:
        """La date des statuts ; None = aujourd'hui."""
        if self.annee is None:
            return self.instant.jour
        fin = fin_de_l_annee(self.annee)
        if self.saisi_au is not None:
            # L'année qui courait alors ne se connaissait que jusqu'à ce jour-là.
            return min(fin, jour_de(self.saisi_au))
        return fin if fin < timezone.localdate() else None

    @property
    def instant(self) -> Instant:
        return Instant(self.au, self.saisi_au)


def lire_demande(parametres: QueryDict) -> Demande:
    """Lève DemandeIllisible (400) si un paramètre est absurde, ou si deux se contredisent."""
    textes = {nom: _unique(parametres, nom) for nom in ("plan", "annee", "au", "saisi_au")}
    if textes["annee"] and textes["au"]:
        raise DemandeIllisible("Demandez une année ou une date, pas les deux à la fois.")
    instant = instant_demande(textes)
    annee = _annee(textes["annee"]) if textes["annee"] else None
    if annee is not None and instant.saisi_au is not None and annee > jour_de(instant.saisi_au).year:
        raise DemandeIllisible(
            f"Au {dire_le_moment(instant.saisi_au)}, l'année {annee} n'avait pas commencé : demandez une saisie plus "
            "récente, ou une année plus ancienne."
        )
    return Demande(plan=textes["plan"], annee=annee, au=instant.au, saisi_au=instant.saisi_au)


def _unique(parametres: QueryDict, nom: str) -> str:
    valeurs = {valeur.strip() for valeur in parametres.getlist(nom)}
    if len(valeurs) > 1:
        raise DemandeIllisible(f"Le paramètre « {nom} » est donné plusieurs fois avec des valeurs différentes.")
    return valeurs.pop() if valeurs else ""


def _annee(texte: str) -> int:
    if not (texte.isascii() and texte.isdigit() and len(texte) == 4):
        raise DemandeIllisible(f"« {texte} » n'est pas une année : écrivez par exemple 2023.")
    return int(texte)


def lire_jour(texte: str) -> date:
    """Une date passée ou d'aujourd'hui. Lève DemandeIllisible."""
    try:
        return lire_jour_passe(texte)
    except FormatInvalide as erreur:
        raise DemandeIllisible(str(erreur)) from erreur
