"""Un plan synthétique où chaque champ d'un bilan a une valeur : de quoi voir qu'aucun ne se perd."""

import datetime
from decimal import Decimal

from actions.models import Axe, PartenaireDuPlan, Plan
from actions.plans import LabelDePlan
from actions.statuts import Priorite
from actions.suivi import PorteeDeNote
from bilans.models import Bilan, Section
from comptes.droits import Role
from comptes.models import Collectivite
from indicateurs.listes import Etat, Nature, OrigineDeCible, OrigineDeValeur, Sens
from indicateurs.models import Dimension, Indicateur, ValeurAnnuelle
from partenaires.models import Partenaire, TypeDePartenaire
from socle.echeances import Echeance
from tests import fabriques
from tests.fabriques_resultats import resultat

ANNEE = 2023
ENTREE = datetime.date(2022, 3, 1)


def plan_riche() -> Plan:
    """Rien d'une personne n'y est dans les textes ; une action est retirée, une sans statut connu, une cachée."""
    Collectivite.objects.update_or_create(id=1, defaults={"nom": "Agglomération d'essai", "sigle": "AE"})
    plan = fabriques.plan(
        intitule="Développer une commande publique responsable",
        label=LabelDePlan.FICHE_ACTION,
        description="Acheter moins, acheter mieux.\nUne fiche action synthétique.",
        annee_debut=2022,
        annee_fin=2026,
        affiche_avancement=True,
    )
    partenaires = _partenaires(plan)
    _actions(plan, partenaires)
    _indicateurs(plan)
    textes = {f"commentaire_{section.value}": f"Commentaire : {section.label.lower()}." for section in Section}
    Bilan.objects.create(plan=plan, annee=ANNEE, avant_propos="Un avant-propos.\n\nEn deux paragraphes.", **textes)
    return plan


def _partenaires(plan: Plan) -> list[Partenaire]:
    """Deux du plan, et un qu'une action seule nomme."""
    partenaires = [
        fabriques.partenaire(
            "Réseau d'essai", sigle="RE", type=TypeDePartenaire.RESEAU_ACHETEURS, site="https://reseau.exemple.fr/"
        ),
        fabriques.partenaire("Chambre d'essai", type=TypeDePartenaire.CHAMBRE_CONSULAIRE),
        fabriques.partenaire("Association « L'Essai »", sigle="L'E", type=TypeDePartenaire.ASSOCIATION),
    ]
    for ordre, partenaire in enumerate(partenaires[:2]):
        PartenaireDuPlan.objects.create(plan=plan, partenaire=partenaire, ordre=ordre)
    return partenaires


def _actions(plan: Plan, partenaires: list[Partenaire]) -> None:
    auteur = fabriques.utilisateur(Role.RESPONSABLE)
    former = Axe.objects.create(plan=plan, code="A1", intitule="Former", ordre=1)
    acheter = Axe.objects.create(plan=plan, code="A2", intitule="Acheter autrement", ordre=2)
    communs = {"auteur": auteur, "date_effet": ENTREE, "service_pilote": fabriques.service("Commande publique")}
    terminee = fabriques.action(
        plan,
        intitule="Former les acheteurs ; 100 % d'entre eux",
        description="Trois sessions par an.",
        axe=former,
        statut="EN_COURS",
        echeance=Echeance.lire("T4 2023"),
        priorite=Priorite.HAUTE,
        partenaires=partenaires[:1],
        **communs,
    )
    terminee.changer_statut(
        "TERMINEE", auteur=auteur, version=terminee.version, date_effet=datetime.date(2023, 11, 15)
    )
    terminee.noter("Deux sessions tenues.", auteur=auteur, le=datetime.date(2023, 6, 1), portee=PorteeDeNote.BILAN)
    terminee.noter("Le formateur est à relancer.", auteur=auteur, le=datetime.date(2023, 6, 2))
    en_cours = {"statut": "EN_COURS", "avancement": 40, "echeance": Echeance.lire("30/06/2023")}
    fabriques.action(
        plan, intitule="Recenser les achats", axe=acheter, priorite=Priorite.NORMALE, **en_cours, **communs
    )
    fabriques.action(
        plan,
        intitule="Bâtir le réseau régional",
        axe=acheter,
        echeance=Echeance.lire("2026"),
        partenaires=[partenaires[2], partenaires[0]],
        **communs,
    )
    sans_statut = fabriques.action(plan, intitule="Étudier le réemploi", auteur=auteur, date_effet=ENTREE)
    sans_statut.changementdestatuts.model._base_manager.filter(action=sans_statut).delete()
    fabriques.action(
        plan, intitule="Préparer un contentieux", axe=former, visible_du_public=False, priorite="BASSE", **communs
    )
    retiree = fabriques.action(plan, intitule="Tenir un salon", **communs)
    retiree.retirer(
        auteur=auteur,
        version=retiree.version,
        motif="Reporté au plan suivant.",
        date_effet=datetime.date(2023, 9, 1),
    )


def _indicateurs(plan: Plan) -> None:
    """Un compte, un montant ventilé, des parts (dénominateur du plan, hors du plan, propre, telle que publiée), un
    montant retenu d'un calcul, un indisponible."""
    service = fabriques.service("Statistiques")
    consultations = fabriques.indicateur(
        plan,
        code="consultations",
        intitule="Nombre de consultations",
        definition="Consultations lancées dans l'année.",
        mode_de_calcul="Compter le registre.",
        unite="consultations",
        source="Registre",
        service=service,
    )
    fabriques.valeur(consultations, 2022, valeur=Decimal(150), etat=Etat.VALIDEE)
    heures = {"code": "heures", "intitule": "Heures d'insertion", "nature": Nature.MONTANT, "unite": "h"}
    par_public = {"RSA": Decimal("1000.25"), "DELD": Decimal("234.25")}
    ventile = fabriques.indicateur(plan, **heures)
    dimension = Dimension.objects.create(indicateur=ventile, nom="public")
    _donner(ventile, valeur=Decimal("1234.5"), ventilation={dimension: par_public})
    _donner(consultations, valeur=Decimal(166), etat=Etat.VALIDEE, libelle="consultations lancées")
    part = {"nature": Nature.PART, "unite": "%", "sens": Sens.HAUSSE}
    deduite = fabriques.indicateur(
        plan, code="clauses", intitule="Part avec clause sociale", denominateur=consultations, decimales=1, **part
    )
    _donner(deduite, numerateur=Decimal(42), remarque="Calculée sur le registre.", rupture="Le registre a changé.")
    fabriques.cible(deduite, 2025, Decimal("33.3"), reference="Délibération du 12/01/2022")
    fabriques.cible(deduite, 2025, 30, origine=OrigineDeCible.OBLIGATION, reference="Article L. 2111-3")
    ailleurs = fabriques.indicateur(code="hors-plan", intitule="Marchés de la région")
    _donner(ailleurs, valeur=Decimal(320))
    rapportee = fabriques.indicateur(plan, code="region", intitule="Part régionale", denominateur=ailleurs, **part)
    _donner(rapportee, numerateur=Decimal(17))
    propre = fabriques.indicateur(plan, code="propre", intitule="Part propre", denominateur=consultations, **part)
    _donner(propre, numerateur=Decimal("2.5"), denominateur=Decimal(7))
    publiee = fabriques.indicateur(plan, code="env", intitule="Part environnementale", chiffre_cle=False, **part)
    _donner(publiee, valeur=Decimal(25), origine=OrigineDeValeur.PAGE_PUBLIEE, source="Page publiée, 2024")
    montant = fabriques.indicateur(plan, code="montant", intitule="Montant notifié", nature=Nature.MONTANT, unite="€")
    _donner(
        montant,
        valeur=Decimal("1234567.89"),
        origine=OrigineDeValeur.CALCUL,
        resultat=resultat("marches_notifies", ANNEE, numerateur=Decimal("1234567.89")),
    )
    absent = fabriques.indicateur(plan, code="absent", intitule="Émissions", unite="tCO2e", sens=Sens.BAISSE)
    _donner(absent, indisponible=True, motif_indisponibilite="Le bilan carbone paraît en 2025.")


def _donner(indicateur: Indicateur, *, ventilation=None, **champs) -> None:
    champs.setdefault("connue_le", datetime.date(2023, 12, 31))
    ValeurAnnuelle(indicateur=indicateur, annee=ANNEE, **champs).enregistrer(ventilation=ventilation)
