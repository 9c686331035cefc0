"""Aucune adresse ne tombe, quoi qu'on y écrive ou qu'on lui envoie ; aucune n'emmène hors du site.

Les adresses viennent de la table des accès, donc du résolveur. Chaque envoi est défait aussitôt.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme

from tests import resolveur
from tests.hostiles import AU_MOINS, LONG, RESUME, textes
from tests.test_acces import TABLE, TAPE, Ligne, Site, panne_de, site, site_du_fichier
from tests.visites import formulaire_de

__all__ = ["site", "site_du_fichier"]

# Le décor s'écrit une fois : tout le fichier va au même ouvrier.
pytestmark = pytest.mark.xdist_group("hostiles")

QUI = "administrateur"
ENVOIS = [ligne for ligne in TABLE if ligne.envoi is not None]
TROP_GRAND = "9" * 20
# Ce que des pages lisent dans l'adresse ou dans un envoi, en plus des champs de leur formulaire.
LUS = (
    *("q", "page", "p", "o", "e", "all", "plan", "axe", "statut", "annee", "au", "saisi_au", "code", "format", "par"),
    *("de", "a", "portee", "service", "indicateur", "motif", "zone", "commune", "siret", "nouveau", "tri", "sort"),
    *("suite", "next", "retour", "version", "lignes", "rang", "jeton", "empreinte", "depot", "essai", "etape"),
    *("choix", "conflit", "chiffre", "_popup", "_to_field", "_changelist_filters", "action", "_selected_action"),
    *("select_across", "index", "_source_model", "term", "app_label", "model_name", "field_name"),
)


@contextmanager
def sans_lendemain() -> Iterator[None]:
    """Ce qui est écrit se défait. Celui de `tests.visites` garde aussi chaque requête, ce qui double le temps."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def dehors(adresse: str) -> bool:
    return not url_has_allowed_host_and_scheme(adresse, {"testserver"})


def defauts(reponse: HttpResponse, quoi: str) -> list[str]:
    """Une panne, une sortie du site, un en-tête injecté, une charge écrite telle quelle dans la page."""
    if reponse.status_code >= 500:
        return [f"{quoi:.200} : {reponse.status_code}{panne_de(reponse)}"]
    trouves = []
    if dehors(reponse.headers.get("Location", "/")):
        trouves.append(f"{quoi:.200} : emmène à {reponse['Location']}")
    if any("\n" in valeur or "\r" in valeur for valeur in reponse.headers.values()) or "x" in reponse.cookies:
        trouves.append(f"{quoi:.200} : en-tête injecté")
    page = not reponse.streaming and reponse.headers.get("Content-Type", "").startswith("text/html")
    if page and (b"<img src=x" in reponse.content or b"<script>window.__x" in reponse.content):
        trouves.append(f"{quoi:.200} : du HTML sort tel quel")
    return trouves


# --- Les envois ---------------------------------------------------------------------------------


def noms_des_champs(site: Site, ligne: Ligne) -> list[str]:
    """Ceux de la page, ceux de l'envoi valable, et ceux que nos vues lisent à part."""
    page = site.clients[QUI].get(site.adresse(ligne, QUI))
    return list(dict.fromkeys([*formulaire_de(page), *site.envoi_valable(ligne, QUI), *LUS]))


def envois_hostiles(noms: list[str], valable: dict[str, Any]) -> list[dict[str, Any]]:
    """Tout à la fois dans chaque champ, puis un envoi valable dont seuls les textes sont hostiles."""
    pires = (*RESUME, "a\x00\ud7ff\uffff", TROP_GRAND, "-1", "NaN")
    if LONG:
        pires = textes()
    decales = [{nom: pires[(rang + n) % len(pires)] for n, nom in enumerate(noms)} for rang in range(0, len(pires), 2)]
    memes = [dict.fromkeys(noms, texte) for texte in ("\x00", TROP_GRAND)]
    tapes = [nom for nom, valeur in valable.items() if valeur == TAPE]
    gardes = [valable | dict.fromkeys(tapes, texte) for texte in (RESUME[0], RESUME[5])] if tapes else []
    totaux = [nom for nom in noms if nom.endswith(("TOTAL_FORMS", "INITIAL_FORMS"))]
    menteurs = [valable | dict.fromkeys(totaux, total) for total in ("1999", "-5", "x")] if totaux else []
    return [
        *decales,
        *memes,
        *gardes,
        *menteurs,
        valable | {nom: ["1", "x", "1"] for nom in noms if nom not in totaux},
    ]


ESSAYEES: dict[str, int] = {}


@pytest.mark.parametrize("ligne", ENVOIS, ids=str)
def test_aucun_envoi_ne_fait_tomber_une_adresse(site, ligne):
    valable, client, adresse = site.envoi_valable(ligne, QUI), site.clients[QUI], site.adresse(ligne, QUI)
    trouves, recues, cookies = [], 0, client.cookies.copy()
    for envoi in envois_hostiles(noms_des_champs(site, ligne), valable):
        client.cookies = cookies.copy()
        cache.clear()
        for valeur in envoi.values():
            if isinstance(valeur, SimpleUploadedFile):
                valeur.seek(0)
        with sans_lendemain():
            reponse = client.post(adresse, envoi)
            trouves += defauts(reponse, f"POST {envoi!r}")
            if LONG and reponse.status_code == 302 and not trouves and TAPE in valable.values():
                trouves += defauts(client.get(reponse["Location"]), f"GET après {envoi!r}")
        recues += len(envoi)
    ESSAYEES[ligne.nom] = recues
    assert not trouves, "\n".join([ligne.nom, *trouves[:5]])
    assert recues >= AU_MOINS


def test_un_envoi_enorme_est_refuse_sans_panne(site):
    for nom in ("actions:note", "admin:actions_plan_change", "account_reset_password"):
        ligne = next(ligne for ligne in TABLE if ligne.nom == nom)
        envoi = site.envoi_valable(ligne, QUI) | {"texte": "é" * 5_000_000, "description": "x" * 5_000_000}
        reponse = site.clients[QUI].post(site.adresse(ligne, QUI), envoi)
        assert reponse.status_code == 400
        mille = {f"champ{n}": "x" for n in range(3000)}
        assert site.clients[QUI].post(site.adresse(ligne, QUI), mille).status_code == 400


def _partie(entete: bytes, corps: bytes = b"abc") -> bytes:
    return b"--x\r\nContent-Disposition: form-data" + entete + b"\r\n\r\n" + corps + b"\r\n--x--\r\n"


CORPS = {
    "vide": b"",
    "sans fin": b'--x\r\nContent-Disposition: form-data; name="texte"\r\n\r\nabc',
    "sans nom": _partie(b""),
    "charset inconnu": _partie(b"; name*=inconnu''%41"),
    "nom de fichier": _partie(b"; name=\"fichier\"; filename*=raw-unicode-escape''%5Cud800.pdf"),
    "fichier au charset inconnu": _partie(b"; name=\"fichier\"; filename*=nulle-part''a.pdf"),
    "base64 faux": _partie(b'; name="texte"\r\nContent-Transfer-Encoding: base64', b"@@@"),
    "utf-8 invalide": _partie(b'; name="texte"', b"\xff\xfe\xed\xa0\x80"),
}
GENRES = (
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "multipart/form-data; boundary=" + "x" * 500,
    "multipart/form-data; boundary=x; charset=raw-unicode-escape",
    "multipart/form-data; boundary=x; charset=base64",
    "application/x-www-form-urlencoded; charset=utf-7",
    "application/x-www-form-urlencoded",
    "application/json",
    "text/xml; charset=utf-16",
    "x" * 3000,
    "",
)


@pytest.mark.parametrize("genre", GENRES, ids=lambda genre: genre[:60])
def test_un_corps_mal_fait_n_est_jamais_une_panne(site, genre):
    trouves = []
    for nom in ("actions:document_ajouter", "actions:importer", "accueil:mon_compte"):
        adresse = site.decor.adresse(nom)
        for quoi, corps in CORPS.items():
            reponse = site.clients[QUI].generic("POST", adresse, corps, content_type=genre)
            trouves += defauts(reponse, f"{nom}, {quoi}, {genre}")
    assert not trouves, "\n".join(trouves)


@pytest.mark.parametrize("charset", ["raw-unicode-escape", "utf-7", "base64", "unicode_escape", "utf-16"])
def test_le_charset_d_une_demande_ne_change_pas_ce_qui_se_lit(site, charset):
    for requete in ("q=%5Cud800", "q=+AGE-", "q=%ff%fe"):
        reponse = site.clients[QUI].generic(
            "GET", f"/recherche/?{requete}", content_type=f"text/plain; charset={charset}"
        )
        assert reponse.status_code == 200
        assert "\ud800".encode("utf-8", "surrogatepass") not in reponse.content


# --- Les adresses -------------------------------------------------------------------------------

PARAMETRES = [ligne for ligne in TABLE if resolveur.route(ligne.nom).parametres]
HORS_BORNES = (TROP_GRAND, "9223372036854775808", "0")
TEXTES_D_ADRESSE = (
    "%00",
    "%ED%A0%80",
    "%EF%BF%BF",
    "..%2f..%2fetc%2fpasswd",
    "%0d%0aX:1",
    "%27%22%3Cscript%3E",
    "é" * 300,
)


@pytest.mark.parametrize("ligne", PARAMETRES, ids=str)
def test_une_adresse_forgee_se_refuse_sans_panne(site, ligne):
    route, trouves = resolveur.route(ligne.nom), []
    for parametre in route.parametres:
        # Un nombre ne se lit que de chiffres : le résolveur refuse tous les textes de la même façon.
        nombre = f"<int:{parametre}>" in route.route
        for valeur in (*HORS_BORNES, *(TEXTES_D_ADRESSE[:1] if nombre else TEXTES_D_ADRESSE)):
            adresse = site.decor.adresse(ligne.nom, **{parametre: valeur})
            with sans_lendemain():
                trouves += defauts(site.clients[QUI].get(adresse), f"GET {adresse}")
                if valeur == TROP_GRAND and ligne.envoi is not None:
                    trouves += defauts(site.clients[QUI].post(adresse, {"version": "1"}), f"POST {adresse}")
    assert not trouves, "\n".join(trouves[:5])


REQUETES = (
    dict.fromkeys(LUS, "\x00"),
    dict.fromkeys(LUS, TROP_GRAND),
    dict.fromkeys(LUS, "x\r\nSet-Cookie: x=1"),
    {nom: RESUME[n % len(RESUME)][:300] for n, nom in enumerate(LUS)},
    {nom: RESUME[(n + 1) % len(RESUME)][:300] for n, nom in enumerate(LUS)},
    {nom: ["1", "2", "\uffff", "-1"] for nom in LUS},
    {f"{nom}__gt": "1" for nom in LUS} | {"password__startswith": "a", "pk__in": "1,2", "x__y__z": ""},
)


SEULES = ("code", "plan", "page", "format", "o", "de", "portee", "_to_field", "saisi_au", "annee", "e")
# L'administration lit tout de la même façon, d'une liste à l'autre ; nos pages, chacune à la sienne.
VALEURS_SEULES = ("\x00", TROP_GRAND, "3\r\nSet-Cookie: x=1")


@pytest.mark.parametrize("ligne", [ligne for ligne in TABLE if ligne.lit in (200, 404, 401)], ids=str)
def test_une_requete_forgee_ne_fait_tomber_aucune_page(site, ligne):
    adresse, admin = site.adresse(ligne, QUI), ligne.nom.startswith("admin:")
    demandes = [*(REQUETES if LONG else REQUETES[1::2])]
    if LONG or not admin:
        demandes += [{seule: VALEURS_SEULES[n % 3]} for n, seule in enumerate(SEULES)]
        demandes += [{"plan": "3\r\n"}, {"code": "x\r\n"}]
    else:
        demandes += [{"q": REQUETES[3]["q"]}, {"o": "\x00"}, {"_to_field": "password"}, {"e": TROP_GRAND}]
    trouves = []
    for demande in demandes:
        lue = f"{adresse}{'&' if '?' in adresse else '?'}{urlencode(demande, doseq=True)}"
        with sans_lendemain():
            trouves += defauts(site.clients[QUI].get(lue), f"GET {lue}")
    assert not trouves, "\n".join(trouves[:5])
