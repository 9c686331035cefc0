"""Les documents d'une action : un fichier gardé hors des fichiers publics, ou un lien."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.validators import URLValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from actions.depot_de_fichier import controler, poids_lisible
from actions.requetes import condition_de_releve
from comptes.droits import Droit, Portee, peut, portee
from socle.modeles import LigneVersionnee
from socle.recherche import COLONNE, ChampRecherche, Cherchable, QuerySetCherchable

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from actions.models import Action
    from comptes.models import Utilisateur


def adresse_de_depot(document: "Document", nom: str) -> str:
    """Un nom tiré au hasard, sans rien de celui d'origine : il ne peut ni sortir du dossier, ni s'exécuter."""
    return f"documents/{timezone.localdate():%Y}/{uuid.uuid4().hex}"


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

    def lisible_par(self, utilisateur: "Utilisateur | AnonymousUser") -> bool:
        """Chacun lit ; un document réservé, ceux qui peuvent mettre l'action à jour."""
        droit = Droit.METTRE_A_JOUR if self.restreint else Droit.CONSULTER
        return peut(utilisateur, droit, self.action)

    @property
    def taille_lisible(self) -> str:
        """« 1,2 Mo » ; vide pour un lien."""
        return poids_lisible(self.taille) if self.taille else ""

    # --- Écriture ------------------------------------------------------------------------------

    def decrire(self, *, version: int, titre: str, preuve: bool, restreint: bool) -> Self:
        """Change le titre et ce que le document vaut ; jamais le fichier : un autre fichier est un autre document.

        Lève ConflitDeVersion si quelqu'un d'autre l'a changé depuis, ValidationError ; rien n'est alors écrit.
        """
        return self.changer_sous_verrou(
            version, sauf=["fichier"], titre=titre.strip(), preuve=preuve, restreint=restreint
        )

    def retirer(self, *, version: int) -> Self:
        """Le document ne se montre plus ; le fichier reste, l'histoire de l'action le cite. Demandé deux fois : rien
        de plus. Mêmes erreurs que `decrire`."""
        with transaction.atomic():
            if (actuel := self.verrouillee()).retire_le:
                return actuel
            return self.changer_sous_verrou(version, sauf=["fichier"], retire_le=timezone.now())

    def _prendre(self, fichier: File) -> None:
        try:
            controle = controler(fichier)
        except ValidationError as refus:
            raise ValidationError({"fichier": refus.messages}) from refus
        self.nom_du_fichier, self.type_mime = controle.nom, controle.type_mime
        self.taille, self.empreinte = controle.taille, controle.empreinte

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
