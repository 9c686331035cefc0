import django_tables2 as tables

from marches.models import Contrat
from marches.signalements import signalements_de
from socle.formats import formater_date, formater_montant, typographie

# Ce qui départage deux lignes égales : sans lui, une page pourrait répéter ou sauter un contrat.
RANG = ("-pk",)
TITULAIRES_MONTRES = 3


class TableContrats(tables.Table):
    """La liste des contrats, leurs titulaires lus d'avance."""

    date = tables.Column(verbose_name="Notifié le", order_by=("date", *RANG), empty_values=())
    objet = tables.Column(verbose_name="Objet", linkify=True, order_by=("objet", *RANG), empty_values=())
    titulaires = tables.Column(verbose_name="Titulaires", orderable=False, empty_values=())
    montant = tables.Column(verbose_name="Montant HT", order_by=("montant", *RANG), empty_values=())
    environnement = tables.Column(verbose_name="Environnement", order_by=("environnement", *RANG))
    social = tables.Column(verbose_name="Social", order_by=("social", *RANG))
    signalements = tables.Column(verbose_name="Signalements", accessor="pk", orderable=False)

    class Meta:
        model = Contrat
        fields = ("date", "objet", "titulaires", "montant", "environnement", "social", "signalements")
        order_by = ("-date",)
        empty_text = "Aucun contrat ne répond à ces critères."
        attrs = {"class": "table tableau"}

    def render_date(self, record: Contrat) -> str:
        return formater_date(record.date)

    def render_objet(self, record: Contrat) -> str:
        return typographie(str(record))

    def render_titulaires(self, record: Contrat) -> str:
        noms = [str(titulaire) for titulaire in record.titulaires.all()]
        reste = len(noms) - TITULAIRES_MONTRES
        montres = noms[:TITULAIRES_MONTRES] + ([f"et {reste} autres"] if reste > 1 else noms[TITULAIRES_MONTRES:])
        return ", ".join(montres) or "—"

    def render_montant(self, record: Contrat) -> str:
        return formater_montant(record.montant, 0)

    def render_signalements(self, record: Contrat) -> str:
        return typographie(" ; ".join(signalement.phrase for signalement in signalements_de(record)) or "—")
