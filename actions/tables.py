import django_tables2 as tables
from django.template.loader import render_to_string

from actions.models import Action
from actions.templatetags.actions import statut_en_place
from socle.formats import typographie

# Ce qui départage deux lignes égales : sans lui, une page pourrait répéter ou sauter une action.
RANG = ("plan_id", "numero")


class TableActions(tables.Table):
    """La liste des actions, annotées par `etat_au` et `avec_retard`. `fige` : situation passée, sans geste."""

    numero = tables.Column(verbose_name="N°", order_by=RANG)
    intitule = tables.Column(verbose_name="Action", linkify=True, order_by=("intitule", *RANG))
    statut = tables.Column(verbose_name="Statut", order_by=("etat_statut", *RANG), empty_values=())
    axe = tables.Column(default="—", order_by=("axe__ordre", *RANG))
    service_pilote = tables.Column(verbose_name="Service", default="—", order_by=("service_pilote__nom", *RANG))
    pilote = tables.Column(default="—", order_by=("pilote__nom", "pilote__prenom", "pilote__username", *RANG))
    echeance = tables.Column(verbose_name="Échéance", order_by=("etat_echeance", *RANG), empty_values=())
    priorite = tables.Column(default="—", order_by=("priorite", *RANG))

    class Meta:
        model = Action
        fields = ("numero", "intitule", "statut", "axe", "service_pilote", "pilote", "echeance", "priorite")
        order_by = ("numero",)
        empty_text = "Aucune action ne répond à ces critères."
        attrs = {"class": "table tableau tableau-actions"}

    def __init__(self, *args, fige: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fige = fige

    def render_intitule(self, value: str) -> str:
        return typographie(value)

    def render_statut(self, record: Action) -> str:
        # `context` : celui de la page, que render_table prête à la table.
        bloc = statut_en_place(self.context, record, fige=self.fige)
        return render_to_string("actions/_statut_en_place.html", bloc)

    def render_echeance(self, record: Action) -> str:
        return str(record.valeur_echeance or "—")
