from django.db import migrations

ROLES = ["lecteur", "agent", "responsable", "administrateur"]


def creer(apps, schema_editor):
    groupes = apps.get_model("auth", "Group").objects
    for role in ROLES:
        groupes.get_or_create(name=role)


def retirer(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    dependencies = [("comptes", "0001_initiale"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [migrations.RunPython(creer, retirer)]
