import django_tables2 as tables

from partenaires.models import Partenaire


class TablePartenaires(tables.Table):
    nom = tables.Column(verbose_name="Partenaire", linkify=("actions:partenaire", {"slug": tables.A("slug")}))
    type = tables.Column(verbose_name="Type", default="—", order_by=("type", "nom"))
    nombre_d_actions = tables.Column(verbose_name="Actions", order_by=("nombre_d_actions", "nom"))
    actif = tables.BooleanColumn(verbose_name="Actif", yesno="oui,non", order_by=("actif", "nom"))

    class Meta:
        model = Partenaire
        fields = ("nom", "type", "nombre_d_actions", "actif")
        order_by = ("nom",)
        empty_text = "Aucun partenaire enregistré."
        attrs = {"class": "table tableau"}

    def render_nom(self, record: Partenaire) -> str:
        return str(record)
