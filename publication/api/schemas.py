"""La forme des réponses. Celle d'une ligne se tire des colonnes de sa table, comme les fichiers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, create_model

from publication.colonnes import Colonne, Table, TypeDeColonne
from publication.tables import ACTIONS, INDICATEURS, PARTENAIRES, STATUTS, VALEURS
from socle.contraintes import PREMIERE_ANNEE

DERNIERE_ANNEE = 2200


def _en_json(valeur: Any) -> Any:
    """Un nombre JSON, entier quand il l'est : un texte ne se comparerait pas."""
    if isinstance(valeur, Decimal):
        return int(valeur) if valeur == valeur.to_integral_value() else float(valeur)
    return valeur


Nombre = Annotated[int | float, BeforeValidator(_en_json)]
Annee = Annotated[int, Field(ge=PREMIERE_ANNEE, le=DERNIERE_ANNEE)]

_TYPES: dict[TypeDeColonne, Any] = {
    TypeDeColonne.TEXTE: str,
    TypeDeColonne.ENTIER: int,
    TypeDeColonne.NOMBRE: Nombre,
    TypeDeColonne.BOOLEEN: bool,
    TypeDeColonne.ANNEE: Annee,
    TypeDeColonne.DATE: date,
}


def _champ(colonne: Colonne) -> tuple[Any, Any]:
    """Le type pydantic d'une colonne, et ce que le document en dit."""
    genre = Literal[tuple(colonne.codes)] if colonne.codes else _TYPES[colonne.type]
    minimum, maximum = colonne.bornes
    if minimum is not None or maximum is not None:
        genre = Annotated[genre, Field(ge=minimum, le=maximum)]
    description = f"{colonne.description} {colonne.legende}".strip()
    options: dict[str, Any] = {"title": colonne.titre, "description": description}
    if colonne.exemple:
        options["examples"] = [colonne.exemple]
    return (genre if colonne.obligatoire else genre | None), Field(..., **options)


class Ferme(Schema):
    """Un objet dont tous les champs sont dits : rien d'autre n'en sort."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


def ligne_de(table: Table, nom: str) -> type[Ferme]:
    """Une ligne de cette table. Tous ses champs y sont toujours, `null` quand ils sont inconnus."""
    champs: dict[str, Any] = {colonne.nom: _champ(colonne) for colonne in table.colonnes}
    modele: type[Ferme] = create_model(nom, __base__=Ferme, __doc__=table.description, **champs)
    return modele


Action = ligne_de(ACTIONS, "Action")
Changement = ligne_de(STATUTS, "ChangementDeStatut")
Indicateur = ligne_de(INDICATEURS, "Indicateur")
Valeur = ligne_de(VALEURS, "Valeur")
Partenaire = ligne_de(PARTENAIRES, "Partenaire")

L = TypeVar("L")


class Page(Ferme, Generic[L]):
    """Une page d'une liste."""

    total: int = Field(..., ge=0, title="Total", description="Le nombre d'éléments de la liste entière, filtres mis.")
    page: int = Field(..., ge=1, title="Page", description="Le numéro de cette page ; la première est 1.")
    taille: int = Field(..., ge=1, le=100, title="Taille", description="Le nombre d'éléments d'une page pleine.")
    pages: int = Field(..., ge=1, title="Pages", description="Le nombre de pages.")
    precedente: str | None = Field(..., title="Page précédente", description="Son adresse ; null sur la première.")
    suivante: str | None = Field(..., title="Page suivante", description="Son adresse ; null sur la dernière.")
    resultats: list[L] = Field(..., title="Résultats", description="Les éléments de cette page, dans l'ordre.")


class Plan(Ferme):
    """Un plan publié."""

    plan: str = Field(..., title="Plan", description="L'adresse du plan : elle le désigne dans toute l'API.")
    intitule: str = Field(..., title="Intitulé", description="Ce que le plan se propose.")
    label: Literal["FICHE_ACTION", "PLAN"] = Field(
        ..., title="Nature", description="Comment la collectivité l'appelle : fiche action, ou plan."
    )
    description: str = Field(
        ..., title="Description", description="Ce que le plan comprend ; vide s'il ne le dit pas."
    )
    annee_debut: Annee | None = Field(..., title="Première année", description="La première année du plan.")
    annee_fin: Annee | None = Field(..., title="Dernière année", description="La dernière année du plan.")


class Avancement(Ferme):
    """Combien d'actions, par statut, aujourd'hui."""

    total: int = Field(..., ge=0, title="Actions", description="Toutes les actions de la liste.")
    terminees: int = Field(..., ge=0, title="Terminées", description="Les actions terminées.")
    en_cours: int = Field(..., ge=0, title="En cours", description="Les actions en cours.")
    non_initiees: int = Field(..., ge=0, title="Non initiées", description="Les actions non initiées.")
    inconnues: int = Field(..., ge=0, title="Statut inconnu", description="Celles dont le statut n'est pas connu.")


class Axe(Ferme):
    """Un regroupement d'actions."""

    code: str = Field(..., title="Code", description="Le code de l'axe ; vide s'il n'en a pas.")
    intitule: str = Field(..., title="Intitulé", description="L'intitulé de l'axe.")


class PlanDetaille(Plan):
    """Un plan publié, ses axes et où il en est."""

    axes: list[Axe] = Field(..., title="Axes", description="Les axes des actions publiques, dans l'ordre du plan.")
    avancement: Avancement = Field(..., title="Avancement", description="Le décompte des actions publiques.")


class ActionDetaillee(Action):  # type: ignore[valid-type,misc]
    """Une action publique, ses partenaires et ses statuts successifs."""

    partenaires: list[Partenaire] = Field(  # type: ignore[valid-type]
        ..., title="Partenaires", description="Ceux qui y prennent part."
    )
    statuts: list[Changement] = Field(  # type: ignore[valid-type]
        ..., title="Statuts successifs", description="Du plus ancien au plus récent."
    )


class IndicateurDetaille(Indicateur):  # type: ignore[valid-type,misc]
    """Un indicateur et ses valeurs validées."""

    valeurs: list[Valeur] = Field(  # type: ignore[valid-type]
        ..., title="Valeurs", description="De la plus ancienne à la plus récente."
    )


class Bilan(Ferme):
    """Un bilan publié, et de quoi vérifier son contenu."""

    plan: str = Field(..., title="Plan", description="L'adresse du plan.")
    annee: Annee = Field(..., title="Année", description="L'année que le bilan décrit.")
    version: int = Field(..., ge=1, title="Version", description="Le rang de la version publiée.")
    arrete_le: datetime = Field(..., title="Arrêté le", description="Le moment où cette version a été arrêtée.")
    publie_le: date = Field(..., title="Publié le", description="Le jour où elle a été publiée.")
    empreinte: str = Field(
        ...,
        pattern="^[0-9a-f]{64}$",
        title="Empreinte",
        description="SHA-256, en hexadécimal, des octets que rend l'adresse du contenu.",
    )
    contenu: str = Field(..., title="Contenu", description="L'adresse du contenu arrêté, en JSON canonique.")


class ContenuDeBilan(Schema):
    """Le contenu d'un bilan arrêté, en JSON canonique : clés triées, sans espace, nombres décimaux en texte. Sa forme
    est celle de son schéma, dont le numéro est dans `schema`."""

    numero_de_schema: int = Field(..., ge=1, alias="schema", title="Schéma", description="Le numéro de sa forme.")
    portee: Literal["public", "interne"] = Field(..., title="Portée", description="À qui ce contenu s'adresse.")
    collectivite: dict[str, str] = Field(..., title="Collectivité", description="Son nom et son sigle.")
    plan: dict[str, Any] = Field(..., title="Plan", description="Le plan, tel qu'il était à l'arrêt.")
    bilan: dict[str, Any] = Field(..., title="Bilan", description="L'année, la date décrite, le moment de l'arrêt.")
    avant_propos: str = Field(..., title="Avant-propos", description="Vide s'il n'y en a pas.")
    commentaires: dict[str, str] = Field(..., title="Commentaires", description="Par section.")
    axes: list[dict[str, Any]] = Field(..., title="Axes", description="Les axes des actions.")
    actions: list[dict[str, Any]] = Field(..., title="Actions", description="Avec leur statut à la date décrite.")
    partenaires: list[dict[str, Any]] = Field(..., title="Partenaires", description="Du plan, puis des actions.")
    indicateurs: list[dict[str, Any]] = Field(..., title="Indicateurs", description="Avec valeurs et objectifs.")
    evolution: list[dict[str, Any]] = Field(..., title="Évolution", description="Les décomptes à chaque période.")


class Erreur(Ferme):
    """Ce qui n'a pas été possible, en une phrase."""

    erreur: str = Field(..., title="Erreur", description="Une phrase, en français.")
    parametres: dict[str, str] | None = Field(
        None, title="Paramètres", description="Ce qui ne va pas, par paramètre de l'adresse."
    )


# --- Ce qu'on demande ------------------------------------------------------------------------------


def _chiffres(texte: Any) -> Any:
    """Un entier s'écrit en chiffres : ni « 1.0 », ni espace, ni signe, que pydantic accepterait."""
    if isinstance(texte, str) and not (texte.isascii() and texte.isdigit() and len(texte) <= 16):
        raise ValueError("un entier écrit en chiffres est attendu")
    return texte


Entier = Annotated[int, BeforeValidator(_chiffres)]
# Au-delà, JavaScript ne distingue plus deux entiers voisins.
Cle = Annotated[int, Field(ge=1, le=2**53 - 1), BeforeValidator(_chiffres)]
AnneeDemandee = Annotated[int, Field(ge=PREMIERE_ANNEE, le=DERNIERE_ANNEE), BeforeValidator(_chiffres)]
# Sans caractère nul, que PostgreSQL ne sait pas comparer.
TexteSimple = Annotated[str, Field(pattern=r"^[^\x00]*$")]


class Pagination(Schema):
    page: Entier = Field(1, ge=1, le=1_000_000, description="Le numéro de la page.", examples=[1])
    taille: Entier = Field(50, ge=1, le=100, description="Le nombre d'éléments par page, 100 au plus.", examples=[50])


class FiltreDActions(Pagination):
    statut: Literal["TERMINEE", "EN_COURS", "NON_INITIEE"] | None = Field(
        None, description="Ne garder que ce statut.", examples=["EN_COURS"]
    )
    axe: TexteSimple | None = Field(
        None, max_length=300, description="Ne garder que cet axe : son code, ou son intitulé.", examples=["1"]
    )
    q: TexteSimple | None = Field(
        None,
        max_length=200,
        description="Ne garder que les actions dont l'intitulé et la description ont ces mots (ou leur début), ou qui "
        "portent ce numéro. Accents et majuscules ne comptent pas.",
        examples=["clauses"],
    )


class FiltreDeStatuts(Pagination):
    action: Cle | None = Field(None, description="Ne garder que les changements de cette action.", examples=[1])


class FiltreDeValeurs(Pagination):
    annee: AnneeDemandee | None = Field(None, description="Ne garder que cette année.", examples=[2023])
    indicateur: str | None = Field(
        None,
        pattern="^[-a-zA-Z0-9_]{1,80}$",
        description="Ne garder que l'indicateur de ce code.",
        examples=["consultations-finalisees"],
    )
