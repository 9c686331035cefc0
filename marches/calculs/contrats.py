"""Ce que les contrats publiés disent d'une année : leur nombre, les considérations, les titulaires du territoire.

Source : données essentielles, arrêté du 22 décembre 2022 (ECOM2235715A), schéma 2.0.4 : `dateNotification`,
`montant`, `considerationsEnvironnementales`, `considerationsSociales`, `titulaires`. Partout, la population est celle
de `population.marches_de` : marchés de l'acheteur notifiés dans la période, à l'état initial, lots compris ; les sans
date, doublons, concessions et marchés subséquents sont écartés.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction

from marches.calculs.lignes import LieuDeTitulaire, LigneDeContrat, Perimetre, Territoire
from marches.calculs.population import aux_montants_surs, marches_de
from marches.calculs.resultats import Pesee, Resultat, compte, part_en_montant, part_en_nombre
from marches.lieux import local
from marches.reponses import Reponse, au_moins_un

SIRET = "siret"

TypeDeReponse = Callable[[LigneDeContrat], str]


def marches_notifies(contrats: Iterable[LigneDeContrat], perimetre: Perimetre) -> Resultat:
    """Le nombre de marchés notifiés dans la période, lots compris.

    Numérateur : les marchés de la population. Pas de dénominateur, pas d'inconnus. Exclus : `sans_date`, `doublon`,
    `concession`, `subsequent`. Version 1.
    """
    population = marches_de(contrats, perimetre)
    return compte("marches_notifies", (ligne.id for ligne in population.retenus), population.exclus)


# --- Considérations -----------------------------------------------------------------------------------------


def part_environnementale_nombre(contrats: Iterable[LigneDeContrat], perimetre: Perimetre) -> Resultat:
    """La part des marchés à considération environnementale (clause ou critère), en nombre.

    Numérateur : les oui. Dénominateur : les oui et les non. Inconnus : les marchés qui n'en disent rien. Version 1.
    """
    return _en_nombre("part_environnementale_nombre", contrats, perimetre, _environnement)


def part_environnementale_montant(contrats: Iterable[LigneDeContrat], perimetre: Perimetre) -> Resultat:
    """La même, en montant initial hors taxes : Σ montant des oui ÷ Σ montant des oui et des non.

    Exclus en plus : `montant_<drapeau>`, les marchés dont le montant manque ou ne se croit pas. Inconnus : un nombre
    de marchés ; leur montant manque à la part renseignée. Le montant d'un accord-cadre est un maximum, pas une
    dépense. Version 1.
    """
    return _en_montant("part_environnementale_montant", contrats, perimetre, _environnement)


def part_sociale_nombre(contrats: Iterable[LigneDeContrat], perimetre: Perimetre) -> Resultat:
    """La part des marchés à considération sociale (clause, critère, marché réservé), en nombre.

    Numérateur, dénominateur et inconnus comme `part_environnementale_nombre`. Version 1.
    """
    return _en_nombre("part_sociale_nombre", contrats, perimetre, _social)


def part_sociale_montant(contrats: Iterable[LigneDeContrat], perimetre: Perimetre) -> Resultat:
    """La même, en montant initial hors taxes ; mêmes règles que `part_environnementale_montant`. Version 1."""
    return _en_montant("part_sociale_montant", contrats, perimetre, _social)


def _environnement(ligne: LigneDeContrat) -> str:
    return ligne.environnement


def _social(ligne: LigneDeContrat) -> str:
    return ligne.social


def _en_nombre(
    code: str, contrats: Iterable[LigneDeContrat], perimetre: Perimetre, reponse: TypeDeReponse
) -> Resultat:
    population = marches_de(contrats, perimetre)
    par_reponse: dict[str, list[int]] = {Reponse.OUI: [], Reponse.NON: [], Reponse.INCONNU: []}
    for ligne in population.retenus:
        par_reponse[reponse(ligne)].append(ligne.id)
    return part_en_nombre(
        code, par_reponse[Reponse.OUI], par_reponse[Reponse.NON], par_reponse[Reponse.INCONNU], population.exclus
    )


PART_D_UNE_REPONSE = {Reponse.OUI: Fraction(1), Reponse.NON: Fraction(0), Reponse.INCONNU: None}


def _en_montant(
    code: str, contrats: Iterable[LigneDeContrat], perimetre: Perimetre, reponse: TypeDeReponse
) -> Resultat:
    surs, exclus = aux_montants_surs(marches_de(contrats, perimetre))
    pesees = [Pesee(ligne.id, montant, PART_D_UNE_REPONSE[Reponse(reponse(ligne))]) for ligne, montant in surs]
    return part_en_montant(code, pesees, exclus)


# --- Titulaires du territoire -------------------------------------------------------------------------------


def part_locale_nombre(contrats: Iterable[LigneDeContrat], perimetre: Perimetre) -> Resultat:
    """La part des marchés dont au moins un titulaire est du territoire, en nombre.

    Numérateur : les marchés dont un titulaire au moins est du territoire, même si le lieu d'un autre manque.
    Dénominateur : ceux-là et ceux dont tous les titulaires sont connus pour être ailleurs. Inconnus : aucun titulaire
    connu du territoire et le lieu d'un au moins manque, ou aucun titulaire. Un titulaire sans SIRET (TVA, HORS-UE…)
    est ailleurs. Part constatée, jamais visée : la préférence locale est illicite. Version 1.
    """
    return _en_nombre("part_locale_nombre", contrats, perimetre, _au_moins_un_local(perimetre))


def part_locale_nombre_tous(contrats: Iterable[LigneDeContrat], perimetre: Perimetre) -> Resultat:
    """La part des marchés dont tous les titulaires sont du territoire, en nombre.

    Inconnus : le lieu d'un titulaire au moins manque, ou aucun titulaire. Version 1.
    """
    return _en_nombre("part_locale_nombre_tous", contrats, perimetre, _tous_locaux(perimetre))


def part_locale_montant(contrats: Iterable[LigneDeContrat], perimetre: Perimetre) -> Resultat:
    """La part du montant initial hors taxes qui va à des titulaires du territoire, à parts égales entre cotitulaires.

    Numérateur : Σ montant × (titulaires du territoire ÷ titulaires). Dénominateur : Σ montant. L'un et l'autre sur
    les marchés au montant sûr dont le lieu de tous les titulaires est connu : un seul lieu manquant, et le marché
    entier va aux inconnus, faute de savoir quelle fraction compter. Les données ne disent pas comment les
    cotitulaires se partagent le montant. Version 1.
    """
    situer = _Situeur(perimetre.territoire)

    def fraction(ligne: LigneDeContrat) -> Fraction | None:
        reponses = [situer(titulaire) for titulaire in ligne.titulaires]
        if not reponses or Reponse.INCONNU in reponses:
            return None
        return Fraction(reponses.count(Reponse.OUI), len(reponses))

    surs, exclus = aux_montants_surs(marches_de(contrats, perimetre))
    pesees = [Pesee(ligne.id, montant, fraction(ligne)) for ligne, montant in surs]
    return part_en_montant("part_locale_montant", pesees, exclus)


def part_locale_montant_tous(contrats: Iterable[LigneDeContrat], perimetre: Perimetre) -> Resultat:
    """La part du montant initial hors taxes des marchés dont tous les titulaires sont du territoire.

    Numérateur : Σ montant de ces marchés, entier. Dénominateur et inconnus : ceux de `part_locale_montant`. Version 1.
    """
    return _en_montant("part_locale_montant_tous", contrats, perimetre, _tous_locaux(perimetre))


class _Situeur:
    """Dit si un titulaire est du territoire ; chaque lieu n'est comparé qu'une fois par calcul."""

    def __init__(self, territoire: Territoire | None) -> None:
        if territoire is None:
            raise ValueError("Une part locale se calcule pour un territoire : il n'y en a pas.")
        self.territoire = territoire
        self.connus: dict[tuple[str, str], Reponse] = {}

    def __call__(self, titulaire: LieuDeTitulaire) -> Reponse:
        if titulaire.type.strip().lower() not in {SIRET, ""}:
            return Reponse.NON
        lieu = (titulaire.commune, titulaire.departement)
        if lieu not in self.connus:
            communes = frozenset({titulaire.commune}) if titulaire.commune else None
            self.connus[lieu] = local(communes, titulaire.departement, self.territoire)
        return self.connus[lieu]


def _au_moins_un_local(perimetre: Perimetre) -> TypeDeReponse:
    situer = _Situeur(perimetre.territoire)

    def reponse(ligne: LigneDeContrat) -> Reponse:
        return au_moins_un(situer(titulaire) for titulaire in ligne.titulaires)

    return reponse


def _tous_locaux(perimetre: Perimetre) -> TypeDeReponse:
    situer = _Situeur(perimetre.territoire)

    def reponse(ligne: LigneDeContrat) -> Reponse:
        reponses = {situer(titulaire) for titulaire in ligne.titulaires}
        if not reponses or Reponse.INCONNU in reponses:
            return Reponse.INCONNU
        return Reponse.OUI if reponses == {Reponse.OUI} else Reponse.NON

    return reponse
