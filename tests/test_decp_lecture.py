"""Les fichiers DECP : chaque format reconnu à son contenu, lu au fil de l'eau ; chaque fichier hostile refusé en
clair."""

import contextlib
import csv
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import ijson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marches.decp import lecture_json
from marches.decp.contrats import ContratLu, FichierIllisible, Format, Refus
from marches.decp.formats import ouvrir, reconnaitre
from marches.decp.normalisation import normaliser
from marches.decp.octets import ENREGISTREMENT_AU_PLUS

DONNEES = Path(__file__).parent / "donnees" / "decp"
ENTETE = "uid,acheteur_id,id,titulaire_id,dateNotification\n"


@pytest.fixture
def fichier(tmp_path):
    """Fabrique de fichiers au nom trompeur : le contenu seul décide."""

    def ecrire(contenu: str | bytes, nom: str = "fichier.txt") -> Path:
        chemin = tmp_path / nom
        chemin.write_bytes(contenu.encode() if isinstance(contenu, str) else contenu)
        return chemin

    return ecrire


def bruts(chemin, sirens=()):
    with ouvrir(chemin, sirens) as lecture:
        return list(lecture.enregistrements)


def contenus(chemin):
    return [brut.contenu for brut in bruts(chemin)]


def refus(chemin) -> str:
    with pytest.raises(FichierIllisible) as erreur:
        bruts(chemin)
    return str(erreur.value)


# --- Reconnaître ----------------------------------------------------------------------------------

FORMATS = {
    "synthetique_v1.json": (Format.JSON_V1, 4),
    "synthetique_v2.json": (Format.JSON_V2, 2),
    "synthetique_v2.xml": (Format.XML, 2),
    "synthetique_tabulaire.csv": (Format.TABULAIRE, 4),
}


@pytest.mark.parametrize("nom", FORMATS)
def test_le_contenu_decide_du_format_jamais_le_nom(nom, fichier):
    deguise = fichier((DONNEES / nom).read_bytes(), "donnees.zip")
    format, nombre = FORMATS[nom]
    assert reconnaitre(deguise) is format
    assert [brut.position for brut in bruts(deguise)] == list(range(1, nombre + 1))


@pytest.mark.parametrize(
    ("json", "format", "lus"),
    [
        ("[]", Format.JSON_V1, 0),
        ('[{"id": "a"}, {"id": "b"}]', Format.JSON_V1, 2),
        ('{"marches": []}', Format.JSON_V1, 0),
        ('{"marches": {}}', Format.JSON_V2, 0),
        ('{"marches": {"marche": []}}', Format.JSON_V2, 0),
        ('{"marches": {"contrat-concession": [{"id": "c"}]}}', Format.JSON_V2, 1),
        ('{"marches": {"marche": [{"id": "a"}], "contrat-concession": null}}', Format.JSON_V2, 1),
        ('{"marches": {"marche": {"id": "a"}}}', Format.JSON_V2, 1),
        ('{"$schema": "x", "meta": {"marches": 3}, "marches": [{"id": "a"}], "apres": [1]}', Format.JSON_V1, 1),
        ('{"marches ": [{"id": "a"}]}', Format.JSON_V1, 1),
        ('\ufeff \n{"marches": [{"id": "a"}]}\n\n', Format.JSON_V1, 1),
    ],
)
def test_un_json_se_reconnait_sous_toutes_ses_enveloppes(json, format, lus, fichier):
    chemin = fichier(json)
    assert reconnaitre(chemin) is format
    assert len(bruts(chemin)) == lus


@pytest.mark.parametrize("premier", ["marche", "contrat-concession"])
def test_les_deux_listes_du_schema_2_se_lisent_dans_l_ordre_ou_elles_viennent(premier, fichier):
    listes = {"marche": [{"id": "m"}], "contrat-concession": [{"id": "c"}]}
    ordre = sorted(listes, key=lambda nom: nom != premier)
    lus = contenus(fichier(json.dumps({"marches": {nom: listes[nom] for nom in ordre}})))
    assert [lu["id"] for lu in lus] == [listes[nom][0]["id"] for nom in ordre]
    assert {lu["id"]: lu.get("_type") for lu in lus} == {"m": None, "c": "Contrat de concession"}


def test_les_enregistrements_sont_ceux_que_lit_un_autre_lecteur():
    chemin = DONNEES / "synthetique_v1.json"
    with chemin.open("rb") as source:
        attendus = list(ijson.items(source, "marches.item", use_float=False))
    assert contenus(chemin) == attendus


def test_un_grand_json_passe_entier_a_travers_les_morceaux(fichier):
    marches = [{"id": str(n), "objet": "é" * (n % 997), "montant": n + 0.5} for n in range(5000)]
    lus = contenus(fichier(json.dumps({"marches": marches}, ensure_ascii=False)))
    assert lus == marches


@pytest.mark.parametrize("morceau", [1, 7, 64, 1000])
@pytest.mark.parametrize("nom", ["synthetique_v1.json", "synthetique_v2.json"])
def test_la_taille_des_morceaux_lus_ne_change_rien(morceau, nom, monkeypatch):
    attendus = bruts(DONNEES / nom)
    monkeypatch.setattr(lecture_json, "MORCEAU", morceau)
    assert bruts(DONNEES / nom) == attendus


def test_un_element_qui_n_est_pas_un_objet_est_refuse_seul(fichier):
    lus = bruts(fichier('{"marches": [1, null, [[{"id": "a"}]], [], "x", {"marche": {"id": "b"}}]}'))
    assert [brut.contenu for brut in lus] == [None, None, {"id": "a"}, None, None, {"id": "b"}]
    assert lus[0].defaut == "Un objet est attendu, c'est une valeur seule."


def test_les_nombres_que_json_ne_connait_pas_ne_rompent_pas_la_lecture(fichier):
    texte = (
        '{"marches": [{"a": NaN, "b": 1e400, "c": -Infinity, "d": 1e99999999999999999999, "e": ' + "1" * 5000 + "}]}"
    )
    (lu,) = contenus(fichier(texte))
    assert lu["a"].is_nan()
    assert not lu["c"].is_finite()
    assert lu["b"].adjusted() == 400
    assert lu["e"].adjusted() == 4999


def test_ce_qu_une_base_ne_garde_pas_devient_un_caractere_de_remplacement(fichier):
    (lu,) = contenus(fichier('[{"objet": "a\\u0000b\\ud800c\\u00e9\\ud83d\\ude00"}]'))
    assert lu == {"objet": "a\ufffdb\ufffdcé😀"}


# --- XML ------------------------------------------------------------------------------------------


def test_un_xml_se_rend_comme_le_json_l_ecrit():
    marche, concession = contenus(DONNEES / "synthetique_v2.xml")
    assert marche["titulaires"][0] == {"titulaire": {"id": "99900001100018", "typeIdentifiant": "SIRET"}}
    assert marche["considerationsSociales"] == {"considerationSociale": ["Pas de considération sociale"]}
    assert concession["_type"] == "Contrat de concession"


def test_un_xml_tolere_espaces_de_noms_balises_inconnues_et_elements_vides(fichier):
    texte = """<d:marches xmlns:d="urn:x"><entete><a/></entete>
        <d:marche><d:id> 12 </d:id><inconnu><b>1</b><b>2</b></inconnu><objet/><titulaires/></d:marche></d:marches>"""
    assert contenus(fichier(texte)) == [{"id": "12", "inconnu": {"b": ["1", "2"]}, "objet": None, "titulaires": None}]


def test_un_xml_dit_son_encodage(fichier):
    texte = '<?xml version="1.0" encoding="windows-1252"?><marches><marche><id>Été</id></marche></marches>'
    assert contenus(fichier(texte.encode("cp1252"))) == [{"id": "Été"}]


# --- Tableau --------------------------------------------------------------------------------------


@pytest.mark.parametrize("separateur", [",", ";"])
@pytest.mark.parametrize("marque", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("fin", ["\n", "\r\n", "\r"])
def test_un_tableau_se_lit_a_la_virgule_ou_au_point_virgule(separateur, marque, fin, fichier):
    lignes = [["dateNotification", "uid", "inconnue", "titulaire_id"], ["2024-01-02", "1", '"a""b', "3"]]
    lignes[1][2] = f'"a{separateur}""b"""'
    texte = fin.join(separateur.join(ligne) for ligne in lignes)
    attendu = {"dateNotification": "2024-01-02", "uid": "1", "inconnue": f'a{separateur}"b"', "titulaire_id": "3"}
    assert contenus(fichier(marque + texte.encode())) == [attendu]


def test_un_octet_qui_n_est_pas_de_l_utf_8_se_lit_en_windows_1252(fichier):
    lignes = ENTETE.encode() + "é€,1,2,3,4\n".encode("cp1252") + "é€,1,2,3,4\n".encode()
    assert [lu["uid"] for lu in contenus(fichier(lignes))] == ["é€", "é€"]


def test_un_octet_qui_n_est_d_aucun_encodage_devient_un_caractere_de_remplacement(fichier):
    assert [lu["uid"] for lu in contenus(fichier(ENTETE.encode() + b"a\x81b,1,2,3,4\n"))] == ["a\ufffdb"]


def test_une_ligne_qui_n_a_pas_toutes_ses_cellules_est_refusee_seule(fichier):
    lus = bruts(fichier(ENTETE + "a,1,2,3,4\nb,1,2\n\nc,1,2,3,4,5\nd,1,2,3,4\n"))
    assert [brut.contenu and brut.contenu["uid"] for brut in lus] == ["a", None, None, "d"]
    assert lus[1].defaut == "Ligne 3 : 3 cellules pour 5 colonnes."
    assert [brut.position for brut in lus] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("colonnes", "dit"),
    [
        ("uid,dateNotification,montant", "la colonne « titulaire_id »"),
        ("uid,titulaire_id,montant", "la colonne « dateNotification »"),
        ("id,titulaire_id,dateNotification", "la colonne « uid » (ou « acheteur_id » et « id »)"),
        ("uid,titulaire_id,dateNotification,uid", "« uid » est deux fois"),
        ("uid\ttitulaire_id\tdateNotification", "séparées par une tabulation"),
        ("uid|titulaire_id|dateNotification", "séparées par une barre"),
        ("nom,prénom", "ne nomme pas les colonnes attendues"),
    ],
)
def test_un_tableau_sans_ses_colonnes_est_refuse_en_les_nommant(colonnes, dit, fichier):
    assert dit in refus(fichier(colonnes + "\n1,2,3\n"))


# --- Un seul acheteur, où en est la lecture -------------------------------------------------------


@pytest.mark.parametrize("nom", FORMATS)
def test_les_autres_acheteurs_ne_sont_que_comptes(nom):
    with ouvrir(DONNEES / nom, ["999000037"]) as lecture:
        gardes = list(lecture.enregistrements)
        avancement = lecture.avancement
    assert avancement.lus == FORMATS[nom][1] == len(gardes) + avancement.autres_acheteurs
    attendus = {"synthetique_v1.json": 2, "synthetique_tabulaire.csv": 1}  # l'autre acheteur, et celui qui n'en a pas
    assert len(gardes) == attendus.get(nom, 0)


@pytest.mark.parametrize("nom", FORMATS)
def test_l_avancement_va_jusqu_au_bout_du_fichier(nom):
    with ouvrir(DONNEES / nom) as lecture:
        assert list(lecture.enregistrements)
    assert lecture.avancement.octets == lecture.avancement.taille == (DONNEES / nom).stat().st_size
    assert lecture.fichier.closed


# --- Ce qui n'est pas un fichier DECP -------------------------------------------------------------

ILLISIBLES = {
    "vide": (b"", "Le fichier est vide."),
    "blanc": (b" \n\n", "Le fichier est vide."),
    "html": (b"<!DOCTYPE html>\n<html><body>404</body></html>", "page HTML"),
    "html précédé d'un commentaire": (b"\n<!-- x --><html lang='fr'>", "page HTML"),
    "gzip": (b"\x1f\x8b\x08\x00abc", "décompressez-le"),
    "zip": (b"PK\x03\x04abc", "décompressez l'archive"),
    "parquet": (b"PAR1abc", "Parquet"),
    "utf-16 marqué": ('{"marches": []}'.encode("utf-16"), "UTF-16"),
    "utf-16 sans marque": (ENTETE.encode("utf-16-le"), "UTF-16"),
    "utf-32": ('{"marches": []}'.encode("utf-32"), "UTF-32"),
    "octet nul": (b'{"marches": [{"id": "\x00"}]}', "octet nul (octet 22)"),
    "octet nul, plus loin": (ENTETE.encode() + b"a,1,2,3,4\n" * 20000 + b"\x00", "octet nul (octet 200050)"),
    "json sans marches": (b'{"releases": [{"ocid": 1}], "uri": "x"}', "mais « releases », « uri »"),
    "marches vide de sens": (b'{"marches": 3}', "ni une liste ni un objet"),
    "xml d'autre chose": (b"<rss><item/></rss>", "La racine de ce XML est <rss>"),
    "texte": (b"Bonjour,\ntout le monde", "ni du JSON, ni du XML, ni un tableau"),
    "json suivi d'autre chose": (b'{"marches": []} x', "quelque chose suit"),
    "json sans deux-points": (b'{"marches": [\n{"id" 1}]}', "ligne 2, caractère 7"),
    "xml mal fermé": (b"<marches>\n<marche></id></marche></marches>", "ligne 2, caractère 11"),
    "encodage inconnu": (b'<?xml version="1.0" encoding="klingon"?><marches/>', "encodage est inconnu"),
    "guillemet mal placé": (ENTETE.encode() + b'a,"b"c,2,3,4\n', "Ligne 2 du tableau : un guillemet"),
    "cellule démesurée": (ENTETE.encode() + b"a" * 140_000 + b",1,2,3,4\n", "dépasse 131072 caractères"),
}


@pytest.mark.parametrize("cas", ILLISIBLES)
def test_un_fichier_qui_n_en_est_pas_un_est_refuse_en_clair(cas, fichier):
    contenu, dit = ILLISIBLES[cas]
    assert dit in refus(fichier(contenu, "marches.json"))


def test_une_cellule_demesuree_est_refusee_meme_si_une_bibliotheque_a_leve_la_limite_du_processus(fichier):
    csv.field_size_limit(10_000_000)
    contenu, dit = ILLISIBLES["cellule démesurée"]
    assert dit in refus(fichier(contenu, "marches.csv"))


@pytest.mark.parametrize("cas", ["html", "json sans marches", "xml d'autre chose", "texte", "gzip"])
def test_reconnaitre_refuse_des_les_premiers_octets(cas, fichier):
    with pytest.raises(FichierIllisible):
        reconnaitre(fichier(ILLISIBLES[cas][0]))


def test_des_lignes_vides_avant_les_colonnes_ne_comptent_pas(fichier):
    (brut,) = bruts(fichier("\n\r\n" + ENTETE + "a,1\n"))
    assert (brut.position, brut.defaut) == (1, "Ligne 4 : 2 cellules pour 5 colonnes.")


def test_un_fichier_absent_ou_un_dossier_est_refuse(tmp_path):
    assert "ne s'ouvre pas" in refus(tmp_path / "absent.json")
    assert "ne s'ouvre pas" in refus(tmp_path)


@pytest.mark.parametrize("nom", FORMATS)
def test_un_fichier_tronque_est_refuse_ou_qu_il_le_soit(nom, fichier):
    """Une seule coupure ne se voit pas : dans la dernière cellule d'un tableau, ou juste après elle."""
    entier = (DONNEES / nom).read_bytes().rstrip()
    for coupure in range(len(entier) * 2 // 3, len(entier), 7):
        coupe = entier[:coupure]
        if nom.endswith(".csv") and coupe.rstrip(b"\r\n").rpartition(b"\n")[2].count(b";") == 25:
            continue
        if nom.endswith(".csv") and coupe.endswith((b"\n", b"\r")):
            continue
        assert "tronqué" in refus(fichier(coupe)), coupure


@given(nom=st.sampled_from(sorted(FORMATS)), place=st.floats(0, 1), otes=st.integers(0, 9), mis=st.binary(max_size=9))
def test_un_fichier_abime_se_lit_ou_se_refuse_et_rien_d_autre(nom, place, otes, mis, tmp_path_factory):
    octets = (DONNEES / nom).read_bytes()
    debut = int(place * len(octets))
    chemin = tmp_path_factory.mktemp("abime") / "fichier"
    chemin.write_bytes(octets[:debut] + mis + octets[debut + otes :])
    with contextlib.suppress(FichierIllisible), ouvrir(chemin) as lecture:
        for brut in lecture.enregistrements:
            assert isinstance(normaliser(brut, lecture.format), ContratLu | Refus)


# --- Ce qui veut nuire ----------------------------------------------------------------------------

ENTITES = {
    "externe": '<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
    "qui se multiplie": '<!DOCTYPE m [<!ENTITY a "xx"><!ENTITY b "&a;&a;&a;&a;">]>',
    "dtd externe": '<!DOCTYPE m SYSTEM "http://exemple.fr/x.dtd">',
}


@pytest.mark.parametrize("cas", ENTITES)
def test_les_entites_et_les_dtd_d_un_xml_sont_refusees(cas, fichier):
    texte = f'<?xml version="1.0"?>{ENTITES[cas]}<marches><marche><id>&a;</id></marche></marches>'
    assert "DTD ou des entités" in refus(fichier(texte))


MILLION = 1_000_000
IMBRIQUES = {
    "listes": "[" * MILLION,
    "listes fermées": '{"marches": [' + "[" * MILLION + "]" * MILLION + "]}",
    "objets": '{"marches": [' + '{"a":' * MILLION,
    "avant marches": '{"x": ' + "[" * MILLION,
    "xml": "<marches><marche>" + "<a>" * MILLION,
    "xml hors d'un marché": "<marches>" + "<a>" * MILLION,
}


@pytest.mark.parametrize("cas", IMBRIQUES)
def test_un_million_de_niveaux_sont_refuses(cas, fichier):
    assert "imbriqué sur" in refus(fichier(IMBRIQUES[cas]))


def test_un_enregistrement_imbrique_sur_soixante_niveaux_est_refuse_seul(fichier):
    lus = bruts(fichier('[{"id": ' + "[" * 60 + "]" * 60 + '}, {"id": "b"}]'))
    assert [brut.contenu for brut in lus] == [None, {"id": "b"}]
    assert lus[0].defaut == "Il est imbriqué sur plus de 50 niveaux."


TROP = ENREGISTREMENT_AU_PLUS * 3
DEMESURES = {
    "json": b'{"marches": [{"objet": "' + b"x" * TROP,
    "json, un nombre": b'{"marches": [' + b"1" * TROP,
    "json, avant marches": b'{"x": "' + b"x" * TROP,
    "xml, un texte": b"<marches><marche><objet>" + b"x" * TROP,
    "xml, une balise": b"<marches><marche><" + b"x" * TROP,
    "xml, un commentaire": b"<marches><!--" + b"x" * TROP,
    "tableau, une ligne": ENTETE.encode() + b"x" * TROP,
    "tableau, des virgules": ENTETE.encode() + b"a," * (TROP // 2),
    "tableau, un guillemet jamais fermé": ENTETE.encode() + b'"' + b"x" * TROP,
    "tableau, une ligne sur plusieurs": ENTETE.encode() + b'"x\n",' * (TROP // 5),
}


@pytest.mark.parametrize("cas", DEMESURES)
def test_un_enregistrement_demesure_est_refuse_en_disant_la_limite(cas, fichier):
    assert "4 Mio, la limite" in refus(fichier(DEMESURES[cas]))


LIRE = """
import resource, sys
from pathlib import Path
from marches.decp.contrats import FichierIllisible
from marches.decp.formats import ouvrir
resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
try:
    with ouvrir(Path(sys.argv[1])) as lecture:
        for brut in lecture.enregistrements:
            pass
    print(lecture.avancement.lus)
except FichierIllisible as erreur:
    print(erreur)
"""


DEBUTS = {"json": '{"marches": [{"objet": "', "xml": "<marches><marche><objet>", "tableau": ENTETE}


@pytest.mark.parametrize("debut", DEBUTS)
def test_un_gibioctet_sur_une_ligne_tient_dans_peu_de_memoire(debut, tmp_path):
    """Le fichier est creux : la limite arrête la lecture bien avant ses octets nuls."""
    chemin = tmp_path / "enorme"
    with chemin.open("wb") as sortie:
        sortie.write(DEBUTS[debut].encode() + b"x" * (ENREGISTREMENT_AU_PLUS * 2))
        sortie.truncate(1 << 30)
    lecture = subprocess.run(
        [sys.executable, "-c", LIRE, str(chemin)], capture_output=True, text=True, check=True, env=os.environ
    )
    assert "4 Mio, la limite" in lecture.stdout


def test_la_memoire_ne_suit_pas_la_taille_du_fichier(tmp_path):
    """Cent mille contrats, 40 Mo : la lecture en tient un à la fois."""
    chemin = tmp_path / "long.json"
    un = json.dumps({"id": "1", "acheteur": {"id": "99900000300015"}, "objet": "x" * 330})
    with chemin.open("w") as sortie:
        sortie.write('{"marches": [' + (un + ",") * 100_000 + un + "]}")
    avant = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with ouvrir(chemin) as lecture:
        assert sum(1 for _ in lecture.enregistrements) == 100_001
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - avant < 15_000  # Kio
