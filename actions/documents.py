"""Les documents d'une action : un fichier gardé hors des fichiers publics, ou un lien."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import models, transaction
from django.db.models import Q
from simple_history.models import HistoricalRecords

from actions.pieces import Piece, adresse_de_depot
from actions.requetes import condition_de_releve
from comptes.droits import Droit, Portee, peut, portee
from socle.recherche import COLONNE, ChampRecherche, Cherchable, QuerySetCherchable

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from actions.models import Action
    from comptes.models import Utilisateur


# Les migrations connaissent `adresse_de_depot` par ce fichier.
__all__ = ["Document", "DocumentQuerySet", "adresse_de_depot"]


class DocumentQuerySet(QuerySetCherchable["Document"]):
    def presents(self) -> "DocumentQuerySet":
        return self.filter(retire_le__isnull=True)

    def lisibles_par(self, utilisateur: "Utilisateur | AnonymousUser") -> "DocumentQuerySet":
        """Ce que `Document.lisible_par` permet, pour toute une liste."""
        match portee(utilisateur, Droit.METTRE_A_JOUR):
            case Portee.TOUT:
                return self
            case Portee.SIENS:
                return self.filter(Q(restreint=False) | condition_de_releve(utilisateur, "action__"))
        return self.filter(restreint=False)

    def deposer(
        self,
        action: "Action",
        *,
        auteur: "Utilisateur | None",
        titre: str = "",
        fichier: File | None = None,
        lien: str = "",
        preuve: bool = False,
        restreint: bool = False,
        depose_le: datetime | None = None,
    ) -> "Document":
        """Attache un fichier, ou un lien, à l'action. Sans titre, il prend le nom du fichier ou l'adresse.

        `depose_le` n'est donné que pour reprendre un historique.
        Le même envoi reçu deux fois rend le document déjà là. Lève ValidationError : fichier refusé, ni fichier ni
        lien, ou déjà déposé sous un autre titre ; rien n'est alors gardé.
        """
        document = self.model(
            action=action,
            lien=lien.strip(),
            preuve=preuve,
            restreint=restreint,
            depose_par=auteur,
            titre=titre.strip(),
        )
        if depose_le is not None:
            document.depose_le = depose_le
            # Ce que simple_history lit, et que le modèle ne déclare pas.
            vars(document).update(_history_date=depose_le, _history_user=auteur)
        if fichier is not None:
            document._prendre(fichier)
        document.titre = document.titre or document.nom_du_fichier or document.lien[:200]
        with transaction.atomic():
            action.verrouillee()
            deja = document._deja_la()
            if deja:
                return deja
            document._enregistrer(fichier)
        return document


class Document(Cherchable, Piece):
    """Un fichier ou un lien, attaché à une action. On le retire, on ne l'efface pas."""

    action = models.ForeignKey("actions.Action", on_delete=models.PROTECT, related_name="documents")
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
    recherche = ChampRecherche(sources=("titre", "nom_du_fichier"))

    CHAMPS_DES_CONTRAINTES = {"document_fichier_ou_lien": "lien"}

    objects = DocumentQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=[COLONNE])

    class Meta(Piece.Meta):
        verbose_name = "document"
        verbose_name_plural = "documents"

    def lisible_par(self, utilisateur: "Utilisateur | AnonymousUser") -> bool:
        """Chacun lit ; un document réservé, ceux qui peuvent mettre l'action à jour."""
        droit = Droit.METTRE_A_JOUR if self.restreint else Droit.CONSULTER
        return peut(utilisateur, droit, self.action)

    # --- Écriture ------------------------------------------------------------------------------

    def decrire(self, *, version: int, titre: str, preuve: bool, restreint: bool) -> Self:
        """Change le titre et ce que le document vaut ; jamais le fichier : un autre fichier est un autre document.

        Lève ConflitDeVersion si quelqu'un d'autre l'a changé depuis, ValidationError ; rien n'est alors écrit.
        """
        return self.changer_sous_verrou(
            version, sauf=["fichier"], titre=titre.strip(), preuve=preuve, restreint=restreint
        )

    def _deja_la(self) -> "Document | None":
        """Le document que ce même envoi a déjà déposé. ValidationError si le même contenu est là autrement."""
        contenu = {"empreinte": self.empreinte} if self.empreinte else {"lien": self.lien, "empreinte": ""}
        presents = type(self).objects.presents().filter(action=self.action_id, **contenu)
        deja = presents.first() if self.empreinte or self.lien else None
        if deja is None:
            return None
        if (deja.titre, deja.preuve, deja.restreint) == (self.titre, self.preuve, self.restreint):
            return deja
        quoi, champ = ("Ce fichier", "fichier") if self.empreinte else ("Ce lien", "lien")
        raise ValidationError({champ: f"{quoi} est déjà sur l'action, sous le titre « {deja.titre} » : modifiez-le."})
