"""Le bilan en .docx, pour qui le colle dans son rapport : la structure de la page imprimée, en styles de Word.

Pur : tout vient du contenu lu, rien n'interroge la base. python-docx n'est importé qu'au moment de s'en servir.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from actions.statuts import Statut
from bilans.bilan import Section
from bilans.changements import NatureDeChangement
from bilans.contenu.schema import ActionLue, BilanLu, IndicateurLu, ObjectifLu, Portee, ValeurLue
from bilans.rendu_docx_styles import (
    CHIFFRE,
    PRECISION,
    SOUS_CHIFFRE,
    ecrire_le_pied,
    ecrire_les_proprietes,
    mettre_en_page,
    repeter_l_entete,
)
from indicateurs.listes import Etat, OrigineDeCible
from socle.formats import ABSENT, formater_date, formater_date_longue, formater_valeur, typographie

if TYPE_CHECKING:
    from docx.document import Document

SECTIONS_DES_STATUTS = {
    Statut.TERMINEE: Section.TERMINEES,
    Statut.EN_COURS: Section.EN_COURS,
    Statut.NON_INITIEE: Section.NON_INITIEES,
}
BROUILLON = "Brouillon : rien n'est arrêté, ce contenu peut encore changer."
# Ce qu'un fichier XML ne peut pas tenir, et qu'un texte collé contient parfois.
_INTERDITS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def ecrire_docx(lu: BilanLu, *, empreinte: str = "") -> bytes:
    """Les octets du document. `empreinte` : le SHA-256 du contenu arrêté, en hexadécimal ; vide pour un brouillon."""
    from docx import Document

    document = Document()
    mettre_en_page(document)
    ecrire_les_proprietes(document, lu)
    ecrire_le_pied(document, lu, BROUILLON if lu.brouillon else "")
    _Redaction(document, lu).ecrire(empreinte)
    tampon = io.BytesIO()
    document.save(tampon)
    return tampon.getvalue()


def _net(texte: object) -> str:
    """Le texte tel qu'écrit, aux espaces près (`typographie`), sans les signes qu'un document refuse."""
    return typographie(_INTERDITS.sub("", str(texte)))


class _Redaction:
    """Le corps du document, de haut en bas."""

    def __init__(self, document: "Document", lu: BilanLu) -> None:
        self.document, self.lu = document, lu
        self.interne = lu.portee is Portee.INTERNE
        # python-docx relit tous les styles à chaque paragraphe qui en nomme un : les quatre cinquièmes de son temps.
        self.styles = {style.name: style.style_id for style in document.styles}

    def ecrire(self, empreinte: str) -> None:
        self._titre()
        self._avancement()
        self._partenaires()
        self._chiffres()
        self._tableaux()
        if self.interne:
            self._interne()
        self._attestation(empreinte)

    # --- Ce qu'on écrit partout -----------------------------------------------------------------

    def _titrer(self, texte: str, niveau: int) -> None:
        self._ecrire(texte, f"Heading {niveau}")

    def _ecrire(self, texte: object, style: str = "Normal") -> None:
        paragraphe: Any = self.document.add_paragraph(_net(texte))
        if style != "Normal":
            paragraphe._p.style = self.styles[style]

    def _developper(self, texte: str, style: str = "Normal") -> None:
        """Un paragraphe par bloc de lignes ; un retour à la ligne reste un retour à la ligne."""
        for bloc in re.split(r"\n\s*\n", texte.replace("\r\n", "\n").strip()):
            if bloc.strip():
                self._ecrire(bloc.strip(), style)

    def _commenter(self, section: Section) -> None:
        self._developper(self.lu.commentaires.get(section.value, ""))

    def _nommer(self, mot: str, texte: str) -> None:
        """« Mot : texte », le mot en gras."""
        paragraphe = self.document.add_paragraph()
        paragraphe.add_run(_net(f"{mot} :")).bold = True
        paragraphe.add_run(f" {_net(texte)}")

    def _tableau(self, legende: str, entetes: Sequence[str], lignes: Iterable[Sequence[str]]) -> None:
        """Sa première ligne se répète en haut de chaque page ; une rangée ne se coupe pas."""
        tableau: Any = self.document.add_table(rows=0, cols=len(entetes), style="Table Grid")
        for rang, ligne in enumerate([entetes, *lignes]):
            rangee = tableau.add_row()
            for cellule, texte in zip(rangee.cells, ligne, strict=True):
                morceau = cellule.paragraphs[0].add_run(_net(texte))
                morceau.bold = rang == 0
        repeter_l_entete(tableau, _net(legende))
        # Deux tableaux qui se touchent n'en feraient qu'un.
        self._ecrire("")

    # --- De haut en bas -------------------------------------------------------------------------

    def _titre(self) -> None:
        self._ecrire(self.lu.plan.intitule.upper(), "Title")
        etat = "Brouillon" if self.lu.brouillon else f"Arrêté le {formater_date_longue(self.lu.arrete_le)}"
        morceaux = [self.lu.collectivite, f"Bilan {self.lu.annee}", f"Situation au {formater_date_longue(self.lu.au)}"]
        self._ecrire(" · ".join(filter(None, [*morceaux, etat, "Contenu interne" if self.interne else ""])), PRECISION)
        self._developper(self.lu.avant_propos)

    def _avancement(self) -> None:
        self._titrer(self.lu.plan.titre_avancement, 1)
        self._ecrire(f"{self.lu.decompte.phrase}.")
        for statut, section in SECTIONS_DES_STATUTS.items():
            self._titrer(section.label.upper(), 2)
            self._commenter(section)
            actions = self.lu.de_statut(statut)
            self._actions(actions)
            if not actions:
                self._ecrire(f"Aucune action {statut.label.lower()}.")
        inconnues = self.lu.de_statut(None)
        if inconnues:
            self._titrer("ACTIONS DE STATUT INCONNU", 2)
            self._actions(inconnues)

    def _actions(self, actions: Sequence[ActionLue]) -> None:
        """Par axe, dans l'ordre du plan ; sans titre si le plan n'a pas d'axe."""
        if not self.lu.axes:
            for action in actions:
                self._action(action)
            return
        for axe in [*self.lu.axes, None]:
            siennes = [action for action in actions if action.axe == axe]
            if siennes:
                self._titrer(str(axe or "Sans axe"), 3)
            for action in siennes:
                self._action(action)

    def _action(self, action: ActionLue) -> None:
        montre = self.lu.plan.affiche_avancement and action.statut is Statut.EN_COURS and action.avancement is not None
        avance = f" ({formater_valeur(action.avancement, '%')})" if montre else ""
        self._ecrire(f"{action.intitule}{avance}", "List Bullet")
        self._developper(action.description, "List Continue")
        if action.partenaires:
            self._ecrire(f"Avec {', '.join(map(str, action.partenaires))}", "List Continue")
        for note in action.notes:
            self._developper(f"{formater_date(note.le)} : {note.texte}", "List Continue")
        if self.interne:
            self._ecrire(f"Interne : {' · '.join(self._precisions_internes(action))}", "List Continue")
            for note in action.notes_internes:
                self._developper(f"Note interne du {formater_date(note.le)} : {note.texte}", "List Continue")

    def _precisions_internes(self, action: ActionLue) -> Iterator[str]:
        yield f"action n° {action.numero}"
        if action.depuis:
            yield f"depuis le {formater_date(action.depuis)}"
        yield action.service or "sans service pilote"
        yield f"échéance {action.echeance}" if action.echeance else "sans échéance"
        if action.en_retard(self.lu.au):
            yield "en retard"
        if not action.visible:
            yield "non visible du public"

    def _partenaires(self) -> None:
        noms = ", ".join(map(str, self.lu.partenaires_du_plan))
        self._nommer("Partenaires", noms or "aucun n'est cité par le plan.")
        self._commenter(Section.PARTENAIRES)

    def _chiffres(self) -> None:
        for indicateur in self.lu.chiffres_cles:
            valeur = indicateur.valeur_de(self.lu.annee)
            self._ecrire(valeur.chiffre_avec_symbole if valeur else ABSENT, CHIFFRE)
            texte = valeur.libelle if valeur and valeur.libelle else f"{indicateur.intitule}, {self.lu.annee}"
            self._ecrire(texte, SOUS_CHIFFRE)
            precision = self._precision(valeur)
            if precision:
                self._ecrire(precision, PRECISION)
        self._commenter(Section.CHIFFRES)

    def _precision(self, valeur: ValeurLue | None) -> str:
        if valeur is None:
            return f"Non renseigné pour {self.lu.annee}"
        if valeur.valeur_retenue is None:
            return valeur.detail if valeur.indisponible else f"{valeur.parts} : dénominateur non renseigné"
        return "Valeur provisoire" if valeur.provisoire else ""

    # --- Les tableaux ---------------------------------------------------------------------------

    def _tableaux(self) -> None:
        if not (self.lu.evolution or self.lu.indicateurs):
            return
        self._titrer("Tableaux", 1)
        self._commenter(Section.GRAPHIQUES)
        if self.lu.evolution:
            self._titrer("Statuts des actions", 2)
            self._evolution()
        for indicateur in self.lu.indicateurs:
            self._titrer(indicateur.intitule, 2)
            self._indicateur(indicateur)

    def _evolution(self) -> None:
        lignes = [
            [formater_date(jour), *map(str, decompte.par_statut().values()), str(decompte.inconnues)]
            for jour, decompte in self.lu.evolution.items()
        ]
        entetes = ["Au", *(statut.libelle_pluriel.capitalize() for statut in Statut), "Statut inconnu"]
        if not any(decompte.inconnues for decompte in self.lu.evolution.values()):
            entetes, lignes = entetes[:-1], [ligne[:-1] for ligne in lignes]
        self._tableau("Nombre d'actions du plan par statut", entetes, lignes)

    def _indicateur(self, indicateur: IndicateurLu) -> None:
        annees = sorted({v.annee for v in indicateur.valeurs} | {o.annee for o in indicateur.objectifs})
        if annees:
            entetes = ["Année", "Valeur", "Objectif", "État", "Provenance"]
            lignes = [self._annee(indicateur, annee) for annee in annees]
            if not indicateur.objectifs:
                entetes, lignes = _sans_colonne(entetes, 2), [_sans_colonne(ligne, 2) for ligne in lignes]
            self._tableau(f"{indicateur.intitule}, par année", entetes, lignes)
        else:
            self._ecrire("Aucune valeur n'est renseignée.")
        for mot, texte in self._methode(indicateur):
            self._nommer(mot, texte)
        for valeur in indicateur.valeurs:
            for dimension, modalites in valeur.ventilation.items():
                lignes = [[nom, formater_valeur(nombre)] for nom, nombre in modalites.items()]
                self._tableau(
                    f"{indicateur.intitule}, {valeur.annee}, {dimension}",
                    [f"{dimension}, {valeur.annee}", "Nombre"],
                    lignes,
                )

    @staticmethod
    def _methode(indicateur: IndicateurLu) -> list[tuple[str, str]]:
        lignes = [
            ("Définition", indicateur.definition),
            ("Mode de calcul", indicateur.mode_de_calcul),
            ("Dénominateur", indicateur.denominateur),
            ("Source", indicateur.source),
        ]
        return [(mot, texte) for mot, texte in lignes if texte]

    def _annee(self, indicateur: IndicateurLu, annee: int) -> list[str]:
        valeur = indicateur.valeur_de(annee)
        objectifs = [_objectif(o, indicateur.unite) for o in indicateur.objectifs if o.annee == annee]
        return [
            str(annee),
            _valeur(valeur),
            " ; ".join(objectifs) or ABSENT,
            Etat(valeur.etat).label if valeur else ABSENT,
            _provenance(valeur),
        ]

    # --- La fin ---------------------------------------------------------------------------------

    def _interne(self) -> None:
        self._titrer("Interne : ce que le public ne voit pas", 1)
        if self.lu.motif:
            self._nommer("Motif de cette version", self.lu.motif)
        self._titrer(f"Actions retirées du plan en {self.lu.annee}", 2)
        for sortie in self.lu.sorties:
            motif = f" : {sortie.motif}" if sortie.motif else ""
            retiree = f"n° {sortie.numero} {sortie.intitule}, retirée le {formater_date(sortie.le)}{motif}"
            self._ecrire(retiree, "List Bullet")
        if not self.lu.sorties:
            self._ecrire("Aucune.")
        self._titrer("Ce qui a changé dans l'année", 2)
        for nature, dits in groupby(self.lu.changements, lambda dit: dit.nature):
            self._titrer(NatureDeChangement(nature).label, 3)
            for dit in dits:
                self._ecrire(dit.phrase, "List Bullet")
        if not self.lu.changements:
            self._ecrire("Aucun changement.")

    def _attestation(self, empreinte: str) -> None:
        if self.lu.brouillon:
            self._ecrire(BROUILLON, PRECISION)
            return
        sceau = f" Empreinte SHA-256 du contenu {self.lu.portee.value} : {empreinte}" if empreinte else ""
        self._ecrire(f"Arrêté le {formater_date_longue(self.lu.arrete_le)}, version {self.lu.rang}.{sceau}", PRECISION)


def _sans_colonne(ligne: Sequence[str], rang: int) -> list[str]:
    return [*ligne[:rang], *ligne[rang + 1 :]]


def _valeur(valeur: ValeurLue | None) -> str:
    """« 42 / 166 = 25,3 % », « 53 % (numérateur non publié) » ou « — »."""
    if valeur is None:
        return ABSENT
    parts = f" ({valeur.parts})" if valeur.numerateur is None and valeur.parts else ""
    return f"{valeur.detail}{parts}"


def _objectif(objectif: ObjectifLu, unite: str) -> str:
    """« 30 % », « 20 % (obligation, article 35) »."""
    precisions = [] if objectif.origine == OrigineDeCible.PLAN else [OrigineDeCible(objectif.origine).label.lower()]
    precisions += [objectif.reference] if objectif.reference else []
    ecrit = formater_valeur(objectif.valeur, unite)
    return f"{ecrit} ({', '.join(precisions)})" if precisions else ecrit


def _provenance(valeur: ValeurLue | None) -> str:
    """La source, le calcul, puis la rupture de série et la remarque, chacun sur sa ligne."""
    if valeur is None:
        return ABSENT
    calcul = f", calcul {valeur.calcul.code}, version {valeur.calcul.version}" if valeur.calcul else ""
    rupture = f"Rupture de série : {valeur.rupture}" if valeur.rupture else ""
    return "\n".join(filter(None, [f"{valeur.provenance}{calcul}", rupture, valeur.remarque]))
