"""Les pages de la section Marchés, dites une fois : l'accueil les présente, le fil des rubriques y mène."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True)
class Rubrique:
    """`reservee` : seulement pour qui peut importer."""

    route: str
    titre: str
    phrase: str
    reservee: bool = False

    @property
    def adresse(self) -> str:
        return adresse_ou_rien(self.route)


RUBRIQUES = (
    Rubrique(
        "marches:consultations",
        "Consultations",
        "Le registre : chaque procédure, ses lots, la suite donnée, ce qu'elle a intégré.",
    ),
    Rubrique("marches:article_35", "Article 35", "Ce que la loi demande aux consultations récentes, ce qui manque."),
    Rubrique("marches:contrats", "Contrats", "Les contrats notifiés que disent les données essentielles."),
    Rubrique(
        "marches:regroupements", "Regroupements", "Les contrats qui viennent sans doute d'une même consultation."
    ),
    Rubrique("marches:imports", "Données essentielles", "Les fichiers DECP importés, ce qui en est gardé ou refusé."),
    Rubrique("marches:mandats", "Mandats", "Ce qui a été payé, totalisé par tiers et par commune."),
    Rubrique("marches:territoires", "Territoires", "Où vont les achats d'une année, par zone et par commune."),
    Rubrique("marches:comparaison", "Comparaison", "Les mêmes chiffres pour d'autres acheteurs, côte à côte."),
    Rubrique("marches:revue", "Revue", "Les anomalies qui changent un chiffre affiché, à corriger ou à confirmer."),
)


def adresse_ou_rien(route: str, *parametres: object) -> str:
    """L'adresse d'une page ; vide si cette installation ne l'a pas."""
    try:
        return reverse(route, args=parametres)
    except NoReverseMatch:
        return ""


def rubriques_pour(*, peut_importer: bool) -> list[Rubrique]:
    """Celles qu'on peut ouvrir, dans l'ordre où l'on s'en sert."""
    return [r for r in RUBRIQUES if r.adresse and (peut_importer or not r.reservee)]
