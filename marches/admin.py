"""Tenir les territoires, par code et par nom ; lire le registre des consultations, qu'on n'écrit que par ses pages."""

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from comptes.administration import AdminHistorise, AdminVersionne
from comptes.droits import Droit
from marches.communes import commune_actuelle, departements, nom_de
from marches.models import Consultation, Territoire
from socle.formats import accorder

_MOTS = re.compile(r"[,;\s]+")


class ChampDeCodes(forms.Field):
    """Une liste de codes, un par ligne, suivi ou non du nom ; « 34154, 34344 » sur une ligne se lit aussi.

    `forme` : ce à quoi ressemble un code ; `nommer` rend son nom, vide s'il n'existe pas.
    """

    widget = forms.Textarea(attrs={"rows": 12})

    def __init__(self, *, forme: str, nommer: Callable[[str], str], **options: Any) -> None:
        super().__init__(required=False, **options)
        self.forme, self.nommer = re.compile(forme), nommer

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(f"{code} {self.nommer(code)}".strip() for code in value)

    def to_python(self, value: Any) -> list[str]:
        codes: list[str] = []
        refuses: list[str] = []
        for ligne in str(value or "").splitlines():
            for code, bon in self._lire(ligne):
                (codes if bon else refuses).append(code)
        if refuses:
            raise ValidationError(f"Codes inconnus\u00a0: {', '.join(refuses)}. Écrivez un code par ligne.")
        return list(dict.fromkeys(codes))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or []) != self.to_python(data))
        except ValidationError:
            return True

    def _lire(self, ligne: str) -> list[tuple[str, bool]]:
        mots = [mot for mot in _MOTS.split(ligne.strip().upper()) if mot]
        if mots and self.forme.fullmatch(mots[0]) and not any(mot[0].isdigit() for mot in mots[1:]):
            mots = mots[:1]
        return [(mot, bool(self.forme.fullmatch(mot) and self.nommer(mot))) for mot in mots]


def _nom_de_commune(code: str) -> str:
    return nom_de(code) if commune_actuelle(code) else ""


def _champ_des_communes() -> ChampDeCodes:
    return ChampDeCodes(
        label="Communes",
        forme=r"\d[\dAB]\d{3}",
        nommer=_nom_de_commune,
        help_text="Un code INSEE par ligne ; le nom s'ajoute à l'enregistrement.",
    )


def _champ_des_departements() -> ChampDeCodes:
    return ChampDeCodes(
        label="Départements entiers",
        forme=r"\d{2}|2[AB]|97\d",
        nommer=lambda code: departements().get(code, ""),
        help_text="Un code par ligne : 34, 2A ou 974.",
    )


@admin.register(Consultation)
class ConsultationAdmin(AdminHistorise):
    lecture_seule = True
    list_display = ["numero", "objet", "service", "procedure", "lancee_le"]
    list_display_links = ["numero"]
    list_filter = ["procedure", "nature", "service"]
    list_select_related = ["service"]
    search_fields = ["recherche"]
    exclude = ["recherche"]


@admin.register(Territoire)
class TerritoireAdmin(AdminVersionne):
    droit = Droit.TENIR_LES_REFERENTIELS
    suppression_permise = True
    list_display = ["nom", "code", "etendue", "source"]
    search_fields = ["nom", "code"]
    fieldsets = [(None, {"fields": ["nom", "code", "communes", "departements", "source"]})]
    prepopulated_fields = {"code": ["nom"]}

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        champs = {"communes": _champ_des_communes, "departements": _champ_des_departements}
        if champ := champs.get(db_field.name):
            return champ()
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="étendue")
    def etendue(self, territoire: Territoire) -> str:
        dits = [accorder(len(territoire.communes), "commune")] if territoire.communes else []
        if territoire.departements:
            dits.append(accorder(len(territoire.departements), "département"))
        return ", ".join(dits)
