"""Chaque contrainte nommée, enfreinte sans passer par le modèle : la base refuse, et le modèle le dit en français."""

import datetime
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction

from actions.models import (
    Action,
    Axe,
    Campagne,
    ChangementDeStatut,
    Comite,
    DemandeDActualisation,
    DepotDeClasseur,
    Document,
    Etape,
    NoteDeSuivi,
    PartenaireDeLAction,
    PartenaireDuPlan,
    Plan,
    PresenceAuPlan,
    ReferenceCadre,
    ReportEcheance,
)
from bilans.models import Bilan, Tirage, VersionDeBilan
from comptes.gestes import LigneDeLot, Lot, Trace
from comptes.models import Collectivite, Courriel, Service, Utilisateur
from exploitation.models import Bordereau
from indicateurs.listes import Nature
from indicateurs.models import (
    Cible,
    Collecte,
    DemandeDeValeur,
    Dimension,
    Indicateur,
    IndicateurDuPlan,
    Justificatif,
    LigneDeVentilation,
    ValeurAnnuelle,
)
from marches.consultations import Consultation, LotDeConsultation
from marches.correspondances import CorrespondanceDeColonnes
from marches.models import (
    BudgetDeMandats,
    Contrat,
    CorrectionDeContrat,
    EnregistrementDecp,
    Generation,
    ImportDecp,
    ImportDeMandats,
    MorceauDeFichier,
    ResultatDeCalcul,
    TotalDeMandats,
)
from partenaires.models import Convention, Partenaire
from tests import fabriques, fabriques_decp
from tests.fabriques_marches import consultation

JOUR = datetime.date(2024, 1, 1)
CHOIX = "pas un choix valide"
MOMENT = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
INCONNU = "ZZ"  # dans aucune liste fermée, et tient dans chaque colonne


@dataclass(frozen=True)
class Infraction:
    """Une ligne qui enfreint la contrainte `nom`.

    `avec` : l'autre contrainte que cette ligne enfreint forcément. `dit` : ce que la validation complète répond
    quand le champ ou `clean()` parle avant la contrainte.
    """

    nom: str
    ligne: Callable[[], models.Model]
    avec: str = ""
    dit: str = ""

    def __str__(self) -> str:
        return self.nom


def action(**champs) -> Action:
    return Action(plan=fabriques.plan(), numero=1, intitule="x", **champs)


def double(premier: models.Model, **champs) -> models.Model:
    """La même ligne une seconde fois, après avoir écrit la première."""
    type(premier)._base_manager.bulk_create([premier])
    copie = type(premier)(**{c.attname: getattr(premier, c.attname) for c in premier._meta.concrete_fields})
    copie.pk = None
    for champ, valeur in champs.items():
        setattr(copie, champ, valeur)
    return copie


def correction(journal: type[models.Model], **valeurs) -> models.Model:
    """Une seconde correction de la même ligne."""
    premiere = journal.ecrire(fabriques.action(date_effet=JOUR), date_effet=JOUR, **valeurs)
    premiere.corriger()
    return journal(action=premiere.action, date_effet=JOUR, annule=premiere, **valeurs)


def denominateur_de_lui_meme() -> Indicateur:
    part = indicateur(id=999_999, nature=Nature.PART)
    part.denominateur = part
    return part


def boucle(journal: type[models.Model], **valeurs) -> models.Model:
    return journal(id=999_999, annule_id=999_999, action=fabriques.action(), date_effet=JOUR, **valeurs)


def bordereau(**champs) -> Bordereau:
    serie = {"code": "courriels", "libelle": "x", "du": "2020-01-01", "au": "2020-01-01", "cles": [1]}
    return Bordereau(**{"avant": JOUR, "series": [serie], "nombre": 1, "empreinte": "0" * 64} | champs)


def changement(**valeurs) -> ChangementDeStatut:
    return ChangementDeStatut(action=fabriques.action(), date_effet=JOUR, **valeurs)


def report(**valeurs) -> ReportEcheance:
    return ReportEcheance(action=fabriques.action(), date_effet=JOUR, **valeurs)


def presence(**valeurs) -> PresenceAuPlan:
    return PresenceAuPlan(action=fabriques.action(), date_effet=JOUR, **valeurs)


def indicateur(**champs) -> Indicateur:
    return Indicateur(**{"code": "nouveau", "intitule": "x", "nature": Nature.COMPTE, **champs})


def valeur(**champs) -> ValeurAnnuelle:
    if "valeur" in champs:
        champs["valeur"] = Decimal(champs["valeur"])
    return ValeurAnnuelle(indicateur=fabriques.indicateur(nature=Nature.PART), annee=2023, **champs)


def collecte(**champs) -> Collecte:
    return Collecte(**{"plan": fabriques.plan(), "annee": 2023, "avant_le": datetime.date(2199, 1, 1), **champs})


def demandee(**champs) -> DemandeDeValeur:
    ouverte = collecte()
    ouverte.save()
    return DemandeDeValeur(**{"collecte": ouverte, "indicateur": fabriques.indicateur(), **champs})


def ventilee(**champs) -> LigneDeVentilation:
    compte = fabriques.indicateur()
    dimension = Dimension.objects.create(indicateur=compte, nom="par nature")
    total = fabriques.valeur(compte, 2023, valeur=Decimal(1))
    return LigneDeVentilation(
        **{"valeur": total, "dimension": dimension, "modalite": "Travaux", "nombre": Decimal(1), **champs}
    )


def justificatif(**champs) -> Justificatif:
    return Justificatif(valeur=fabriques.valeur(fabriques.indicateur(), 2023, valeur=Decimal(1)), titre="x", **champs)


def total(**champs) -> TotalDeMandats:
    budget = BudgetDeMandats.objects.create(code="principal", nom="Budget principal", base="HT")
    fait = ImportDeMandats.objects.create(budget=budget, annee=2023)
    return TotalDeMandats(import_de_mandats=fait, nombre=1, montant=Decimal(1), **champs)


def morceau() -> MorceauDeFichier:
    return MorceauDeFichier(import_decp=ImportDecp.objects.create(nom="x"), rang=0, octets=b"x")


def publie(**champs) -> EnregistrementDecp:
    champs = {"source": "OFFICIELLE", "format": "json-v2", "siren": "243400470", "groupe": "x", **champs}
    return EnregistrementDecp(
        import_decp=fabriques_decp.fichier(), position=1, empreinte="x", brut="{}", de=1, **champs
    )


def contrat(**champs) -> Contrat:
    reponses = {"environnement": "OUI", "social": "OUI"}
    communs = {"groupe": "x", "empreinte": "x", "siren": "243400470", "siret": "24340047000012", "de": 1}
    return Contrat(**(communs | reponses | champs))


def corrigee(**champs) -> CorrectionDeContrat:
    signee = {"motif": "x", "auteur": fabriques.utilisateur()}
    return CorrectionDeContrat(**{"souche": uuid.uuid4(), "champ": "MONTANT", "valeur": "1", **signee, **champs})


def garde(**champs) -> ResultatDeCalcul:
    periode = {"debut": datetime.date(2024, 1, 1), "fin": datetime.date(2024, 12, 31)}
    return ResultatDeCalcul(code="marches_notifies", perimetre="243400470", empreinte="x", **periode, **champs)


def cible(**champs) -> Cible:
    return Cible(**{"indicateur": fabriques.indicateur(), "annee": 2023, "valeur": Decimal(1), **champs})


def meme_personne() -> Action:
    compte = fabriques.utilisateur()
    return action(pilote=compte, suppleant=compte)


def ligne_de_lot() -> LigneDeLot:
    lot = Lot.objects.create(intitule="x")
    contenu = apps.get_model("contenttypes", "ContentType").objects.get_for_model(Action)
    return LigneDeLot(lot=lot, type_d_objet=contenu, id_objet=1, champ="statut")


def lot_de_consultation(**champs) -> LotDeConsultation:
    return LotDeConsultation(consultation=consultation(lots=[]), **champs)


def courriel(**champs) -> Courriel:
    return Courriel(
        cle="x", destinataire=fabriques.utilisateur(), adresse="a@b.fr", objet="x", texte="x", html="x", **champs
    )


def demande() -> DemandeDActualisation:
    action = fabriques.action()
    campagne = Campagne.objects.create(plan=action.plan, avant_le=JOUR)
    return DemandeDActualisation(campagne=campagne, action=action)


def bilan(**champs) -> Bilan:
    return Bilan(**{"plan": fabriques.plan(), "annee": 2023, **champs})


def version_de_bilan(**champs) -> VersionDeBilan:
    """D'un bilan enregistré."""
    de = bilan()
    Bilan._base_manager.bulk_create([de])
    contenus = {"contenu_interne": "{}", "contenu_public": "{}", "empreinte_interne": "x", "empreinte_publique": "x"}
    return VersionDeBilan(**{"bilan": de, "rang": 1, "schema": 1, **contenus, **champs})


def tirage(**champs) -> Tirage:
    return Tirage(bilan=version_de_bilan().bilan, **champs)


EN_COURS = {"statut": "EN_COURS"}

INFRACTIONS = [
    # comptes
    Infraction("collectivite_unique", lambda: Collectivite(id=2, nom="Seconde")),
    Infraction("service_nom_unique", lambda: double(Service(nom="Achats"), nom="ACHATS")),
    Infraction(
        "utilisateur_courriel_unique",
        lambda: double(Utilisateur(username="a", password="!", courriel="a@b.fr"), username="b", courriel="A@B.fr"),
    ),
    Infraction("lignedelot_champ_une_fois", lambda: double(ligne_de_lot())),
    Infraction("trace_geste_connu", lambda: Trace(geste=INCONNU), dit=CHOIX),
    Infraction("courriel_envoye_ou_abandonne", lambda: courriel(envoye_le=MOMENT, abandonne_le=MOMENT)),
    # exploitation
    Infraction("bordereau_elimine_sous_visa", lambda: bordereau(elimine_le=MOMENT)),
    Infraction("bordereau_au_moins_une_ligne", lambda: bordereau(nombre=0)),
    # partenaires
    Infraction("partenaire_nom_unique", lambda: double(Partenaire(nom="Résô", slug="a"), nom="résô", slug="b")),
    Infraction("partenaire_type_connu", lambda: Partenaire(nom="x", slug="x", type=INCONNU), dit=CHOIX),
    Infraction(
        "convention_dates_ordonnees",
        lambda: Convention(
            partenaire=fabriques.partenaire(), intitule="x", debut=JOUR, fin=JOUR - datetime.timedelta(1)
        ),
    ),
    # actions : plan
    Infraction("plan_annees_ordonnees", lambda: Plan(intitule="x", slug="x", annee_debut=2024, annee_fin=2023)),
    Infraction("plan_label_connu", lambda: Plan(intitule="x", slug="x", label=INCONNU), dit=CHOIX),
    Infraction(
        "partenaireduplan_une_fois",
        lambda: double(PartenaireDuPlan(plan=fabriques.plan(), partenaire=fabriques.partenaire())),
    ),
    Infraction("axe_intitule_unique", lambda: double(Axe(plan=fabriques.plan(), intitule="Axe"))),
    # actions : action
    Infraction("action_numero_unique", lambda: double(action())),
    Infraction("action_statut_connu", lambda: action(statut=INCONNU), avec="action_avancement_coherent"),
    Infraction("action_avancement_coherent", lambda: action(statut="TERMINEE", avancement=40)),
    Infraction("action_avancement_coherent", lambda: action(statut="TERMINEE", avancement=None)),
    Infraction("action_avancement_coherent", lambda: action(statut="NON_INITIEE", avancement=None)),
    Infraction("action_avancement_coherent", lambda: action(statut="EN_COURS", avancement=0)),
    Infraction("action_avancement_coherent", lambda: action(statut=None, avancement=40)),
    Infraction("action_point_attention_complet", lambda: action(attention="Sans nature")),
    Infraction("action_point_attention_complet", lambda: action(attention_nature="ARBITRAGE")),
    Infraction("action_nature_attention_connue", lambda: action(attention="x", attention_nature=INCONNU), dit=CHOIX),
    Infraction("action_priorite_connue", lambda: action(priorite=INCONNU), dit=CHOIX),
    Infraction("action_suppleant_distinct", meme_personne),
    Infraction(
        "action_budget_positif", lambda: action(budget_previsionnel=Decimal(-1)), dit="supérieure ou égale à 0"
    ),
    Infraction(
        "action_budget_positif", lambda: action(budget_realise=Decimal("-0.01")), dit="supérieure ou égale à 0"
    ),
    Infraction(
        "partenairedelaction_une_fois",
        lambda: double(PartenaireDeLAction(action=fabriques.action(), partenaire=fabriques.partenaire())),
    ),
    Infraction(
        "partenairedelaction_role_connu",
        lambda: PartenaireDeLAction(action=fabriques.action(), partenaire=fabriques.partenaire(), role=INCONNU),
        dit=CHOIX,
    ),
    Infraction(
        "referencecadre_une_fois",
        lambda: double(ReferenceCadre(action=fabriques.action(), cadre="PCAET", code="1")),
    ),
    Infraction(
        "notedesuivi_portee_connue",
        lambda: NoteDeSuivi(action=fabriques.action(), date=JOUR, texte="x", portee=INCONNU),
        dit=CHOIX,
    ),
    Infraction("etape_precision_coherente", lambda: Etape(action=fabriques.action(), intitule="x", precision="JOUR")),
    Infraction(
        "etape_precision_coherente",
        lambda: Etape(action=fabriques.action(), intitule="x", echeance=JOUR, precision=INCONNU),
        dit=CHOIX,
    ),
    Infraction("document_fichier_ou_lien", lambda: Document(action=fabriques.action(), titre="x")),
    Infraction(
        "document_fichier_ou_lien",
        lambda: Document(action=fabriques.action(), titre="x", fichier="x", lien="https://exemple.fr/"),
    ),
    # actions : pilotage
    Infraction("comite_un_par_jour", lambda: double(Comite(plan=fabriques.plan(), date=JOUR))),
    Infraction("demandedactualisation_une_fois", lambda: double(demande())),
    Infraction(
        "depotdeclasseur_etat_connu",
        lambda: DepotDeClasseur(plan=fabriques.plan(), nom="x", depose_par=fabriques.utilisateur(), etat=INCONNU),
    ),
    # actions : journaux
    Infraction("changementdestatut_corrigee_une_fois", lambda: correction(ChangementDeStatut, **EN_COURS)),
    Infraction("changementdestatut_ne_s_annule_pas", lambda: boucle(ChangementDeStatut, **EN_COURS), dit=CHOIX),
    Infraction(
        "changementdestatut_statut_connu",
        lambda: changement(statut=INCONNU),
        avec="changementdestatut_avancement_coherent",
        dit=CHOIX,
    ),
    Infraction("changementdestatut_avancement_coherent", lambda: changement(statut="TERMINEE", avancement=40)),
    Infraction("changementdestatut_avancement_coherent", lambda: changement(statut="TERMINEE", avancement=None)),
    Infraction("changementdestatut_avancement_coherent", lambda: changement(statut="NON_INITIEE", avancement=None)),
    Infraction("changementdestatut_avancement_coherent", lambda: changement(statut="EN_COURS", avancement=100)),
    Infraction("reportecheance_corrigee_une_fois", lambda: correction(ReportEcheance)),
    Infraction("reportecheance_ne_s_annule_pas", lambda: boucle(ReportEcheance), dit=CHOIX),
    Infraction("reportecheance_precision_coherente", lambda: report(precision="JOUR")),
    Infraction("reportecheance_precision_coherente", lambda: report(echeance=JOUR, precision=None)),
    Infraction("reportecheance_precision_coherente", lambda: report(echeance=JOUR, precision=INCONNU), dit=CHOIX),
    Infraction("presenceauplan_corrigee_une_fois", lambda: correction(PresenceAuPlan, mouvement="ENTREE")),
    Infraction("presenceauplan_ne_s_annule_pas", lambda: boucle(PresenceAuPlan, mouvement="ENTREE"), dit=CHOIX),
    Infraction("presenceauplan_mouvement_connu", lambda: presence(mouvement=INCONNU), dit=CHOIX),
    Infraction("presenceauplan_retrait_motive", lambda: presence(mouvement="RETRAIT")),
    # indicateurs
    Infraction("indicateur_nature_connue", lambda: indicateur(nature=INCONNU), dit=CHOIX),
    Infraction("indicateur_sens_connu", lambda: indicateur(sens=INCONNU), dit=CHOIX),
    Infraction("indicateur_denominateur_de_part", lambda: indicateur(denominateur=fabriques.indicateur())),
    Infraction("indicateur_denominateur_autre", denominateur_de_lui_meme, dit="formerait une boucle"),
    Infraction("indicateur_decimales_bornees", lambda: indicateur(decimales=7), dit="inférieure ou égale à 6"),
    Infraction(
        "indicateurduplan_une_fois",
        lambda: double(IndicateurDuPlan(plan=fabriques.plan(), indicateur=fabriques.indicateur())),
    ),
    Infraction("valeurannuelle_annee_unique", lambda: double(valeur(valeur=1))),
    Infraction("valeurannuelle_valeur_ou_numerateur", lambda: valeur(valeur=1, numerateur=Decimal(1))),
    Infraction("valeurannuelle_valeur_ou_numerateur", valeur),
    Infraction(
        "valeurannuelle_valeur_ou_numerateur",
        lambda: valeur(valeur=1, indisponible=True, motif_indisponibilite="x"),
    ),
    Infraction("valeurannuelle_denominateur_avec_numerateur", lambda: valeur(valeur=1, denominateur=Decimal(2))),
    Infraction("valeurannuelle_denominateur_positif", lambda: valeur(numerateur=Decimal(0), denominateur=Decimal(0))),
    Infraction("valeurannuelle_numerateur_borne", lambda: valeur(numerateur=Decimal(3), denominateur=Decimal(2))),
    Infraction("valeurannuelle_positive", lambda: valeur(valeur=-1)),
    Infraction("valeurannuelle_positive", lambda: valeur(numerateur=Decimal(-1))),
    Infraction("valeurannuelle_indisponible_motivee", lambda: valeur(indisponible=True)),
    Infraction("valeurannuelle_indisponible_motivee", lambda: valeur(valeur=1, motif_indisponibilite="x")),
    Infraction("valeurannuelle_etat_connu", lambda: valeur(valeur=1, etat=INCONNU), dit=CHOIX),
    Infraction("valeurannuelle_origine_connue", lambda: valeur(valeur=1, origine=INCONNU), dit=CHOIX),
    Infraction("cible_une_par_origine", lambda: double(cible())),
    Infraction("cible_origine_connue", lambda: cible(origine=INCONNU), dit=CHOIX),
    Infraction("cible_positive", lambda: cible(valeur=Decimal(-1))),
    Infraction("collecte_une_par_annee", lambda: double(collecte())),
    Infraction("demandedevaleur_une_fois", lambda: double(demandee())),
    Infraction("demandedevaleur_phase_connue", lambda: demandee(phase=INCONNU), dit=CHOIX),
    Infraction("demandedevaleur_renvoi_motive", lambda: demandee(phase="RENVOYEE", version_renvoyee=1)),
    Infraction("demandedevaleur_renvoi_motive", lambda: demandee(phase="RENVOYEE", motif_de_renvoi="Perdu.")),
    Infraction("demandedevaleur_renvoi_motive", lambda: demandee(motif_de_renvoi="Perdu.")),
    # --- registre des consultations
    Infraction("consultation_numero_unique", lambda: double(Consultation(numero="A1", objet="x"))),
    Infraction("consultation_nature_connue", lambda: Consultation(numero="A1", objet="x", nature=INCONNU), dit=CHOIX),
    Infraction(
        "consultation_procedure_connue", lambda: Consultation(numero="A1", objet="x", procedure=INCONNU), dit=CHOIX
    ),
    Infraction(
        "lotdeconsultation_numero_unique", lambda: double(LotDeConsultation(consultation=consultation(lots=[])))
    ),
    Infraction("lotdeconsultation_suite_connue", lambda: lot_de_consultation(suite=INCONNU), dit=CHOIX),
    Infraction("lotdeconsultation_motif_connu", lambda: lot_de_consultation(motif_sans_suite=INCONNU), dit=CHOIX),
    *[
        Infraction(
            f"lotdeconsultation_{champ}_connu", lambda champ=champ: lot_de_consultation(**{champ: INCONNU}), dit=CHOIX
        )
        for champ in ("clause_environnementale", "critere_environnemental", "clause_sociale", "critere_social")
    ],
    *[
        Infraction(
            f"lotdeconsultation_{champ}_borne",
            lambda champ=champ: lot_de_consultation(**{champ: Decimal(101)}),
            dit="100",
        )
        for champ in ("poids_environnemental", "poids_social")
    ],
    Infraction(
        "correspondancedecolonnes_sorte_connue",
        lambda: CorrespondanceDeColonnes(sorte=INCONNU, signature="x"),
        dit=CHOIX,
    ),
    Infraction(
        "correspondancedecolonnes_unique", lambda: double(CorrespondanceDeColonnes(sorte="REGISTRE", signature="x"))
    ),
    Infraction("dimension_une_fois", lambda: double(Dimension(indicateur=fabriques.indicateur(), nom="par nature"))),
    Infraction("lignedeventilation_une_fois", lambda: double(ventilee())),
    Infraction("lignedeventilation_positive", lambda: ventilee(nombre=Decimal(-1))),
    Infraction("justificatif_fichier_ou_lien", lambda: justificatif()),
    Infraction("justificatif_fichier_ou_lien", lambda: justificatif(fichier="x", lien="https://exemple.fr/")),
    # marches : résultats de calcul (un territoire n'a que des règles de champ)
    # bilans
    Infraction("bilan_un_par_annee", lambda: double(bilan())),
    Infraction("bilan_publication_complete", lambda: bilan(publie_le=JOUR)),
    Infraction("bilan_reouverture_motivee", lambda: bilan(rouvert_le=MOMENT)),
    Infraction("bilan_reouverture_motivee", lambda: bilan(motif_de_reouverture="x")),
    Infraction("versiondebilan_rang_unique", lambda: double(version_de_bilan())),
    Infraction("versiondebilan_reprise_motivee", lambda: version_de_bilan(rang=2)),
    Infraction("tirage_etat_connu", lambda: tirage(etat=INCONNU), dit=CHOIX),
    Infraction("tirage_progression_bornee", lambda: tirage(progression=101)),
    Infraction("budgetdemandats_base_connue", lambda: BudgetDeMandats(code="x", nom="x", base="ZZ"), dit=CHOIX),
    Infraction("totaldemandats_sans_personne", lambda: total(nom="Une personne")),
    Infraction("generation_unique", lambda: Generation(id=2)),
    Infraction("importdecp_etat_connu", lambda: ImportDecp(nom="x", etat=INCONNU)),
    Infraction("morceaudefichier_unique", lambda: double(morceau())),
    # marches : contrats
    Infraction("enregistrementdecp_source_connue", lambda: publie(source=INCONNU), dit=CHOIX),
    Infraction("contrat_environnement_connu", lambda: contrat(environnement=INCONNU), dit=CHOIX),
    Infraction("contrat_social_connu", lambda: contrat(social=INCONNU), dit=CHOIX),
    Infraction("contrat_generations_ordonnees", lambda: contrat(de=2, a=2)),
    Infraction("correctiondecontrat_champ_connu", lambda: corrigee(champ=INCONNU), dit=CHOIX),
    Infraction("correctiondecontrat_une_en_vigueur", lambda: double(corrigee())),
    # marches : résultats
    Infraction("resultatdecalcul_unique", lambda: double(garde(territoire=fabriques_decp.territoire()))),
    Infraction("resultatdecalcul_unique_sans_territoire", lambda: double(garde())),
]

# --- Ce que le projet déclare ---------------------------------------------------------------------


def contraintes_du_projet() -> dict[str, tuple[type[models.Model], models.BaseConstraint]]:
    """Toutes les contraintes nommées des modèles du projet : ni l'historique, ni les bibliothèques."""
    racine = Path(settings.BASE_DIR)
    declarees = {}
    for application in apps.get_app_configs():
        if Path(application.path).parent != racine:
            continue
        for modele in application.get_models():
            if not modele.__name__.startswith("Historical"):
                declarees |= {contrainte.name: (modele, contrainte) for contrainte in modele._meta.constraints}
    return declarees


CONTRAINTES = contraintes_du_projet()
nommee = pytest.mark.parametrize("nom", sorted(CONTRAINTES))
enfreinte = pytest.mark.parametrize("infraction", INFRACTIONS, ids=str)


@nommee
def test_chaque_contrainte_a_son_infraction(nom):
    assert nom in {infraction.nom for infraction in INFRACTIONS}


@enfreinte
def test_chaque_infraction_vise_une_contrainte_qui_existe(infraction):
    assert infraction.nom in CONTRAINTES


def test_les_contraintes_sont_trouvees():
    assert {"action_numero_unique", "service_nom_unique", "valeurannuelle_numerateur_borne"} <= set(CONTRAINTES)
    assert len({contrainte.name.split("_")[0] for _, contrainte in CONTRAINTES.values()}) > 10


@nommee
def test_chaque_contrainte_commence_par_le_nom_de_son_modele(nom):
    assert nom.startswith(f"{CONTRAINTES[nom][0]._meta.model_name}_")


@nommee
def test_chaque_message_est_une_phrase_a_nous(nom):
    contrainte = CONTRAINTES[nom][1]
    message = contrainte.violation_error_message
    assert message != contrainte.default_violation_error_message
    assert message[0].isupper()
    assert message.endswith(".")
    assert "%(" not in message


@nommee
@pytest.mark.django_db
def test_chaque_contrainte_est_dans_la_base(nom):
    with connection.cursor() as curseur:
        presentes = connection.introspection.get_constraints(curseur, CONTRAINTES[nom][0]._meta.db_table)
    assert nom in presentes


# --- Ce que la base refuse ------------------------------------------------------------------------


def nommees_par(erreur: IntegrityError, modele: type[models.Model]) -> set[str]:
    """Les contraintes que l'erreur désigne. SQLite nomme une unicité par ses colonnes, pas par son nom."""
    if connection.vendor == "postgresql":
        return {erreur.__cause__.diag.constraint_name}
    texte = str(erreur)
    if texte.startswith("CHECK constraint failed: "):
        return {texte.removeprefix("CHECK constraint failed: ")}
    if texte.startswith("UNIQUE constraint failed: index "):
        return {texte.removeprefix("UNIQUE constraint failed: index ").strip("'")}
    colonnes = {mot.rpartition(".")[2] for mot in texte.removeprefix("UNIQUE constraint failed: ").split(", ")}
    return {
        contrainte.name
        for contrainte in modele._meta.constraints
        if isinstance(contrainte, models.UniqueConstraint)
        and {modele._meta.get_field(champ).column for champ in contrainte.fields} == colonnes
    }


@enfreinte
@pytest.mark.django_db
def test_la_base_refuse_et_nomme_la_contrainte(infraction):
    ligne = infraction.ligne()
    with pytest.raises(IntegrityError) as refus, transaction.atomic():
        type(ligne)._base_manager.bulk_create([ligne])
    nommees = nommees_par(refus.value, type(ligne))
    assert nommees
    assert nommees <= {infraction.nom, infraction.avec}


@enfreinte
@pytest.mark.django_db
def test_le_modele_le_dit_avec_le_message_de_la_contrainte(infraction):
    ligne = infraction.ligne()
    message = CONTRAINTES[infraction.nom][1].violation_error_message
    with pytest.raises(ValidationError) as refus:
        ligne.validate_constraints()
    assert message in refus.value.messages


@enfreinte
@pytest.mark.django_db
def test_la_validation_complete_le_dit_en_francais(infraction):
    ligne = infraction.ligne()
    message = CONTRAINTES[infraction.nom][1].violation_error_message
    with pytest.raises(ValidationError) as refus:
        ligne.full_clean()
    assert (infraction.dit or message) in " ".join(refus.value.messages)
