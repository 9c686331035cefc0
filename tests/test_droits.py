"""La table des droits, rôle par rôle, et son accord avec ce que chacun peut vraiment modifier."""

from itertools import combinations

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import PermissionDenied

from actions.models import Action
from comptes.droits import Droit, Portee, Role, exiger, peut, portee
from comptes.models import Utilisateur
from tests import fabriques

RIEN, SIENS, TOUT = Portee.RIEN, Portee.SIENS, Portee.TOUT
ROLES = (Role.LECTEUR, Role.AGENT, Role.RESPONSABLE, Role.ADMINISTRATEUR)

# Recopiée de la page de conception, une ligne par droit : lecteur, agent, responsable, administrateur.
TABLE = {
    Droit.CONSULTER: (TOUT, TOUT, TOUT, TOUT),
    Droit.METTRE_A_JOUR: (RIEN, SIENS, TOUT, TOUT),
    Droit.MODIFIER_LE_PLAN: (RIEN, RIEN, TOUT, TOUT),
    Droit.MODIFIER_EN_NOMBRE: (RIEN, SIENS, TOUT, TOUT),
    Droit.IMPORTER: (RIEN, RIEN, TOUT, TOUT),
    Droit.SAISIR_UNE_DONNEE: (RIEN, SIENS, TOUT, TOUT),
    Droit.VALIDER: (RIEN, RIEN, TOUT, TOUT),
    Droit.TENIR_LES_REFERENTIELS: (RIEN, RIEN, TOUT, TOUT),
    Droit.ADMINISTRER: (RIEN, RIEN, RIEN, TOUT),
}
CASES = [
    (role, droit, attendue) for droit, ligne in TABLE.items() for role, attendue in zip(ROLES, ligne, strict=True)
]
chaque_droit = pytest.mark.parametrize("droit", Droit, ids=lambda droit: droit.name)


class DeQuelquUn:
    """Un objet qui relève, ou non, de l'utilisateur."""

    def __init__(self, sien: bool) -> None:
        self.sien = sien

    def releve_de(self, utilisateur) -> bool:
        return self.sien


def relu(utilisateur: Utilisateur) -> Utilisateur:
    """Le compte comme la requête suivante le lirait : rien n'y est resté de la précédente."""
    return Utilisateur.objects.get(pk=utilisateur.pk)


def avec_les_roles(*roles: Role) -> Utilisateur:
    compte = fabriques.utilisateur(role=None)
    compte.groups.set(Group.objects.filter(name__in=roles))
    return relu(compte)


def test_la_table_dit_chaque_droit():
    assert set(TABLE) == set(Droit)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "droit", "attendue"), CASES, ids=[f"{role}-{droit.name}" for role, droit, _ in CASES]
)
def test_la_portee_de_chaque_role(role, droit, attendue):
    compte = avec_les_roles(role)
    assert portee(compte, droit) is attendue
    assert peut(compte, droit) is (attendue is not RIEN)
    assert peut(compte, droit, DeQuelquUn(sien=True)) is (attendue is not RIEN)
    assert peut(compte, droit, DeQuelquUn(sien=False)) is (attendue is TOUT)


@pytest.mark.django_db
@pytest.mark.parametrize("roles", [*combinations(ROLES, 2), ROLES], ids="+".join)
def test_la_portee_la_plus_large_de_plusieurs_roles_l_emporte(roles):
    compte = avec_les_roles(*roles)
    for droit, ligne in TABLE.items():
        assert portee(compte, droit) is max(ligne[ROLES.index(role)] for role in roles)


@pytest.mark.django_db
@chaque_droit
def test_un_compte_inactif_ne_peut_rien(droit):
    compte = avec_les_roles(Role.ADMINISTRATEUR)
    compte.is_active = False
    assert portee(compte, droit) is RIEN


@chaque_droit
def test_sans_connexion_on_ne_peut_rien(droit):
    assert portee(AnonymousUser(), droit) is RIEN
    assert not peut(AnonymousUser(), droit, DeQuelquUn(sien=True))


@pytest.mark.django_db
@chaque_droit
def test_un_compte_sans_role_ne_peut_rien(droit):
    assert portee(fabriques.utilisateur(role=None), droit) is RIEN


@pytest.mark.django_db
def test_un_groupe_etranger_a_l_application_ne_donne_rien():
    compte = fabriques.utilisateur(role=None)
    compte.groups.add(Group.objects.create(name="comptabilité"))
    assert relu(compte).roles == frozenset()
    assert not any(peut(compte, droit) for droit in Droit)


# --- Refuser --------------------------------------------------------------------------------------


@pytest.mark.django_db
@chaque_droit
def test_exiger_refuse_avec_une_phrase_qui_nomme_le_geste(droit):
    with pytest.raises(PermissionDenied, match=r"^Votre rôle ne permet pas de .+\.$") as refus:
        exiger(fabriques.utilisateur(role=None), droit)
    assert droit.value in str(refus.value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "droit", "attendue"), CASES, ids=[f"{role}-{droit.name}" for role, droit, _ in CASES]
)
@pytest.mark.parametrize("sien", [True, False], ids=["sien", "autre"])
def test_exiger_leve_quand_peut_est_faux_et_seulement_alors(role, droit, attendue, sien):
    compte, objet = avec_les_roles(role), DeQuelquUn(sien)
    try:
        exiger(compte, droit, objet)
        refuse = False
    except PermissionDenied:
        refuse = True
    assert refuse is not peut(compte, droit, objet)


# --- Sur de vraies actions ------------------------------------------------------------------------


@pytest.fixture
def service(db):
    return fabriques.service("Achats")


@pytest.fixture
def actions(service):
    """Une action par façon de relever, ou non, de quelqu'un ; `agent` est du service Achats."""
    agent = fabriques.utilisateur(username="pilote", service=service)
    plan = fabriques.plan()
    return {
        "pilotée par lui": fabriques.action(plan, pilote=agent),
        "pilotée par son service": fabriques.action(plan, service_pilote=service),
        "pilotée par un autre service": fabriques.action(plan, service_pilote=fabriques.service()),
        "pilotée par une autre personne": fabriques.action(plan, pilote=fabriques.utilisateur()),
        "pilotée par personne": fabriques.action(plan),
        "dont il est suppléant": fabriques.action(plan, suppleant=agent),
    }


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("dans_un_service", [True, False], ids=["dans un service", "sans service"])
def test_la_liste_et_la_fiche_donnent_les_memes_droits(actions, service, role, dans_un_service):
    compte = avec_les_roles(role)
    compte.service = service if dans_un_service else None
    compte.save()
    fabriques.action(pilote=compte)
    compte = relu(compte)
    modifiables = set(Action.objects.modifiables_par(compte))
    for action in Action.objects.all():
        assert (action in modifiables) is peut(compte, Droit.METTRE_A_JOUR, action)
    siennes = set(Action.objects.qui_relevent_de(compte))
    for action in Action.objects.all():
        assert (action in siennes) is action.releve_de(compte)


def test_un_agent_modifie_ce_qu_il_pilote_ou_supplee_et_ce_que_pilote_son_service(actions):
    agent = Utilisateur.objects.get(username="pilote")
    siennes = {actions["pilotée par lui"], actions["pilotée par son service"], actions["dont il est suppléant"]}
    assert set(Action.objects.modifiables_par(agent)) == siennes
    assert {action for action in actions.values() if action.releve_de(agent)} == siennes


def test_un_agent_sans_service_ne_releve_pas_d_une_action_sans_service(actions):
    compte = avec_les_roles(Role.AGENT)
    assert not Action.objects.modifiables_par(compte).exists()
    assert not actions["pilotée par personne"].releve_de(compte)


@pytest.mark.parametrize(("role", "nombre"), list(zip(ROLES, (0, 0, 6, 6), strict=True)))
def test_le_nombre_d_actions_modifiables_de_chaque_role(actions, role, nombre):
    assert Action.objects.modifiables_par(avec_les_roles(role)).count() == nombre


@pytest.mark.django_db
def test_sans_connexion_rien_n_est_modifiable():
    fabriques.action()
    assert not Action.objects.modifiables_par(AnonymousUser()).exists()


# --- Administration -------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "entre", "tout"),
    [
        (Role.LECTEUR, False, False),
        (Role.AGENT, False, False),
        (Role.RESPONSABLE, True, False),
        (Role.ADMINISTRATEUR, True, True),
    ],
)
def test_l_acces_a_l_administration_se_deduit_du_role(role, entre, tout):
    compte = avec_les_roles(role)
    assert (compte.is_staff, compte.is_superuser) == (entre, tout)


@pytest.mark.django_db
def test_l_acces_a_l_administration_ne_s_ecrit_pas():
    compte = fabriques.utilisateur()
    for nom in ("is_staff", "is_superuser"):
        with pytest.raises(AttributeError):
            setattr(compte, nom, True)


@pytest.mark.django_db
def test_un_administrateur_inactif_n_entre_plus():
    compte = avec_les_roles(Role.ADMINISTRATEUR)
    compte.is_active = False
    assert not compte.is_staff
    assert not compte.has_perm("comptes.change_utilisateur")


@pytest.mark.django_db
def test_un_role_retire_ne_vaut_plus_a_la_requete_suivante():
    compte = avec_les_roles(Role.RESPONSABLE)
    assert peut(compte, Droit.MODIFIER_LE_PLAN)
    compte.groups.clear()
    suivante = relu(compte)
    assert not peut(suivante, Droit.MODIFIER_LE_PLAN)
    assert not suivante.is_staff


@pytest.mark.django_db
def test_un_role_ajoute_vaut_a_la_requete_suivante():
    compte = avec_les_roles(Role.LECTEUR)
    compte.groups.add(Group.objects.get(name=Role.RESPONSABLE))
    assert peut(relu(compte), Droit.MODIFIER_LE_PLAN)


@pytest.mark.django_db
def test_les_droits_d_une_requete_se_lisent_une_seule_fois(django_assert_num_queries):
    compte = avec_les_roles(Role.AGENT)
    with django_assert_num_queries(1):
        for droit in Droit:
            peut(compte, droit)
