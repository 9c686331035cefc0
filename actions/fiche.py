"""La fiche d'une action : la modifier, ou en créer une."""

from dataclasses import dataclass
from typing import Any, cast

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Layout, Submit
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from actions.formulaires import champ_date_effet
from actions.models import Action, PartenaireDeLAction, ReferenceCadre
from actions.statuts import Priorite, Statut
from actions.suivi import LONGUEUR_DE_REFERENCE, RoleDePartenaire
from comptes.models import Service, Utilisateur
from partenaires.models import Partenaire
from socle.champs import ChampDate, ChampEcheance, ChampNombre, ChampPlusieurs
from socle.formulaires import FormulaireVersionne


@dataclass(frozen=True)
class Reference:
    """Une référence telle que tapée."""

    cadre: str
    code: str

    def __str__(self) -> str:
        return f"{self.cadre} {self.code}".strip()


def nom_du_role(participation: PartenaireDeLAction) -> str:
    """Le champ du formulaire qui porte le rôle de ce partenaire."""
    return f"role_{participation.partenaire_id}"


def ecrire_les_references(action: Action) -> str:
    """Une référence par ligne, comme on la tape : « PCAET : 3.2 »."""
    if action._state.adding:
        return ""
    return "\n".join(f"{r.cadre} : {r.code}" if r.code else r.cadre for r in action.references.all())


class FormulaireAction(FormulaireVersionne):
    """La fiche d'une action : quatre champs d'abord, le reste replié."""

    partenaires = ChampPlusieurs(
        label="Partenaires",
        queryset=Partenaire.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    references = forms.CharField(
        label="Références à d'autres cadres",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Une par ligne : le cadre, puis le code après deux-points. Par exemple « PCAET : 3.2 ».",
    )
    date_debut = ChampDate(label="Date de début", required=False)
    budget_previsionnel = ChampNombre(label="Budget prévisionnel (€)", required=False, max_digits=14, decimal_places=2)
    budget_realise = ChampNombre(label="Budget réalisé (€)", required=False, max_digits=14, decimal_places=2)

    premiers: tuple[str, ...] = ("intitule", "axe", "service_pilote", "pilote")

    class Meta:
        model = Action
        fields = (
            "intitule",
            "axe",
            "service_pilote",
            "pilote",
            "numero",
            "description",
            "suppleant",
            "elu_referent",
            "priorite",
            "date_debut",
            "budget_previsionnel",
            "budget_realise",
            "partenaires",
            "visible_du_public",
        )

    def __init__(self, *args, plan, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.instance.plan = plan
        comptes = Utilisateur.objects.filter(is_active=True)
        self._proposer("axe", plan.axes.all())
        self._proposer("service_pilote", Service.objects.filter(actif=True))
        self._proposer("pilote", comptes)
        self._proposer("suppleant", comptes)
        self._proposer("partenaires", Partenaire.objects.actifs())
        self.roles = {} if self.instance._state.adding else self._demander_les_roles()
        derniers = [*self.roles, "references", "visible_du_public"]
        self.order_fields([*(nom for nom in self.fields if nom not in derniers), *derniers])
        cast(forms.ChoiceField, self.fields["priorite"]).choices = [("", "Non renseignée"), *Priorite.choices]
        self.fields["references"].initial = ecrire_les_references(self.instance)
        self.helper = FormHelper()
        self.helper.layout = Layout(
            "version",
            *self.premiers,
            Div(
                *(nom for nom in self.fields if nom not in ("version", *self.premiers)),
                template="socle/_replie.html",
            ),
            Submit("", "Enregistrer l'action"),
        )

    def enregistrer(self) -> Action | None:
        """L'action enregistrée ; None si elle est refusée, les erreurs sont alors dans le formulaire.

        La transaction ne s'ouvre qu'ici : sur SQLite elle prend le verrou d'écriture, que la lecture n'attend pas.
        """
        with transaction.atomic():
            return self.save() if self.is_valid() else None

    def _proposer(self, nom: str, choix: QuerySet) -> None:
        """Les choix d'un champ. Ce que l'action a déjà reste proposé, même désactivé : l'enregistrer ne l'ôte pas."""
        champ = cast(forms.ModelChoiceField, self.fields[nom])
        deja = self.initial.get(nom) or []
        deja = [objet.pk for objet in deja] if isinstance(deja, list) else [deja]
        champ.queryset = choix.model._default_manager.filter(Q(pk__in=choix.values("pk")) | Q(pk__in=deja))
        if champ.empty_label is not None:
            champ.empty_label = "Non renseigné"

    def _demander_les_roles(self) -> dict[str, Partenaire]:
        """Un champ de rôle par partenaire déjà lié : {nom du champ: partenaire}."""
        roles = {}
        for participation in self.instance.participations.select_related("partenaire"):
            nom = nom_du_role(participation)
            roles[nom] = participation.partenaire
            self.fields[nom] = forms.ChoiceField(
                label=f"Rôle de {participation.partenaire}",
                choices=[("", "Sans rôle"), *RoleDePartenaire.choices],
                required=False,
                initial=participation.role,
            )
        return roles

    def clean_references(self) -> list[Reference]:
        """Sans doublon, dans l'ordre tapé."""
        lues = [ligne.partition(":") for ligne in self.cleaned_data["references"].splitlines() if ligne.strip()]
        references = list(dict.fromkeys(Reference(cadre.strip(), code.strip()) for cadre, _, code in lues))
        for reference in references:
            cadre, code = reference.cadre, reference.code
            if not cadre:
                raise ValidationError(f"« : {code} » : il manque le nom du cadre avant les deux-points.")
            if max(len(cadre), len(code)) > LONGUEUR_DE_REFERENCE:
                raise ValidationError(f"« {cadre[:30]}… » : {LONGUEUR_DE_REFERENCE} caractères au plus.")
        return references

    def valeurs_enregistrees(self, actuelle: Action) -> dict[str, Any]:
        roles = {nom_du_role(participation): participation.role for participation in actuelle.participations.all()}
        return {
            **super().valeurs_enregistrees(actuelle),
            "references": ecrire_les_references(actuelle),
            **{nom: roles.get(nom, "") for nom in self.roles},
        }

    def _save_m2m(self) -> None:
        """Rien n'est supprimé pour être recréé : seul ce qu'on ajoute, retire ou change bouge."""
        self._enregistrer_les_partenaires()
        nouvelles = dict.fromkeys(self.cleaned_data["references"])
        for ligne in self.instance.references.all():
            reference = Reference(ligne.cadre, ligne.code)
            if reference not in nouvelles:
                ligne.delete()
            nouvelles.pop(reference, None)
        for reference in nouvelles:
            ReferenceCadre.objects.create(action=self.instance, cadre=reference.cadre, code=reference.code)

    def _enregistrer_les_partenaires(self) -> None:
        nouveaux = set(self.cleaned_data["partenaires"])
        for participation in self.instance.participations.select_related("partenaire"):
            champ = nom_du_role(participation)
            # Un partenaire lié par un autre depuis l'ouverture de la fiche n'y a pas de champ : il garde son rôle.
            demande = champ in self.roles and self.add_prefix(champ) in self.data
            role = self.cleaned_data[champ] if demande else participation.role
            if participation.partenaire not in nouveaux:
                participation.delete()
            elif participation.role != role:
                participation.role = role
                participation.save()
            nouveaux.discard(participation.partenaire)
        for partenaire in sorted(nouveaux, key=lambda partenaire: partenaire.pk):
            PartenaireDeLAction.objects.create(action=self.instance, partenaire=partenaire)


class FormulaireCreation(FormulaireAction):
    """Une nouvelle action, avec ses premières lignes de journal."""

    statut = forms.ChoiceField(label="Statut", choices=Statut, initial=Statut.NON_INITIEE)
    date_effet = champ_date_effet()
    echeance = ChampEcheance(label="Échéance", required=False)

    premiers = ("intitule", "service_pilote", "statut", "echeance")

    def __init__(self, *args, plan, **kwargs) -> None:
        super().__init__(*args, plan=plan, **kwargs)
        self.fields["numero"].initial = Action.objects.prochain_numero(plan)

    def clean_date_effet(self):
        jour = self.cleaned_data["date_effet"]
        if jour > timezone.localdate():
            raise ValidationError("La date d'effet est dans le futur.")
        return jour

    def enregistrer(self) -> Action | None:
        """L'action créée, ou celle que ce même envoi vient de créer (double clic, rechargement) ; None si refusé."""
        if self.is_valid():
            donnees = {nom: valeur for nom, valeur in self.cleaned_data.items() if nom != "version"}
            try:
                return Action.objects.creer(plan=self.instance.plan, auteur=self.auteur, **donnees)
            except ValidationError as erreur:
                self.add_error(None, ValidationError(erreur.messages))
        return self._deja_creee()

    def _deja_creee(self) -> Action | None:
        numero = str(self.data.get("numero", ""))
        if not (numero.isdecimal() and len(numero) < 9):
            return None
        return Action.objects.filter(
            plan=self.instance.plan,
            numero=int(numero),
            intitule=str(self.data.get("intitule", "")).strip(),
            changementdestatuts__auteur=self.auteur,
        ).first()
