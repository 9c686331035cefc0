"""Les partenaires dans un tableau, dans les deux sens.

Le fichier exporté se réimporte tel quel sans rien changer. Un import est vérifié d'abord, puis appliqué en
entier ou pas du tout ; ce qui n'est pas compris est refusé avec sa ligne et sa colonne, jamais deviné.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Self

import tablib
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.text import slugify
from import_export import fields, resources, widgets
from import_export.results import RowResult

from partenaires.classeurs import COLONNES, LIGNE
from partenaires.models import Partenaire, TypeDePartenaire
from socle.choix import membre_de
from socle.formats import accorder, plier
from socle.tableaux import proteger, texte_de

# --- Colonnes -----------------------------------------------------------------------------------


class TexteLu(widgets.Widget):
    def clean(self, value, row=None, **kwargs) -> str:
        return texte_de(value)

    def render(self, value, obj=None, **kwargs) -> str:
        return proteger("\n".join((value or "").splitlines()))


class AutresNoms(TexteLu):
    """Un par ligne, ou séparés par des points-virgules."""

    def clean(self, value, row=None, **kwargs) -> str:
        noms = texte_de(value).replace(";", "\n").splitlines()
        return "\n".join(nom.strip() for nom in noms if nom.strip())


class TypeStrict(TexteLu):
    """Le libellé ou le code d'un type, sans souci d'accents ni de casse ; rien d'autre."""

    def clean(self, value, row=None, **kwargs) -> str:
        texte = texte_de(value)
        if not texte:
            return ""
        if (membre := membre_de(TypeDePartenaire, texte)) is not None:
            return membre
        connus = ", ".join(f"« {choix.label} »" for choix in TypeDePartenaire)
        raise ValueError(f"« {texte} » n'est pas un type connu. Écrire {connus}, ou rien.")

    def render(self, value, obj=None, **kwargs) -> str:
        return TypeDePartenaire(value).label if value else ""


class OuiOuNon(widgets.Widget):
    def clean(self, value, row=None, **kwargs) -> bool:
        if isinstance(value, bool):
            return value
        match plier(texte_de(value)):
            case "oui":
                return True
            case "non":
                return False
        raise ValueError(f"« {texte_de(value)} » ne se lit pas. Écrire « oui » ou « non ».")

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


# --- Ressource ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Connu:
    """Les noms sous lesquels un partenaire est reconnu, tels qu'enregistrés : l'import change l'objet, pas eux."""

    partenaire: Partenaire
    nom: str
    sigle: str
    noms: frozenset[str]

    @classmethod
    def de(cls, partenaire: Partenaire) -> Self:
        return cls(partenaire, partenaire.nom, plier(partenaire.sigle), partenaire.noms_reconnus)

    def porte(self, nom: str, sigle: str, autres: set[str]) -> bool:
        """Deux organismes peuvent avoir le même sigle : à lui seul il ne suffit pas."""
        sans_sigle = self.noms - ({self.sigle} - {plier(self.nom)})
        return bool(({nom, *autres} - {""}) & self.noms or ({sigle} - {""}) & sans_sigle)


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
        partenaires = Partenaire.objects.select_for_update(of=("self",)).order_by("pk")
        self._connus = [Connu.de(partenaire) for partenaire in partenaires]
        self._designes: dict[int, int] = {}

    def get_instance(self, instance_loader, row) -> Partenaire | None:
        trouve = self._reconnaitre(row)
        if trouve is not None:
            precedente = self._designes.setdefault(trouve.pk, row[LIGNE])
            if precedente != row[LIGNE]:
                raise ValidationError(f"Désigne « {trouve} », comme la ligne {precedente} : gardez-en une seule.")
        return trouve

    def _reconnaitre(self, row) -> Partenaire | None:
        """Le partenaire que la ligne désigne, None s'il est nouveau. ValidationError quand on ne peut pas le dire."""
        exact = texte_de(row[COLONNES["nom"]])
        nom, sigle = plier(exact), plier(texte_de(row[COLONNES["sigle"]]))
        autres = {plier(autre) for autre in AutresNoms().clean(row[COLONNES["alias"]]).splitlines()}
        possibles = (
            [connu for connu in self._connus if connu.nom == exact]
            or [connu for connu in self._connus if plier(connu.nom) == nom]
            or [connu for connu in self._connus if connu.porte(nom, sigle, autres)]
        )
        candidats = {connu.partenaire.pk: connu.partenaire for connu in possibles}
        if len(candidats) > 1:
            noms = ", ".join(f"« {candidat} »" for candidat in candidats.values())
            raise ValidationError(f"Désigne plusieurs partenaires : {noms}. Écrivez le nom exact de l'un d'eux.")
        if not candidats:
            self._refuser_un_sigle_pris(sigle)
        return next(iter(candidats.values()), None)

    def _refuser_un_sigle_pris(self, sigle: str) -> None:
        for connu in self._connus:
            if sigle and connu.sigle == sigle:
                raise ValidationError(
                    f"Porte le sigle de « {connu.partenaire} » sous un autre nom. Si c'est lui, ajoutez "
                    f"« {connu.nom} » aux autres noms ; sinon, changez le sigle."
                )

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
        prises = {connu.partenaire.slug for connu in self._connus}
        rangs = (f"{racine}-{rang}" for rang in range(2, len(prises) + 3))
        return next(adresse for adresse in (racine, *rangs) if adresse not in prises) if racine else ""

    def after_save_instance(self, instance, row, **kwargs) -> None:
        self._connus.append(Connu.de(instance))
        self._designes[instance.pk] = row[LIGNE]


def exporter(partenaires, format_choisi: str) -> bytes:
    """Le contenu du fichier : « xlsx », ou « csv » (point-virgule et marque UTF-8, qu'un tableur français ouvre
    sans rien demander)."""
    donnees = RessourcePartenaires().export(queryset=partenaires)
    donnees.title = "Partenaires"
    if format_choisi == "csv":
        return donnees.export("csv", delimiter=";").encode("utf-8-sig")
    return donnees.export("xlsx")


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
        return LigneLue(numero, texte_de(nom), sort, erreurs=_messages(ligne.validation_error))
    if ligne.errors:
        return LigneLue(numero, texte_de(nom), sort, erreurs=["Cette ligne ne peut pas être enregistrée."])
    changements = []
    for colonne in ressource.get_import_fields():
        # `texte_de` retire l'apostrophe que l'export ajoute : elle n'est pas dans la donnée.
        avant = texte_de(colonne.export(ligne.original)) if ligne.original else ""
        apres = texte_de(colonne.export(ligne.instance))
        if sort != "Inchangé" and avant != apres:
            changements.append(Changement(colonne.column_name, avant or "—", apres or "—"))
    return LigneLue(numero, texte_de(nom), sort, changements)


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
