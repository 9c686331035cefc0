"""Le contenu d'un bilan, lu. Une fonction par schéma : un bilan arrêté se relit tel qu'il a été écrit, pour toujours.

Rien ici n'interroge la base. Ce qui se déduit (décomptes, parts) ne s'écrit pas : il se recalcule de ce qui est gardé.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from actions.requetes import Decompte
from actions.statuts import Statut
from indicateurs.affichage import AffichageDeValeur
from indicateurs.listes import Etat, OrigineDeCible, OrigineDeValeur
from socle.echeances import Echeance, Precision

SCHEMA = 1


class Portee(Enum):
    """À qui un contenu s'adresse. Le public ne voit que les actions visibles : ni personne, ni note interne."""

    INTERNE = "interne"
    PUBLIQUE = "public"


class SchemaInconnu(ValueError):
    """Un contenu d'un schéma que cette version du site ne sait pas lire."""


@dataclass(frozen=True)
class PlanLu:
    slug: str
    intitule: str
    label: str
    titre_avancement: str
    description: str
    annee_debut: int | None
    annee_fin: int | None
    affiche_avancement: bool


@dataclass(frozen=True)
class AxeLu:
    cle: int
    code: str
    intitule: str

    def __str__(self) -> str:
        return f"{self.code} {self.intitule}".strip()


@dataclass(frozen=True)
class PartenaireLu:
    """`du_plan` : cité par le plan ; sinon, seulement par une de ses actions."""

    cle: int
    nom: str
    sigle: str
    type: str
    site: str
    du_plan: bool

    def __str__(self) -> str:
        return f"{self.nom} ({self.sigle})" if self.sigle else self.nom


@dataclass(frozen=True)
class NoteLue:
    le: date
    texte: str


@dataclass(frozen=True)
class ActionLue:
    """Une action au plan à la date du bilan. `statut` None : inconnu ; `depuis` : la date d'effet de ce statut.

    `visible`, `service`, `priorite`, `echeance`, `notes_internes` : vides dans un contenu public.
    """

    cle: int
    numero: int
    intitule: str
    description: str
    statut: Statut | None
    depuis: date | None
    avancement: int | None
    axe: AxeLu | None
    partenaires: Sequence[PartenaireLu]
    notes: Sequence[NoteLue]
    visible: bool = True
    service: str = ""
    priorite: str = ""
    echeance: Echeance | None = None
    notes_internes: Sequence[NoteLue] = ()

    def en_retard(self, le: date) -> bool:
        """La règle d'`actions.requetes.condition_de_retard`, sur ce qui est gardé."""
        return self.echeance is not None and self.echeance.fin < le and self.statut is not Statut.TERMINEE


@dataclass(frozen=True)
class SortieLue:
    """Une action retirée du plan dans l'année ; dans le contenu interne seulement."""

    numero: int
    intitule: str
    le: date
    motif: str


@dataclass(frozen=True)
class CalculLu:
    """Le calcul d'où une valeur a été retenue."""

    code: str
    version: int
    empreinte: str
    le: datetime


@dataclass(frozen=True)
class ValeurLue(AffichageDeValeur):
    """Une valeur annuelle. `denominateur` : le sien, sinon celui qu'un autre indicateur donnait à l'arrêt."""

    indicateur: "IndicateurLu" = field(repr=False, compare=False)
    annee: int
    valeur: Decimal | None
    numerateur: Decimal | None
    denominateur_retenu: Decimal | None
    denominateur_propre: bool
    indisponible: bool
    motif_indisponibilite: str
    etat: Etat
    origine: OrigineDeValeur
    connue_le: date
    libelle: str
    remarque: str
    source: str
    rupture: str
    calcul: CalculLu | None
    ventilation: Mapping[str, Mapping[str, Decimal]]

    @property
    def valeur_retenue(self) -> Decimal | None:
        """La valeur, sinon la part qui se déduit ; None si on ne peut pas la dire."""
        if self.numerateur is None:
            return self.valeur
        return 100 * self.numerateur / self.denominateur_retenu if self.denominateur_retenu else None

    @property
    def provisoire(self) -> bool:
        return self.etat == Etat.PROVISOIRE

    @property
    def provenance(self) -> str:
        """D'où vient ce chiffre : sa source, sinon celle de l'indicateur, sinon l'origine de la saisie."""
        return self.source or self.indicateur.source or self.origine.label


@dataclass(frozen=True)
class ObjectifLu:
    annee: int
    valeur: Decimal
    origine: OrigineDeCible
    reference: str
    active: bool = True


@dataclass
class IndicateurLu:
    """`valeurs` : jusqu'à l'année du bilan, de la plus ancienne à la plus récente."""

    cle: int
    code: str
    intitule: str
    definition: str
    mode_de_calcul: str
    nature: str
    unite: str
    decimales: int
    sens: str
    source: str
    denominateur: str
    chiffre_cle: bool
    service: str = ""
    valeurs: list[ValeurLue] = field(default_factory=list)
    objectifs: list[ObjectifLu] = field(default_factory=list)

    def __str__(self) -> str:
        return self.intitule

    def valeur_de(self, annee: int) -> ValeurLue | None:
        return next((valeur for valeur in self.valeurs if valeur.annee == annee), None)


@dataclass(frozen=True)
class ChangementLu:
    """Ce qui a changé dans l'année, une phrase. `nature` : celle de `bilans.changements` ; interne seulement."""

    nature: str
    numero: int | None
    phrase: str


@dataclass(frozen=True)
class BilanLu:
    """Un bilan prêt à montrer. `arrete_le` et `rang` None : un brouillon."""

    portee: Portee
    collectivite: str
    plan: PlanLu
    annee: int
    au: date
    arrete_le: datetime | None
    rang: int | None
    motif: str
    avant_propos: str
    commentaires: Mapping[str, str]
    axes: Sequence[AxeLu]
    actions: Sequence[ActionLue]
    partenaires: Sequence[PartenaireLu]
    indicateurs: Sequence[IndicateurLu]
    evolution: Mapping[date, Decompte]
    sorties: Sequence[SortieLue] = ()
    changements: Sequence[ChangementLu] = ()
    schema: int = SCHEMA

    @property
    def brouillon(self) -> bool:
        return self.rang is None

    def de_statut(self, statut: Statut | None) -> list[ActionLue]:
        return [action for action in self.actions if action.statut is statut]

    @property
    def decompte(self) -> Decompte:
        return decompter(self.actions)

    @property
    def chiffres_cles(self) -> list[IndicateurLu]:
        return [indicateur for indicateur in self.indicateurs if indicateur.chiffre_cle]

    @property
    def partenaires_du_plan(self) -> list[PartenaireLu]:
        """Ceux que la page nomme, dans l'ordre du plan."""
        return [partenaire for partenaire in self.partenaires if partenaire.du_plan]


def decompter(actions: Sequence[ActionLue]) -> Decompte:
    nombres: dict[str | None, int] = {}
    for action in actions:
        nombres[action.statut] = nombres.get(action.statut, 0) + 1
    return Decompte.de(nombres)


def lire(contenu: Mapping[str, Any]) -> BilanLu:
    """Lève SchemaInconnu si le site ne connaît pas ce schéma : une version plus récente l'a écrit."""
    lecteur = _LECTEURS.get(contenu.get("schema"))
    if lecteur is None:
        raise SchemaInconnu(f"Schéma {contenu.get('schema')} : cette version du site ne sait pas le lire.")
    return lecteur(contenu)


# --- Schéma 1 -----------------------------------------------------------------------------------


def _lire_1(contenu: Mapping[str, Any]) -> BilanLu:
    axes = {axe["cle"]: AxeLu(**axe) for axe in contenu["axes"]}
    partenaires = {partenaire["cle"]: PartenaireLu(**partenaire) for partenaire in contenu["partenaires"]}
    bilan = contenu["bilan"]
    return BilanLu(
        portee=Portee(contenu["portee"]),
        collectivite=contenu["collectivite"]["nom"],
        plan=PlanLu(**contenu["plan"]),
        annee=bilan["annee"],
        au=date.fromisoformat(bilan["au"]),
        arrete_le=datetime.fromisoformat(bilan["arrete_le"]) if bilan["arrete_le"] else None,
        rang=bilan["rang"],
        motif=bilan["motif"],
        avant_propos=contenu["avant_propos"],
        commentaires=contenu["commentaires"],
        axes=list(axes.values()),
        actions=[_action(action, axes, partenaires) for action in contenu["actions"]],
        partenaires=list(partenaires.values()),
        indicateurs=[_indicateur(indicateur) for indicateur in contenu["indicateurs"]],
        evolution={
            date.fromisoformat(jalon.pop("au")): Decompte(**jalon) for jalon in map(dict, contenu["evolution"])
        },
        sorties=[SortieLue(**{**s, "le": date.fromisoformat(s["le"])}) for s in contenu.get("sorties", [])],
        changements=[ChangementLu(**changement) for changement in contenu.get("changements", [])],
    )


def _jour(texte: str | None) -> date | None:
    return date.fromisoformat(texte) if texte else None


def _nombre(texte: str | None) -> Decimal | None:
    return Decimal(texte) if texte is not None else None


def _notes(lignes: Sequence[Mapping[str, str]]) -> list[NoteLue]:
    return [NoteLue(date.fromisoformat(ligne["le"]), ligne["texte"]) for ligne in lignes]


def _action(
    action: Mapping[str, Any], axes: Mapping[int, AxeLu], partenaires: Mapping[int, PartenaireLu]
) -> ActionLue:
    echeance = action.get("echeance")
    return ActionLue(
        cle=action["cle"],
        numero=action["numero"],
        intitule=action["intitule"],
        description=action["description"],
        statut=Statut(action["statut"]) if action["statut"] else None,
        depuis=_jour(action["depuis"]),
        avancement=action["avancement"],
        axe=axes.get(action["axe"]) if action["axe"] is not None else None,
        partenaires=[partenaires[cle] for cle in action["partenaires"]],
        notes=_notes(action["notes"]),
        visible=action.get("visible", True),
        service=action.get("service", ""),
        priorite=action.get("priorite", ""),
        echeance=Echeance(date.fromisoformat(echeance["fin"]), Precision(echeance["precision"])) if echeance else None,
        notes_internes=_notes(action.get("notes_internes", [])),
    )


def _indicateur(lu: Mapping[str, Any]) -> IndicateurLu:
    champs = {nom: valeur for nom, valeur in lu.items() if nom not in ("valeurs", "objectifs")}
    indicateur = IndicateurLu(**champs)
    indicateur.valeurs = [_valeur(indicateur, valeur) for valeur in lu["valeurs"]]
    indicateur.objectifs = [
        ObjectifLu(o["annee"], Decimal(o["valeur"]), OrigineDeCible(o["origine"]), o["reference"])
        for o in lu["objectifs"]
    ]
    return indicateur


def _valeur(indicateur: IndicateurLu, lue: Mapping[str, Any]) -> ValeurLue:
    calcul = lue["calcul"]
    return ValeurLue(
        indicateur=indicateur,
        annee=lue["annee"],
        valeur=_nombre(lue["valeur"]),
        numerateur=_nombre(lue["numerateur"]),
        denominateur_retenu=_nombre(lue["denominateur"]),
        denominateur_propre=lue["denominateur_propre"],
        indisponible=lue["indisponible"],
        motif_indisponibilite=lue["motif_indisponibilite"],
        etat=Etat(lue["etat"]),
        origine=OrigineDeValeur(lue["origine"]),
        connue_le=date.fromisoformat(lue["connue_le"]),
        libelle=lue["libelle"],
        remarque=lue["remarque"],
        source=lue["source"],
        rupture=lue["rupture"],
        calcul=CalculLu(calcul["code"], calcul["version"], calcul["empreinte"], datetime.fromisoformat(calcul["le"]))
        if calcul
        else None,
        ventilation={
            v["dimension"]: {ligne["modalite"]: Decimal(ligne["nombre"]) for ligne in v["lignes"]}
            for v in lue["ventilation"]
        },
    )


_LECTEURS: dict[Any, Callable[[Mapping[str, Any]], BilanLu]] = {1: _lire_1}
