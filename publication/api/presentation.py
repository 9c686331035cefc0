"""Le document OpenAPI, prêt à lire en page : opérations par partie, paramètres, objets et leurs champs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from publication.api.document import document
from publication.api.routes import PORTEES

GENRES = {"string": "texte", "integer": "entier", "number": "nombre", "boolean": "oui ou non", "object": "objet"}
FORMATS = {"date": "date", "date-time": "date et heure", "uri": "adresse"}


# Dits une fois, dans l'introduction.
PARTOUT = ("plan", "page", "taille")


@dataclass(frozen=True)
class Genre:
    """Ce qu'est une valeur, en un mot ; `objet` : le nom de l'objet décrit plus bas, s'il y en a un."""

    texte: str
    objet: str = ""


@dataclass(frozen=True)
class Champ:
    """Un champ d'un objet, ou un paramètre d'une adresse."""

    nom: str
    genre: Genre
    description: str
    exemple: str = ""
    obligatoire: bool = True


@dataclass(frozen=True)
class Operation:
    nom: str
    adresse: str
    resume: str
    description: str
    portee: str
    parametres: Sequence[Champ]
    reponse: Genre


@dataclass(frozen=True)
class Partie:
    titre: str
    description: str
    operations: Sequence[Operation]


@dataclass(frozen=True)
class Objet:
    """`base` : un autre objet, dont celui-ci a tous les champs ; `champs` : les siens en plus."""

    nom: str
    description: str
    base: str
    champs: Sequence[Champ]


@dataclass(frozen=True)
class Api:
    """`introduction` : par paragraphe, ses morceaux, et si chacun est un nom à écrire tel quel."""

    version: str
    introduction: Sequence[Sequence[tuple[str, bool]]]
    parties: Sequence[Partie]
    objets: Sequence[Objet]


@cache
def presenter() -> Api:
    lu = document()
    operations = [_operation(adresse, methodes["get"]) for adresse, methodes in lu["paths"].items()]
    return Api(
        version=lu["info"]["version"],
        introduction=[_morceaux(paragraphe) for paragraphe in lu["info"]["description"].split("\n\n")],
        parties=[
            Partie(
                partie["name"],
                partie["description"],
                [operation for operation in operations if bool(operation.portee) == (partie["name"] == "Interne")],
            )
            for partie in lu["tags"]
        ],
        # Une page de liste n'a que le compte et les adresses voisines, dits dans l'introduction.
        objets=[
            _objet(nom, lu["components"]["schemas"])
            for nom in lu["components"]["schemas"]
            if not nom.startswith("Page_")
        ],
    )


def _morceaux(paragraphe: str) -> list[tuple[str, bool]]:
    return [(texte, bool(rang % 2)) for rang, texte in enumerate(paragraphe.split("`"))]


def _objet(nom: str, schemas: dict[str, Any]) -> Objet:
    schema = schemas[nom]
    champs = schema["properties"]
    contenus = [
        autre
        for autre, connu in schemas.items()
        if len(connu["properties"]) < len(champs)
        and all(champs.get(champ) == forme for champ, forme in connu["properties"].items())
    ]
    base = max(contenus, key=lambda autre: len(schemas[autre]["properties"]), default="")
    deja = schemas[base]["properties"] if base else {}
    return Objet(
        nom,
        schema.get("description", ""),
        base,
        [
            Champ(champ, _genre(forme), forme.get("description", ""))
            for champ, forme in champs.items()
            if champ not in deja
        ],
    )


def _operation(adresse: str, lue: dict[str, Any]) -> Operation:
    nom = lue["operationId"]
    return Operation(
        nom=nom,
        adresse=adresse,
        resume=lue["summary"],
        description=lue["description"].partition("\n\n")[0],
        portee=PORTEES[nom].value if nom in PORTEES else "",
        parametres=[
            Champ(
                parametre["name"],
                _genre(parametre["schema"]),
                parametre["description"],
                str(parametre.get("example", "")),
                parametre["required"],
            )
            for parametre in lue["parameters"]
            if parametre["name"] not in PARTOUT
        ],
        reponse=_genre(lue["responses"]["200"]["content"]["application/json"]["schema"]),
    )


def _genre(forme: dict[str, Any]) -> Genre:
    if "anyOf" in forme:
        connues = [_genre(cas) for cas in forme["anyOf"] if cas.get("type") != "null"]
        # Un entier ou un nombre est un nombre.
        genre = connues[-1]
        facultatif = len(connues) < len(forme["anyOf"])
        return Genre(f"{genre.texte}, ou null" if facultatif else genre.texte, genre.objet)
    if "$ref" in forme:
        nom = forme["$ref"].rsplit("/", 1)[-1]
        if nom.startswith("Page_"):
            element = nom.removeprefix("Page_").removesuffix("_")
            return Genre(f"une page de {element}", element)
        return Genre(nom, nom)
    if "enum" in forme:
        return Genre(", ".join(forme["enum"]))
    if forme.get("type") == "array":
        element = _genre(forme["items"])
        return Genre(f"liste de {element.texte}", element.objet)
    return Genre(FORMATS.get(forme.get("format", ""), GENRES.get(forme.get("type", ""), "objet")))
