"""Rien d'ancien ne s'efface sans un bordereau visé, et jamais autre chose que ce qu'il liste."""

import datetime

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from actions.depots import DepotDeClasseur, EtatDeDepot
from bilans.models import VersionDeBilan
from comptes.courriels import Courriel
from comptes.droits import Role
from comptes.gestes import Geste, Trace
from exploitation.archives.bordereau import Bordereau
from exploitation.archives.elimination import preparer
from exploitation.archives.series import SERIES
from socle.modeles import LigneInalterable
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete
from tests.visites import client_de

ANCIEN = datetime.datetime(2020, 5, 4, 12, tzinfo=datetime.UTC)
AVANT = datetime.date(2021, 1, 1)

pytestmark = pytest.mark.django_db


def courriel(cle: str, **champs) -> Courriel:
    qui = fabriques.utilisateur(courriel=f"{cle}@exemple.fr")
    return Courriel.objects.create(destinataire=qui, cle=cle, adresse=qui.courriel, objet="Rappel", **champs)


def ancien(cle: str = "ancien") -> Courriel:
    return courriel(cle, prepare_le=ANCIEN, envoye_le=ANCIEN)


def depot(etat: str) -> DepotDeClasseur:
    qui, plan = fabriques.utilisateur(), fabriques.plan()
    return DepotDeClasseur.objects.create(
        plan=plan, nom="a.xlsx", contenu=b"x", depose_par=qui, depose_le=ANCIEN, etat=etat
    )


def test_preparer_ecrit_le_bordereau_et_n_efface_rien(tmp_path):
    vieux = ancien()
    courriel("recent", envoye_le=timezone.now())
    courriel("en-attente", prepare_le=ANCIEN)
    abandonne = depot(EtatDeDepot.ABANDONNE)
    depot(EtatDeDepot.APPLICATION)
    call_command("preparer_elimination", avant=AVANT, dossier=str(tmp_path))
    bordereau = Bordereau.objects.get()
    assert {serie["code"]: serie["cles"] for serie in bordereau.series} == {
        "classeurs": [abandonne.pk],
        "courriels": [vieux.pk],
    }
    assert bordereau.series_listees[0].du == datetime.date(2020, 5, 4)
    assert bordereau.nombre == 2
    assert Courriel.objects.count() == 3
    imprime = (tmp_path / f"bordereau-{bordereau.pk}.html").read_text()
    assert bordereau.empreinte in imprime
    assert "Visa" in imprime
    assert str(vieux.pk) in (tmp_path / f"bordereau-{bordereau.pk}.csv").read_text()


def test_eliminer_n_efface_que_ce_que_le_bordereau_liste():
    vieux = ancien()
    bordereau = preparer(AVANT)
    apres = ancien("arrive-apres")
    call_command("eliminer", str(bordereau.pk), visa="Archives 2026/12")
    assert not Courriel.objects.filter(pk=vieux.pk).exists()
    assert Courriel.objects.filter(pk=apres.pk).exists()
    bordereau.refresh_from_db()
    assert bordereau.visa == "Archives 2026/12"
    assert bordereau.elimine_le is not None
    assert Trace.objects.filter(geste=Geste.ELIMINATION, objet=str(bordereau)).count() == 2


def test_ce_qui_a_change_depuis_arrete_tout():
    vieux, autre = ancien(), ancien("autre")
    bordereau = preparer(AVANT)
    Courriel.objects.filter(pk=vieux.pk).update(objet="Autre chose")
    with pytest.raises(CommandError, match="a changé"):
        call_command("eliminer", str(bordereau.pk), visa="V1")
    assert Courriel.objects.filter(pk__in=[vieux.pk, autre.pk]).count() == 2
    bordereau.refresh_from_db()
    assert bordereau.elimine_le is None


def test_une_ligne_resservie_depuis_arrete_tout():
    repris = depot(EtatDeDepot.LU)
    bordereau = preparer(AVANT)
    DepotDeClasseur.objects.filter(pk=repris.pk).update(etat=EtatDeDepot.APPLICATION)
    with pytest.raises(CommandError, match="a changé"):
        call_command("eliminer", str(bordereau.pk), visa="V1")


def test_un_bordereau_ne_s_execute_qu_une_fois():
    ancien()
    bordereau = preparer(AVANT)
    call_command("eliminer", str(bordereau.pk), visa="V1")
    with pytest.raises(CommandError, match="déjà été exécuté"):
        call_command("eliminer", str(bordereau.pk), visa="V2")


def test_sans_visa_rien_ne_s_elimine():
    ancien()
    bordereau = preparer(AVANT)
    with pytest.raises(CommandError, match="référence du visa"):
        call_command("eliminer", str(bordereau.pk), visa="  ")
    assert Courriel.objects.count() == 1


@pytest.mark.parametrize(
    ("commande", "options", "dit"),
    [
        ("preparer_elimination", {"avant": AVANT}, "Rien à éliminer"),
        ("preparer_elimination", {"avant": datetime.date(2999, 1, 1)}, "doit être passée"),
        ("preparer_elimination", {"avant": AVANT, "par": "personne"}, "--par personne"),
        ("preparer_elimination", {"avant": AVANT, "dossier": "/n/existe/pas"}, "--dossier"),
    ],
)
def test_une_mauvaise_demande_se_dit(commande, options, dit):
    with pytest.raises(CommandError, match=dit):
        call_command(commande, **options)
    assert not Bordereau.objects.exists()


def test_une_date_illisible_se_dit():
    with pytest.raises(CommandError, match="AAAA-MM-JJ"):
        call_command("preparer_elimination", "--avant", "01/02/2024")


def test_un_numero_inconnu_se_dit():
    with pytest.raises(CommandError, match="numéro 999"):
        call_command("eliminer", "999", visa="V1")


def test_un_bordereau_ne_se_modifie_ni_ne_s_efface():
    ancien()
    bordereau = preparer(AVANT)
    bordereau.nombre = 7
    with pytest.raises(LigneInalterable):
        bordereau.save()
    with pytest.raises(LigneInalterable):
        bordereau.delete()
    with pytest.raises(LigneInalterable):
        Bordereau.objects.all().delete()


def test_aucune_serie_ne_contient_un_bilan():
    bilan_arrete(fabriques.plan(), 2023)
    modeles = {serie.lignes().model._meta.label for serie in SERIES}
    assert not any(modele.startswith("bilans.") for modele in modeles)
    assert VersionDeBilan.objects.count() == 1


@pytest.mark.parametrize("forme", ["html", "csv"])
def test_l_administration_montre_et_imprime_le_bordereau(forme):
    ancien()
    bordereau = preparer(AVANT)
    client = client_de(fabriques.utilisateur(Role.ADMINISTRATEUR))
    page = client.get(reverse("admin:exploitation_bordereau_change", args=[bordereau.pk])).content.decode()
    assert "Courriels partis ou abandonnés" in page
    fichier = client.get(reverse("admin:exploitation_bordereau_fichier", args=[bordereau.pk, forme]))
    assert "attachment" in fichier["Content-Disposition"]
    assert "Courriels partis" in fichier.content.decode()
    responsable = client_de(fabriques.utilisateur(Role.RESPONSABLE))
    assert responsable.get(reverse("admin:exploitation_bordereau_change", args=[bordereau.pk])).status_code == 403
