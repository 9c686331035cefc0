"""Dans Chromium : poser un second facteur, entrer avec un code puis un code de secours, fermer ses sessions."""

import os
import re
import time
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from comptes.droits import Role
from comptes.models import Collectivite
from tests import fabriques
from tests.navigateur import ETROIT, LARGE, Fenetre
from tests.test_navigateur import juger

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]

DEMI_MINUTE = 30


def regarder(fenetre: Fenetre, nom: str) -> list[str]:
    """Les défauts de la page montrée, large puis étroite."""
    defauts = []
    for largeur, taille in (("1280", LARGE), ("375", ETROIT)):
        fenetre.page.set_viewport_size(taille)
        if dossier := os.environ.get("CAPTURES_CONNEXION"):
            fenetre.page.screenshot(path=Path(dossier) / f"{nom}-{largeur}.png", full_page=True)
        defauts += [*fenetre.defauts(), *juger(fenetre)]
        # `juger` a déplié les menus.
        fenetre.page.evaluate("() => document.querySelectorAll('details').forEach(bloc => { bloc.open = false; })")
    fenetre.page.set_viewport_size(LARGE)
    return defauts


def code(secret: str, pas: int) -> str:
    """Celui de maintenant, ou d'une demi-minute voisine : le site en admet une de chaque côté."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // DEMI_MINUTE + pas))


def se_connecter(page: Page) -> None:
    page.get_by_label("Identifiant").fill("camille")
    page.get_by_label("Mot de passe").fill(fabriques.MOT_DE_PASSE)
    page.get_by_role("button", name="Se connecter", exact=True).click()


def test_on_pose_un_second_facteur_puis_on_entre_avec_lui(ouvrir_une_fenetre):
    Collectivite.objects.create(nom="Collectivité d'essai")
    fabriques.utilisateur(Role.AGENT, username="camille", prenom="Camille")
    fenetre = ouvrir_une_fenetre()
    page, compte = fenetre.page, fenetre.page.locator("details.compte")

    assert fenetre.ouvrir("/connexion/") == []
    se_connecter(page)
    expect(compte).to_have_text(re.compile("Camille"))
    assert fenetre.ouvrir("/compte/second-facteur/") == []
    assert regarder(fenetre, "second-facteur-absent") == []
    page.get_by_role("link", name="Poser le second facteur").click()
    assert regarder(fenetre, "confirmer") == []
    page.get_by_label("Mot de passe").fill(fabriques.MOT_DE_PASSE)
    page.get_by_role("button", name="Confirmer").click()
    image = page.locator("img.code-qr")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.complete && image.naturalWidth > 0")
    assert regarder(fenetre, "poser") == []
    secret = page.locator(".code-a-taper").inner_text()
    page.get_by_label("Code affiché par l'application").fill("12")
    page.get_by_role("button", name="Poser le second facteur").click()
    expect(page.get_by_role("main")).to_contain_text("Ce code n'est pas le bon")
    expect(page.locator(".code-a-taper")).to_have_text(secret)
    assert regarder(fenetre, "poser-code-faux") == []
    page.get_by_label("Code affiché par l'application").fill(code(secret, 0))
    page.get_by_role("button", name="Poser le second facteur").click()
    expect(page.get_by_role("heading", name="Codes de secours")).to_be_visible()
    assert regarder(fenetre, "codes") == []
    secours = page.locator("main li code").first.inner_text()
    page.get_by_role("link", name="Refaire les codes").click()
    assert regarder(fenetre, "codes-refaire") == []
    assert fenetre.ouvrir("/compte/second-facteur/") == []
    assert regarder(fenetre, "second-facteur-pose") == []
    page.get_by_role("link", name="Retirer le second facteur").click()
    assert regarder(fenetre, "retirer") == []

    ailleurs = ouvrir_une_fenetre()
    assert ailleurs.ouvrir("/connexion/") == []
    se_connecter(ailleurs.page)
    expect(ailleurs.page.get_by_role("heading", name="Second facteur")).to_be_visible()
    assert regarder(ailleurs, "code-a-la-connexion") == []
    ailleurs.page.get_by_label("Code").fill(code(secret, 1))
    ailleurs.page.get_by_role("button", name="Se connecter", exact=True).click()
    expect(ailleurs.page.locator("details.compte")).to_have_text(re.compile("Camille"))

    compte.locator("summary").click()
    page.get_by_role("button", name="Se déconnecter").click()
    se_connecter(page)
    page.get_by_label("Code").fill(secours)
    page.get_by_role("button", name="Se connecter", exact=True).click()
    expect(compte).to_have_text(re.compile("Camille"))

    assert fenetre.ouvrir("/compte/sessions/") == []
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(2)
    assert regarder(fenetre, "sessions") == []
    page.get_by_role("button", name="Fermer toutes les autres sessions").click()
    expect(page.get_by_role("status")).to_contain_text("session fermée")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    ailleurs.page.goto(f"{ailleurs.origine}/mon-compte/")
    expect(ailleurs.page.get_by_role("heading", name="Connexion")).to_be_visible()
