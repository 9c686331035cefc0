"""Les indicateurs à l'écran : la carte du tableau de bord, leur page, leur liste."""

import re

import pytest
from django.utils import timezone

from actions.models import Plan
from indicateurs.listes import Etat, Nature, OrigineDeCible, Sens
from indicateurs.models import Indicateur
from indicateurs.requetes import chiffres_du_plan
from tests import fabriques

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan() -> Plan:
    return fabriques.plan(intitule="Plan d'essai")


@pytest.fixture
def part(plan) -> Indicateur:
    return fabriques.indicateur(
        plan, code="part", intitule="Part avec clause", nature=Nature.PART, unite="%", sens=Sens.HAUSSE
    )


# --- La carte du tableau de bord ----------------------------------------------------------------

# La valeur de l'année d'avant mène au tableau des années.
L_AN_PASSE = '<a class="nombre-lie" href="/indicateurs/part/#annees-titre">'


def page(client, adresse: str, attendu: int = 200) -> str:
    """Le texte de la page, espaces de toutes sortes réduites à une."""
    reponse = client.get(adresse)
    assert reponse.status_code == attendu
    return " ".join(reponse.content.decode().replace("&#x27;", "'").replace("&amp;", "&").split())


def de_role(client, role: str):
    client.force_login(fabriques.utilisateur(role))
    return client


@pytest.fixture
def lecteur(client):
    return de_role(client, "lecteur")


@pytest.fixture
def responsable(client):
    return de_role(client, "responsable")


def test_la_carte_mene_a_la_page_de_l_indicateur_et_a_son_calcul(lecteur, plan, part):
    fabriques.valeur(part, 2023, valeur=48)
    fabriques.valeur(part, 2024, valeur=51, etat=Etat.VALIDEE, remarque="Hors accords-cadres.")
    texte = page(lecteur, "/")
    assert '<a href="/indicateurs/part/" class="grand">51 %<' in texte
    assert '<a href="/indicateurs/part/#calcul">Comment c\'est calculé' in texte
    assert "Valeur 2024, validée" in texte
    assert f'2023 : {L_AN_PASSE}48 %</a> <strong class="ecart">+ 3 points</strong>' in texte
    assert "<summary>Remarque</summary>Hors accords-cadres.</details>" in texte
    assert "Objectif : —</p>" in texte


def test_ce_qui_manque_se_renseigne_d_un_lien_pour_qui_en_a_le_droit(responsable, plan, part):
    ajout = "/indicateurs/part/valeurs/"
    cette_annee = timezone.localdate().year
    assert f'Pas de valeur · <a href="{ajout}' in page(responsable, "/")
    fabriques.valeur(part, 2024, valeur=51)
    texte = page(responsable, "/")
    assert f'2023 : — · <a href="{ajout}2023/">Saisir' in texte
    assert f'Objectif : — · <a href="/admin/indicateurs/cible/add/?indicateur={part.pk}&annee=' in texte
    assert f'Pas de valeur pour {cette_annee} · <a href="{ajout}{cette_annee}/">' in page(
        responsable, f"/?annee={cette_annee}"
    )


def test_qui_ne_fait_que_lire_ne_voit_aucun_lien_de_saisie(lecteur, plan, part):
    fabriques.valeur(part, 2024, valeur=51)
    cette_annee = timezone.localdate().year
    for adresse in ("/", f"/?annee={cette_annee}", "/indicateurs/part/", f"/indicateurs/?sans_valeur={cette_annee}"):
        texte = page(lecteur, adresse)
        assert "—" in texte
        assert "/admin/" not in texte


def test_une_situation_passee_n_offre_rien_a_saisir(responsable, plan, part):
    """La valeur d'alors manque à cette date, mais elle a pu être saisie depuis."""
    fabriques.valeur(part, 2024, valeur=51, connue_le="2025-02-01")
    texte = page(responsable, "/?au=2024-12-31")
    assert "Pas de valeur" in texte
    assert "valeurannuelle/add" not in texte
    assert "cible/add" not in texte


def test_une_rupture_se_dit_sur_la_carte(lecteur, plan, part):
    fabriques.valeur(part, 2023, valeur=40)
    fabriques.valeur(part, 2024, valeur=53, rupture="Le seuil a changé")
    assert f"2023 : {L_AN_PASSE}40 %</a> · rupture de série" in page(lecteur, "/")


@pytest.mark.parametrize("page_d_ajout", ["valeurannuelle", "cible"])
def test_le_lien_de_saisie_ouvre_un_formulaire_prerempli(responsable, part, page_d_ajout):
    texte = page(responsable, f"/admin/indicateurs/{page_d_ajout}/add/?indicateur={part.pk}&annee=2024")
    assert f'<option value="{part.pk}" selected>' in texte
    assert 'name="annee" value="2024"' in texte


# --- La page d'un indicateur --------------------------------------------------------------------


def test_une_page_pleine_montre_le_chiffre_les_annees_et_les_objectifs(lecteur, plan):
    total = fabriques.indicateur(plan, code="total", intitule="Consultations")
    part = fabriques.indicateur(
        plan,
        code="part",
        intitule="Part avec clause",
        nature=Nature.PART,
        unite="%",
        denominateur=total,
        definition="Ce qu'on compte.",
        mode_de_calcul="On divise.",
        source="Registre",
    )
    action = fabriques.action(plan, intitule="Rédiger des clauses", statut="EN_COURS")
    part.actions.add(action)
    for annee, consultations, avec_clause in ((2023, 160, 32), (2024, 166, 42)):
        fabriques.valeur(total, annee, valeur=consultations)
        fabriques.valeur(part, annee, numerateur=avec_clause)
    fabriques.cible(part, 2026, 50, reference="Délibération 12")
    fabriques.cible(part, 2025, 10, active=False)
    texte = page(lecteur, "/indicateurs/part/")
    assert '<span class="grand">25 %</span>' in texte
    assert f'2023 : {L_AN_PASSE}20 %</a> <strong class="ecart">+ 5,3 points</strong>' in texte
    assert '<h2 id="annees-titre">' in texte
    assert 'Objectif 2026 : <a class="nombre-lie" href="/indicateurs/part/#objectifs-titre">50 %</a>' in texte
    assert '<h2 id="objectifs-titre">' in texte
    assert "42 / 166 = 25,3 %" in texte
    assert 'data-libelle="Écart">+ 5,3 points<' in texte
    assert 'id="calcul"' in texte
    assert all(dit in texte for dit in ("Ce qu'on compte.", "On divise.", "Registre", "Délibération 12"))
    assert '<a href="/indicateurs/total/">Consultations</a>, valeur de la même année' in texte
    assert f'<a href="/?plan={plan.slug}">Plan d\'essai</a>' in texte
    assert f'<a href="{action.get_absolute_url()}">Rédiger des clauses</a>' in texte
    assert 'data-libelle="Vigueur">échu' in texte


def test_le_graphique_montre_les_objectifs_actifs_en_points_et_en_paliers(lecteur, part):
    fabriques.valeur(part, 2024, valeur=51)
    fabriques.cible(part, 2025, 55)
    fabriques.cible(part, 2026, 60)
    fabriques.cible(part, 2027, 99, active=False)
    fabriques.cible(part, 2026, 100, origine=OrigineDeCible.OBLIGATION)
    texte = page(lecteur, "/indicateurs/part/")
    assert texte.count('class="barre"') == 1
    assert texte.count('class="point"') == 3
    # Un palier avance, puis monte : jamais une droite d'un objectif à l'autre.
    [palier] = re.findall(r'<path class="ligne"[^>]* d="([^"]+)"', texte)
    assert re.fullmatch(r"M[\d. ]+H[\d.]+V[\d.]+", palier)
    assert '"name":"Objectif","x":[2025,2026],"y":[55,60]' in texte
    assert '"name":"Obligation","x":[2026],"y":[100]' in texte


def test_une_rupture_se_dit_sous_le_graphique_et_dans_le_tableau(lecteur, part):
    fabriques.valeur(part, 2023, valeur=40)
    fabriques.valeur(part, 2024, valeur=53, rupture="Le seuil a changé")
    texte = page(lecteur, "/indicateurs/part/")
    assert '<p class="rupture"><strong>Rupture de série en 2024 :</strong> Le seuil a changé</p>' in texte
    assert 'data-libelle="Écart">Rupture de série<' in texte


def test_un_denominateur_nomme_les_parts_qui_s_appuient_sur_lui(lecteur, plan):
    total = fabriques.indicateur(code="total")
    fabriques.indicateur(code="part", intitule="Part avec clause", nature=Nature.PART, unite="%", denominateur=total)
    texte = page(lecteur, "/indicateurs/total/")
    assert 'Sert de dénominateur à</dt><dd><ul class="liste-nue"><li><a href="/indicateurs/part/">Part' in texte
    assert "Sert de dénominateur" not in page(lecteur, "/indicateurs/part/")


def test_une_page_vide_dit_quoi_faire_a_qui_peut_le_faire(client, part):
    texte = page(de_role(client, "responsable"), "/indicateurs/part/")
    ajout = f"/indicateurs/part/valeurs/{timezone.localdate().year}/"
    assert f'<a href="{ajout}">Saisissez la première</a>' in texte
    assert "data-graphique=" not in texte
    texte = page(de_role(client, "agent"), "/indicateurs/part/")
    assert "Un responsable du plan peut saisir la première." in texte
    assert "/admin/" not in texte


def test_un_indicateur_qui_n_a_qu_un_objectif_montre_son_graphique(lecteur, part):
    fabriques.cible(part, 2026, 60)
    texte = page(lecteur, "/indicateurs/part/")
    assert texte.count('class="point"') == 1
    assert "Aucune valeur n'est encore enregistrée." in texte


def test_le_geste_propose_la_plus_recente_annee_qui_manque(responsable, part):
    cette_annee = timezone.localdate().year
    for annee in (cette_annee - 3, cette_annee - 2, cette_annee):
        fabriques.valeur(part, annee, valeur=50)
    assert f"Saisir la valeur {cette_annee - 1}</a>" in page(responsable, "/indicateurs/part/")
    fabriques.valeur(part, cette_annee - 1, valeur=50)
    assert f"Modifier la valeur {cette_annee}</a>" in page(responsable, "/indicateurs/part/")


# --- La liste -----------------------------------------------------------------------------------


def intitules(client, adresse: str) -> list[str]:
    return [ligne.record.intitule for ligne in client.get(adresse).context["table"].rows]


def test_la_liste_situe_chaque_chiffre(lecteur, part):
    fabriques.valeur(part, 2023, valeur=48)
    fabriques.valeur(part, 2024, valeur=51)
    fabriques.cible(part, 2026, 60)
    texte = page(lecteur, "/indicateurs/")
    assert '51 % <span class="discret">(2024)</span>' in texte
    assert '48 % <span class="discret">(2023)</span> <strong class="ecart">+ 3 points</strong>' in texte
    assert '60 % <span class="discret">(2026)</span>' in texte


def test_les_filtres_disent_ce_qui_manque_au_plan_comme_la_completude(responsable, plan, part):
    fabriques.indicateur(plan, intitule="Manque aussi", chiffre_cle=False)
    fabriques.valeur(fabriques.indicateur(plan, intitule="Là"), 2025, valeur=1)
    perdu = fabriques.indicateur(plan, intitule="Perdu")
    fabriques.valeur(perdu, 2025, indisponible=True, motif_indisponibilite="Perdu")
    fabriques.valeur(part, 2024, valeur=50)
    ailleurs = fabriques.plan(intitule="Ailleurs")
    fabriques.indicateur(ailleurs, intitule="D'ailleurs")
    adresse = f"/indicateurs/?plan={plan.slug}&sans_valeur=2025"
    assert intitules(responsable, adresse) == ["Manque aussi", "Part avec clause"]
    assert len(intitules(responsable, adresse)) == chiffres_du_plan(plan, reference=2025).completude.manquantes
    assert intitules(responsable, "/indicateurs/?sans_valeur=2025") == [
        "D'ailleurs",
        "Manque aussi",
        "Part avec clause",
    ]
    assert intitules(responsable, "/indicateurs/?plan=ailleurs") == ["D'ailleurs"]
    texte = page(responsable, adresse)
    assert "2 indicateurs sans valeur 2025" in texte
    assert '/indicateurs/part/valeurs/2025/">Saisir 2025' in texte


def test_rien_ne_manque_se_dit(lecteur, plan, part):
    fabriques.valeur(part, 2025, valeur=50)
    assert "Rien ne manque pour 2025" in page(lecteur, f"/indicateurs/?plan={plan.slug}&sans_valeur=2025")


@pytest.mark.parametrize(
    ("requete", "phrase"),
    [
        ("plan=inconnu", "Ce choix ne fait pas partie"),
        ("plan=%00", "is-invalid"),
        ("sans_valeur=hier", "nombre entier"),
        ("sans_valeur=12", "supérieure ou égale à 1900"),
        ("sans_valeur=2199", "est à venir"),
        ("sans_valeur=99999999999999999999", "inférieure ou égale à 2200"),
    ],
)
def test_un_filtre_absurde_est_refuse_a_cote_de_son_champ(lecteur, part, requete, phrase):
    texte = page(lecteur, f"/indicateurs/?{requete}", attendu=400)
    assert phrase in texte
    assert "Part avec clause" not in texte
