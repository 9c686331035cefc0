from dataclasses import dataclass

from django.urls import reverse

from comptes.droits import Droit, peut


@dataclass(frozen=True)
class Entree:
    """Une entrée de menu ; `courante` si la page montrée en fait partie."""

    libelle: str
    adresse: str
    courante: bool


def menu(request) -> dict[str, list[Entree]]:
    """Le menu principal (cinq entrées au plus) et, à droite, ce qui sert moins souvent."""
    utilisateur = getattr(request, "user", None)
    principal = [
        ("Tableau de bord", "accueil:tableau_de_bord"),
        ("Mes actions", "actions:miennes"),
        ("Actions", "actions:liste"),
        ("Indicateurs", "indicateurs:liste"),
        ("Bilan", "bilans:liste"),
    ]
    if utilisateur is None or not peut(utilisateur, Droit.METTRE_A_JOUR):
        principal = [entree for entree in principal if entree[1] != "actions:miennes"]
    return {
        "menu": _entrees(request.path, principal),
        "menu_de_droite": _entrees(
            request.path, [("Marchés", "marches:accueil"), ("Partenaires", "partenaires:liste")]
        ),
    }


def _entrees(chemin: str, pages: list[tuple[str, str]]) -> list[Entree]:
    adresses = ((libelle, reverse(nom)) for libelle, nom in pages)
    return [Entree(libelle, adresse, _courante(chemin, adresse)) for libelle, adresse in adresses]


def _courante(chemin: str, adresse: str) -> bool:
    return chemin == adresse if adresse == "/" else chemin.startswith(adresse)
