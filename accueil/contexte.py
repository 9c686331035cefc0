from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True)
class Entree:
    """Une entrée du menu principal ; `courante` si la page montrée en fait partie."""

    libelle: str
    adresse: str
    courante: bool


def menu(request) -> dict[str, list[Entree]]:
    """Le menu principal : cinq entrées au plus."""
    pages = [
        ("Tableau de bord", reverse("accueil:tableau_de_bord")),
        ("Actions", reverse("actions:liste")),
        ("Indicateurs", reverse("indicateurs:liste")),
        ("Partenaires", reverse("partenaires:liste")),
    ]
    return {"menu": [Entree(libelle, adresse, _courante(request.path, adresse)) for libelle, adresse in pages]}


def _courante(chemin: str, adresse: str) -> bool:
    return chemin == adresse if adresse == "/" else chemin.startswith(adresse)
