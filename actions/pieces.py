"""Une pièce : un fichier gardé hors des fichiers publics, ou un lien. Ce que documents et justificatifs partagent."""

import uuid
from typing import Self

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.validators import URLValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from actions.depot_de_fichier import controler, poids_lisible
from socle.modeles import LigneVersionnee


def adresse_de_depot(piece: "Piece", nom: str) -> str:
    """Un nom tiré au hasard, sans rien de celui d'origine : il ne peut ni sortir du dossier, ni s'exécuter."""
    return f"documents/{timezone.localdate():%Y}/{uuid.uuid4().hex}"


class Piece(LigneVersionnee):
    """On la retire, on ne l'efface pas. Une pièce déclare aussi `depose_par`."""

    titre = models.CharField("titre", max_length=200)
    fichier = models.FileField("fichier", upload_to=adresse_de_depot, max_length=200, blank=True)
    lien = models.CharField("lien", max_length=500, blank=True, validators=[URLValidator(["http", "https"])])
    nom_du_fichier = models.CharField("nom du fichier", max_length=200, blank=True, editable=False)
    type_mime = models.CharField("type", max_length=100, blank=True, editable=False)
    taille = models.PositiveIntegerField("taille (octets)", null=True, editable=False)
    empreinte = models.CharField("empreinte SHA-256", max_length=64, blank=True, editable=False)
    depose_le = models.DateTimeField("déposé le", default=timezone.now, editable=False)
    retire_le = models.DateTimeField("retiré le", null=True, blank=True, editable=False)

    class Meta:
        abstract = True
        ordering = ["-depose_le", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(fichier="") & ~Q(lien="")) | (~Q(fichier="") & Q(lien="")),
                name="%(class)s_fichier_ou_lien",
                violation_error_message="Un document est un fichier ou un lien : l'un des deux, pas les deux.",
            ),
        ]

    def __str__(self) -> str:
        return self.titre

    @property
    def taille_lisible(self) -> str:
        """« 1,2 Mo » ; vide pour un lien."""
        return poids_lisible(self.taille) if self.taille else ""

    # --- Écriture ------------------------------------------------------------------------------

    def retirer(self, *, version: int) -> Self:
        """La pièce ne se montre plus ; le fichier reste, l'histoire la cite. Demandé deux fois : rien de plus. Lève
        ConflitDeVersion si quelqu'un d'autre l'a changée depuis ; rien n'est alors écrit."""
        with transaction.atomic():
            if (actuel := self.verrouillee()).retire_le:
                return actuel
            return self.changer_sous_verrou(version, sauf=["fichier"], retire_le=timezone.now())

    def _prendre(self, fichier: File) -> None:
        """Ce que le fichier est vraiment. Lève ValidationError, sur `fichier`."""
        try:
            controle = controler(fichier)
        except ValidationError as refus:
            raise ValidationError({"fichier": refus.messages}) from refus
        self.nom_du_fichier, self.type_mime = controle.nom, controle.type_mime
        self.taille, self.empreinte = controle.taille, controle.empreinte

    def _enregistrer(self, fichier: File | None) -> None:
        """Le fichier d'abord, la ligne ensuite : une ligne sans fichier serait pire qu'un fichier sans ligne."""
        if fichier is None and not self.lien:
            raise ValidationError({"fichier": "Choisissez un fichier, ou donnez un lien."})
        if fichier is not None and self.lien:
            raise ValidationError({"lien": "Un fichier ou un lien : l'un des deux, pas les deux."})
        self.full_clean(exclude=["fichier"], validate_constraints=False)
        if fichier is not None:
            self.fichier.save(self.nom_du_fichier, fichier, save=False)
        try:
            self.validate_constraints()
            self.save()
        except BaseException:
            self.fichier.delete(save=False)
            raise
