"""Ce qui distingue deux contenus d'un même bilan, objet par objet, une phrase chacun. Rien n'interroge la base.

Sert à dire ce qui a changé depuis l'arrêt, ou d'une version à l'autre. Les objets se reconnaissent à leur clé : un
intitulé corrigé est une différence, pas un objet parti et un autre venu. Ce qui se déduit du reste (les phrases de
« ce qui a changé dans l'année ») n'est pas comparé.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from actions.plans import LabelDePlan
from actions.statuts import Priorite, avancement_impose
from bilans.bilan import Section
from bilans.contenu.schema import (
    ActionLue,
    BilanLu,
    IndicateurLu,
    NoteLue,
    ObjectifLu,
    SortieLue,
    ValeurLue,
)
from bilans.differences import (
    Champ,
    Difference,
    apparier,
    calcul_retenu,
    cite,
    citer,
    differences_de,
    jour,
    libelle_dans,
    oui_non,
    passage,
    pour_cent,
    range_autrement,
    texte,
)
from indicateurs.listes import Nature, Sens
from socle.formats import formater_date, formater_nombre, formater_valeur


@dataclass(frozen=True)
class EcartDObjet:
    """Ce qui diffère d'un objet nommé : une action, un indicateur, un partenaire."""

    objet: str
    differences: list[Difference]


@dataclass(frozen=True)
class Rubrique:
    titre: str
    objets: list[EcartDObjet]


@dataclass(frozen=True)
class Ecarts:
    """Les seules rubriques où quelque chose diffère."""

    rubriques: list[Rubrique]

    @property
    def nombre(self) -> int:
        return sum(len(objet.differences) for rubrique in self.rubriques for objet in rubrique.objets)

    @property
    def phrases(self) -> list[str]:
        """« Action 7. Former les acheteurs. Statut : En cours → Terminée »."""
        return [
            f"{objet.objet}. {difference.phrase}"
            for rubrique in self.rubriques
            for objet in rubrique.objets
            for difference in objet.differences
        ]


def comparer(avant: BilanLu, apres: BilanLu) -> Ecarts:
    """De `avant` à `apres`, de la même portée, dans l'ordre de la page."""
    rubriques = [
        Rubrique("Le plan et les textes", [*_le_plan(avant, apres), *_les_textes(avant, apres)]),
        Rubrique("Actions", [*_les_actions(avant, apres), *_les_sorties(avant, apres)]),
        Rubrique("Axes et partenaires", [*_les_axes(avant, apres), *_les_partenaires(avant, apres)]),
        Rubrique("Indicateurs", list(_les_indicateurs(avant, apres))),
        Rubrique("Évolution des statuts", list(_l_evolution(avant, apres))),
    ]
    return Ecarts([Rubrique(r.titre, objets) for r in rubriques if (objets := [o for o in r.objets if o.differences])])


# --- Plan, textes --------------------------------------------------------------------------------

PLAN = (
    Champ("intitule", "Intitulé", cite),
    Champ("slug", "Adresse de la page"),
    Champ("label", "Appelé", libelle_dans(LabelDePlan)),
    Champ("titre_avancement", "Titre de l'avancement", cite),
    Champ("description", "Description", cite),
    Champ("annee_debut", "Première année"),
    Champ("annee_fin", "Dernière année"),
    Champ("affiche_avancement", "Avancement en % affiché", oui_non),
)
BILAN = (Champ("collectivite", "Collectivité", cite), Champ("au", "Situation au", jour))


def _le_plan(avant: BilanLu, apres: BilanLu) -> list[EcartDObjet]:
    differences = [*differences_de(PLAN, avant.plan, apres.plan), *differences_de(BILAN, avant, apres)]
    return [EcartDObjet("Le plan", differences)]


def _les_textes(avant: BilanLu, apres: BilanLu) -> list[EcartDObjet]:
    differences = differences_de([Champ("avant_propos", "Avant-propos", cite)], avant, apres)
    for section in Section:
        de, a = (bilan.commentaires.get(section.value, "") for bilan in (avant, apres))
        if de != a:
            differences.append(passage(f"Commentaire, {section.label.lower()}", de, a, cite))
    return [EcartDObjet("Les textes", differences)]


# --- Actions -------------------------------------------------------------------------------------

ACTION = (
    Champ("numero", "Numéro"),
    Champ("intitule", "Intitulé", cite),
    Champ("description", "Description", cite),
    Champ("statut", "Statut", lambda statut: statut.label if statut else "inconnu"),
    Champ("depuis", "Date d'effet du statut", jour),
    Champ("avancement", "Avancement", pour_cent),
    # Renommer un axe se dit de l'axe, pas de chacune de ses actions.
    Champ("axe", "Axe", texte, cle=lambda axe: axe and axe.cle),
    Champ("visible", "Visible du public", oui_non),
    Champ("service", "Service pilote"),
    Champ("priorite", "Priorité", libelle_dans(Priorite)),
    Champ("echeance", "Échéance", lambda echeance: str(echeance) if echeance else "aucune"),
)
SORTIE = (Champ("intitule", "Intitulé", cite), Champ("le", "Retirée le", jour), Champ("motif", "Motif", cite))


def _les_actions(avant: BilanLu, apres: BilanLu) -> Iterable[EcartDObjet]:
    retirees = {sortie.numero: sortie for sortie in apres.sorties}
    for _, de, a in apparier(avant.actions, apres.actions, lambda action: action.cle):
        nom = _nom_de(a or de)
        if de is None:
            yield EcartDObjet(nom, [Difference("Action ajoutée")])
        elif a is None:
            sortie = retirees.get(de.numero) if de else None
            yield EcartDObjet(nom, [_retrait(sortie) if sortie else Difference("Action qui n'y est plus")])
        else:
            yield EcartDObjet(
                nom,
                [
                    *differences_de(_a_comparer(de, a), de, a),
                    *_partenaires_de(de, a),
                    *_notes("Note", de.notes, a.notes),
                    *_notes("Note interne", de.notes_internes, a.notes_internes),
                ],
            )


def _a_comparer(avant: ActionLue, apres: ActionLue) -> Iterable[Champ]:
    """L'avancement que le nouveau statut impose, ou qu'il laisse vide, se dit avec lui."""
    impose = avant.statut != apres.statut and apres.avancement == avancement_impose(apres.statut)
    return (champ for champ in ACTION if not (impose and champ.nom == "avancement"))


def _nom_de(action: ActionLue | None) -> str:
    return f"Action {action.numero}. {action.intitule}" if action else ""


def _partenaires_de(avant: ActionLue, apres: ActionLue) -> Iterable[Difference]:
    for _, de, a in apparier(avant.partenaires, apres.partenaires, lambda partenaire: partenaire.cle):
        if de is None:
            yield Difference(f"Partenaire ajouté : {a}")
        elif a is None:
            yield Difference(f"Partenaire retiré : {de}")
    if range_autrement(avant.partenaires, apres.partenaires):
        yield Difference("L'ordre des partenaires a changé")


def _notes(nom: str, avant: Sequence[NoteLue], apres: Sequence[NoteLue]) -> Iterable[Difference]:
    parties, venues = Counter(avant) - Counter(apres), Counter(apres) - Counter(avant)
    for note in parties.elements():
        yield citer(f"{nom} du {formater_date(note.le)} retirée", note.texte, parti=True)
    for note in venues.elements():
        yield citer(f"{nom} du {formater_date(note.le)} ajoutée", note.texte)


def _retrait(sortie: SortieLue) -> Difference:
    return citer(f"Retirée le {formater_date(sortie.le)}", sortie.motif or sortie.intitule)


def _les_sorties(avant: BilanLu, apres: BilanLu) -> Iterable[EcartDObjet]:
    """Sauf d'une action partie ou venue : `_les_actions` l'a dit."""
    parties_ou_venues = {action.numero for action in avant.actions} ^ {action.numero for action in apres.actions}
    for numero, de, a in apparier(avant.sorties, apres.sorties, lambda sortie: sortie.numero):
        nom = f"Retrait de l'action {numero}"
        if (de is None or a is None) and numero in parties_ou_venues:
            continue
        if de is None and a is not None:
            yield EcartDObjet(nom, [_retrait(a)])
        elif a is None:
            yield EcartDObjet(nom, [Difference("Elle n'est plus parmi les actions retirées dans l'année")])
        else:
            yield EcartDObjet(nom, differences_de(SORTIE, de, a))


# --- Axes, partenaires ---------------------------------------------------------------------------

AXE = (Champ("code", "Code"), Champ("intitule", "Intitulé", cite))
PARTENAIRE = (
    Champ("nom", "Nom", cite),
    Champ("sigle", "Sigle"),
    Champ("type", "Type"),
    Champ("site", "Site"),
    Champ("du_plan", "Cité par le plan", oui_non),
)


def _les_axes(avant: BilanLu, apres: BilanLu) -> list[EcartDObjet]:
    return _objets("Axe", AXE, avant.axes, apres.axes, "des axes")


def _les_partenaires(avant: BilanLu, apres: BilanLu) -> list[EcartDObjet]:
    return _objets("Partenaire", PARTENAIRE, avant.partenaires, apres.partenaires, "des partenaires")


def _objets(
    sorte: str, champs: Iterable[Champ], avant: Sequence[Any], apres: Sequence[Any], de_quoi: str
) -> list[EcartDObjet]:
    """Des objets qui n'ont que des champs simples : venus, partis, changés, rangés autrement."""
    ecarts = []
    for _, de, a in apparier(avant, apres, lambda objet: objet.cle):
        if de is None:
            differences = [Difference(f"{sorte} ajouté")]
        elif a is None:
            differences = [Difference(f"{sorte} retiré")]
        else:
            differences = differences_de(champs, de, a)
        ecarts.append(EcartDObjet(f"{sorte} « {a or de} »", differences))
    if range_autrement(avant, apres):
        ecarts.append(EcartDObjet(f"{sorte}s", [Difference(f"L'ordre {de_quoi} a changé")]))
    return ecarts


# --- Indicateurs ---------------------------------------------------------------------------------

INDICATEUR = (
    Champ("code", "Code"),
    Champ("intitule", "Intitulé", cite),
    Champ("definition", "Définition", cite),
    Champ("mode_de_calcul", "Mode de calcul", cite),
    Champ("nature", "Nature", libelle_dans(Nature)),
    Champ("unite", "Unité"),
    Champ("decimales", "Décimales"),
    Champ("sens", "Sens", libelle_dans(Sens)),
    Champ("source", "Source", cite),
    Champ("denominateur", "Dénominateur", cite),
    Champ("chiffre_cle", "Chiffre clé", oui_non),
    Champ("service", "Service producteur"),
)
# Le chiffre se compare en entier : voir `_chiffre`.
VALEUR = (
    Champ("etat", "État", lambda etat: etat.label),
    Champ("origine", "Origine", lambda origine: origine.label),
    Champ("connue_le", "Connue le", jour),
    Champ("libelle", "Texte sous le chiffre", cite),
    Champ("remarque", "Remarque", cite),
    Champ("source", "Source", cite),
    Champ("rupture", "Rupture de série", cite),
    Champ("calcul", "Calcul retenu", calcul_retenu),
)
OBJECTIF = (
    Champ("valeur", "Valeur", formater_nombre),
    Champ("reference", "Référence", cite),
    Champ("active", "Actif", oui_non),
)


def _les_indicateurs(avant: BilanLu, apres: BilanLu) -> Iterable[EcartDObjet]:
    for _, de, a in apparier(avant.indicateurs, apres.indicateurs, lambda indicateur: indicateur.cle):
        nom = f"Indicateur « {a or de} »"
        if de is None:
            yield EcartDObjet(nom, [Difference("Indicateur ajouté")])
        elif a is None:
            yield EcartDObjet(nom, [Difference("Indicateur retiré")])
        else:
            yield EcartDObjet(nom, [*differences_de(INDICATEUR, de, a), *_les_valeurs(de, a), *_les_objectifs(de, a)])
    if range_autrement(avant.indicateurs, apres.indicateurs):
        yield EcartDObjet("Indicateurs", [Difference("L'ordre des indicateurs a changé")])


def _les_valeurs(avant: IndicateurLu, apres: IndicateurLu) -> Iterable[Difference]:
    for annee, de, a in apparier(avant.valeurs, apres.valeurs, lambda valeur: valeur.annee):
        sujet = f"Valeur {annee}"
        if de is None and a is not None:
            yield Difference(f"{sujet} ajoutée : {a.detail}")
        elif de is not None and a is None:
            yield Difference(f"{sujet} retirée : {de.detail}")
        elif de is not None and a is not None:
            if _chiffre(de) != _chiffre(a):
                yield Difference(f"{sujet} : {de.detail} → {a.detail}")
            yield from differences_de(VALEUR, de, a, sujet)
            yield from _la_ventilation(sujet, de, a)


def _chiffre(valeur: ValeurLue) -> tuple[Any, ...]:
    """Ce qui fait le chiffre : changer d'unité n'est pas changer de chiffre."""
    return (
        *(valeur.valeur, valeur.numerateur, valeur.denominateur_retenu, valeur.denominateur_propre),
        *(valeur.indisponible, valeur.motif_indisponibilite),
    )


def _la_ventilation(sujet: str, avant: ValeurLue, apres: ValeurLue) -> Iterable[Difference]:
    de, a = _modalites(avant.ventilation), _modalites(apres.ventilation)
    for dimension, modalite in sorted({*de, *a}):
        nombres = [formater_nombre(cote.get((dimension, modalite))) for cote in (de, a)]
        if de.get((dimension, modalite)) != a.get((dimension, modalite)):
            yield Difference(f"{sujet}, {dimension}, {modalite} : {' → '.join(nombres)}")


def _modalites(ventilation: Mapping[str, Mapping[str, Decimal]]) -> dict[tuple[str, str], Decimal]:
    return {(dimension, modalite): n for dimension, lignes in ventilation.items() for modalite, n in lignes.items()}


def _les_objectifs(avant: IndicateurLu, apres: IndicateurLu) -> Iterable[Difference]:
    def identite(objectif: ObjectifLu) -> tuple[int, str]:
        return objectif.annee, objectif.origine.label

    for (annee, origine), de, a in apparier(avant.objectifs, apres.objectifs, identite):
        sujet = f"Objectif {annee} ({origine.lower()})"
        if de is None and a is not None:
            yield Difference(f"{sujet} ajouté : {formater_valeur(a.valeur, apres.unite)}")
        elif de is not None and a is None:
            yield Difference(f"{sujet} retiré : {formater_valeur(de.valeur, avant.unite)}")
        else:
            yield from differences_de(OBJECTIF, de, a, sujet)


# --- Évolution -----------------------------------------------------------------------------------


def _l_evolution(avant: BilanLu, apres: BilanLu) -> Iterable[EcartDObjet]:
    for le in sorted({*avant.evolution, *apres.evolution}):
        de, a = (cote.evolution.get(le) for cote in (avant, apres))
        if de != a:
            phrases = [decompte.phrase if decompte else "rien" for decompte in (de, a)]
            yield EcartDObjet(f"Au {formater_date(le)}", [Difference(" → ".join(phrases))])
