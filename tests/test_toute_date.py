"""Toute date : la situation d'un jour, telle qu'on la sait, ou telle qu'elle était saisie à un moment."""

import datetime
import re
from html import unescape

import pytest
from django.test import Client

from actions.models import Action, Axe
from actions.statuts import PointAttention, Priorite, Statut
from partenaires.models import Partenaire
from socle.relecture import EcritureDansLePasse, relire
from tests import fabriques
from tests.horloge import Horloge, horloge_au

pytestmark = pytest.mark.django_db


@pytest.fixture
def horloge():
    with horloge_au(2026, 1, 5) as une:
        yield une


def texte_de(reponse) -> str:
    """Ce qui se lit, sans balises, espaces de toutes sortes réduites à une."""
    corps = re.sub(r"<(script|style|select|form)\b.*?</\1>", " ", reponse.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", corps)).split())


def lire(adresse: str, role: str = "lecteur", code: int = 200) -> str:
    client = Client()
    client.force_login(fabriques.utilisateur(role))
    reponse = client.get(adresse)
    assert reponse.status_code == code, texte_de(reponse)
    return texte_de(reponse)


def brut(adresse: str, role: str = "responsable") -> str:
    client = Client()
    client.force_login(fabriques.utilisateur(role))
    return unescape(client.get(adresse).content.decode())


@pytest.fixture
def histoire(horloge: Horloge) -> Action:
    """Saisi le 5 janvier : « Ancien intitulé », axe A, En cours ; le 10 février, tout autre chose."""
    horloge.aller(2026, 1, 5)
    plan = fabriques.plan(intitule="Plan ancien", slug="le-plan")
    axe = Axe.objects.create(plan=plan, code="A", intitule="Ancien axe")
    action = fabriques.action(
        plan,
        intitule="Ancien intitulé",
        statut=Statut.EN_COURS,
        axe=axe,
        priorite=Priorite.HAUTE,
        date_effet=datetime.date(2026, 1, 2),
        attention_nature=PointAttention.ARBITRAGE,
        attention="Choisir le marché",
    )
    action.participations.create(partenaire=fabriques.partenaire("Ancien partenaire", slug="le-partenaire"))
    horloge.aller(2026, 2, 10)
    axe.intitule = "Nouvel axe"
    axe.save()
    plan.intitule = "Plan nouveau"
    plan.save()
    Partenaire.objects.get().participations.get().delete()
    action.refresh_from_db()
    action.intitule, action.priorite = "Nouvel intitulé", Priorite.BASSE
    action.attention_nature = action.attention = ""
    action.save()
    action.changer_statut(
        Statut.TERMINEE, auteur=None, version=action.version, date_effet=datetime.date(2026, 1, 3), insere_avant=None
    )
    fabriques.action(plan, intitule="Tardive", date_effet=datetime.date(2026, 2, 1))
    horloge.aller(2026, 3, 1)
    return action


# --- La liste -----------------------------------------------------------------------------------


def test_la_liste_a_une_date_garde_le_texte_d_aujourd_hui(histoire):
    page = lire("/actions/?au=2026-01-02")
    assert "Nouvel intitulé" in page
    assert "Ancien" not in page
    assert "Situation au 2 janvier 2026." in page


def test_la_liste_telle_que_saisie_rend_ce_qui_se_lisait(histoire):
    page = lire("/actions/?saisi_au=2026-01-31")
    assert "Ancien intitulé" in page
    assert "A Ancien axe" in page
    assert "Haute" in page
    assert "Arbitrage" in page
    assert "Nouvel" not in page
    assert "Tardive" not in page
    assert "Situation au 31 janvier 2026, telle que saisie au 31 janvier 2026." in page


def test_une_correction_saisie_plus_tard_ne_se_lit_qu_apres_elle(histoire):
    """Terminée le 3 janvier, mais on ne l'a su que le 10 février."""
    assert "statut-TERMINEE" in brut("/actions/?au=2026-01-20&q=intitule")
    assert "statut-EN_COURS" in brut("/actions/?au=2026-01-20&saisi_au=2026-01-31&q=intitule")


@pytest.mark.parametrize(
    ("filtre", "avant", "apres"),
    [
        ("priorite=HAUTE", 1, 0),
        ("priorite=BASSE", 0, 1),
        ("q=ancien", 1, 0),
        ("q=nouvel", 0, 1),
        ("q=1", 1, 1),
        ("attention=ARBITRAGE", 1, 0),
        ("partenaire=le-partenaire", 1, 0),
        ("statut=EN_COURS", 1, 0),
        ("plan=le-plan", 1, 2),
    ],
)
def test_un_filtre_lit_ce_qui_etait_saisi(histoire, filtre, avant, apres):
    for jour, nombre in (("2026-01-31", avant), ("2026-02-28", apres)):
        assert f"{nombre} action{'s' if nombre > 1 else ''}, situation" in lire(f"/actions/?{filtre}&saisi_au={jour}")


def test_un_tri_lit_ce_qui_etait_saisi(histoire):
    autre = Action.objects.get(intitule="Tardive")
    autre.intitule = "Alpha"
    autre.save()
    page = lire("/actions/?sort=intitule")
    assert page.index("Alpha") < page.index("Nouvel intitulé")
    page = lire("/actions/?sort=intitule&saisi_au=2026-02-28")
    assert page.index("Nouvel intitulé") < page.index("Tardive")


def test_au_passe_rien_ne_s_ecrit(histoire):
    for page in ("/actions/", "/", f"/actions/{histoire.pk}/", "/indicateurs/", "/partenaires/le-partenaire/"):
        for instant in ("au=2026-01-20", "saisi_au=2026-01-31"):
            lue = brut(f"{page}?{instant}", "administrateur")
            corps = lue[lue.index("<main") : lue.index("</main>")]
            assert "Revenir à aujourd'hui" in corps
            assert 'method="post"' not in corps, page
            assert "btn-primary" not in corps.replace('btn btn-primary" type="submit">Filtrer', ""), page


def test_les_liens_gardent_l_instant(histoire):
    corps = brut("/actions/?au=2026-01-20&saisi_au=2026-01-31&plan=le-plan")
    assert f"/actions/{histoire.pk}/?au=2026-01-20&saisi_au=2026-01-31" in corps
    assert "/actions/export/?plan=le-plan&au=2026-01-20&saisi_au=2026-01-31&format=xlsx" in corps or (
        "/actions/export/?au=2026-01-20&saisi_au=2026-01-31&plan=le-plan&format=xlsx" in corps
    )
    assert '<a href="/actions/?plan=le-plan">Revenir' in corps


def test_tout_nombre_du_tableau_mene_a_sa_liste_du_meme_instant(histoire):
    corps = brut("/?saisi_au=2026-01-31")
    listes = re.findall(r'href="(/actions/\?[^"]+)"', corps[corps.index("<main") :])
    assert listes
    assert all("saisi_au=2026-01-31" in liste and "au=20" in liste for liste in listes)


# --- Les fautes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("demande", "phrase"),
    [
        ("au=hier", "« hier » n'est pas une date"),
        ("au=2090-01-01", "Le 01/01/2090 est à venir"),
        ("saisi_au=2090-01-01", "Le 01/01/2090 est à venir"),
        ("saisi_au=demain", "« demain » n'est pas une date"),
        ("saisi_au=2026-01-31 25:00", "n'est pas un moment"),
        ("au=1492-01-01", "l'année va de 1900 à 2200"),
        ("au=2026-02-10&saisi_au=2026-01-31", "on ne savait rien encore du 10/02/2026"),
    ],
)
@pytest.mark.parametrize("lieu", ["/", "/actions/", "/indicateurs/", "/actions/export/", "/indicateurs/export/"])
def test_une_date_absurde_se_refuse_en_clair(histoire, lieu, demande, phrase):
    assert phrase in lire_tout(f"{lieu}?{demande}")


def lire_tout(adresse: str) -> str:
    client = Client()
    client.force_login(fabriques.utilisateur("lecteur"))
    reponse = client.get(adresse)
    assert reponse.status_code == 400
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", reponse.content.decode())).split())


def test_une_annee_d_apres_la_saisie_se_refuse(histoire):
    assert "l'année 2026 n'avait pas commencé" in lire_tout("/?annee=2026&saisi_au=2025-12-31")


def test_ce_qui_est_tape_reste_dans_le_champ(histoire):
    assert 'value="hier"' in brut("/actions/?au=hier")


# --- Avant tout ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lieu", ["/", "/actions/", "/actions/{pk}/"])
def test_avant_la_premiere_ligne_la_page_dit_que_rien_n_est_connu(histoire, lieu):
    lieu = lieu.format(pk=histoire.pk)
    assert "n'est connu avant le 2 janvier 2026" in lire(f"{lieu}?au=2025-06-30")


@pytest.mark.parametrize("lieu", ["/", "/?plan=le-plan", "/actions/"])
def test_avant_la_premiere_saisie_la_page_dit_que_rien_n_est_connu(histoire, lieu):
    suite = "&" if "?" in lieu else "?"
    assert "Rien n'est connu avant le 5 janvier 2026 à 12:00" in lire(f"{lieu}{suite}saisi_au=2025-12-31")


def test_un_plan_inconnu_le_reste_a_toute_date(histoire):
    lire("/?plan=aucun&saisi_au=2026-01-31", code=404)


# --- La relecture -------------------------------------------------------------------------------


def test_on_n_ecrit_pas_dans_ce_qu_on_relit(histoire, horloge):
    with relire(horloge.maintenant), pytest.raises(EcritureDansLePasse):
        Action.objects.get(pk=histoire.pk).save()


def test_ce_qui_est_supprime_depuis_se_relit(histoire):
    with relire(datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC)):
        assert [str(p) for p in Action.objects.get().partenaires.all()] == ["Ancien partenaire"]
    assert Action.objects.get(pk=histoire.pk).partenaires.count() == 0


def test_dans_une_relecture_on_peut_relire_aujourd_hui(histoire):
    with relire(datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC)):
        with relire(None):
            assert Action.objects.count() == 2
        assert Action.objects.count() == 1
