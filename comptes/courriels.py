"""Les courriels du site : écrits dans la base d'abord, envoyés ensuite. Un serveur en panne n'en perd aucun."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone


class CourrielQuerySet(models.QuerySet["Courriel"]):
    def a_envoyer(self) -> "CourrielQuerySet":
        """Ni envoyés ni abandonnés, les plus anciens d'abord."""
        return self.filter(envoye_le__isnull=True, abandonne_le__isnull=True).order_by("prepare_le", "pk")

    def preparer(self, destinataire, cle: str, gabarit: str, contexte: dict[str, Any]) -> "Courriel | None":
        """Écrit un courriel à envoyer, ou rend None : cette `cle` a déjà servi, ou la personne n'a pas d'adresse.

        `gabarit` : le début du nom de trois gabarits, « _objet.txt », « .txt » et « .html ». `contexte` reçoit en plus
        `destinataire` et `site`, l'adresse du site sans barre finale.
        """
        if not destinataire.courriel or not destinataire.is_active:
            return None
        contexte = {**contexte, "destinataire": destinataire, "site": settings.ADRESSE_DU_SITE}
        courriel, nouveau = self.get_or_create(
            cle=cle,
            defaults={
                "destinataire": destinataire,
                "adresse": destinataire.courriel,
                # Un objet tient sur une ligne : un retour y ajouterait un en-tête.
                "objet": " ".join(render_to_string(f"{gabarit}_objet.txt", contexte).split()),
                "texte": render_to_string(f"{gabarit}.txt", contexte),
                "html": render_to_string(f"{gabarit}.html", contexte),
            },
        )
        return courriel if nouveau else None


class Courriel(models.Model):
    """Un message à une personne, gardé avec ce qu'il est devenu. `cle` : ce qui ne s'envoie qu'une fois."""

    cle = models.CharField("clé", max_length=200, unique=True)
    destinataire = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="destinataire", on_delete=models.PROTECT, related_name="courriels"
    )
    adresse = models.EmailField("adresse")
    objet = models.CharField("objet", max_length=300)
    texte = models.TextField("texte")
    html = models.TextField("HTML")
    prepare_le = models.DateTimeField("préparé le", default=timezone.now, editable=False)
    envoye_le = models.DateTimeField("envoyé le", null=True, blank=True, editable=False)
    abandonne_le = models.DateTimeField("abandonné le", null=True, blank=True, editable=False)
    essais = models.PositiveSmallIntegerField("essais", default=0, editable=False)
    erreur = models.CharField("dernière erreur", max_length=500, blank=True, editable=False)

    objects = CourrielQuerySet.as_manager()

    class Meta:
        verbose_name = "courriel"
        verbose_name_plural = "courriels"
        ordering = ["-prepare_le", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(envoye_le__isnull=True) | Q(abandonne_le__isnull=True),
                name="courriel_envoye_ou_abandonne",
                violation_error_message="Un courriel est envoyé, ou abandonné, pas les deux.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.objet} — {self.adresse}"
