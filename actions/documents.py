"""Les documents d'une action : un fichier gardé hors des fichiers publics, ou un lien."""

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from comptes.droits import Droit, peut
from socle.modeles import LigneVersionnee, QuerySetSuivi
from socle.recherche import COLONNE, ChampRecherche, Cherchable

if TYPE_CHECKING:
    from comptes.models import Utilisateur


def adresse_de_depot(document: "Document", nom: str) -> str:
    """Un nom tiré au hasard, sans rien de celui d'origine : il ne peut ni sortir du dossier, ni s'exécuter."""
    return f"documents/{timezone.localdate():%Y}/{uuid.uuid4().hex}"


class DocumentQuerySet(QuerySetSuivi["Document"]):
    def presents(self) -> "DocumentQuerySet":
        return self.filter(retire_le__isnull=True)


class Document(Cherchable, LigneVersionnee):
    """Un fichier ou un lien, attaché à une action. On le retire, on ne l'efface pas."""

    action = models.ForeignKey("actions.Action", on_delete=models.PROTECT, related_name="documents")
    titre = models.CharField("titre", max_length=200)
    fichier = models.FileField("fichier", upload_to=adresse_de_depot, max_length=200, blank=True)
    lien = models.CharField("lien", max_length=500, blank=True, validators=[URLValidator(["http", "https"])])
    nom_du_fichier = models.CharField("nom du fichier", max_length=200, blank=True, editable=False)
    type_mime = models.CharField("type", max_length=100, blank=True, editable=False)
    taille = models.PositiveIntegerField("taille (octets)", null=True, editable=False)
    empreinte = models.CharField("empreinte SHA-256", max_length=64, blank=True, editable=False)
    preuve = models.BooleanField("preuve", default=False, help_text="À montrer lors d'un audit, ISO 9001 par exemple.")
    restreint = models.BooleanField(
        "réservé", default=False, help_text="Ouvert seulement à ceux qui peuvent mettre l'action à jour."
    )
    depose_par = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="déposé par",
        on_delete=models.PROTECT,
        related_name="documents",
        null=True,
        editable=False,
    )
    depose_le = models.DateTimeField("déposé le", default=timezone.now, editable=False)
    retire_le = models.DateTimeField("retiré le", null=True, blank=True, editable=False)
    recherche = ChampRecherche(sources=("titre", "nom_du_fichier"))

    CHAMPS_DES_CONTRAINTES = {"document_fichier_ou_lien": "lien"}

    objects = DocumentQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=[COLONNE])

    class Meta:
        verbose_name = "document"
        verbose_name_plural = "documents"
        ordering = ["-depose_le", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(fichier="") & ~Q(lien="")) | (~Q(fichier="") & Q(lien="")),
                name="document_fichier_ou_lien",
                violation_error_message="Un document est un fichier ou un lien : l'un des deux, pas les deux.",
            ),
        ]

    def __str__(self) -> str:
        return self.titre

    def lisible_par(self, utilisateur: "Utilisateur") -> bool:
        """Chacun lit ; un document réservé, ceux qui peuvent mettre l'action à jour."""
        droit = Droit.METTRE_A_JOUR if self.restreint else Droit.CONSULTER
        return peut(utilisateur, droit, self.action)
