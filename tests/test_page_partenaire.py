"""La page d'un partenaire : qui il est, ce qu'il fait dans le plan, jusqu'à quand une convention le lie."""

import datetime

import pytest
from django.utils import timezone

from actions.models import Action
from actions.suivi import RoleDePartenaire
from partenaires.models import Convention, Partenaire, TypeDePartenaire
from tests import fabriques

pytestmark = pytest.mark.django_db

LE = datetime.date(2026, 11, 24)


@pytest.fixture
def partenaire() -> Partenaire:
    return fabriques.partenaire(
        "Réseau d'acheteurs", sigle="RA", type=TypeDePartenaire.RESEAU_ACHETEURS, site="https://reseau.example/"
    )


def page(client, role: str = "lecteur", adresse: str = "/partenaires/ra/") -> str:
    """Le texte de la page, espaces de toutes sortes réduites à une."""
    client.force_login(fabriques.utilisateur(role))
    reponse = client.get(adresse)
    assert reponse.status_code == 200
    return " ".join(reponse.content.decode().replace("&#x27;", "'").replace("&amp;", "&").split())


def confier(action: Action, partenaire: Partenaire, role: str = "") -> Action:
    action.participations.create(partenaire=partenaire, role=role)
    return action


# --- Les conventions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fin", "ecrit", "bientot"),
    [
        (None, "sans date de fin", False),
        (datetime.date(2026, 11, 23), "finie le 23/11/2026", False),
        (datetime.date(2026, 11, 24), "finit aujourd'hui", True),
        (datetime.date(2026, 11, 25), "finit dans 1\u00a0jour", True),
        (datetime.date(2026, 12, 23), "finit dans 29\u00a0jours", True),
        (datetime.date(2026, 12, 24), "finit dans 1\u00a0mois", True),
        (datetime.date(2027, 1, 23), "finit dans 1\u00a0mois", True),
        (datetime.date(2027, 1, 24), "finit dans 2\u00a0mois", True),
        (datetime.date(2027, 5, 23), "finit dans 5\u00a0mois", True),
        (datetime.date(2027, 5, 24), "jusqu'au 24/05/2027", False),
    ],
)
def test_une_convention_dit_sa_fin(fin, ecrit, bientot):
    convention = Convention(intitule="Adhésion", fin=fin)
    assert (convention.fin_ecrite(LE), convention.finit_bientot(LE)) == (ecrit, bientot)


def test_la_page_dit_la_fin_de_chaque_convention(client, partenaire):
    aujourdhui = timezone.localdate()
    Convention.objects.create(partenaire=partenaire, intitule="Adhésion", debut=datetime.date(2023, 1, 1))
    Convention.objects.create(partenaire=partenaire, intitule="Groupement", fin=aujourdhui)
    texte = page(client)
    assert 'Adhésion, du 01/01/2023 <span class="discret">sans date de fin</span>' in texte
    assert f'Groupement <span class="attention">finit aujourd\'hui ({aujourdhui:%d/%m/%Y})</span>' in texte


# --- Qui il est ---------------------------------------------------------------------------------


def test_la_tete_dit_son_nom_son_sigle_son_type_et_son_site(client, partenaire):
    texte = page(client)
    assert "<h1>Réseau d'acheteurs (RA)</h1>" in texte
    assert '<p class="surtitre">Réseau d\'acheteurs</p>' in texte
    assert "Partenaire actif" in texte
    assert '<a href="https://reseau.example/"' in texte
    assert "Aucune action du plan ne le nomme." in texte
    assert "Aucune convention enregistrée." in texte


def test_un_partenaire_inactif_se_dit(client):
    fabriques.partenaire("Ancien", sigle="RA", actif=False)
    texte = page(client)
    assert "N'est plus actif" in texte
    assert "Partenaire actif" not in texte


# --- Ses actions --------------------------------------------------------------------------------


def test_la_page_dit_son_role_sur_chaque_action_et_le_decompte(client, partenaire):
    plan = fabriques.plan(intitule="Plan d'essai")
    confier(fabriques.action(plan, statut="TERMINEE"), partenaire, RoleDePartenaire.PORTEUR)
    confier(fabriques.action(plan, statut="EN_COURS"), partenaire, RoleDePartenaire.FINANCEUR)
    sans_role = confier(fabriques.action(plan), partenaire)
    fabriques.action(plan, intitule="Sans lui")
    texte = page(client)
    assert "1 action sur 3 terminée, 1 en cours, 1 non initiée." in texte
    assert [role in texte for role in ('"Rôle">Porteur<', '"Rôle">Financeur<', '"Rôle">—<')] == [True] * 3
    assert f'<a href="{sans_role.get_absolute_url()}">{sans_role.intitule}</a>' in texte
    assert texte.count('data-libelle="Statut"><span class="statut statut-') == 3
    assert "Sans lui" not in texte


def test_les_actions_sont_rangees_par_plan(client, partenaire):
    for nom in ("Premier plan", "Second plan"):
        plan = fabriques.plan(intitule=nom)
        for _ in range(2):
            confier(fabriques.action(plan), partenaire)
    texte = page(client)
    assert texte.count('scope="rowgroup"') == 2
    assert texte.index("Premier plan") < texte.index("Second plan")
    assert '<a href="/?plan=second-plan">' in texte


def test_une_action_retiree_sort_du_decompte_et_reste_a_un_lien(client, partenaire):
    plan = fabriques.plan()
    confier(fabriques.action(plan), partenaire)
    retiree = confier(fabriques.action(plan, intitule="Reprise ailleurs"), partenaire)
    retiree.retirer(auteur=fabriques.utilisateur(), version=retiree.version, motif="Reprise par un autre plan")
    texte = page(client)
    assert "0 action sur 1 terminée" in texte
    assert "Reprise ailleurs" not in texte
    assert '<a href="/actions/?partenaire=ra&presence=retirees">1 action retirée du plan</a>' in texte
    assert "Reprise ailleurs" in page(client, adresse="/actions/?partenaire=ra&presence=retirees")


@pytest.mark.parametrize(("nombre", "lien"), [(25, False), (26, True)])
def test_au_dela_de_vingt_cinq_actions_un_lien_mene_a_la_liste(client, partenaire, nombre, lien):
    plan = fabriques.plan()
    for _ in range(nombre):
        confier(fabriques.action(plan), partenaire)
    texte = page(client)
    assert texte.count('data-libelle="Rôle"') == 25
    assert ('<a href="/actions/?partenaire=ra">Voir ses' in texte) == lien


# --- Ce que peut le responsable -----------------------------------------------------------------


def test_le_responsable_modifie_la_fiche_et_ajoute_une_convention(client, partenaire):
    convention = Convention.objects.create(partenaire=partenaire, intitule="Adhésion")
    texte = page(client, "responsable")
    ajout = f"/admin/partenaires/convention/add/?partenaire={partenaire.pk}"
    assert f'<a class="btn btn-primary" href="{ajout}">' in texte
    assert f'href="/admin/partenaires/partenaire/{partenaire.pk}/change/">' in texte
    assert f'href="/admin/partenaires/convention/{convention.pk}/change/">' in texte
    assert f'<option value="{partenaire.pk}" selected>' in page(client, "responsable", ajout)


def test_qui_ne_fait_que_lire_n_a_aucun_lien_vers_l_administration(client, partenaire):
    Convention.objects.create(partenaire=partenaire, intitule="Adhésion")
    assert "/admin/" not in page(client)
