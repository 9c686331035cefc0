"""Le document OpenAPI 3.1 : ce que django-ninja tire des opérations, complété de ce que la porte ajoute à chacune."""

from functools import cache
from typing import Any

from django.conf import settings

from publication.api.routes import PORTEES, RACINE, ROUTES
from publication.licences import licence
from publication.reponses import CACHE

Document = dict[str, Any]

DESCRIPTION = (
    "Lire les plans de la commande publique responsable : leurs actions, leurs indicateurs, leurs partenaires et "
    "leurs bilans. L'API est en lecture seule.\n\n"
    "Les adresses publiques ne demandent rien et ne montrent que les plans publiés. Celles qui commencent par "
    "`/interne/` demandent un jeton, que chacun crée et révoque sur la page de son compte ; il lit ce que son "
    "titulaire peut encore lire au moment de la demande.\n\n"
    "Un plan se désigne par son adresse sur le site (`plan`). Une liste se lit page à page : `page`, qui commence à "
    "1, et `taille`, 50 éléments sans autre demande et 100 au plus ; `total` dit combien il y en a, `suivante` et "
    "`precedente` donnent les adresses des pages voisines, `resultats` les éléments.\n\n"
    "Un paramètre inconnu, répété ou mal écrit est refusé (422) : une faute de frappe dans un filtre rendrait toute "
    "la liste. Une valeur inconnue est `null`. Les dates suivent ISO 8601.\n\n"
    "Toute erreur est un objet JSON dont `erreur` est une phrase. Les données publiques, sous la licence "
    "« {licence} », sont celles des fichiers de données ouvertes, colonne pour colonne."
)
ETIQUETTES = [
    {"name": "Public", "description": "Sans jeton : ce que les plans publiés montrent à tous."},
    {"name": "Interne", "description": "Avec un jeton : ce que les comptes du site lisent."},
]
REPONSES = {
    "200": "La réponse.",
    "304": "Rien n'a changé depuis la réponse dont on a donné l'étiquette (`If-None-Match`).",
    "401": "Sans jeton, ou avec un jeton qui n'ouvre rien : inconnu, expiré, révoqué, droit perdu.",
    "403": "Le jeton n'a pas la portée que cette adresse demande.",
    "404": "Ce qui est demandé n'existe pas, ou n'est pas public.",
    "422": "Un paramètre inconnu, répété ou mal écrit ; `parametres` dit lequel.",
    "429": "Trop de demandes en une minute.",
}
EXEMPLES = {
    "401": {"erreur": "Il faut un jeton : « Authorization: Bearer … »."},
    "403": {"erreur": "Ce jeton n'a pas la portée « api:actions »."},
    "404": {"erreur": "Cette page n'existe pas, ou n'est pas publique."},
    "422": {
        "erreur": "La demande n'est pas compréhensible : voir « parametres ».",
        "parametres": {"taille": "100 au plus."},
    },
    "429": {"erreur": "Trop de demandes en une minute. Réessayez dans 12 s."},
}


@cache
def document() -> Document:
    """Le même pour toute la vie du processus : il ne dépend que du code et de l'adresse du site."""
    from publication.api.service import api

    brut: Document = dict(api.get_openapi_schema(path_prefix=RACINE))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Commande publique responsable",
            "version": api.version,
            "summary": "Actions, indicateurs, partenaires et bilans des plans.",
            "description": DESCRIPTION.format(licence=licence().titre),
            "license": {"name": licence().titre, "identifier": licence().code},
        },
        "servers": [{"url": settings.ADRESSE_DU_SITE}],
        "tags": ETIQUETTES,
        "paths": {adresse: {"get": _operation(operations["get"])} for adresse, operations in brut["paths"].items()},
        "components": {
            "schemas": _reponses_seules(brut["components"]["schemas"]),
            "securitySchemes": {
                "jeton": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Un jeton créé sur la page de son compte. Il expire, un an au plus après.",
                }
            },
        },
    }


@cache
def filtres_de(nom: str) -> frozenset[str]:
    """Les paramètres que cette opération attend après le « ? »."""
    parametres = document()["paths"][f"{RACINE}{ROUTES[nom]}"]["get"]["parameters"]
    return frozenset(parametre["name"] for parametre in parametres if parametre["in"] == "query")


def _operation(brute: Document) -> Document:
    nom = brute["operationId"]
    reponses = {str(code): _reponse(nom, str(code), reponse) for code, reponse in brute["responses"].items()}
    if nom not in PORTEES:
        reponses["304"] = {"description": REPONSES["304"], "headers": _en_tetes(nom, "304")}
    operation = {
        **brute,
        "parameters": [_parametre(parametre) for parametre in brute.get("parameters", [])],
        "responses": dict(sorted(reponses.items())),
    }
    if nom in PORTEES:
        operation["security"] = [{"jeton": []}]
        operation["description"] = f"{brute['description']}\n\nPortée demandée : `{PORTEES[nom].value}`."
    return operation


def _reponses_seules(schemas: Document) -> Document:
    """Sans les filtres, que le document dit déjà paramètre par paramètre."""
    return {nom: schema for nom, schema in schemas.items() if not nom.startswith(("Pagination", "Filtre"))}


def _parametre(brut: Document) -> Document:
    """Un paramètre d'adresse est là ou non : il n'est jamais `null`."""
    schema = {cle: valeur for cle, valeur in brut["schema"].items() if cle not in ("title", "description", "examples")}
    if "anyOf" in schema:
        [present] = [forme for forme in schema.pop("anyOf") if forme.get("type") != "null"]
        schema |= present
    if schema.get("default", 0) is None:
        del schema["default"]
    parametre = {cle: brut[cle] for cle in ("in", "name", "required") if cle in brut}
    exemples = brut["schema"].get("examples", [])
    return parametre | {
        "description": brut["schema"].get("description", brut.get("description", "")),
        "schema": schema,
        **({"example": exemples[0]} if exemples else {}),
    }


def _reponse(nom: str, code: str, brute: Document) -> Document:
    contenu = brute["content"]["application/json"]
    if code in EXEMPLES:
        contenu = contenu | {"example": EXEMPLES[code]}
    return {
        "description": REPONSES[code],
        "headers": _en_tetes(nom, code),
        "content": {"application/json": contenu},
    }


def _en_tetes(nom: str, code: str) -> Document:
    """Ceux que la porte pose, tous obligatoires."""
    textes = {}
    if nom not in PORTEES:
        textes["Access-Control-Allow-Origin"] = ("Tout site peut lire la réponse.", {"const": "*"})
    if code in ("200", "304"):
        garde = "no-store" if nom in PORTEES else CACHE
        textes["Cache-Control"] = ("Ce qu'un cache peut en garder.", {"const": garde})
        if nom not in PORTEES:
            textes["ETag"] = ("L'étiquette de cette réponse, à redonner dans `If-None-Match`.", {})
    if code == "401":
        textes["WWW-Authenticate"] = ("Comment s'authentifier (RFC 6750).", {"pattern": "^Bearer"})
    if code == "429":
        textes["Retry-After"] = ("Le nombre de secondes à attendre.", {"pattern": "^[1-9][0-9]*$"})
    return {
        en_tete: {"description": texte, "required": True, "schema": {"type": "string"} | forme}
        for en_tete, (texte, forme) in textes.items()
    }
