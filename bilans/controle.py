"""Ce qu'il faut regarder avant d'arrêter un bilan : chaque nombre s'ouvre sur la liste de ce qu'il compte."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.http import urlencode

from actions.models import Campagne, DemandeDActualisation
from bilans.bilan import Bilan, Section
from bilans.demande import fin_de_l_annee
from indicateurs.collectes import annoncer
from indicateurs.models import Collecte, Indicateur
from socle.formats import accorder


@dataclass(frozen=True)
class Point:
    """`nombre` : combien de choses `adresse` montre, exactement ; None : il n'y a rien à compter.

    `signale` : il y a quelque chose à regarder. `bloque` : le bilan ne peut pas s'arrêter ainsi.
    """

    titre: str
    phrase: str
    nombre: int | None
    adresse: str
    signale: bool
    bloque: bool = False


@dataclass(frozen=True)
class Controle:
    points: list[Point]

    @property
    def bloquants(self) -> list[Point]:
        return [point for point in self.points if point.bloque]

    @property
    def signales(self) -> list[Point]:
        """Ce qui mérite un regard sans rien empêcher."""
        return [point for point in self.points if point.signale and not point.bloque]

    @property
    def en_ordre(self) -> list[Point]:
        return [point for point in self.points if not point.signale and not point.bloque]


def controler(bilan: Bilan) -> Controle:
    """Neuf requêtes au plus, quel que soit le nombre d'actions. Ce qui a une date est regardé à celle du bilan."""
    return Controle(
        [
            *_l_annee(bilan),
            *_les_valeurs(bilan),
            *_les_actions(bilan),
            *_les_collectes(bilan),
            *_les_campagnes(bilan),
            _les_textes(bilan),
        ]
    )


def _l_annee(bilan: Bilan) -> Iterable[Point]:
    if not bilan.finie:
        phrase = (
            f"L'année {bilan.annee} n'est pas finie : son bilan s'arrête à partir du 1er janvier {bilan.annee + 1}."
        )
        yield Point("Année en cours", phrase, None, "", signale=True, bloque=True)


def _point(titre: str, nombre: int, adresse: str, *, un: str, plusieurs: str, aucun: str) -> Point:
    """`un`, `plusieurs` : ce qui suit le nombre dans la phrase."""
    phrase = f"{accorder(nombre, un, plusieurs)}." if nombre else aucun
    return Point(titre, phrase, nombre, adresse, signale=nombre > 0)


def _les_valeurs(bilan: Bilan) -> Iterable[Point]:
    annee, indicateurs = bilan.annee, Indicateur.objects.filter(places__plan=bilan.plan)
    yield _point(
        "Valeurs manquantes",
        indicateurs.sans_reponse(annee).count(),
        _liste("indicateurs:liste", plan=bilan.plan.slug, sans_valeur=annee),
        un=f"indicateur n'a pas de valeur {annee}, et n'est pas dit indisponible",
        plusieurs=f"indicateurs n'ont pas de valeur {annee}, et ne sont pas dits indisponibles",
        aucun=f"Chaque indicateur du plan a une valeur {annee}, ou est dit indisponible.",
    )
    yield _point(
        "Valeurs provisoires",
        indicateurs.de_valeur_provisoire(annee).count(),
        _liste("indicateurs:liste", plan=bilan.plan.slug, provisoire=annee),
        un=f"valeur {annee} n'est pas validée",
        plusieurs=f"valeurs {annee} ne sont pas validées",
        aucun=f"Les valeurs {annee} données sont toutes validées.",
    )


def _les_actions(bilan: Bilan) -> Iterable[Point]:
    """Une seule requête."""
    fin, annee = bilan.fin, bilan.annee
    veille = fin_de_l_annee(annee - 1)
    actions = bilan.plan.actions.etat_au(fin).au_plan().avec_retard(fin).avec_silence(fin, veille)
    nombres = actions.aggregate(
        inconnues=Count("pk", filter=Q(etat_statut__isnull=True)),
        silencieuses=Count("pk", filter=Q(sans_nouvelle=True)),
        en_retard=Count("pk", filter=Q(est_en_retard=True)),
        cachees=Count("pk", filter=Q(visible_du_public=False)),
    )

    def liste(**filtres: str) -> str:
        return _liste("actions:liste", plan=bilan.plan.slug, au=fin.isoformat(), **filtres)

    yield _point(
        "Actions de statut inconnu",
        nombres["inconnues"],
        liste(statut="null"),
        un="action n'a pas de statut connu à cette date",
        plusieurs="actions n'ont pas de statut connu à cette date",
        aucun="Chaque action du plan a un statut connu à cette date.",
    )
    yield _point(
        "Actions sans nouvelle",
        nombres["silencieuses"],
        liste(silence=veille.isoformat()),
        un=f"action pas terminée n'a ni changement ni note en {annee}",
        plusieurs=f"actions pas terminées n'ont ni changement ni note en {annee}",
        aucun=f"Chaque action pas terminée a un changement ou une note en {annee}.",
    )
    yield _point(
        "Actions en retard",
        nombres["en_retard"],
        liste(retard="oui"),
        un="action a dépassé son échéance ; le public ne le verra pas",
        plusieurs="actions ont dépassé leur échéance ; le public ne le verra pas",
        aucun="Aucune action n'a dépassé son échéance à cette date.",
    )
    yield _point(
        "Actions que le public ne verra pas",
        nombres["cachees"],
        liste(visible="non"),
        un="action n'est pas visible du public : elle n'est que dans le bilan interne",
        plusieurs="actions ne sont pas visibles du public : elles ne sont que dans le bilan interne",
        aucun="Toutes les actions du plan sont visibles du public.",
    )


def _les_collectes(bilan: Bilan) -> Iterable[Point]:
    ouvertes = list(Collecte.objects.filter(plan=bilan.plan, annee=bilan.annee, close_le__isnull=True))
    if ouvertes:
        annoncer(ouvertes)
    for collecte in ouvertes:
        dues = collecte.demandees - collecte.recues
        reste = accorder(dues, "valeur est encore due", "valeurs sont encore dues") if dues else "tout est reçu"
        phrase = f"Les services y répondent encore : {reste}."
        yield Point(f"{collecte} ouverte", phrase, dues, collecte.get_absolute_url(), signale=True)
    if not ouvertes:
        yield Point("Collecte", f"Aucune collecte {bilan.annee} n'est ouverte.", None, "", signale=False)


def _les_campagnes(bilan: Bilan) -> Iterable[Point]:
    ouvertes = list(Campagne.objects.ouvertes().filter(plan=bilan.plan))
    if ouvertes:
        DemandeDActualisation.objects.annoncer(ouvertes)
    for campagne in ouvertes:
        dues = campagne.demandees - campagne.repondues
        reste = (
            accorder(dues, "action n'a pas sa réponse", "actions n'ont pas leur réponse") if dues else "tout est dit"
        )
        phrase = f"« {campagne} », des pilotes y répondent encore : {reste}."
        yield Point("Campagne ouverte", phrase, dues, campagne.get_absolute_url(), signale=True)
    if not ouvertes:
        yield Point("Campagne", "Aucune campagne d'actualisation n'est ouverte.", None, "", signale=False)


def _les_textes(bilan: Bilan) -> Point:
    vides = [] if bilan.avant_propos else ["l'avant-propos"]
    vides += [f"« {section.label} »" for section in Section if section.value not in bilan.commentaires]
    return Point(
        "Textes vides",
        f"{accorder(len(vides), 'texte')}, {', '.join(vides)}."
        if vides
        else "L'avant-propos et chaque commentaire sont écrits.",
        len(vides),
        f"{reverse('bilans:preparer', args=[bilan.plan.slug, bilan.annee])}#textes",
        signale=bool(vides),
    )


def _liste(nom: str, **filtres: str | int) -> str:
    return f"{reverse(nom)}?{urlencode(filtres)}"
