"""L'administration : qui y entre, ce qui s'y voit, et ce qu'elle refuse sans rien perdre."""

import datetime
import re
from decimal import Decimal

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from actions.models import (
    Action,
    ChangementDeStatut,
    NoteDeSuivi,
    PartenaireDeLAction,
    PartenaireDuPlan,
    PresenceAuPlan,
    ReferenceCadre,
    ReportEcheance,
)
from actions.plans import Axe
from actions.statuts import Priorite, Statut
from comptes.droits import Role
from comptes.gestes import Geste, Jeton, LigneDeLot, Lot, PorteeDeJeton, Trace
from comptes.models import Collectivite, Courriel, Service, Utilisateur
from indicateurs.listes import Etat, Nature
from indicateurs.models import Cible, Indicateur, IndicateurDuPlan, ValeurAnnuelle
from partenaires.models import Convention, Partenaire
from tests import fabriques
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

REFERENTIELS = ["partenaires.partenaire", "partenaires.convention"] + [
    f"indicateurs.{nom}" for nom in ("indicateur", "valeurannuelle", "cible")
]
RESERVES = [
    "comptes.collectivite",
    "comptes.service",
    "comptes.utilisateur",
    "comptes.lot",
    "comptes.trace",
    "comptes.jeton",
    "comptes.courriel",
    "actions.plan",
    "actions.axe",
    "actions.action",
    "actions.notedesuivi",
]
SANS_AJOUT = {"comptes.collectivite", "comptes.lot", "comptes.trace", "comptes.jeton", "comptes.courriel"}
EN_LECTURE = {"comptes.lot", "comptes.trace", "comptes.jeton", "comptes.courriel"}


def adresse(modele: str, page: str, *args) -> str:
    return reverse(f"admin:{modele.replace('.', '_')}_{page}", args=args)


@pytest.fixture
def administrateur() -> Utilisateur:
    return fabriques.utilisateur(Role.ADMINISTRATEUR, username="admin", prenom="Ada", nom="Administratrice")


@pytest.fixture
def autre() -> Utilisateur:
    return fabriques.utilisateur(Role.ADMINISTRATEUR, username="bob", prenom="Bob", nom="Second")


@pytest.fixture
def bureau(administrateur) -> Client:
    return client_de(administrateur)


@pytest.fixture
def un_de_chaque(administrateur) -> dict[str, object]:
    """Un objet de chaque modèle de l'administration, avec ce qui s'y rattache."""
    collectivite = Collectivite.objects.create(nom="Métropole d'essai")
    collectivite.sirens.create(numero="123456789")
    service = fabriques.service("Commande publique")
    plan = fabriques.plan(intitule="Plan d'essai")
    axe = Axe.objects.create(plan=plan, intitule="Former")
    partenaire = fabriques.partenaire("Réseau d'essai")
    convention = Convention.objects.create(partenaire=partenaire, intitule="Convention 2023")
    action = fabriques.action(plan, axe=axe, partenaires=[partenaire], pilote=administrateur, service_pilote=service)
    note = NoteDeSuivi.objects.create(action=action, date=fabriques.FIN_2023, texte="Réunion", auteur=administrateur)
    ReferenceCadre.objects.create(action=action, cadre="PCAET", code="3.2")
    PartenaireDuPlan.objects.create(plan=plan, partenaire=partenaire)
    indicateur = fabriques.indicateur(plan, service=service)
    valeur = fabriques.valeur(indicateur, 2023, valeur=Decimal(12))
    cible = Cible.objects.create(indicateur=indicateur, annee=2026, valeur=Decimal(20))
    lot = Lot.objects.create(intitule="Changement en nombre", auteur=administrateur)
    LigneDeLot.objects.create(lot=lot, objet=action, champ="statut", avant=None, apres="EN_COURS")
    trace = Trace.objects.create(geste=Geste.EXPORT, utilisateur=administrateur, details={"lignes": 3})
    jeton, _ = Jeton.objects.emettre(administrateur, "Agenda", [PorteeDeJeton.CALENDRIER])
    courriel = Courriel.objects.create(cle="essai", destinataire=administrateur, adresse="a@exemple.fr", objet="Essai")
    objets = [collectivite, service, administrateur, plan, axe, partenaire, convention, action, note, indicateur]
    return {objet._meta.label_lower: objet for objet in [*objets, valeur, cible, lot, trace, jeton, courriel]}


def saisie(reponse) -> dict[str, object]:
    """Ce qu'un navigateur enverrait du formulaire, tel qu'il est affiché."""
    return {nom: lues[0] if len(lues) == 1 else lues for nom, lues in formulaire_de(reponse).items()}


def ouvrir(navigateur: Client, objet) -> dict[str, str]:
    return saisie(navigateur.get(adresse(objet._meta.label_lower, "change", objet.pk)))


def envoyer(navigateur: Client, objet, donnees: dict):
    return navigateur.post(adresse(objet._meta.label_lower, "change", objet.pk), donnees)


def texte(reponse) -> str:
    """La page sans balises ni entités, pour y lire des phrases."""
    import html

    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", reponse.content.decode())).split())


# --- Qui entre, ce qui s'affiche ----------------------------------------------------------------


def test_l_administration_ne_connait_que_les_modeles_de_la_table():
    propres = {
        modele._meta.label_lower
        for modele in admin.site._registry
        if modele._meta.app_label in {"comptes", "partenaires", "actions", "indicateurs", "auth", "account"}
    }
    assert propres == {*REFERENTIELS, *RESERVES}


@pytest.mark.parametrize(
    ("role", "accueil", "referentiels", "reserves"),
    [
        (None, 403, 403, 403),
        (Role.LECTEUR, 403, 403, 403),
        (Role.AGENT, 403, 403, 403),
        (Role.RESPONSABLE, 200, 200, 403),
        (Role.ADMINISTRATEUR, 200, 200, 200),
    ],
)
def test_chaque_role_n_ouvre_que_ce_que_la_table_des_droits_dit(un_de_chaque, role, accueil, referentiels, reserves):
    navigateur = client_de(fabriques.utilisateur(role))
    entree = navigateur.get(reverse("admin:index"), follow=True)
    assert entree.status_code == accueil
    for modeles, attendu in ((REFERENTIELS, referentiels), (RESERVES, reserves)):
        for modele in modeles:
            pages = {adresse(modele, "changelist"), adresse(modele, "change", un_de_chaque[modele].pk)}
            if modele not in SANS_AJOUT or attendu != 200:
                pages.add(adresse(modele, "add"))
            for lien in pages:
                assert navigateur.get(lien, follow=True).status_code == attendu, (role, lien)


def test_sans_connexion_l_administration_renvoie_a_la_page_de_connexion_du_site(un_de_chaque):
    reponse = Client().get(adresse("actions.action", "changelist"))
    assert reponse.status_code == 302
    page_de_connexion = Client().get(reponse["Location"])
    assert page_de_connexion.status_code == 302 or reverse("account_login") in reponse["Location"]


@pytest.mark.parametrize("role", [Role.LECTEUR, Role.AGENT])
def test_une_ecriture_forgee_sans_droit_ne_change_rien(un_de_chaque, bureau, role):
    partenaire = un_de_chaque["partenaires.partenaire"]
    donnees = ouvrir(bureau, partenaire) | {"nom": "Pris"}
    envoyer(client_de(fabriques.utilisateur(role)), partenaire, donnees)
    partenaire.refresh_from_db()
    assert partenaire.nom == "Réseau d'essai"


def test_un_responsable_ne_peut_pas_ecrire_une_action_par_l_administration(un_de_chaque, bureau):
    action = un_de_chaque["actions.action"]
    donnees = ouvrir(bureau, action) | {"intitule": "Pris"}
    reponse = envoyer(client_de(fabriques.utilisateur(Role.RESPONSABLE)), action, donnees)
    assert reponse.status_code == 403


def test_un_responsable_trouve_les_actions_sans_pouvoir_les_ouvrir(un_de_chaque):
    navigateur = client_de(fabriques.utilisateur(Role.RESPONSABLE))
    champ = {"app_label": "indicateurs", "model_name": "indicateur", "field_name": "actions"}
    trouve = navigateur.get(reverse("admin:autocomplete"), champ | {"term": "Action"})
    assert trouve.status_code == 200
    assert len(trouve.json()["results"]) == 1
    assert navigateur.get(adresse("actions.action", "changelist")).status_code == 403
    # Les comptes, eux, ne se cherchent pas.
    champ = {"app_label": "actions", "model_name": "action", "field_name": "pilote"}
    assert navigateur.get(reverse("admin:autocomplete"), champ | {"term": "a"}).status_code == 403


@pytest.mark.parametrize("modele", [*REFERENTIELS, *RESERVES])
def test_chaque_page_de_l_administration_s_affiche(un_de_chaque, bureau, modele):
    objet = un_de_chaque[modele]
    liens = [
        adresse(modele, "changelist"),
        adresse(modele, "changelist") + "?q=essai",
        adresse(modele, "change", objet.pk),
        adresse(modele, "history", objet.pk),
    ]
    for lien in liens:
        reponse = bureau.get(lien)
        assert reponse.status_code == 200, lien
        assert not re.search(r"\sstyle=|\son[a-z]+=", reponse.content.decode()), lien
    ajout = bureau.get(adresse(modele, "add"))
    assert ajout.status_code == (403 if modele in SANS_AJOUT else 200)
    suppression = bureau.get(adresse(modele, "delete", objet.pk))
    assert suppression.status_code in (200, 403)


def test_les_textes_de_l_administration_sont_en_francais(un_de_chaque, bureau):
    mots = "Add|Change|Delete|Save|History|Search|Home|Welcome|Log out|View site|Select|Show|Today|Filter|Yes|Unknown"
    anglais = re.compile(rf"\b({mots})\b")
    for modele in [*REFERENTIELS, *RESERVES]:
        objet = un_de_chaque[modele]
        for nom, args in (("changelist", ()), ("change", (objet.pk,)), ("history", (objet.pk,))):
            trouve = anglais.search(texte(bureau.get(adresse(modele, nom, *args))))
            assert trouve is None, (modele, nom, trouve)
    assert anglais.search(texte(bureau.get(reverse("admin:index")))) is None


@pytest.mark.parametrize("modele", sorted(EN_LECTURE))
def test_ce_qui_a_ete_fait_se_lit_et_ne_s_ecrit_pas(un_de_chaque, bureau, modele):
    objet = un_de_chaque[modele]
    assert bureau.get(adresse(modele, "add")).status_code == 403
    assert envoyer(bureau, objet, {}).status_code == 403
    assert bureau.post(adresse(modele, "delete", objet.pk), {"post": "yes"}).status_code == 403


def test_la_fiche_d_une_action_fait_autant_de_requetes_quel_que_soit_son_journal(
    un_de_chaque, bureau, administrateur, django_assert_max_num_queries
):
    action = un_de_chaque["actions.action"]

    def compter() -> int:
        with django_assert_max_num_queries(60) as requetes:
            bureau.get(adresse("actions.action", "change", action.pk))
        return len(requetes)

    compter()
    avant = compter()
    for jour in range(1, 9):
        ChangementDeStatut.ecrire(
            action, statut=Statut.EN_COURS, date_effet=datetime.date(2024, 1, jour), auteur=administrateur
        )
        action.noter(f"Note {jour}", auteur=administrateur)
    assert compter() == avant


# --- À plusieurs --------------------------------------------------------------------------------


def test_le_second_a_enregistrer_voit_les_deux_versions_et_garde_sa_saisie(un_de_chaque, bureau, autre):
    partenaire = un_de_chaque["partenaires.partenaire"]
    second = client_de(autre)
    du_premier, du_second = ouvrir(bureau, partenaire), ouvrir(second, partenaire)
    assert envoyer(bureau, partenaire, du_premier | {"description": "Écrit par Ada"}).status_code == 302

    refus = envoyer(second, partenaire, du_second | {"description": "Écrit par Bob"})
    assert refus.status_code == 200
    lu = texte(refus)
    assert "modifiée par Ada Administratrice" in lu
    assert "« Écrit par Ada » enregistré, « Écrit par Bob » saisi" in lu
    assert saisie(refus)["description"] == "Écrit par Bob"
    partenaire.refresh_from_db()
    assert partenaire.description == "Écrit par Ada"

    assert envoyer(second, partenaire, saisie(refus)).status_code == 302
    partenaire.refresh_from_db()
    assert partenaire.description == "Écrit par Bob"


def test_le_meme_envoi_recu_deux_fois_ne_change_qu_une_fois(un_de_chaque, bureau):
    partenaire = un_de_chaque["partenaires.partenaire"]
    donnees = ouvrir(bureau, partenaire) | {"description": "Une seule fois"}
    lignes = partenaire.history.count()
    assert envoyer(bureau, partenaire, donnees).status_code == 302
    assert envoyer(bureau, partenaire, donnees).status_code == 302
    assert partenaire.history.count() == lignes + 1


def test_une_ligne_ajoutee_par_un_envoi_recu_deux_fois_n_est_ajoutee_qu_une_fois(un_de_chaque, bureau):
    partenaire = un_de_chaque["partenaires.partenaire"]
    donnees = ouvrir(bureau, partenaire) | {
        "description": "Avec une convention",
        "conventions-TOTAL_FORMS": "2",
        "conventions-1-intitule": "Nouvelle",
        "conventions-1-debut": "2024-01-01",
        "conventions-1-fin": "",
        "conventions-1-partenaire": partenaire.pk,
    }
    assert envoyer(bureau, partenaire, donnees).status_code == 302
    assert envoyer(bureau, partenaire, donnees).status_code == 302
    assert partenaire.conventions.count() == 2


def test_une_ligne_changee_entre_temps_dans_sa_propre_fiche_n_est_pas_ecrasee(un_de_chaque, bureau, autre):
    convention = un_de_chaque["partenaires.convention"]
    partenaire = un_de_chaque["partenaires.partenaire"]
    donnees = ouvrir(bureau, partenaire) | {"conventions-0-intitule": "Selon Ada"}
    second = client_de(autre)
    envoyer(second, convention, ouvrir(second, convention) | {"intitule": "Selon Bob"})

    refus = envoyer(bureau, partenaire, donnees)
    assert refus.status_code == 200
    assert "« Selon Bob » enregistré, « Selon Ada » saisi" in texte(refus)
    convention.refresh_from_db()
    assert convention.intitule == "Selon Bob"
    assert envoyer(bureau, partenaire, saisie(refus)).status_code == 302
    convention.refresh_from_db()
    assert convention.intitule == "Selon Ada"


def test_enregistrer_sans_rien_changer_n_ecrit_rien(un_de_chaque, bureau):
    for modele, objet in un_de_chaque.items():
        if modele in EN_LECTURE or not hasattr(objet, "history"):
            continue
        avant = objet.history.count()
        reponse = envoyer(bureau, objet, ouvrir(bureau, objet))
        assert reponse.status_code == 302, (modele, texte(reponse))
        if modele not in {"comptes.utilisateur", "actions.notedesuivi"}:
            assert objet.history.count() == avant, modele


# --- Valeurs annuelles --------------------------------------------------------------------------


@pytest.fixture
def part() -> Indicateur:
    return fabriques.indicateur(nature=Nature.PART, unite="%", code="part", intitule="Part d'essai")


@pytest.fixture
def validee(part) -> ValeurAnnuelle:
    return fabriques.valeur(part, 2023, valeur=Decimal(25), etat=Etat.VALIDEE)


def erreurs(reponse) -> dict[str, list[str]]:
    return reponse.context["adminform"].form.errors


def test_une_valeur_validee_ne_change_pas_sans_motif(bureau, validee):
    refus = envoyer(bureau, validee, ouvrir(bureau, validee) | {"valeur": "30"})
    assert refus.status_code == 200
    assert "ne change pas sans motif" in erreurs(refus)["motif"][0]
    assert saisie(refus)["valeur"] == "30"
    validee.refresh_from_db()
    assert validee.valeur == 25


def test_une_valeur_validee_change_avec_un_motif_garde_dans_l_historique(bureau, validee, administrateur):
    donnees = ouvrir(bureau, validee) | {"valeur": "30,5", "motif": "Recomptage"}
    assert envoyer(bureau, validee, donnees).status_code == 302
    validee.refresh_from_db()
    assert validee.valeur == Decimal("30.5")
    derniere = validee.history.first()
    assert (derniere.history_change_reason, derniere.history_user) == ("Recomptage", administrateur)
    # Le même envoi une seconde fois n'ajoute rien.
    lignes = validee.history.count()
    assert envoyer(bureau, validee, donnees).status_code == 302
    assert validee.history.count() == lignes


def test_dans_la_fiche_de_l_indicateur_aussi_le_motif_est_demande(bureau, validee):
    donnees = ouvrir(bureau, validee.indicateur) | {"valeurs-0-valeur": "31"}
    refus = envoyer(bureau, validee.indicateur, donnees)
    assert refus.status_code == 200
    assert "ne change pas sans motif" in texte(refus)
    assert "31" in refus.content.decode()
    validee.refresh_from_db()
    assert validee.valeur == 25
    assert envoyer(bureau, validee.indicateur, donnees | {"valeurs-0-motif": "Erreur"}).status_code == 302
    validee.refresh_from_db()
    assert validee.valeur == 31
    assert validee.history.first().history_change_reason == "Erreur"


def test_changer_un_denominateur_dont_un_taux_valide_depend_demande_le_motif(bureau):
    total = fabriques.indicateur(code="total", intitule="Total")
    taux = fabriques.indicateur(nature=Nature.PART, denominateur=total, code="taux", intitule="Taux")
    denominateur = fabriques.valeur(total, 2023, valeur=Decimal(166))
    fabriques.valeur(taux, 2023, numerateur=Decimal(42), etat=Etat.VALIDEE)
    donnees = ouvrir(bureau, denominateur) | {"valeur": "200"}
    refus = envoyer(bureau, denominateur, donnees)
    assert "« Taux » (2023)" in erreurs(refus)["motif"][0]
    denominateur.refresh_from_db()
    assert denominateur.valeur == 166
    assert envoyer(bureau, denominateur, donnees | {"motif": "Recomptage"}).status_code == 302
    denominateur.refresh_from_db()
    assert denominateur.valeur == 200


@pytest.mark.parametrize(
    ("champs", "champ", "phrase"),
    [
        ({"valeur": "130"}, "valeur", "de 0 à 100 %"),
        ({"numerateur": "12", "denominateur": "10"}, "numerateur", "Le numérateur dépasse le dénominateur"),
        ({"valeur": "10", "numerateur": "1", "denominateur": "10"}, "valeur", "pas les deux"),
        ({"numerateur": "3"}, "denominateur", "Donnez le dénominateur"),
        ({"valeur": "douze"}, "valeur", "n'est pas un nombre"),
        ({"valeur": "10", "annee": "2023"}, "annee", "déjà une valeur pour cette année"),
        ({"valeur": "10", "annee": "2199"}, "annee", "année à venir"),
        ({"indisponible": "on"}, "motif_indisponibilite", "dit son motif"),
        ({"valeur": "10", "connue_le": "31/02/2024"}, "connue_le", "février 2024"),
    ],
)
def test_une_valeur_impossible_est_refusee_a_cote_de_son_champ(bureau, validee, champs, champ, phrase):
    donnees = saisie(bureau.get(adresse("indicateurs.valeurannuelle", "add")))
    donnees |= {"indicateur": validee.indicateur.pk, "annee": "2022", "etat": Etat.PROVISOIRE} | champs
    refus = bureau.post(adresse("indicateurs.valeurannuelle", "add"), donnees)
    assert refus.status_code == 200
    assert phrase in " ".join(erreurs(refus)[champ]), erreurs(refus)
    assert ValeurAnnuelle.objects.count() == 1
    for nom, valeur in champs.items():
        assert saisie(refus)[nom] == valeur


def test_les_memes_valeurs_impossibles_sont_refusees_dans_la_fiche_de_l_indicateur(bureau, validee):
    vide = ouvrir(bureau, validee.indicateur) | {"valeurs-TOTAL_FORMS": "2"}
    nouvelle = {"valeurs-1-indicateur": validee.indicateur.pk, "valeurs-1-etat": Etat.PROVISOIRE}
    nouvelle |= {"valeurs-1-annee": "2022", "valeurs-1-connue_le": "2023-01-01"}
    for champs, phrase in (
        ({"valeurs-1-valeur": "130"}, "de 0 à 100 %"),
        ({"valeurs-1-numerateur": "12", "valeurs-1-denominateur": "10"}, "Le numérateur dépasse"),
        ({"valeurs-1-valeur": "10", "valeurs-1-annee": "2023"}, "année"),
    ):
        refus = envoyer(bureau, validee.indicateur, vide | nouvelle | champs)
        assert refus.status_code == 200
        assert phrase in texte(refus)
        assert ValeurAnnuelle.objects.count() == 1


def test_un_denominateur_qui_formerait_une_boucle_est_refuse(bureau, part):
    autre = fabriques.indicateur(nature=Nature.PART)
    refus = envoyer(bureau, part, ouvrir(bureau, part) | {"denominateur": autre.pk})
    assert "boucle" in erreurs(refus)["denominateur"][0]
    refus = envoyer(bureau, part, ouvrir(bureau, part) | {"denominateur": part.pk})
    assert refus.status_code == 200
    part.refresh_from_db()
    assert part.denominateur is None


def test_un_taux_valide_ne_change_pas_de_denominateur(bureau):
    premier, second = fabriques.indicateur(code="un"), fabriques.indicateur(code="deux")
    taux = fabriques.indicateur(nature=Nature.PART, denominateur=premier)
    fabriques.valeur(premier, 2023, valeur=Decimal(166))
    fabriques.valeur(second, 2023, valeur=Decimal(200))
    fabriques.valeur(taux, 2023, numerateur=Decimal(42), etat=Etat.VALIDEE)
    for autre in (second.pk, ""):
        refus = envoyer(bureau, taux, ouvrir(bureau, taux) | {"denominateur": autre})
        assert "La part 2023 est validée" in erreurs(refus)["denominateur"][0]
    taux.refresh_from_db()
    assert taux.denominateur == premier


def test_un_changement_de_nature_ou_de_denominateur_rejuge_les_valeurs_provisoires(bureau):
    petit, total = fabriques.indicateur(code="petit"), fabriques.indicateur(code="total")
    taux = fabriques.indicateur(nature=Nature.PART, denominateur=total)
    fabriques.valeur(total, 2023, valeur=Decimal(166))
    fabriques.valeur(petit, 2023, valeur=Decimal(10))
    fabriques.valeur(taux, 2023, numerateur=Decimal(42))
    refus = envoyer(bureau, taux, ouvrir(bureau, taux) | {"denominateur": petit.pk})
    assert "Le numérateur dépasse le dénominateur" in erreurs(refus)["denominateur"][0]
    refus = envoyer(bureau, petit, ouvrir(bureau, petit) | {"nature": Nature.MONTANT})
    assert refus.status_code == 302
    compte = fabriques.indicateur(code="compte")
    fabriques.valeur(compte, 2023, valeur=Decimal(166))
    refus = envoyer(bureau, compte, ouvrir(bureau, compte) | {"nature": Nature.PART})
    assert "de 0 à 100 %" in erreurs(refus)["nature"][0]


def test_une_valeur_ne_s_efface_pas_et_ne_change_pas_d_annee(bureau, validee):
    assert bureau.get(adresse("indicateurs.valeurannuelle", "delete", validee.pk)).status_code == 403
    donnees = ouvrir(bureau, validee) | {"annee": "2020", "remarque": "Relue"}
    assert envoyer(bureau, validee, donnees).status_code == 302
    validee.refresh_from_db()
    assert (validee.annee, validee.remarque) == (2023, "Relue")


def test_deux_administrateurs_sur_une_valeur_le_second_voit_les_deux(bureau, autre, validee):
    second = client_de(autre)
    premiere, seconde = ouvrir(bureau, validee), ouvrir(second, validee)
    envoyer(bureau, validee, premiere | {"valeur": "26", "motif": "Un"})
    refus = envoyer(second, validee, seconde | {"valeur": "27", "motif": "Deux"})
    assert refus.status_code == 200
    assert "Valeur : « 26" in texte(refus)
    assert "« 27 » saisi" in texte(refus)
    validee.refresh_from_db()
    assert validee.valeur == 26
    assert envoyer(second, validee, saisie(refus)).status_code == 302
    validee.refresh_from_db()
    assert validee.valeur == 27


# --- Journaux, actions, suppression -------------------------------------------------------------


@pytest.mark.parametrize("journal", [ChangementDeStatut, ReportEcheance, PresenceAuPlan])
def test_une_ligne_de_journal_ne_s_ajoute_ni_ne_se_change_ni_ne_s_efface(un_de_chaque, bureau, journal):
    assert journal not in admin.site._registry
    action = un_de_chaque["actions.action"]
    prefixe = f"{journal._meta.model_name}ss"
    lignes = list(journal.objects.filter(action=action).values())
    forge = ouvrir(bureau, action) | {
        f"{prefixe}-TOTAL_FORMS": len(lignes) + 1,
        f"{prefixe}-{len(lignes)}-action": action.pk,
        f"{prefixe}-{len(lignes)}-date_effet": "2024-01-01",
        f"{prefixe}-{len(lignes)}-statut": Statut.TERMINEE,
        f"{prefixe}-{len(lignes)}-mouvement": "RETRAIT",
        f"{prefixe}-{len(lignes)}-motif": "Forgé",
    }
    for rang, ligne in enumerate(lignes):
        forge |= {
            f"{prefixe}-{rang}-id": ligne["id"],
            f"{prefixe}-{rang}-action": action.pk,
            f"{prefixe}-{rang}-commentaire": "Forgé",
            f"{prefixe}-{rang}-DELETE": "on",
        }
    envoyer(bureau, action, forge)
    assert list(journal.objects.filter(action=action).values()) == lignes


def test_la_fiche_d_une_action_montre_son_journal(un_de_chaque, bureau, administrateur):
    action = un_de_chaque["actions.action"]
    ligne = ChangementDeStatut.ecrire(
        action,
        statut=Statut.EN_COURS,
        avancement=40,
        date_effet=datetime.date(2024, 3, 1),
        auteur=administrateur,
        commentaire="Lancement",
    )
    ligne.corriger(auteur=administrateur, avancement=50)
    lu = texte(bureau.get(adresse("actions.action", "change", action.pk)))
    assert "En cours, 40" in lu
    assert "Lancement" in lu
    assert "Corrigée depuis" in lu
    assert "Ada Administratrice" in lu


def _nouvelle_action(bureau, plan, **champs) -> dict:
    donnees = saisie(bureau.get(adresse("actions.action", "add")))
    return donnees | {"plan": plan.pk, "intitule": "Former les agents"} | champs


def test_creer_une_action_ecrit_les_premieres_lignes_de_ses_journaux(bureau, administrateur):
    plan = fabriques.plan()
    partenaire = fabriques.partenaire()
    fabriques.action(plan)
    donnees = _nouvelle_action(
        bureau,
        plan,
        statut=Statut.EN_COURS,
        avancement="40",
        date_effet="01/03/2024",
        echeance="T2 2026",
        commentaire="Décidé en bureau",
        budget_previsionnel="1 234,50",
    )
    donnees |= {
        "participations-TOTAL_FORMS": "1",
        "participations-0-partenaire": partenaire.pk,
        "participations-0-role": "PORTEUR",
    }
    reponse = bureau.post(adresse("actions.action", "add"), donnees)
    assert reponse.status_code == 302, texte(reponse)
    action = Action.objects.get(intitule="Former les agents")
    assert (action.numero, action.statut, action.avancement) == (2, Statut.EN_COURS, 40)
    assert action.budget_previsionnel == Decimal("1234.50")
    assert str(action.valeur_echeance) == "T2 2026"
    for journal in (ChangementDeStatut, ReportEcheance, PresenceAuPlan):
        ligne = journal.objects.get(action=action)
        assert (ligne.auteur, ligne.date_effet) == (administrateur, datetime.date(2024, 3, 1))
        assert ligne.commentaire == "Décidé en bureau"
    assert PartenaireDeLAction.objects.get(action=action).role == "PORTEUR"


def test_creer_deux_fois_la_meme_action_d_un_double_clic_n_en_cree_qu_une(bureau):
    plan = fabriques.plan()
    donnees = _nouvelle_action(bureau, plan)
    assert bureau.post(adresse("actions.action", "add"), donnees).status_code == 302
    second = bureau.post(adresse("actions.action", "add"), donnees)
    assert "l'envoi a été reçu deux fois" in texte(second)
    assert plan.actions.count() == 1


@pytest.mark.parametrize(
    ("champs", "champ", "phrase"),
    [
        ({"statut": "PEUT_ETRE"}, "statut", "PEUT_ETRE"),
        ({"statut": Statut.TERMINEE, "avancement": "40"}, "avancement", "L'avancement se donne de 1 à 99"),
        ({"date_effet": "2199-01-01"}, "date_effet", "dans le futur"),
        ({"date_effet": "le 3 mars"}, "date_effet", "n'est pas une date"),
        ({"echeance": "bientôt"}, "echeance", "n'est pas une échéance"),
        ({"numero": "1"}, "numero", "porte déjà ce numéro"),
        ({"attention": "Un arbitrage est attendu"}, "attention", "a une nature et une phrase"),
        ({"intitule": ""}, "intitule", "obligatoire"),
    ],
)
def test_une_action_impossible_est_refusee_sans_rien_ecrire(bureau, champs, champ, phrase):
    plan = fabriques.plan()
    fabriques.action(plan)
    journal = ChangementDeStatut.objects.count()
    refus = bureau.post(adresse("actions.action", "add"), _nouvelle_action(bureau, plan, **champs))
    assert refus.status_code == 200
    assert phrase in " ".join(erreurs(refus)[champ]), erreurs(refus)
    for nom, valeur in champs.items():
        assert refus.context["adminform"].form[nom].value() == valeur
    assert (plan.actions.count(), ChangementDeStatut.objects.count()) == (1, journal)


def test_l_etat_d_une_action_ne_se_change_pas_par_sa_fiche(un_de_chaque, bureau):
    action = un_de_chaque["actions.action"]
    donnees = ouvrir(bureau, action) | {"statut": Statut.TERMINEE, "presence": "RETRAIT", "description": "Relue"}
    assert envoyer(bureau, action, donnees).status_code == 302
    action.refresh_from_db()
    assert (action.statut, action.presence, action.description) == (Statut.NON_INITIEE, "ENTREE", "Relue")


def test_une_note_ajoutee_dans_la_fiche_d_une_action_est_signee(un_de_chaque, bureau, administrateur):
    action = un_de_chaque["actions.action"]
    donnees = ouvrir(bureau, action) | {
        "notes-TOTAL_FORMS": "2",
        "notes-1-action": action.pk,
        "notes-1-date": "2024-05-02",
        "notes-1-texte": "Atelier tenu",
        "notes-1-portee": "INTERNE",
    }
    assert envoyer(bureau, action, donnees).status_code == 302
    assert envoyer(bureau, action, donnees).status_code == 302
    assert action.notes.get(texte="Atelier tenu").auteur == administrateur


def test_un_partenaire_cite_par_une_action_ne_se_supprime_pas(un_de_chaque, bureau):
    partenaire = un_de_chaque["partenaires.partenaire"]
    lien = adresse("partenaires.partenaire", "delete", partenaire.pk)
    assert "protégés" in texte(bureau.get(lien))
    refus = bureau.post(lien, {"post": "yes"})
    assert refus.status_code == 200
    assert "protégés" in texte(refus)
    en_nombre = {"action": "delete_selected", "_selected_action": [partenaire.pk], "post": "yes"}
    assert "protégés" in texte(bureau.post(adresse("partenaires.partenaire", "changelist"), en_nombre))
    assert Partenaire.objects.filter(pk=partenaire.pk).exists()
    assert PartenaireDeLAction.objects.filter(partenaire=partenaire).exists()


def test_un_partenaire_que_rien_ne_cite_se_supprime_et_son_historique_reste(bureau):
    partenaire = fabriques.partenaire("De passage")
    lien = adresse("partenaires.partenaire", "delete", partenaire.pk)
    assert bureau.post(lien, {"post": "yes"}).status_code == 302
    assert not Partenaire.objects.filter(pk=partenaire.pk).exists()
    assert Partenaire.history.filter(id=partenaire.pk).first().history_type == "-"


@pytest.mark.parametrize(
    "modele",
    ["comptes.collectivite", "comptes.utilisateur", "actions.action", "indicateurs.valeurannuelle"],
)
def test_ce_qui_fait_l_histoire_ne_se_supprime_pas(un_de_chaque, bureau, modele):
    objet = un_de_chaque[modele]
    assert bureau.post(adresse(modele, "delete", objet.pk), {"post": "yes"}).status_code == 403
    assert type(objet)._base_manager.filter(pk=objet.pk).exists()


def test_l_historique_montre_les_valeurs_en_clair_et_en_francais(bureau):
    action = fabriques.action(priorite=Priorite.HAUTE, date_debut=datetime.date(2023, 12, 31))
    action.service_pilote = fabriques.service("Achats")
    action.priorite, action.date_debut, action.visible_du_public = "", None, False
    action.save()
    page = texte(bureau.get(adresse("actions.action", "history", action.pk)))
    assert f"Historique : {action}" in page
    for changement in (
        "Service pilote : — → Achats",
        "Priorité : Haute → —",
        "Date de début : 31/12/2023 → —",
        "Visible du public : oui → non",
    ):
        assert changement in page


def test_une_action_sans_echeance_n_affiche_pas_none(bureau):
    assert "None" not in texte(bureau.get(adresse("actions.action", "change", fabriques.action().pk)))


def test_desactiver_et_reactiver_des_partenaires_entre_dans_l_historique(un_de_chaque, bureau, administrateur):
    partenaire = un_de_chaque["partenaires.partenaire"]
    lien = adresse("partenaires.partenaire", "changelist")
    bureau.post(lien, {"action": "desactiver", "_selected_action": [partenaire.pk]})
    partenaire.refresh_from_db()
    assert not partenaire.actif
    assert partenaire.history.first().history_user == administrateur
    suite = bureau.post(lien, {"action": "reactiver", "_selected_action": [partenaire.pk]}, follow=True)
    partenaire.refresh_from_db()
    assert partenaire.actif
    assert "1 partenaire réactivé" in texte(suite).replace("\xa0", " ")


# --- Comptes ------------------------------------------------------------------------------------


def _roles(*roles: Role) -> list[int]:
    from django.contrib.auth.models import Group

    return list(Group.objects.filter(name__in=roles).values_list("pk", flat=True))


def test_la_collectivite_s_ajoute_une_fois(bureau):
    assert bureau.get(adresse("comptes.collectivite", "add")).status_code == 200
    donnees = saisie(bureau.get(adresse("comptes.collectivite", "add"))) | {
        "nom": "Métropole",
        "sirens-TOTAL_FORMS": "1",
        "sirens-0-numero": "243400017",
    }
    reponse = bureau.post(adresse("comptes.collectivite", "add"), donnees)
    assert reponse.status_code == 302, texte(reponse)
    assert Collectivite.objects.get().sirens.get().numero == "243400017"
    assert bureau.get(adresse("comptes.collectivite", "add")).status_code == 403
    assert "Métropole" in texte(bureau.get(reverse("admin:index")))


def test_changer_les_roles_d_un_compte_laisse_une_trace(bureau, administrateur):
    compte = fabriques.utilisateur(Role.AGENT, username="lea")
    donnees = ouvrir(bureau, compte) | {"groups": _roles(Role.AGENT, Role.RESPONSABLE)}
    assert envoyer(bureau, compte, donnees).status_code == 302
    trace = Trace.objects.get(geste=Geste.DROITS)
    assert (trace.utilisateur, trace.objet) == (administrateur, "Compte lea")
    assert trace.details == {"avant": ["Contributeur"], "apres": ["Contributeur", "Responsable du plan"]}
    # Enregistrer sans changer les rôles n'en laisse pas une seconde.
    envoyer(bureau, compte, donnees | {"nom": "Martin"})
    assert Trace.objects.filter(geste=Geste.DROITS).count() == 1


def test_creer_un_compte_lui_donne_son_role_et_le_trace(bureau):
    donnees = saisie(bureau.get(adresse("comptes.utilisateur", "add"))) | {
        "username": "nouvelle",
        "usable_password": "true",
        "password1": fabriques.MOT_DE_PASSE,
        "password2": fabriques.MOT_DE_PASSE,
        "groups": _roles(Role.AGENT),
    }
    reponse = bureau.post(adresse("comptes.utilisateur", "add"), donnees)
    assert reponse.status_code == 302, texte(reponse)
    compte = Utilisateur.objects.get(username="nouvelle")
    assert compte.roles == {Role.AGENT}
    assert compte.check_password(fabriques.MOT_DE_PASSE)
    assert Trace.objects.get(geste=Geste.DROITS).details == {"avant": [], "apres": ["Contributeur"]}


def test_seuls_les_quatre_roles_se_donnent(bureau):
    from django.contrib.auth.models import Group

    etranger = Group.objects.create(name="comptabilite")
    compte = fabriques.utilisateur(Role.AGENT)
    refus = envoyer(bureau, compte, ouvrir(bureau, compte) | {"groups": [etranger.pk]})
    assert refus.status_code == 200
    assert "groups" in erreurs(refus)
    formulaire = bureau.get(adresse("comptes.utilisateur", "change", compte.pk)).content.decode()
    for absent in ("is_staff", "is_superuser", "user_permissions", "comptabilite"):
        assert absent not in formulaire


def test_le_dernier_administrateur_ne_se_retire_pas(bureau, administrateur):
    sans = ouvrir(bureau, administrateur) | {"groups": _roles(Role.AGENT)}
    assert "dernier administrateur" in erreurs(envoyer(bureau, administrateur, sans))["groups"][0]
    inactif = ouvrir(bureau, administrateur)
    del inactif["is_active"]
    assert "dernier administrateur" in erreurs(envoyer(bureau, administrateur, inactif))["groups"][0]
    administrateur.refresh_from_db()
    assert administrateur.is_active


def test_le_mot_de_passe_d_un_compte_se_change(bureau):
    compte = fabriques.utilisateur(Role.AGENT)
    lien = reverse("admin:auth_user_password_change", args=[compte.pk])
    nouveau = "Un-tout-autre-secret-2026"
    assert bureau.get(lien).status_code == 200
    donnees = {"usable_password": "true", "password1": nouveau, "password2": nouveau, "set-password": "1"}
    assert bureau.post(lien, donnees).status_code == 302
    compte.refresh_from_db()
    assert compte.check_password(nouveau)


@pytest.mark.parametrize("role", [*Role.values, "aucun"])
def test_les_comptes_se_filtrent_par_role(bureau, role):
    for chacun in Role:
        fabriques.utilisateur(chacun, username=f"x-{chacun}")
    fabriques.utilisateur(None, username="x-aucun")
    liste = bureau.get(adresse("comptes.utilisateur", "changelist"), {"role": role, "q": "x-"})
    assert [compte.username for compte in liste.context["cl"].result_list] == [f"x-{role}"]


def test_un_jeton_se_revoque_et_son_secret_ne_se_voit_jamais(bureau, administrateur):
    jeton, secret = Jeton.objects.emettre(administrateur, "Agenda", [PorteeDeJeton.CALENDRIER])
    for lien in (adresse("comptes.jeton", "changelist"), adresse("comptes.jeton", "change", jeton.pk)):
        contenu = bureau.get(lien).content.decode()
        assert "Agenda" in contenu
        assert secret not in contenu
        assert jeton.empreinte not in contenu
    bureau.post(adresse("comptes.jeton", "changelist"), {"action": "revoquer", "_selected_action": [jeton.pk]})
    jeton.refresh_from_db()
    assert jeton.revoque_le is not None
    assert not jeton.permet(PorteeDeJeton.CALENDRIER, timezone.now())


def test_un_plan_recoit_ses_indicateurs_ses_axes_et_ses_partenaires(bureau):
    plan = fabriques.plan()
    indicateur, partenaire = fabriques.indicateur(), fabriques.partenaire()
    donnees = ouvrir(bureau, plan) | {
        "places_d_indicateur-TOTAL_FORMS": "1",
        "places_d_indicateur-0-indicateur": indicateur.pk,
        "places_d_indicateur-0-ordre": "1",
        "places_d_indicateur-0-chiffre_cle": "on",
        "citations-TOTAL_FORMS": "1",
        "citations-0-partenaire": partenaire.pk,
        "citations-0-ordre": "1",
        "axes-TOTAL_FORMS": "1",
        "axes-0-intitule": "Former",
        "axes-0-ordre": "1",
    }
    for _ in range(2):
        reponse = envoyer(bureau, plan, donnees)
        assert reponse.status_code == 302, texte(reponse)
    assert IndicateurDuPlan.objects.get().chiffre_cle
    assert PartenaireDuPlan.objects.get().partenaire == partenaire
    assert Axe.objects.get().plan == plan


def test_un_service_de_comptes_ou_d_actions_ne_se_supprime_pas(un_de_chaque, bureau):
    service = un_de_chaque["comptes.service"]
    refus = bureau.post(adresse("comptes.service", "delete", service.pk), {"post": "yes"})
    assert "protégés" in texte(refus)
    assert Service.objects.filter(pk=service.pk).exists()


def test_une_fiche_absente_ou_illisible_n_est_pas_une_panne(bureau):
    for modele in [*REFERENTIELS, *RESERVES]:
        for pk in ("999999", "abc"):
            for nom in ("change", "history", "delete"):
                assert bureau.get(adresse(modele, nom, pk)).status_code in (302, 403, 404), (modele, nom, pk)
