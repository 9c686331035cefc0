"""Ce qui prouve une valeur : un fichier ou un lien, gardé comme les documents des actions."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import models, transaction
from simple_history.models import HistoricalRecords

from actions.pieces import Piece
from socle.modeles import QuerySetSuivi

if TYPE_CHECKING:
    from comptes.models import Utilisateur
    from indicateurs.valeurs import ValeurAnnuelle


class JustificatifQuerySet(QuerySetSuivi["Justificatif"]):
    def presents(self) -> "JustificatifQuerySet":
        return self.filter(retire_le__isnull=True)

    def deposer(
        self,
        valeur: "ValeurAnnuelle",
        *,
        auteur: "Utilisateur",
        titre: str = "",
        fichier: File | None = None,
        lien: str = "",
    ) -> "Justificatif":
        """Attache un fichier, ou un lien, à la valeur. Sans titre, il prend le nom du fichier ou l'adresse.

        Le même envoi reçu deux fois rend la pièce déjà là. Lève ValidationError : fichier refusé, ni fichier ni lien,
        ou déjà là sous un autre titre ; rien n'est alors gardé.
        """
        piece = self.model(valeur=valeur, lien=lien.strip(), depose_par=auteur, titre=titre.strip())
        if fichier is not None:
            piece._prendre(fichier)
        piece.titre = piece.titre or piece.nom_du_fichier or piece.lien[:200]
        with transaction.atomic():
            valeur.verrouillee()
            deja = piece._deja_la()
            if deja is None:
                piece._enregistrer(fichier)
        return deja or piece


class Justificatif(Piece):
    """Un fichier ou un lien qui prouve une valeur annuelle. On le retire, on ne l'efface pas."""

    valeur = models.ForeignKey(
        "indicateurs.ValeurAnnuelle", on_delete=models.PROTECT, related_name="justificatifs", verbose_name="valeur"
    )
    depose_par = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="déposé par",
        on_delete=models.PROTECT,
        related_name="justificatifs",
        null=True,
        editable=False,
    )

    CHAMPS_DES_CONTRAINTES = {"justificatif_fichier_ou_lien": "lien"}

    objects = JustificatifQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta(Piece.Meta):
        verbose_name = "justificatif"
        verbose_name_plural = "justificatifs"

    def _deja_la(self) -> "Justificatif | None":
        """La pièce que ce même envoi a déjà déposée. ValidationError si le même contenu est là sous un autre titre."""
        if not (self.empreinte or self.lien):
            return None
        contenu = {"empreinte": self.empreinte} if self.empreinte else {"lien": self.lien, "empreinte": ""}
        deja = type(self).objects.all().presents().filter(valeur=self.valeur_id, **contenu).first()
        if deja is not None and deja.titre != self.titre:
            quoi, champ = ("Ce fichier", "fichier") if self.empreinte else ("Ce lien", "lien")
            raise ValidationError({champ: f"{quoi} justifie déjà cette valeur, sous le titre « {deja.titre} »."})
        return deja
