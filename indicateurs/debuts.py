"""Depuis quand on connaît des valeurs : avant, une page vide se tairait ; elle le dit."""

from django.db.models import Min

from actions.debuts import rien_de_connu_avant, rien_de_saisi_avant
from indicateurs.models import Indicateur, ValeurAnnuelle
from socle.instants import Instant
from socle.relecture import relire


def ignorance(instant: Instant, indicateur: Indicateur | None = None) -> str:
    """« Rien n'est connu avant le 31 décembre 2023. » si l'instant précède la première valeur connue (de l'indicateur,
    de tous) ; vide sinon, et toujours aujourd'hui. Une requête, deux si rien n'était saisi."""
    if instant.jour is None:
        return ""
    siennes = {"indicateur": indicateur.pk} if indicateur else {}
    debut = ValeurAnnuelle.objects.filter(**siennes).aggregate(premier=Min("connue_le"))["premier"]
    if debut is None and instant.saisi_au:
        with relire(None):
            versions = ValeurAnnuelle.history.filter(**siennes)
            return rien_de_saisi_avant(versions.aggregate(premier=Min("history_date"))["premier"])
    return rien_de_connu_avant(debut) if debut is None or instant.jour < debut else ""
