"""De quoi comparer deux lectures d'un même objet, champ par champ, et le dire en une phrase."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from bilans.contenu.schema import CalculLu
from socle.formats import ABSENT, formater_date, formater_valeur

# Un texte plus long ne tient pas dans une phrase : il se montre en entier, avant et après.
LONGUEUR_CITEE = 120

_T = TypeVar("_T")
_C = TypeVar("_C", bound=Hashable)


@dataclass(frozen=True)
class Difference:
    """Une phrase. `avant` et `apres` : les deux textes en entier, quand ils n'y tiennent pas."""

    phrase: str
    avant: str = ""
    apres: str = ""


def texte(valeur: Any) -> str:
    return ABSENT if valeur in (None, "") else str(valeur)


def cite(valeur: str) -> str:
    return f"« {valeur} »" if valeur else ABSENT


def jour(valeur: date | None) -> str:
    return formater_date(valeur)


def oui_non(valeur: bool) -> str:
    return "oui" if valeur else "non"


def libelle_dans(liste: Any) -> Callable[[str], str]:
    """Le libellé d'un code de cette liste ; le code même s'il n'y est plus."""
    return lambda code: str(dict(liste.choices).get(code, code)) if code else ABSENT


def pour_cent(valeur: int | None) -> str:
    return formater_valeur(valeur, "%")


def calcul_retenu(calcul: CalculLu | None) -> str:
    if calcul is None:
        return "aucun"
    return f"{calcul.code}, version {calcul.version}, du {formater_date(calcul.le)} ({calcul.empreinte[:8]})"


@dataclass(frozen=True)
class Champ:
    """Un champ comparé. `ecrire` : comment sa valeur se dit ; `cle` : ce qui s'en compare, lui-même si None."""

    nom: str
    libelle: str
    ecrire: Callable[[Any], str] = texte
    cle: Callable[[Any], Any] | None = None

    def difference(self, avant: Any, apres: Any, sujet: str = "") -> Difference | None:
        """`sujet` : de quoi parle le champ, si ce n'est pas de l'objet entier (« Valeur 2023 »)."""
        de, a = getattr(avant, self.nom), getattr(apres, self.nom)
        if (self.cle(de) == self.cle(a)) if self.cle else (de == a):
            return None
        return passage(f"{sujet}, {self.libelle.lower()}" if sujet else self.libelle, de, a, self.ecrire)


def passage(libelle: str, avant: Any, apres: Any, ecrire: Callable[[Any], str]) -> Difference:
    de, a = ecrire(avant), ecrire(apres)
    if max(len(de), len(a)) > LONGUEUR_CITEE or "\n" in de + a:
        return Difference(f"{libelle} : le texte a changé", _en_entier(avant), _en_entier(apres))
    return Difference(f"{libelle} : {de} → {a}")


def _en_entier(valeur: Any) -> str:
    """Ce qui se montre sous la phrase ; rien pour ce qui n'était pas là."""
    return "" if valeur is None else str(valeur)


def differences_de(champs: Iterable[Champ], avant: Any, apres: Any, sujet: str = "") -> list[Difference]:
    return [trouvee for champ in champs if (trouvee := champ.difference(avant, apres, sujet))]


def citer(phrase: str, dit: str, *, parti: bool = False) -> Difference:
    """Un texte ajouté ou retiré, cité dans la phrase s'il y tient."""
    if len(dit) <= LONGUEUR_CITEE and "\n" not in dit:
        return Difference(f"{phrase} : « {dit} »")
    return Difference(phrase, avant=dit) if parti else Difference(phrase, apres=dit)


def apparier(
    avant: Iterable[_T], apres: Iterable[_T], cle: Callable[[_T], _C]
) -> Iterable[tuple[_C, _T | None, _T | None]]:
    """Chaque objet, avant et après, dans l'ordre d'après ; ceux qui sont partis à la fin."""
    partis = {cle(objet): objet for objet in avant}
    for objet in apres:
        yield cle(objet), partis.pop(cle(objet), None), objet
    for identite, objet in partis.items():
        yield identite, objet, None


def range_autrement(avant: Sequence[Any], apres: Sequence[Any]) -> bool:
    """Vrai si ceux qui sont des deux côtés n'y sont pas dans le même ordre."""
    de, a = [objet.cle for objet in avant], [objet.cle for objet in apres]
    communs = {*de} & {*a}
    return [cle for cle in de if cle in communs] != [cle for cle in a if cle in communs]
