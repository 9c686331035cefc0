import django_tables2 as tables

from indicateurs.models import Indicateur


class TableIndicateurs(tables.Table):
    """Les indicateurs ; `derniere` (ValeurAnnuelle ou None) est posée sur chaque ligne de la page."""

    intitule = tables.Column(
        verbose_name="Indicateur",
        linkify=("indicateurs:detail", {"code": tables.A("code")}),
        order_by=("intitule", "code"),
    )
    nature = tables.Column(verbose_name="Nature", order_by=("nature", "intitule", "code"))
    service = tables.Column(
        verbose_name="Service producteur", default="—", order_by=("service__nom", "intitule", "code")
    )
    derniere = tables.TemplateColumn(
        template_name="indicateurs/_cellule_valeur.html", verbose_name="Dernière valeur", orderable=False
    )

    class Meta:
        model = Indicateur
        fields = ("intitule", "nature", "service", "derniere")
        order_by = ("intitule",)
        empty_text = "Aucun indicateur enregistré."
        attrs = {"class": "table tableau"}
