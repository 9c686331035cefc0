"""Le contenu d'un bilan, composé de l'état du plan : l'interne, et le public qui s'en tire.

Un nombre constant de requêtes. Ce qui a une date d'effet (statut, échéance, présence) est celui du 31 décembre ; le
reste (intitulés, partenaires, valeurs) est tel que saisi à ce moment. Aucun nom de compte n'y entre.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from actions.journaux import ChangementDeStatut, PresenceAuPlan
from actions.models import Action, NoteDeSuivi, Plan
from actions.requetes import Decompte
from actions.situation import decomptes_aux
from actions.statuts import Mouvement
from actions.suivi import PartenaireDeLAction, PorteeDeNote
from bilans.bilan import Bilan
from bilans.changements import changements
from bilans.contenu.schema import SCHEMA, Portee
from bilans.demande import fin_de_l_annee
from bilans.evolution import jalons
from comptes.models import Collectivite
from indicateurs.models import Cible, IndicateurDuPlan, LigneDeVentilation, ValeurAnnuelle
from partenaires.models import Partenaire

Contenu = dict[str, Any]

# Ce qu'un contenu public garde d'une action, d'un indicateur : ce qui n'est pas nommé ici n'en sort pas.
ACTION_PUBLIQUE = (
    "cle",
    "numero",
    "intitule",
    "description",
    "statut",
    "depuis",
    "avancement",
    "axe",
    "partenaires",
    "notes",
)
INDICATEUR_PUBLIC = (
    "cle",
    "code",
    "intitule",
    "definition",
    "mode_de_calcul",
    "nature",
    "unite",
    "decimales",
    "sens",
    "source",
    "denominateur",
    "chiffre_cle",
    "valeurs",
    "objectifs",
)
EN_TETE_PUBLIC = ("schema", "collectivite", "plan", "avant_propos", "commentaires")


@dataclass(frozen=True)
class Arret:
    """Ce qu'une version dit d'elle-même ; None dans un brouillon."""

    le: datetime
    rang: int
    motif: str


@dataclass(frozen=True)
class Compose:
    """Les deux contenus d'un même état."""

    interne: Contenu
    public: Contenu

    def de(self, portee: Portee) -> Contenu:
        return self.interne if portee is Portee.INTERNE else self.public


def composer(bilan: Bilan, arret: Arret | None = None) -> Compose:
    """Les contenus de ce bilan (schéma 1), tels que l'état du plan les donne à cet instant."""
    plan, fin = bilan.plan, bilan.fin
    au_plan = plan.actions.etat_au(fin).au_plan().annotate(statut_depuis=ChangementDeStatut.pris_le(fin))
    actions = list(au_plan.select_related("service_pilote").order_by("numero"))
    participations = _participations(actions)
    interne = {
        "schema": SCHEMA,
        "portee": Portee.INTERNE.value,
        "collectivite": _collectivite(),
        "plan": _plan(plan),
        "bilan": _bilan(bilan, fin, arret),
        "avant_propos": bilan.avant_propos,
        "commentaires": bilan.commentaires,
        "axes": [{"cle": axe.pk, "code": axe.code, "intitule": axe.intitule} for axe in plan.axes.all()],
        "actions": _actions(actions, participations, bilan.annee, fin),
        "partenaires": _partenaires(plan, participations),
        "indicateurs": _indicateurs(plan, bilan.annee),
        "evolution": _evolution(plan, fin),
        "sorties": _sorties(plan, bilan.annee, fin),
        "changements": [
            {"nature": c.nature.value, "numero": c.numero, "phrase": c.phrase}
            for c in changements(plan, fin_de_l_annee(bilan.annee - 1), fin)
        ],
    }
    return Compose(interne, _publier(interne, _evolution(plan, fin, visibles=True)))


def _publier(interne: Contenu, evolution: list[Contenu]) -> Contenu:
    """Le contenu public : les seules actions visibles, leurs partenaires et leurs axes, sans rien d'interne."""
    actions = [_action_publique(action, interne["plan"]) for action in interne["actions"] if action["visible"]]
    cites = {cle for action in actions for cle in action["partenaires"]}
    axes = {action["axe"] for action in actions}
    intitules = {indicateur["intitule"] for indicateur in interne["indicateurs"]}
    return {
        **{champ: interne[champ] for champ in EN_TETE_PUBLIC},
        "portee": Portee.PUBLIQUE.value,
        # Le motif d'une reprise s'adresse à ceux qui tiennent le plan.
        "bilan": {**interne["bilan"], "motif": ""},
        "axes": [axe for axe in interne["axes"] if axe["cle"] in axes],
        "actions": actions,
        "partenaires": [p for p in interne["partenaires"] if p["du_plan"] or p["cle"] in cites],
        "indicateurs": [
            {champ: indicateur[champ] for champ in INDICATEUR_PUBLIC}
            # Un dénominateur hors du plan n'est pas public : le nommer en dirait trop.
            | {"denominateur": indicateur["denominateur"] if indicateur["denominateur"] in intitules else ""}
            for indicateur in interne["indicateurs"]
        ],
        "evolution": evolution,
    }


def _action_publique(action: Contenu, plan: Contenu) -> Contenu:
    """L'avancement ne se montre que si le plan le demande."""
    publique = {champ: action[champ] for champ in ACTION_PUBLIQUE}
    return publique if plan["affiche_avancement"] else {**publique, "avancement": None}


def _collectivite() -> Contenu:
    collectivite = Collectivite.objects.first()
    return {"nom": collectivite.nom if collectivite else "", "sigle": collectivite.sigle if collectivite else ""}


def _plan(plan: Plan) -> Contenu:
    return {
        "slug": plan.slug,
        "intitule": plan.intitule,
        "label": plan.label,
        "titre_avancement": plan.titre_avancement,
        "description": plan.description,
        "annee_debut": plan.annee_debut,
        "annee_fin": plan.annee_fin,
        "affiche_avancement": plan.affiche_avancement,
    }


def _bilan(bilan: Bilan, fin: date, arret: Arret | None) -> Contenu:
    return {
        "annee": bilan.annee,
        "au": fin.isoformat(),
        "arrete_le": arret.le.astimezone(UTC).isoformat(timespec="seconds") if arret else None,
        "rang": arret.rang if arret else None,
        "motif": arret.motif if arret else "",
    }


# --- Actions ------------------------------------------------------------------------------------


def _participations(actions: Sequence[Action]) -> dict[int, list[Partenaire]]:
    """Par action, ses partenaires, dans l'ordre où ils lui ont été donnés."""
    lignes = PartenaireDeLAction.objects.filter(action__in=[action.pk for action in actions])
    par_action: dict[int, list[Partenaire]] = defaultdict(list)
    for ligne in lignes.select_related("partenaire").order_by("pk"):
        par_action[ligne.action_id].append(ligne.partenaire)
    return par_action


def _actions(
    actions: Sequence[Action], participations: Mapping[int, Sequence[Partenaire]], annee: int, fin: date
) -> list[Contenu]:
    cles = [action.pk for action in actions]
    notes = _notes(cles, annee, fin)
    return [
        {
            "cle": action.pk,
            "numero": action.numero,
            "intitule": action.intitule,
            "description": action.description,
            "statut": action.etat_statut,
            "depuis": action.statut_depuis.isoformat() if action.statut_depuis else None,  # type: ignore[attr-defined]
            "avancement": action.etat_avancement,
            "axe": action.axe_id,
            "partenaires": [partenaire.pk for partenaire in participations.get(action.pk, [])],
            "notes": notes[action.pk, PorteeDeNote.BILAN],
            "visible": action.visible_du_public,
            "service": action.service_pilote.nom if action.service_pilote else "",
            "priorite": action.priorite,
            "echeance": {
                "fin": action.valeur_echeance.fin.isoformat(),
                "precision": action.valeur_echeance.precision.value,
            }
            if action.valeur_echeance
            else None,
            "notes_internes": notes[action.pk, PorteeDeNote.INTERNE],
        }
        for action in actions
    ]


def _notes(cles: Sequence[int], annee: int, fin: date) -> defaultdict[tuple[int, str], list[Contenu]]:
    """Par (action, portée), les notes de l'année, de la plus ancienne à la plus récente."""
    notes = NoteDeSuivi.objects.filter(action__in=cles, date__year=annee, date__lte=fin).en_vigueur()
    par_action: defaultdict[tuple[int, str], list[Contenu]] = defaultdict(list)
    for action, portee, le, texte in notes.order_by("date", "pk").values_list("action", "portee", "date", "texte"):
        par_action[action, portee].append({"le": le.isoformat(), "texte": texte})
    return par_action


def _sorties(plan: Plan, annee: int, fin: date) -> list[Contenu]:
    """Les actions retirées dans l'année et qui le sont encore à sa fin."""
    lignes = (
        PresenceAuPlan.objects.filter(action__plan=plan)
        .en_vigueur(fin)
        .filter(action__in=plan.actions.etat_au(fin).retirees().values("pk"))
        .select_related("action")
    )
    dernieres: dict[int, PresenceAuPlan] = {}
    for ligne in lignes:
        dernieres.setdefault(ligne.action_id, ligne)
    return [
        {
            "numero": ligne.action.numero,
            "intitule": ligne.action.intitule,
            "le": ligne.date_effet.isoformat(),
            "motif": ligne.motif,
        }
        for ligne in sorted(dernieres.values(), key=lambda ligne: ligne.action.numero)
        if ligne.date_effet.year == annee and ligne.mouvement == Mouvement.RETRAIT
    ]


def _partenaires(plan: Plan, participations: Mapping[int, Iterable[Partenaire]]) -> list[Contenu]:
    """Ceux du plan dans son ordre, puis ceux que ses actions nomment de plus, par leur nom."""
    du_plan = [citation.partenaire for citation in plan.citations.select_related("partenaire")]
    cites = {partenaire.pk: partenaire for ensemble in participations.values() for partenaire in ensemble}
    autres = [cites[cle] for cle in cites.keys() - {partenaire.pk for partenaire in du_plan}]
    return [
        {
            "cle": partenaire.pk,
            "nom": partenaire.nom,
            "sigle": partenaire.sigle,
            "type": partenaire.get_type_display() if partenaire.type else "",
            "site": partenaire.site,
            "du_plan": rang < len(du_plan),
        }
        for rang, partenaire in enumerate([*du_plan, *sorted(autres, key=lambda p: (p.nom, p.pk))])
    ]


def _evolution(plan: Plan, fin: date, *, visibles: bool = False) -> list[Contenu]:
    """Les décomptes à chaque fin de période connue, jusqu'à la date du bilan."""
    lignes = ChangementDeStatut.objects.filter(action__plan=plan)
    if visibles:
        lignes = lignes.filter(action__visible_du_public=True)
    debut = lignes.en_vigueur(fin).order_by("date_effet").values_list("date_effet", flat=True).first()
    decomptes: dict[date, Decompte] = decomptes_aux(plan, jalons(debut, fin), visibles=visibles)
    return [
        {
            "au": jour.isoformat(),
            "terminees": decompte.terminees,
            "en_cours": decompte.en_cours,
            "non_initiees": decompte.non_initiees,
            "inconnues": decompte.inconnues,
        }
        for jour, decompte in decomptes.items()
    ]


# --- Indicateurs --------------------------------------------------------------------------------


def _indicateurs(plan: Plan, annee: int) -> list[Contenu]:
    places = list(
        IndicateurDuPlan.objects.filter(plan=plan).select_related("indicateur__service", "indicateur__denominateur")
    )
    cles = [place.indicateur_id for place in places]
    valeurs = _valeurs(cles, annee)
    objectifs: dict[int, list[Cible]] = defaultdict(list)
    for cible in Cible.objects.filter(indicateur__in=cles, active=True).order_by("annee", "origine"):
        objectifs[cible.indicateur_id].append(cible)
    return [
        {
            "cle": place.indicateur.pk,
            "code": place.indicateur.code,
            "intitule": place.indicateur.intitule,
            "definition": place.indicateur.definition,
            "mode_de_calcul": place.indicateur.mode_de_calcul,
            "nature": place.indicateur.nature,
            "unite": place.indicateur.unite,
            "decimales": place.indicateur.decimales,
            "sens": place.indicateur.sens,
            "source": place.indicateur.source,
            "denominateur": place.indicateur.denominateur.intitule if place.indicateur.denominateur else "",
            "chiffre_cle": place.chiffre_cle,
            "service": place.indicateur.service.nom if place.indicateur.service else "",
            "valeurs": valeurs[place.indicateur_id],
            "objectifs": [
                {"annee": c.annee, "valeur": nombre(c.valeur), "origine": c.origine, "reference": c.reference}
                for c in objectifs[place.indicateur_id]
            ],
        }
        for place in places
    ]


def _valeurs(cles: Sequence[int], annee: int) -> defaultdict[int, list[Contenu]]:
    """Par indicateur, ses valeurs jusqu'à l'année du bilan."""
    lignes = list(
        ValeurAnnuelle.objects.avec_valeur()
        .filter(indicateur__in=cles, annee__lte=annee)
        .select_related("indicateur", "resultat")
        .defer("resultat__listes")
        .order_by("annee")
    )
    ventilations = _ventilations(lignes)
    par_indicateur: defaultdict[int, list[Contenu]] = defaultdict(list)
    for ligne in lignes:
        par_indicateur[ligne.indicateur_id].append(_valeur(ligne, ventilations.get(ligne.pk, [])))
    return par_indicateur


def _valeur(ligne: ValeurAnnuelle, ventilation: list[Contenu]) -> Contenu:
    calcul = ligne.resultat
    return {
        "annee": ligne.annee,
        "valeur": nombre(ligne.valeur),
        "numerateur": nombre(ligne.numerateur),
        "denominateur": nombre(ligne.denominateur_retenu) if ligne.numerateur is not None else None,
        "denominateur_propre": ligne.denominateur_propre,
        "indisponible": ligne.indisponible,
        "motif_indisponibilite": ligne.motif_indisponibilite,
        "etat": ligne.etat,
        "origine": ligne.origine,
        "connue_le": ligne.connue_le.isoformat(),
        "libelle": ligne.libelle,
        "remarque": ligne.remarque,
        "source": ligne.source,
        "rupture": ligne.rupture,
        "calcul": {
            "code": calcul.code,
            "version": calcul.version,
            "empreinte": calcul.empreinte,
            "le": calcul.calcule_le.astimezone(UTC).isoformat(timespec="seconds"),
        }
        if calcul
        else None,
        "ventilation": ventilation,
    }


def _ventilations(valeurs: Sequence[ValeurAnnuelle]) -> dict[int, list[Contenu]]:
    """Par valeur, ses dimensions et, dans leur ordre, leurs modalités."""
    lignes = LigneDeVentilation.objects.filter(valeur__in=[valeur.pk for valeur in valeurs])
    modalites: dict[tuple[int, str], list[Contenu]] = defaultdict(list)
    for ligne in lignes.select_related("dimension").order_by("dimension__nom", "ordre", "pk"):
        modalites[ligne.valeur_id, ligne.dimension.nom].append(
            {"modalite": ligne.modalite, "nombre": nombre(ligne.nombre)}
        )
    par_valeur: dict[int, list[Contenu]] = defaultdict(list)
    for (valeur, dimension), lignes_de in modalites.items():
        par_valeur[valeur].append({"dimension": dimension, "lignes": lignes_de})
    return par_valeur


def nombre(valeur: Decimal | None) -> str | None:
    """Un nombre, toujours écrit pareil : sans exposant ni zéros de fin (« 53 », « 25.3 ») ; null s'il n'y en a pas."""
    if valeur is None:
        return None
    entiere = valeur == valeur.to_integral_value()
    return format(valeur.quantize(Decimal(1)) if entiere else valeur.normalize(), "f")
