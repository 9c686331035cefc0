"""Partenaires en classeur ou en CSV, dans les deux sens.

Le fichier exporté se réimporte tel quel sans rien changer. Un import est vérifié d'abord, puis appliqué en
entier ou pas du tout ; ce qui n'est pas compris est refusé avec sa ligne et sa colonne, jamais deviné.
"""

import csv
import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from typing import Any

import tablib
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.text import slugify
from import_export import fields, resources, widgets
from import_export.results import RowResult

from partenaires.models import Partenaire, TypeDePartenaire
from socle.formats import accorder, plier

COLONNES = {
    "nom": "Nom",
    "sigle": "Sigle",
    "alias": "Autres noms",
    "type": "Type",
    "site": "Site internet",
    "description": "Description",
    "contact": "Contact",
    "actif": "Actif",
}
# Numéro de la ligne dans le fichier d'origine, gardé à côté des colonnes.
LIGNE = "\u2116"

TAILLE_MAX = 1_000_000
TAILLE_DEPLIEE_MAX = 20_000_000
LIGNES_MAX = 1000
COLONNES_MAX = 50

# Un tableur exécuterait une cellule qui commence ainsi.
_DEBUTS_DE_FORMULE = ("=", "+", "-", "@", "\t", "\r")


class FichierIllisible(ValueError):
    """Le fichier entier est refusé ; `str()` est la phrase à montrer."""


# --- Cellules -----------------------------------------------------------------------------------


def proteger(texte: str) -> str:
    """Une apostrophe devant ce qu'un tableur prendrait pour une formule."""
    return f"'{texte}" if texte.startswith(_DEBUTS_DE_FORMULE) else texte


def _texte(valeur: Any) -> str:
    """Le texte d'une cellule ; un nombre entier perd son « .0 », l'apostrophe de `proteger` s'en va."""
    if valeur is None:
        return ""
    if isinstance(valeur, float) and valeur.is_integer():
        valeur = int(valeur)
    texte = "\n".join(str(valeur).splitlines()).strip()
    return texte[1:] if texte.startswith("'") and texte[1:].startswith(_DEBUTS_DE_FORMULE) else texte


class TexteLu(widgets.Widget):
    def clean(self, value, row=None, **kwargs) -> str:
        return _texte(value)

    def render(self, value, obj=None, **kwargs) -> str:
        return proteger("\n".join((value or "").splitlines()))


class AutresNoms(TexteLu):
    """Un par ligne, ou séparés par des points-virgules."""

    def clean(self, value, row=None, **kwargs) -> str:
        noms = _texte(value).replace(";", "\n").splitlines()
        return "\n".join(nom.strip() for nom in noms if nom.strip())


class TypeStrict(TexteLu):
    """Le libellé ou le code d'un type, sans souci d'accents ni de casse ; rien d'autre."""

    def clean(self, value, row=None, **kwargs) -> str:
        cherche = plier(_texte(value))
        if not cherche:
            return ""
        for choix in TypeDePartenaire:
            if cherche in (plier(choix.label), plier(choix.value)):
                return choix.value
        connus = ", ".join(f"« {choix.label} »" for choix in TypeDePartenaire)
        raise ValueError(f"« {_texte(value)} » n'est pas un type connu. Écrire {connus}, ou rien.")

    def render(self, value, obj=None, **kwargs) -> str:
        return TypeDePartenaire(value).label if value else ""


class OuiOuNon(widgets.Widget):
    def clean(self, value, row=None, **kwargs) -> bool:
        if isinstance(value, bool):
            return value
        match plier(_texte(value)):
            case "oui":
                return True
            case "non":
                return False
        raise ValueError(f"« {_texte(value)} » ne se lit pas. Écrire « oui » ou « non ».")

    def render(self, value, obj=None, **kwargs) -> str:
        return "oui" if value else "non"


class Colonne(fields.Field):
    """Colonne qui ne touche pas un texte dont seules les fins de ligne diffèrent."""

    def save(self, instance, row, is_m2m=False, **kwargs) -> None:
        lu = self.clean(row, **kwargs)
        ancien = getattr(instance, self.attribute)
        if not isinstance(ancien, str) or ancien.splitlines() != str(lu).splitlines():
            setattr(instance, self.attribute, lu)


def _colonne(nom: str, widget: widgets.Widget) -> Colonne:
    return Colonne(attribute=nom, column_name=COLONNES[nom], widget=widget)


# --- Fichiers -----------------------------------------------------------------------------------


def lire_fichier(contenu: bytes) -> tablib.Dataset:
    """Les lignes non vides, sous les titres de COLONNES, avec leur numéro d'origine. FichierIllisible sinon."""
    if not contenu.strip():
        raise FichierIllisible("Ce fichier est vide.")
    if len(contenu) > TAILLE_MAX:
        raise FichierIllisible("Ce fichier dépasse un mégaoctet : ce n'est pas une liste de partenaires.")
    if contenu.startswith(b"PK"):
        lignes = _lignes_du_classeur(contenu)
    elif contenu.startswith(b"\xd0\xcf\x11\xe0"):
        raise FichierIllisible("C'est un classeur d'avant 2007 (.xls) : enregistrez-le au format .xlsx.")
    else:
        lignes = _lignes_du_csv(contenu)
    return _rediger(lignes)


def _lignes_du_classeur(contenu: bytes) -> list[list[Any]]:
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(contenu)) as archive:
            if sum(partie.file_size for partie in archive.infolist()) > TAILLE_DEPLIEE_MAX:
                raise FichierIllisible("Ce classeur est démesuré : ce n'est pas une liste de partenaires.")
            if "mimetype" in archive.namelist():
                raise FichierIllisible("C'est un classeur OpenDocument (.ods) : enregistrez-le au format .xlsx.")
        classeur = openpyxl.load_workbook(io.BytesIO(contenu), read_only=True, data_only=True)
        feuille = classeur.worksheets[0]
        feuille.reset_dimensions()
        # Une ligne de plus que permis suffit à savoir qu'il y en a trop.
        rangees = feuille.iter_rows(max_row=LIGNES_MAX + 2, max_col=COLONNES_MAX, values_only=True)
        return [list(rangee) for rangee in rangees]
    except FichierIllisible:
        raise
    except Exception as erreur:  # un classeur abîmé peut lever n'importe quoi : zip, XML, clés absentes
        raise FichierIllisible("Ce classeur est incomplet ou abîmé : il ne s'ouvre pas.") from erreur


def _lignes_du_csv(contenu: bytes) -> list[list[Any]]:
    if b"\x00" in contenu:
        raise FichierIllisible("Ce fichier n'est ni un classeur .xlsx, ni un texte CSV.")
    try:
        texte = contenu.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            texte = contenu.decode("cp1252")
        except UnicodeDecodeError as erreur:
            raise FichierIllisible("Ce texte n'est ni en UTF-8 ni en Windows-1252.") from erreur
    lectures = [_lire_csv(texte, separateur) for separateur in ";,\t"]
    return max(lectures, key=lambda lignes: sum(_titre(cellule) is not None for cellule in lignes[0]))


def _lire_csv(texte: str, separateur: str) -> list[list[Any]]:
    try:
        lignes = list(csv.reader(io.StringIO(texte, newline=""), delimiter=separateur, strict=True))
    except csv.Error as erreur:
        # Avec un autre séparateur que le sien, un fichier sain peut avoir des guillemets mal placés.
        premiere = texte.splitlines()[0]
        if separateur in premiere:
            raise FichierIllisible("Ce CSV est incomplet ou abîmé : un guillemet n'est pas refermé.") from erreur
        lignes = [[premiere]]
    return lignes or [[]]


def _titre(cellule: Any) -> str | None:
    """Le titre exact de la colonne que cette cellule d'en-tête nomme, ou None."""
    return {plier(titre): titre for titre in COLONNES.values()}.get(plier(_texte(cellule)))


def _rediger(lignes: list[list[Any]]) -> tablib.Dataset:
    """Vérifie l'en-tête et les tailles, saute les lignes vides."""
    titres, places = _lire_en_tete(lignes)
    if len(lignes) > LIGNES_MAX + 1:
        raise FichierIllisible(f"{LIGNES_MAX} lignes au plus par fichier, lignes vides comprises.")
    redige = tablib.Dataset(headers=[*titres, LIGNE])
    for numero, ligne in enumerate(lignes[1:], start=2):
        if not any(_texte(cellule) for cellule in ligne):
            continue
        if any(_texte(cellule) for rang, cellule in enumerate(ligne) if rang not in places):
            raise FichierIllisible(f"Ligne {numero} : une cellule est remplie dans une colonne sans titre.")
        redige.append([*(ligne[place] if place < len(ligne) else None for place in places), numero])
    if not redige.height:
        raise FichierIllisible("Ce fichier n'a que des titres : aucun partenaire à lire.")
    return redige


def _lire_en_tete(lignes: list[list[Any]]) -> tuple[list[str], list[int]]:
    en_tete = lignes[0] if lignes else []
    remplies = [(rang, cellule) for rang, cellule in enumerate(en_tete) if _texte(cellule)]
    inconnues = [_texte(cellule) for _, cellule in remplies if _titre(cellule) is None]
    titres = [titre for _, cellule in remplies if (titre := _titre(cellule))]
    manquantes = [titre for titre in COLONNES.values() if titre not in titres]
    doubles = sorted({titre for titre in titres if titres.count(titre) > 1})
    fautes = [
        f"{accorder(len(noms), sorte, sortes)} : {', '.join(f'« {nom[:60]} »' for nom in noms[:10])}"
        for noms, sorte, sortes in (
            (inconnues, "colonne inconnue", "colonnes inconnues"),
            (manquantes, "colonne manquante", "colonnes manquantes"),
            (doubles, "colonne en double", "colonnes en double"),
        )
        if noms
    ]
    if fautes:
        attendues = ", ".join(COLONNES.values())
        raise FichierIllisible(f"{' ; '.join(fautes)}. La première ligne porte les titres : {attendues}.")
    return titres, [rang for rang, _ in remplies]


def exporter(partenaires, format_choisi: str) -> bytes:
    """Le contenu du fichier : « xlsx », ou « csv » (point-virgule et marque UTF-8, qu'un tableur français ouvre
    sans rien demander)."""
    donnees = RessourcePartenaires().export(queryset=partenaires)
    donnees.title = "Partenaires"
    if format_choisi == "csv":
        return donnees.export("csv", delimiter=";").encode("utf-8-sig")
    return donnees.export("xlsx")


# --- Ressource ----------------------------------------------------------------------------------


class RessourcePartenaires(resources.ModelResource):
    """Reconnaît un partenaire à ses noms ; refuse de choisir quand deux conviennent."""

    nom = _colonne("nom", TexteLu())
    sigle = _colonne("sigle", TexteLu())
    alias = _colonne("alias", AutresNoms())
    type = _colonne("type", TypeStrict())
    site = _colonne("site", TexteLu())
    description = _colonne("description", TexteLu())
    contact = _colonne("contact", TexteLu())
    actif = _colonne("actif", OuiOuNon())

    class Meta:
        model = Partenaire
        fields = export_order = import_order = list(COLONNES)
        import_id_fields = ["nom"]
        clean_model_instances = True
        skip_unchanged = True
        use_transactions = True
        skip_html_diff = True
        store_instance = True

    @classmethod
    def get_display_name(cls) -> str:
        return "Partenaires"

    def before_import(self, dataset, **kwargs) -> None:
        self._connus = list(Partenaire.objects.select_for_update(of=("self",)).order_by("pk"))
        self._designes: dict[int, int] = {}

    def get_instance(self, instance_loader, row) -> Partenaire | None:
        trouve = self._reconnaitre(row)
        if trouve is not None:
            precedente = self._designes.setdefault(trouve.pk, row[LIGNE])
            if precedente != row[LIGNE]:
                raise ValidationError(f"Désigne « {trouve} », comme la ligne {precedente} : gardez une seule des deux.")
        return trouve

    def _reconnaitre(self, row) -> Partenaire | None:
        """Le partenaire que la ligne désigne, None s'il est nouveau. ValidationError quand on ne peut pas le dire."""
        nom, sigle = plier(_texte(row[COLONNES["nom"]])), plier(_texte(row[COLONNES["sigle"]]))
        autres = {plier(autre) for autre in AutresNoms().clean(row[COLONNES["alias"]]).splitlines()}
        homonymes = [connu for connu in self._connus if plier(connu.nom) == nom]
        exacts = [connu for connu in homonymes if connu.nom == _texte(row[COLONNES["nom"]])]
        candidats = exacts or homonymes or [connu for connu in self._connus if self._porte(connu, nom, sigle, autres)]
        if len(candidats) > 1:
            noms = ", ".join(f"« {candidat} »" for candidat in candidats)
            raise ValidationError(f"Désigne plusieurs partenaires : {noms}. Écrivez le nom exact de l'un d'eux.")
        if candidats:
            return candidats[0]
        meme_sigle = next((connu for connu in self._connus if sigle and plier(connu.sigle) == sigle), None)
        if meme_sigle is not None:
            raise ValidationError(
                f"Porte le sigle de « {meme_sigle} » sous un autre nom. Si c'est lui, ajoutez « {meme_sigle.nom} » "
                "aux autres noms ; sinon, changez le sigle."
            )
        return None

    @staticmethod
    def _porte(connu: Partenaire, nom: str, sigle: str, autres: set[str]) -> bool:
        """Deux organismes peuvent avoir le même sigle : à lui seul il ne suffit pas."""
        sans_sigle = connu.noms_reconnus - ({plier(connu.sigle)} - {plier(connu.nom)})
        return bool(({nom, *autres} - {""}) & connu.noms_reconnus or ({sigle} - {""}) & sans_sigle)

    def import_instance(self, instance, row, **kwargs) -> None:
        nom_enregistre = instance.nom
        connu_sous = instance.noms_reconnus if instance.pk else frozenset()
        super().import_instance(instance, row, **kwargs)
        # Reconnu sous un de ses autres noms, il garde le sien.
        if plier(instance.nom) in connu_sous and plier(instance.nom) != plier(nom_enregistre):
            instance.nom = nom_enregistre
        if not instance.pk:
            instance.slug = self._adresse_libre(instance)

    def _adresse_libre(self, instance: Partenaire) -> str:
        racine = slugify(instance.sigle or instance.nom)[:70]
        prises = {connu.slug for connu in self._connus}
        rangs = (f"{racine}-{rang}" for rang in range(2, len(prises) + 3))
        return next(adresse for adresse in (racine, *rangs) if adresse not in prises) if racine else ""

    def after_save_instance(self, instance, row, **kwargs) -> None:
        if instance.pk not in {connu.pk for connu in self._connus}:
            self._connus.append(instance)
            self._designes[instance.pk] = row[LIGNE]


# --- Aperçu -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Changement:
    """Une colonne avant et après, en clair."""

    colonne: str
    avant: str
    apres: str


@dataclass(frozen=True)
class LigneLue:
    """Ce que l'import ferait d'une ligne du fichier."""

    numero: int
    nom: str
    sort: str
    changements: list[Changement] = field(default_factory=list)
    erreurs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Apercu:
    """Le résultat d'un import, à blanc ou non, tel qu'on le montre."""

    lignes: list[LigneLue]
    nouveaux: int
    modifies: int
    inchanges: int

    @property
    def erreurs(self) -> list[LigneLue]:
        return [ligne for ligne in self.lignes if ligne.erreurs]

    @property
    def phrase(self) -> str:
        return (
            f"{accorder(self.nouveaux, 'nouveau partenaire', 'nouveaux partenaires')}, "
            f"{accorder(self.modifies, 'modifié')}, {accorder(self.inchanges, 'inchangé')}"
        )


def importer(donnees: tablib.Dataset, *, a_blanc: bool) -> Apercu:
    """Applique le fichier, ou l'essaie sans rien écrire. Une seule erreur et rien n'est écrit."""
    ressource = RessourcePartenaires()
    resultat = ressource.import_data(donnees, dry_run=a_blanc, rollback_on_validation_errors=True)
    if resultat.base_errors:
        raise resultat.base_errors[0].error
    lignes = [
        _ligne_lue(ressource, ligne, numero, nom)
        for ligne, numero, nom in zip(resultat.rows, donnees[LIGNE], donnees[COLONNES["nom"]], strict=True)
    ]
    return Apercu(
        lignes=lignes,
        nouveaux=resultat.totals[RowResult.IMPORT_TYPE_NEW],
        modifies=resultat.totals[RowResult.IMPORT_TYPE_UPDATE],
        inchanges=resultat.totals[RowResult.IMPORT_TYPE_SKIP],
    )


def _ligne_lue(ressource: RessourcePartenaires, ligne: RowResult, numero: int, nom: Any) -> LigneLue:
    sort = {"new": "Nouveau", "update": "Modifié", "skip": "Inchangé"}.get(ligne.import_type, "Refusé")
    if ligne.validation_error is not None:
        return LigneLue(numero, _texte(nom), sort, erreurs=_messages(ligne.validation_error))
    if ligne.errors:
        return LigneLue(numero, _texte(nom), sort, erreurs=["Cette ligne ne peut pas être enregistrée."])
    changements = []
    for colonne in ressource.get_import_fields():
        # `_texte` retire l'apostrophe que l'export ajoute : elle n'est pas dans la donnée.
        avant = _texte(colonne.export(ligne.original)) if ligne.original else ""
        apres = _texte(colonne.export(ligne.instance))
        if sort != "Inchangé" and avant != apres:
            changements.append(Changement(colonne.column_name, avant or "—", apres or "—"))
    return LigneLue(numero, _texte(nom), sort, changements)


def _messages(erreur: ValidationError) -> list[str]:
    """Les phrases d'erreur, chacune avec le titre de sa colonne."""
    if not hasattr(erreur, "error_dict"):
        return erreur.messages
    phrases = []
    for champ, messages in erreur.message_dict.items():
        debut = "" if champ == NON_FIELD_ERRORS else f"Colonne « {COLONNES.get(champ, champ)} » : "
        phrases += [f"{debut}{message}" for message in messages]
    return phrases


def empreinte_des_partenaires() -> str:
    """Change dès qu'un partenaire change : un aperçu qui ne la retrouve pas est périmé."""
    versions = Partenaire.objects.order_by("pk").values_list("pk", "version")
    return hashlib.sha256(repr(list(versions)).encode()).hexdigest()
