"""Objets d'essai, créés par les méthodes du produit : ce qu'un essai ne dit pas a une valeur simple."""

import datetime
import itertools

from actions.models import Action, Plan
from actions.statuts import Statut
from comptes.droits import Role
from comptes.models import Service, Utilisateur
from indicateurs.listes import Nature
from indicateurs.models import Cible, Indicateur, IndicateurDuPlan, ValeurAnnuelle
from partenaires.models import Partenaire

MOT_DE_PASSE = "un-mot-de-passe-d-essai-2026"
FIN_2023 = datetime.date(2023, 12, 31)

_rang = itertools.count(1)


def _lettres() -> str:
    """Un mot qui ne sert qu'une fois, sans chiffre : « 180 » ne doit pas se trouver dans le nom d'un compte."""
    return "".join("abcdefghij"[int(chiffre)] for chiffre in str(next(_rang)))


def service(nom: str | None = None) -> Service:
    return Service.objects.get_or_create(nom=nom or f"Service {_lettres()}")[0]


def utilisateur(role: Role | None = Role.AGENT, **champs) -> Utilisateur:
    champs.setdefault("username", f"compte-{_lettres()}")
    return Utilisateur.objects.create_user(password=MOT_DE_PASSE, role=role, **champs)


def plan(**champs) -> Plan:
    champs.setdefault("intitule", f"Plan {_lettres()}")
    nouveau = Plan(**champs)
    nouveau.full_clean()
    nouveau.save()
    return nouveau


def action(sur: Plan | None = None, *, auteur=None, date_effet=FIN_2023, **champs) -> Action:
    champs.setdefault("intitule", f"Action {_lettres()}")
    champs.setdefault("statut", Statut.NON_INITIEE)
    return Action.objects.creer(plan=sur or plan(), auteur=auteur, date_effet=date_effet, **champs)


def partenaire(nom: str | None = None, **champs) -> Partenaire:
    nouveau = Partenaire(nom=nom or f"Partenaire {_lettres()}", **champs)
    nouveau.full_clean()
    nouveau.save()
    return nouveau


def indicateur(sur: Plan | None = None, *, chiffre_cle: bool = True, **champs) -> Indicateur:
    mot = _lettres()
    champs.setdefault("code", f"indicateur-{mot}")
    champs.setdefault("intitule", f"Indicateur {mot}")
    champs.setdefault("nature", Nature.COMPTE)
    nouveau = Indicateur(**champs)
    nouveau.full_clean()
    nouveau.save()
    if sur is not None:
        IndicateurDuPlan.objects.create(plan=sur, indicateur=nouveau, ordre=next(_rang), chiffre_cle=chiffre_cle)
    return nouveau


def valeur(de: Indicateur, annee: int, *, motif: str = "", **champs) -> ValeurAnnuelle:
    nouvelle = ValeurAnnuelle(indicateur=de, annee=annee, **champs)
    nouvelle.enregistrer(motif=motif)
    return nouvelle


def cible(de: Indicateur, annee: int, valeur, **champs) -> Cible:
    nouvelle = Cible(indicateur=de, annee=annee, valeur=valeur, **champs)
    nouvelle.full_clean()
    nouvelle.save()
    return nouvelle
