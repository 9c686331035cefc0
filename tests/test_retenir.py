"""Retenir ce qu'un calcul a donné : avec un motif, une fois, et en gardant d'où vient le chiffre."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from comptes.droits import Role
from indicateurs.listes import Etat, Nature, OrigineDeValeur
from indicateurs.models import Indicateur, ValeurAnnuelle
from indicateurs.recalcul import Recalcul
from indicateurs.retenue import Retenue
from indicateurs.saisie import saisir
from marches.calculs.catalogue import CALCULS
from marches.models import ResultatDeCalcul
from socle.modeles import ConflitDeVersion
from tests import fabriques, fabriques_decp, fabriques_resultats
from tests.fabriques_resultats import resultat

pytestmark = pytest.mark.django_db

REGISTRE = "part_environnementale_consultations"
MOTIF = {"motif": "Le registre fait foi."}


@pytest.fixture(autouse=True)
def collectivite(db):
    return fabriques_resultats.collectivite()


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE)


@pytest.fixture
def client(client, responsable):
    client.force_login(responsable)
    return client


@pytest.fixture
def total() -> Indicateur:
    return fabriques.indicateur(
        code="total", intitule="Consultations", unite="consultations", calculs=["consultations_finalisees"]
    )


@pytest.fixture
def part(total) -> Indicateur:
    return fabriques.indicateur(code="part", nature=Nature.PART, unite="%", calculs=[REGISTRE], denominateur=total)


def valeur(indicateur: Indicateur) -> ValeurAnnuelle:
    return ValeurAnnuelle.objects.avec_valeur().select_related("indicateur").get(indicateur=indicateur, annee=2024)


def adresse(indicateur: Indicateur, garde: ResultatDeCalcul) -> str:
    return f"/indicateurs/{indicateur.code}/valeurs/{garde.fin.year}/retenir/{garde.pk}/"


def retenir(client, indicateur: Indicateur, garde: ResultatDeCalcul, *, version: int = 0, **champs):
    return client.post(adresse(indicateur, garde), {"version": version} | MOTIF | champs)


def texte(reponse) -> str:
    return " ".join(reponse.content.decode().replace("&#x27;", "'").split())


# --- Ce qui s'écrit -----------------------------------------------------------------------------


def test_un_compte_se_retient_avec_sa_provenance_et_son_motif(client, total):
    garde = resultat("consultations_finalisees", oui=166)
    reponse = retenir(client, total, garde)
    assert reponse.headers["Location"] == "/indicateurs/total/#annee-2024"
    retenue = valeur(total)
    assert (retenue.valeur, retenue.origine, retenue.resultat) == (166, OrigineDeValeur.CALCUL, garde)
    assert retenue.history.first().history_change_reason == "Le registre fait foi."


def test_une_part_entierement_renseignee_se_donne_sur_le_denominateur_partage(client, part, total):
    fabriques.valeur(total, 2024, valeur=166)
    retenir(client, part, resultat(REGISTRE, oui=42, non=124))
    retenue = valeur(part)
    assert (retenue.numerateur, retenue.denominateur) == (42, None)
    assert retenue.parts == "42 / 166"


def test_une_consultation_non_renseignee_donne_a_la_part_son_propre_denominateur(client, part, total):
    fabriques.valeur(total, 2024, valeur=166)
    garde = resultat(REGISTRE, oui=42, non=123, sans=1)
    page = texte(client.get(adresse(part, garde)))
    assert "Elle ne se donne pas sur « Consultations » (166)" in page
    retenir(client, part, garde)
    retenue = valeur(part)
    assert (retenue.numerateur, retenue.denominateur) == (42, 165)
    assert retenue.parts == "42 / 165 (dénominateur propre)"


def test_autant_de_reponses_que_le_denominateur_ne_suffit_pas_s_il_en_manque_une(client, part, total):
    """Le registre a compté 167 consultations : les 166 qui répondent ne sont pas celles du dénominateur partagé."""
    fabriques.valeur(total, 2024, valeur=166)
    retenir(client, part, resultat(REGISTRE, oui=42, non=124, sans=1))
    assert valeur(part).denominateur == 166


def test_un_denominateur_partage_d_un_autre_nombre_n_est_pas_celui_du_calcul(client, part, total):
    fabriques.valeur(total, 2024, valeur=170)
    retenir(client, part, resultat(REGISTRE, oui=42, non=124))
    assert valeur(part).denominateur == 166


def test_une_part_en_montant_garde_ses_euros(client):
    ici = fabriques_decp.territoire()
    locale = fabriques.indicateur(
        code="locale", nature=Nature.PART, unite="%", calculs=["part_locale_achats"], territoire=ici
    )
    montants = {"numerateur": Decimal("530.50"), "denominateur": Decimal("1000.25")}
    retenir(client, locale, resultat("part_locale_achats", oui=3, non=2, territoire=ici, **montants))
    retenue = valeur(locale)
    assert (retenue.numerateur, retenue.denominateur) == (Decimal("530.50"), Decimal("1000.25"))


def test_une_valeur_validee_le_reste_avec_le_motif(client, total):
    fabriques.valeur(total, 2024, valeur=160, etat=Etat.VALIDEE)
    retenir(client, total, resultat("consultations_finalisees", oui=166), version=1)
    assert (valeur(total).valeur, valeur(total).etat) == (166, Etat.VALIDEE)


def test_le_meme_chiffre_deja_tape_prend_sa_provenance(client, total):
    fabriques.valeur(total, 2024, valeur=166)
    garde = resultat("consultations_finalisees", oui=166)
    retenir(client, total, garde, version=1)
    assert (valeur(total).resultat, valeur(total).version) == (garde, 2)


def test_les_taux_qui_bougent_s_annoncent(client, part, total):
    fabriques.valeur(total, 2024, valeur=160)
    fabriques.valeur(part, 2024, numerateur=40)
    garde = resultat("consultations_finalisees", oui=200)
    assert "s'appuient sur cette valeur" in texte(client.get(adresse(total, garde)))
    reponse = client.post(adresse(total, garde), {"version": 1} | MOTIF, follow=True)
    assert "40 / 160 = 25,0 % → 40 / 200 = 20,0 %" in texte(reponse)


# --- Ce qui se refuse ---------------------------------------------------------------------------


def test_sans_motif_rien_ne_s_ecrit(client, total):
    reponse = retenir(client, total, resultat("consultations_finalisees", oui=166), motif="  ")
    assert reponse.status_code == 200
    assert "error_1_id_motif" in texte(reponse)
    assert not ValeurAnnuelle.objects.exists()


def test_sous_80_pour_cent_une_phrase_est_a_ecrire(client, part):
    garde = resultat(REGISTRE, oui=3, non=3, sans=4)
    reponse = retenir(client, part, garde)
    assert "Non renseignée à 80" in texte(reponse)
    assert not ValeurAnnuelle.objects.exists()
    retenir(client, part, garde, phrase="Six consultations sur dix seulement sont renseignées.")
    assert valeur(part).remarque == "Six consultations sur dix seulement sont renseignées."


def test_la_phrase_s_ajoute_a_la_remarque(client, part):
    fabriques.valeur(part, 2024, valeur=30, remarque="Hors accords-cadres.")
    retenir(client, part, resultat(REGISTRE, oui=3, non=3, sans=4), version=1, phrase="Renseignée à 60 %.")
    assert valeur(part).remarque == "Hors accords-cadres.\nRenseignée à 60 %."


def test_l_annee_en_cours_ne_se_retient_pas(client, total):
    garde = resultat("consultations_finalisees", timezone.localdate().year, oui=166)
    assert "n'est pas finie" in texte(client.get(adresse(total, garde)))
    retenir(client, total, garde)
    assert not ValeurAnnuelle.objects.exists()


def test_un_calcul_sans_chiffre_ne_se_retient_pas(client, part):
    garde = resultat(REGISTRE, sans=4)
    assert "rien à retenir" in texte(client.get(adresse(part, garde)))
    retenir(client, part, garde)
    assert not ValeurAnnuelle.objects.exists()


def test_le_resultat_d_un_autre_calcul_d_une_autre_annee_ou_d_une_periode_est_introuvable(client, part):
    autre = resultat("part_sociale_consultations", oui=1, non=1)
    periode = resultat(REGISTRE, oui=1, non=1, fin="2024-06-30")
    garde = resultat(REGISTRE, oui=1, non=1)
    for pk, annee in ((autre.pk, 2024), (periode.pk, 2024), (garde.pk, 2023), (0, 2024)):
        assert client.get(f"/indicateurs/part/valeurs/{annee}/retenir/{pk}/").status_code == 404


@pytest.mark.parametrize("role", [Role.LECTEUR, Role.AGENT])
def test_qui_ne_valide_pas_ne_retient_pas(client, total, role):
    garde = resultat("consultations_finalisees", oui=166)
    client.force_login(fabriques.utilisateur(role))
    assert retenir(client, total, garde).status_code == 403
    assert "Retenir cette valeur" not in texte(client.get("/indicateurs/total/"))
    retenue = Retenue(total, Recalcul(CALCULS["consultations_finalisees"], 2024, garde), None, None)
    with pytest.raises(PermissionDenied):
        retenue.retenir(auteur=fabriques.utilisateur(role), version=0, motif="x")
    assert not ValeurAnnuelle.objects.exists()


def test_qui_valide_retient_depuis_la_page(client, total):
    garde = resultat("consultations_finalisees", oui=166)
    page = texte(client.get("/indicateurs/total/"))
    assert f'href="{adresse(total, garde)}">Retenir cette valeur' in page


# --- À plusieurs --------------------------------------------------------------------------------


def test_un_double_clic_n_ecrit_qu_une_fois(client, part):
    garde = resultat(REGISTRE, oui=3, non=3, sans=4)
    for _ in range(2):
        assert retenir(client, part, garde, phrase="Renseignée à 60 %.").status_code == 302
    assert (valeur(part).version, valeur(part).history.count()) == (1, 1)
    assert valeur(part).remarque == "Renseignée à 60 %."


def test_une_valeur_changee_entre_temps_ne_s_ecrase_pas(client, total):
    fabriques.valeur(total, 2024, valeur=160)
    garde = resultat("consultations_finalisees", oui=166)
    reponse = retenir(client, total, garde, version=0)
    assert "vient d'être modifiée par quelqu'un" in texte(reponse)
    assert "Le registre fait foi." in texte(reponse)
    assert valeur(total).valeur == 160
    assert 'name="version" value="1"' in texte(reponse)


def test_un_conflit_se_leve_avant_toute_ecriture(total, responsable):
    fabriques.valeur(total, 2024, valeur=160)
    garde = resultat("consultations_finalisees", oui=166)
    retenue = Retenue(total, Recalcul(CALCULS["consultations_finalisees"], 2024, garde), None, None)
    with pytest.raises(ConflitDeVersion):
        retenue.retenir(auteur=responsable, version=0, motif="x")
    with pytest.raises(ValidationError):
        retenue.retenir(auteur=responsable, version=1, motif=" ")


# --- La provenance suit le chiffre --------------------------------------------------------------


def test_un_chiffre_corrige_a_la_main_perd_sa_provenance(client, total, responsable):
    retenir(client, total, resultat("consultations_finalisees", oui=166))
    saisir(total, 2024, {"valeur": Decimal(167)}, auteur=responsable, version=1)
    assert (valeur(total).resultat, valeur(total).origine) == (None, OrigineDeValeur.SAISIE)


def test_une_remarque_ajoutee_garde_la_provenance(client, total, responsable):
    garde = resultat("consultations_finalisees", oui=166)
    retenir(client, total, garde)
    saisir(total, 2024, {"valeur": Decimal(166), "remarque": "Lots compris."}, auteur=responsable, version=1)
    assert (valeur(total).resultat, valeur(total).origine) == (garde, OrigineDeValeur.CALCUL)


def test_une_correction_qui_ne_passe_pas_par_la_saisie_perd_aussi_la_provenance(client, total):
    retenir(client, total, resultat("consultations_finalisees", oui=166))
    corrigee = valeur(total)
    corrigee.valeur = Decimal(167)
    corrigee.enregistrer()
    assert (valeur(total).resultat, valeur(total).origine) == (None, OrigineDeValeur.SAISIE)


def test_le_resultat_deja_retenu_ne_se_propose_plus(client, total):
    garde = resultat("consultations_finalisees", oui=166)
    retenir(client, total, garde)
    assert "Retenir cette valeur" not in texte(client.get("/indicateurs/total/"))


def test_une_valeur_retenue_mene_a_ses_enregistrements(client, part):
    garde = resultat(REGISTRE, oui=42, non=124)
    retenir(client, part, garde)
    resultat(REGISTRE, oui=50, non=116)
    page = texte(client.get("/indicateurs/part/"))
    assert page.count(f'href="/marches/resultats/{garde.pk}/numerateur/">42<') == 2
    assert "écart 4,8" in page
