"""Ce qui a changé dans un plan entre deux dates, une phrase par changement, sans nom de personne.

Les statuts, les échéances, les entrées et sorties, les notes viennent d'`actions.mouvements` : deux états comparés,
ce qui est revenu n'a pas bougé. Les valeurs viennent de `bilans.valeurs_changees`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db import models
from django.db.models import Min

from actions.journaux import ChangementDeStatut
from actions.models import Action, Plan
from actions.mouvements import Deplacement, EcheanceChangee, Mouvements, PassageDeStatut, mouvements
from actions.statuts import Mouvement, Statut
from bilans.valeurs_changees import ValeurChangee, valeurs_changees
from socle.formats import formater_date, typographie


class NatureDeChangement(models.TextChoices):
    STATUT = "STATUT", "Statuts"
    ENTREE = "ENTREE", "Entrées au plan"
    SORTIE = "SORTIE", "Sorties du plan"
    ECHEANCE = "ECHEANCE", "Échéances"
    NOTE = "NOTE", "Notes"
    VALEUR = "VALEUR", "Valeurs"


@dataclass(frozen=True)
class Changement:
    """Un changement, en une phrase sans nom de personne. `numero` : celui de l'action ; None pour une valeur.

    `sujet` : ce par quoi la phrase commence, l'action ou l'indicateur dont `adresse` est la page.
    """

    nature: NatureDeChangement
    numero: int | None
    phrase: str
    adresse: str = ""
    sujet: str = ""

    @property
    def suite(self) -> str:
        """La phrase après son sujet."""
        return self.phrase.removeprefix(self.sujet)


def changements(plan: Plan, depuis: date, jusqu_au: date) -> list[Changement]:
    """Après `depuis` et jusqu'à `jusqu_au` compris, par nature puis dans l'ordre du plan.

    Un nombre constant de requêtes.
    """
    return changements_connus(plan, premier_jour_connu(plan), depuis, jusqu_au)


def changements_connus(plan: Plan, debut: date | None, depuis: date, jusqu_au: date) -> list[Changement]:
    """Comme `changements`. `debut` : le premier jour connu du plan ; avant lui rien ne se compare, et ses premières
    lignes n'ont rien changé."""
    dits = [_dire_la_valeur(valeur) for valeur in valeurs_changees(plan, depuis, jusqu_au)]
    if debut and debut < jusqu_au:
        dits += _des_actions(plan, mouvements(plan, max(debut, depuis), jusqu_au))
    ordre = list(NatureDeChangement)
    return sorted(dits, key=lambda dit: (ordre.index(dit.nature), dit.numero or 0))


def premier_jour_connu(plan: Plan) -> date | None:
    """La première date d'effet d'un statut du plan (une date corrigée ne compte plus) ; None s'il n'y en a jamais
    eu."""
    lignes = ChangementDeStatut.objects.filter(action__plan=plan).en_vigueur()
    return lignes.aggregate(premier=Min("date_effet"))["premier"]


def _des_actions(plan: Plan, vus: Mouvements) -> Iterator[Changement]:
    jours = _statuts_pris_le(vus) if vus.passages else {}
    for passage in vus.passages:
        for action in passage.actions:
            yield _dire(NatureDeChangement.STATUT, action, _passage(passage, jours.get(action.pk)))
    for entree in vus.entrees:
        yield _dire(NatureDeChangement.ENTREE, entree.action, _entree(entree))
    for sortie in vus.sorties:
        retiree = f"retirée du plan le {formater_date(sortie.ligne.date_effet)}{_motif(sortie.ligne.motif)}"
        yield _dire(NatureDeChangement.SORTIE, sortie.action, retiree)
    for changee in vus.echeances:
        yield _dire(NatureDeChangement.ECHEANCE, changee.action, _echeance(changee))
    for dites in vus.notes:
        for breve in dites.notes:
            note = f"note du {formater_date(breve.note.date)}, {breve.phrase}"
            yield _dire(NatureDeChangement.NOTE, dites.action, note)


def _dire_la_valeur(valeur: ValeurChangee) -> Changement:
    indicateur = valeur.indicateur
    return Changement(
        NatureDeChangement.VALEUR,
        None,
        typographie(valeur.phrase),
        indicateur.get_absolute_url(),
        typographie(str(indicateur)),
    )


def _dire(nature: NatureDeChangement, action: Action, quoi: str) -> Changement:
    """« Action 7 « Participer à la gouvernance du RES'OCC » : … » ; le point final ne se double pas."""
    sujet = f"Action {action.numero} « {_sans_point(action.intitule)} »"
    fin = "" if quoi.endswith((".", "!", "?", "…")) else "."
    phrase = f"{sujet} : {quoi}{fin}"
    return Changement(nature, action.numero, typographie(phrase), action.get_absolute_url(), typographie(sujet))


def _sans_point(texte: str) -> str:
    return texte.rstrip(". ")


def _motif(texte: str) -> str:
    return f", motif : « {_sans_point(texte)} »" if texte else ""


def _passage(passage: PassageDeStatut, le: date | None) -> str:
    jour = f" le {formater_date(le)}" if le else ""
    apres = _statut(passage.apres)
    if passage.avant is None:
        return f"statut connu{jour}, {apres}"
    return f"passée de {_statut(passage.avant)} à {apres}{jour}"


def _statut(statut: Statut | str | None) -> str:
    return f"« {Statut(statut).label} »" if statut else "statut inconnu"


def _entree(entree: Deplacement) -> str:
    jour = formater_date(entree.ligne.date_effet)
    verbe = "revenue" if entree.ligne.mouvement == Mouvement.RETOUR else "entrée"
    statut = f", {_statut(entree.action.etat_statut)}" if entree.action.etat_statut else ""
    return f"{verbe} au plan le {jour}{statut}{_motif(entree.ligne.motif)}"


def _echeance(changee: EcheanceChangee) -> str:
    """« échéance repoussée de T2 2025 à 2026 (+ 549 jours), motif : « … » »."""
    decalage = changee.histoire.decalage or 0
    verbe = "repoussée" if decalage > 0 else "avancée" if decalage < 0 else "changée"
    return f"échéance {verbe} {changee.phrase}{_motif(' ; '.join(map(_sans_point, changee.motifs)))}"


def _statuts_pris_le(vus: Mouvements) -> dict[int, date]:
    """Par action passée d'un statut à un autre, le jour où elle a pris celui qu'elle a. Une requête."""
    passees = [action.pk for passage in vus.passages for action in passage.actions]
    pris = Action.objects.filter(pk__in=passees).annotate(pris_le=ChangementDeStatut.pris_le(vus.jusqu_au))
    return dict(pris.values_list("pk", "pris_le"))
