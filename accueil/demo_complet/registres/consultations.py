"""Le registre inventé : des consultations et leurs lots, du premier avis de 2021 aux procédures en cours fin 2026."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from accueil.demo_complet.calendrier import ouvre
from accueil.demo_complet.personnes import Equipe
from accueil.demo_complet.registres.annees import (
    ANNEES,
    AU_30_SEPTEMBRE,
    DERNIER_JOUR_D_OCTOBRE,
    EN_OCTOBRE,
    Annee,
    Reponses,
)
from accueil.demo_complet.registres.fournisseurs import SIREN, Fournisseur
from accueil.demo_complet.registres.objets import LIEUX_DITS, OBJETS, OBJETS_DE_LOT
from marches.listes import MotifSansSuite, Nature, Procedure, Suite
from marches.models import Consultation, LotDeConsultation
from marches.reponses import Reponse

NATURES = (Nature.TRAVAUX, Nature.FOURNITURES, Nature.SERVICES, Nature.INTELLECTUELLES)
# Le plus courant d'abord ; un tirage pondéré.
PROCEDURES = (
    (Procedure.MAPA, 60),
    (Procedure.AOO, 22),
    (Procedure.SUBSEQUENT, 6),
    (Procedure.DEVIS, 4),
    (Procedure.NEGOCIATION, 3),
    (Procedure.SANS_PUBLICITE, 3),
    (Procedure.AOR, 1),
    (Procedure.DIALOGUE, 1),
)
ACHETEURS = ("Camille Bernard", "Dominique Petit", "Claude Moreau")
POUR_AUTRUI = "Ville de Port-Inventé"
OUI, NON, INCONNU = Reponse.OUI, Reponse.NON, Reponse.INCONNU
CENTAINE = Decimal(100)


@dataclass
class Dossier:
    """Une consultation, ses lots, et le moment où on l'a inscrite au registre."""

    consultation: Consultation
    lots: list[LotDeConsultation] = field(default_factory=list)
    inscrite_le: datetime.date = datetime.date(2022, 1, 3)


class Registre:
    """Tire les consultations ; rien n'est écrit avant `enregistrer`."""

    def __init__(self, equipe: Equipe, fournisseurs: Sequence[Fournisseur], hasard: Random) -> None:
        self.equipe = equipe
        self.hasard = hasard
        self.par_nature = {nature: [f for f in fournisseurs if f.nature == nature] for nature in NATURES}
        self.rangs: dict[int, int] = {}

    def dossiers(self) -> Iterator[Dossier]:
        for annee in ANNEES:
            yield from self._annee(annee, datetime.date(annee.annee, 1, 4), datetime.date(annee.annee, 12, 19))
        yield from self._annee(AU_30_SEPTEMBRE, datetime.date(2026, 1, 4), datetime.date(2026, 9, 28))
        yield from self._annee(EN_OCTOBRE, datetime.date(2026, 10, 1), DERNIER_JOUR_D_OCTOBRE)
        yield self._sans_date()

    # --- Une année -----------------------------------------------------------------------------------

    def _annee(self, annee: Annee, debut: datetime.date, fin: datetime.date) -> Iterator[Dossier]:
        natures = [nature for nature, nombre in zip(NATURES, annee.natures, strict=True) for _ in range(nombre)]
        self.hasard.shuffle(natures)
        environnement, social = self._melanger(annee.environnement), self._melanger(annee.social)
        jours = sorted(self._jour(debut, fin) for _ in natures)
        for nature, jour, env, soc in zip(natures, jours, environnement, social, strict=True):
            yield self.finalisee(nature, min(jour, fin), env, soc)
        for _ in range(annee.abandonnees):
            yield self._abandonnee(self._jour(debut, fin))

    def _melanger(self, reponses: Reponses) -> list[Reponse]:
        toutes = [OUI] * reponses.oui + [NON] * reponses.non + [INCONNU] * reponses.inconnu
        self.hasard.shuffle(toutes)
        return toutes

    def _jour(self, debut: datetime.date, fin: datetime.date) -> datetime.date:
        return ouvre(debut + datetime.timedelta(days=self.hasard.randint(0, (fin - debut).days)))

    # --- Une consultation ------------------------------------------------------------------------------

    def finalisee(self, nature: Nature, jour: datetime.date, environnement: Reponse, social: Reponse) -> Dossier:
        """Chaque lot notifié ou sans suite, le dernier ce jour-là."""
        lancee_le = ouvre(jour - datetime.timedelta(days=self.hasard.randint(60, 170)))
        combien = self.hasard.choices((1, 2, 3, 4, 5, 6), (62, 14, 10, 7, 4, 3))[0]
        dossier = self.dossier(nature, lancee_le, combien)
        dossier.inscrite_le = jour
        for rang, lot in enumerate(dossier.lots):
            lot.date_de_suite = (
                jour if rang == 0 else max(lancee_le, jour - datetime.timedelta(self.hasard.randint(0, 40)))
            )
            if self.hasard.random() < 0.08:
                self._sans_suite(lot)
            else:
                self._notifie(lot, dossier.consultation)
        if combien > 2 and self.hasard.random() < 0.1:
            # Un lot retiré avant l'avis ne compte pas : la consultation est finalisée sans lui.
            dossier.lots.append(self._lot(dossier.consultation, combien + 1, Suite.ABANDONNE))
        publies = [lot for lot in dossier.lots if lot.suite != Suite.ABANDONNE]
        self._repondre(publies, environnement, "environnemental", "environnementale")
        self._repondre(publies, social, "social", "sociale")
        return dossier

    def dossier(self, nature: Nature, lancee_le: datetime.date | None, combien: int) -> Dossier:
        """Une consultation et ses lots, sans suite donnée ni réponse."""
        objet, sigle = self.hasard.choice(OBJETS[nature])
        procedure = self.hasard.choices(*zip(*PROCEDURES, strict=True))[0]
        if nature == Nature.INTELLECTUELLES and procedure == Procedure.DIALOGUE:
            procedure = Procedure.CONCOURS
        forte = procedure in {
            Procedure.AOO,
            Procedure.AOR,
            Procedure.NEGOCIATION,
            Procedure.DIALOGUE,
            Procedure.CONCOURS,
        }
        consultation = Consultation(
            numero="",
            siren=SIREN,
            service=self.equipe.services[sigle],
            acheteur=self.hasard.choice(ACHETEURS),
            objet=objet.format(lieu=self.hasard.choice(LIEUX_DITS)),
            nature=nature,
            procedure=procedure,
            forme=self.hasard.choice(("Marché ordinaire", "Marché ordinaire", "Accord-cadre à bons de commande")),
            estimation_ht=self._montant(230_000, 1_400_000) if forte else self._montant(15_000, 190_000),
            pour_le_compte_de=POUR_AUTRUI if self.hasard.random() < 0.04 else "",
        )
        self.dater(consultation, lancee_le)
        dossier = Dossier(consultation)
        dossier.lots = [self._lot(consultation, rang, "") for rang in range(1, combien + 1)]
        return dossier

    def dater(self, consultation: Consultation, lancee_le: datetime.date | None, annee: int = 0) -> None:
        """Numérote dans l'ordre du tirage, par année de lancement : « SYN-2023-045 »."""
        consultation.lancee_le = lancee_le
        annee = lancee_le.year if lancee_le else annee
        if lancee_le is not None:
            consultation.plis_avant_le = ouvre(lancee_le + datetime.timedelta(days=35))
            if consultation.procedure in {Procedure.AOO, Procedure.AOR}:
                consultation.commission_le = ouvre(consultation.plis_avant_le + datetime.timedelta(days=21))
        if annee:
            self.rangs[annee] = self.rangs.get(annee, 0) + 1
            consultation.numero = f"SYN-{annee}-{self.rangs[annee]:03d}"

    def _lot(self, consultation: Consultation, rang: int, suite: str) -> LotDeConsultation:
        objets = OBJETS_DE_LOT[consultation.nature]
        return LotDeConsultation(
            consultation=consultation,
            numero=str(rang),
            objet=objets[(rang - 1) % len(objets)] if rang > 1 else "",
            suite=suite,
        )

    def _notifie(self, lot: LotDeConsultation, consultation: Consultation) -> None:
        titulaire = self.hasard.choice(self.par_nature[Nature(consultation.nature)])
        lot.suite = Suite.NOTIFIE
        lot.plis_recus = self.hasard.randint(1, 9)
        lot.titulaire, lot.siret = titulaire.nom, titulaire.siret
        lot.code_postal, lot.ville = titulaire.code_postal, titulaire.ville
        lot.montant_ht = self._montant(4_000, max(int(consultation.estimation_ht or 0), 5_000))
        if consultation.forme.startswith("Accord-cadre"):
            lot.maximum_ht = lot.montant_ht * 2

    def _sans_suite(self, lot: LotDeConsultation) -> None:
        lot.suite = Suite.SANS_SUITE
        lot.motif_sans_suite = self.hasard.choice(
            (
                MotifSansSuite.INFRUCTUEUX,
                MotifSansSuite.INFRUCTUEUX,
                MotifSansSuite.INTERET_GENERAL,
                MotifSansSuite.AUTRE,
            )
        )
        lot.plis_recus = 0 if lot.motif_sans_suite == MotifSansSuite.INFRUCTUEUX else self.hasard.randint(1, 4)

    def _montant(self, de: int, a: int) -> Decimal:
        return Decimal(self.hasard.randint(de // 100, max(a // 100, de // 100))) * CENTAINE

    # --- Ce que les lots demandent ---------------------------------------------------------------------

    def _repondre(self, lots: list[LotDeConsultation], reponse: Reponse, du_critere: str, de_la_clause: str) -> None:
        """Donne aux lots de quoi répondre cela : oui si un seul dit oui, non si tous, inconnu sinon."""
        porteur = self.hasard.randrange(len(lots))
        for rang, lot in enumerate(lots):
            if reponse == OUI and (rang == porteur or self.hasard.random() < 0.4):
                self._dire_oui(lot, du_critere, de_la_clause)
            elif reponse == INCONNU and rang == porteur:
                continue
            else:
                setattr(lot, f"clause_{de_la_clause}", NON)
                setattr(lot, f"critere_{du_critere}", NON)

    def _dire_oui(self, lot: LotDeConsultation, du_critere: str, de_la_clause: str) -> None:
        """La condition d'exécution, le critère, ou les deux."""
        clause, critere = self.hasard.choices(((OUI, NON), (NON, OUI), (OUI, OUI)), (45, 25, 30))[0]
        setattr(lot, f"clause_{de_la_clause}", clause)
        setattr(lot, f"critere_{du_critere}", critere)
        if critere == OUI:
            setattr(lot, f"poids_{du_critere}", Decimal(self.hasard.choice((5, 10, 10, 15, 20))))
        if de_la_clause == "sociale" and clause == OUI and lot.suite == Suite.NOTIFIE:
            lot.heures_insertion = self.hasard.randrange(70, 1400, 35)

    # --- Ce qui ne se compte pas ------------------------------------------------------------------------

    def _abandonnee(self, jour: datetime.date) -> Dossier:
        """Jamais publiée : pas d'avis, un seul lot, abandonné ce jour-là."""
        dossier = self.dossier(self.hasard.choice(NATURES), None, 1)
        self.dater(dossier.consultation, None, jour.year)
        dossier.lots[0].suite, dossier.lots[0].date_de_suite = Suite.ABANDONNE, jour
        dossier.inscrite_le = jour
        return dossier

    def _sans_date(self) -> Dossier:
        """Notifiée, mais personne n'a noté quand : elle n'est d'aucune année."""
        dossier = self.finalisee(Nature.SERVICES, datetime.date(2025, 6, 16), NON, NON)
        for lot in dossier.lots:
            lot.date_de_suite = None
        return dossier


def enregistrer(dossiers: Sequence[Dossier], equipe: Equipe, maintenant: datetime.datetime) -> None:
    """Écrit, avec leur historique, les consultations inscrites avant `maintenant`."""
    gardes = []
    for dossier in dossiers:
        heure = datetime.time(9, 30)
        moment = datetime.datetime.combine(ouvre(dossier.inscrite_le), heure, tzinfo=timezone.get_default_timezone())
        if moment > maintenant:
            continue
        for ligne in (dossier.consultation, *dossier.lots):
            ligne._history_date = moment  # type: ignore[attr-defined]
        gardes.append(dossier)
    auteur = equipe.comptes["c.bernard"]
    consultations = [dossier.consultation for dossier in gardes]
    bulk_create_with_history(consultations, Consultation, batch_size=200, default_user=auteur)
    lots = [lot for dossier in gardes for lot in dossier.lots]
    for lot in lots:
        lot.consultation_id = lot.consultation.pk
    bulk_create_with_history(lots, LotDeConsultation, batch_size=200, default_user=auteur)
