"""Chercher dans tout le site, une requête par sorte : actions, partenaires, indicateurs, consultations, notes…"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet, Window
from django.urls import reverse
from django.utils.safestring import SafeString

from accueil.extraits import extrait, surligner
from actions.models import Action, Document, NoteDeSuivi
from actions.requetes import numero_demande
from actions.statuts import Mouvement
from indicateurs.models import Indicateur
from marches.models import Consultation
from partenaires.models import Partenaire
from socle.formats import formater_date
from socle.recherche import COLONNE, OrdreDesTextes, mots_de

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from comptes.models import Utilisateur

MONTRES = 10
LONGUEUR_MAX = 200


@dataclass(frozen=True)
class Resultat:
    """Un objet trouvé. `titre` et `extrait` : échappés, les mots trouvés en <mark> ; `precision` : ce qui le situe."""

    titre: SafeString
    adresse: str
    extrait: SafeString | None
    precision: str


@dataclass(frozen=True)
class Groupe:
    """Les `MONTRES` premiers résultats d'une sorte, sur `total`. `suite` : la liste qui les montre tous, ou vide."""

    cle: str
    titre: str
    total: int
    resultats: list[Resultat]
    suite: str = ""

    @property
    def reste(self) -> bool:
        return self.total > len(self.resultats)


@dataclass(frozen=True)
class Recherche:
    """Ce qu'on a demandé et ce qu'on a trouvé. `refus` : pourquoi l'on n'a pas cherché, en une phrase, ou vide."""

    demande: str
    refus: str
    groupes: list[Groupe]

    @property
    def total(self) -> int:
        return sum(groupe.total for groupe in self.groupes)


def chercher(demande: str, utilisateur: "Utilisateur | AnonymousUser") -> Recherche:
    """Les groupes qui ont un résultat, dans l'ordre de la page. `utilisateur` : ce qu'il ne peut lire n'y est pas."""
    demande = demande.strip()
    mots = mots_de(demande)
    refus = _refus(demande, mots)
    if refus or not demande:
        return Recherche(demande[:LONGUEUR_MAX], refus, [])
    if numero_demande(demande) is not None:
        mots = mots[-1:]  # de « n° 12 », c'est « 12 » qu'on montre
    groupes = [
        _actions(demande, mots),
        _partenaires(demande, mots),
        _indicateurs(demande, mots),
        _consultations(demande, mots),
        _notes(demande, mots),
        _documents(demande, mots, utilisateur),
    ]
    return Recherche(demande, "", [groupe for groupe in groupes if groupe.total])


def _refus(demande: str, mots: list[str]) -> str:
    if len(demande) > LONGUEUR_MAX:
        return f"Une recherche a {LONGUEUR_MAX} signes au plus : gardez les mots qui comptent."
    if demande and not mots:
        return "Cette recherche n'a ni lettre ni chiffre : tapez un mot, ou le numéro d'une action."
    if demande and not any(len(mot) > 1 or mot.isdigit() for mot in mots):
        return "Une lettre ne suffit pas : tapez le début d'un mot, ou le numéro d'une action."
    return ""


def _groupe(
    cle: str,
    titre: str,
    trouves: QuerySet[Any],
    resultat: Callable[[Any], Resultat],
    suite: str = "",
) -> Groupe:
    """Les premiers et leur nombre, en une requête."""
    lignes: Iterable[Any] = list(trouves.annotate(combien=Window(Count("*")))[:MONTRES])
    total = next((ligne.combien for ligne in lignes), 0)
    return Groupe(cle, titre, total, [resultat(ligne) for ligne in lignes], suite)


def _premier_extrait(textes: Iterable[str], mots: list[str]) -> SafeString | None:
    return next((trouve for texte in textes if texte and (trouve := extrait(texte, mots))), None)


def _actions(demande: str, mots: list[str]) -> Groupe:
    def resultat(action: Action) -> Resultat:
        retiree = " · retirée du plan" if action.presence == Mouvement.RETRAIT else ""
        return Resultat(
            surligner(str(action), mots),
            action.get_absolute_url(),
            _premier_extrait([action.description, action.attention], mots),
            f"{action.get_statut_display() or 'Statut inconnu'} · {action.plan}{retiree}",
        )

    trouvees = Action.objects.correspondant_a(demande).par_pertinence(demande).select_related("plan")
    # La liste ne montre d'elle-même que les actions au plan ; la recherche, toutes.
    suite = f"{reverse('actions:liste')}?{urlencode({'q': demande, 'presence': 'toutes'})}"
    return _groupe("actions", "Actions", trouvees, resultat, suite)


def _partenaires(demande: str, mots: list[str]) -> Groupe:
    def resultat(partenaire: Partenaire) -> Resultat:
        return Resultat(
            surligner(str(partenaire), mots),
            reverse("actions:partenaire", args=[partenaire.slug]),
            _premier_extrait([partenaire.description, ", ".join(partenaire.alias.splitlines())], mots),
            "" if partenaire.actif else "Inactif",
        )

    trouves = Partenaire.objects.correspondant_a(demande).order_by(OrdreDesTextes(COLONNE), "pk")
    return _groupe("partenaires", "Partenaires", trouves, resultat)


def _indicateurs(demande: str, mots: list[str]) -> Groupe:
    def resultat(indicateur: Indicateur) -> Resultat:
        return Resultat(
            surligner(indicateur.intitule, mots),
            reverse("indicateurs:detail", args=[indicateur.code]),
            _premier_extrait([indicateur.definition], mots),
            "",
        )

    trouves = Indicateur.objects.correspondant_a(demande).order_by(OrdreDesTextes(COLONNE), "pk")
    return _groupe("indicateurs", "Indicateurs", trouves, resultat)


def _consultations(demande: str, mots: list[str]) -> Groupe:
    def resultat(consultation: Consultation) -> Resultat:
        lancee = f" · lancée le {formater_date(consultation.lancee_le)}" if consultation.lancee_le else ""
        return Resultat(
            surligner(f"{consultation.numero} {consultation.objet}", mots),
            consultation.get_absolute_url(),
            None,
            f"{consultation.get_procedure_display() or 'Procédure non renseignée'}{lancee}",
        )

    trouvees = Consultation.objects.correspondant_a(demande).order_by("-lancee_le", "-pk")
    suite = f"{reverse('marches:consultations')}?{urlencode({'q': demande})}"
    return _groupe("consultations", "Consultations", trouvees, resultat, suite)


def _notes(demande: str, mots: list[str]) -> Groupe:
    def resultat(note: NoteDeSuivi) -> Resultat:
        auteur = f" · {note.auteur}" if note.auteur else ""
        return Resultat(
            surligner(str(note.action), []),
            note.action.get_absolute_url(),
            extrait(note.texte, mots),
            f"Note du {formater_date(note.date)}{auteur}",
        )

    trouvees = NoteDeSuivi.objects.correspondant_a(demande).en_vigueur().select_related("action", "auteur")
    return _groupe("notes", "Notes", trouvees.order_by("-date", "-pk"), resultat)


def _documents(demande: str, mots: list[str], utilisateur: "Utilisateur | AnonymousUser") -> Groupe:
    def resultat(document: Document) -> Resultat:
        return Resultat(
            surligner(document.titre, mots),
            document.action.get_absolute_url(),
            _premier_extrait([document.nom_du_fichier], mots),
            f"{document.action} · déposé le {formater_date(document.depose_le)}",
        )

    trouves = Document.objects.correspondant_a(demande).presents().lisibles_par(utilisateur).select_related("action")
    return _groupe("documents", "Documents", trouves.order_by("-depose_le", "-pk"), resultat)
