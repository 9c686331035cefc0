"""La table où l'API compte les demandes : un cache en base, dont aucun modèle ne décrit les colonnes."""

from django.core.management import call_command
from django.db import migrations

TABLE = "publication_limites"


def creer(apps, schema_editor):
    call_command("createcachetable", TABLE, database=schema_editor.connection.alias, verbosity=0)


def supprimer(apps, schema_editor):
    schema_editor.execute(f"DROP TABLE {schema_editor.quote_name(TABLE)}")


class Migration(migrations.Migration):
    dependencies = []

    operations = [migrations.RunPython(creer, supprimer)]
