import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from actions.models import Action
from actions.templatetags.actions import badge_retard, badge_statut
from comptes.droits import Droit, Portee, portee
from socle.formats import typographie

LIEN_DE_GESTE = (
    '{} <a class="geste" href="{}">Changer<span class="visually-hidden"> le statut de l’action {}</span></a>'
)


# Ce qui départage deux lignes égales : sans lui, une page pourrait répéter ou sauter une action.
RANG = ("plan_id", "numero")


class TableActions(tables.Table):
    """La liste des actions. Lignes annotées par `etat_au` et `avec_retard` ; `utilisateur` est celui qui regarde :
    le statut d'une ligne qu'il peut changer est un lien vers le geste. `fige` : situation passée, sans geste."""

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
        attrs = {"class": "table tableau"}

    def __init__(self, *args, utilisateur, fige: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.utilisateur = utilisateur
        self.portee = Portee.RIEN if fige else portee(utilisateur, Droit.METTRE_A_JOUR)

    def render_intitule(self, value: str) -> str:
        return typographie(value)

    def render_statut(self, record: Action) -> SafeString:
        badge = badge_statut(record.etat_statut)
        if record.attention:
            badge = format_html('{} <span class="attention">{}</span>', badge, record.get_attention_nature_display())
        if self._peut_changer(record):
            return format_html(
                LIEN_DE_GESTE,
                badge,
                record.adresse_du_statut,
                record.numero,
            )
        return badge

    def render_echeance(self, record: Action) -> SafeString:
        return format_html("{} {}", record.valeur_echeance or "—", badge_retard(record.est_en_retard))

    def _peut_changer(self, record: Action) -> bool:
        if self.portee is Portee.SIENS:
            return record.releve_de(self.utilisateur)
        return self.portee is Portee.TOUT
