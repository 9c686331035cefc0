"""Le classeur d'une liste d'actions : ce qu'on y lit, ce qu'on y choisit, comment le rendre au site.

django-import-export n'est chargé que par qui exporte.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import models
from django.utils import timezone

from actions.annuaire import Annuaire
from actions.classeur.colonnes import COLONNES, PLAN, Colonne
from actions.models import Axe
from actions.requetes import ActionQuerySet
from actions.statuts import PointAttention, Priorite, Statut
from comptes.models import Service
from partenaires.models import Partenaire
from socle.ecriture import ClasseurEcrit, ColonneEcrite, Sorte, ecrire_csv
from socle.formats import accorder, formater_date, formater_moment, typographie
from socle.instants import Instant
from socle.recherche import COLONNE


class Format(models.TextChoices):
    """Format d'un export ; la valeur est l'extension du fichier."""

    XLSX = "xlsx", "classeur Excel"
    ODS = "ods", "classeur LibreOffice"
    CSV = "csv", "texte CSV"

    @property
    def mime(self) -> str:
        return {
            "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "ods": "application/vnd.oasis.opendocument.spreadsheet",
            "csv": "text/csv; charset=utf-8",
        }[self.value]


@dataclass(frozen=True)
class Fichier:
    """Ce qu'un export rend : le contenu et combien d'actions il contient."""

    contenu: bytes
    lignes: int


FEUILLE = "Actions"
# Le numéro et l'intitulé restent à l'écran.
FIGEES = 2

# Par champ : la sorte de la colonne et sa largeur. Les autres sont des textes de largeur ordinaire.
_SORTES = {
    "numero": (Sorte.ENTIER, 7),
    "intitule": (Sorte.TEXTE, 50),
    "axe": (Sorte.TEXTE, 30),
    "statut": (Sorte.TEXTE, 13),
    "date_effet": (Sorte.DATE, 14),
    "avancement": (Sorte.ENTIER, 13),
    "echeance": (Sorte.LIBRE, 13),
    "priorite": (Sorte.TEXTE, 10),
    "description": (Sorte.TEXTE, 50),
    "partenaires": (Sorte.TEXTE, 34),
    "date_debut": (Sorte.DATE, 12),
    "budget_previsionnel": (Sorte.NOMBRE, 15),
    "budget_realise": (Sorte.NOMBRE, 15),
    "attention": (Sorte.TEXTE, 34),
    "visible_du_public": (Sorte.TEXTE, 10),
    "identifiant": (Sorte.ENTIER, 11),
    "version": (Sorte.ENTIER, 9),
}
# Par champ : la liste où puise son menu, et si un autre texte est refusé (un compte s'écrit de plusieurs façons).
_MENUS = {
    "axe": ("Axes", True),
    "statut": ("Statuts", True),
    "priorite": ("Priorités", True),
    "attention_nature": ("Points d'attention", True),
    "visible_du_public": ("Oui ou non", True),
    "service_pilote": ("Services", False),
    "pilote": ("Comptes", False),
    "suppleant": ("Comptes", False),
}


def exporter(
    actions: ActionQuerySet,
    forme: Format,
    *,
    filtres: Sequence[tuple[str, str]],
    au: date | None = None,
    saisi_au: datetime | None = None,
) -> Fichier:
    """Le fichier de ces actions, annotées par `etat_au`. `filtres` : ce qu'on a demandé, en clair ; `au` : la date de
    l'état, s'il est passé ; `saisi_au` : le moment relu (`socle.relecture`). Un nombre constant de requêtes."""
    from actions.classeur.ressource import RessourceActions

    annuaire = Annuaire.lire()
    # Dix mille actions ont quelques dizaines de services et d'axes : les relire une fois, non à chaque ligne.
    liens = ("plan", "axe", "service_pilote", "pilote", "suppleant", "participations__partenaire", "references")
    lues = actions.defer(COLONNE).prefetch_related(*liens)
    donnees = RessourceActions(annuaire, passee=au is not None).export(lues.order_by("plan", "numero"))
    classeur = ClasseurEcrit(
        feuille=FEUILLE,
        colonnes=[_colonne_ecrite(colonne) for colonne in COLONNES],
        lignes=list(donnees),
        figees=FIGEES,
        listes={} if forme is Format.CSV else _listes(annuaire, actions),
        mode_d_emploi=_mode_d_emploi(len(donnees), filtres, Instant(au, saisi_au)),
    )
    return Fichier(_ecrire(classeur, forme), len(donnees))


def _ecrire(classeur: ClasseurEcrit, forme: Format) -> bytes:
    from socle.ecriture_ods import ecrire_ods
    from socle.ecriture_xlsx import ecrire_xlsx

    return {Format.XLSX: ecrire_xlsx, Format.ODS: ecrire_ods, Format.CSV: ecrire_csv}[forme](classeur)


def _colonne_ecrite(colonne: Colonne) -> ColonneEcrite:
    sorte, largeur = _SORTES.get(colonne.champ, (Sorte.TEXTE, 20))
    liste, stricte = _MENUS.get(colonne.champ, ("", False))
    effacee = colonne.technique or colonne.champ == PLAN
    return ColonneEcrite(colonne.titre, sorte, largeur, liste, stricte, effacee)


def _listes(annuaire: Annuaire, actions: ActionQuerySet) -> dict[str, Sequence[str]]:
    """Trois requêtes de plus. Les partenaires n'ont pas de menu : une cellule peut en citer plusieurs."""
    axes = Axe.objects.filter(plan__in=actions.order_by().values("plan"))
    return {
        "Statuts": [str(libelle) for libelle in Statut.labels],
        "Priorités": [str(libelle) for libelle in Priorite.labels],
        "Points d'attention": [str(libelle) for libelle in PointAttention.labels],
        "Oui ou non": ["oui", "non"],
        "Axes": list(dict.fromkeys(str(axe) for axe in axes)),
        "Services": [str(service) for service in Service.objects.filter(actif=True)],
        "Comptes": [propose.texte for propose in annuaire.comptes],
        "Partenaires": [str(partenaire) for partenaire in Partenaire.objects.filter(actif=True)],
    }


def _mode_d_emploi(nombre: int, filtres: Sequence[tuple[str, str]], instant: Instant) -> list[tuple[str, str]]:
    remplir = " et ".join(f"« {colonne.titre} »" for colonne in COLONNES if colonne.a_remplir)
    garder = " et ".join(f"« {colonne.titre} »" for colonne in COLONNES if colonne.technique)
    demande = " ; ".join(f"{libelle} : {valeur}" for libelle, valeur in filtres) or "aucun, toutes les actions au plan"
    phrases = [
        ("Ce classeur", f"{accorder(nombre, 'action')}, une par ligne, telles que le site les connaît."),
        ("Exporté le", formater_moment(timezone.now())),
        ("Filtres", demande),
    ]
    if instant.jour is not None:
        phrases.append(("Situation passée", _dire_l_instant(instant, instant.jour)))
    phrases += [
        (
            "À modifier",
            "Toutes les colonnes de la feuille « Actions », sauf les grises. Une colonne peut être déplacée ou "
            "supprimée : ce qui n'est pas dans le fichier ne change pas. Une cellule vidée efface ce qu'elle "
            "contenait.",
        ),
        (
            "À remplir au besoin",
            f"{remplir} sont vides : elles accompagnent un changement de statut ou d'échéance de la même ligne. "
            "Sans date, le statut change le jour de l'import.",
        ),
        (
            "À garder",
            f"{garder} relient la ligne à son action et disent si quelqu'un l'a changée depuis. Sur une ligne "
            "ajoutée, laissez-les vides : l'action sera créée.",
        ),
        ("Échéance", "Un jour (31/12/2026), un trimestre (T2 2026) ou une année (2026)."),
        (
            "Partenaires",
            "Plusieurs dans une cellule, séparés par des points-virgules, leur rôle entre parenthèses s'il est "
            "connu : « Ademe (financeur) ; Région Occitanie ».",
        ),
        (
            "Réimporter",
            "Dans le site, page Actions, « Importer un classeur ». Rien ne s'écrit avant que vous ayez vu ce qui "
            "changera, et l'import entier se défait d'un geste.",
        ),
    ]
    return [(intitule, typographie(phrase)) for intitule, phrase in phrases]


def _dire_l_instant(instant: Instant, jour: date) -> str:
    lecture = "Ce classeur se lit ; il n'est pas fait pour être réimporté."
    if instant.saisi_au:
        return f"{instant.phrase} : tout s'y lit comme on l'avait saisi. {lecture}"
    return f"Statuts, avancements et échéances sont ceux du {formater_date(jour)}. {lecture}"


def nom_du_fichier(forme: Format, plan: str = "") -> str:
    """« actions-plan-2026-03-01.xlsx » : l'adresse du plan s'il est seul demandé, et le jour."""
    milieu = f"-{plan}" if plan else ""
    return f"actions{milieu}-{timezone.localdate().isoformat()}.{forme}"
