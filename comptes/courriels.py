"""Les courriels du site : écrits dans la base, envoyés ensuite (`comptes.envoi`). Une panne n'en perd aucun."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.template import Context, Engine
from django.utils import timezone

from socle.formats import accorder

if TYPE_CHECKING:
    from comptes.models import Utilisateur

# Où l'on choisit de recevoir ou non les rappels ; la page est d'une application de droite.
DESINSCRIPTION = "/mon-compte/"
# Plus long que le plus long des dialogues : au-delà, l'ouvrier qui avait pris le courriel est mort en route.
RESERVATION = timedelta(minutes=10)
RENVOI = ":renvoi-"
# Par quoi commence la clé d'un rappel : le seul courriel dont on peut se passer, et qui le dit dans son en-tête.
RAPPEL = "rappel-"
# Un serveur en panne fait essayer tous les quarts d'heure : la colonne ne va pas plus loin.
ESSAIS_COMPTES = 32_767
LONGUEUR_D_ERREUR = 500


class EtatDeCourriel(models.TextChoices):
    A_ENVOYER = "a-envoyer", "À envoyer"
    A_REESSAYER = "a-reessayer", "À réessayer"
    ENVOYE = "envoye", "Envoyé"
    ABANDONNE = "abandonne", "Abandonné"


@dataclass(frozen=True)
class Lettre:
    """Un courriel à écrire. `cle` : ce qui ne s'envoie qu'une fois ; `gabarit` : le début du nom de trois gabarits,
    « _objet.txt », « .txt » et « .html » ; `confidentiel` : il porte un lien qui ouvre un compte, son texte s'efface
    une fois parti."""

    destinataire: "Utilisateur"
    cle: str
    gabarit: str
    contexte: dict[str, Any]
    confidentiel: bool = False


@dataclass(frozen=True)
class Preparation:
    """Ce qu'une préparation a donné. `deja` : leur clé avait servi ; `sans_adresse` : rien ne peut leur être écrit."""

    courriels: "tuple[Courriel, ...]" = ()
    deja: "tuple[Utilisateur, ...]" = ()
    sans_adresse: "tuple[Utilisateur, ...]" = ()

    @property
    def compte_rendu(self) -> str:
        """« 3 courriels partent », « aucun courriel ne part »."""
        nombre = len(self.courriels)
        return accorder(nombre, "courriel part", "courriels partent") if nombre else "aucun courriel ne part"

    def compte_rendu_de_relance(self, de_quoi: str) -> str:
        """La même, et combien avaient déjà été relancés. `de_quoi` : « cette campagne »."""
        deja = accorder(len(self.deja), "personne a déjà", "personnes ont déjà")
        suite = f" {deja} reçu un courriel de {de_quoi} aujourd'hui." if self.deja else ""
        return f"Relance : {self.compte_rendu}.{suite}"


class CourrielQuerySet(models.QuerySet["Courriel"]):
    def a_envoyer(self) -> "CourrielQuerySet":
        """Ni envoyés ni abandonnés : les moins essayés d'abord, pour que celui sur lequel le serveur coupe ne retienne
        pas les autres ; puis les plus anciens."""
        return self.filter(envoye_le__isnull=True, abandonne_le__isnull=True).order_by("essais", "prepare_le", "pk")

    def dans_l_etat(self, etat: str) -> "CourrielQuerySet":
        """Ceux que `Courriel.etat` dirait ainsi."""
        match etat:
            case EtatDeCourriel.ENVOYE:
                return self.filter(envoye_le__isnull=False)
            case EtatDeCourriel.ABANDONNE:
                return self.filter(abandonne_le__isnull=False)
            case EtatDeCourriel.A_REESSAYER:
                return self.filter(envoye_le__isnull=True, abandonne_le__isnull=True, essais__gt=0)
            case EtatDeCourriel.A_ENVOYER:
                return self.filter(envoye_le__isnull=True, abandonne_le__isnull=True, essais=0)
        return self.none()

    def disponibles(self, le: datetime) -> "CourrielQuerySet":
        """À envoyer, et qu'aucun ouvrier n'est en train d'envoyer."""
        return self.a_envoyer().filter(Q(reserve_le__isnull=True) | Q(reserve_le__lte=le - RESERVATION))

    def preparer(
        self, destinataire: "Utilisateur", cle: str, gabarit: str, contexte: dict[str, Any]
    ) -> "Courriel | None":
        """Écrit un courriel à envoyer, ou rend None : cette `cle` a déjà servi, ou la personne n'a pas d'adresse.

        `gabarit`, `contexte` : voir `Lettre` ; les gabarits reçoivent en plus `destinataire`, `site` (l'adresse du
        site, sans barre finale) et `desinscription`.
        """
        courriels = self.preparer_tous([Lettre(destinataire, cle, gabarit, contexte)]).courriels
        return courriels[0] if courriels else None

    def preparer_tous(self, lettres: Iterable[Lettre]) -> Preparation:
        """Écrit ces courriels, dans la transaction de l'appelant, en trois requêtes quel que soit leur nombre."""
        lettres = list(lettres)
        joignables = [lettre for lettre in lettres if lettre.destinataire.joignable]
        servies = set(
            self.filter(cle__in=[lettre.cle for lettre in joignables]).values_list("cle", flat=True)
            if joignables
            else ()
        )
        nouvelles = [lettre for lettre in joignables if lettre.cle not in servies]
        maintenant = timezone.now()
        # Deux préparations en même temps : la base garde la première, et la seconde ne lit que ce qu'elle a écrit.
        self.bulk_create((self._ecrire(lettre, maintenant) for lettre in nouvelles), ignore_conflicts=True)
        cles = [lettre.cle for lettre in nouvelles]
        ecrits = tuple(self.filter(cle__in=cles, prepare_le=maintenant).order_by("pk")) if cles else ()
        ecrites = {courriel.cle for courriel in ecrits}
        return Preparation(
            courriels=ecrits,
            deja=tuple(lettre.destinataire for lettre in joignables if lettre.cle not in ecrites),
            sans_adresse=tuple(lettre.destinataire for lettre in lettres if not lettre.destinataire.joignable),
        )

    def _ecrire(self, lettre: Lettre, le: datetime):
        site = settings.ADRESSE_DU_SITE
        contexte = lettre.contexte | {
            "destinataire": lettre.destinataire,
            "site": site,
            "desinscription": f"{site}{DESINSCRIPTION}",
        }
        objet = _rendre(f"{lettre.gabarit}_objet.txt", contexte, echapper=False)
        return self.model(
            cle=lettre.cle,
            destinataire=lettre.destinataire,
            adresse=lettre.destinataire.courriel,
            # Un objet tient sur une ligne : un retour y ajouterait un en-tête.
            objet=" ".join(objet.split())[:300],
            texte=_rendre(f"{lettre.gabarit}.txt", contexte, echapper=False),
            html=_rendre(f"{lettre.gabarit}.html", contexte, echapper=True),
            prepare_le=le,
            confidentiel=lettre.confidentiel,
        )


def _rendre(gabarit: str, contexte: dict[str, Any], *, echapper: bool) -> str:
    """Un gabarit de texte ne s'échappe pas : « l'achat » s'y lirait « l&#x27;achat »."""
    return Engine.get_default().get_template(gabarit).render(Context(contexte, autoescape=echapper)).strip() + "\n"


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
    # Pris par un ouvrier : le dialogue avec le serveur de courriels ne doit tenir aucun verrou.
    reserve_le = models.DateTimeField("pris par un ouvrier le", null=True, blank=True, editable=False)
    envoye_le = models.DateTimeField("envoyé le", null=True, blank=True, editable=False)
    abandonne_le = models.DateTimeField("abandonné le", null=True, blank=True, editable=False)
    # Un lien qui ouvre un compte ne se garde ni dans la base ni dans ses sauvegardes.
    confidentiel = models.BooleanField("confidentiel", default=False, editable=False)
    essais = models.PositiveSmallIntegerField("essais", default=0, editable=False)
    erreur = models.CharField("dernière erreur", max_length=LONGUEUR_D_ERREUR, blank=True, editable=False)

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

    @property
    def etat(self) -> EtatDeCourriel:
        if self.envoye_le:
            return EtatDeCourriel.ENVOYE
        if self.abandonne_le:
            return EtatDeCourriel.ABANDONNE
        return EtatDeCourriel.A_REESSAYER if self.essais else EtatDeCourriel.A_ENVOYER

    @property
    def en_attente(self) -> bool:
        return self.etat in (EtatDeCourriel.A_ENVOYER, EtatDeCourriel.A_REESSAYER)

    @property
    def est_un_rappel(self) -> bool:
        return self.cle.startswith(RAPPEL)

    def refermer(self, erreur: str, *, abandonner: bool = False) -> None:
        """Écrit l'issue d'un essai et rend le courriel aux autres ouvriers. `erreur` : la phrase de l'échec, vide s'il
        est parti ; `abandonner` : il ne se représentera plus."""
        maintenant = timezone.now()
        self.essais = min(self.essais + 1, ESSAIS_COMPTES)
        self.erreur = erreur[:LONGUEUR_D_ERREUR]
        self.reserve_le = None
        if not erreur:
            self.envoye_le = maintenant
        elif abandonner:
            self.abandonne_le = maintenant
        if self.confidentiel and not self.en_attente:
            self.texte = self.html = ""
        self.save(update_fields=["essais", "erreur", "reserve_le", "envoye_le", "abandonne_le", "texte", "html"])

    def renvoyer(self) -> "Courriel | None":
        """Prépare le même message, à l'adresse d'aujourd'hui ; une fois par jour. Rend None s'il n'y a rien à faire :
        il attend encore, a déjà été renvoyé aujourd'hui, son texte est effacé, ou la personne n'a plus d'adresse."""
        if self.en_attente or self.confidentiel or not self.destinataire.joignable:
            return None
        origine = self.cle.partition(RENVOI)[0]
        nouveau, cree = type(self).objects.get_or_create(
            cle=f"{origine}{RENVOI}{timezone.localdate().isoformat()}",
            defaults={
                "destinataire": self.destinataire,
                "adresse": self.destinataire.courriel,
                "objet": self.objet,
                "texte": self.texte,
                "html": self.html,
            },
        )
        return nouveau if cree else None
