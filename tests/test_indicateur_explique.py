"""Un chiffre s'explique : de quoi, depuis quand, face à quoi, d'après qui. Le plan publié ne dit rien de plus."""

import datetime
import re
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Role
from indicateurs import cumuls
from indicateurs.listes import Etat, Nature, OrigineDeValeur, Sens
from indicateurs.models import Cible, Dimension, Indicateur, Justificatif, ValeurAnnuelle
from tests import fabriques, fichiers

pytestmark = pytest.mark.django_db


def lue(client, adresse: str) -> str:
    """Le texte de la page, espaces de toutes sortes réduites à une."""
    reponse = client.get(adresse)
    assert reponse.status_code == 200
    return " ".join(
        reponse.content.decode().replace("&#x27;", "'").replace("&amp;", "&").replace("&nbsp;", " ").split()
    )


def ligne_de(texte: str, annee: int) -> str:
    """La ligne du tableau des années, sans ses balises."""
    [ligne] = re.findall(rf'<tr id="annee-{annee}">(.*?)</tr>', texte)
    return " ".join(re.sub(r"<[^>]+>", " ", ligne).split())


@pytest.fixture
def responsable(client):
    client.force_login(fabriques.utilisateur(Role.RESPONSABLE))
    return client


@pytest.fixture
def lecteur(client):
    client.force_login(fabriques.utilisateur(Role.LECTEUR))
    return client


@pytest.fixture
def part():
    return fabriques.indicateur(
        code="part", intitule="Part avec clause", nature=Nature.PART, unite="%", sens=Sens.HAUSSE
    )


# --- Le plan publié, puis 2024 ------------------------------------------------------------------


@pytest.fixture
def publie(db):
    call_command("charger_plan")
    return Indicateur.objects.get(code="consideration-environnementale")


def test_le_plan_publie_dit_ce_que_dit_la_page_et_rien_de_plus(publie, lecteur):
    for adresse in ("/", "/?annee=2023"):
        texte = lue(lecteur, adresse)
        assert texte.count('class="grand"') == 3
        for chiffre in (">166<", ">53 %<", ">25 %<"):
            assert chiffre in texte
        assert "appreciation-" not in texte
        assert " / " not in "".join(re.findall(r'class="comparaison">([^<]*)', texte))
    assert not Cible.objects.exists()
    assert not Indicateur.objects.exclude(denominateur=None).exists()


@pytest.fixture
def lie(publie):
    """Le même, avec pour dénominateur les consultations : 60 sur 171 en 2024, et un objectif pour 2026."""
    consultations = Indicateur.objects.get(code="consultations-finalisees")
    fabriques.valeur(consultations, 2024, valeur=171)
    publie.denominateur = consultations
    publie.full_clean()
    publie.save()
    fabriques.valeur(publie, 2024, numerateur=60)
    fabriques.cible(publie, 2026, 100, reference="Loi Climat et résilience, article 35")
    return publie


def test_la_page_montre_les_deux_annees_les_parts_et_l_ecart_non_arrondi(lie, lecteur):
    texte = lue(lecteur, lie.get_absolute_url())
    assert "60 / 171 = 35,1 %" in texte
    assert "+ 10,1 points" in ligne_de(texte, 2024)
    assert "60 / 171" in ligne_de(texte, 2024)
    assert "35,1 %" in ligne_de(texte, 2024)
    assert "25 %" in ligne_de(texte, 2023)
    assert "numérateur non publié" in ligne_de(texte, 2023)
    assert "Page publiée, connue le 31/12/2023" in ligne_de(texte, 2023)


def test_la_page_et_la_carte_disent_l_ecart_a_l_objectif_et_l_etat(lie, lecteur):
    for adresse in (lie.get_absolute_url(), "/"):
        texte = lue(lecteur, adresse)
        assert "100 %</a>, écart − 64,9 points" in texte
        assert 'class="statut appreciation-A_SURVEILLER"' in texte
        assert "Au rythme de 2024 (+ 10,1 points en un an), l'objectif 2026 (100 %) ne sera pas atteint." in texte


def test_la_liste_dit_l_objectif_l_ecart_l_etat_et_pourquoi(lie, lecteur):
    texte = lue(lecteur, "/indicateurs/")
    assert texte.count('class="statut appreciation-') == 1
    assert '100 % <span class="discret">(2026)</span> <strong class="ecart">− 64,9 points</strong>' in texte
    assert "l'objectif 2026 (100 %) ne sera pas atteint." in texte


def test_un_indicateur_neutre_n_a_pas_de_pastille_sur_la_carte_et_avertit_sous_son_objectif(publie, lecteur):
    locaux = Indicateur.objects.get(code="achats-locaux")
    fabriques.cible(locaux, 2026, 60)
    assert "appreciation-" not in lue(lecteur, "/")
    assert "égalité de traitement des candidats" in lue(lecteur, locaux.get_absolute_url())


def test_le_denominateur_mene_a_l_annee_de_son_indicateur(lie, lecteur):
    texte = lue(lecteur, lie.get_absolute_url())
    assert '60 / <a class="nombre-lie" href="/indicateurs/consultations-finalisees/#annee-2024">171</a>' in texte
    assert 'id="annee-2024"' in lue(lecteur, "/indicateurs/consultations-finalisees/")


def cartes(texte: str) -> list[str]:
    """Chaque chiffre clé du tableau de bord, tel qu'il est écrit."""
    return texte.split('<div class="chiffre">')[1:4]


def test_saisir_2024_ne_change_rien_a_2023_sur_le_tableau_de_bord(publie, lecteur):
    avant = cartes(lue(lecteur, "/?annee=2023"))
    consultations = Indicateur.objects.get(code="consultations-finalisees")
    fabriques.valeur(consultations, 2024, valeur=171)
    publie.denominateur = consultations
    publie.full_clean()
    publie.save()
    fabriques.valeur(publie, 2024, numerateur=60)
    assert cartes(lue(lecteur, "/?annee=2023")) == avant
    assert len(avant) == 3


# --- Le graphique -------------------------------------------------------------------------------


def test_une_rupture_coupe_le_graphique_avant_son_annee_et_se_lit_dans_ses_donnees(lecteur, part):
    fabriques.valeur(part, 2022, valeur=30)
    fabriques.valeur(part, 2023, valeur=50, rupture="Le seuil a changé")
    fabriques.valeur(part, 2024, valeur=52)
    texte = lue(lecteur, "/indicateurs/part/")
    assert texte.count('class="repere"') == 1
    assert 'class="texte-repere"' in texte
    assert '"x0":2022.5,"x1":2022.5' in texte
    assert "2023 (rupture)" in texte
    assert "<strong>Rupture de série en 2023 :</strong> Le seuil a changé" in texte


def test_une_rupture_la_premiere_annee_ne_coupe_rien(lecteur, part):
    fabriques.valeur(part, 2023, valeur=50, rupture="Premier comptage")
    assert 'class="repere"' not in lue(lecteur, "/indicateurs/part/")


def test_une_rupture_apres_la_derniere_annee_montree_ne_coupe_rien(lecteur, part):
    fabriques.valeur(part, 2022, valeur=50)
    fabriques.valeur(part, 2023, valeur=50)
    indisponible = {"indisponible": True, "motif_indisponibilite": "Logiciel changé"}
    fabriques.valeur(part, 2025, rupture="Nouveau logiciel", **indisponible)
    texte = lue(lecteur, "/indicateurs/part/")
    assert 'class="repere"' not in texte
    assert "<strong>Rupture de série en 2025 :</strong>" in texte


def test_un_objectif_echu_ne_se_dessine_pas_et_se_dit_echu(lecteur, part):
    fabriques.valeur(part, 2024, valeur=50)
    fabriques.cible(part, 2025, 100, active=False, reference="Plan national")
    texte = lue(lecteur, "/indicateurs/part/")
    assert 'class="point"' not in texte
    assert 'data-libelle="Vigueur">échu' in texte


# --- Ventilation, cumul -------------------------------------------------------------------------


def test_une_ventilation_se_montre_en_barres_empilees_et_reste_cachee_sans_elle(lecteur):
    compte = fabriques.indicateur(code="compte", intitule="Consultations")
    valeur = fabriques.valeur(compte, 2024, valeur=171)
    dimension = Dimension.objects.create(indicateur=compte, nom="par nature d'achat")
    assert "Ventilation" not in lue(lecteur, "/indicateurs/compte/")
    valeur.enregistrer(ventilation={dimension: {"Travaux": Decimal(41), "Services": Decimal(130)}})
    texte = lue(lecteur, "/indicateurs/compte/")
    assert "<h2>Ventilation</h2>" in texte
    assert "<strong>Ventilation par nature d'achat</strong>" in texte
    assert '"barmode":"relative"' in texte
    assert re.search(r'"name":"Travaux[^"]*","x":\[2024\],"y":\[41\]', texte)
    assert re.search(r'"name":"Services[^"]*","x":\[2024\],"y":\[130\]', texte)


def test_le_chiffre_de_l_annee_en_cours_se_dit_quand_un_registre_le_donne(lecteur, monkeypatch):
    compte = fabriques.indicateur(code="compte", intitule="Consultations")
    fabriques.valeur(compte, 2024, valeur=171)
    assert "N-1 même date" not in lue(lecteur, "/indicateurs/compte/")
    cette_annee = timezone.localdate().year
    calcul = lambda indicateur, du, au: Decimal(81 if du.year == cette_annee else 77)  # noqa: E731
    monkeypatch.setitem(cumuls.CALCULS, "compte", calcul)
    assert f"au {timezone.localdate():%d/%m} : 81, N-1 même date : 77" in lue(lecteur, "/indicateurs/compte/")


# --- L'historique d'une valeur ------------------------------------------------------------------


def historique(client, indicateur, annee=2024) -> str:
    return lue(client, reverse("indicateurs:historique_de_la_valeur", args=[indicateur.code, annee]))


def test_l_historique_dit_qui_quand_avant_apres_et_pourquoi(responsable, part):
    valeur = fabriques.valeur(part, 2024, valeur=Decimal(25), etat=Etat.VALIDEE)
    valeur.valeur = Decimal("25.5")
    valeur._history_user = fabriques.utilisateur(Role.RESPONSABLE, prenom="Anne", nom="Durand")
    valeur.enregistrer(motif="Deux lots oubliés")
    texte = historique(responsable, part)
    assert "valeur : 25 → <strong>25,5</strong>" in texte
    assert "Anne Durand" in texte
    assert "Deux lots oubliés" in texte
    assert "état : — → <strong>Validée</strong>" in texte


def test_l_historique_d_un_taux_dit_aussi_que_son_denominateur_a_bouge(responsable, lie):
    denominateur = ValeurAnnuelle.objects.get(indicateur=lie.denominateur, annee=2024)
    denominateur.valeur = 172
    denominateur.enregistrer()
    texte = historique(responsable, lie)
    assert "Dénominateur, <em>Consultations de marchés finalisées" in texte
    assert "valeur : 171 → <strong>172</strong>" in texte


def test_l_historique_garde_les_ventilations(responsable):
    compte = fabriques.indicateur(code="compte")
    dimension = Dimension.objects.create(indicateur=compte, nom="par nature")
    valeur = fabriques.valeur(compte, 2024, valeur=171)
    valeur.enregistrer(ventilation={dimension: {"Travaux": Decimal(171)}})
    valeur.enregistrer(ventilation={dimension: {"Services": Decimal(171)}})
    texte = historique(responsable, compte)
    assert "Travaux (par nature) : 171 → <strong>—</strong>" in texte
    assert "Services (par nature) : — → <strong>171</strong>" in texte


def test_l_historique_dit_le_motif_d_une_ventilation_changee_sur_la_meme_ligne(responsable):
    compte = fabriques.indicateur(code="compte")
    dimension = Dimension.objects.create(indicateur=compte, nom="par nature")
    valeur = fabriques.valeur(compte, 2024, valeur=171, etat=Etat.VALIDEE)
    valeur.enregistrer(ventilation={dimension: {"Travaux": Decimal(171)}}, motif="Nature retrouvée au registre")
    [derniere, premiere] = re.findall(r"<tr>(.*?)</tr>", historique(responsable, compte).split("<tbody>")[1])
    assert "Travaux (par nature) : — → <strong>171</strong>" in derniere
    assert "Nature retrouvée au registre" in derniere
    assert "valeur : — → <strong>171</strong>" in premiere


def test_une_valeur_qui_n_existe_pas_n_a_pas_d_historique(responsable, part):
    assert responsable.get("/indicateurs/part/valeurs/2024/historique/").status_code == 404


# --- Les justificatifs --------------------------------------------------------------------------


@pytest.fixture
def valeur(part):
    return fabriques.valeur(part, 2024, valeur=25)


def ajouter(client, **champs):
    return client.post(reverse("indicateurs:justificatif_ajouter", args=["part", 2024]), champs, follow=True)


def test_un_fichier_justifie_une_valeur_et_se_telecharge(responsable, valeur):
    ajouter(responsable, fichier=SimpleUploadedFile("registre.pdf", fichiers.PDF), nom="Registre 2024")
    piece = Justificatif.objects.get()
    assert "Registre 2024" in ligne_de(lue(responsable, "/indicateurs/part/"), 2024)
    reponse = responsable.get(reverse("indicateurs:justificatif", args=["part", 2024, piece.pk]))
    assert reponse["Content-Disposition"] == 'attachment; filename="registre.pdf"'
    assert b"".join(reponse.streaming_content) == fichiers.PDF


def test_un_lien_justifie_aussi_et_le_meme_recu_deux_fois_n_en_fait_qu_un(responsable, valeur):
    for _ in range(2):
        ajouter(responsable, lien="https://exemple.fr/registre")
    assert Justificatif.objects.count() == 1
    assert 'href="https://exemple.fr/registre"' in lue(responsable, "/indicateurs/part/")


def test_la_meme_piece_sous_un_autre_titre_est_refusee_et_le_titre_reste_tape(responsable, valeur):
    ajouter(responsable, lien="https://exemple.fr/registre", nom="Registre")
    texte = ajouter(responsable, lien="https://exemple.fr/registre", nom="Extraction").content.decode()
    assert "Ce lien justifie déjà cette valeur, sous le titre « Registre »." in texte.replace("\xa0", " ")
    assert 'value="Extraction"' in texte
    assert Justificatif.objects.count() == 1


def test_une_piece_retiree_peut_se_deposer_de_nouveau(responsable, valeur):
    ajouter(responsable, lien="https://exemple.fr/registre")
    Justificatif.objects.get().retirer(version=1)
    ajouter(responsable, lien="https://exemple.fr/registre")
    assert Justificatif.objects.all().presents().count() == 1


def test_un_programme_deguise_est_refuse_et_le_titre_reste_tape(responsable, valeur):
    reponse = ajouter(responsable, fichier=SimpleUploadedFile("registre.pdf", fichiers.EXE), nom="Registre 2024")
    texte = reponse.content.decode()
    assert 'value="Registre 2024"' in texte
    assert "à choisir de nouveau" in texte
    assert not Justificatif.objects.exists()


def test_rien_a_justifier_est_dit(responsable, valeur):
    assert "Choisissez un fichier, ou donnez un lien." in ajouter(responsable).content.decode()


def test_retirer_un_justificatif_le_cache_et_garde_le_fichier(responsable, valeur):
    ajouter(responsable, fichier=SimpleUploadedFile("registre.pdf", fichiers.PDF))
    piece = Justificatif.objects.get()
    for _ in range(2):
        responsable.post(
            reverse("indicateurs:justificatif_retirer", args=["part", 2024, piece.pk]), {"version": piece.version}
        )
    assert "registre.pdf" not in ligne_de(lue(responsable, "/indicateurs/part/"), 2024)
    piece.refresh_from_db()
    assert piece.retire_le
    assert piece.fichier.storage.exists(piece.fichier.name)
    assert responsable.get(reverse("indicateurs:justificatif", args=["part", 2024, piece.pk])).status_code == 404


# --- Autant de requêtes pour 3 que pour 300 ------------------------------------------------------


def garnir(combien: int, annees: int) -> None:
    """`combien` parts au même dénominateur, sur vingt ans au besoin, chacune avec un objectif."""
    total = fabriques.indicateur(code="total", intitule="Total")
    parts = Indicateur.objects.bulk_create(
        Indicateur(
            code=f"p{n}", intitule=f"Part {n:03}", nature=Nature.PART, unite="%", sens="HAUSSE", denominateur=total
        )
        for n in range(combien)
    )
    derniere = timezone.localdate().year - 1
    for annee in range(derniere - annees + 1, derniere + 1):
        commun = {"annee": annee, "connue_le": datetime.date(annee, 12, 31), "origine": OrigineDeValeur.SAISIE}
        ValeurAnnuelle.objects.bulk_create(
            [ValeurAnnuelle(indicateur=total, valeur=100, **commun)]
            + [ValeurAnnuelle(indicateur=part, numerateur=40, **commun) for part in parts]
        )
    Cible.objects.bulk_create(Cible(indicateur=part, annee=derniere + 2, valeur=50) for part in parts)


def compter(client, adresse: str) -> int:
    with CaptureQueriesContext(connection) as requetes:
        assert client.get(adresse).status_code == 200
    return len(requetes)


@pytest.mark.parametrize("adresse", ["/indicateurs/", "/indicateurs/p0/", "/indicateurs/total/", "/"])
def test_300_indicateurs_sur_vingt_ans_ne_demandent_pas_plus_de_requetes_que_3(responsable, adresse):
    plan = fabriques.plan()
    garnir(3, 2)
    plan.places_d_indicateur.create(indicateur=Indicateur.objects.get(code="p0"), chiffre_cle=True)
    avant = compter(responsable, adresse)
    plan.places_d_indicateur.all().delete()
    ValeurAnnuelle.objects.all().delete()
    Cible.objects.all().delete()
    Indicateur.objects.exclude(denominateur=None).delete()
    Indicateur.objects.all().delete()
    garnir(300, 20)
    for indicateur in Indicateur.objects.exclude(denominateur=None)[:20]:
        plan.places_d_indicateur.create(indicateur=indicateur, chiffre_cle=True)
    assert compter(responsable, adresse) == avant
