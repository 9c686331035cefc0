"""Les colonnes du classeur des actions, dites une fois : l'export les écrit, l'import les retrouve à leur titre."""

from dataclasses import dataclass

from actions.champs import LIBELLES
from socle.formats import plier

# Ce qui n'est pas un champ de `actions.champs` : retrouver la ligne, la situer, ou accompagner une saisie.
IDENTIFIANT, VERSION, PLAN, DATE_EFFET, MOTIF = "identifiant", "version", "plan", "date_effet", "motif"
AUTRES_TITRES = {
    IDENTIFIANT: "Identifiant",
    VERSION: "Version",
    PLAN: "Plan",
    DATE_EFFET: "Date d'effet du statut",
    MOTIF: "Motif du report",
}


@dataclass(frozen=True)
class Colonne:
    """`champ` : celui d'`actions.champs.LIBELLES`, ou l'un d'AUTRES_TITRES. `aussi` : les autres titres reconnus."""

    champ: str
    titre: str
    aussi: tuple[str, ...] = ()

    @property
    def a_remplir(self) -> bool:
        """Vide à l'export : ce qu'elle dit n'est gardé que par la ligne de journal qu'elle accompagne."""
        return self.champ in (DATE_EFFET, MOTIF)

    @property
    def technique(self) -> bool:
        """À ne pas toucher : ce qui relie la ligne à l'action."""
        return self.champ in (IDENTIFIANT, VERSION)


def _colonne(champ: str, *aussi: str) -> Colonne:
    return Colonne(champ, LIBELLES[champ] if champ in LIBELLES else AUTRES_TITRES[champ], aussi)


# Dans l'ordre du classeur.
COLONNES = (
    _colonne("numero", "Numéro", "N", "No", "Num", "Numéro de l'action", "N° de l'action"),
    _colonne("intitule", "Intitulé", "Intitulé de l'action", "Titre", "Libellé", "Nom de l'action"),
    _colonne("axe", "Axe du plan"),
    _colonne("statut", "Statut de l'action", "État", "État de l'action"),
    _colonne(DATE_EFFET, "Date d'effet", "Statut depuis le", "Date du statut"),
    _colonne("avancement", "Avancement", "% d'avancement", "Avancement en %", "Taux d'avancement"),
    _colonne("echeance", "Date d'échéance", "Date de fin", "Fin"),
    _colonne(MOTIF, "Motif", "Motif du report d'échéance"),
    _colonne("service_pilote", "Service", "Direction", "Service responsable"),
    _colonne("pilote", "Responsable", "Référent", "Pilote de l'action"),
    _colonne("suppleant", "Suppléant", "Suppléante"),
    _colonne("elu_referent", "Élu référent", "Élue référente", "Élu"),
    _colonne("priorite", "Niveau de priorité"),
    _colonne("description", "Descriptif", "Détail"),
    _colonne("partenaires", "Partenaire"),
    _colonne("references", "Références", "Autres cadres de référence"),
    _colonne("date_debut", "Date de début", "Démarrage"),
    _colonne("budget_previsionnel", "Budget prévu", "Budget prévisionnel (€)", "Budget"),
    _colonne("budget_realise", "Budget réalisé (€)", "Budget dépensé"),
    _colonne("attention_nature", "Nature du point d'attention"),
    _colonne("attention", "Point d'attention (texte)", "Commentaire du point d'attention"),
    _colonne("visible_du_public", "Public", "Visible"),
    _colonne(PLAN, "Intitulé du plan"),
    _colonne(IDENTIFIANT, "Id"),
    _colonne(VERSION),
)

_PAR_TITRE = {
    plier(titre): colonne for colonne in COLONNES for titre in (colonne.titre, colonne.champ, *colonne.aussi)
}


def colonne_de(titre: str) -> Colonne | None:
    """La colonne que ce titre nomme, sans souci d'accents, de casse ni d'espaces ; None s'il n'en nomme aucune."""
    return _PAR_TITRE.get(plier(titre).strip(" *:."))
