"""Les objectifs : ceux qu'on reprend avec leur référence, l'avertissement d'un indicateur neutre, l'aperçu."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from comptes.droits import Role
from indicateurs.listes import Nature, OrigineDeCible, Sens
from indicateurs.models import Cible, Indicateur
from indicateurs.references import OBJECTIFS, PAR_CLE
from tests import fabriques
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db
OBLIGATION = PAR_CLE["environnement-climat-resilience"]


def texte(reponse) -> str:
    return " ".join(reponse.content.decode().replace("&#x27;", "'").split())


@pytest.fixture
def responsable():
    return client_de(fabriques.utilisateur(Role.RESPONSABLE))


@pytest.fixture
def part():
    return fabriques.indicateur(
        code="part", intitule="Part avec clause", nature=Nature.PART, unite="%", sens=Sens.HAUSSE
    )


@pytest.fixture
def locale():
    return fabriques.indicateur(code="locale", intitule="Part locale", nature=Nature.PART, unite="%")


# --- Objectifs de référence -----------------------------------------------------------------------


def test_chaque_objectif_de_reference_se_lit_avec_sa_source_et_sa_vigueur(client):
    client.force_login(fabriques.utilisateur(Role.LECTEUR))
    lu = texte(client.get(reverse("indicateurs:objectifs")))
    assert "Une condition d'exécution et un critère d'attribution" in lu
    assert "à compter du 21/08/2026" in lu
    assert "article 35" in lu
    assert "décret n° 2022-767" in lu
    assert lu.count('data-libelle="Vigueur">actif') == 1
    assert lu.count('data-libelle="Vigueur">échu') == 2
    assert "Fixer cet objectif" not in lu


def test_les_valeurs_de_reference_sont_celles_des_textes():
    assert [(o.annee, o.valeur, o.origine, o.active) for o in OBJECTIFS] == [
        (2026, 100, OrigineDeCible.OBLIGATION, True),
        (2025, 100, OrigineDeCible.OBJECTIF_NATIONAL, False),
        (2025, 30, OrigineDeCible.OBJECTIF_NATIONAL, False),
    ]


def test_un_responsable_reprend_un_objectif_pour_une_part(responsable, part):
    envoi = {"objectif": OBLIGATION.cle, "indicateur": "part"}
    for _ in range(2):
        reponse = responsable.post(reverse("indicateurs:objectifs"), envoi, follow=True)
    assert "Objectif fixé pour « Part avec clause »." in texte(reponse)
    cible = Cible.objects.get()
    assert (cible.annee, cible.valeur, cible.active, cible.reference) == (2026, 100, True, OBLIGATION.reference)


def test_un_objectif_echu_se_reprend_inactif(responsable, part):
    responsable.post(reverse("indicateurs:objectifs"), {"objectif": "environnement-pnad", "indicateur": "part"})
    assert Cible.objects.get().vigueur == "échu"


def test_un_autre_objectif_de_la_meme_origine_et_de_la_meme_annee_n_est_pas_ecrase(responsable, part):
    fabriques.cible(part, 2026, 80, origine=OrigineDeCible.OBLIGATION)
    reponse = responsable.post(reverse("indicateurs:objectifs"), {"objectif": OBLIGATION.cle, "indicateur": "part"})
    assert "déjà un objectif de cette origine" in texte(reponse)
    assert Cible.objects.get().valeur == 80


def test_une_part_neutre_ne_reprend_aucun_objectif(locale):
    with pytest.raises(ValidationError) as refus:
        Cible.objects.all().reprendre(OBLIGATION, locale)
    assert "article L3" in refus.value.message_dict["indicateur"][0]


def test_un_compte_ne_reprend_pas_un_pourcentage():
    with pytest.raises(ValidationError, match="choisissez une part"):
        Cible.objects.all().reprendre(OBLIGATION, fabriques.indicateur(sens=Sens.HAUSSE))


# --- L'avertissement ------------------------------------------------------------------------------


def test_fixer_un_objectif_a_un_indicateur_neutre_avertit_puis_laisse_faire(responsable, locale):
    adresse = reverse("admin:indicateurs_cible_add")
    envoi = {"indicateur": locale.pk, "annee": "2026", "valeur": "60", "origine": "PLAN", "active": "on"}
    assert "il s'observe, il ne se vise pas" in texte(responsable.post(adresse, envoi))
    assert not Cible.objects.exists()
    responsable.post(adresse, envoi | {"confirmer": "on"})
    assert Cible.objects.get().valeur == 60


def test_l_avertissement_vaut_aussi_dans_la_fiche_de_l_indicateur(responsable, locale):
    adresse = reverse("admin:indicateurs_indicateur_change", args=[locale.pk])
    envoi = formulaire_de(responsable.get(adresse)) | {
        "cibles-TOTAL_FORMS": "1",
        "cibles-0-annee": "2026",
        "cibles-0-valeur": "60",
        "cibles-0-origine": "PLAN",
    }
    assert "il s'observe, il ne se vise pas" in texte(responsable.post(adresse, envoi))
    responsable.post(adresse, envoi | {"cibles-0-confirmer": "on"})
    assert Cible.objects.get().valeur == 60


def test_un_indicateur_qui_a_un_sens_recoit_son_objectif_sans_avertissement(responsable, part):
    envoi = {"indicateur": part.pk, "annee": "2026", "valeur": "60", "origine": "PLAN", "active": "on"}
    responsable.post(reverse("admin:indicateurs_cible_add"), envoi)
    assert Cible.objects.get().valeur == 60


# --- L'aperçu -------------------------------------------------------------------------------------


def test_l_apercu_d_un_nouvel_indicateur_montre_sa_page_sans_rien_enregistrer(responsable):
    adresse = reverse("admin:indicateurs_indicateur_add")
    envoi = formulaire_de(responsable.get(adresse)) | {
        "intitule": "Part des achats reconditionnés",
        "code": "reconditionne",
        "nature": "PART",
        "definition": "Montant des achats reconditionnés.",
        "_apercu": "Aperçu de la page",
    }
    lu = texte(responsable.post(adresse, envoi))
    assert "<h1>Part des achats reconditionnés</h1>" in lu
    assert "Montant des achats reconditionnés." in lu
    assert "Aperçu : rien n'est enregistré." in lu
    assert not Indicateur.objects.exists()


def test_l_apercu_d_un_objectif_le_montre_sur_la_page_sans_l_enregistrer(responsable, part):
    fabriques.valeur(part, 2024, valeur=Decimal(35))
    adresse = reverse("admin:indicateurs_cible_add")
    envoi = {"indicateur": part.pk, "annee": "2026", "valeur": "60", "origine": "PLAN", "active": "on"}
    lu = texte(responsable.post(adresse, envoi | {"_apercu": "Aperçu de la page"}))
    assert "Objectif 2026" in lu
    assert "60 %" in lu
    assert not Cible.objects.exists()


def test_l_apercu_d_une_fiche_refusee_dit_ses_erreurs(responsable):
    adresse = reverse("admin:indicateurs_indicateur_add")
    envoi = formulaire_de(responsable.get(adresse)) | {"intitule": "", "_apercu": "Aperçu de la page"}
    assert "Ce champ est obligatoire" in texte(responsable.post(adresse, envoi))


def test_une_adresse_deja_prise_par_une_page_n_est_pas_un_code(responsable):
    with pytest.raises(ValidationError, match="adresse d'une autre page"):
        fabriques.indicateur(code="saisie")
