"""Formulaires de ce qui s'attache à une action : étapes, documents ; et des corrections."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from actions.creation import avancement_a_ecrire
from actions.formulaire_de_piece import ChampsDePiece
from actions.formulaires import FormulaireAuJournal, FormulaireDeGeste, FormulaireNote, champ_date_effet
from actions.journaux import JournalDAction
from actions.models import Action, Document, Etape
from actions.statuts import Mouvement, Statut
from actions.suivi import NoteDeSuivi
from comptes.models import Utilisateur
from socle.champs import ChampDate, ChampEcheance
from socle.formats import formater_date, formater_moment
from socle.formulaires import afficher, remplacer_la_saisie
from socle.modeles import ConflitDeVersion, LigneVersionnee

REDITE = "Rien n'a été écrasé ; votre saisie est gardée. Enregistrez de nouveau pour la garder."


class FormulaireDeLigne(FormulaireDeGeste):
    """Changer une ligne attachée à l'action : la version comparée est celle de la ligne, pas celle de l'action."""

    def __init__(self, *args, action: Action, ligne: LigneVersionnee, **kwargs) -> None:
        self.ligne: Any = ligne
        super().__init__(*args, action=action, **kwargs)
        self.initial["version"] = ligne.version

    def en_clair(self, actuelle: Any) -> str:
        """Ce qui est enregistré, en une phrase."""
        raise NotImplementedError

    def _montrer_le_conflit(self, erreur: ConflitDeVersion) -> None:
        actuelle: Any = erreur.actuelle
        remplacer_la_saisie(self, "version", actuelle.version)
        derniere = actuelle.history.select_related("history_user").first()
        qui = f" par {derniere.history_user}" if derniere and derniere.history_user else ""
        phrase = f"Modification faite{qui} pendant votre saisie : {self.en_clair(actuelle)}. {REDITE}"
        self.add_error(None, phrase)


# --- Étapes -------------------------------------------------------------------------------------


class FormulaireNouvelleEtape(FormulaireDeGeste):
    """Une étape de plus. Elle ne remplace rien : la version lue n'importe pas."""

    titre = "Ajouter une étape"
    bouton = "Ajouter l'étape"

    intitule = forms.CharField(label="Intitulé", max_length=300)
    echeance = ChampEcheance(label="Échéance", required=False)

    @property
    def compte_rendu(self) -> str:
        return f"Étape ajoutée : {self.cleaned_data['intitule']}."

    def ecrire(self, auteur: Utilisateur) -> None:
        donnees = self.cleaned_data
        Etape.objects.ajouter(self.action, intitule=donnees["intitule"], echeance=donnees["echeance"])


class FormulaireEtape(FormulaireDeLigne):
    """Changer une étape : ce qu'elle est, pour quand, et quand elle a été faite."""

    titre = "Modifier l'étape"
    bouton = "Enregistrer l'étape"

    intitule = forms.CharField(label="Intitulé", max_length=300)
    echeance = ChampEcheance(label="Échéance", required=False)
    faite_le = ChampDate(label="Fait le", required=False, help_text="Vide : l'étape reste à faire.")

    def valeurs_de_depart(self, action: Action) -> dict:
        etape: Etape = self.ligne
        return {"intitule": etape.intitule, "echeance": etape.valeur_echeance, "faite_le": etape.faite_le}

    @property
    def compte_rendu(self) -> str:
        return f"Étape enregistrée : {self.cleaned_data['intitule']}."

    def en_clair(self, actuelle: Etape) -> str:
        faite = f"faite le {formater_date(actuelle.faite_le)}" if actuelle.faite_le else "à faire"
        retiree = ", retirée" if actuelle.retiree else ""
        return f"« {actuelle.intitule} », échéance {actuelle.valeur_echeance or 'aucune'}, {faite}{retiree}"

    def ecrire(self, auteur: Utilisateur) -> None:
        donnees = self.cleaned_data
        self.ligne.decrire(
            version=donnees["version"],
            intitule=donnees["intitule"],
            echeance=donnees["echeance"],
            faite_le=donnees["faite_le"],
        )


# --- Documents ----------------------------------------------------------------------------------


class FormulaireDepot(ChampsDePiece, FormulaireDeGeste):
    """Déposer un fichier ou donner un lien."""

    titre = "Ajouter un document"
    bouton = "Ajouter le document"
    # Écrit par `enregistrer`.
    document: Document

    preuve = forms.BooleanField(label="Preuve, à montrer lors d'un audit (ISO 9001)", required=False)
    restreint = forms.BooleanField(label="Réservé à ceux qui peuvent mettre l'action à jour", required=False)

    @property
    def compte_rendu(self) -> str:
        return f"Document ajouté : {self.document}."

    def ecrire(self, auteur: Utilisateur) -> None:
        donnees = self.cleaned_data
        self.document = Document.objects.deposer(
            self.action,
            auteur=auteur,
            titre=donnees["nom"],
            fichier=donnees["fichier"] or None,
            lien=donnees["lien"],
            preuve=donnees["preuve"],
            restreint=donnees["restreint"],
        )

    def _reporter(self, erreur: ValidationError) -> None:
        self.reporter(erreur)


class FormulaireDocument(FormulaireDeLigne):
    """Changer ce qu'on dit d'un document."""

    titre = "Modifier le document"
    bouton = "Enregistrer le document"

    nom = forms.CharField(label="Titre", max_length=200)
    preuve = forms.BooleanField(label="Preuve, à montrer lors d'un audit (ISO 9001)", required=False)
    restreint = forms.BooleanField(label="Réservé à ceux qui peuvent mettre l'action à jour", required=False)

    def valeurs_de_depart(self, action: Action) -> dict:
        document: Document = self.ligne
        return {"nom": document.titre, "preuve": document.preuve, "restreint": document.restreint}

    @property
    def compte_rendu(self) -> str:
        return f"Document enregistré : {self.cleaned_data['nom']}."

    def en_clair(self, actuelle: Document) -> str:
        retire = ", retiré" if actuelle.retire_le else ""
        marques = f"preuve : {afficher(actuelle.preuve)}, réservé : {afficher(actuelle.restreint)}"
        return f"« {actuelle.titre} », {marques}{retire}"

    def ecrire(self, auteur: Utilisateur) -> None:
        donnees = self.cleaned_data
        self.ligne.decrire(
            version=donnees["version"],
            titre=donnees["nom"],
            preuve=donnees["preuve"],
            restreint=donnees["restreint"],
        )


# --- Corrections --------------------------------------------------------------------------------


RESTE_BARREE = "Elle restera dans la chronologie, barrée."


def _saisie(ligne: Any) -> str:
    """« saisie le 03/04/2026 à 10:12 par Camille Martin »."""
    return f"saisie le {formater_moment(ligne.saisi_le)}{f' par {ligne.auteur}' if ligne.auteur else ''}"


class FormulaireCorrectionDeNote(FormulaireNote):
    """Une note écrite par erreur : une autre la remplace, et l'ancienne reste lisible, barrée."""

    titre = "Corriger cette note"
    bouton = "Enregistrer la correction"

    def __init__(self, *args, action: Action, ligne: NoteDeSuivi, **kwargs) -> None:
        self.ligne = ligne
        super().__init__(*args, action=action, **kwargs)

    @property
    def explication(self) -> str:
        return f"Vous corrigez la note du {formater_date(self.ligne.date)}, {_saisie(self.ligne)}. {RESTE_BARREE}"

    def valeurs_de_depart(self, action: Action) -> dict:
        return {"date": self.ligne.date, "texte": self.ligne.texte, "portee": self.ligne.portee}

    def ecrire(self, auteur: Utilisateur) -> None:
        donnees = self.cleaned_data
        self.ligne.corriger(donnees["texte"], auteur=auteur, le=donnees["date"], portee=donnees["portee"])


class FormulaireDeCorrection(FormulaireAuJournal):
    """Corriger une ligne d'un journal. Les sous-classes disent ses valeurs."""

    titre = "Corriger cette ligne"
    bouton = "Enregistrer la correction"
    # Les champs du formulaire qui portent les valeurs de la ligne, sous le même nom qu'elle.
    valeurs_des_champs: tuple[str, ...] = ()

    date_effet = champ_date_effet()
    commentaire = forms.CharField(
        label="Pourquoi cette correction",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args, action: Action, ligne: JournalDAction, **kwargs) -> None:
        self.ligne: Any = ligne
        super().__init__(*args, action=action, **kwargs)
        # Ce que la ligne dit d'abord, puis quand et pourquoi.
        derniers = ["date_effet", "insere_avant", "commentaire"]
        self.order_fields([*(nom for nom in self.fields if nom not in derniers), *derniers])

    @property
    def explication(self) -> str:
        """La ligne telle qu'elle est."""
        motif = getattr(self.ligne, "motif", "") or self.ligne.commentaire
        dite = f"« {self.ligne} »{f' (« {motif} »)' if motif else ''}"
        effet = f"effet au {formater_date(self.ligne.date_effet)}"
        return f"Vous corrigez la ligne {dite}, {effet}, {_saisie(self.ligne)}. {RESTE_BARREE}"

    def valeurs_de_depart(self, action: Action) -> dict:
        return {**self.valeurs_de_la_ligne(), "date_effet": self.ligne.date_effet}

    def valeurs_de_la_ligne(self) -> dict[str, Any]:
        return {champ: getattr(self.ligne, champ) for champ in self.valeurs_des_champs}

    def valeurs_saisies(self) -> dict[str, Any]:
        return {champ: self.cleaned_data[champ] for champ in self.valeurs_des_champs}

    @property
    def compte_rendu(self) -> str:
        return "Correction enregistrée : la ligne corrigée reste dans la chronologie, barrée."

    def ecrire(self, auteur: Utilisateur) -> None:
        self.action.corriger(
            self.ligne,
            auteur=auteur,
            commentaire=self.cleaned_data["commentaire"],
            **self.insertion,
            **self.valeurs_saisies(),
        )


class CorrectionDeStatut(FormulaireDeCorrection):
    valeurs_des_champs = ("statut", "avancement")

    statut = forms.ChoiceField(label="Statut", choices=Statut, widget=forms.RadioSelect)
    avancement = forms.IntegerField(
        label="Avancement (%)", required=False, help_text="De 1 à 99, pour une action en cours."
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not self.action.plan.affiche_avancement:
            del self.fields["avancement"]

    def valeurs_de_la_ligne(self) -> dict[str, Any]:
        en_cours = self.ligne.statut == Statut.EN_COURS
        return {"statut": self.ligne.statut, "avancement": self.ligne.avancement if en_cours else None}

    def valeurs_saisies(self) -> dict[str, Any]:
        statut = self.cleaned_data["statut"]
        if "avancement" in self.fields:
            return {"statut": statut, "avancement": avancement_a_ecrire(statut, self.cleaned_data["avancement"])}
        return {"statut": statut}


class CorrectionDEcheance(FormulaireDeCorrection):
    echeance = ChampEcheance(label="Échéance", required=False)
    motif = forms.CharField(
        label="Motif du report",
        required=False,
        max_length=300,
        help_text="Demandé quand une échéance était déjà fixée.",
    )

    def valeurs_de_la_ligne(self) -> dict[str, Any]:
        return {"echeance": self.ligne.valeur, "motif": self.ligne.motif}

    def valeurs_saisies(self) -> dict[str, Any]:
        echeance = self.cleaned_data["echeance"]
        return {
            "echeance": echeance.fin if echeance else None,
            "precision": echeance.precision if echeance else None,
            "motif": self.cleaned_data["motif"].strip(),
        }


class CorrectionDePresence(FormulaireDeCorrection):
    valeurs_des_champs = ("mouvement", "motif")

    mouvement = forms.ChoiceField(label="Mouvement", choices=Mouvement, widget=forms.RadioSelect)
    motif = forms.CharField(label="Motif", required=False, max_length=300, help_text="Demandé pour un retrait.")


CORRECTIONS: dict[str, type[FormulaireDeCorrection]] = {
    "statut": CorrectionDeStatut,
    "echeance": CorrectionDEcheance,
    "presence": CorrectionDePresence,
}
