"""De quoi voir fuir : un marqueur unique dans chaque champ de texte qui n'est pas public, et leur recherche.

Tout est privé par défaut. `PUBLICS` dit, champ par champ, ce qui ne l'est pas et sur quelles lignes : un champ nouveau
est donc planté sans qu'on y pense.
"""

import io
import itertools
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pikepdf
from django.apps import apps
from django.db import DatabaseError, models, transaction
from django.db.models import Q

from actions.models import Plan

APPLICATIONS = ("comptes", "partenaires", "actions", "marches", "indicateurs", "bilans", "publication", "axes")
TEXTES = (models.CharField, models.TextField, models.JSONField, models.FileField)

# Ce qui tient le site debout plutôt que de dire quelque chose, et ce que la base fige.
TENUS = {
    "comptes.Collectivite.couleur": "adresse de la feuille de style",
    "bilans.VersionDeBilan.contenu_interne": "se compose du reste, planté",
    "bilans.VersionDeBilan.contenu_public": "se compose du reste, planté",
    "bilans.VersionDeBilan.empreinte_interne": "se calcule du contenu",
    "bilans.VersionDeBilan.empreinte_publique": "se calcule du contenu",
    "bilans.PdfDeVersion.empreinte": "se calcule du contenu",
}


@dataclass
class Marqueurs:
    """Les marqueurs plantés, et où. `lieux` : marqueur → « actions.Action.elu_referent, ligne 3 »."""

    lieux: dict[str, str] = field(default_factory=dict)
    _suite: Iterator[int] = field(default_factory=lambda: itertools.count(10_000))

    def nouveau(self, lieu: str) -> str:
        """Sept signes qu'aucun texte, qu'aucune empreinte en hexadécimal ne contient."""
        marqueur = f"zq{next(self._suite)}"
        self.lieux[marqueur] = lieu
        return marqueur

    def trouves(self, octets: bytes) -> list[str]:
        """Où étaient plantés ceux que ces octets contiennent, quelle que soit leur casse."""
        return sorted({self.lieux[m] for m in re.findall(r"zq\d{5}", _lisible(octets).lower()) if m in self.lieux})

    @property
    def champs(self) -> set[str]:
        return {lieu.partition(",")[0] for lieu in self.lieux.values()}


def _lisible(octets: bytes) -> str:
    """Les octets, et ce que cachent les flux compressés d'un PDF (texte, métadonnées, structure) ou d'une archive.

    Ce qui précède le corps, comme les en-têtes d'une réponse, ne le cache pas.
    """
    textes = [octets.decode("utf-8", "replace")]
    # Le premier seul : plus loin, ces octets ne seraient qu'un hasard de la compression.
    places = {octets.find(signature): lire for signature, lire in COMPRESSES.items() if signature in octets}
    if places:
        debut = min(places)
        textes.append(places[debut](octets[debut:]))
    return "\n".join(textes)


def texte_du_pdf(octets: bytes) -> str:
    """Tout ce qui se lit dans un PDF : chaque objet, chaque flux décompressé, et le texte de ses pages."""
    morceaux = []
    try:
        pdf = pikepdf.open(io.BytesIO(octets))
    except pikepdf.PdfError:
        return ""
    with pdf:
        for objet in pdf.objects:
            if isinstance(objet, pikepdf.Stream):
                morceaux.append(objet.read_bytes().decode("latin-1"))
            morceaux.append(_chaines(objet))
        morceaux += [_texte_de(page) for page in pdf.pages]
    return "\n".join(morceaux)


def _texte_du_gzip(octets: bytes) -> str:
    return zlib.decompress(octets, 31).decode("utf-8", "replace")


def _texte_de_l_archive(octets: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        return "\n".join(archive.read(entree).decode("utf-8", "replace") for entree in archive.namelist())


# Ce par quoi commence un contenu compressé, et comment le lire.
COMPRESSES: dict[bytes, Callable[[bytes], str]] = {
    b"%PDF-": texte_du_pdf,
    b"\x1f\x8b\x08": _texte_du_gzip,
    b"PK\x03\x04": _texte_de_l_archive,
}


def _chaines(objet: Any, profondeur: int = 0) -> str:
    """Les chaînes d'un objet PDF, décodées (titre, texte de remplacement, signets…)."""
    if profondeur > 6:
        return ""
    if isinstance(objet, pikepdf.String):
        return str(objet)
    if isinstance(objet, pikepdf.Array):
        return " ".join(_chaines(element, profondeur + 1) for element in objet if not _est_un_renvoi(element))
    if isinstance(objet, pikepdf.Dictionary | pikepdf.Stream):
        return " ".join(_chaines(valeur, profondeur + 1) for _, valeur in objet.items() if not _est_un_renvoi(valeur))
    return ""


def _est_un_renvoi(objet: Any) -> bool:
    """Un objet à part, que `pdf.objects` donne déjà."""
    return bool(getattr(objet, "is_indirect", False))


def _texte_de(page: Any) -> str:
    """Le texte d'une page. Les lettres n'y sont que par les tables ToUnicode des polices : on les y lit."""
    tables = {
        str(nom): _table_unicode(police.ToUnicode.read_bytes().decode("latin-1"))
        for nom, police in page.resources.get("/Font", {}).items()
        if "/ToUnicode" in police
    }
    texte, table = [], {}
    for operandes, operateur in pikepdf.parse_content_stream(page):
        if str(operateur) == "Tf":
            table = tables.get(str(operandes[0]), {})
        for operande in operandes:
            for chaine in operande if isinstance(operande, pikepdf.Array) else [operande]:
                if isinstance(chaine, pikepdf.String):
                    texte.append(_decoder(bytes(chaine), table))
    return "".join(texte)


def _decoder(octets: bytes, table: dict[int, str]) -> str:
    codes = (int.from_bytes(octets[i : i + 2], "big") for i in range(0, len(octets), 2))
    return "".join(table.get(code, "") for code in codes) or octets.decode("latin-1")


def _table_unicode(cmap: str) -> dict[int, str]:
    """Code de glyphe → texte, d'une table ToUnicode (bfchar et bfrange)."""
    table: dict[int, str] = {}
    for bloc in re.findall(r"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        for code, vers in re.findall(r"<(\w+)>\s*<(\w+)>", bloc):
            table[int(code, 16)] = bytes.fromhex(vers).decode("utf-16-be", "replace")
    for bloc in re.findall(r"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for debut, fin, vers in re.findall(r"<(\w+)>\s*<(\w+)>\s*<(\w+)>", bloc):
            for n in range(int(fin, 16) - int(debut, 16) + 1):
                table[int(debut, 16) + n] = chr(int(vers, 16) + n)
    return table


# --- Ce qui est public ----------------------------------------------------------------------------


def du_plan(chemin: str) -> Callable[[Plan], Q]:
    """Les lignes que ce chemin rattache au plan publié."""
    return lambda plan: Q(**{chemin: plan.pk})


def _visibles(debut: str) -> Callable[[Plan], Q]:
    """Les lignes d'une action visible du plan publié."""
    return lambda plan: Q(**{f"{debut}plan": plan.pk, f"{debut}visible_du_public": True})


def _de_la_collectivite(plan: Plan) -> Q:
    return Q()


def _cites(plan: Plan) -> Q:
    """Les partenaires du plan et ceux de ses actions visibles."""
    actions = plan.actions.filter(visible_du_public=True)
    return Q(pk__in=plan.citations.values("partenaire")) | Q(pk__in=actions.values("partenaires"))


def _notes_du_bilan(plan: Plan) -> Q:
    return _visibles("action__")(plan) & Q(portee="BILAN")


INDICATEUR = ("code", "intitule", "definition", "mode_de_calcul", "unite", "source")
VALEUR = ("motif_indisponibilite", "libelle", "remarque", "source", "rupture")
TEXTES_DU_BILAN = (
    "avant_propos",
    *(
        f"commentaire_{section}"
        for section in ("terminees", "en_cours", "non_initiees", "partenaires", "chiffres", "graphiques")
    ),
)

PUBLICS: dict[str, Callable[[Plan], Q]] = {
    **{f"comptes.Collectivite.{champ}": _de_la_collectivite for champ in ("nom", "sigle")},
    # Un numéro au répertoire Sirene est public ; son libellé est une note de gestion.
    "comptes.Siren.numero": _de_la_collectivite,
    **{f"actions.Plan.{champ}": du_plan("pk") for champ in ("intitule", "slug", "description")},
    **{f"actions.Axe.{champ}": du_plan("plan") for champ in ("code", "intitule")},
    **{f"actions.Action.{champ}": _visibles("") for champ in ("intitule", "description")},
    "actions.NoteDeSuivi.texte": _notes_du_bilan,
    **{f"partenaires.Partenaire.{champ}": _cites for champ in ("nom", "sigle", "slug", "site")},
    **{f"indicateurs.Indicateur.{champ}": du_plan("places__plan") for champ in INDICATEUR},
    **{f"indicateurs.ValeurAnnuelle.{champ}": du_plan("indicateur__places__plan") for champ in VALEUR},
    "indicateurs.Cible.reference": du_plan("indicateur__places__plan"),
    "indicateurs.Dimension.nom": du_plan("lignes__valeur__indicateur__places__plan"),
    "indicateurs.LigneDeVentilation.modalite": du_plan("valeur__indicateur__places__plan"),
    # Le calcul d'où une valeur publiée a été retenue se cite : son code et l'empreinte du résultat.
    **{
        f"marches.ResultatDeCalcul.{champ}": du_plan("valeurs__indicateur__places__plan")
        for champ in ("code", "empreinte")
    },
    **{f"bilans.Bilan.{champ}": du_plan("plan") for champ in TEXTES_DU_BILAN},
}


# --- Planter --------------------------------------------------------------------------------------


def champs_de_texte() -> Iterator[tuple[type[models.Model], models.Field]]:
    """Tous les champs de texte du site, historiques compris ; ni listes fermées, ni colonnes calculées."""
    for modele in apps.get_models(include_auto_created=True):
        if modele._meta.app_label not in APPLICATIONS or not modele._meta.managed:
            continue
        for champ in modele._meta.concrete_fields:
            if isinstance(champ, TEXTES) and not champ.choices and not champ.generated and not champ.is_relation:
                yield modele, champ


def nom_de(modele: type[models.Model], champ: models.Field) -> str:
    return f"{modele._meta.label}.{champ.name}"


def planter(plan: Plan) -> Marqueurs:
    """Un marqueur dans chaque champ privé de chaque ligne. Ce que la base refuse (contrainte) garde sa valeur."""
    marqueurs = Marqueurs()
    for modele, champ in champs_de_texte():
        nom = nom_de(modele, champ)
        if nom in TENUS or (champ.max_length or 99) < 7:
            continue
        lignes: models.QuerySet = models.QuerySet(modele)
        if nom in PUBLICS:
            lignes = lignes.exclude(pk__in=lignes.filter(PUBLICS[nom](plan)).values("pk"))
        for cle in list(lignes.values_list("pk", flat=True)):
            _planter(modele, champ, cle, marqueurs)
    return marqueurs


def _planter(modele: type[models.Model], champ: models.Field, cle: Any, marqueurs: Marqueurs) -> None:
    marqueur = marqueurs.nouveau(f"{nom_de(modele, champ)}, ligne {cle}")
    valeur = {"texte": marqueur} if isinstance(champ, models.JSONField) else marqueur
    try:
        with transaction.atomic():
            models.QuerySet(modele).filter(pk=cle).update(**{champ.attname: valeur})
    except DatabaseError:
        del marqueurs.lieux[marqueur]
