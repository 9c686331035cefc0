"""Replie le texte des fiches déjà là, puis pose l'index de PostgreSQL."""

from django.db import migrations

from socle.recherche import oter_l_index, poser_l_index, remplir


def remplir_la_colonne(apps, schema_editor):
    remplir(apps.get_model("partenaires", "partenaire"), ("nom", "sigle", "alias", "description"))


def poser(apps, schema_editor):
    poser_l_index(schema_editor, "partenaires_partenaire")


def oter(apps, schema_editor):
    oter_l_index(schema_editor, "partenaires_partenaire")


class Migration(migrations.Migration):
    dependencies = [("partenaires", "0002_recherche")]

    operations = [migrations.RunPython(remplir_la_colonne, migrations.RunPython.noop), migrations.RunPython(poser, oter)]
