"""Retrouver un compte ou un service par ce qu'on en tape, ou qu'on en colle depuis un tableur.

Accents, majuscules et espaces ne comptent pas. Un compte se reconnaît à son nom, à son identifiant ou à son courriel ;
un service à son nom ou à son sigle. Ce qui désigne deux fiches ne se devine pas : le refus les nomme.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self, TypeVar

from django.core.exceptions import ValidationError

from comptes.models import Service, Utilisateur
from socle.formats import INSECABLE, plier

Fiche = TypeVar("Fiche", Utilisateur, Service)


@dataclass(frozen=True)
class Proposition:
    """Ce qu'une liste propose : le texte qui désigne la fiche sans ambiguïté, et ce qui aide à la reconnaître."""

    texte: str
    precision: str


class Annuaire:
    """Tous les comptes et tous les services, lus une fois pour une page entière."""

    def __init__(self, comptes: Iterable[Utilisateur], services: Iterable[Service]) -> None:
        self._comptes, self._services = list(comptes), list(services)
        self._homonymes = {nom for nom, fois in Counter(plier(str(c)) for c in self._comptes).items() if fois > 1}
        self._par_compte = _index(self._comptes, self._textes_du_compte)
        self._par_service = _index(self._services, lambda service: (service.nom, service.sigle))

    @classmethod
    def lire(cls) -> Self:
        """Deux requêtes."""
        return cls(Utilisateur.objects.all(), Service.objects.all())

    # --- Proposer ------------------------------------------------------------------------------

    def nom_du_compte(self, compte: Utilisateur | None) -> str:
        """Son nom, et son identifiant quand un autre compte porte le même nom ; vide sans compte."""
        if compte is None:
            return ""
        nom = str(compte)
        return f"{nom} ({compte.username})" if plier(nom) in self._homonymes else nom

    @property
    def comptes(self) -> list[Proposition]:
        return [Proposition(self.nom_du_compte(c), c.courriel or c.username) for c in self._comptes if c.is_active]

    @property
    def services(self) -> list[Proposition]:
        return [Proposition(service.nom, service.sigle) for service in self._services if service.actif]

    # --- Retrouver -----------------------------------------------------------------------------

    def compte(self, texte: str, deja: Utilisateur | None = None) -> Utilisateur | None:
        """Le compte que ce texte désigne ; None s'il est vide. `deja` : celui qui y est, gardé même désactivé.

        Lève ValidationError, dont la phrase se montre à côté du champ.
        """
        if deja is not None and plier(texte) == plier(self.nom_du_compte(deja)):
            return deja
        trouves = _exacts(self._par_compte[plier(texte)], self.nom_du_compte, texte)
        actifs = [compte for compte in trouves if compte.is_active]
        if len(actifs) > 1:
            noms = ", ".join(self.nom_du_compte(compte) for compte in actifs)
            raise ValidationError(f"{_cite(texte)} désigne plusieurs comptes : {noms}. Écrivez l'identifiant.")
        attendu = "n'est ni le nom, ni l'identifiant, ni le courriel d'un compte"
        return _seul(texte, trouves, actifs, self.comptes, attendu, "est un compte désactivé")

    def service(self, texte: str, deja: Service | None = None) -> Service | None:
        """Le service que ce texte désigne ; mêmes règles que `compte`."""
        if deja is not None and plier(texte) == plier(deja.nom):
            return deja
        trouves = _exacts(self._par_service[plier(texte)], str, texte)
        actifs = [service for service in trouves if service.actif]
        if len(actifs) > 1:
            noms = ", ".join(service.nom for service in actifs)
            raise ValidationError(f"{_cite(texte)} désigne plusieurs services : {noms}. Écrivez le nom entier.")
        return _seul(texte, trouves, actifs, self.services, "n'est pas un service", "est un service désactivé")

    def _textes_du_compte(self, compte: Utilisateur) -> Iterable[str]:
        nom = str(compte)
        yield from (nom, f"{compte.nom} {compte.prenom}", compte.username, compte.courriel)
        yield f"{nom} ({compte.username})"


def _index(fiches: Iterable[Fiche], textes: Callable[[Fiche], Iterable[str]]) -> defaultdict[str, list[Fiche]]:
    """Par texte plié, les fiches qu'il désigne, chacune une fois."""
    index: defaultdict[str, list[Fiche]] = defaultdict(list)
    for fiche in fiches:
        for cle in {plier(texte) for texte in textes(fiche)} - {""}:
            index[cle].append(fiche)
    return index


def _exacts(trouves: list[Fiche], nom: Callable[[Fiche], str], texte: str) -> list[Fiche]:
    """À la lettre près si l'une y répond : « Écoles » n'est pas « ecoles » quand les deux existent."""
    return [fiche for fiche in trouves if nom(fiche) == texte.strip()] or trouves


def _seul(
    texte: str, trouves: list[Fiche], actifs: list[Fiche], proposes: list[Proposition], inconnu: str, desactive: str
) -> Fiche | None:
    if actifs or not texte.strip():
        return actifs[0] if actifs else None
    if trouves:
        raise ValidationError(f"{_cite(texte)} {desactive}.")
    par_texte = {plier(propose.texte): propose.texte for propose in proposes}
    proches = [par_texte[cle] for cle in get_close_matches(plier(texte), par_texte, n=3, cutoff=0.75)]
    suite = f" Peut-être : {', '.join(proches)}{INSECABLE}?" if proches else ""
    raise ValidationError(f"{_cite(texte)} {inconnu}.{suite}")


def _cite(texte: str) -> str:
    nu = texte.strip()
    return f"«{INSECABLE}{nu if len(nu) <= 60 else nu[:59] + '…'}{INSECABLE}»"
