"""Aucun script stocké ne s'exécute : chaque texte du site en porte un, et les pages s'ouvrent dans Chromium."""

import itertools

import pytest
from django.db import DatabaseError, models, transaction

from comptes.droits import Role
from tests.decor import decor_acces
from tests.fuites import TENUS, champs_de_texte, nom_de
from tests.navigateur import cookie_de_session
from tests.test_acces import TABLE

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]

CHARGES = (
    '"><img src=x onerror=window.__x=1>',
    "</script><script>window.__x=1</script>",
    "</textarea></title><svg onload=window.__x=1>",
    "'><details open ontoggle=window.__x=1>",
)
UN_LIEN = "javascript:window.__x=1"
# Ce qui fait une adresse ou se relit par une machine n'est pas un texte qu'on tape.
_ADRESSES = (
    "slug",
    "code",
    "username",
    "password",
    "empreinte",
    "sha256",
    "souche",
    "siret",
    "numero",
    "cle",
    "fichier",
)


def semer() -> int:
    """Une charge dans chaque champ de texte de chaque ligne ; rend leur nombre. Ce que la base refuse reste."""
    charges, semes = itertools.cycle(CHARGES), 0
    for modele, champ in champs_de_texte():
        if nom_de(modele, champ) in TENUS or isinstance(champ, models.JSONField) or champ.name in _ADRESSES:
            continue
        lien = champ.name in ("lien", "site", "url", "site_web")
        valeur = UN_LIEN if lien else next(charges)
        if (champ.max_length or 999) < len(valeur):
            continue
        try:
            with transaction.atomic():
                semes += models.QuerySet(modele).update(**{champ.attname: valeur})
        except DatabaseError:
            continue
    return semes


def pages(decor) -> list[str]:
    """Une fois chacune, les pages que l'administrateur lit : du site, de l'administration, publiques."""
    lues = [ligne for ligne in TABLE if ligne.lit == 200 and not ligne.nom.startswith("api:")]
    return [
        decor.adresse(ligne.nom) + ligne.requete
        for ligne in lues
        if not ligne.nom.endswith(("_add", "_history", "_delete", "_export"))
    ]


def test_aucun_script_stocke_ne_s_execute(ouvrir_une_fenetre):
    decor = decor_acces()
    fenetre = ouvrir_une_fenetre()
    fenetre.page.context.add_cookies([cookie_de_session(decor.comptes[Role.ADMINISTRATEUR], fenetre.origine)])
    adresses = pages(decor)
    assert semer() > 300
    defauts, montrees = [], 0
    for adresse in adresses:
        reponse = fenetre.page.context.request.get(f"{fenetre.origine}{adresse}", max_redirects=0)
        if reponse.status >= 500:
            defauts.append(f"{adresse} : {reponse.status}")
        if not reponse.headers.get("content-type", "").startswith("text/html") or reponse.status != 200:
            continue
        fenetre.page.goto(f"{fenetre.origine}{adresse}", wait_until="load")
        montrees += "__x" in fenetre.page.content()
        lu = fenetre.page.evaluate(
            "() => [window.__x || null, window.refusDeLaCsp || [],"
            " [...document.querySelectorAll('a[href^=\"javascript:\" i], [onerror], [onload], [ontoggle]')].length]"
        )
        if lu != [None, [], 0]:
            defauts.append(f"{adresse} : {lu}")
    assert not defauts, "\n".join(defauts)
    # Sans quoi l'essai réussirait aussi sur des pages qui n'ont rien montré.
    assert montrees > 40
    fenetre.oublier()
