"""Défaire un import du registre, champ par champ, sans rien reprendre à ceux qui sont passés depuis.

Une consultation ou un lot né de l'import est retiré s'il n'a pas bougé depuis et que rien n'y tient ; sinon il reste,
et la page le dit.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction

from comptes.gestes import LigneDeLot, Lot
from comptes.models import Service, Utilisateur
from marches.consultations import Consultation, ContratDeConsultation, LotDeConsultation
from marches.recalculs import registre_change
from marches.registre_importe.imports import CREATION, enregistrer_en_masse, pour_le_lot
from socle.formulaires import afficher

MODELES: tuple[Any, ...] = (Consultation, LotDeConsultation)


@dataclass(frozen=True)
class Refus:
    """Ce qu'on ne reprend pas, et pourquoi."""

    objet: str
    champ: str
    raison: str


@dataclass
class Defaisance:
    """`lot` : le nouveau lot, None si rien n'a pu être défait."""

    lot: Lot | None = None
    defaits: int = 0
    refus: list[Refus] = field(default_factory=list)


def lots_du_registre() -> Any:
    """Les imports du registre, et ce qui en a défait, du plus récent au plus ancien."""
    types = [ContentType.objects.get_for_model(modele).pk for modele in MODELES]
    touches = LigneDeLot.objects.filter(type_d_objet__in=types).values("lot")
    return Lot.objects.filter(pk__in=touches).select_related("auteur", "defait_par__auteur")


def defaire(lot: Lot, *, auteur: Utilisateur) -> Defaisance:
    """Une transaction. Le lot déjà défait rend le lot qui l'a défait, sans rien refaire."""
    with transaction.atomic():
        actuel = Lot.objects.select_for_update(of=("self",)).get(pk=lot.pk)
        if actuel.defait_par is not None:
            return Defaisance(lot=actuel.defait_par)
        nouveau = Lot.objects.create(intitule=f"Annulation : {actuel.intitule}"[:200], auteur=auteur)
        resultat = _Annulation(actuel, nouveau, auteur).faire()
        if not resultat.defaits:
            # Rien ne s'y est écrit : il n'a pas lieu d'être.
            nouveau.delete()
            resultat.lot = None
        else:
            actuel.defait_par = nouveau
            actuel.save(update_fields=["defait_par"])
            registre_change()
    return resultat


class _Annulation:
    def __init__(self, lot: Lot, nouveau: Lot, auteur: Utilisateur) -> None:
        self.lot, self.nouveau, self.auteur = lot, nouveau, auteur
        self.resultat = Defaisance(lot=nouveau)
        self.lignes: list[LigneDeLot] = []
        self.services = Service.objects.in_bulk()
        self.par_modele: dict[Any, dict[int, dict[str, LigneDeLot]]] = {m: defaultdict(dict) for m in MODELES}
        for modele in MODELES:
            type_d_objet = ContentType.objects.get_for_model(modele)
            for ligne in lot.lignes.filter(type_d_objet=type_d_objet):
                self.par_modele[modele][ligne.id_objet][ligne.champ] = ligne

    def faire(self) -> Defaisance:
        """Ce qui était là reprend ses valeurs ; ce qui est né de l'import s'en va."""
        objets = {m: self._relire(m) for m in MODELES}
        for modele in MODELES:
            self._rendre(modele, objets[modele])
        self._retirer_les_nes(objets[Consultation], objets[LotDeConsultation])
        LigneDeLot.objects.bulk_create(self.lignes, batch_size=500)
        return self.resultat

    def _relire(self, modele: Any) -> dict[int, Any]:
        cles = list(self.par_modele[modele])
        lus = modele.objects.select_for_update(of=("self",)).filter(pk__in=cles).order_by("pk")
        if modele is LotDeConsultation:
            lus = lus.select_related("consultation")
        return {objet.pk: objet for objet in lus}

    # --- Rendre les champs ---------------------------------------------------------------------

    def _rendre(self, modele: Any, objets: dict[int, Any]) -> None:
        rendus, champs = [], set()
        for pk, lignes in self.par_modele[modele].items():
            if CREATION in lignes:
                continue
            objet = objets.get(pk)
            if objet is None:
                self.resultat.refus.append(Refus(f"{modele._meta.verbose_name} n° {pk}", "", "n'existe plus"))
                continue
            if rendu := self._rendre_un(objet, lignes):
                rendus.append(objet)
                champs |= rendu
        enregistrer_en_masse(modele, rendus, champs, self.auteur, str(self.nouveau)[:100])

    def _rendre_un(self, objet: Any, lignes: dict[str, LigneDeLot]) -> set[str]:
        """Ce qui n'a pas bougé reprend sa valeur d'avant, si l'ensemble tient encore debout."""
        rendus: dict[str, Any] = {}
        for nom, ligne in lignes.items():
            present = getattr(objet, nom)
            if self._valeur(objet, nom, ligne.apres) != present:
                self._refuser(objet, nom, f"vaut maintenant « {self._en_clair(objet, nom, present)} »")
            else:
                rendus[nom] = (present, self._valeur(objet, nom, ligne.avant))
        for nom, (_, avant) in rendus.items():
            setattr(objet, nom, avant)
        try:
            objet.clean()
        except ValidationError as erreur:
            for nom, (present, _) in rendus.items():
                setattr(objet, nom, present)
                self._refuser(objet, nom, " ".join(erreur.messages))
            return set()
        for nom, (present, avant) in rendus.items():
            self._noter(objet, nom, pour_le_lot(objet, nom, present), pour_le_lot(objet, nom, avant))
        self.resultat.defaits += len(rendus)
        return set(rendus)

    def _valeur(self, objet: Any, nom: str, gardee: Any) -> Any:
        champ = objet._meta.get_field(nom)
        return self.services.get(gardee) if champ.is_relation else champ.to_python(gardee)

    @staticmethod
    def _en_clair(objet: Any, nom: str, valeur: Any) -> str:
        champ = objet._meta.get_field(nom)
        choix = dict(champ.flatchoices) if champ.choices else {}
        return afficher(choix.get(valeur, valeur))

    # --- Retirer ce qui est né de l'import -----------------------------------------------------

    def _nes(self, modele: Any, objets: dict[int, Any]) -> list[Any]:
        """Ceux que l'import a créés et qui sont encore là."""
        return [objets[pk] for pk, lignes in self.par_modele[modele].items() if CREATION in lignes and pk in objets]

    def _retirer_les_nes(self, consultations: dict[int, Any], lots: dict[int, Any]) -> None:
        """Une consultation part avec ses lots si rien n'y a bougé ; un lot né dans une autre part seul, sauf s'il y
        est le dernier."""
        nees, nes = self._nes(Consultation, consultations), self._nes(LotDeConsultation, lots)
        restent: dict[int, set[int]] = defaultdict(set)
        siens = LotDeConsultation.objects.filter(consultation__in={*consultations, *(n.consultation_id for n in nes)})
        for consultation, lot in siens.values_list("consultation", "pk"):
            restent[consultation].add(lot)
        lies = ContratDeConsultation.objects.filter(consultation__in=list(restent))
        rattaches = {cle for lien in lies.values_list("consultation", "lot") for cle in zip("cl", lien, strict=True)}
        intacts = {lot.pk for lot in nes if lot.version == 1}
        parties = set()
        for consultation in nees:
            if consultation.version != 1 or restent[consultation.pk] - intacts:
                self._refuser(consultation, CREATION, "elle, ou un de ses lots, a changé depuis l'import")
            elif ("c", consultation.pk) in rattaches:
                self._refuser(consultation, CREATION, "un contrat publié y est rattaché")
            else:
                parties.add(consultation.pk)
                self._retirer(consultation)
        for lot in nes:
            if lot.consultation_id in parties:
                self._noter(lot, CREATION, str(lot), None)
            elif lot.consultation_id in consultations and lot.consultation_id in {c.pk for c in nees}:
                continue  # dit avec sa consultation
            elif lot.version != 1:
                self._refuser(lot, CREATION, "a changé depuis l'import")
            elif ("l", lot.pk) in rattaches:
                self._refuser(lot, CREATION, "un contrat publié y est rattaché")
            elif len(restent[lot.consultation_id]) == 1:
                self._refuser(lot, CREATION, "c'est le seul lot de sa consultation")
            else:
                restent[lot.consultation_id].discard(lot.pk)
                self._retirer(lot)

    def _retirer(self, objet: Any) -> None:
        self._noter(objet, CREATION, str(objet), None)
        objet._history_user = self.auteur
        objet._change_reason = str(self.nouveau)[:100]
        objet.delete()
        self.resultat.defaits += 1

    # --- Noter ---------------------------------------------------------------------------------

    def _noter(self, objet: Any, champ: str, avant: Any, apres: Any) -> None:
        type_d_objet = ContentType.objects.get_for_model(type(objet))
        self.lignes.append(
            LigneDeLot(
                lot=self.nouveau, type_d_objet=type_d_objet, id_objet=objet.pk, champ=champ, avant=avant, apres=apres
            )
        )

    def _refuser(self, objet: Any, nom: str, raison: str) -> None:
        libelle = "" if nom == CREATION else str(objet._meta.get_field(nom).verbose_name)
        self.resultat.refus.append(Refus(str(objet), libelle, raison))
