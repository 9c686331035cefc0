"""Le fil d'actualité d'un plan publié (Atom, RFC 4287) : ses bilans, et les statuts de ses actions visibles.

Aucun commentaire de journal, aucun auteur : seulement ce qui est devenu vrai, et quand.
"""

from datetime import UTC, date, datetime, time
from typing import cast

from django.db.models import F, Value, Window
from django.db.models.functions import Coalesce, Lag
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed

from actions.journaux import ChangementDeStatut
from actions.models import Plan
from actions.statuts import Statut
from comptes.models import Collectivite
from publication import acces
from publication.reponses import adresse_entiere
from socle.formats import formater_date_longue, typographie

AU_PLUS = 50


class _Fil(Atom1Feed):
    """Un fil vide n'est pas daté de l'instant : ses octets ne changeraient que pour cela."""

    def latest_post_date(self) -> datetime:
        dates = [entree["updateddate"] for entree in self.items]
        return max(dates, default=datetime(2000, 1, 1, tzinfo=UTC))


def ecrire_le_fil(plan: Plan) -> bytes:
    """Le fil, en quatre requêtes, le plus récent d'abord. `plan` : rendu par `acces.plan_publie`."""
    page = adresse_entiere(reverse("publication:plan", args=[plan.slug]))
    fil = _Fil(
        title=typographie(plan.intitule),
        link=page,
        description="Les bilans publiés et les changements de statut des actions.",
        language="fr",
        feed_url=adresse_entiere(reverse("publication:fil", args=[plan.slug])),
        feed_guid=page,
        author_name=_collectivite(),
    )
    for entree in sorted([*_bilans(plan), *_statuts(plan, page)], key=lambda e: e["updateddate"], reverse=True):
        fil.add_item(**entree)
    return fil.writeString("utf-8").encode()


def _collectivite() -> str:
    collectivite = Collectivite.objects.first()
    return collectivite.nom if collectivite else ""


def _bilans(plan: Plan) -> list[dict]:
    entrees = []
    for public in acces.bilans_publies(plan):
        adresse = adresse_entiere(reverse("publication:bilan", args=[plan.slug, public.annee]))
        # Une contrainte le garantit : ce qui est publié a sa date.
        publie_le = _debut_du_jour(cast("date", public.bilan.publie_le))
        entrees.append(
            {
                "title": f"Bilan {public.annee} publié",
                "link": adresse,
                "description": f"Le bilan {public.annee} du plan est en ligne, avec son PDF et ses données.",
                # Une nouvelle version est une nouvelle de plus.
                "unique_id": f"{adresse}#version-{public.version.rang}",
                "pubdate": publie_le,
                "updateddate": publie_le,
            }
        )
    return entrees


def _statuts(plan: Plan, page: str) -> list[dict]:
    """Les derniers changements en vigueur des actions visibles ; seuls ces quatre champs sont lus.

    Un statut redit, pour un avancement par exemple, n'est pas une nouvelle.
    """
    visibles = acces.actions_publiques(plan).order_by().values("pk")
    lignes = ChangementDeStatut.objects.filter(action__in=visibles).en_vigueur(timezone.localdate())
    avant = Window(Lag("statut"), partition_by="action", order_by=["date_effet", "pk"])
    changees = lignes.order_by().annotate(avant=Coalesce(avant, Value(""))).exclude(avant=F("statut"))
    recentes = changees.order_by("-date_effet", "-pk").values_list("pk", "action__intitule", "statut", "date_effet")
    return [
        {
            "title": f"{Statut(statut).label}\u00a0: {typographie(intitule)}",
            "link": page,
            "description": f"{Statut(statut).label} au {formater_date_longue(jour)}.",
            "unique_id": f"{page}#statut-{cle}",
            "pubdate": _debut_du_jour(jour),
            "updateddate": _debut_du_jour(jour),
        }
        for cle, intitule, statut, jour in recentes[:AU_PLUS]
    ]


def _debut_du_jour(jour: date) -> datetime:
    return datetime.combine(jour, time(), timezone.get_default_timezone())
