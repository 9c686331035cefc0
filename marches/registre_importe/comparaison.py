"""Ce qu'un registre importé changerait, avant d'écrire quoi que ce soit. Cinq requêtes, quel que soit le fichier.

Une ligne rejoint la consultation de même numéro (et de même SIREN, s'il est dit), puis son lot de même numéro. Une
cellule vide n'efface rien.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models.functions import Lower

from comptes.models import Siren
from marches.consultations import Consultation, LotDeConsultation
from marches.mandats.fichiers import Refus, cite
from marches.registre_importe.cellules import numero_de_lot
from marches.registre_importe.lecture import Lecture, LigneLue
from marches.regles_du_registre import avertissements_du_lot, objections_au_lot
from socle.formulaires import afficher


@dataclass
class Changement:
    """Une consultation ou un lot, tel qu'il serait. `champs` : champ → valeur d'avant. `lignes` : qui l'ont dit, par
    champ."""

    objet: Any
    cree: bool
    champs: dict[str, Any] = field(default_factory=dict)
    lignes: dict[str, LigneLue] = field(default_factory=dict)
    premiere: LigneLue | None = None

    @property
    def du_lot(self) -> bool:
        return isinstance(self.objet, LotDeConsultation)

    @property
    def en_clair(self) -> list[tuple[str, str, str]]:
        """(libellé, avant, après)."""
        rendus = []
        for nom, avant in self.champs.items():
            champ = self.objet._meta.get_field(nom)
            rendus.append((str(champ.verbose_name), _dit(champ, avant), _dit(champ, getattr(self.objet, nom))))
        return rendus


def _dit(champ: Any, valeur: Any) -> str:
    choix = dict(champ.flatchoices) if champ.choices else {}
    return afficher(choix.get(valeur, valeur) if isinstance(valeur, str) else valeur)


@dataclass
class Apercu:
    consultations: list[Changement] = field(default_factory=list)
    lots: list[Changement] = field(default_factory=list)
    refus: list[Refus] = field(default_factory=list)
    avertissements: list[str] = field(default_factory=list)
    lues: int = 0
    inchangees: int = 0

    @property
    def changements(self) -> list[Changement]:
        return [*self.consultations, *self.lots]

    @property
    def creations(self) -> list[Changement]:
        return [c for c in self.changements if c.cree]

    @property
    def modifications(self) -> list[Changement]:
        return [c for c in self.changements if not c.cree]

    @property
    def consultations_creees(self) -> int:
        return sum(c.cree for c in self.consultations)

    @property
    def lots_crees(self) -> int:
        return sum(c.cree for c in self.lots)

    @property
    def vide(self) -> bool:
        return not (self.changements or self.refus)

    @property
    def empreinte(self) -> str:
        """Change si ce qui serait écrit change, ou si l'une des lignes touchées a bougé."""
        dit = [
            [c.du_lot, c.objet.pk, c.objet.version, c.cree, {n: _brut(c.objet, n) for n in sorted(c.champs)}]
            for c in self.changements
        ]
        texte = json.dumps(dit, cls=DjangoJSONEncoder, default=str)
        return hashlib.sha256(texte.encode()).hexdigest()


def _brut(objet: Any, nom: str) -> Any:
    return getattr(objet, objet._meta.get_field(nom).attname)


def comparer(lecture: Lecture, *, sous_verrou: bool = False) -> Apercu:
    """`sous_verrou` : dans une transaction, prend les consultations touchées."""
    return _Comparaison(lecture, sous_verrou=sous_verrou).apercu


class _Comparaison:
    def __init__(self, lecture: Lecture, *, sous_verrou: bool) -> None:
        self.apercu = Apercu(refus=list(lecture.refus), lues=len(lecture.lignes))
        self.sirens = list(Siren.objects.order_by("numero").values_list("numero", flat=True))
        self._charger({ligne.numero for ligne in lecture.lignes}, sous_verrou=sous_verrou)
        groupes: dict[tuple[str, str], list[LigneLue]] = defaultdict(list)
        for ligne in lecture.lignes:
            groupes[(ligne.numero.casefold(), ligne.consultation.get("siren", ""))].append(ligne)
        for lignes in groupes.values():
            self._traiter(lignes)

    def _charger(self, numeros: set[str], *, sous_verrou: bool) -> None:
        """« mapa-12 » et « MAPA-12 » sont la même consultation."""
        replies = {numero.casefold() for numero in numeros}
        lues = Consultation.objects.alias(replie=Lower("numero")).filter(replie__in=replies).order_by("pk")
        if sous_verrou:
            lues = lues.select_for_update(of=("self",), no_key=True)
        self.connues: dict[str, list[Consultation]] = defaultdict(list)
        par_cle = {}
        for consultation in lues:
            self.connues[consultation.numero.casefold()].append(consultation)
            par_cle[consultation.pk] = consultation
        self.lots: dict[int, dict[str, LotDeConsultation]] = defaultdict(dict)
        for lot in LotDeConsultation.objects.filter(consultation__in=list(par_cle)).order_by("pk"):
            lot.consultation = par_cle[lot.consultation_id]
            self.lots[lot.consultation_id][numero_de_lot(lot.numero)] = lot

    # --- Une consultation ----------------------------------------------------------------------

    def _traiter(self, lignes: list[LigneLue]) -> None:
        """Toutes les lignes d'une consultation."""
        premiere, avant = lignes[0], len(self.apercu.refus)
        trouvees = self._trouver(premiere)
        if len(trouvees) > 1:
            raison = "désigne plusieurs consultations de ce numéro : ajoutez une colonne SIREN"
            self.apercu.refus.append(premiere.refus("numero", raison, du_lot=False))
            return
        consultation = copy(trouvees[0]) if trouvees else self._nouvelle(premiere)
        changement = Changement(consultation, cree=not trouvees, premiere=premiere)
        for ligne in lignes:
            self._poser(changement, ligne, ligne.consultation, sauf=("numero", "siren"))
        if changement.cree and not consultation.objet:
            raison = "n'est pas au registre : pour la créer, il faut aussi son objet"
            self.apercu.refus.append(premiere.refus("numero", raison, du_lot=False))
        siens = self._lots(changement, lignes)
        self._juger(changement, siens)
        if len(self.apercu.refus) == avant:
            self._retenir(changement, siens)

    def _trouver(self, ligne: LigneLue) -> list[Consultation]:
        """Sans SIREN, c'est une des siennes ; avec, la même, ou celle de la collectivité qui n'en disait pas."""
        memes, siren = self.connues[ligne.numero.casefold()], ligne.consultation.get("siren")
        if siren is None:
            siennes = [c for c in memes if c.siren in ("", *self.sirens)]
            return siennes or memes
        exactes = [c for c in memes if c.siren == siren]
        return exactes or [c for c in memes if not c.siren and (siren in self.sirens or not self.sirens)]

    def _nouvelle(self, ligne: LigneLue) -> Consultation:
        defaut = self.sirens[0] if len(self.sirens) == 1 else ""
        return Consultation(numero=ligne.numero, siren=ligne.consultation.get("siren", defaut))

    def _poser(
        self, changement: Changement, ligne: LigneLue, valeurs: dict[str, Any], sauf: Iterable[str] = ()
    ) -> None:
        for champ, valeur in valeurs.items():
            if champ in sauf:
                continue
            deja = changement.lignes.get(champ)
            actuelle = getattr(changement.objet, champ)
            if deja is not None and valeur != actuelle:
                raison = f"dit autre chose que la ligne {deja.place.ligne}, pour la même consultation"
                self.apercu.refus.append(ligne.refus(champ, raison, du_lot=changement.du_lot))
                continue
            changement.lignes[champ] = ligne
            if valeur != actuelle:
                changement.champs.setdefault(champ, actuelle)
                setattr(changement.objet, champ, valeur)

    # --- Ses lots ------------------------------------------------------------------------------

    def _lots(self, consultation: Changement, lignes: list[LigneLue]) -> list[Changement]:
        """Un par lot que le fichier touche."""
        connus = self.lots[consultation.objet.pk] if not consultation.cree else {}
        faits: dict[str, Changement] = {}
        for ligne in lignes:
            numero = self._numero(ligne, lignes, connus)
            if numero is None:
                continue
            if numero in faits:
                deja = faits[numero].premiere
                ou = deja.place.ligne if deja else 0
                raison = f"redit le lot {numero}, déjà à la ligne {ou} : gardez une seule ligne par lot"
                self.apercu.refus.append(ligne.refus("numero", raison, du_lot=True))
                continue
            faits[numero] = self._lot(consultation.objet, numero, ligne, connus)
        if consultation.cree and not faits:
            faits["1"] = self._lot(consultation.objet, "1", lignes[0], connus)
        return list(faits.values())

    def _numero(self, ligne: LigneLue, lignes: list[LigneLue], connus: dict[str, LotDeConsultation]) -> str | None:
        """Le lot dont parle la ligne ; None si elle ne parle d'aucun, ou si l'on ne peut pas le dire."""
        if dit := ligne.lot.get("numero"):
            return dit
        if not ligne.lot:
            return None
        if len(lignes) > 1 or len(connus) > 1:
            raison = f"est vide : la consultation {cite(ligne.numero)} a plusieurs lots, dites duquel parle la ligne"
            self.apercu.refus.append(ligne.refus("numero", raison, du_lot=True))
            return None
        return next(iter(connus), "1")

    def _lot(
        self, consultation: Consultation, numero: str, ligne: LigneLue, connus: dict[str, LotDeConsultation]
    ) -> Changement:
        connu = connus.get(numero)
        lot = copy(connu) if connu else LotDeConsultation(numero=numero)
        lot.consultation = consultation
        changement = Changement(lot, cree=connu is None, premiere=ligne)
        self._poser(changement, ligne, ligne.lot, sauf=("numero",))
        return changement

    # --- Juger ---------------------------------------------------------------------------------

    def _juger(self, consultation: Changement, lots: list[Changement]) -> None:
        self._valider(consultation, ("service",))
        for lot in lots:
            self._valider(lot, ("consultation",))
        if "lancee_le" in consultation.champs and not consultation.cree:
            touches = {lot.objet.pk for lot in lots}
            for connu in self.lots[consultation.objet.pk].values():
                if connu.pk not in touches and any(
                    c == "date_de_suite" for c, _ in objections_au_lot(connu, consultation.objet)
                ):
                    raison = f"est postérieure à la suite donnée au lot {connu.numero}"
                    self._refuser(consultation, "lancee_le", raison)

    def _valider(self, changement: Changement, sauf: tuple[str, ...]) -> None:
        try:
            changement.objet.clean_fields(exclude=sauf)
            changement.objet.clean()
        except ValidationError as refus:
            for champ, phrases in refus.message_dict.items():
                # Vide, l'objet d'une nouvelle consultation est déjà dit.
                if changement.cree and champ == "objet" and not changement.du_lot:
                    continue
                self._refuser(changement, champ, " ".join(phrases))

    def _refuser(self, changement: Changement, champ: str, phrase: str) -> None:
        ligne = changement.lignes.get(champ) or changement.premiere
        if ligne is None:
            return
        raison = f"ne convient pas : {phrase[0].lower()}{phrase[1:].rstrip('.')}"
        self.apercu.refus.append(ligne.refus(champ, raison, du_lot=changement.du_lot))

    def _retenir(self, consultation: Changement, lots: list[Changement]) -> None:
        touches = [lot for lot in lots if lot.cree or lot.champs]
        if consultation.cree or consultation.champs:
            self.apercu.consultations.append(consultation)
        elif not touches:
            self.apercu.inchangees += 1
        self.apercu.lots += touches
        for lot in touches:
            for phrase in avertissements_du_lot(lot.objet, consultation.objet):
                self.apercu.avertissements.append(f"{lot.objet} : {phrase}")
