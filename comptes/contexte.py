"""Ce que toutes les pages ont sous la main."""

from django.utils.functional import SimpleLazyObject

from comptes.droits import Droit, peut
from comptes.models import Collectivite, Utilisateur


def collectivite_et_droits(request) -> dict:
    """La collectivité (None avant l'installation) et les droits généraux, lus à la première demande."""
    utilisateur = getattr(request, "user", None)
    return {
        "aucun_compte": SimpleLazyObject(lambda: not Utilisateur.objects.exists()),
        "collectivite": SimpleLazyObject(lambda: Collectivite.objects.first()),
        "peut_tout_administrer": utilisateur is not None and peut(utilisateur, Droit.ADMINISTRER),
        "peut_modifier_le_plan": utilisateur is not None and peut(utilisateur, Droit.MODIFIER_LE_PLAN),
        "peut_importer": utilisateur is not None and peut(utilisateur, Droit.IMPORTER),
        "peut_valider": utilisateur is not None and peut(utilisateur, Droit.VALIDER),
        "peut_tenir_les_referentiels": utilisateur is not None and peut(utilisateur, Droit.TENIR_LES_REFERENTIELS),
    }
