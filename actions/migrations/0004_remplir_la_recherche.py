"""Replie le texte des actions et des notes déjà là, puis pose les index de PostgreSQL."""

from django.db import migrations

from socle.recherche import oter_l_index, poser_l_index, remplir

TABLES = ("actions_action", "actions_notedesuivi", "actions_document")


def remplir_les_colonnes(apps, schema_editor):
    remplir(apps.get_model("actions", "Action"), ("intitule", "description", "attention"))
    remplir(apps.get_model("actions", "NoteDeSuivi"), ("texte",))


def poser(apps, schema_editor):
    for table in TABLES:
        poser_l_index(schema_editor, table)


def oter(apps, schema_editor):
    for table in TABLES:
        oter_l_index(schema_editor, table)


class Migration(migrations.Migration):
    dependencies = [("actions", "0003_travail_quotidien")]

    operations = [
        migrations.RunPython(remplir_les_colonnes, migrations.RunPython.noop),
        migrations.RunPython(poser, oter),
    ]
