"""Ce que la page des territoires répartit : les mandats d'une année, ou les contrats qu'on y a notifiés."""

from decimal import Decimal

from django.db import models
from django.db.models import Max

from comptes.models import Siren
from marches.communes import communes_du_code_postal, departement_du_code_postal
from marches.listes import Base
from marches.models import Contrat, ImportDeMandats, LieuDEtablissement, TotalDeMandats
from marches.models import TitulaireDeContrat as Titulaire
from marches.repartition import Achat, Tiers


class Source(models.TextChoices):
    """D'où viennent les achats, et ce qu'on en additionne. HT et TTC ne s'additionnent jamais."""

    MANDATS_HT = "mandats-ht", "Mandats, montants HT"
    MANDATS_TTC = "mandats-ttc", "Mandats, montants TTC"
    CONTRATS = "contrats", "Contrats (DECP), en nombre"
    MONTANTS = "montants", "Contrats (DECP), en montant HT"

    @property
    def base(self) -> Base | None:
        return {"mandats-ht": Base.HT, "mandats-ttc": Base.TTC}.get(self.value)

    @property
    def en_euros(self) -> bool:
        return self is not Source.CONTRATS


def sirens() -> models.QuerySet[Siren, str]:
    return Siren.objects.values_list("numero", flat=True)


def annees() -> list[int]:
    """Les années dont on a un contrat de la collectivité ou des mandats, la plus récente d'abord."""
    contrats = Contrat.objects.en_vigueur().filter(siren__in=sirens(), date__isnull=False)
    des_contrats = {jour.year for jour in contrats.order_by().dates("date", "year")}
    return sorted(des_contrats | set(_imports().values_list("annee", flat=True)), reverse=True)


def annee_par_defaut() -> int | None:
    """La dernière année dont on a quelque chose."""
    contrats = Contrat.objects.en_vigueur().filter(siren__in=sirens()).aggregate(Max("date"))["date__max"]
    mandats = _imports().aggregate(Max("annee"))["annee__max"]
    return max(filter(None, [contrats and contrats.year, mandats]), default=None)


def source_par_defaut() -> Source:
    """Les mandats s'il y en a, dans la base du dernier importé ; sinon les contrats."""
    base = _imports().order_by("-annee", "-pk").values_list("budget__base", flat=True).first()
    return {Base.HT.value: Source.MANDATS_HT, Base.TTC.value: Source.MANDATS_TTC}.get(base or "", Source.CONTRATS)


def _imports() -> models.QuerySet[ImportDeMandats]:
    return ImportDeMandats.objects.all().en_vigueur().order_by()


def contrats_de(annee: int) -> models.QuerySet[Contrat]:
    """Les contrats comptés : ceux de la collectivité, de l'année, sans les doublons, les concessions et les marchés
    subséquents."""
    comptes = Contrat.objects.en_vigueur().de_l_annee(annee).filter(siren__in=sirens())
    return comptes.filter(doublon=False, concession=False, subsequent=False).prefetch_related("titulaires")


def totaux_de(annee: int, base: Base) -> models.QuerySet[TotalDeMandats]:
    en_vigueur = _imports().filter(annee=annee, budget__base=base)
    return TotalDeMandats.objects.filter(import_de_mandats__in=en_vigueur).select_related("import_de_mandats__budget")


def achats_de(source: Source, annee: int) -> list[Achat]:
    """Quatre requêtes au plus. Un montant de contrat se partage également entre ses titulaires ; un montant à part
    (drapeau) n'y est pas."""
    if source.base is not None:
        return [_des_mandats(total) for total in totaux_de(annee, source.base)]
    dits = dict(LieuDEtablissement.objects.values_list("siret", "commune"))
    en_montant = source is Source.MONTANTS
    return [
        Achat(
            contrat.pk,
            contrat.montant if en_montant and contrat.montant is not None else Decimal(1),
            tuple(_titulaire(titulaire, dits) for titulaire in contrat.titulaires.all()),
            partage=en_montant,
        )
        for contrat in contrats_de(annee)
        if not en_montant or (contrat.montant is not None and not contrat.drapeau)
    ]


def _des_mandats(total: TotalDeMandats) -> Achat:
    communes = frozenset({total.commune}) if total.commune else communes_du_code_postal(total.code_postal)
    tiers = Tiers(
        siret=total.siret,
        nom=total.nom if total.siret else "",
        communes=communes,
        departement=departement_du_code_postal(total.code_postal),
    )
    return Achat(total.pk, total.montant, (tiers,))


def _titulaire(titulaire: Titulaire, dits: dict[str, str]) -> Tiers:
    siret = titulaire.identifiant if est_un_siret(titulaire) else ""
    commune = titulaire.commune or dits.get(siret, "")
    return Tiers(
        siret=siret,
        nom=titulaire.nom if siret else "",
        communes=frozenset({commune} if commune else ()),
        departement=titulaire.departement,
        etranger=bool(titulaire.type_identifiant) and titulaire.type_identifiant != "SIRET",
    )


def est_un_siret(titulaire: Titulaire) -> bool:
    lu = titulaire.identifiant
    return titulaire.type_identifiant in ("", "SIRET") and len(lu) == 14 and lu.isdigit()
