import django_tables2 as tables

from indicateurs.models import Indicateur
from socle.formats import typographie


class TableIndicateurs(tables.Table):
    """Les indicateurs ; `chiffre` (ChiffreCle) est posé sur chaque ligne de la page."""

    intitule = tables.Column(
        verbose_name="Indicateur",
        linkify=("indicateurs:detail", {"code": tables.A("code")}),
        order_by=("intitule", "code"),
    )
    valeur = tables.TemplateColumn(
        template_name="indicateurs/_cellule_valeur.html", verbose_name="Dernière valeur", orderable=False
    )
    avant = tables.TemplateColumn(
        template_name="indicateurs/_cellule_avant.html", verbose_name="Année d'avant", orderable=False
    )
    objectif = tables.TemplateColumn(
        template_name="indicateurs/_cellule_objectif.html", verbose_name="Objectif", orderable=False
    )
    service = tables.Column(
        verbose_name="Service producteur", default="—", order_by=("service__nom", "intitule", "code")
    )

    class Meta:
        model = Indicateur
        fields = ("intitule", "valeur", "avant", "objectif", "service")
        order_by = ("intitule",)
        empty_text = "Aucun indicateur ne répond à ces critères."
        attrs = {"class": "table tableau"}

    def render_intitule(self, value: str) -> str:
        return typographie(value)
