"""Le second fichier des finances, s'il y en a un : qui sont les tiers, par leur code."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from marches.mandats.correspondances import Correspondance, Role
from marches.mandats.fichiers import FichierLu, cite, rangs_de
from socle.formats import INSECABLE, plier
from socle.tableaux import FichierIllisible, texte_de

DES_TIERS = (Role.NOM, Role.SIRET, Role.CODE_POSTAL, Role.VILLE)


def est_un_annuaire(correspondance: Correspondance) -> bool:
    """Un fichier sans montant, mais avec des tiers."""
    montants = (Role.MONTANT, Role.MONTANT_HT, Role.MONTANT_TTC)
    return bool(correspondance.code_tiers) and not any(correspondance.colonne(role) for role in montants)


def code_du_tiers(valeur: Any) -> str:
    """Le code, comparable d'un fichier à l'autre : un tableur ôte les zéros de « 00123 »."""
    code = plier(texte_de(valeur)).replace(" ", "")
    return (code.lstrip("0") or "0") if code.isdigit() else code


@dataclass
class Annuaire:
    """Par code, ce qu'il dit du tiers ; ce que deux lignes du même code disent autrement ne se sait pas."""

    tiers: dict[str, dict[Role, Any]] = field(default_factory=dict)
    en_double: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def de(cls, fichier: FichierLu, correspondance: Correspondance) -> "Annuaire":
        """Lève FichierIllisible si rien n'y dit le code du tiers."""
        rangs = rangs_de(fichier, correspondance)
        if Role.CODE_TIERS not in rangs:
            raise FichierIllisible(f"{cite(fichier.nom)}{INSECABLE}: aucune colonne ne donne le code du tiers.")
        annuaire, places = cls(), defaultdict[str, list[int]](list)
        for ligne in fichier.tableau.lignes:
            code = code_du_tiers(ligne.cellules[rangs[Role.CODE_TIERS]])
            if not code:
                continue
            dit = {role: ligne.cellules[rangs[role]] for role in DES_TIERS if role in rangs}
            dit = {role: valeur for role, valeur in dit.items() if texte_de(valeur)}
            places[code].append(ligne.numero)
            if annuaire._contredit(code, dit):
                annuaire.en_double[code] = places[code]
        return annuaire

    def _contredit(self, code: str, dit: dict[Role, Any]) -> bool:
        connu = self.tiers.setdefault(code, {})
        contraires = False
        for role, valeur in dit.items():
            if role in connu and plier(texte_de(connu[role])) != plier(texte_de(valeur)):
                connu[role] = None
                contraires = True
            connu.setdefault(role, valeur)
        return contraires


def joindre(fichier: FichierLu, rangs: dict[Role, int], second: tuple[FichierLu, Correspondance]) -> Annuaire:
    annuaire = Annuaire.de(*second)
    if Role.CODE_TIERS not in rangs:
        raise FichierIllisible(f"{cite(fichier.nom)}{INSECABLE}: aucune colonne ne donne le code du tiers.")
    codes = {code_du_tiers(ligne.cellules[rangs[Role.CODE_TIERS]]) for ligne in fichier.tableau.lignes}
    if not codes & annuaire.tiers.keys():
        raise FichierIllisible(
            f"{cite(fichier.nom)} et {cite(second[0].nom)} n'ont aucun code de tiers en commun : "
            "vérifiez que la colonne du code est la bonne dans les deux."
        )
    return annuaire


def phrase_du_double(lignes: Iterable[int], fichier: str) -> str:
    """Le code n'est pas montré : ce peut être celui d'une personne."""
    return (
        f"{cite(fichier)}, lignes {', '.join(str(n) for n in list(lignes)[:5])} : le même code de tiers, "
        "dit de plusieurs façons ; ce qui diffère n'est pas retenu"
    )
