"""Ce que le site a l'air : sa couleur, ses contrastes, ses pictogrammes, son menu et son bandeau."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from actions.statuts import Statut
from comptes.droits import Role
from comptes.models import Collectivite, valider_couleur
from scripts.vendor import ICONES
from socle.couleurs import BLANC, CONTRASTE_D_UN_TEXTE, contraste, melanger
from tests import fabriques
from tests.decor import decor_acces
from tests.visites import client_de

RACINE = Path(__file__).resolve().parent.parent
APPLICATIONS = ("socle", "comptes", "partenaires", "actions", "indicateurs", "accueil", "commande_responsable")


def page(client: Client, adresse: str) -> str:
    return client.get(adresse).content.decode().replace("&#x27;", "'")


# --- La couleur de la collectivité ----------------------------------------------------------------


def test_une_couleur_trop_claire_est_refusee_et_dit_son_contraste():
    valider_couleur("#767676")
    with pytest.raises(ValidationError, match=r"son contraste est de 4,4 pour 1, il en faut 4,5\. .* plus foncée"):
        valider_couleur("#777777")
    with pytest.raises(ValidationError, match="son contraste est de 1,0 pour 1"):
        valider_couleur("#ffff00")


@pytest.mark.parametrize("couleur", ["navy", "#005", "0b5b82", "#0b5b82\n", "rgb(0, 0, 0)"])
def test_une_couleur_nommee_ou_ecrite_autrement_est_refusee_avec_un_exemple(couleur):
    with pytest.raises(ValidationError, match="Une couleur s'écrit comme #0b5b82"):
        valider_couleur(couleur)


def test_la_couleur_par_defaut_est_permise():
    valider_couleur(Collectivite().couleur)


def test_la_feuille_porte_la_couleur_et_ses_nuances(client):
    feuille = client.get("/accent/0b5b82.css")
    assert feuille.headers["Content-Type"] == "text/css; charset=utf-8"
    assert dict(re.findall(r"(--[\w-]+): (#\w+);", feuille.content.decode())) == {
        "--accent": "#0b5b82",
        "--accent-fonce": "#08405b",
        "--accent-pale": "#ebf2f5",
    }


def test_la_feuille_se_garde_un_an(client):
    assert client.get("/accent/0b5b82.css").headers["Cache-Control"] == "max-age=31536000, immutable"


@pytest.mark.django_db
def test_la_feuille_ne_demande_rien_a_la_base(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/accent/0b5b82.css").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("couleur", ["rouge", "0b5b8", "0b5b822", "0b5b8g", "0b5b82;}", "%230b5b8", "0b5b82%0a"])
def test_ce_qui_n_est_pas_une_couleur_n_a_pas_de_feuille(client, couleur):
    assert client.get(f"/accent/{couleur}.css").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("couleur", ["#7a1f5c", "#7A1F5C"])
def test_chaque_page_demande_la_feuille_de_sa_couleur(client, couleur):
    collectivite = Collectivite(nom="Collectivité d'essai", couleur=couleur)
    collectivite.full_clean()
    collectivite.save()
    connecte = client_de(fabriques.utilisateur(Role.LECTEUR))
    for visiteur, adresse in ((client, "/connexion/"), (connecte, "/"), (connecte, "/introuvable/")):
        (lien,) = re.findall(r'href="(/accent/\w+\.css)"', page(visiteur, adresse))
        assert lien == f"/accent/{couleur[1:]}.css"
    assert f"--accent: {couleur};" in page(client, lien)


@pytest.mark.django_db
def test_avant_la_collectivite_la_feuille_du_site_suffit(client):
    assert "/accent/" not in page(client, "/connexion/")


# --- La feuille du site ---------------------------------------------------------------------------

FEUILLE = re.sub(r"/\*.*?\*/", "", (RACINE / "static/css/site.css").read_text(), flags=re.DOTALL)
REGLES = [
    (selecteur.strip(), dict(re.findall(r"([\w-]+)\s*:\s*([^;]+?)\s*(?:;|$)", corps)))
    for selecteur, corps in re.findall(r"([^{}]+)\{([^{}]*)\}", FEUILLE)
]
VARIABLES = next(declarations for selecteur, declarations in REGLES if selecteur == ":root")
FONDS_TEINTES = ("var(--fond-doux)", "var(--accent-pale)")
# Là où un fond teinté ne porte aucun lien de la couleur d'accent.
SANS_LIEN = {".menu a:hover", ".choix-statut button.statut:hover", ".groupe th", ".saisie dd"}


def couleur_de(valeur: str | None) -> str | None:
    """« #rrggbb », ou None si la règle ne fixe pas de couleur."""
    valeur = re.sub(r"var\((--[\w-]+)\)", lambda nom: VARIABLES[nom[1]], valeur or "")
    trouve = re.search("#([0-9a-f]{6}|[0-9a-f]{3})\\b", valeur)
    if trouve is None:
        return None
    chiffres = trouve[1]
    return "#" + (chiffres if len(chiffres) == 6 else "".join(2 * chiffre for chiffre in chiffres))


def textes_de_la_feuille() -> dict[str, tuple[str, str]]:
    """sélecteur → (couleur du texte, couleur de son fond), pour chaque règle qui pose une couleur de texte."""
    textes = {
        selecteur: (couleur_de(regle.get("color")), couleur_de(regle.get("background")) or BLANC)
        for selecteur, regle in REGLES
    }
    return {selecteur: (texte, fond) for selecteur, (texte, fond) in textes.items() if texte}


@pytest.mark.parametrize("nom", ["site", "public", "pdf"])
def test_les_couleurs_des_statuts_sont_celles_de_chaque_feuille(nom):
    feuille = (RACINE / "static" / "css" / f"{nom}.css").read_text()
    posees = re.findall(r"(--statut-[A-Z_]+):\s*([^;]+);", feuille)
    assert dict(posees) == {f"--statut-{statut}": statut.couleur for statut in Statut}


def test_l_accent_de_la_feuille_est_celui_d_une_collectivite_neuve(client):
    couleur = Collectivite().couleur
    servie = client.get(f"/accent/{couleur[1:]}.css").content.decode()
    assert {nom: VARIABLES[nom] for nom in VARIABLES if nom.startswith("--accent")} == dict(
        re.findall(r"(--[\w-]+): (#\w+);", servie)
    )
    assert VARIABLES["--accent"] == couleur


def test_chaque_texte_de_la_feuille_se_lit_sur_son_fond():
    textes = textes_de_la_feuille()
    assert len(textes) > 30
    illisibles = {s: couleurs for s, couleurs in textes.items() if contraste(*couleurs) < CONTRASTE_D_UN_TEXTE}
    assert illisibles == {}


@pytest.mark.parametrize("fond", ["--fond-doux", "--accent-pale"])
@pytest.mark.parametrize(
    "texte", ["--texte", "--discret", "--alerte", "--accent-fonce", *(f"--statut-{statut}" for statut in Statut)]
)
def test_chaque_couleur_de_texte_se_lit_sur_les_fonds_teintes(texte, fond):
    assert contraste(VARIABLES[texte], VARIABLES[fond]) >= CONTRASTE_D_UN_TEXTE


@pytest.mark.parametrize("texte", ["#6b4400", VARIABLES["--texte"], VARIABLES["--accent"]])
def test_l_encart_d_attention_se_lit(texte):
    fond = next(couleur_de(regle["background"]) for selecteur, regle in REGLES if selecteur == ".encart-attention")
    assert contraste(texte, fond) >= CONTRASTE_D_UN_TEXTE


def test_les_nombres_blancs_se_lisent_sur_la_barre():
    assert next(regle["fill"] for selecteur, regle in REGLES if selecteur == ".barre text") == "#fff"
    fonds = {
        couleur_de(regle.get("fill")) for selecteur, regle in REGLES if re.fullmatch(r"\.barre-[A-Z_]+", selecteur)
    }
    assert fonds == {statut.couleur for statut in Statut}
    assert all(contraste(BLANC, fond) >= CONTRASTE_D_UN_TEXTE for fond in fonds)


couleurs_permises = (
    st.tuples(*[st.integers(0, 255)] * 3)
    .map(lambda rvb: "#{:02x}{:02x}{:02x}".format(*rvb))
    .filter(lambda couleur: contraste(couleur, BLANC) >= CONTRASTE_D_UN_TEXTE)
)


@given(couleurs_permises)
@example("#767676")
@example("#e60000")
@example("#008500")
def test_toute_couleur_permise_a_une_nuance_foncee_qui_se_lit_sur_les_fonds_teintes(couleur):
    foncee = melanger(couleur, "#000000", 0.3)
    for fond in (VARIABLES["--fond-doux"], melanger(couleur, BLANC, 0.92)):
        assert contraste(foncee, fond) >= CONTRASTE_D_UN_TEXTE


def test_un_lien_sur_un_fond_teinte_prend_la_nuance_foncee():
    teintes = {s for s, regle in REGLES if regle.get("background") in FONDS_TEINTES} - SANS_LIEN
    (protegees,) = (s.split(", ") for s, regle in REGLES if regle.get("--accent") == "var(--accent-fonce)")
    assert teintes
    assert {s for s in teintes if not s.startswith(tuple(protegees))} == set()


# --- Les pictogrammes -----------------------------------------------------------------------------


def noms_ecrits(noeud: ast.AST) -> Iterator[str]:
    """Les textes qu'une expression peut rendre : les deux branches d'un choix, les valeurs d'un dictionnaire."""
    match noeud:
        case ast.Constant(value=str(nom)):
            yield nom
        case ast.IfExp(body=oui, orelse=non):
            yield from noms_ecrits(oui)
            yield from noms_ecrits(non)
        case ast.Subscript(value=ast.Dict(values=valeurs)):
            for valeur in valeurs:
                yield from noms_ecrits(valeur)


def icones_du_code(arbre: ast.AST) -> Iterator[str]:
    """`icone("…")`, `icone="…"`, `icone: str = "…"`, et ce que rend une fonction nommée `icone` ou `_icone`."""
    for noeud in ast.walk(arbre):
        match noeud:
            case ast.Call(func=ast.Name(id="icone"), args=[nom, *_]):
                yield from noms_ecrits(nom)
            case ast.keyword(arg="icone", value=nom):
                yield from noms_ecrits(nom)
            case ast.AnnAssign(target=ast.Name(id="icone"), value=ast.expr() as nom):
                yield from noms_ecrits(nom)
            case ast.FunctionDef(name="icone" | "_icone"):
                for rendu in ast.walk(noeud):
                    if isinstance(rendu, ast.Return) and rendu.value is not None:
                        yield from noms_ecrits(rendu.value)


def icones_demandees() -> set[str]:
    gabarits = "".join(chemin.read_text() for chemin in (RACINE / "templates").rglob("*.html"))
    demandees = set(re.findall(r'\{% icone "([^"]+)" %\}', gabarits))
    for application in APPLICATIONS:
        for chemin in (RACINE / application).rglob("*.py"):
            demandees |= set(icones_du_code(ast.parse(chemin.read_text())))
    return demandees


def test_la_planche_porte_les_pictogrammes_demandes_et_aucun_autre():
    assert set(ICONES) == icones_demandees()


def test_la_planche_servie_est_celle_de_la_liste():
    planche = (RACINE / "static/vendor/icones/icones.svg").read_text()
    assert tuple(re.findall(r'<symbol [^>]*id="([^"]+)"', planche)) == ICONES


def test_un_pictogramme_choisi_par_le_code_l_est_par_une_propriete_icone():
    for chemin in (RACINE / "templates").rglob("*.html"):
        for choisi in re.findall(r"\{% icone ([^\"].*?) %\}", chemin.read_text()):
            assert re.fullmatch(r"[\w.]+\.icone", choisi), chemin


def test_un_pictogramme_est_muet_pour_un_lecteur_d_ecran():
    from socle.templatetags.icones import icone

    assert 'aria-hidden="true"' in icone("pencil")
    assert 'href="/static/vendor/icones/icones.svg#pencil"' in icone("pencil")


# --- Le menu --------------------------------------------------------------------------------------


def menu_de(texte: str) -> dict[str, str]:
    """Libellé → adresse, dans le menu principal."""
    liste = texte.partition('aria-label="Menu principal"')[2].partition("</nav>")[0]
    return {libelle: adresse for adresse, libelle in re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', liste)}


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_le_menu_a_cinq_entrees_au_plus_et_chacune_s_ouvre(role):
    client = client_de(fabriques.utilisateur(role))
    entrees = menu_de(page(client, "/"))
    assert 4 <= len(entrees) <= 5
    assert {client.get(adresse).status_code for adresse in entrees.values()} == {200}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "montree"),
    [
        (None, False),
        (Role.LECTEUR, False),
        (Role.AGENT, True),
        (Role.RESPONSABLE, True),
        (Role.ADMINISTRATEUR, True),
    ],
)
def test_mes_actions_est_pour_qui_peut_en_mettre_a_jour(role, montree):
    assert ("Mes actions" in menu_de(page(client_de(fabriques.utilisateur(role)), "/"))) == montree


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("adresse", "courante"), [("/", "Tableau de bord"), ("/actions/?q=x", "Actions"), ("/bilans/", "Bilan")]
)
def test_le_menu_dit_ou_l_on_est(adresse, courante):
    texte = page(client_de(fabriques.utilisateur(Role.LECTEUR)), adresse)
    assert re.findall(r'aria-current="page">([^<]+)</a>', texte.partition("<main")[0]) == [courante]


# --- Le bandeau -----------------------------------------------------------------------------------

PAGES = [
    *(("anonyme", adresse, 200) for adresse in ("/connexion/", "/mot-de-passe/oublie/")),
    *(("lecteur", adresse, 200) for adresse in ("/", "/bilans/", "/actions/", "/indicateurs/", "/partenaires/")),
    ("lecteur", "/introuvable/", 404),
    ("lecteur", "/actions/999999/", 404),
    ("lecteur", "/actions/creer/", 403),
    ("lecteur", "/?annee=vingt", 400),
    ("sans_role", "/", 403),
    *(("administrateur", adresse, 200) for adresse in ("/admin/", "/admin/actions/plan/", "/admin/actions/plan/add/")),
    ("administrateur", "/admin/introuvable/", 404),
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"donnees_synthetiques": True}, "Données synthétiques"),
        ({"demo": True}, "Site de démonstration"),
        ({"demo": True, "donnees_synthetiques": True}, "Données synthétiques"),
        ({}, ""),
    ],
)
def test_chaque_page_d_un_site_qui_n_est_pas_un_vrai_le_dit_une_fois(champs, phrase):
    decor = decor_acces()
    collectivite = Collectivite.objects.get()
    for champ, valeur in champs.items():
        setattr(collectivite, champ, valeur)
    collectivite.save()
    clients = {nom: client_de(compte) for nom, compte in decor.comptes.items()} | {"anonyme": Client()}
    attendus = [1 if phrase else 0] * len(PAGES)
    reponses = [(clients[qui].get(adresse), code) for qui, adresse, code in PAGES]
    assert [reponse.status_code for reponse, _ in reponses] == [code for _, code in reponses]
    lus = [reponse.content.decode() for reponse, _ in reponses]
    assert [lu.count(f'<p class="bandeau-demo">{phrase}') for lu in lus] == attendus
    assert [lu.count("bandeau-demo") for lu in lus] == attendus


def test_le_bandeau_de_l_administration_a_les_couleurs_du_site():
    administration = (RACINE / "static/css/administration.css").read_text()
    bandeau = next(regle for selecteur, regle in REGLES if selecteur == ".bandeau-demo")
    regle = re.search(r"^\.bandeau-demo \{(.*)\}$", administration, re.MULTILINE)[1]
    assert f"background: {bandeau['background']};" in regle
    assert f"color: {bandeau['color']};" in regle
