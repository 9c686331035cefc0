"""Les liens d'une action : ses partenaires, ses références. Rien n'est supprimé pour être recréé, seul bouge ce qui
change ; et l'historique dit qui, même hors d'une page."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from simple_history.utils import bulk_create_with_history

from actions.champs import Ecart
from actions.suivi import PartenaireDeLAction, ReferenceCadre
from partenaires.models import Partenaire

if TYPE_CHECKING:
    from actions.models import Action
    from comptes.models import Utilisateur

Lien = PartenaireDeLAction | ReferenceCadre


def cadre_et_code(texte: str) -> tuple[str, str]:
    """« PCAET : 4.2 » → (« PCAET », « 4.2 ») ; sans deux-points, le code est vide."""
    cadre, _, code = (partie.strip() for partie in texte.partition(":"))
    return cadre, code


def liens_neufs(action: "Action", partenaires: Mapping[Partenaire, str], references: Iterable[str]) -> list[Lien]:
    """Ces liens, pas encore enregistrés."""
    return [
        *(PartenaireDeLAction(action=action, partenaire=qui, role=role) for qui, role in partenaires.items()),
        *(ReferenceCadre(action=action, cadre=cadre, code=code) for cadre, code in map(cadre_et_code, references)),
    ]


def retirer_et_changer(action: "Action", ecart: Ecart, auteur: "Utilisateur") -> list[Lien]:
    """Retire ce que l'écart n'a plus, change les rôles qu'il change ; rend ce qui reste à ajouter."""
    if ecart.champ == "partenaires":
        voulus = dict(ecart.apres)
        for lien in action.participations.all():
            role = voulus.pop(lien.partenaire, None)
            if role is None:
                _signe(lien, auteur).delete()
            elif lien.role != role:
                lien.role = role
                _signe(lien, auteur).save()
        return liens_neufs(action, voulus, [])
    voulues = {cadre_et_code(texte): texte for texte in ecart.apres}
    for reference in action.references.all():
        if voulues.pop((reference.cadre, reference.code), None) is None:
            _signe(reference, auteur).delete()
    return liens_neufs(action, {}, voulues.values())


def ajouter(liens: Iterable[Lien], auteur: "Utilisateur") -> None:
    """Enregistre des liens neufs, de quelque nombre d'actions, en quatre requêtes au plus."""
    liens = list(liens)
    for modele in (PartenaireDeLAction, ReferenceCadre):
        if siens := [lien for lien in liens if isinstance(lien, modele)]:
            bulk_create_with_history(siens, modele, default_user=auteur)


def _signe(lien: Lien, auteur: "Utilisateur") -> Lien:
    # Hors d'une demande du navigateur, l'historique ne saurait pas qui.
    lien._history_user = auteur  # type: ignore[union-attr]
    return lien
