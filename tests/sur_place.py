"""Ce qu'on fait d'un statut sur place, et ce qu'on en voit : les mots des essais de Chromium."""

from collections.abc import Callable

from django.utils import timezone
from playwright.sync_api import Locator, Page, Route

from actions.models import Action, ChangementDeStatut
from socle.formats import formater_date


def bloc(page: Page, action: Action) -> Locator:
    return page.locator(f"#statut-{action.pk}")


def changer(page: Page, action: Action) -> Locator:
    """Le « Changer » de cette action, qui ouvre son volet."""
    return page.locator(f"#changer-{action.pk}")


def volet(page: Page, action: Action) -> Locator:
    return bloc(page, action).locator(".choix-statut form")


def choisir(page: Page, action: Action, statut: str) -> None:
    """Deux clics."""
    changer(page, action).click()
    volet(page, action).get_by_role("button", name=statut).click()


def annuler(page: Page, action: Action) -> Locator:
    return bloc(page, action).get_by_role("button", name="Annuler")


def message(page: Page) -> Locator:
    return page.get_by_role("status")


def pastille(dans: Locator) -> Locator:
    """Le statut montré ; le volet replié nomme aussi les autres, où aller."""
    return dans.locator(".statut-en-place > .statut")


def colonne(page: Page, titre: str) -> Locator:
    return page.get_by_role("region", name=f"Actions {titre}")


def enregistre(action: Action, statut: str) -> str:
    return f"Statut enregistré : {statut}, au {formater_date(timezone.localdate())} (action {action.numero})."


def statuts_ecrits(action: Action) -> list[str]:
    """Tout le journal de l'action, dans l'ordre de saisie."""
    return list(ChangementDeStatut.objects.filter(action=action).order_by("pk").values_list("statut", flat=True))


def marquer(page: Page) -> None:
    """Pose un témoin, qu'un rechargement effacerait."""
    page.evaluate("() => { window.temoin = true; }")


def verifier_sans_rechargement(page: Page) -> None:
    assert page.evaluate("() => window.temoin === true"), "la page a été rechargée"


def retenir_la_relecture(page: Page) -> Callable[[], None]:
    """La prochaine lecture de cette page part, mais n'arrive que lorsqu'on appelle ce qui est rendu."""
    retenues = []

    def retenir(route: Route) -> None:
        retenues.append((route, route.fetch()))
        page.evaluate("() => { document.body.dataset.lue = 'oui'; }")

    def laisser_arriver() -> None:
        [(route, reponse)] = retenues
        route.fulfill(response=reponse)

    page.route(page.url, retenir, times=1)
    return laisser_arriver


class Clavier:
    """Un clavier qui compte ses appuis, et refuse celui de trop ; ce qui se tape dans un champ ne compte pas."""

    def __init__(self, page: Page, accordes: int) -> None:
        self.page, self.restants = page, accordes

    def appuyer(self, touche: str) -> None:
        assert self.restants, f"« {touche} » serait l'appui de trop"
        self.restants -= 1
        self.page.keyboard.press(touche)
