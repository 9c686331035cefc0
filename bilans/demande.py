"""Ce que l'adresse du tableau de bord demande : quel plan, quelle année, quelle date."""

from dataclasses import dataclass
from datetime import date

from django.http import QueryDict
from django.utils import timezone

from socle.erreurs import DemandeIllisible
from socle.formats import FormatInvalide, formater_date, lire_date


def fin_de_l_annee(annee: int) -> date:
    """Le 31 décembre : le jour où une année se montre."""
    return date(annee, 12, 31)


@dataclass(frozen=True)
class Demande:
    """`plan` : l'adresse d'un plan, vide pour celui par défaut. `annee` et `au` ne sont jamais donnés ensemble ; sans
    l'un ni l'autre, c'est aujourd'hui."""

    plan: str
    annee: int | None
    au: date | None

    @property
    def jour(self) -> date | None:
        """La date des statuts ; None = aujourd'hui."""
        if self.annee is not None:
            fin = fin_de_l_annee(self.annee)
            return fin if fin < timezone.localdate() else None
        return self.au


def lire_demande(parametres: QueryDict) -> Demande:
    """Lève DemandeIllisible (400) si un paramètre est absurde."""
    texte_annee, texte_au = _unique(parametres, "annee"), _unique(parametres, "au")
    if texte_annee and texte_au:
        raise DemandeIllisible("Demandez une année ou une date, pas les deux à la fois.")
    return Demande(
        plan=_unique(parametres, "plan"),
        annee=_annee(texte_annee) if texte_annee else None,
        au=lire_jour(texte_au) if texte_au else None,
    )


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
        jour = lire_date(texte)
    except FormatInvalide as erreur:
        raise DemandeIllisible(str(erreur)) from erreur
    if jour > timezone.localdate():
        raise DemandeIllisible(f"Le {formater_date(jour)} est à venir : la situation n'est pas encore connue.")
    return jour
