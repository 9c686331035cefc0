"""Les partenaires synthétiques et leurs conventions : chaque nom se dit fictif, chaque site est en « .example »."""

import datetime
from dataclasses import dataclass

from accueil.demo_complet.calendrier import Calendrier
from accueil.demo_complet.ecriture import enregistrer
from actions.models import PartenaireDuPlan, Plan
from comptes.models import Utilisateur
from partenaires.models import Convention, Partenaire, TypeDePartenaire

# Intitulé, début, fin.
Accord = tuple[str, datetime.date | None, datetime.date | None]
ENTREE_DES_PARTENAIRES = datetime.date(2022, 1, 18)


@dataclass(frozen=True)
class Portrait:
    sigle: str
    nom: str
    type: TypeDePartenaire
    description: str = ""
    site: str = ""
    accords: tuple[Accord, ...] = ()
    actif: bool = True


PORTRAITS = (
    Portrait(
        "RFA",
        "Réseau fictif des acheteurs publics",
        TypeDePartenaire.RESEAU_ACHETEURS,
        "Échanges entre acheteurs, veille juridique, bibliothèque de clauses partagée.",
        "https://reseau-acheteurs.example/",
        (
            ("Adhésion 2022–2024", datetime.date(2022, 1, 1), datetime.date(2024, 12, 31)),
            ("Adhésion 2025–2027", datetime.date(2025, 1, 1), datetime.date(2027, 12, 31)),
        ),
    ),
    Portrait(
        "DF",
        "Département fictif",
        TypeDePartenaire.COLLECTIVITE,
        "Cofinance le facilitateur des clauses sociales et prête ses formateurs.",
        "https://departement-fictif.example/",
        (
            (
                "Convention de cofinancement du facilitateur",
                datetime.date(2022, 9, 1),
                datetime.date(2026, 12, 31),
            ),
        ),
    ),
    Portrait(
        "RF",
        "Région fictive",
        TypeDePartenaire.COLLECTIVITE,
        "Finance les études sur le réemploi et le numérique.",
        "https://region-fictive.example/",
        (("Convention d'étude sur le réemploi", datetime.date(2023, 3, 1), datetime.date(2024, 8, 31)),),
    ),
    Portrait(
        "VPI",
        "Ville de Port-Inventé",
        TypeDePartenaire.COLLECTIVITE,
        "Commune membre, coordonnatrice de deux groupements de commandes.",
        "https://port-invente.example/",
        (("Convention constitutive de groupement de commandes", datetime.date(2025, 5, 12), None),),
    ),
    Portrait(
        "CFCI",
        "Chambre fictive de commerce et d'industrie",
        TypeDePartenaire.CHAMBRE_CONSULAIRE,
        "Organise avec la collectivité la rencontre annuelle des acheteurs et des entreprises.",
        "https://chambre-commerce.example/",
        (("Convention de partenariat économique", datetime.date(2024, 2, 15), datetime.date(2027, 2, 14)),),
    ),
    Portrait(
        "CFMA",
        "Chambre fictive de métiers et de l'artisanat",
        TypeDePartenaire.CHAMBRE_CONSULAIRE,
        "Aide les artisans à répondre aux consultations.",
        "https://chambre-metiers.example/",
    ),
    Portrait(
        "ANFC",
        "Agence nationale fictive du climat",
        TypeDePartenaire.OPERATEUR_ETAT,
        "Méthode et facteurs d'émission pour l'empreinte carbone des achats.",
        "https://agence-climat.example/",
        (("Contrat d'objectifs climat", datetime.date(2023, 1, 1), datetime.date(2026, 12, 31)),),
    ),
    Portrait(
        "PLIF",
        "Plan local d'insertion fictif",
        TypeDePartenaire.ASSOCIATION,
        "Oriente les demandeurs d'emploi vers les heures d'insertion des marchés.",
        "https://insertion-fictive.example/",
        (
            ("Convention d'objectifs 2022–2023", datetime.date(2022, 1, 1), datetime.date(2023, 12, 31)),
            ("Convention d'objectifs 2024–2026", datetime.date(2024, 1, 1), datetime.date(2026, 12, 31)),
        ),
    ),
    Portrait(
        "FFEI",
        "Fédération fictive des entreprises d'insertion",
        TypeDePartenaire.ASSOCIATION,
        "Recense l'offre des structures d'insertion du territoire.",
        accords=(("Charte d'engagement réciproque", None, None),),
    ),
    Portrait(
        "RFC",
        "Ressourcerie fictive du Canal",
        TypeDePartenaire.ASSOCIATION,
        "Collecte, répare et revend mobilier et matériaux.",
        "https://ressourcerie-du-canal.example/",
        (("Convention de collecte de mobilier", datetime.date(2024, 6, 3), None),),
    ),
    Portrait(
        "SFA",
        "SPL fictive d'aménagement",
        TypeDePartenaire.SPL_SEM,
        "Conduit les opérations d'aménagement ; applique les mêmes clauses dans ses marchés.",
        "https://spl-amenagement.example/",
        (("Contrat de quasi-régie", datetime.date(2021, 7, 1), datetime.date(2027, 6, 30)),),
    ),
    Portrait(
        "UFE",
        "Université fictive des Étangs",
        TypeDePartenaire.AUTRE,
        "Accueille les formations et encadre deux mémoires par an.",
        "https://universite-des-etangs.example/",
    ),
    Portrait(
        "ACI",
        "Atelier-conseil inventé",
        TypeDePartenaire.ENTREPRISE,
        "A accompagné la cartographie des achats ; sa mission est achevée.",
        accords=(("Mission de cartographie", datetime.date(2022, 2, 1), datetime.date(2022, 11, 30)),),
        actif=False,
    ),
)


def presenter(plan: Plan, calendrier: Calendrier, auteur: Utilisateur) -> dict[str, Partenaire]:
    """Crée les partenaires, leur place dans le plan et leurs conventions. Rend chacun par son sigle."""
    partenaires = {}
    for ordre, portrait in enumerate(PORTRAITS, start=1):
        le = calendrier.saisie(ENTREE_DES_PARTENAIRES)
        partenaire = Partenaire(
            nom=portrait.nom,
            sigle=portrait.sigle,
            type=portrait.type,
            description=portrait.description,
            site=portrait.site,
            actif=portrait.actif,
        )
        partenaires[portrait.sigle] = enregistrer(partenaire, le, auteur)
        enregistrer(PartenaireDuPlan(plan=plan, partenaire=partenaire, ordre=ordre), le, auteur)
        for intitule, debut, fin in portrait.accords:
            enregistrer(Convention(partenaire=partenaire, intitule=intitule, debut=debut, fin=fin), le, auteur)
    return partenaires
