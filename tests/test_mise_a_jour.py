"""Mettre à jour : du schéma livré avant, avec ses données, jusqu'à aujourd'hui, et retour.

`tests/donnees/schema_precedent.json` dit ce qu'était ce schéma. On y revient en défaisant les migrations venues
depuis, ce qui éprouve aussi leur retour ; on vérifie que c'est bien lui, table par table et colonne par colonne.
"""

import json
from pathlib import Path

import pytest

from tests.site_jetable import SiteJetable, site, site_rempli

__all__ = ["site", "site_rempli"]

pytestmark = pytest.mark.xdist_group("sauvegarde")

PRECEDENT = json.loads((Path(__file__).parent / "donnees" / "schema_precedent.json").read_text(encoding="utf-8"))

# Exécuté dans le site : les modèles d'aujourd'hui n'ont plus cours dans une base d'hier.
REVENIR = """
import json, sys
from pathlib import Path
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
precedent = json.loads(Path("tests/donnees/schema_precedent.json").read_text(encoding="utf-8"))["migrations"]
executeur = MigrationExecutor(connection)
applications = {application for application, _ in executeur.loader.applied_migrations}
executeur.migrate([(application, precedent.get(application)) for application in sorted(applications)])
"""
ECRIRE = """
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
executeur = MigrationExecutor(connection)
modeles = executeur.loader.project_state(sorted(executeur.loader.applied_migrations)).apps
personne = modeles.get_model("comptes", "Utilisateur").objects.create(username="ancienne", nom="Ancienne")
Trace = modeles.get_model("comptes", "Trace")
for geste in ("CONNEXION", "ECHEC", "DECONNEXION", "EXPORT", "IMPORT", "DROITS"):
    Trace.objects.create(geste=geste, utilisateur=personne, objet=f"avant {geste}", details={"é": [1, None]})
modeles.get_model("comptes", "Courriel").objects.create(
    destinataire=personne, adresse="a@exemple.fr", objet="Ancien", texte="Bonjour", html="", cle="ancienne")
modeles.get_model("partenaires", "Partenaire").objects.create(
    nom="Partenaire ancien", slug="partenaire-ancien", recherche=" partenaire ancien")
"""
LIRE = """
from django.test import Client
from django.conf import settings
settings.ALLOWED_HOSTS = ["testserver"]
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
from comptes.models import Utilisateur
client = Client()
client.force_login(Utilisateur.objects.get(courriel="eloise@exemple.fr"))
for adresse in ("/", "/actions/", "/partenaires/", "/indicateurs/", "/recherche/?q=ancien"):
    reponse = client.get(adresse, follow=True)
    assert reponse.status_code == 200, (adresse, reponse.status_code)
assert "/partenaires/partenaire-ancien/" in client.get("/recherche/?q=ancien").content.decode()
"""


def colonnes(site: SiteJetable) -> dict[str, str]:
    return {table: " ".join(sorted(noms)) for table, noms in site.schema().items()}


def lignes_d_hier(site: SiteJetable) -> dict[str, list]:
    """Chaque ligne, réduite aux colonnes qu'avait le schéma précédent ; l'ordre des colonnes change en migrant."""
    # Celles-là suivent le code, pas les gens : `migrate` y ajoute ce que les nouveaux modèles apportent.
    du_code = ("django_migrations", "django_content_type", "auth_permission")
    return site.contenu({table: noms.split() for table, noms in PRECEDENT["tables"].items() if table not in du_code})


def test_le_schema_precedent_se_met_a_jour_sans_rien_perdre_et_le_site_le_lit(site):
    d_aujourd_hui = colonnes(site)
    site.executer(REVENIR)
    assert colonnes(site) == PRECEDENT["tables"]
    site.executer(ECRIRE)
    avant = lignes_d_hier(site)
    assert sum("avant " in ligne for ligne in avant["comptes_trace"]) == 6

    site.manage("sauvegarder", str(site.dossier / "avant.tar"))
    site.manage("migrate", "-v0")
    assert (colonnes(site), lignes_d_hier(site)) == (d_aujourd_hui, avant)
    site.executer(LIRE)

    # L'archive d'avant se restaure sur le code d'aujourd'hui : les migrations qui lui manquent s'appliquent.
    dit = site.manage("restaurer", str(site.dossier / "avant.tar"), "--sans-demander")
    assert "L'archive était plus ancienne" in dit
    apres = lignes_d_hier(site)
    traces = set(apres.pop("comptes_trace")) - set(avant.pop("comptes_trace"))
    assert (colonnes(site), apres) == (d_aujourd_hui, avant)
    assert len(traces) == 1
