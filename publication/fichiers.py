"""Les fichiers de données ouvertes d'un plan : CSV, JSON, dictionnaire des colonnes, paquet Frictionless, archive.

**CSV** : UTF-8 sans marque d'ordre, RFC 4180 (virgule, guillemets doublés, CRLF), en-tête, dates ISO 8601, point
décimal, `true` et `false`, case vide pour ce qui n'est pas connu. Un texte sort tel qu'il a été saisi, même s'il
commence par « = », « + », « - » ou « @ » : une apostrophe de garde le changerait pour tous ceux qui le lisent par
programme, et le fichier ne dirait plus ce que dit le site. La page des données dit comment l'ouvrir dans un tableur.

**JSON** : un tableau d'objets, un par ligne, du même nom que les colonnes ; les nombres y sont exacts.
"""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils import timezone

from actions.models import Plan
from comptes.models import Collectivite
from publication.colonnes import Colonne, Table, TypeDeColonne, Valeur
from publication.licences import licence
from publication.mises_a_jour import mises_a_jour
from publication.reponses import adresse_entiere
from publication.tables import TABLES, VERSION
from socle.formats import typographie

CSV = "text/csv; charset=utf-8; header=present"
JSON = "application/json"
ZIP = "application/zip"

# Le « CSV Dialect » des fichiers ; ses défauts retireraient les espaces du début d'une case.
DIALECTE = {
    "delimiter": ",",
    "lineTerminator": "\r\n",
    "quoteChar": '"',
    "doubleQuote": True,
    "skipInitialSpace": False,
    "header": True,
}


# Un seul encodeur : `json.dumps` en ferait un par valeur.
_EN_JSON = json.JSONEncoder(ensure_ascii=False).encode

# --- Écrire ---------------------------------------------------------------------------------------


def cellule(valeur: Valeur) -> str:
    """Une valeur telle qu'une case de CSV la porte."""
    match valeur:
        case None:
            return ""
        case bool():
            return "true" if valeur else "false"
        case Decimal():
            return format(valeur, "f")
        case date():
            return valeur.isoformat()
    return str(valeur)


def litteral(valeur: Valeur) -> str:
    """Une valeur telle que JSON l'écrit ; un décimal reste exact, ce qu'un flottant ne ferait pas."""
    match valeur:
        case Decimal():
            return format(valeur, "f")
        case date():
            return f'"{valeur.isoformat()}"'
    return _EN_JSON(valeur)


def en_csv(colonnes: Sequence[Colonne], lignes: Iterable[Mapping[str, Valeur]]) -> bytes:
    sortie = io.StringIO(newline="")
    tableau = csv.writer(sortie, lineterminator="\r\n")
    tableau.writerow([colonne.nom for colonne in colonnes])
    tableau.writerows([cellule(ligne[colonne.nom]) for colonne in colonnes] for ligne in lignes)
    return sortie.getvalue().encode()


def en_json(colonnes: Sequence[Colonne], lignes: Iterable[Mapping[str, Valeur]]) -> bytes:
    cles = [(colonne.nom, _EN_JSON(colonne.nom)) for colonne in colonnes]
    objets = ("{" + ", ".join(f"{cle}: {litteral(ligne[nom])}" for nom, cle in cles) + "}" for ligne in lignes)
    corps = ",\n".join(objets)
    return f"[\n{corps}\n]\n".encode() if corps else b"[]\n"


# --- Le dictionnaire des colonnes -----------------------------------------------------------------

Description = tuple[Table, Colonne]


def _descriptions(plan: Plan) -> list[Description]:
    return [(table, colonne) for table in TABLES.values() for colonne in table.colonnes]


def _texte(nom: str, titre: str, description: str, lire: Callable[[Description], str], **options: Any) -> Colonne:
    return Colonne(nom, titre, TypeDeColonne.TEXTE, description, lambda ligne, plan: lire(ligne), **options)


def _fichier_lie(ligne: Description) -> str:
    table, colonne = ligne
    return next((f"{lien.table}.csv" for lien in table.liens if lien.colonne == colonne.nom), "")


DICTIONNAIRE = Table(
    "dictionnaire",
    "Dictionnaire des colonnes",
    "Ce que chaque colonne de chaque fichier veut dire.",
    _descriptions,
    [
        _texte("fichier", "Fichier", "Le fichier CSV.", lambda d: f"{d[0].nom}.csv", obligatoire=True),
        _texte("colonne", "Colonne", "Le nom de la colonne.", lambda d: d[1].nom, obligatoire=True),
        _texte("titre", "Titre", "Son nom en français.", lambda d: d[1].titre, obligatoire=True),
        _texte("type", "Type", "Son type, au sens de Table Schema.", lambda d: d[1].type.value, obligatoire=True),
        Colonne(
            "obligatoire",
            "Obligatoire",
            TypeDeColonne.BOOLEEN,
            "Vrai quand elle n'est jamais vide.",
            lambda ligne, plan: ligne[1].obligatoire,
            obligatoire=True,
        ),
        _texte("description", "Description", "Ce qu'elle veut dire.", lambda d: typographie(d[1].description)),
        _texte("codes", "Codes", "Les codes possibles, et leur sens.", lambda d: typographie(d[1].legende)),
        _texte("renvoi", "Renvoi", "Le fichier dont elle donne une « id ».", _fichier_lie),
    ],
    cle=("fichier", "colonne"),
)

PRESENTATION = (
    "Données ouvertes d'un plan : actions publiques et leurs statuts, indicateurs et leurs valeurs validées, "
    "partenaires. Un texte sort tel qu'il a été saisi : dans un tableur, importez les colonnes de texte comme du "
    "texte, pour qu'aucun ne soit pris pour une formule."
)

# --- Les données d'un plan ------------------------------------------------------------------------


@dataclass(frozen=True)
class DonneesDuPlan:
    """Ce que les fichiers d'un plan contiennent ; chaque table ne se lit qu'une fois, quand on la demande."""

    plan: Plan

    @cached_property
    def _lues(self) -> dict[str, list[dict[str, Valeur]]]:
        return {}

    def lignes(self, table: Table) -> list[dict[str, Valeur]]:
        if table.nom not in self._lues:
            self._lues[table.nom] = list(table.lignes(self.plan))
        return self._lues[table.nom]

    @cached_property
    def mises_a_jour(self) -> dict[str, datetime | None]:
        return mises_a_jour(self.plan)

    @property
    def derniere(self) -> datetime | None:
        """Le dernier changement de l'ensemble ; None si rien n'en garde trace."""
        return max((moment for moment in self.mises_a_jour.values() if moment), default=None)

    @cached_property
    def collectivite(self) -> Collectivite | None:
        return Collectivite.objects.first()

    @property
    def producteur(self) -> str:
        return self.collectivite.nom if self.collectivite else "La collectivité"

    @property
    def description(self) -> str:
        """Ce que le paquet dit de lui ; d'abord, s'il y a lieu, que tout y est inventé."""
        bandeau = self.collectivite.bandeau if self.collectivite else ""
        return typographie(f"{bandeau} {PRESENTATION}".strip())

    @property
    def mention(self) -> str:
        """De quoi citer la source, comme la Licence Ouverte le demande : qui, quoi, de quand."""
        jour = f", mise à jour du {timezone.localdate(self.derniere):%d/%m/%Y}" if self.derniere else ""
        return f"Source : {self.producteur}, « {self.plan} »{jour}."


# --- Les fichiers ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class FichierOuvert:
    """Un fichier des données ouvertes. `ecrire` : ses octets, pour les données d'un plan."""

    nom: str
    type: str
    titre: str
    ecrire: Callable[[DonneesDuPlan], bytes]

    @property
    def route(self) -> str:
        return f"donnees_{self.nom.replace('.', '_')}"

    def adresse(self, plan: Plan) -> str:
        return reverse(f"publication:{self.route}", args=[plan.slug])


def _de_la_table(table: Table, extension: str) -> FichierOuvert:
    type_, ecrire = (CSV, en_csv) if extension == "csv" else (JSON, en_json)
    return FichierOuvert(
        f"{table.nom}.{extension}",
        type_,
        table.titre,
        lambda donnees: ecrire(table.colonnes, donnees.lignes(table)),
    )


def _paquet(donnees: DonneesDuPlan) -> bytes:
    return f"{json.dumps(paquet(donnees), ensure_ascii=False, indent=2)}\n".encode()


def paquet(donnees: DonneesDuPlan) -> dict[str, Any]:
    """Le descripteur « Tabular Data Package » v1 (specs.frictionlessdata.io) : ses ressources sont les CSV."""
    plan, choisie = donnees.plan, licence()
    descripteur: dict[str, Any] = {
        "profile": "tabular-data-package",
        "name": plan.slug.lower(),
        "title": plan.intitule,
        "description": donnees.description,
        "homepage": adresse_entiere(reverse("publication:donnees", args=[plan.slug])),
        "version": VERSION,
        "licenses": [{"name": choisie.code, "title": choisie.titre, "path": choisie.adresse}],
        "contributors": [{"title": donnees.producteur, "role": "publisher"}],
        "sources": [{"title": plan.intitule, "path": adresse_entiere(reverse("publication:plan", args=[plan.slug]))}],
        "keywords": ["commande publique", "achats responsables"],
        "resources": [_ressource(table) for table in (*TABLES.values(), DICTIONNAIRE)],
    }
    if donnees.derniere:
        descripteur["created"] = donnees.derniere.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return descripteur


def _ressource(table: Table) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": table.nom,
        "title": table.titre,
        "description": table.description,
        "path": f"{table.nom}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": DIALECTE,
        "schema": table.schema(),
    }


def _archive(donnees: DonneesDuPlan) -> bytes:
    """Tout ce qu'un paquet réunit, en une fois : rien n'y change entre deux téléchargements."""
    moment = timezone.localtime(donnees.derniere).timetuple()[:6] if donnees.derniere else (1980, 1, 1, 0, 0, 0)
    sortie = io.BytesIO()
    with zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as archive:
        for fichier in DANS_L_ARCHIVE:
            entree = zipfile.ZipInfo(fichier.nom, moment)
            entree.compress_type = zipfile.ZIP_DEFLATED
            entree.external_attr = 0o644 << 16
            archive.writestr(entree, fichier.ecrire(donnees))
    return sortie.getvalue()


EN_CSV = {table.nom: _de_la_table(table, "csv") for table in TABLES.values()}
EN_JSON = {table.nom: _de_la_table(table, "json") for table in TABLES.values()}
DICTIONNAIRE_CSV = _de_la_table(DICTIONNAIRE, "csv")
PAQUET = FichierOuvert("datapackage.json", JSON, "Description lisible par programme", _paquet)
ARCHIVE = FichierOuvert("donnees.zip", ZIP, "Tous les fichiers CSV et leur description", _archive)
DANS_L_ARCHIVE = (PAQUET, *EN_CSV.values(), DICTIONNAIRE_CSV)

FICHIERS: dict[str, FichierOuvert] = {
    fichier.nom: fichier for fichier in (*EN_CSV.values(), *EN_JSON.values(), DICTIONNAIRE_CSV, PAQUET, ARCHIVE)
}
