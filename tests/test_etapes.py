"""Les étapes d'une action : ce qui reste à faire, pour quand, ce qui est fait."""

import datetime

import pytest
from django.utils import timezone

from actions.models import Action, Etape
from socle.echeances import Echeance
from socle.modeles import ConflitDeVersion
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db

AUJOURDHUI = datetime.date(2025, 7, 1)


@pytest.fixture
def agent():
    return fabriques.utilisateur("agent", service=fabriques.service("Achats"), nom="Agent")


@pytest.fixture
def action(agent) -> Action:
    return fabriques.action(service_pilote=agent.service)


@pytest.fixture
def site(agent):
    return client_de(agent)


def ajouter(action: Action, intitule: str = "Rédiger le cahier des charges", echeance: str = "") -> Etape:
    lue = Echeance.lire(echeance) if echeance else None
    return Etape.objects.ajouter(action, intitule=intitule, echeance=lue)


def envoyer(site, action: Action, suite: str, **champs):
    return site.post(f"/actions/{action.pk}/etapes/{suite}/", champs)


def page(site, action: Action) -> str:
    return site.get(action.get_absolute_url()).content.decode().replace("&#x27;", "'")


def intitules(action: Action) -> list[str]:
    return [etape.intitule for etape in Etape.objects.filter(action=action).en_place()]


def erreurs(reponse, champ: str) -> str:
    assert reponse.status_code == 200
    return " ".join(reponse.context["formulaire"].errors.get(champ, []))


# --- Ajouter, changer ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tape", "fin", "precision"),
    [
        ("T2 2026", datetime.date(2026, 6, 30), "TRIMESTRE"),
        ("2026", datetime.date(2026, 12, 31), "ANNEE"),
        ("14/02/2026", datetime.date(2026, 2, 14), "JOUR"),
        ("", None, None),
    ],
)
def test_une_etape_s_ajoute_avec_son_echeance_dans_une_seule_boite(site, action, tape, fin, precision):
    reponse = envoyer(site, action, "ajouter", version=action.version, intitule="Notifier", echeance=tape)
    assert (reponse.status_code, reponse.url) == (302, f"{action.get_absolute_url()}#etapes")
    etape = Etape.objects.get(action=action)
    assert (etape.intitule, etape.echeance, etape.precision, etape.faite_le) == ("Notifier", fin, precision, None)
    assert "Notifier" in page(site, action)


def test_une_echeance_illisible_se_dit_a_cote_du_champ_et_l_intitule_reste(site, action):
    reponse = envoyer(site, action, "ajouter", version=action.version, intitule="Notifier", echeance="bientôt")
    assert "bientôt" in erreurs(reponse, "echeance")
    assert 'value="Notifier"' in reponse.content.decode()
    assert not Etape.objects.exists()


def test_une_etape_sans_intitule_se_refuse(site, action):
    assert erreurs(envoyer(site, action, "ajouter", version=action.version, intitule="  "), "intitule")


def test_un_double_clic_n_ajoute_qu_une_etape(site, action):
    for _ in range(2):
        envoyer(site, action, "ajouter", version=action.version, intitule="Notifier", echeance="T2 2026")
    assert intitules(action) == ["Notifier"]


def test_une_etape_se_modifie(site, action):
    etape = ajouter(action)
    envoyer(
        site,
        action,
        f"{etape.pk}/modifier",
        version=etape.version,
        intitule="Publier l'avis",
        echeance="T1 2027",
        faite_le="2025-01-15",
    )
    etape.refresh_from_db()
    assert (etape.intitule, etape.valeur_echeance) == ("Publier l'avis", Echeance.lire("T1 2027"))
    assert etape.faite_le == datetime.date(2025, 1, 15)


def test_une_etape_ne_se_fait_pas_demain(site, action):
    etape, demain = ajouter(action), timezone.localdate() + datetime.timedelta(days=1)
    reponse = envoyer(
        site,
        action,
        f"{etape.pk}/modifier",
        version=etape.version,
        intitule=etape.intitule,
        faite_le=demain.isoformat(),
    )
    assert "aujourd'hui" in erreurs(reponse, "faite_le")
    assert Etape.objects.get().faite_le is None


def test_la_seconde_personne_a_modifier_voit_ce_qui_est_enregistre_et_garde_sa_saisie(site, action):
    etape = ajouter(action)
    etape.decrire(version=1, intitule="Titre d'une autre", echeance=None, faite_le=None)
    saisie = {"intitule": "Mon titre", "echeance": "", "faite_le": ""}
    reponse = envoyer(site, action, f"{etape.pk}/modifier", version=1, **saisie)
    assert "Titre d'une autre" in erreurs(reponse, "__all__")
    assert 'value="Mon titre"' in reponse.content.decode()
    envoyer(site, action, f"{etape.pk}/modifier", version=reponse.context["formulaire"].data["version"], **saisie)
    assert intitules(action) == ["Mon titre"]


# --- Faite en un clic ---------------------------------------------------------------------------


def test_fait_en_un_clic_met_la_date_du_jour(site, action):
    etape = ajouter(action)
    assert f'action="/actions/{action.pk}/etapes/{etape.pk}/faite/"' in page(site, action)
    reponse = envoyer(site, action, f"{etape.pk}/faite", version=1)
    assert reponse.status_code == 302
    etape.refresh_from_db()
    assert etape.faite_le == timezone.localdate()
    assert f"faite le {timezone.localdate():%d/%m/%Y}" in page(site, action)


def test_le_clic_recu_deux_fois_ne_change_rien_de_plus(site, action):
    etape = ajouter(action)
    for _ in range(2):
        envoyer(site, action, f"{etape.pk}/faite", version=1)
    etape.refresh_from_db()
    assert (etape.version, etape.history.count()) == (2, 2)


def test_un_clic_sur_une_etape_changee_entre_temps_ne_l_ecrase_pas(site, action):
    etape = ajouter(action)
    etape.decrire(version=1, intitule="Autre chose", echeance=None, faite_le=None)
    envoyer(site, action, f"{etape.pk}/faite", version=1)
    assert Etape.objects.get().faite_le is None
    with pytest.raises(ConflitDeVersion):
        etape.faire(version=1)


@pytest.mark.parametrize("version", ["", "un", "1" * 30, "-1"])
def test_un_bouton_reecrit_est_une_demande_illisible(site, action, version):
    etape = ajouter(action)
    assert envoyer(site, action, f"{etape.pk}/faite", version=version).status_code == 400


# --- L'ordre ------------------------------------------------------------------------------------


def test_une_etape_monte_et_descend(site, action):
    etapes = [ajouter(action, nom) for nom in ("A", "B", "C")]
    envoyer(site, action, f"{etapes[2].pk}/deplacer", rang=1)
    assert intitules(action) == ["C", "A", "B"]
    envoyer(site, action, f"{etapes[2].pk}/deplacer", rang=2)
    assert intitules(action) == ["A", "C", "B"]


def test_monter_deux_fois_du_meme_clic_ne_monte_que_d_un_rang(site, action):
    etapes = [ajouter(action, nom) for nom in ("A", "B", "C")]
    for _ in range(2):
        envoyer(site, action, f"{etapes[2].pk}/deplacer", rang=2)
    assert intitules(action) == ["A", "C", "B"]


def test_un_rang_hors_de_la_liste_va_au_bout(site, action):
    etapes = [ajouter(action, nom) for nom in ("A", "B")]
    envoyer(site, action, f"{etapes[0].pk}/deplacer", rang=99)
    assert intitules(action) == ["B", "A"]
    envoyer(site, action, f"{etapes[0].pk}/deplacer", rang=0)
    assert intitules(action) == ["A", "B"]


def test_ranger_les_etapes_ne_gene_pas_qui_en_modifie_une(action):
    premiere, seconde = ajouter(action, "A"), ajouter(action, "B")
    seconde.placer(1)
    premiere.decrire(version=premiere.version, intitule="A relu", echeance=None, faite_le=None)
    assert intitules(action) == ["B", "A relu"]


def test_une_etape_retiree_ne_se_range_plus(action):
    premiere, seconde = ajouter(action, "A"), ajouter(action, "B")
    premiere.retirer(version=1).placer(2)
    assert intitules(action) == ["B"]
    assert Etape.objects.get(pk=seconde.pk).ordre == 2


# --- Retirer ------------------------------------------------------------------------------------


def test_une_etape_retiree_reste_en_base_et_peut_revenir(site, action):
    etape = ajouter(action)
    envoyer(site, action, f"{etape.pk}/retirer", version=1)
    assert intitules(action) == []
    assert "1 étape retirée" in page(site, action).replace("\u00a0", " ").replace("\u202f", " ")
    envoyer(site, action, f"{etape.pk}/remettre", version=2)
    assert intitules(action) == [etape.intitule]


# --- En retard ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("echeance", "le", "en_retard"),
    [
        ("T2 2025", datetime.date(2025, 6, 30), False),
        ("T2 2025", datetime.date(2025, 7, 1), True),
        ("2025", datetime.date(2025, 12, 31), False),
        ("2025", datetime.date(2026, 1, 1), True),
        ("14/02/2025", datetime.date(2025, 2, 14), False),
        ("14/02/2025", datetime.date(2025, 2, 15), True),
    ],
)
def test_une_etape_n_est_en_retard_qu_une_fois_sa_periode_finie(action, echeance, le, en_retard):
    ajouter(action, echeance=echeance)
    assert Etape.objects.en_retard(le).exists() == en_retard
    assert Etape.objects.avec_retard(le).get().est_en_retard == en_retard


def test_faite_retiree_ou_sans_echeance_une_etape_n_est_pas_en_retard(action):
    ajouter(action, "Sans échéance")
    ajouter(action, "Faite", "2024").faire(version=1, le=datetime.date(2025, 6, 1))
    ajouter(action, "Retirée", "2024").retirer(version=1)
    assert not Etape.objects.en_retard(AUJOURDHUI).exists()
    assert not Etape.objects.avec_retard(AUJOURDHUI).filter(est_en_retard=True).exists()
    assert [etape.intitule for etape in Etape.objects.a_faire()] == ["Sans échéance"]


def test_la_page_signale_l_etape_en_retard(site, action):
    ajouter(action, echeance="2024")
    assert page(site, action).count('class="retard"') == 1


# --- Droits -------------------------------------------------------------------------------------


def test_qui_ne_fait_que_consulter_voit_les_etapes_sans_geste(action):
    etape = ajouter(action)
    lecteur = client_de(fabriques.utilisateur("lecteur"))
    vue = page(lecteur, action)
    assert etape.intitule in vue
    assert "/etapes/" not in vue
    assert envoyer(lecteur, action, f"{etape.pk}/faite", version=1).status_code == 403


def test_l_etape_d_une_autre_action_est_introuvable(site, action):
    ailleurs = ajouter(fabriques.action())
    assert envoyer(site, action, f"{ailleurs.pk}/faite", version=1).status_code == 404
    assert site.get(f"/actions/{action.pk}/etapes/{ailleurs.pk}/modifier/").status_code == 404
    assert Etape.objects.get().faite_le is None
