"""Un bilan du décor : arrêté deux fois, publié, rouvert ; le PDF de ses versions et un tirage."""

from django.utils import timezone

from actions.models import Plan
from bilans.contenu.canonique import ecrire, empreinte
from bilans.contenu.composition import Arret, composer
from bilans.contenu.schema import SCHEMA
from bilans.models import Bilan, EtatDeTirage, PdfDeVersion, Tirage, VersionDeBilan
from comptes.models import Utilisateur
from tests.decor_suivi import UN_PDF

MOTIF = "Une valeur a été corrigée."


def arreter_un_bilan(
    plan: Plan, annee: int, auteur: Utilisateur, fois: int = 1
) -> tuple[Bilan, VersionDeBilan, PdfDeVersion, Tirage]:
    """Le bilan, sa première version (celle que le public voit), le PDF de celle-ci et un tirage de la dernière.

    Le plan est publié. `fois` : combien de fois le bilan a été rouvert puis arrêté de nouveau ; il est rouvert.
    """
    plan.publie = True
    plan.save()
    bilan = Bilan.objects.create(
        plan=plan,
        annee=annee,
        avant_propos="Une année pour poser les bases.",
        commentaire_terminees="Quatre actions sont derrière nous.",
        presente_en_conseil_le=timezone.localdate(),
        numero_de_deliberation="2024-017",
    )
    versions = [_version(bilan, rang, auteur) for rang in range(1, fois + 2)]
    pdf = [
        PdfDeVersion.objects.create(version=version, contenu=UN_PDF, empreinte=empreinte(UN_PDF))
        for version in versions
    ]
    bilan.version_publiee, bilan.publie_le = versions[0], timezone.localdate()
    bilan.rouvert_le, bilan.motif_de_reouverture = timezone.now(), MOTIF
    bilan.save()
    tirage = Tirage.objects.create(
        bilan=bilan,
        version=versions[-1],
        etat=EtatDeTirage.PRET,
        progression=100,
        demande_par=auteur,
        fini_le=timezone.now(),
    )
    return bilan, versions[0], pdf[0], tirage


def _version(bilan: Bilan, rang: int, auteur: Utilisateur) -> VersionDeBilan:
    arret = Arret(timezone.now(), rang, MOTIF if rang > 1 else "")
    compose = composer(bilan, arret)
    interne, public = ecrire(compose.interne), ecrire(compose.public)
    return VersionDeBilan.objects.create(
        bilan=bilan,
        rang=rang,
        schema=SCHEMA,
        arretee_le=arret.le,
        auteur=auteur,
        motif=arret.motif,
        contenu_interne=interne,
        empreinte_interne=empreinte(interne),
        contenu_public=public,
        empreinte_publique=empreinte(public),
    )
