"""Ce qu'un classeur changerait, avant d'écrire quoi que ce soit. Un nombre constant de requêtes."""

from collections.abc import Collection
from dataclasses import dataclass, field

from indicateurs.classeur.cellules import cite
from indicateurs.classeur.changements import AnneeRefusee, Changement, contradictions, lire_une_annee
from indicateurs.classeur.colonnes import Champ
from indicateurs.classeur.lecture import FichierLu, LigneLue, Refus
from indicateurs.classeur.regles import objections
from indicateurs.classeur.releve import Releve
from indicateurs.deplacements import Deplacement
from indicateurs.listes import Etat
from indicateurs.models import Indicateur, ValeurAnnuelle
from indicateurs.plausibilite import etonnement
from socle.formats import ABSENT, INSECABLE, accorder, formater_nombre, plier

# Une valeur s'écrit en trois centièmes de seconde : au-delà, la page se ferait attendre, et ceux qui saisissent aussi.
CHANGEMENTS_MAX = 100


@dataclass(frozen=True)
class LigneDApercu:
    """Un changement, en clair. `pris` : pour un conflit, la valeur du fichier est choisie."""

    changement: Changement
    apres: ValeurAnnuelle
    deplaces: list[Deplacement]
    etonnement: str = ""
    pris: bool = False

    @property
    def indicateur(self) -> Indicateur:
        return self.changement.indicateur

    @property
    def annee(self) -> int:
        return self.changement.annee

    @property
    def cle(self) -> str:
        return self.changement.cle

    @property
    def detail_avant(self) -> str:
        return self.changement.avant.detail if self.changement.avant else ABSENT

    @property
    def chiffre_change(self) -> bool:
        return self.changement.donne_un_chiffre

    @property
    def remarque_avant(self) -> str:
        return (self.changement.avant.remarque if self.changement.avant else "") or ABSENT

    @property
    def remarque_apres(self) -> str | None:
        """None si elle ne change pas."""
        return self.changement.champs.get("remarque")

    @property
    def validees(self) -> list[str]:
        """Les valeurs validées qu'elle ferait bouger, elle ou ses taux."""
        avant = self.changement.avant
        bougees = [avant] if avant and avant.etat == Etat.VALIDEE and self.chiffre_change else []
        bougees += [deplace.avant for deplace in self.deplaces if deplace.valide]
        return [f"{cite(str(valeur.indicateur))} ({valeur.annee})" for valeur in bougees]


@dataclass(frozen=True)
class Apercu:
    """`lignes` : ce qui serait écrit ; `conflits` : ce que d'autres ont changé depuis l'export, pris ou non."""

    lignes: list[LigneDApercu]
    conflits: list[LigneDApercu]
    refus: list[Refus]
    laissees: list[str]
    inchangees: int
    empreinte: str
    deplaces: list[Deplacement] = field(default_factory=list)

    @property
    def a_ecrire(self) -> list[LigneDApercu]:
        """Dans un ordre où rien n'est refusé en route : un dénominateur qui monte avant ses taux, qui baisse après."""
        return sorted([*self.lignes, *(ligne for ligne in self.conflits if ligne.pris)], key=_rang)

    @property
    def validees(self) -> list[str]:
        return list(dict.fromkeys(nom for ligne in self.a_ecrire for nom in ligne.validees))

    @property
    def motif_utile(self) -> bool:
        """Un motif sera demandé, ou le serait si l'on prenait un conflit."""
        return any(ligne.validees for ligne in (*self.lignes, *self.conflits))

    @property
    def trop(self) -> str:
        """La phrase à montrer quand il y a trop de changements pour un seul import."""
        nombre = len(self.lignes) + len(self.conflits)
        if nombre <= CHANGEMENTS_MAX:
            return ""
        return (
            f"Ce classeur change {accorder(nombre, 'valeur')}, {formater_nombre(CHANGEMENTS_MAX)} au plus par import. "
            "Importez-le en plusieurs fois, quelques années ou quelques indicateurs à la fois."
        )

    @property
    def phrase(self) -> str:
        morceaux = [accorder(len(self.lignes), "valeur à écrire", "valeurs à écrire")]
        if self.conflits:
            morceaux.append(accorder(len(self.conflits), "conflit"))
        if self.refus:
            morceaux.append(accorder(len(self.refus), "refus", "refus"))
        return ", ".join([*morceaux, accorder(self.inchangees, "inchangée")])

    @property
    def a_montrer(self) -> bool:
        return bool(self.lignes or self.conflits)

    @property
    def vide(self) -> bool:
        return not (self.a_montrer or self.refus)


def _rang(ligne: LigneDApercu) -> tuple[int, int, str]:
    avant = ligne.changement.avant.valeur if ligne.changement.avant else None
    apres = ligne.apres.valeur
    if ligne.indicateur.denominateur_id:
        rang = 1
    elif apres is None or (avant is not None and apres < avant):
        rang = 2
    else:
        rang = 0
    return rang, ligne.annee, ligne.indicateur.code


def etudier(fichier: FichierLu, pris: Collection[str] = ()) -> Apercu:
    """`pris` : les conflits (`Changement.cle`) où l'on prend ce que dit le fichier."""
    releve = Releve(fichier.annees)
    changements, refus = _changements(fichier, releve)
    retenus = [c for c in changements if c.champs and (not c.perime or c.cle in pris)]
    for changement in retenus:
        releve.poser(releve.donner(changement.indicateur, changement.annee, changement.champs))
    releve.recalculer()
    cles = {changement.cle for changement in retenus}
    for changement in changements:
        if changement.cle in cles:
            refus += _refus_de(changement, releve)
        if not changement.en_conflit or changement.cle in cles:
            refus += contradictions(changement, releve)
    conflits = [c for c in changements if c.en_conflit]
    lignes = [_montrer(c, releve) for c in retenus if not c.en_conflit]
    return Apercu(
        lignes=lignes,
        conflits=[_montrer(c, releve, pris=c.cle in cles) for c in conflits],
        refus=refus,
        laissees=fichier.laissees,
        inchangees=sum(not c.champs for c in changements),
        empreinte=releve.empreinte({c.indicateur.pk for c in changements}, fichier.annees),
        deplaces=[deplace for ligne in lignes for deplace in ligne.deplaces],
    )


# --- Reconnaître les lignes ---------------------------------------------------------------------


def _changements(fichier: FichierLu, releve: Releve) -> tuple[list[Changement], list[Refus]]:
    changements: list[Changement] = []
    refus = list(fichier.refus)
    designes: dict[int, int] = {}
    for ligne in fichier.lignes:
        indicateur = _designer(ligne, releve)
        if isinstance(indicateur, str):
            refus.append(Refus(ligne.place, indicateur))
            continue
        premiere = designes.setdefault(indicateur.pk, ligne.place.ligne)
        if premiere != ligne.place.ligne:
            raison = f"désigne {cite(indicateur.intitule)}, comme la ligne {premiere}{INSECABLE}: gardez-en une seule"
            refus.append(Refus(ligne.place, raison))
            continue
        for annee in ligne.annees:
            try:
                changements.append(lire_une_annee(ligne, indicateur, annee, releve))
            except AnneeRefusee as refusee:
                refus += refusee.refus
    return changements, refus


def _designer(ligne: LigneLue, releve: Releve) -> Indicateur | str:
    """L'indicateur d'une ligne, ou la raison pour laquelle on ne peut pas le dire."""
    if ligne.code:
        return _designer_par_le_code(ligne, releve)
    if not ligne.intitule:
        return "ne dit ni le code ni l'intitulé de l'indicateur"
    if trouve := releve.par_code.get(plier(ligne.intitule)):
        return trouve
    trouves = releve.par_intitule.get(plier(ligne.intitule), [])
    if len(trouves) > 1:
        codes = ", ".join(cite(indicateur.code) for indicateur in trouves)
        return f"plusieurs indicateurs s'intitulent {cite(ligne.intitule)}{INSECABLE}: donnez le code ({codes})"
    return trouves[0] if trouves else f"aucun indicateur ne s'intitule {cite(ligne.intitule)}"


def _designer_par_le_code(ligne: LigneLue, releve: Releve) -> Indicateur | str:
    """Un tri d'une seule colonne met un code devant les valeurs d'un autre : l'intitulé le trahit. Un intitulé que le
    site ne connaît pas ne dit rien, il a pu être retouché."""
    trouve = releve.par_code.get(plier(ligne.code))
    if trouve is None:
        return f"aucun indicateur n'a le code {cite(ligne.code)}"
    homonymes = releve.par_intitule.get(plier(ligne.intitule), [])
    if homonymes and trouve not in homonymes:
        return (
            f"le code {cite(ligne.code)} est celui de {cite(trouve.intitule)}, l'intitulé est celui de "
            f"{cite(homonymes[0].code)}{INSECABLE}: une colonne a pu être triée sans les autres"
        )
    return trouve


# --- Juger et montrer ---------------------------------------------------------------------------


def _refus_de(changement: Changement, releve: Releve) -> list[Refus]:
    apres = releve.apres(changement.indicateur, changement.annee)
    assert apres is not None  # noqa: S101 - il vient d'être posé
    dites: dict[Champ, Refus] = {}
    for champ, phrase in objections(apres, releve):
        # La première objection d'une cellule suffit.
        dites.setdefault(champ, Refus(changement.place(champ), phrase))
    return list(dites.values())


def _montrer(changement: Changement, releve: Releve, *, pris: bool = False) -> LigneDApercu:
    apres = releve.donner(changement.indicateur, changement.annee, changement.champs)
    deplaces = _deplaces(changement, apres, releve)
    phrase = ""
    if changement.donne_un_chiffre and not apres.remarque and (not changement.perime or pris):
        phrase = etonnement(releve.comparaison(changement.indicateur, changement.annee))
    return LigneDApercu(changement, apres, deplaces, phrase, pris)


def _deplaces(changement: Changement, apres: ValeurAnnuelle, releve: Releve) -> list[Deplacement]:
    """Les taux que ce dénominateur ferait bouger."""
    avant = changement.avant
    if (avant.valeur if avant else None) == apres.valeur:
        return []
    appuyes = releve.taux_appuyes(changement.indicateur, changement.annee)
    return [Deplacement(taux, releve.sur(taux, apres.valeur)) for taux in appuyes]
