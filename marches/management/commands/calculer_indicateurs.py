"""`manage.py calculer_indicateurs` : les chiffres d'une année, refaits depuis les enregistrements."""

import json
import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from marches.calculs.catalogue import CALCULS
from marches.calculs.chargement import acheteurs_de_la_collectivite
from marches.calculs.conservation import calculer, en_json
from marches.calculs.lignes import Perimetre
from marches.models import Territoire
from socle.formats import annee_hors_bornes, formater_montant, formater_nombre, formater_pourcentage

CHAMPS = ("code", "valeur", "numerateur", "denominateur", "inconnus", "exclus", "couverture")


class Command(BaseCommand):
    help = (
        "Calcule les indicateurs d'une année depuis les DECP, le registre et les mandats, et garde les résultats. "
        "Sans --territoire, les parts locales n'ont pas de valeur."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--annee", type=int, required=True, help="l'année, du 1er janvier au 31 décembre")
        parser.add_argument("--siren", help="l'acheteur ; par défaut, les SIREN de la collectivité")
        parser.add_argument("--territoire", help="le code d'un territoire")
        parser.add_argument("--json", action="store_true", help="un objet JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        annee, acheteurs = options["annee"], _acheteurs(options["siren"])
        if raison := annee_hors_bornes(annee):
            raise CommandError(f"{annee} n'est pas une année : {raison}.")
        territoire = _territoire(options["territoire"])
        gardes = {r.code: en_json(r) for r in calculer(Perimetre.annee(acheteurs, annee, territoire), territoire)}
        calculs = [gardes.get(code) or _sans_territoire(code) for code in CALCULS]
        if options["json"]:
            rendu = {"annee": annee, "siren": acheteurs, "calculs": calculs}
            self.stdout.write(json.dumps(rendu, ensure_ascii=False))
        else:
            self.stdout.write(f"Année {annee}, acheteur {acheteurs}")
            for calcul in calculs:
                self.stdout.write(_phrase(calcul))


def _acheteurs(siren: str | None) -> str:
    if siren is None:
        acheteurs = acheteurs_de_la_collectivite()
        if not acheteurs:
            raise CommandError("La collectivité n'a déclaré aucun SIREN : nommez l'acheteur avec --siren.")
        return acheteurs
    if not re.fullmatch(r"\d{9}", siren):
        raise CommandError(f"« {siren} » n'est pas un SIREN : il compte neuf chiffres.")
    return siren


def _territoire(code: str | None) -> Territoire | None:
    if code is None:
        return None
    territoire = Territoire.objects.filter(Q(code=code) | Q(nom=code)).first()
    if territoire is None:
        connus = ", ".join(Territoire.objects.order_by("code").values_list("code", flat=True)) or "aucun"
        raise CommandError(f"Pas de territoire « {code} ». Territoires connus : {connus}.")
    return territoire


def _sans_territoire(code: str) -> dict[str, Any]:
    """Une part locale sans territoire : rien n'a été calculé."""
    return dict(zip(CHAMPS, (code, None, None, None, 0, {}, None), strict=True))


def _phrase(calcul: dict[str, Any]) -> str:
    """Une ligne à lire : « Marchés notifiés : 12 » ; « … : 33,3 % (1 / 3), 75 % renseigné »."""
    decrit = CALCULS[calcul["code"]]
    if decrit.unite != "%":
        return f"{decrit.libelle} : {formater_nombre(calcul['valeur'])}"
    formater = formater_montant if decrit.en_montant else formater_nombre
    fraction = f"{formater(calcul['numerateur'])} / {formater(calcul['denominateur'])}"
    part, renseigne = (formater_pourcentage(calcul[champ], 1) for champ in ("valeur", "couverture"))
    return f"{decrit.libelle} : {part} ({fraction}), {renseigne} renseigné"
