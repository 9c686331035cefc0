"""Ce qui est arrêté est-il encore ce qui l'a été ? Une phrase par chose qui ne l'est plus."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bilans.bilan import Bilan
from bilans.contenu.canonique import ecrire, relire
from bilans.contenu.schema import Portee, SchemaInconnu, lire
from bilans.versions import VersionDeBilan

# Les contenus sont longs : on n'en tient que quelques-uns à la fois.
VERSIONS_A_LA_FOIS = 10


@dataclass(frozen=True)
class Verification:
    """`problemes` : une phrase chacun, qui nomme le plan, l'année et la version."""

    versions: int
    problemes: list[str]


def verifier(plan: str = "") -> Verification:
    """Tous les bilans, ou ceux du plan de cette adresse."""
    bilans = Bilan.objects.select_related("plan", "version_publiee").order_by("plan__intitule", "annee")
    versions = VersionDeBilan.objects.select_related("bilan__plan", "pdf").order_by("bilan", "rang")
    if plan:
        bilans, versions = bilans.filter(plan__slug=plan), versions.filter(bilan__plan__slug=plan)
    rangs: dict[int, list[int]] = defaultdict(list)
    problemes: list[str] = []
    for version in versions.iterator(chunk_size=VERSIONS_A_LA_FOIS):
        rangs[version.bilan_id].append(version.rang)
        problemes += [f"{_nom(version.bilan)}, version {version.rang} : {phrase}" for phrase in _de_version(version)]
    for bilan in bilans:
        problemes += [f"{_nom(bilan)} : {phrase}" for phrase in _du_bilan(bilan, rangs[bilan.pk])]
    return Verification(sum(map(len, rangs.values())), problemes)


def _nom(bilan: Bilan) -> str:
    return f"Plan « {bilan.plan} », bilan {bilan.annee}"


def _de_version(version: VersionDeBilan) -> Iterable[str]:
    yield from (phrase[0].lower() + phrase[1:] for phrase in version.anomalies)
    for portee in Portee:
        nom = "interne" if portee is Portee.INTERNE else "public"
        yield from (f"le contenu {nom} {phrase}" for phrase in _du_contenu(version, portee))


def _du_contenu(version: VersionDeBilan, portee: Portee) -> Iterable[str]:
    texte = version.texte(portee)
    try:
        contenu = relire(texte)
    except ValueError:
        yield "n'est plus un objet JSON."
        return
    if _ecrit(contenu) != texte:
        yield "n'est pas écrit sous sa forme canonique."
    try:
        lu = lire(contenu)
    except SchemaInconnu:
        yield f"est du schéma {contenu.get('schema')}, que cette version du site ne sait pas lire."
        return
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        yield "ne se lit plus : il y manque ce que son schéma annonce."
        return
    if contenu["schema"] != version.schema:
        yield f"est du schéma {contenu['schema']}, et la version dit {version.schema}."
    # Deux plans ont la même année et le même rang : le moment de l'arrêt, gardé à la seconde, les distingue.
    arretee_le = version.arretee_le.replace(microsecond=0)
    if (lu.portee, lu.annee, lu.rang, lu.arrete_le) != (portee, version.bilan.annee, version.rang, arretee_le):
        yield "est celui d'un autre bilan ou d'une autre version."


def _ecrit(contenu: dict) -> str:
    """Le texte canonique ; vide si ce contenu ne peut pas en avoir."""
    try:
        return ecrire(contenu)
    except (TypeError, ValueError):
        return ""


def _du_bilan(bilan: Bilan, rangs: list[int]) -> Iterable[str]:
    if rangs != list(range(1, len(rangs) + 1)):
        yield f"les versions ne se suivent pas ({', '.join(map(str, rangs))})."
    if bilan.version_publiee is not None and bilan.version_publiee.bilan_id != bilan.pk:
        yield f"la version publiée est celle d'un autre bilan ({bilan.version_publiee.bilan})."
    if bilan.rouvert_le is not None and not rangs:
        yield "il est rouvert, et rien n'y est arrêté."
