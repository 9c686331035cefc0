"""La grille de saisie : une ligne par indicateur, chacune enregistrée pour elle-même, rien n'écrase personne."""

from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Role
from indicateurs.grille_de_saisie import derniere_annee_finie
from indicateurs.listes import Etat, Nature
from indicateurs.models import Indicateur, IndicateurDuPlan, ValeurAnnuelle
from tests import fabriques
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

ANNEE = 2024
GRILLE = f"/indicateurs/saisie/{ANNEE}/"


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, username="responsable")


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Plan d'essai")


@pytest.fixture
def achats():
    return fabriques.service("Achats")


@pytest.fixture
def agent(achats):
    return fabriques.utilisateur(Role.AGENT, username="agent", service=achats)


@pytest.fixture
def consultations(plan):
    return fabriques.indicateur(plan, intitule="Consultations", unite="consultations")


@pytest.fixture
def part(plan, consultations, achats):
    """Un taux qui s'appuie sur les consultations, du service des achats."""
    return fabriques.indicateur(
        plan, intitule="Part avec clause", nature=Nature.PART, unite="%", denominateur=consultations, service=achats
    )


@pytest.fixture
def heures(plan, achats):
    return fabriques.indicateur(plan, intitule="Heures d'insertion", service=achats)


@pytest.fixture
def client(responsable):
    return client_de(responsable)


def saisie(client, requete="", **cellules) -> dict:
    """Ce qu'un navigateur enverrait de la page, ces cellules changées : `i12_valeur` est celle du 12."""
    page = client.get(GRILLE + requete)
    assert page.status_code == 200
    return formulaire_de(page) | {nom.replace("_", "-", 1): valeur for nom, valeur in cellules.items()}


def cellules(indicateur: Indicateur, **valeurs) -> dict:
    return {f"i{indicateur.pk}_{champ}": valeur for champ, valeur in valeurs.items()}


def envoyer(client, requete="", **changements):
    return client.post(GRILLE + requete, saisie(client, requete, **changements))


def enregistree(indicateur: Indicateur, annee: int = ANNEE) -> ValeurAnnuelle | None:
    return ValeurAnnuelle.objects.avec_valeur().filter(indicateur=indicateur, annee=annee).first()


def ligne(reponse, indicateur: Indicateur):
    return next(ligne for ligne in reponse.context["lignes"] if ligne.indicateur.pk == indicateur.pk)


def refus(reponse, indicateur: Indicateur) -> dict[str, str]:
    return {champ: " ".join(phrases) for champ, phrases in ligne(reponse, indicateur).erreurs.items()}


def page_de(reponse) -> str:
    return unescape(reponse.content.decode())


# --- Enregistrer --------------------------------------------------------------------------------


def test_un_denominateur_et_son_taux_se_donnent_d_un_envoi(client, consultations, part):
    reponse = envoyer(client, **cellules(consultations, valeur="171"), **cellules(part, numerateur="60"))
    assert (reponse.status_code, reponse["Location"]) == (302, f"{GRILLE}?plan=plan-dessai")
    assert enregistree(part).detail == "60 / 171 = 35,1\u00a0%"
    page = page_de(client.get(reponse["Location"]))
    assert "2\u00a0lignes enregistrées." in page
    assert "60 / 171 = 35,1" in page


def test_l_envoi_est_signe_et_la_valeur_dite_saisie(client, heures, responsable):
    envoyer(client, **cellules(heures, valeur="1 234", remarque="Deux chantiers."))
    valeur = enregistree(heures)
    assert (valeur.valeur, valeur.remarque, valeur.origine) == (1234, "Deux chantiers.", "SAISIE")
    assert valeur.history.first().history_user == responsable


def test_un_envoi_inchange_n_ecrit_rien_et_le_dit(client, heures):
    # Une remarque de plusieurs lignes revient du navigateur avec d'autres fins de ligne.
    fabriques.valeur(heures, ANNEE, valeur=Decimal("12"), remarque="Une ligne.\nUne autre.")
    envoi = saisie(client)
    envoi[f"i{heures.pk}-remarque"] = "Une ligne.\r\nUne autre."
    reponse = client.post(GRILLE, envoi)
    assert enregistree(heures).version == 1
    assert "Rien à enregistrer\u00a0: aucune ligne n'a changé." in page_de(client.get(reponse["Location"]))


def test_le_meme_envoi_recu_deux_fois_n_ecrit_qu_une_fois(client, heures):
    envoi = saisie(client, **cellules(heures, valeur="12"))
    for _ in range(2):
        assert client.post(GRILLE, envoi).status_code == 302
    assert (enregistree(heures).version, ValeurAnnuelle.history.count()) == (1, 1)


@pytest.mark.parametrize(
    ("nature", "champ", "tape", "lu"),
    [
        (Nature.MONTANT, "valeur", "1 234,50 €", Decimal("1234.5")),
        (Nature.COMPTE, "valeur", "1\u202f234", Decimal(1234)),
        (Nature.PART, "valeur", "25,5 %", Decimal("25.5")),
    ],
)
def test_les_formats_francais_se_lisent_et_se_reecrivent(client, plan, nature, champ, tape, lu):
    indicateur = fabriques.indicateur(plan, nature=nature, unite={"MONTANT": "€", "PART": "%"}.get(nature, ""))
    envoyer(client, **cellules(indicateur, **{champ: tape}))
    assert getattr(enregistree(indicateur), champ) == lu
    ecrit = formulaire_de(client.get(GRILLE))[f"i{indicateur.pk}-{champ}"]
    assert ecrit == [str(lu).replace(".", ",")]


@pytest.mark.parametrize(
    ("champ", "tape", "phrase"),
    [
        ("valeur", "beaucoup", "n'est pas un nombre"),
        ("valeur", "12,5", "Un compte est un nombre entier."),
        ("valeur", "-3", "ne peut pas être négative"),
        ("motif_indisponibilite", "x" * 301, "300 signes au plus"),
        ("etat", "presque", "n'est pas un état : provisoire ou validée."),
        ("remarque", "Seule.", "Donnez d'abord un chiffre"),
    ],
)
def test_ce_qui_est_refuse_se_dit_a_cote_de_la_cellule_et_reste_tape(client, heures, champ, tape, phrase):
    reponse = envoyer(client, **cellules(heures, **{champ: tape}))
    assert phrase in refus(reponse, heures)[champ]
    assert formulaire_de(reponse)[f"i{heures.pk}-{champ}"] == [tape]
    nom = f"i{heures.pk}-{champ}"
    assert f'aria-describedby="{nom}-dit" aria-invalid="true"' in page_de(reponse)
    assert enregistree(heures) is None


def test_une_ligne_refusee_n_arrete_pas_les_autres(client, heures, consultations):
    reponse = envoyer(client, **cellules(heures, valeur="beaucoup"), **cellules(consultations, valeur="171"))
    assert reponse.status_code == 200
    assert enregistree(consultations).valeur == 171
    assert "1\u00a0ligne enregistrée, 1\u00a0refusée." in page_de(reponse)
    envoi = formulaire_de(reponse) | {f"i{heures.pk}-valeur": "12"}
    assert client.post(GRILLE, envoi).status_code == 302
    assert enregistree(heures).valeur == 12


def test_un_numerateur_plus_grand_que_le_denominateur_partage_se_refuse_a_sa_cellule(client, consultations, part):
    fabriques.valeur(consultations, ANNEE, valeur=171)
    reponse = envoyer(client, **cellules(part, numerateur="172"))
    assert "dépasse le dénominateur (171" in refus(reponse, part)["numerateur"]


def test_une_part_sans_denominateur_partage_donne_le_sien(client, plan):
    seule = fabriques.indicateur(plan, nature=Nature.PART, unite="%")
    reponse = envoyer(client, **cellules(seule, numerateur="5"))
    assert "Donnez le dénominateur" in refus(reponse, seule)["denominateur"]
    client.post(GRILLE, formulaire_de(reponse) | {f"i{seule.pk}-denominateur": "20"})
    assert enregistree(seule).detail == "5 / 20 = 25,0\u00a0%"


def test_donner_les_deux_nombres_remplace_le_taux_seul(client, consultations, part):
    fabriques.valeur(consultations, ANNEE, valeur=171)
    fabriques.valeur(part, ANNEE, valeur=25)
    envoyer(client, **cellules(part, numerateur="60"))
    assert (enregistree(part).valeur, enregistree(part).numerateur) == (None, 60)


# --- Indisponible -------------------------------------------------------------------------------


def test_un_motif_dit_la_valeur_indisponible_et_un_chiffre_le_leve(client, heures):
    envoyer(client, **cellules(heures, motif_indisponibilite="Logiciel en panne."))
    assert enregistree(heures).indisponible
    envoyer(client, **cellules(heures, valeur="12"))
    valeur = enregistree(heures)
    assert (valeur.indisponible, valeur.motif_indisponibilite, valeur.valeur) == (False, "", 12)


def test_vider_le_motif_et_donner_un_chiffre_d_un_meme_envoi(client, heures):
    fabriques.valeur(heures, ANNEE, indisponible=True, motif_indisponibilite="Panne.")
    envoyer(client, **cellules(heures, valeur="12", motif_indisponibilite=""))
    assert (enregistree(heures).indisponible, enregistree(heures).valeur) == (False, 12)


def test_une_valeur_ne_s_efface_pas(client, heures):
    fabriques.valeur(heures, ANNEE, valeur=12)
    reponse = envoyer(client, **cellules(heures, valeur=""))
    assert "ne s'efface pas" in refus(reponse, heures)["valeur"]
    assert enregistree(heures).valeur == 12


# --- Dénominateurs partagés, motif, plausibilité ------------------------------------------------


def test_le_denominateur_vient_avant_ses_taux_et_dit_ce_qu_il_fait_bouger(client, plan, part, consultations, heures):
    # Dans le plan, les heures et la part viennent avant le dénominateur.
    for ordre, indicateur in enumerate([heures, part, consultations]):
        place = IndicateurDuPlan.objects.get(plan=plan, indicateur=indicateur)
        place.ordre = ordre
        place.save()
    reponse = client.get(GRILLE)
    assert [ligne.indicateur for ligne in reponse.context["lignes"]] == [heures, consultations, part]
    assert "Dénominateur de «\u00a0Part avec clause\u00a0»" in page_de(reponse)


def test_le_taux_montre_le_denominateur_partage_sans_l_ecrire(client, consultations, part):
    fabriques.valeur(consultations, ANNEE, valeur=171)
    reponse = client.get(GRILLE)
    assert f"i{part.pk}-denominateur" not in formulaire_de(reponse)
    fermee = ligne(reponse, part).cellules[2]
    assert (fermee.texte, fermee.precision) == ("171", "« Consultations »")
    # Un envoi forgé n'en donne pas un autre.
    envoyer(client, **cellules(part, numerateur="60", denominateur="61"))
    assert enregistree(part).denominateur is None


def test_changer_un_denominateur_dit_les_taux_qui_ont_bouge(client, consultations, part):
    fabriques.valeur(consultations, ANNEE, valeur=166)
    fabriques.valeur(part, ANNEE, numerateur=42)
    reponse = envoyer(client, **cellules(consultations, valeur="171"))
    page = page_de(client.get(reponse["Location"]))
    assert (
        "Un taux a bougé. «\u00a0Part avec clause\u00a0»\u00a0: 42 / 166 = 25,3\u00a0% → 42 / 171 = 24,6\u00a0%"
        in page
    )


@pytest.mark.parametrize(
    ("etat_du_taux", "etat_du_compte"), [(Etat.VALIDEE, Etat.PROVISOIRE), (Etat.PROVISOIRE, Etat.VALIDEE)]
)
def test_ce_qui_est_valide_ne_bouge_pas_sans_motif(client, consultations, part, etat_du_taux, etat_du_compte):
    """La valeur elle-même, ou un taux validé derrière un dénominateur partagé."""
    fabriques.valeur(consultations, ANNEE, valeur=166, etat=etat_du_compte)
    fabriques.valeur(part, ANNEE, numerateur=42, etat=etat_du_taux, motif="Relu.")
    reponse = envoyer(client, **cellules(consultations, valeur="171"))
    assert "ne change pas sans motif" in refus(reponse, consultations)["motif"]
    assert enregistree(consultations).valeur == 166
    assert formulaire_de(reponse)[f"i{consultations.pk}-valeur"] == ["171"]
    assert "42 / 166 = 25,3\u00a0% → 42 / 171 = 24,6\u00a0%" in page_de(reponse)
    envoi = formulaire_de(reponse) | {f"i{consultations.pk}-motif": "Cinq retrouvées."}
    assert client.post(GRILLE, envoi).status_code == 302
    assert enregistree(consultations).valeur == 171
    assert enregistree(consultations).history.first().history_change_reason == "Cinq retrouvées."


def test_le_motif_ne_se_demande_que_la_ou_une_valeur_validee_peut_bouger(client, consultations, part, heures):
    fabriques.valeur(consultations, ANNEE, valeur=166)
    fabriques.valeur(part, ANNEE, numerateur=42, etat=Etat.VALIDEE)
    lignes = client.get(GRILLE).context["lignes"]
    assert {ligne.indicateur: ligne.motif_utile for ligne in lignes} == {
        consultations: True,
        part: True,
        heures: False,
    }


def test_un_motif_seul_ne_change_rien_et_se_vide(client, heures):
    fabriques.valeur(heures, ANNEE, valeur=12, etat=Etat.VALIDEE)
    reponse = envoyer(client, **cellules(heures, motif="Pour rien."))
    assert reponse.status_code == 302
    assert enregistree(heures).version == 1


def test_un_ecart_etonnant_s_enregistre_et_demande_une_remarque(client, heures):
    fabriques.valeur(heures, ANNEE - 1, valeur=100)
    reponse = envoyer(client, **cellules(heures, valeur="200"))
    assert reponse.status_code == 302
    assert enregistree(heures).valeur == 200
    assert "dites pourquoi en remarque" in page_de(client.get(reponse["Location"]))
    envoyer(client, **cellules(heures, remarque="Deux chantiers de plus."))
    assert "dites pourquoi en remarque" not in page_de(client.get(GRILLE))


# --- Droits -------------------------------------------------------------------------------------


def test_l_agent_saisit_ce_que_son_service_produit_et_lit_le_reste(agent, consultations, part, heures):
    client = client_de(agent)
    siennes = client.get(GRILLE)
    assert {ligne.indicateur for ligne in siennes.context["lignes"]} == {part, heures}
    toutes = client.get(f"{GRILLE}?services=tous")
    assert {li.indicateur: li.modifiable for li in toutes.context["lignes"]} == {
        consultations: False,
        part: True,
        heures: True,
    }
    champs = formulaire_de(toutes)
    assert f"i{heures.pk}-valeur" in champs
    assert not [nom for nom in champs if nom.startswith(f"i{consultations.pk}-")]
    envoyer(client, **cellules(heures, valeur="12"))
    assert enregistree(heures).valeur == 12


def test_l_agent_qui_force_la_ligne_d_un_autre_service_est_refuse_sans_perdre_la_sienne(agent, consultations, heures):
    client = client_de(agent)
    envoi = saisie(client, **cellules(heures, valeur="12"), **cellules(consultations, valeur="171"))
    envoi["lignes"] = [str(heures.pk), str(consultations.pk)]
    reponse = client.post(GRILLE, envoi)
    assert "n'est pas produit par votre service" in refus(reponse, consultations)[""]
    assert (enregistree(consultations), enregistree(heures).valeur) == (None, 12)


def test_l_agent_ne_valide_pas_meme_en_forcant_l_envoi(agent, heures):
    client = client_de(agent)
    assert f"i{heures.pk}-etat" not in formulaire_de(client.get(GRILLE))
    envoyer(client, **cellules(heures, valeur="12", etat="VALIDEE"))
    assert enregistree(heures).etat == Etat.PROVISOIRE


def test_l_agent_qui_change_une_valeur_validee_apprend_que_seul_un_responsable_le_peut(agent, heures):
    fabriques.valeur(heures, ANNEE, valeur=12, etat=Etat.VALIDEE)
    reponse = envoyer(client_de(agent), **cellules(heures, valeur="13", motif="Je le veux."))
    assert "seul un responsable du plan peut le faire" in page_de(reponse)
    assert enregistree(heures).valeur == 12
    assert formulaire_de(reponse)[f"i{heures.pk}-valeur"] == ["13"]


def test_la_responsable_valide_en_saisissant(client, heures):
    envoyer(client, **cellules(heures, valeur="12", etat="VALIDEE"))
    assert enregistree(heures).etat == Etat.VALIDEE


def test_le_lecteur_n_y_entre_pas_et_n_y_est_pas_conduit(heures):
    client = client_de(fabriques.utilisateur(Role.LECTEUR))
    assert client.get(GRILLE).status_code == 403
    assert client.post(reverse("indicateurs:saisie_ligne", args=[ANNEE, heures.code])).status_code == 403
    assert "/indicateurs/saisie/" not in page_de(client.get("/indicateurs/"))


def test_l_agent_ne_force_pas_la_ligne_d_un_autre_service(agent, consultations):
    adresse = reverse("indicateurs:saisie_ligne", args=[ANNEE, consultations.code])
    assert client_de(agent).post(adresse, {f"i{consultations.pk}-valeur": "1"}).status_code == 403


# --- À plusieurs --------------------------------------------------------------------------------


def test_un_conflit_garde_la_saisie_et_montre_ce_qui_est_enregistre(client, heures):
    """Deux premières saisies de la même année : la seconde n'écrase pas la première."""
    envoi = saisie(client, **cellules(heures, valeur="12"))
    fabriques.valeur(heures, ANNEE, valeur=13)
    reponse = client.post(GRILLE, envoi)
    assert enregistree(heures).valeur == 13
    cellule = ligne(reponse, heures).cellules[0]
    assert (cellule.valeur, cellule.enregistre, cellule.entre_temps) == ("12", "13", "13")
    assert "Enregistré entre-temps : <strong>13</strong>" in page_de(reponse)
    # Envoyer de nouveau enregistre en connaissance de cause.
    assert client.post(GRILLE, formulaire_de(reponse)).status_code == 302
    assert enregistree(heures).valeur == 12


def test_une_ligne_qu_on_n_a_pas_touchee_n_ecrase_pas_celle_d_un_autre(client, heures, consultations):
    envoi = saisie(client, **cellules(consultations, valeur="171"))
    fabriques.valeur(heures, ANNEE, valeur=13)
    assert client.post(GRILLE, envoi).status_code == 302
    assert enregistree(heures).valeur == 13


def test_sans_version_lisible_rien_ne_s_ecrit(client, heures):
    envoi = saisie(client, **cellules(heures, valeur="12")) | {f"i{heures.pk}-version": "x"}
    assert ligne(client.post(GRILLE, envoi), heures).etat == "conflit"
    assert enregistree(heures) is None


# --- La page ------------------------------------------------------------------------------------


def test_la_page_va_d_une_annee_a_l_autre_jusqu_a_celle_qui_court(client, heures):
    annee = timezone.localdate().year
    page = page_de(client.get(f"/indicateurs/saisie/{annee}/"))
    assert f"/indicateurs/saisie/{annee - 1}/?plan=plan-dessai" in page
    assert f"/indicateurs/saisie/{annee + 1}/" not in page
    assert client.get(f"/indicateurs/saisie/{annee + 1}/").status_code == 400
    assert client.get("/indicateurs/saisie/1789/").status_code == 400


def test_la_liste_conduit_a_la_derniere_annee_finie(agent, heures):
    annee = timezone.localdate().year - 1
    assert derniere_annee_finie() == annee
    page = page_de(client_de(agent).get("/indicateurs/"))
    assert f'href="/indicateurs/saisie/{annee}/">Saisir les valeurs {annee}</a>' in page


def test_le_filtre_garde_les_lignes_sans_reponse(client, heures, consultations):
    fabriques.valeur(heures, ANNEE, indisponible=True, motif_indisponibilite="Panne.")
    reponse = client.get(f"{GRILLE}?manque=oui")
    assert [ligne.indicateur for ligne in reponse.context["lignes"]] == [consultations]
    assert "Sans réponse (1)" in page_de(reponse)
    envoyer(client, "?manque=oui", **cellules(consultations, valeur="171"))
    assert "Rien ne manque ici pour 2024" in page_de(client.get(f"{GRILLE}?manque=oui"))


def test_tous_les_indicateurs_ceux_d_aucun_plan_compris(client, heures):
    sans_plan = fabriques.indicateur(intitule="Orphelin")
    assert [li.indicateur for li in client.get(GRILLE).context["lignes"]] == [heures]
    toutes = client.get(f"{GRILLE}?plan=")
    assert [ligne.indicateur for ligne in toutes.context["lignes"]] == [heures, sans_plan]
    assert envoyer(client, "?plan=", **cellules(sans_plan, valeur="3"))["Location"] == f"{GRILLE}?plan="
    assert enregistree(sans_plan).valeur == 3


def test_un_plan_inconnu_ou_un_filtre_absurde_se_disent(client, heures):
    assert client.get(f"{GRILLE}?plan=inconnu").status_code == 404
    assert client.get(f"{GRILLE}?manque=peut-etre").status_code == 400
    assert client.get(f"{GRILLE}?services=aucun").status_code == 400


def test_sans_plan_ni_indicateur_la_page_s_ouvre(client):
    assert "Aucun indicateur n'est encore suivi ici" in page_de(client.get(GRILLE))


def test_un_texte_tape_est_echappe(client, heures):
    tape = '"></textarea><script>alert(1)</script>'
    assert "<script>alert" not in envoyer(client, **cellules(heures, valeur=tape, remarque=tape)).content.decode()


# --- Une ligne ----------------------------------------------------------------------------------


def test_une_ligne_enregistree_sur_place_revient_avec_les_taux_qu_elle_touche(client, consultations, part, heures):
    fabriques.valeur(part, ANNEE, numerateur=60)
    envoi = saisie(client, **cellules(consultations, valeur="171"))
    adresse = reverse("indicateurs:saisie_ligne", args=[ANNEE, consultations.code])
    morceau = page_de(client.post(adresse, envoi, headers={"HX-Request": "true"})).strip()
    assert morceau.startswith("<tr")
    assert morceau.count("<tr") == 2
    assert f'id="ligne-{part.pk}"' in morceau
    assert "60 / 171 = 35,1" in morceau


def test_une_ligne_refusee_sur_place_revient_seule(client, consultations, part):
    envoi = saisie(client, **cellules(consultations, valeur="beaucoup"))
    adresse = reverse("indicateurs:saisie_ligne", args=[ANNEE, consultations.code])
    morceau = page_de(client.post(adresse, envoi, headers={"HX-Request": "true"}))
    assert (morceau.count("<tr"), 'data-etat="refusee"' in morceau) == (1, True)


# --- Requêtes -----------------------------------------------------------------------------------


def garnir(plan, combien: int) -> None:
    """Un dénominateur, des taux qui s'appuient sur lui un sur deux, vingt années de valeurs."""
    tete = fabriques.indicateur(plan, code=f"tete-{combien}")
    autres = Indicateur.objects.bulk_create(
        Indicateur(
            code=f"suite-{combien}-{n}",
            intitule=f"Suite {n}",
            nature=Nature.PART if n % 2 else Nature.COMPTE,
            denominateur=tete if n % 2 else None,
            service=fabriques.service(f"Service {n % 5}"),
        )
        for n in range(combien - 1)
    )
    IndicateurDuPlan.objects.bulk_create(
        IndicateurDuPlan(plan=plan, indicateur=autre, ordre=1000 + n) for n, autre in enumerate(autres)
    )
    ValeurAnnuelle.objects.bulk_create(
        ValeurAnnuelle(indicateur=i, annee=annee, **({"numerateur": 42} if i.denominateur_id else {"valeur": 166}))
        for i in (tete, *autres)
        for annee in range(2005, 2025)
    )


@pytest.mark.parametrize("qui", ["responsable", "agent"])
def test_autant_de_requetes_pour_trois_indicateurs_que_pour_trois_cents(request, qui):
    nombres = []
    for combien in (3, 300):
        garnir(plan := fabriques.plan(intitule=f"Plan {combien}"), combien)
        client = client_de(request.getfixturevalue(qui))
        with CaptureQueriesContext(connection) as requetes:
            reponse = client.get(f"{GRILLE}?plan={plan.slug}&services=tous")
        assert len(reponse.context["lignes"]) == min(combien, 25)
        nombres.append(len(requetes))
    assert nombres[0] == nombres[1] <= 10
