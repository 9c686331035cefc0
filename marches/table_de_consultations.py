import django_tables2 as tables

from marches.consultations import Consultation
from marches.reponses import Reponse
from socle.formats import ABSENT, formater_date, typographie


class TableConsultations(tables.Table):
    """Des consultations annotées par `FiltreConsultations`."""

    numero = tables.Column(
        verbose_name="N°", linkify=True, order_by=("numero", "pk"), attrs={"a": {"class": "text-nowrap"}}
    )
    objet = tables.Column(order_by=("objet", "pk"))
    service = tables.Column(default=ABSENT, order_by=("service__nom", "pk"))
    procedure = tables.Column(verbose_name="Procédure", default=ABSENT, order_by=("procedure", "pk"))
    lancee_le = tables.Column(verbose_name="Lancée le", default=ABSENT, order_by=("lancee_le", "pk"))
    nombre_de_lots = tables.Column(verbose_name="Lots", default="0", order_by=("nombre_de_lots", "pk"))
    environnement = tables.Column(order_by=("environnement", "pk"))
    social = tables.Column(order_by=("social", "pk"))
    finalisee_le = tables.Column(verbose_name="Finalisée", order_by=("finalisee_le", "pk"), empty_values=())

    class Meta:
        model = Consultation
        fields = (
            *("numero", "objet", "service", "procedure", "lancee_le", "nombre_de_lots"),
            *("environnement", "social", "finalisee_le"),
        )
        order_by = ("-lancee_le",)
        empty_text = "Aucune consultation ne répond à ces critères."
        attrs = {"class": "table tableau"}

    def render_objet(self, value: str) -> str:
        return typographie(value if len(value) <= 140 else f"{value[:139]}…")

    def render_procedure(self, record: Consultation) -> str:
        return record.get_procedure_display()

    def render_lancee_le(self, value) -> str:
        return formater_date(value)

    def render_environnement(self, value: str) -> str:
        return Reponse(value).label

    def render_social(self, value: str) -> str:
        return Reponse(value).label

    def render_finalisee_le(self, record) -> str:
        if record.finalisee_le is not None:
            return formater_date(record.finalisee_le)
        return "Oui, date manquante" if record.finalisee else "Non"
