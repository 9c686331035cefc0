"""Les documents d'une action : les déposer, les lire, les changer, les retirer."""

import functools
from collections.abc import Callable

from django.contrib import messages
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from actions.depot_de_fichier import MO, TAILLE_MAX
from actions.formulaires_de_suivi import FormulaireDepot, FormulaireDocument
from actions.models import Action, Document
from actions.pieces import Piece
from actions.views.commun import lecture_ou_envoi, trouver_l_action
from actions.views.etapes import nombre_envoye
from comptes.droits import Droit, exiger
from comptes.traces import tracer_un_export
from socle.erreurs import Introuvable
from socle.modeles import ConflitDeVersion

# Ce que le formulaire ajoute autour du fichier : ses autres champs et les séparateurs.
AUTOUR_DU_FICHIER = MO


class Plafond(FileUploadHandler):
    """Laisse tomber un fichier trop lourd sans le garder, ni en mémoire ni sur le disque ; les autres champs restent.

    La taille annoncée suffit d'ordinaire à le savoir avant d'en lire un octet. `trop_lourd` : (nom, octets).
    """

    trop_lourd: tuple[str, int] | None = None

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None):
        self.annonce = content_length
        return

    def new_file(self, field_name, file_name, content_type, content_length, charset=None, content_type_extra=None):
        super().new_file(field_name, file_name, content_type, content_length, charset, content_type_extra)
        self.recus = 0
        if self.annonce > TAILLE_MAX + AUTOUR_DU_FICHIER:
            self._refuser(self.annonce)

    def receive_data_chunk(self, raw_data, start):
        self.recus += len(raw_data)
        if self.recus > TAILLE_MAX:
            self._refuser(max(self.recus, self.annonce))
        return raw_data

    def file_complete(self, file_size):
        return None

    def _refuser(self, octets: int) -> None:
        self.trop_lourd = (self.file_name or "", octets)
        raise SkipFile


def plafonner_l_envoi(vue: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pose le plafond avant que l'envoi soit lu. Le jeton CSRF, qui se lit dans l'envoi, est vérifié juste après."""

    @csrf_exempt
    @functools.wraps(vue)
    def plafonnee(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        plafond = Plafond(request)
        request.upload_handlers.insert(0, plafond)
        return csrf_protect(vue)(request, *args, plafond=plafond, **kwargs)

    return plafonnee


def trouver_le_document(request: HttpRequest, pk: int, document: int, droit: Droit) -> tuple[Action, Document]:
    action = trouver_l_action(pk)
    exiger(request.user, droit, action)
    trouve = Document.objects.presents().filter(action=action, pk=document).select_related("action").first()
    if trouve is None:
        raise Introuvable("Ce document n'existe pas, ou il a été retiré.")
    return action, trouve


def vers_les_documents(action: Action) -> HttpResponse:
    return redirect(f"{action.get_absolute_url()}#documents")


@plafonner_l_envoi
@lecture_ou_envoi
def ajouter(request: HttpRequest, pk: int, *, plafond: Plafond) -> HttpResponse:
    action = trouver_l_action(pk)
    exiger(request.user, Droit.METTRE_A_JOUR, action)
    envoi = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    formulaire = FormulaireDepot(*envoi, action=action, trop_lourd_recu=plafond.trop_lourd)
    if formulaire.is_valid() and formulaire.enregistrer(request.user):
        messages.success(request, formulaire.compte_rendu)
        return vers_les_documents(action)
    return render(request, "actions/geste.html", {"action": action, "formulaire": formulaire})


@require_safe
def lire(request: HttpRequest, pk: int, document: int) -> HttpResponseBase:
    """Le fichier, toujours en pièce jointe : le navigateur n'en exécute rien ici, quoi qu'il contienne."""
    action, trouve = trouver_le_document(request, pk, document, Droit.CONSULTER)
    if trouve.restreint:
        exiger(request.user, Droit.METTRE_A_JOUR, action)
    return rendre_le_fichier(request, trouve)


def rendre_le_fichier(request: HttpRequest, piece: Piece) -> HttpResponseBase:
    """En pièce jointe. Lève Introuvable : un lien n'a pas de fichier, ou il n'est plus sur le serveur."""
    if not piece.fichier:
        raise Introuvable("Ce document est un lien : il s'ouvre depuis la page qui le cite.")
    try:
        ouvert = piece.fichier.open("rb")
    except FileNotFoundError as absent:
        raise Introuvable(f"Le fichier « {piece.nom_du_fichier} » n'est plus sur le serveur.") from absent
    reponse = FileResponse(ouvert, as_attachment=True, filename=piece.nom_du_fichier, content_type=piece.type_mime)
    patch_cache_control(reponse, private=True, no_cache=True)
    tracer_un_export(request, f"{piece._meta.verbose_name} n° {piece.pk}".capitalize(), fichier=piece.nom_du_fichier)
    return reponse


@lecture_ou_envoi
def modifier(request: HttpRequest, pk: int, document: int) -> HttpResponse:
    action, trouve = trouver_le_document(request, pk, document, Droit.METTRE_A_JOUR)
    formulaire = FormulaireDocument(request.POST or None, action=action, ligne=trouve)
    if formulaire.is_valid() and formulaire.enregistrer(request.user):
        messages.success(request, formulaire.compte_rendu)
        return vers_les_documents(action)
    return render(request, "actions/geste.html", {"action": action, "formulaire": formulaire})


@require_POST
def retirer(request: HttpRequest, pk: int, document: int) -> HttpResponse:
    action = trouver_l_action(pk)
    exiger(request.user, Droit.METTRE_A_JOUR, action)
    # Déjà retiré (double clic) : rien de plus, et pas d'erreur.
    trouve = Document.objects.filter(action=action, pk=document).first()
    if trouve is None:
        raise Introuvable("Ce document n'existe pas.")
    try:
        trouve.retirer(version=nombre_envoye(request, "version"))
    except ConflitDeVersion:
        messages.warning(request, f"« {trouve} » vient d'être changé par quelqu'un : regardez-le, puis recommencez.")
    else:
        messages.success(request, f"Document retiré : {trouve}.")
    return vers_les_documents(action)
