"""Bases abstraites partagées : lignes versionnées et lignes suivies par l'historique."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Self, TypeVar

from django.db import models, transaction
from django.utils import timezone

from socle.contraintes import ContraintesAuChamp

_M = TypeVar("_M", bound=models.Model, covariant=True)


class MiseAJourNonTracee(TypeError):
    """Écriture en masse qui échapperait à l'historique."""


class QuerySetSuivi(models.QuerySet[_M]):
    """QuerySet des tables dont chaque changement de champ est conservé par l'historique."""

    def update(self, **champs: Any) -> int:
        """Refusé : l'historique ne verrait rien. Passer par la méthode d'écriture du modèle ou
        par `simple_history.utils.bulk_update_with_history`."""
        raise MiseAJourNonTracee(
            f"{self.model.__name__} : .update() n'est pas tracé, utilisez bulk_update_with_history."
        )

    def bulk_update(self, objs, fields, batch_size=None):
        # bulk_update s'appuie sur update() : il passe par un QuerySet nu, l'appelant trace lui-même.
        return models.QuerySet(self.model, using=self.db).bulk_update(objs, fields, batch_size)


class ConflitDeVersion(Exception):
    """La ligne a changé depuis qu'elle a été lue.

    `actuelle` est la ligne telle qu'enregistrée, pour montrer les deux versions.
    """

    def __init__(self, actuelle: models.Model) -> None:
        super().__init__(f"{actuelle} a été modifiée entre-temps.")
        self.actuelle = actuelle


class LigneVersionnee(ContraintesAuChamp):
    """Ligne qu'on édite à plusieurs : chaque enregistrement fait avancer `version` d'un.

    Le verrou et la comparaison sont le travail de `verrouillee()` ; l'appelant est dans une transaction.
    """

    version = models.PositiveIntegerField("version", default=1, editable=False)

    class Meta:
        abstract = True

    def save(self, *args, **kwargs) -> None:
        if not self._state.adding:
            self.version += 1
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "version"}
        super().save(*args, **kwargs)

    def verrouillee(self) -> Self:
        """Relit la ligne sous verrou. Sur SQLite la transaction IMMEDIATE en tient lieu."""
        return type(self)._base_manager.select_for_update(of=("self",)).get(pk=self.pk)

    def changer_sous_verrou(self, version: int, *, sauf: Collection[str] = (), **valeurs: Any) -> Self:
        """Donne ces valeurs à la ligne relue, et la rend. Déjà ainsi (double clic, rechargement), elle n'écrit rien.

        `sauf` : les champs à ne pas revérifier. Lève ConflitDeVersion si `version` n'est plus la bonne,
        ValidationError ; rien n'est alors écrit.
        """
        with transaction.atomic():
            actuelle = self.verrouillee()
            if all(getattr(actuelle, champ) == valeur for champ, valeur in valeurs.items()):
                return actuelle
            if actuelle.version != version:
                raise ConflitDeVersion(actuelle)
            for champ, valeur in valeurs.items():
                setattr(actuelle, champ, valeur)
            actuelle.full_clean(exclude=sauf)
            actuelle.save(update_fields=list(valeurs))
        return actuelle


class LigneFermable(LigneVersionnee):
    """Ce qui court, puis se clôt, et se rouvre s'il a été clos par erreur."""

    close_le = models.DateTimeField("close le", null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def clore(self) -> None:
        """Plus rien n'est demandé ; ce qui a été répondu reste. Demandé deux fois : rien de plus."""
        self._fermer(timezone.now())

    def rouvrir(self) -> None:
        """Demande de nouveau. Demandé deux fois : rien de plus."""
        self._fermer(None)

    def _fermer(self, le: datetime | None) -> None:
        with transaction.atomic():
            actuelle = self.verrouillee()
            if (actuelle.close_le is None) != (le is None):
                actuelle.close_le = le
                actuelle.save(update_fields=["close_le"])
        self.close_le = actuelle.close_le


class LigneInalterable(TypeError):
    """Tentative de modifier ou de supprimer une ligne qui ne fait que s'ajouter."""


class QuerySetInalterable(models.QuerySet[_M]):
    """Des lignes à ajouter et à lire seulement."""

    def update(self, **champs: Any) -> int:
        raise LigneInalterable(f"{self.model.__name__} : une ligne ne se modifie pas.")

    def delete(self):
        raise LigneInalterable(f"{self.model.__name__} : une ligne ne s'efface pas.")


class LigneAjoutee(ContraintesAuChamp):
    """Base des tables où l'on ne fait qu'ajouter, hors journaux (`socle.journal`)."""

    objects = QuerySetInalterable.as_manager()

    class Meta:
        abstract = True

    def save(self, *args, **kwargs) -> None:
        if not self._state.adding:
            raise LigneInalterable(f"{type(self).__name__} : une ligne ne se modifie pas.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise LigneInalterable(f"{type(self).__name__} : une ligne ne s'efface pas.")
