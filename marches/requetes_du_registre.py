"""Ce que `marches.registre` déduit des lots, écrit pour la base : la liste et le calcul disent la même chose."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Case, Count, Exists, Max, OuterRef, Q, Subquery, Value, When

from marches.listes import Suite
from marches.reponses import Reponse

if TYPE_CHECKING:
    _Requetes = models.QuerySet[Any]
else:
    _Requetes = object

FINALES = (Suite.NOTIFIE, Suite.SANS_SUITE)
CONSIDERATIONS = {
    "environnement": ("clause_environnementale", "critere_environnemental"),
    "social": ("clause_sociale", "critere_social"),
}


class RequetesDuRegistre(_Requetes):
    """Mêlée au QuerySet des consultations."""

    def avec_finalisation(self) -> Self:
        """Annote `finalisee_le`, la date de la dernière suite quand tous les lots publiés en ont une, et `finalisee`.

        Voir `marches.registre.finalisation`, qui dit la même chose d'une consultation lue.
        """
        publies = self._lots().exclude(suite=Suite.ABANDONNE)
        sans_date = publies.filter(Q(date_de_suite__isnull=True) | ~Q(suite__in=FINALES))
        derniere = publies.order_by().values("consultation").annotate(le=Max("date_de_suite")).values("le")
        return self.annotate(
            finalisee=Case(
                When(~Exists(publies.exclude(suite__in=FINALES)) & Exists(publies), then=Value(True)),
                default=Value(False),
                output_field=models.BooleanField(),
            ),
            finalisee_le=Case(
                When(~Exists(sans_date), then=Subquery(derniere)),
                default=Value(None),
                output_field=models.DateField(),
            ),
        )

    def avec_considerations(self) -> Self:
        """Annote `environnement` et `social` : oui si au moins un lot publié, non si tous disent non."""
        publies = self._lots().exclude(suite=Suite.ABANDONNE)
        return self.annotate(**{nom: _au_moins_un(publies, *champs) for nom, champs in CONSIDERATIONS.items()})

    def avec_nombre_de_lots(self) -> Self:
        nombre = self._lots().order_by().values("consultation").annotate(n=Count("pk")).values("n")
        return self.annotate(nombre_de_lots=Subquery(nombre))

    def finalisees_en(self, annee: int) -> Self:
        return self.avec_finalisation().filter(finalisee_le__year=annee)

    @staticmethod
    def _lots() -> "models.QuerySet[Any]":
        from marches.consultations import LotDeConsultation

        return LotDeConsultation.objects.filter(consultation=OuterRef("pk"))


def _au_moins_un(publies: "models.QuerySet[Any]", clause: str, critere: str) -> Case:
    """`marches.reponses.au_moins_un`, d'abord par lot puis par consultation."""
    oui = publies.filter(Q(**{clause: Reponse.OUI}) | Q(**{critere: Reponse.OUI}))
    pas_non = publies.exclude(**{clause: Reponse.NON, critere: Reponse.NON})
    return Case(
        When(Exists(oui), then=Value(Reponse.OUI.value)),
        When(Exists(publies) & ~Exists(pas_non), then=Value(Reponse.NON.value)),
        default=Value(Reponse.INCONNU.value),
        output_field=models.CharField(),
    )
