from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from actions.classeur.export import Format
from comptes.droits import Droit, peut
from indicateurs.debuts import ignorance
from indicateurs.fiche_d_indicateur import assembler
from indicateurs.filtres import FiltreIndicateurs
from indicateurs.grille_de_saisie import derniere_annee_finie
from indicateurs.historique_de_valeur import historique
from indicateurs.models import Indicateur
from indicateurs.requetes import poser_les_chiffres
from indicateurs.tables import TableIndicateurs
from indicateurs.views.justificatifs import trouver_la_valeur
from socle.erreurs import Introuvable
from socle.instants import instant_demande
from socle.relecture import tel_que_saisi

PAS_ENCORE = "Cet indicateur n'était pas encore saisi à ce moment-là, ou n'existe pas."


@require_safe
@tel_que_saisi
def liste(request: HttpRequest) -> HttpResponse:
    """Les indicateurs et leur dernier chiffre. Un filtre absurde : 400, message à côté du champ."""
    filtre = FiltreIndicateurs(request.GET, queryset=Indicateur.objects.all(), request=request)
    lisible, instant = filtre.form.is_valid(), filtre.instant
    lignes = filtre.qs.select_related("service") if lisible else Indicateur.objects.none()
    table = TableIndicateurs(lignes, instant=instant)
    RequestConfig(request, paginate={"per_page": 25}).configure(table)
    poser_les_chiffres([ligne.record for ligne in table.paginated_rows], instant)
    contexte = {
        "filtre": filtre,
        "table": table,
        "instant": instant,
        "ignorance": ignorance(instant),
        "peut_saisir": not instant.passe and peut(request.user, Droit.SAISIR_UNE_DONNEE),
        "annee_a_saisir": derniere_annee_finie(),
        "exports": Format,
    }
    return render(request, "indicateurs/liste.html", contexte, status=200 if lisible else 400)


@require_safe
@tel_que_saisi
def detail(request: HttpRequest, code: str) -> HttpResponse:
    instant = instant_demande(request.GET)
    indicateur = Indicateur.objects.avec_ses_liens(instant).filter(code=code).first()
    if indicateur is None:
        raise Introuvable("Cet indicateur n'existe pas." if instant.saisi_au is None else PAS_ENCORE)
    contexte = {
        "fiche": assembler(indicateur, instant),
        "indicateur": indicateur,
        "instant": instant,
        "ignorance": ignorance(instant, indicateur),
    }
    return render(request, "indicateurs/detail.html", contexte)


@require_safe
def historique_de_la_valeur(request: HttpRequest, code: str, annee: int) -> HttpResponse:
    """Qui a donné ce chiffre, quand, ce qu'il était avant, et pourquoi il a changé."""
    valeur = trouver_la_valeur(code, annee)
    contexte = {"valeur": valeur, "evenements": historique(valeur)}
    return render(request, "indicateurs/historique.html", contexte)
