"""Rien de ce qu'on envoie à un formulaire ne fait tomber le site, et ce qui est refusé dit le champ.

Chaque adresse qui accepte un envoi est lue dans la table des accès, donc dans le résolveur : un formulaire neuf entre
ici d'office. Ses champs se lisent dans sa page. Le formulaire, sorti de la page, reçoit au moins AU_MOINS entrées ;
l'adresse, elle, reçoit les pires dans des envois groupés, chacun défait aussitôt.
"""

import copy
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import BaseForm, FileField
from django.forms.formsets import BaseFormSet
from django.http import HttpResponse, QueryDict
from django.utils.datastructures import MultiValueDict

from tests import hostiles
from tests.hostiles import AU_MOINS, LONG
from tests.test_acces import TABLE, Ligne, Site, site, site_du_fichier
from tests.visites import sans_lendemain

__all__ = ["site", "site_du_fichier"]

# Le décor s'écrit une fois : tout le fichier va au même ouvrier.
pytestmark = pytest.mark.xdist_group("hostiles")

QUI = "administrateur"
NOTRES = (
    "accueil",
    "actions",
    "bilans",
    "comptes",
    "exploitation",
    "indicateurs",
    "marches",
    "partenaires",
    "publication",
)
APPLICATIONS = tuple(f"{application.label}." for application in apps.get_app_configs() if application.label in NOTRES)
ENVOIS = [ligne for ligne in TABLE if ligne.envoi is not None]
# Combien d'entrées chaque formulaire, chaque adresse ont reçues : le dernier essai les relit.
ESSAYEES: dict[str, int] = {}

# --- Les formulaires d'une page -----------------------------------------------------------------


def formulaires(reponse: HttpResponse) -> list[Any]:
    """Les formulaires et les ensembles de formulaires que cette page a montrés, chacun une fois."""
    vus: dict[int, Any] = {}
    for contexte in reponse.context or ():
        for valeurs in getattr(contexte, "dicts", [contexte]):
            for valeur in valeurs.values():
                _ranger(valeur, vus, profondeur=2)
    return list(vus.values())


def _ranger(valeur: Any, vus: dict[int, Any], profondeur: int) -> None:
    if isinstance(valeur, (BaseForm, BaseFormSet)):
        if type(valeur).__name__ != "ManagementForm":
            vus.setdefault(id(valeur), valeur)
    elif profondeur and isinstance(valeur, (list, tuple)):
        for element in valeur[:20]:
            _ranger(element, vus, profondeur - 1)
    elif profondeur and type(valeur).__module__.startswith(("django.contrib.admin", *APPLICATIONS)):
        # Ce que l'administration et nos pages rangent dans un objet : AdminForm, InlineAdminFormSet, une grille…
        for element in list(getattr(valeur, "__dict__", {}).values()):
            if isinstance(element, (BaseForm, BaseFormSet)):
                _ranger(element, vus, 0)


def renvoyer(formulaire: Any, envoi: dict[str, Any]) -> Any:
    """Le même formulaire, qui aurait reçu cet envoi ; ce qu'il a vérifié, il l'a vérifié."""
    neuf = copy.copy(formulaire)
    donnees = QueryDict(mutable=True)
    for nom, valeur in envoi.items():
        donnees.setlist(nom, valeur if isinstance(valeur, list) else [valeur])
    neuf.data, neuf.files, neuf.is_bound, neuf._errors = donnees, MultiValueDict(), True, None
    for garde in ("forms", "management_form", "changed_data", "cleaned_data", "_bound_fields_cache"):
        neuf.__dict__.pop(garde, None)
    if isinstance(neuf, BaseForm):
        neuf._bound_fields_cache = {}
        neuf.fields = copy.deepcopy(formulaire.fields)
        if hasattr(neuf, "instance"):
            neuf.instance = copy.copy(formulaire.instance)
    neuf.full_clean()
    return neuf


def defauts_de(formulaire: Any, envoi: dict[str, Any]) -> list[str]:
    """Ce que le formulaire fait d'anormal de cet envoi : une panne, un refus qui ne dit rien."""
    try:
        recu = renvoyer(formulaire, envoi)
        erreurs = recu.errors
        str(erreurs)
    except Exception:
        return [f"{type(formulaire).__name__} {envoi!r:.300} :\n{traceback.format_exc()[-900:]}"]
    if isinstance(formulaire, BaseForm):
        connus = {*formulaire.fields, NON_FIELD_ERRORS}
        muets = [nom for nom, phrases in erreurs.items() if nom not in connus or not all(map(str.strip, phrases))]
        return [f"{type(formulaire).__name__} : refus sans champ ou sans phrase, {muets}"] if muets else []
    return []


def noms_envoyes(formulaire: BaseForm) -> list[str]:
    """Les noms que la page enverrait pour ce formulaire, morceaux des champs composés compris."""
    noms = []
    for nom, champ in formulaire.fields.items():
        if not isinstance(champ, FileField):
            prefixe = formulaire.add_prefix(nom)
            morceaux = getattr(champ.widget, "widgets_names", None)
            noms += [prefixe + morceau for morceau in morceaux] if morceaux else [prefixe]
    return noms


def envois_pour(formulaire: Any) -> Iterator[dict[str, Any]]:
    """Chaque champ reçoit chacun des textes ; puis tout manque, tout est répété, tout est inconnu."""
    if isinstance(formulaire, BaseFormSet):
        yield from _envois_pour_un_ensemble(formulaire)
        return
    noms = noms_envoyes(formulaire)
    yield from hostiles.melange(noms)
    yield {}
    yield {nom: [] for nom in noms}
    yield {nom: list(hostiles.textes()[:60]) for nom in noms}
    yield {f"{nom}__in": "1" for nom in noms} | {"__class__": "x", "self": "y", "": "z"}


# Django s'arrête à deux mille lignes, quoi qu'on annonce : les vérifier toutes prend du temps.
NOMBRES_DE_LIGNES = ("", "-1", "0", "1", "40", "NaN", "1e3", "\x00", "١", "1.5", *(("2000", "9" * 30) if LONG else ()))


def _envois_pour_un_ensemble(formset: BaseFormSet) -> Iterator[dict[str, Any]]:
    """Des totaux menteurs, puis des lignes où tout est hostile."""
    p = formset.prefix
    for total in NOMBRES_DE_LIGNES:
        for initial in ("0", total):
            yield {f"{p}-TOTAL_FORMS": total, f"{p}-INITIAL_FORMS": initial}
    noms = [*formset.empty_form.fields, "DELETE", "ORDER"]
    for depart, envoi in enumerate(hostiles.melange([f"{p}-{n}-{nom}" for n in range(2) for nom in noms])):
        yield envoi | {f"{p}-TOTAL_FORMS": "2", f"{p}-INITIAL_FORMS": str(depart % 2)}


@pytest.mark.parametrize("ligne", ENVOIS, ids=str)
def test_chaque_formulaire_survit_a_tout_et_dit_ce_qu_il_refuse(site, ligne):
    defauts: list[str] = []
    for formulaire in formulaires_de(site, ligne):
        recues, cle = 0, nom_de(formulaire)
        if cle in ESSAYEES:  # le même, déjà montré par une autre page
            continue
        with sans_lendemain():
            for envoi in envois_pour(formulaire):
                recues += sum(len(valeur) if isinstance(valeur, list) else 1 for valeur in envoi.values())
                defauts += defauts_de(formulaire, envoi)
                if len(defauts) > 3:
                    break
        if getattr(formulaire, "fields", True):
            ESSAYEES[cle] = recues
            assert recues >= AU_MOINS or not noms_envoyes(formulaire) or defauts, cle
    assert not defauts, "\n".join(defauts[:4])


def nom_de(formulaire: Any) -> str:
    """Sa classe, son module et son modèle : l'administration donne le même nom à bien des formulaires."""
    classe = type(formulaire)
    modele = getattr(getattr(classe, "_meta", None), "model", None) or getattr(formulaire, "model", None)
    ajout = getattr(getattr(getattr(formulaire, "instance", None), "_state", None), "adding", "")
    return f"{classe.__module__}.{classe.__name__} {getattr(modele, '__name__', '')} {ajout}".strip()


def formulaires_de(site: Site, ligne: Ligne) -> list[Any]:
    """Ceux de la page, et ceux que montre un envoi vide ou refusé quand la page ne se lit pas."""
    adresse, client = site.adresse(ligne, QUI), site.clients[QUI]
    trouves = {type(f).__name__ + str(getattr(f, "prefix", "")): f for f in formulaires(client.get(adresse))}
    with sans_lendemain():
        envoi = site.envoi_valable(ligne, QUI)
        reponse = client.post(adresse, {nom: hostiles.TEMOIN if nom == "motif" else v for nom, v in envoi.items()})
        for formulaire in formulaires(reponse):
            trouves.setdefault(type(formulaire).__name__ + str(getattr(formulaire, "prefix", "")), formulaire)
    return list(trouves.values())
