import django_tables2 as tables
from django.utils.html import format_html

from indicateurs.models import Indicateur
from socle.formats import typographie
from socle.instants import AUJOURD_HUI, Instant
from socle.templatetags.instants import a_l_instant


class TableIndicateurs(tables.Table):
    """Les indicateurs ; `chiffre` (ChiffreCle) est posé sur chaque ligne de la page, pour cet instant."""

    intitule = tables.Column(verbose_name="Indicateur", order_by=("intitule", "code"))
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

    def __init__(self, *args, instant: Instant = AUJOURD_HUI, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.instant = instant

    def render_intitule(self, value: str, record: Indicateur) -> str:
        adresse = f"{record.get_absolute_url()}{a_l_instant(self.instant)}"
        return format_html('<a href="{}">{}</a>', adresse, typographie(value))
