"""Les actions en tableau : une ligne par action, une cellule par colonne du classeur, dans leurs types."""

from collections.abc import Iterator
from typing import Any

from import_export import fields, resources

from actions.annuaire import Annuaire
from actions.champs import en_clair, valeur_de
from actions.classeur.colonnes import COLONNES, IDENTIFIANT, PLAN, VERSION, Colonne
from actions.models import Action
from socle.echeances import Precision

# Une situation passée n'a la version de personne : réimportée, tout ce qui en diffère est un conflit.
VERSION_PASSEE = 0

_TELS_QUELS = frozenset({"numero", "avancement", "date_debut", "budget_previsionnel", "budget_realise"})


class CelluleDExport(fields.Field):
    """Une colonne du classeur. Sa valeur reste un nombre, une date ou un texte : le format du fichier l'écrira."""

    def __init__(self, colonne: Colonne, annuaire: Annuaire, *, passee: bool) -> None:
        super().__init__(attribute=colonne.champ, column_name=colonne.titre)
        self.colonne, self.annuaire, self.passee = colonne, annuaire, passee

    def export(self, instance: Action, **kwargs: Any) -> Any:
        champ = self.colonne.champ
        if self.colonne.a_remplir:
            return None
        match champ:
            case _ if champ == IDENTIFIANT:
                return instance.pk
            case _ if champ == VERSION:
                return VERSION_PASSEE if self.passee else instance.version
            case _ if champ == PLAN:
                return str(instance.plan)
            case "pilote" | "suppleant":
                return self.annuaire.nom_du_compte(getattr(instance, champ)) or None
            case "echeance":
                return _echeance(instance)
            case "statut" | "avancement":
                return _en_cellule(champ, getattr(instance, f"etat_{champ}"))
        return _en_cellule(champ, valeur_de(instance, champ))


def _en_cellule(champ: str, valeur: Any) -> Any:
    if valeur is None or valeur == "" or valeur in ({}, []):
        return None
    if champ in _TELS_QUELS:
        return valeur
    if isinstance(valeur, str) and champ not in ("statut", "priorite", "attention_nature"):
        return "\n".join(valeur.splitlines())
    return en_clair(champ, valeur)


def _echeance(action: Action) -> Any:
    """Un jour est une date ; un trimestre ou une année, un texte."""
    echeance = action.valeur_echeance
    if echeance is None:
        return None
    return echeance.fin if echeance.precision is Precision.JOUR else str(echeance)


class RessourceActions(resources.Resource):
    """`passee` : la situation montrée n'est pas celle d'aujourd'hui."""

    def __init__(self, annuaire: Annuaire, *, passee: bool) -> None:
        super().__init__()
        self.fields = {colonne.champ: CelluleDExport(colonne, annuaire, passee=passee) for colonne in COLONNES}

    def export_resource(self, instance: Action, selected_fields: Any = None, **kwargs: Any) -> list[Any]:
        """Toutes les colonnes, sans les rechercher par leur nom à chaque ligne."""
        return [champ.export(instance) for champ in self.fields.values()]

    def iter_queryset(self, queryset: Any) -> Iterator[Action]:
        """D'une traite : par paquets, le nombre de requêtes suivrait celui des actions."""
        yield from queryset
