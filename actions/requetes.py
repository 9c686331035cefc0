"""Le vocabulaire des listes d'actions : état à une date, retard, ce qui relève de quelqu'un."""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Self, cast

from django.conf import settings
from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    F,
    IntegerChoices,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.utils import timezone

from actions.etapes import Etape, EtapeQuerySet
from actions.journaux import ChangementDeStatut, PresenceAuPlan, ReportEcheance
from actions.statuts import Mouvement, Statut
from actions.suivi import NoteDeSuivi
from comptes.droits import Droit, Portee, portee
from socle.recherche import COLONNE, ChampRecherche, QuerySetCherchable, condition_de_recherche, mots_de, replier

ECRITURE_PAR_LE_JOURNAL = "Statut, avancement, échéance et présence s'écrivent par leur journal."

JOURNAUX = (ChangementDeStatut, ReportEcheance, PresenceAuPlan)

# Champ projeté d'Action → nom sous lequel `etat_au` l'annote.
ETATS = {
    "statut": "etat_statut",
    "avancement": "etat_avancement",
    "echeance": "etat_echeance",
    "echeance_precision": "etat_precision",
    "presence": "etat_presence",
}
# Champs d'Action que seuls les journaux écrivent.
CHAMPS_PROJETES = frozenset(ETATS)

# Ce qui échoit d'ici là est « à faire » : le temps de s'y mettre.
JOURS_PROCHES = 30

# Sur l'état annoté par `etat_au`. Sans statut connu, une action reste à mener.
NON_TERMINEE = Q(etat_statut__in=[Statut.EN_COURS, Statut.NON_INITIEE]) | Q(etat_statut__isnull=True)


class Urgence(IntegerChoices):
    """Ce qu'une action attend, le plus pressant d'abord : chacune n'a que la première qui s'applique."""

    RETARD = 0, "En retard"
    PROCHE = 1, f"À faire sous {JOURS_PROCHES}\u00a0jours"
    SILENCE = 2, f"Sans nouvelle depuis {settings.MOIS_SANS_NOUVELLE}\u00a0mois"
    RESTE = 3, "Le reste"
    TERMINEE = 4, "Terminées"


@dataclass(frozen=True)
class Decompte:
    """Nombre d'actions du plan par statut, à une date. `inconnues` : au plan, mais sans statut connu."""

    terminees: int
    en_cours: int
    non_initiees: int
    inconnues: int

    @classmethod
    def de(cls, nombres: Mapping[str | None, int]) -> "Decompte":
        """Depuis des nombres par statut ; None = statut inconnu."""
        return cls(
            terminees=nombres.get(Statut.TERMINEE, 0),
            en_cours=nombres.get(Statut.EN_COURS, 0),
            non_initiees=nombres.get(Statut.NON_INITIEE, 0),
            inconnues=nombres.get(None, 0),
        )

    @property
    def total(self) -> int:
        return self.terminees + self.en_cours + self.non_initiees + self.inconnues

    @property
    def phrase(self) -> str:
        """« 4 actions sur 12 terminées, 5 en cours, 3 non initiées »."""
        return "".join(texte for texte, _ in self.morceaux()) or "Aucune action"

    def morceaux(self) -> list[tuple[str, str | None]]:
        """La phrase en morceaux, chacun avec le statut qu'il compte, tel que le filtre de la liste l'attend : vide
        pour tout le plan, None pour ce qui ne compte rien."""
        if not self.total:
            return []
        pluriel = "" if self.terminees < 2 else "s"
        morceaux: list[tuple[str, str | None]] = [
            (f"{self.terminees} action{pluriel}", Statut.TERMINEE.value),
            (" sur ", None),
            (str(self.total), ""),
            (f" terminée{pluriel}, ", None),
            (f"{self.en_cours} en cours", Statut.EN_COURS.value),
            (", ", None),
            (f"{self.non_initiees} non initiée{'' if self.non_initiees < 2 else 's'}", Statut.NON_INITIEE.value),
        ]
        if self.inconnues:
            morceaux += [(", ", None), (f"{self.inconnues} de statut inconnu", "null")]
        return morceaux

    def par_statut(self) -> dict[Statut, int]:
        """Dans l'ordre de la page publiée."""
        return {
            Statut.TERMINEE: self.terminees,
            Statut.EN_COURS: self.en_cours,
            Statut.NON_INITIEE: self.non_initiees,
        }


# Les agrégats de Decompte, sur l'état annoté par `etat_au`.
COMPTES_PAR_STATUT = {
    "terminees": Count("pk", filter=Q(etat_statut=Statut.TERMINEE)),
    "en_cours": Count("pk", filter=Q(etat_statut=Statut.EN_COURS)),
    "non_initiees": Count("pk", filter=Q(etat_statut=Statut.NON_INITIEE)),
    "inconnues": Count("pk", filter=Q(etat_statut__isnull=True)),
}


class ActionQuerySet(QuerySetCherchable):
    """Verbes chaînables. Ceux qui lisent l'état supposent `etat_au()` d'abord."""

    def bulk_update(self, objs, fields, batch_size=None):
        if CHAMPS_PROJETES & set(fields):
            raise TypeError(ECRITURE_PAR_LE_JOURNAL)
        return super().bulk_update(objs, fields, batch_size)

    def ecrire_les_projections(self, actions, **champs) -> None:
        """Réservé aux journaux, comme `Action.ecrire_projection` : le même état pour toutes celles-là."""
        nues: QuerySet = QuerySet(self.model, using=self.db).filter(pk__in=[action.pk for action in actions])
        nues.update(**champs, version=F("version") + 1)

    def etat_au(self, le: date | None = None, saisi_au: datetime | None = None) -> Self:
        """Annote l'état de chaque action : etat_statut, etat_avancement, etat_echeance, etat_precision, etat_presence.

        Sans argument : aujourd'hui, lu sur la projection. Avec `le` : ce qui était vrai ce jour-là, tel
        qu'on le sait aujourd'hui, ou tel que saisi à `saisi_au`. Inconnu = NULL.
        """
        if saisi_au is None and (le is None or le >= timezone.localdate()):
            return self.annotate(**{etat: F(champ) for champ, etat in ETATS.items()})
        jour = le or timezone.localdate()
        return self.annotate(
            **{
                ETATS[projete]: journal.objects.all().valeur_pour("action", champ, jour, saisi_au)
                for journal in JOURNAUX
                for champ, projete in journal.PROJECTION.items()
            }
        )

    def au_plan(self) -> Self:
        """Entrées au plan et pas retirées, à la date de l'état."""
        return self.filter(etat_presence__in=[Mouvement.ENTREE, Mouvement.RETOUR])

    def retirees(self) -> Self:
        return self.filter(etat_presence=Mouvement.RETRAIT)

    def de_statut(self, statut: str) -> Self:
        return self.filter(etat_statut=statut)

    def en_retard(self, le: date) -> Self:
        """Échéance passée à cette date et action pas terminée. L'échéance d'un trimestre ou d'une année est
        son dernier jour : elle n'est dépassée qu'ensuite."""
        return self.filter(condition_de_retard(le))

    def avec_retard(self, le: date) -> Self:
        """Annote `est_en_retard` : vrai, faux, ou NULL quand il n'y a pas d'échéance (« non calculable »)."""
        return self.annotate(
            est_en_retard=Case(
                When(etat_echeance__isnull=True, then=Value(None)),
                When(condition_de_retard(le), then=Value(True)),
                default=Value(False),
                output_field=BooleanField(null=True),
            )
        )

    def avec_silence(self, le: date, depuis: date | None = None) -> Self:
        """Annote `sans_nouvelle` : pas terminée, et ni journal ni note datés d'après `depuis` (les MOIS_SANS_NOUVELLE
        derniers mois s'il n'est pas dit), jusqu'à `le` compris."""
        depuis = depuis or il_y_a_des_mois(le, settings.MOIS_SANS_NOUVELLE)
        # Une ligne corrigée n'a rien dit : seule compte la date de celle qui la corrige.
        recentes = [
            *(journal.objects.all().en_vigueur(le).filter(date_effet__gt=depuis) for journal in JOURNAUX),
            NoteDeSuivi.objects.en_vigueur().filter(date__gt=depuis, date__lte=le),
        ]
        dite = reduce(or_, (Q(Exists(lignes.filter(action=OuterRef("pk")))) for lignes in recentes))
        return self.annotate(
            sans_nouvelle=Case(
                When(etat_statut=Statut.TERMINEE, then=Value(False)),
                When(dite, then=Value(False)),
                default=Value(True),
            )
        )

    def avec_statut_d_avant(self, depuis: date) -> Self:
        """Annote `statut_a_change` : le statut n'était pas celui-là à la date `depuis`, ou rien n'était connu."""
        return self.annotate(
            statut_d_avant=ChangementDeStatut.objects.all().valeur_pour("action", "statut", depuis, None),
            statut_a_change=Case(
                When(etat_statut__isnull=True, then=Value(False)),
                When(statut_d_avant=F("etat_statut"), then=Value(False)),
                default=Value(True),
            ),
        )

    def avec_urgence(self, le: date) -> Self:
        """Annote `urgence` (voir `Urgence`), et ce dont elle se déduit : `est_en_retard`, `sans_nouvelle`."""
        etape_proche = etapes_pressantes(le).filter(action=OuterRef("pk"))
        return (
            self.avec_retard(le)
            .avec_silence(le)
            .annotate(
                urgence=Case(
                    When(etat_statut=Statut.TERMINEE, then=Value(Urgence.TERMINEE.value)),
                    When(est_en_retard=True, then=Value(Urgence.RETARD.value)),
                    When(
                        Q(etat_echeance__lte=le + timedelta(days=JOURS_PROCHES)) | Q(Exists(etape_proche)),
                        then=Value(Urgence.PROCHE.value),
                    ),
                    When(sans_nouvelle=True, then=Value(Urgence.SILENCE.value)),
                    default=Value(Urgence.RESTE.value),
                )
            )
        )

    def par_urgence(self) -> Self:
        """La plus pressante d'abord (après `avec_urgence`), puis par échéance, puis sans échéance."""
        return self.order_by("urgence", F("etat_echeance").asc(nulls_last=True), "plan_id", "numero")

    def pressantes(self) -> Self:
        """En retard, à faire bientôt ou sans nouvelle (après `avec_urgence`)."""
        return self.filter(urgence__lte=Urgence.SILENCE)

    def non_terminees(self) -> Self:
        return self.filter(NON_TERMINEE)

    def avec_point_attention(self) -> Self:
        return self.exclude(attention="")

    def qui_relevent_de(self, utilisateur) -> Self:
        """Celles que l'utilisateur pilote ou supplée, ou que son service pilote."""
        return self.filter(condition_de_releve(utilisateur))

    def modifiables_par(self, utilisateur) -> Self:
        """Celles dont l'utilisateur peut changer le statut."""
        match portee(utilisateur, Droit.METTRE_A_JOUR):
            case Portee.TOUT:
                return self
            case Portee.SIENS:
                return self.qui_relevent_de(utilisateur)
        return self.none()

    def correspondant_a(self, demande: str) -> Self:
        """Celles que ces mots désignent, et celle de ce numéro si c'en est un : « 12 », « n° 12 »."""
        numero, mots = numero_demande(demande), condition_de_recherche(demande)
        return (
            super().correspondant_a(demande)
            if numero is None or mots is None
            else self.filter(Q(numero=numero) | mots)
        )

    def correspondant_tel_que_saisi(self, demande: str) -> Self:
        """`correspondant_a`, dans `socle.relecture.relire` : le texte d'alors n'a pas de colonne repliée, il se replie
        ici. Une requête de plus, qui lit le texte de toutes ces actions."""
        mots, numero = [f" {mot}" for mot in mots_de(demande)], numero_demande(demande)
        if not mots:
            return self.none()
        colonne = cast("ChampRecherche", self.model._meta.get_field(COLONNE))
        trouvees = []
        for pk, rang, *textes in self.order_by().values_list("pk", "numero", *colonne.sources).distinct():
            replie = replier(" ".join(filter(None, textes)))
            if rang == numero or all(mot in replie for mot in mots):
                trouvees.append(pk)
        return self.filter(pk__in=trouvees)

    def par_pertinence(self, demande: str) -> Self:
        """Celle du numéro demandé d'abord, puis dans l'ordre du plan."""
        numero = numero_demande(demande)
        return self.order_by(Case(When(numero=numero, then=0), default=1), "plan_id", "numero")

    def decompte(self) -> Decompte:
        """Nombre d'actions au plan par statut, en une requête."""
        return Decompte(**self.au_plan().aggregate(**COMPTES_PAR_STATUT))

    def prochain_numero(self, plan) -> int:
        """Rang suivant dans le plan ; un numéro ne resservira pas, même retiré."""
        return (self.filter(plan=plan).aggregate(dernier=Max("numero"))["dernier"] or 0) + 1


# Sur une demande repliée : « n°12 », « nº 12 » et « Action n° 12 » s'y écrivent « n 12 », « no 12 », « action n 12 ».
_NUMERO = re.compile(r"(?:action )?(?:no? ?)?([0-9]{1,9})")


def numero_demande(demande: str) -> int | None:
    """Le numéro d'action demandé ; None si la demande dit autre chose."""
    trouve = _NUMERO.fullmatch(replier(demande).strip())
    return int(trouve[1]) if trouve else None


def il_y_a_des_mois(le: date, mois: int) -> date:
    """Le même jour, `mois` plus tôt ; le dernier du mois s'il n'y a pas de tel jour (31 août → 28 février)."""
    annee, rang = divmod(le.year * 12 + le.month - 1 - mois, 12)
    return date(annee, rang + 1, min(le.day, monthrange(annee, rang + 1)[1]))


def condition_de_retard(le: date) -> Q:
    """La seule définition du retard, en SQL (sur l'état annoté par `etat_au`)."""
    return Q(etat_echeance__lt=le) & NON_TERMINEE


def condition_de_releve(utilisateur, action: str = "") -> Q:
    """Ce qui relève de quelqu'un, en SQL ; `Action.releve_de` dit la même chose d'une action déjà lue.

    `action` : le chemin de l'objet filtré à son action, par exemple « action__ ».
    """
    siennes = Q(**{f"{action}pilote": utilisateur}) | Q(**{f"{action}suppleant": utilisateur})
    if utilisateur.service_id:
        siennes |= Q(**{f"{action}service_pilote": utilisateur.service_id})
    return siennes


def etapes_pressantes(le: date) -> EtapeQuerySet:
    """Les étapes à faire dont l'échéance est passée, ou tombe sous JOURS_PROCHES jours."""
    limite = le + timedelta(days=JOURS_PROCHES)
    return Etape.objects.all().a_faire().filter(echeance__lte=limite)
