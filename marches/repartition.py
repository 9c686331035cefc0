"""Où va ce qui est acheté : un premier territoire, un second, le reste du département, ailleurs, ou on ne sait pas.

Rien ici ne lit la base. La part locale s'observe, elle ne se vise pas : la préférence locale est illégale dans la
commande publique. Sources du lieu : le code postal et la ville d'un tiers payé ; `titulaire_commune_code` du format
tabulaire de decp.info, ou une commune dite à la revue, pour un titulaire.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cached_property

from marches.communes import commune_actuelle, departement_de, nom_de
from marches.lieux import Perimetre

TIERS_MONTRES = 20


class Zone(Enum):
    """Les zones s'excluent ; le second territoire est pris sans le premier."""

    PREMIER = "premier"
    SECOND = "second"
    RESTE = "reste"
    AILLEURS = "ailleurs"
    INCONNUE = "inconnue"


@dataclass(frozen=True)
class Tiers:
    """Un fournisseur et son lieu. `communes` : celles où il peut être, par code INSEE ; aucune si rien ne le dit.
    `etranger` : son identifiant n'est pas un SIRET. Le nom et le SIRET sont vides pour qui n'a pas de SIRET : ce peut
    être une personne."""

    siret: str = ""
    nom: str = ""
    communes: frozenset[str] = frozenset()
    departement: str = ""
    etranger: bool = False

    @property
    def commune(self) -> str:
        """La sienne, vide si on ne la connaît pas à coup sûr."""
        return next(iter(self.communes)) if len(self.communes) == 1 else ""


@dataclass(frozen=True)
class Achat:
    """Un enregistrement, sa clé, ce qu'il pèse (un contrat, des euros) et à qui il va.

    `partage` : le poids se partage également entre ses tiers ; sinon il compte entier, une fois.
    """

    cle: int
    poids: Decimal
    tiers: tuple[Tiers, ...]
    partage: bool = False

    @property
    def poids_d_un_tiers(self) -> Decimal:
        return self.poids / len(self.tiers) if self.partage and self.tiers else self.poids


@dataclass(frozen=True)
class Part:
    """Ce qui, d'un achat, va dans une zone."""

    achat: Achat
    zone: Zone
    poids: Decimal


@dataclass(frozen=True)
class Decoupage:
    """`second` None : il n'y a que le premier territoire et le reste."""

    premier: Perimetre
    second: Perimetre | None = None

    @cached_property
    def departements(self) -> frozenset[str]:
        """Ceux des communes du premier territoire : le « reste du département »."""
        communes = {departement_de(code) for code in self.premier.communes}
        return frozenset(communes | set(self.premier.departements)) - {""}

    @cached_property
    def _communes(self) -> dict[str, Zone]:
        par_commune: dict[str, Zone] = {}
        for zone, territoire in ((Zone.SECOND, self.second), (Zone.PREMIER, self.premier)):
            if territoire is not None:
                par_commune |= {commune_actuelle(code) or code: zone for code in territoire.communes}
        return par_commune

    def zone_du_departement(self, departement: str) -> Zone:
        """Sans la commune, un département ne répond que s'il est tout entier dans une zone."""
        if not departement:
            return Zone.INCONNUE
        for zone, territoire in ((Zone.PREMIER, self.premier), (Zone.SECOND, self.second)):
            if territoire is not None and departement in territoire.departements:
                return zone
        partages = {departement_de(code) for code in self._communes}
        if departement in partages:
            return Zone.INCONNUE
        return Zone.RESTE if departement in self.departements else Zone.AILLEURS

    def zone_de_la_commune(self, code: str) -> Zone:
        actuelle = commune_actuelle(code) or code
        zone, departement = self._communes.get(actuelle), departement_de(actuelle)
        if zone is Zone.PREMIER or departement in self.premier.departements:
            return Zone.PREMIER
        if zone or (self.second is not None and departement in self.second.departements):
            return Zone.SECOND
        return Zone.RESTE if departement in self.departements else Zone.AILLEURS

    def zone_du_tiers(self, tiers: Tiers) -> Zone:
        """Celle où il est à coup sûr : plusieurs communes possibles de zones différentes, on ne sait pas."""
        if tiers.etranger:
            return Zone.AILLEURS
        if not tiers.communes:
            return self.zone_du_departement(tiers.departement)
        zones = {self.zone_de_la_commune(code) for code in tiers.communes}
        return zones.pop() if len(zones) == 1 else Zone.INCONNUE

    def parts_de(self, achat: Achat) -> list[Part]:
        """Partagé, l'achat va à chaque zone pour ses tiers qui y sont ; d'un seul lieu inconnu, il est tout entier
        inconnu. Sinon il va à la plus proche de ses tiers ; un lieu inconnu pourrait l'être davantage, sauf que le
        premier territoire."""
        zones = [self.zone_du_tiers(tiers) for tiers in achat.tiers]
        if achat.partage and zones and Zone.INCONNUE not in zones:
            return [Part(achat, zone, achat.poids_d_un_tiers * zones.count(zone)) for zone in Zone if zone in zones]
        if Zone.PREMIER in zones and not achat.partage:
            return [Part(achat, Zone.PREMIER, achat.poids)]
        if Zone.INCONNUE in zones or not zones:
            return [Part(achat, Zone.INCONNUE, achat.poids)]
        return [Part(achat, min(zones, key=list(Zone).index), achat.poids)]


@dataclass(frozen=True)
class LigneDeZone:
    """`part` : en pourcentage de ce dont le lieu est connu ; None pour l'inconnu, et quand rien n'est connu."""

    zone: Zone
    poids: Decimal
    nombre: int
    part: Decimal | None


@dataclass(frozen=True)
class LigneDeTiers:
    """Une commune (code INSEE) ou un tiers (SIRET), et ce qui y va."""

    cle: str
    nom: str
    poids: Decimal
    zone: Zone


@dataclass(frozen=True)
class Repartition:
    """`part_renseignee` : la part, en poids, de ce dont le lieu est connu ; None quand il n'y a rien."""

    zones: list[LigneDeZone]
    communes: list[LigneDeTiers]
    tiers: list[LigneDeTiers]
    total: Decimal
    nombre: int
    part_renseignee: Decimal | None


def repartir(achats: Sequence[Achat], decoupage: Decoupage) -> Repartition:
    poids: dict[Zone, Decimal] = defaultdict(Decimal)
    nombres: dict[Zone, int] = defaultdict(int)
    for part in (part for achat in achats for part in decoupage.parts_de(achat)):
        poids[part.zone] += part.poids
        nombres[part.zone] += 1
    total = sum((achat.poids for achat in achats), Decimal(0))
    connu = total - poids[Zone.INCONNUE]
    montrees = [zone for zone in Zone if zone is not Zone.SECOND or decoupage.second is not None]
    return Repartition(
        zones=[
            LigneDeZone(zone, poids[zone], nombres[zone], None if zone is Zone.INCONNUE else _part(poids[zone], connu))
            for zone in montrees
        ],
        communes=_par_commune(achats, decoupage),
        tiers=_par_tiers(achats, decoupage)[:TIERS_MONTRES],
        total=total,
        nombre=len(achats),
        part_renseignee=_part(connu, total),
    )


def _part(partie: Decimal, tout: Decimal) -> Decimal | None:
    return partie * 100 / tout if tout else None


def _par_commune(achats: Iterable[Achat], decoupage: Decoupage) -> list[LigneDeTiers]:
    """Un contrat à deux titulaires de deux communes compte dans chacune."""
    poids: dict[str, Decimal] = defaultdict(Decimal)
    for achat in achats:
        communes = [commune_actuelle(tiers.commune) or tiers.commune for tiers in achat.tiers if tiers.commune]
        for commune in communes if achat.partage else set(communes):
            poids[commune] += achat.poids_d_un_tiers
    lignes = [
        LigneDeTiers(code, nom_de(code), pese, decoupage.zone_de_la_commune(code)) for code, pese in poids.items()
    ]
    return sorted(lignes, key=lambda ligne: (-ligne.poids, ligne.cle))


def _par_tiers(achats: Iterable[Achat], decoupage: Decoupage) -> list[LigneDeTiers]:
    """Ceux qui ont un SIRET, du plus grand poids au plus petit."""
    poids: dict[str, Decimal] = defaultdict(Decimal)
    connus: dict[str, Tiers] = {}
    for achat in achats:
        for tiers in {tiers.siret: tiers for tiers in achat.tiers if tiers.siret}.values():
            poids[tiers.siret] += achat.poids_d_un_tiers
            connus[tiers.siret] = tiers
    lignes = [
        LigneDeTiers(siret, connus[siret].nom, pese, decoupage.zone_du_tiers(connus[siret]))
        for siret, pese in poids.items()
    ]
    return sorted(lignes, key=lambda ligne: (-ligne.poids, ligne.cle))


def retenir(
    achats: Iterable[Achat], decoupage: Decoupage, zone: Zone | None, commune: str = "", siret: str = ""
) -> list[Part]:
    """Les parts de cette zone, ou de toutes ; ou ce qui va à cette commune, à ce tiers. Leur somme est le nombre
    montré."""
    if commune or siret:
        return [part for achat in achats for part in _a_un_tiers(achat, decoupage, commune, siret)]
    parts = (part for achat in achats for part in decoupage.parts_de(achat))
    return [part for part in parts if zone in (None, part.zone)]


def _a_un_tiers(achat: Achat, decoupage: Decoupage, commune: str, siret: str) -> list[Part]:
    vises = [
        tiers
        for tiers in achat.tiers
        if (not siret or tiers.siret == siret)
        and (not commune or (tiers.commune and commune_actuelle(tiers.commune) == commune))
    ]
    if not vises:
        return []
    fois = len(vises) if achat.partage and not siret else 1
    return [Part(achat, decoupage.zone_du_tiers(vises[0]), achat.poids_d_un_tiers * fois)]
