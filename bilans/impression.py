"""Demander le document d'un bilan : fait aussitôt s'il est petit, par l'ouvrier sinon."""

from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

from bilans.bilan import Bilan
from bilans.contenu.schema import Portee
from bilans.taches import A_FAIRE, executer, tirer
from bilans.tirages import EtatDeTirage, Tirage
from bilans.versions import VersionDeBilan
from comptes.droits import Droit, exiger

if TYPE_CHECKING:
    from comptes.models import Utilisateur

# Au-delà, la page attendrait plus de deux secondes : l'ouvrier s'en charge.
ACTIONS_SUR_PLACE = 60
# Les brouillons tirés ne se gardent pas : celui qu'on demande, et celui d'avant.
BROUILLONS_GARDES = 1


def demander(bilan: Bilan, version: VersionDeBilan | None = None, *, par: "Utilisateur | None") -> Tirage:
    """Le tirage de ce bilan, ou de sa version arrêtée ; déjà demandé et pas fini (double clic), c'est le même.

    Un petit plan se dessine au commit de la transaction en cours, s'il y en a une ; un grand est confié à l'ouvrier,
    dans cette transaction. Un bilan que personne n'a encore préparé s'enregistre, pour qui peut l'arrêter ; pour un
    autre, qui ne fait que lire, lève PermissionDenied.
    """
    with transaction.atomic():
        if bilan.pk is None:
            bilan = _enregistre(bilan, par)
        bilan.verrouillee()
        demandes = Tirage.objects.filter(bilan=bilan, version=version)
        if deja := demandes.filter(etat__in=A_FAIRE).first():
            return deja
        _oublier_les_brouillons(bilan)
        tirage = Tirage.objects.create(bilan=bilan, version=version, demande_par=par)
        _confier(tirage, sur_place=_est_petit(bilan, version))
    return tirage


def _enregistre(bilan: Bilan, par: "Utilisateur | None") -> Bilan:
    """Le même, enregistré : par un autre entre-temps, ou maintenant."""
    if deja := Bilan.objects.filter(plan=bilan.plan, annee=bilan.annee).first():
        return deja
    if par is not None:
        exiger(par, Droit.VALIDER)
    bilan.clean_fields()
    return Bilan.objects.get_or_create(plan=bilan.plan, annee=bilan.annee)[0]


def demander_le_pdf_arrete(version: VersionDeBilan, *, par: "Utilisateur | None") -> Tirage:
    """Le PDF public d'une version, gardé avec elle pour toujours. Fait, il ne se refait pas.

    Sans de quoi faire un PDF sur cette machine, la version n'y perd rien : le tirage échoue et dit quoi installer.
    """
    return demander(version.bilan, version, par=par)


def reprendre(tirage: Tirage) -> Tirage:
    """Relance un tirage échoué, ou qu'un ouvrier arrêté a laissé ; sans danger si l'ouvrier y travaillait encore."""
    with transaction.atomic():
        pris = Tirage.objects.select_for_update(of=("self",)).select_related("bilan", "version").get(pk=tirage.pk)
        if pris.etat != EtatDeTirage.PRET:
            pris.etat, pris.progression, pris.message, pris.fini_le = EtatDeTirage.DEMANDE, 0, "", None
            pris.save()
            _confier(pris, sur_place=_est_petit(pris.bilan, pris.version))
    return pris


def dernier_tirage(bilan: Bilan, version: VersionDeBilan | None) -> Tirage | None:
    """Le PDF le plus récemment demandé, sans ses octets."""
    if bilan.pk is None:
        return None
    demandes = Tirage.objects.filter(bilan=bilan, version=version)
    return demandes.defer("contenu").select_related("bilan__plan", "version").first()


def se_dessine_sur_place(bilan: Bilan) -> bool:
    """Vrai si le brouillon de ce bilan est assez petit pour se dessiner pendant qu'on l'attend."""
    return bilan.plan.actions.count() <= ACTIONS_SUR_PLACE


def _est_petit(bilan: Bilan, version: VersionDeBilan | None) -> bool:
    if version is None:
        return se_dessine_sur_place(bilan)
    return len(version.lu(Portee.PUBLIQUE).actions) <= ACTIONS_SUR_PLACE


def _confier(tirage: Tirage, *, sur_place: bool) -> None:
    if sur_place:
        transaction.on_commit(partial(executer, tirage.pk), robust=True)
    else:
        tirer.enqueue(tirage.pk)


def _oublier_les_brouillons(bilan: Bilan) -> None:
    finis = Tirage.objects.filter(bilan=bilan, version=None).exclude(etat__in=A_FAIRE)
    gardes = list(finis.values_list("pk", flat=True)[:BROUILLONS_GARDES])
    finis.exclude(pk__in=gardes).delete()
