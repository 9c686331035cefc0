"""Pose l'index de PostgreSQL qui sert la recherche d'une consultation."""

from django.db import migrations

from socle.recherche import oter_l_index, poser_l_index


def poser(apps, schema_editor):
    poser_l_index(schema_editor, "marches_consultation")


def oter(apps, schema_editor):
    oter_l_index(schema_editor, "marches_consultation")


class Migration(migrations.Migration):
    dependencies = [("marches", "0001_registres_et_contrats")]

    operations = [migrations.RunPython(poser, oter)]
