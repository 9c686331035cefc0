import django_tables2 as tables
from django.template.loader import render_to_string
from django.utils.html import format_html

from actions.models import Action
from actions.statuts import Mouvement
from actions.templatetags.actions import statut_en_place
from comptes.droits import Droit, peut
from comptes.models import Utilisateur
from socle.formats import typographie
from socle.instants import AUJOURD_HUI, Instant
from socle.templatetags.instants import a_l_instant

# Ce qui départage deux lignes égales : sans lui, une page pourrait répéter ou sauter une action.
RANG = ("plan_id", "numero")


class TableActions(tables.Table):
    """La liste des actions, annotées par `etat_au` et `avec_retard`. `instant` : passé, rien ne s'y change.

    `choisir_pour` : celui à qui proposer des cases, sur les lignes qu'il peut changer ; None, la liste n'en a pas.
    """

    choix = tables.Column(verbose_name="Choisir", orderable=False, empty_values=(), accessor="pk")
    numero = tables.Column(verbose_name="N°", order_by=RANG)
    intitule = tables.Column(verbose_name="Action", order_by=("intitule", *RANG))
    statut = tables.Column(verbose_name="Statut", order_by=("etat_statut", *RANG), empty_values=())
    axe = tables.Column(default="—", order_by=("axe__ordre", *RANG))
    service_pilote = tables.Column(verbose_name="Service", default="—", order_by=("service_pilote__nom", *RANG))
    pilote = tables.Column(default="—", order_by=("pilote__nom", "pilote__prenom", "pilote__username", *RANG))
    echeance = tables.Column(verbose_name="Échéance", order_by=("etat_echeance", *RANG), empty_values=())
    priorite = tables.Column(default="—", order_by=("priorite", *RANG))

    class Meta:
        model = Action
        fields = ("choix", "numero", "intitule", "statut", "axe", "service_pilote", "pilote", "echeance", "priorite")
        order_by = ("numero",)
        empty_text = "Aucune action ne répond à ces critères."
        attrs = {"class": "table tableau tableau-actions"}

    def __init__(
        self, *args, instant: Instant = AUJOURD_HUI, choisir_pour: Utilisateur | None = None, **kwargs
    ) -> None:
        if choisir_pour is None:
            kwargs["exclude"] = (*kwargs.get("exclude", ()), "choix")
        super().__init__(*args, **kwargs)
        self.instant = instant
        self.choisir_pour = choisir_pour

    def render_choix(self, record: Action) -> str:
        """Une case du formulaire « selection » de la page : la ligne a déjà les siens, pour le statut."""
        permise = self.choisir_pour is not None and peut(self.choisir_pour, Droit.MODIFIER_EN_NOMBRE, record)
        if not permise or record.etat_presence == Mouvement.RETRAIT:
            return ""
        return format_html(
            '<label class="case">'
            '<input class="form-check-input" type="checkbox" form="selection" name="action" value="{}">'
            '<span class="visually-hidden">Choisir l\'action {}</span></label>',
            record.pk,
            record.numero,
        )

    def render_intitule(self, value: str, record: Action) -> str:
        adresse = f"{record.get_absolute_url()}{a_l_instant(self.instant)}"
        return format_html('<a href="{}">{}</a>', adresse, typographie(value))

    def render_statut(self, record: Action) -> str:
        # `context` : celui de la page, que render_table prête à la table.
        bloc = statut_en_place(self.context, record, fige=self.instant.passe)
        return render_to_string("actions/_statut_en_place.html", bloc)

    def render_echeance(self, record: Action) -> str:
        return str(record.valeur_echeance or "—")
