"""Importer des mandats de bout en bout, les lire, les retirer."""

import hashlib
import re
from decimal import Decimal
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from comptes.droits import Role
from comptes.gestes import Geste, Trace
from marches.mandats.imports import Depot
from marches.models import (
    BudgetDeMandats,
    CorrespondanceDeColonnes,
    ImportDeMandats,
    ResultatDeCalcul,
    Territoire,
    TotalDeMandats,
)
from tests import fabriques
from tests.classeurs import en_csv, xlsx
from tests.test_mandats_lecture import TITRES, A, B, ligne
from tests.visites import client_de

pytestmark = pytest.mark.django_db

NOUVEAU = {"annee": "2023", "budget": "", "nouveau": "Budget principal", "base": "HT", "siren": ""}


@pytest.fixture
def responsable():
    return client_de(fabriques.utilisateur(Role.RESPONSABLE))


def champs(reponse) -> dict[str, str | list[str]]:
    """Ce que le formulaire affiché enverrait tel quel."""
    formulaire = reponse.context["formulaire"]
    return {nom: formulaire[nom].value() or "" for nom in formulaire.fields}


def page(reponse) -> str:
    return unescape(reponse.content.decode()).replace("\u00a0", " ").replace("\u202f", " ")


def deposer(client, contenu: bytes, *, tiers: bytes | None = None, nom: str = "mandats.xlsx", **dit):
    envoi = NOUVEAU | dit | {"mandats": SimpleUploadedFile(nom, contenu)}
    if tiers:
        envoi["tiers"] = SimpleUploadedFile("tiers.csv", tiers)
    return client.post(reverse("marches:importer_mandats"), envoi)


def apercu(client, contenu: bytes, *, colonnes: dict | None = None, **dit):
    reponse = deposer(client, contenu, **dit)
    return client.post(reverse("marches:colonnes_de_mandats"), champs(reponse) | (colonnes or {}))


def essai_de(reponse) -> str:
    return re.search(r'name="essai" value="([^"]+)"', reponse.content.decode())[1]


def importer(client, contenu: bytes, **dit):
    essai = essai_de(apercu(client, contenu, **dit))
    return client.post(reverse("marches:enregistrer_mandats"), {"essai": essai})


CLASSEUR = xlsx(
    [
        ["Mandats 2023"],
        TITRES,
        ligne(),
        ligne(SIRET="", **{"Nom du tiers": "Dupont Jeanne", "Code tiers": "P77", "Montant HT": 40}),
        ligne(SIRET=B, CP="34000", Ville="MONTPELLIER", **{"Nom du tiers": "Durand SAS", "Montant HT": "(5,50)"}),
        ligne(Chapitre="012", Article="64111", **{"Nom du tiers": "Agent Secret", "SIRET": ""}),
    ]
)


def test_un_import_va_du_fichier_aux_totaux(responsable):
    reponse = importer(responsable, CLASSEUR)
    fait = ImportDeMandats.objects.get()
    assert reponse.status_code == 302
    assert reponse.url == fait.get_absolute_url()
    assert (str(fait.budget), fait.budget.base, fait.annee) == ("Budget principal", "HT", 2023)
    totaux = fait.totaux.values_list("siret", "nom", "code_postal", "commune", "nombre", "montant")
    assert sorted(totaux) == [
        ("", "", "34130", "34154", 1, Decimal(40)),
        *sorted(
            [(A, "Martin SARL", "34130", "34154", 1, 100), (B, "Durand SAS", "34000", "34172", 1, Decimal("-5.50"))]
        ),
    ]
    assert fait.comptes["exclues"] == {"Chapitre 012": [1, "100.00"]}
    assert Trace.objects.filter(geste=Geste.IMPORT, objet="Mandats Budget principal 2023").count() == 1


def test_ni_personne_ni_ligne_de_mandat_ne_reste_nulle_part(responsable):
    deposee = deposer(responsable, CLASSEUR)
    vue = apercu(responsable, CLASSEUR)
    importer(responsable, CLASSEUR)
    fait = ImportDeMandats.objects.get()
    lues = [page(deposee), page(vue)]
    lues += [page(responsable.get(f"{fait.get_absolute_url()}{suite}")) for suite in ("", "?par=commune")]
    lues += [page(responsable.get(reverse("marches:mandats")))]
    lues += [responsable.get(f"{fait.get_absolute_url()}?format=csv").content.decode()]
    lues += [repr(list(ImportDeMandats.objects.values())), repr(list(TotalDeMandats.objects.values()))]
    lues += [repr(list(Trace.objects.values())), repr(list(CorrespondanceDeColonnes.objects.values()))]
    for texte in lues:
        for secret in ("Dupont", "P77", "Agent Secret"):
            assert secret not in texte


def test_rien_ne_s_ecrit_avant_l_enregistrement(responsable):
    vue = apercu(responsable, CLASSEUR)
    assert "Rien n'est encore écrit" in page(vue)
    assert "134,50 €" in page(vue)
    assert "Chapitre 012" in page(vue)
    assert not BudgetDeMandats.objects.exists()
    assert not ImportDeMandats.objects.exists()


def test_le_meme_envoi_recu_deux_fois_n_ecrit_qu_une_fois(responsable):
    essai = essai_de(apercu(responsable, CLASSEUR))
    premiere, seconde = (responsable.post(reverse("marches:enregistrer_mandats"), {"essai": essai}) for _ in range(2))
    assert premiere.url == seconde.url
    assert ImportDeMandats.objects.count() == 1


def test_un_second_import_remplace_le_premier_et_le_retirer_lui_rend_sa_place(responsable):
    importer(responsable, CLASSEUR)
    budget, premier = BudgetDeMandats.objects.get(), ImportDeMandats.objects.get()
    vue = apercu(responsable, xlsx([TITRES, ligne()]), budget=budget.pk, nouveau="", base="")
    assert "Remplace" in page(vue)
    assert ImportDeMandats.objects.get().get_absolute_url() in page(vue)
    responsable.post(reverse("marches:enregistrer_mandats"), {"essai": essai_de(vue)})
    assert ImportDeMandats.objects.en_vigueur().get() != premier
    responsable.post(reverse("marches:retirer_mandats", args=[ImportDeMandats.objects.en_vigueur().get().pk]))
    assert ImportDeMandats.objects.en_vigueur().get() == premier
    assert ImportDeMandats.objects.count() == 2


def test_les_calculs_de_l_exercice_se_refont_a_l_import_et_au_retrait(responsable):
    Territoire.objects.get_or_create(code="mauguio", defaults={"nom": "Mauguio", "communes": ["34154"]})
    importer(responsable, xlsx([TITRES, ligne(), ligne(SIRET=B, CP="34000", Ville="", **{"Montant HT": 300})]))
    resultats = ResultatDeCalcul.objects.filter(
        code="part_locale_achats", debut__year=2023, territoire__code="mauguio"
    )
    assert resultats.order_by("calcule_le").last().valeur == 25
    responsable.post(reverse("marches:retirer_mandats", args=[ImportDeMandats.objects.get().pk]))
    assert resultats.order_by("calcule_le").last().valeur is None


def test_retirer_deux_fois_n_ecrit_qu_une_trace(responsable):
    importer(responsable, CLASSEUR)
    fait = ImportDeMandats.objects.get()
    for _ in range(2):
        responsable.post(reverse("marches:retirer_mandats", args=[fait.pk]))
    assert not ImportDeMandats.objects.en_vigueur().exists()
    assert Trace.objects.filter(geste=Geste.IMPORT).count() == 2
    assert "a été retiré" in page(responsable.get(fait.get_absolute_url()))


def test_un_apercu_depasse_par_un_autre_import_n_ecrit_rien(responsable):
    importer(responsable, CLASSEUR)
    budget = BudgetDeMandats.objects.get()
    vieux = essai_de(apercu(responsable, xlsx([TITRES, ligne()]), budget=budget.pk))
    importer(responsable, xlsx([TITRES, ligne(**{"Montant HT": 7})]), budget=budget.pk)
    reponse = responsable.post(reverse("marches:enregistrer_mandats"), {"essai": vieux}, follow=True)
    assert "entre-temps" in page(reponse)
    assert ImportDeMandats.objects.count() == 2


def test_les_colonnes_dites_une_fois_sont_proposees_la_fois_suivante(responsable):
    contenu = en_csv([["Chapitre", "SIRET", "Montant", "Net a payer"], ["011", A, 1, 2]])
    importer(responsable, contenu, nom="m.csv", colonnes={"montant_0": "Net a payer"})
    assert TotalDeMandats.objects.get().montant == 2
    suivante = deposer(responsable, contenu, nom="m.csv", nouveau="Autre")
    assert champs(suivante)["montant_0"] == "Net a payer"
    assert "Ces en-têtes sont connus" in page(suivante)


def test_deux_fichiers_se_joignent_meme_deposes_dans_l_autre_ordre(responsable):
    mandats = en_csv([["Chapitre", "Code tiers", "Montant HT"], ["011", "F1", 10]])
    tiers = en_csv([["Code tiers", "Raison sociale", "SIRET", "Code postal"], ["F1", "Martin", A, "34280"]])
    importer(responsable, tiers, tiers=mandats, nom="tiers.csv")
    assert TotalDeMandats.objects.values_list("siret", "nom", "commune").get() == (A, "Martin", "34344")


def test_un_fichier_qui_mele_des_budgets_demande_lesquels_garder(responsable):
    contenu = xlsx([[*TITRES, "Budget"], [*ligne(), "Principal"], [*ligne(), "Eau"]])
    vue = apercu(responsable, contenu)
    assert "cochez celui" in page(vue)
    importer(responsable, contenu, colonnes={"budgets": ["Eau"]})
    assert ImportDeMandats.objects.get().comptes["exclues"] == {"Autre budget": [1, "100.00"]}


@pytest.mark.parametrize(
    ("contenu", "phrase"),
    [
        (b"\x89PNG\r\n\x1a\n", "une image"),
        (b"", "Ce fichier est vide"),
        (en_csv([["bonjour"], ["monde"]]), "Aucun titre de colonne"),
    ],
    ids=["image", "vide", "sans titres"],
)
def test_un_fichier_illisible_est_refuse_a_cote_de_son_champ(responsable, contenu, phrase):
    reponse = deposer(responsable, contenu)
    assert phrase in page(reponse)
    assert "Budget principal" in page(reponse)
    assert "mandats" in reponse.context["formulaire"].errors


@pytest.mark.parametrize(
    ("titres", "rangee", "phrase"),
    [
        (["Chapitre", "SIRET"], ["011", A], "aucune colonne ne donne le montant"),
        (["SIRET", "Montant HT"], [A, 1], "aucune colonne ne donne le chapitre"),
        (["Chapitre", "Montant TTC"], ["011", 1], "n'a qu'un montant TTC"),
    ],
)
def test_des_colonnes_qui_ne_suffisent_pas_se_disent_sur_la_page_des_colonnes(responsable, titres, rangee, phrase):
    assert phrase in page(apercu(responsable, xlsx([titres, rangee])))


def test_un_montant_illisible_empeche_d_enregistrer_et_dit_sa_place(responsable):
    vue = apercu(responsable, xlsx([TITRES, ligne(), ligne(**{"Montant HT": "douze"})]))
    assert "« mandats.xlsx », feuille « Sheet », ligne 3, colonne « Montant HT »" in page(vue)
    assert 'name="essai"' not in page(vue)


def test_une_colonne_ne_dit_pas_deux_choses(responsable):
    vue = apercu(responsable, CLASSEUR, colonnes={"ville_0": "CP"})
    assert "Cette colonne dit déjà" in page(vue)


@pytest.mark.parametrize(
    ("dit", "champ"),
    [
        ({"nouveau": ""}, "nouveau"),
        ({"base": ""}, "base"),
        ({"annee": "2999"}, "annee"),
        ({"annee": "abc"}, "annee"),
    ],
)
def test_ce_qui_manque_au_depot_se_dit_a_cote_du_champ(responsable, dit, champ):
    assert champ in deposer(responsable, CLASSEUR, **dit).context["formulaire"].errors


def test_un_budget_qui_existe_ne_se_cree_pas_deux_fois(responsable):
    importer(responsable, CLASSEUR)
    assert "existe déjà" in page(deposer(responsable, CLASSEUR, nouveau="BUDGET PRINCIPAL"))


@pytest.mark.parametrize("nom", ["colonnes_de_mandats", "enregistrer_mandats"])
def test_une_page_perimee_ramene_au_depot(responsable, nom):
    reponse = responsable.post(reverse(f"marches:{nom}"), {"depot": "faux", "essai": "faux"}, follow=True)
    assert "a expiré" in page(reponse)


def test_un_gros_fichier_se_reduit_aux_colonnes_utiles(responsable, monkeypatch):
    monkeypatch.setattr("marches.mandats.imports.SIGNE_MAX", 2500)
    titres = [*TITRES, "Objet de la facture"]
    lignes = [[*ligne(), hashlib.sha256(bytes([rang])).hexdigest()] for rang in range(1, 60)]
    deposee = deposer(responsable, xlsx([titres, *lignes]))
    lu = Depot.signe(champs(deposee)["depot"]).fichiers[0].lu
    assert lu.entetes == TITRES
    monkeypatch.setattr("marches.mandats.imports.SIGNE_MAX", 100)
    assert "c'est trop pour un seul import" in page(deposer(responsable, xlsx([titres, *lignes])))


def test_par_commune_les_montants_font_le_total(responsable):
    importer(responsable, CLASSEUR)
    fait = ImportDeMandats.objects.get()
    lignes = list(responsable.get(f"{fait.get_absolute_url()}?par=commune").context["page"])
    assert [(ligne.nom, ligne.tiers, ligne.montant) for ligne in lignes] == [
        ("Mauguio (34)", 1, 140),
        ("Montpellier (34)", 1, Decimal("-5.50")),
    ]


@pytest.mark.parametrize("forme", ["csv", "xlsx", "ods"])
def test_les_totaux_s_emportent(responsable, forme):
    importer(responsable, CLASSEUR)
    reponse = responsable.get(f"{ImportDeMandats.objects.get().get_absolute_url()}?format={forme}")
    assert reponse.status_code == 200
    assert "mandats-" in reponse["Content-Disposition"]
    if forme == "csv":
        assert len(reponse.content.decode("utf-8-sig").splitlines()) == 4


@pytest.mark.parametrize("role", [Role.LECTEUR, Role.AGENT])
def test_qui_ne_peut_pas_importer_lit_seulement(role):
    client = client_de(fabriques.utilisateur(role))
    assert "Importer des mandats" not in page(client.get(reverse("marches:mandats")))
    assert client.get(reverse("marches:importer_mandats")).status_code == 403
    for nom in ("colonnes_de_mandats", "enregistrer_mandats"):
        assert client.post(reverse(f"marches:{nom}")).status_code == 403
