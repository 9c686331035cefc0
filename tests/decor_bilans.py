"""Un bilan du décor : arrêté plusieurs fois, publié, rouvert ; le PDF de ses versions et un tirage."""

from django.utils import timezone

from actions.models import Plan
from bilans.arret import rouvrir
from bilans.contenu.canonique import empreinte
from bilans.models import Bilan, EtatDeTirage, PdfDeVersion, Tirage, VersionDeBilan
from comptes.models import Utilisateur
from tests.decor_suivi import UN_PDF
from tests.fabriques_bilans import bilan_arrete, bilan_publie


def arreter_un_bilan(
    plan: Plan, annee: int, auteur: Utilisateur, fois: int = 1
) -> tuple[Bilan, VersionDeBilan, PdfDeVersion, Tirage]:
    """Le bilan, rouvert ; sa première version, que le public voit ; le PDF de celle-ci ; un tirage de la dernière.

    Le plan est publié. `fois` : combien de versions ont suivi la première.
    """
    plan.publie = True
    plan.save()
    Bilan.objects.create(
        plan=plan,
        annee=annee,
        avant_propos="Une année pour poser les bases.",
        commentaire_terminees="Quatre actions sont derrière nous.",
        presente_en_conseil_le=timezone.localdate(),
        numero_de_deliberation="2024-017",
    )
    bilan_publie(plan, annee, auteur)
    versions = [VersionDeBilan.objects.get(), *(bilan_arrete(plan, annee, auteur) for _ in range(fois))]
    # Hors d'un essai en transaction, l'arrêt d'un petit plan a déjà fait le sien.
    octets = {"contenu": UN_PDF, "empreinte": empreinte(UN_PDF)}
    pdf = [PdfDeVersion.objects.get_or_create(version=version, defaults=octets)[0] for version in versions]
    tirage = Tirage.objects.create(
        bilan=versions[-1].bilan,
        version=versions[-1],
        etat=EtatDeTirage.PRET,
        progression=100,
        demande_par=auteur,
        fini_le=timezone.now(),
    )
    bilan = Bilan.objects.get()
    rouvert = rouvrir(bilan, auteur=auteur, version=bilan.version, motif="Une valeur a été corrigée.")
    return rouvert, versions[0], pdf[0], tirage
