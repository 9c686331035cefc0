"""Le bilan en .docx, pour qui le colle dans son rapport : la structure de la page imprimée, en styles de Word.

Pur : tout vient du contenu lu, rien n'interroge la base. python-docx n'est importé qu'au moment de s'en servir.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from actions.statuts import Statut
from bilans.contenu.schema import BilanLu
from bilans.rendu.page import (
    ChiffreEnGrand,
    FicheDIndicateur,
    LigneDAction,
    LigneDAnnee,
    PageDeBilan,
    SectionDActions,
    preparer,
)
from bilans.rendu_docx_styles import (
    CHIFFRE,
    PRECISION,
    SOUS_CHIFFRE,
    ecrire_le_pied,
    ecrire_les_proprietes,
    mettre_en_page,
    regler_le_tableau,
)
from socle.formats import ABSENT, INDICIBLES_EN_XML, formater_date, formater_date_longue, formater_valeur, typographie

if TYPE_CHECKING:
    from docx.document import Document

BROUILLON = "Brouillon : rien n'est arrêté, ce contenu peut encore changer."
# En centimètres ; la page en offre 16,6.
LARGEURS_DES_ANNEES = {"Année": 1.8, "Valeur": 4.0, "Objectif": 4.3, "État": 2.2, "Provenance": 4.3}
LARGEURS_DES_MODALITES = (9.0, 3.0)


def ecrire_docx(lu: BilanLu, *, empreinte: str = "") -> bytes:
    """Les octets du document. `empreinte` : le SHA-256 du contenu arrêté, en hexadécimal ; vide pour un brouillon."""
    from docx import Document

    document = Document()
    mettre_en_page(document)
    ecrire_les_proprietes(document, lu)
    ecrire_le_pied(document, lu, BROUILLON if lu.brouillon else "")
    _Redaction(document, preparer(lu)).ecrire(empreinte)
    tampon = io.BytesIO()
    document.save(tampon)
    return tampon.getvalue()


def _net(texte: object) -> str:
    """Le texte tel qu'écrit, aux espaces près (`typographie`), sans les signes qu'un document refuse."""
    return typographie(INDICIBLES_EN_XML.sub("", str(texte)))


class _Redaction:
    """Le corps du document, de haut en bas."""

    def __init__(self, document: "Document", page: PageDeBilan) -> None:
        self.document, self.page, self.lu = document, page, page.lu
        # python-docx relit tous les styles à chaque paragraphe qui en nomme un : les quatre cinquièmes de son temps.
        self.styles = {style.name: style.style_id for style in document.styles}

    def ecrire(self, empreinte: str) -> None:
        self._titre()
        self._avancement()
        self._partenaires()
        self._chiffres()
        self._tableaux()
        if self.page.interne:
            self._interne()
        self._attestation(empreinte)

    # --- Ce qu'on écrit partout -----------------------------------------------------------------

    def _titrer(self, texte: str, niveau: int) -> None:
        self._ecrire(texte, f"Heading {niveau}")

    def _ecrire(self, texte: object, style: str = "Normal") -> Any:
        paragraphe: Any = self.document.add_paragraph(_net(texte))
        if style != "Normal":
            paragraphe._p.style = self.styles[style]
        return paragraphe

    def _developper(self, texte: str, style: str = "Normal") -> None:
        """Un paragraphe par bloc de lignes ; un retour à la ligne reste un retour à la ligne."""
        for bloc in re.split(r"\n\s*\n", texte.replace("\r\n", "\n").strip()):
            if bloc.strip():
                self._ecrire(bloc.strip(), style)

    def _nommer(self, mot: str, texte: str) -> None:
        """« Mot : texte », le mot en gras."""
        paragraphe = self.document.add_paragraph()
        paragraphe.add_run(_net(f"{mot} :")).bold = True
        paragraphe.add_run(f" {_net(texte)}")

    def _tableau(
        self, legende: str, entetes: Sequence[str], lignes: Iterable[Sequence[str]], largeurs: Sequence[float] = ()
    ) -> None:
        """Sa première ligne se répète en haut de chaque page ; une rangée ne se coupe pas. `largeurs` : celles de ses
        colonnes, en centimètres ; vide, elles sont égales."""
        tableau: Any = self.document.add_table(rows=0, cols=len(entetes), style="Table Grid")
        for rang, ligne in enumerate([entetes, *lignes]):
            rangee = tableau.add_row()
            for cellule, texte in zip(rangee.cells, ligne, strict=True):
                morceau = cellule.paragraphs[0].add_run(_net(texte))
                morceau.bold = rang == 0
        regler_le_tableau(tableau, _net(legende), largeurs)
        # Deux tableaux qui se touchent n'en feraient qu'un.
        self._ecrire("")

    # --- De haut en bas -------------------------------------------------------------------------

    def _titre(self) -> None:
        self._ecrire(self.lu.plan.intitule.upper(), "Title")
        etat = "Brouillon" if self.lu.brouillon else f"Arrêté le {formater_date_longue(self.lu.arrete_le)}"
        morceaux = [self.lu.collectivite, f"Bilan {self.lu.annee}", f"Situation au {formater_date_longue(self.lu.au)}"]
        portee = "Contenu interne" if self.page.interne else ""
        self._ecrire(" · ".join(filter(None, [*morceaux, etat, portee])), PRECISION)
        self._developper(self.lu.avant_propos)

    def _avancement(self) -> None:
        self._titrer(self.lu.plan.titre_avancement, 1)
        retard = f" Interne : {self.page.resume_du_retard}." if self.page.en_retard else ""
        self._ecrire(f"{self.page.resume}.{retard}")
        for section in self.page.sections:
            self._section(section)

    def _section(self, section: SectionDActions) -> None:
        self._titrer(section.titre.upper(), 2)
        self._developper(section.commentaire)
        if section.vide:
            self._ecrire(section.vide)
        for groupe in section.groupes:
            if groupe.titre:
                self._titrer(groupe.titre, 3)
            for ligne in groupe.lignes:
                self._action(ligne)

    def _action(self, ligne: LigneDAction) -> None:
        action = ligne.action
        avance = f" ({ligne.avancement})" if ligne.avancement else ""
        intitule = self._ecrire(f"{action.intitule}{avance}", "List Bullet")
        # Ce qui en est dit ne commence pas une page sans elle.
        intitule.paragraph_format.keep_with_next = bool(
            action.description or ligne.avec or action.notes or self.page.interne
        )
        self._developper(action.description, "List Continue")
        if ligne.avec:
            self._ecrire(f"Avec {ligne.avec}", "List Continue")
        for note in action.notes:
            self._developper(f"{formater_date(note.le)} : {note.texte}", "List Continue")
        if self.page.interne:
            self._ecrire(f"Interne : {' · '.join(self._precisions_internes(ligne))}", "List Continue")
            for note in action.notes_internes:
                self._developper(f"Note interne du {formater_date(note.le)} : {note.texte}", "List Continue")

    @staticmethod
    def _precisions_internes(ligne: LigneDAction) -> Iterator[str]:
        action = ligne.action
        yield f"action n° {action.numero}"
        if action.depuis:
            yield f"depuis le {formater_date(action.depuis)}"
        yield action.service or "sans service pilote"
        yield f"échéance {action.echeance}" if action.echeance else "sans échéance"
        if ligne.retard:
            yield "en retard"
        if ligne.priorite:
            yield f"priorité {ligne.priorite}"
        if not action.visible:
            yield "non visible du public"

    def _partenaires(self) -> None:
        self._nommer("Partenaires", self.page.partenaires or "aucun n'est cité par le plan.")
        self._developper(self.page.commentaire_partenaires)

    def _chiffres(self) -> None:
        for chiffre in self.page.chiffres:
            self._chiffre(chiffre)
        self._developper(self.page.commentaire_chiffres)

    def _chiffre(self, chiffre: ChiffreEnGrand) -> None:
        self._ecrire(chiffre.nombre, CHIFFRE)
        self._ecrire(chiffre.texte, SOUS_CHIFFRE)
        if chiffre.precision:
            self._ecrire(chiffre.precision, PRECISION)

    # --- Les tableaux ---------------------------------------------------------------------------

    def _tableaux(self) -> None:
        if not (self.lu.evolution or self.page.indicateurs or self.page.commentaire_graphiques):
            return
        self._titrer("Tableaux", 1)
        self._developper(self.page.commentaire_graphiques)
        if self.lu.evolution:
            self._titrer("Statuts des actions", 2)
            self._evolution()
        for fiche in self.page.indicateurs:
            self._titrer(fiche.indicateur.intitule, 2)
            self._indicateur(fiche)

    def _evolution(self) -> None:
        lignes = [
            [formater_date(jour), *map(str, decompte.par_statut().values()), str(decompte.inconnues)]
            for jour, decompte in self.lu.evolution.items()
        ]
        entetes = ["Au", *(statut.libelle_pluriel.capitalize() for statut in Statut), "Statut inconnu"]
        if not any(decompte.inconnues for decompte in self.lu.evolution.values()):
            entetes, lignes = entetes[:-1], [ligne[:-1] for ligne in lignes]
        self._tableau("Nombre d'actions du plan par statut", entetes, lignes)

    def _indicateur(self, fiche: FicheDIndicateur) -> None:
        intitule = fiche.indicateur.intitule
        if fiche.annees:
            self._annees(fiche)
        else:
            self._ecrire("Aucune valeur n'est renseignée.")
        for mot, texte in fiche.methode:
            self._nommer(mot, texte)
        for valeur in fiche.indicateur.valeurs:
            for dimension, modalites in valeur.ventilation.items():
                self._tableau(
                    f"{intitule}, {valeur.annee}, {dimension}",
                    [f"{dimension}, {valeur.annee}", "Nombre"],
                    [[nom, formater_valeur(nombre)] for nom, nombre in modalites.items()],
                    LARGEURS_DES_MODALITES,
                )

    def _annees(self, fiche: FicheDIndicateur) -> None:
        """Sans objectif, leur colonne laisse sa place à la provenance."""
        entetes = [entete for entete in LARGEURS_DES_ANNEES if fiche.a_des_objectifs or entete != "Objectif"]
        largeurs = [LARGEURS_DES_ANNEES[entete] for entete in entetes]
        largeurs[-1] += sum(LARGEURS_DES_ANNEES.values()) - sum(largeurs)
        lignes = [[_case(annee, entete) for entete in entetes] for annee in fiche.annees]
        self._tableau(f"{fiche.indicateur.intitule}, par année", entetes, lignes, largeurs)

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
        for groupe in self.page.changements:
            self._titrer(groupe.titre, 3)
            for dit in groupe.changements:
                self._ecrire(dit.phrase, "List Bullet")
        if not self.lu.changements:
            self._ecrire("Aucun changement.")

    def _attestation(self, empreinte: str) -> None:
        if self.lu.brouillon:
            self._ecrire(BROUILLON, PRECISION)
            return
        sceau = f" Empreinte SHA-256 du contenu {self.lu.portee.value} : {empreinte}" if empreinte else ""
        self._ecrire(f"Arrêté le {formater_date_longue(self.lu.arrete_le)}, version {self.lu.rang}.{sceau}", PRECISION)


def _case(annee: LigneDAnnee, entete: str) -> str:
    """Ce que cette année dit sous cet en-tête ; « — » si elle n'en dit rien."""
    match entete:
        case "Année":
            return str(annee.annee)
        case "Valeur":
            return f"{annee.ecrite} ({annee.parts})" if annee.parts else annee.ecrite
        case "Objectif":
            return " ; ".join(annee.objectifs_ecrits) or ABSENT
        case "État":
            return annee.etat or ABSENT
    return _provenance(annee)


def _provenance(annee: LigneDAnnee) -> str:
    """La source, le calcul, puis la rupture de série et la remarque, chacun sur sa ligne."""
    if annee.valeur is None:
        return ABSENT
    calcul = f", {annee.calcul}" if annee.calcul else ""
    return "\n".join([f"{annee.valeur.provenance}{calcul}", *annee.notes])
