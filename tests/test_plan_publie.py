"""Le plan chargé est la page publiée, au mot et au chiffre près."""

import datetime
import re

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from actions.models import Action, ChangementDeStatut, Plan, PresenceAuPlan, ReportEcheance
from actions.statuts import Statut
from indicateurs.models import ValeurAnnuelle
from partenaires.models import Partenaire
from socle.formats import FINE, INSECABLE
from tests import fabriques

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("plan_publie")]

PAGE = settings.BASE_DIR / "tests" / "donnees" / "fiche_action_2023.txt"


def normaliser(texte: str) -> str:
    """Seules les espaces insécables se confondent avec l'espace."""
    return texte.replace(INSECABLE, " ").replace(FINE, " ")


@pytest.fixture(scope="module")
def lignes() -> list[str]:
    return [normaliser(ligne).strip() for ligne in PAGE.read_text(encoding="utf-8").splitlines()]


def actions_imprimees(lignes: list[str]) -> list[tuple[str, str]]:
    """[(titre de la rubrique, intitulé)] dans l'ordre de la page."""
    rubrique, trouvees = "", []
    for ligne in lignes:
        if ligne.startswith("ACTIONS "):
            rubrique = ligne
        elif ligne.startswith("- "):
            trouvees.append((rubrique, ligne.removeprefix("- ")))
    return trouvees


def chiffres_imprimes(lignes: list[str]) -> list[tuple[str, str]]:
    """[(chiffre, texte)] : un paragraphe dont la première ligne est un nombre, suivi ou non de « % »."""
    paragraphes = re.split(r"\n{2,}", "\n".join(lignes))
    blocs = [bloc.split("\n") for bloc in paragraphes]
    return [(bloc[0], " ".join(bloc[1:])) for bloc in blocs if re.fullmatch(r"\d+( %)?", bloc[0])]


@pytest.fixture
def plan() -> Plan:
    call_command("charger_plan", verbosity=0)
    return Plan.objects.get()


def test_le_titre_est_celui_de_la_page(plan, lignes):
    # La page l'imprime en capitales.
    assert plan.intitule.upper() in lignes


def test_le_sous_titre_est_celui_de_la_page(plan, lignes):
    assert plan.titre_avancement in lignes


def test_les_douze_actions_sont_celles_de_la_page_dans_l_ordre_et_sous_leur_rubrique(plan, lignes):
    chargees = [
        (f"ACTIONS {Statut(action.statut).libelle_pluriel.upper()}", normaliser(action.intitule))
        for action in plan.actions.order_by("numero")
    ]
    assert chargees == actions_imprimees(lignes)
    assert [action.numero for action in plan.actions.order_by("numero")] == list(range(1, 13))


def test_les_partenaires_sont_ceux_de_la_page_dans_l_ordre(plan, lignes):
    imprimes = next(ligne for ligne in lignes if ligne.startswith("Partenaires : "))
    charges = ", ".join(str(citation.partenaire) for citation in plan.citations.all())
    assert f"Partenaires : {normaliser(charges)}" == imprimes


def test_les_trois_chiffres_et_leur_texte_sont_ceux_de_la_page(plan, lignes):
    valeurs = ValeurAnnuelle.objects.avec_valeur().select_related("indicateur").order_by("indicateur__places__ordre")
    charges = [(normaliser(valeur.chiffre_avec_symbole), normaliser(valeur.libelle)) for valeur in valeurs]
    assert charges == chiffres_imprimes(lignes)
    assert len(charges) == 3


def test_aucune_ligne_de_la_page_n_est_oubliee(plan, lignes):
    connues = {plan.intitule.upper(), plan.titre_avancement}
    connues |= {rubrique for rubrique, _ in actions_imprimees(lignes)}
    connues |= {f"- {intitule}" for _, intitule in actions_imprimees(lignes)}
    connues |= {ligne for ligne in lignes if ligne.startswith("Partenaires : ")}
    morceaux = " ".join(f"{chiffre} {texte}" for chiffre, texte in chiffres_imprimes(lignes))
    assert [ligne for ligne in lignes if ligne and ligne not in connues and ligne not in morceaux] == []


def test_seules_les_deux_actions_qui_nomment_res_occ_ont_un_partenaire(plan):
    nommees = {action.numero: [str(p) for p in action.partenaires.all()] for action in plan.actions.all()}
    res_occ = ["Réseau des achats responsables en Occitanie (RES'OCC)"]
    assert {numero: noms for numero, noms in nommees.items() if noms} == {3: res_occ, 7: res_occ}


def test_ce_que_la_page_ne_donne_pas_reste_vide(plan):
    for action in plan.actions.all():
        assert (action.pilote, action.service_pilote, action.axe, action.date_debut, action.echeance) == (None,) * 5
    assert plan.annee_debut is None
    assert plan.annee_fin is None
    assert set(Partenaire.objects.values_list("type", flat=True)) == {""}
    assert not ReportEcheance.objects.exists()
    for valeur in ValeurAnnuelle.objects.all():
        assert (valeur.numerateur, valeur.denominateur, valeur.indicateur.denominateur) == (None,) * 3
        assert not valeur.indicateur.cibles.exists()


def test_les_statuts_valent_depuis_le_31_decembre_2023_sans_auteur(plan):
    for ligne in ChangementDeStatut.objects.all():
        assert (ligne.date_effet, ligne.auteur, ligne.commentaire) == (fabriques.FIN_2023, None, "Page publiée")


def test_avant_le_31_decembre_2023_les_statuts_sont_inconnus(plan):
    veille = fabriques.FIN_2023 - datetime.timedelta(days=1)
    assert set(plan.actions.etat_au(veille).values_list("etat_statut", flat=True)) == {None}


def test_la_part_locale_dit_que_la_page_ne_donne_pas_son_annee(plan):
    valeur = ValeurAnnuelle.objects.get(indicateur__code="achats-locaux")
    assert valeur.annee == 2023
    assert "ne donne pas d'année" in valeur.remarque


def test_recharger_ne_touche_ni_aux_modifications_ni_aux_journaux(plan):
    auteur = fabriques.utilisateur("agent")
    action = plan.actions.get(numero=10)
    action.changer_statut("EN_COURS", auteur=auteur, version=action.version)
    action.refresh_from_db()
    action.intitule = "Un intitulé revu"
    action.save()
    valeur = ValeurAnnuelle.objects.get(indicateur__code="achats-locaux")
    valeur.valeur = 54
    valeur.enregistrer(motif="Erreur de la page")
    plan.citations.first().delete()
    avant = [modele.objects.count() for modele in (Action, ChangementDeStatut, PresenceAuPlan, ValeurAnnuelle)]

    call_command("charger_plan", verbosity=0)

    action.refresh_from_db()
    assert (action.statut, action.intitule) == ("EN_COURS", "Un intitulé revu")
    valeur.refresh_from_db()
    assert valeur.valeur == 54
    assert plan.citations.count() == 5
    assert [m.objects.count() for m in (Action, ChangementDeStatut, PresenceAuPlan, ValeurAnnuelle)] == avant


def test_le_journal_et_la_projection_concordent(plan, capsys):
    call_command("verifier_journal")
    assert "tout concorde" in capsys.readouterr().out


def test_un_fichier_illisible_est_nomme_et_rien_n_est_charge(tmp_path):
    (tmp_path / "partenaires.json").write_text("[{", encoding="utf-8")
    with pytest.raises(CommandError, match=r"partenaires\.json"):
        call_command("charger_plan", dossier=tmp_path)
    assert not Partenaire.objects.exists()


def test_un_statut_inconnu_dans_un_fichier_annule_tout_le_chargement(tmp_path):
    for nom in ("partenaires", "plan", "indicateurs_2023"):
        contenu = (settings.BASE_DIR / "fixtures" / f"{nom}.json").read_text(encoding="utf-8")
        (tmp_path / f"{nom}.json").write_text(contenu.replace('"EN_COURS"', '"PRESQUE"'), encoding="utf-8")
    with pytest.raises(CommandError, match="Plan refusé"):
        call_command("charger_plan", dossier=tmp_path)
    assert not Partenaire.objects.exists()
    assert not Action.objects.exists()


def test_une_projection_faussee_par_la_base_est_denoncee(plan):
    from django.db import connection

    with connection.cursor() as curseur:
        curseur.execute("UPDATE actions_action SET statut = 'EN_COURS', avancement = NULL WHERE numero = 12")
    with pytest.raises(CommandError, match="1 action"):
        call_command("verifier_journal")
