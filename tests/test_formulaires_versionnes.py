"""Le formulaire d'une ligne versionnée : personne n'écrase personne sans le voir, rien de tapé n'est perdu."""

import datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict

from actions.models import Action
from comptes.models import Service
from partenaires.models import Partenaire
from socle.formulaires import FormulaireVersionne, afficher
from tests import fabriques

pytestmark = pytest.mark.django_db


class FormulaireDePartenaire(FormulaireVersionne):
    class Meta:
        model = Partenaire
        fields = ["nom", "sigle", "type", "actif"]


class FormulaireDAction(FormulaireVersionne):
    class Meta:
        model = Action
        fields = ["intitule", "service_pilote", "date_debut", "priorite"]


@pytest.fixture
def partenaire():
    return fabriques.partenaire("RES'OCC", sigle="RO")


@pytest.fixture
def auteur():
    return fabriques.utilisateur()


def envoi(**champs) -> QueryDict:
    """Ce que le navigateur envoie ; une case non cochée n'y est pas."""
    donnees = QueryDict(mutable=True)
    for champ, valeur in champs.items():
        if valeur is not None and valeur is not False:
            donnees[champ] = "on" if valeur is True else str(valeur)
    donnees._mutable = False
    return donnees


def formulaire(partenaire, *, auteur=None, **champs) -> FormulaireDePartenaire:
    """Le formulaire envoyé, sur la ligne relue comme le fait une vue."""
    saisie = {"nom": partenaire.nom, "sigle": partenaire.sigle, "type": "", "actif": True, **champs}
    return FormulaireDePartenaire(envoi(**saisie), instance=Partenaire.objects.get(pk=partenaire.pk), auteur=auteur)


def enregistrer_entre_temps(partenaire, auteur=None, **champs) -> Partenaire:
    ligne = Partenaire.objects.get(pk=partenaire.pk)
    for champ, valeur in champs.items():
        setattr(ligne, champ, valeur)
    ligne._history_user = auteur
    ligne.save()
    return ligne


def test_une_saisie_a_jour_s_enregistre_et_avance_la_version(partenaire):
    saisie = formulaire(partenaire, sigle="RESOCC", version=partenaire.version)
    assert saisie.is_valid(), saisie.errors
    enregistre = saisie.save()
    assert (enregistre.sigle, enregistre.version) == ("RESOCC", partenaire.version + 1)
    assert not saisie.deja_fait


def test_la_version_lue_voyage_dans_un_champ_cache(partenaire):
    vierge = FormulaireDePartenaire(instance=partenaire)
    assert f'value="{partenaire.version}"' in str(vierge["version"])
    assert 'type="hidden"' in str(vierge["version"])


def test_une_creation_n_a_pas_de_version(partenaire):
    saisie = FormulaireDePartenaire(envoi(nom="Nouveau", type="", actif=True))
    assert saisie.is_valid(), saisie.errors
    assert saisie.save().version == 1
    assert saisie.divergences == []


def test_une_saisie_perimee_est_refusee_et_montre_les_deux_valeurs(partenaire):
    enregistrer_entre_temps(partenaire, sigle="R.O.")
    saisie = formulaire(partenaire, sigle="RESOCC", version=partenaire.version)
    assert not saisie.is_valid()
    (message,) = saisie.non_field_errors()
    assert "« R.O. » enregistré, « RESOCC » saisi" in message
    (ecart,) = saisie.divergences
    assert (ecart.libelle, ecart.enregistre, ecart.saisi) == ("Sigle", "R.O.", "RESOCC")
    assert Partenaire.objects.get().sigle == "R.O."


def test_le_conflit_nomme_qui_a_enregistre(partenaire, auteur):
    enregistrer_entre_temps(partenaire, auteur, sigle="R.O.")
    saisie = formulaire(partenaire, sigle="RESOCC", version=partenaire.version)
    assert f"par {auteur}" in saisie.non_field_errors()[0]


def test_seuls_les_champs_qui_different_sont_montres(partenaire):
    enregistrer_entre_temps(partenaire, sigle="R.O.", description="Réseau régional")
    saisie = formulaire(partenaire, nom="Autre", sigle="R.O.", version=partenaire.version)
    assert not saisie.is_valid()
    assert [ecart.libelle for ecart in saisie.divergences] == ["Nom"]


def test_une_saisie_refusee_garde_ce_qui_a_ete_tape(partenaire):
    enregistrer_entre_temps(partenaire, sigle="R.O.")
    saisie = formulaire(partenaire, nom="Réseau régional", sigle="RESOCC", version=partenaire.version)
    assert not saisie.is_valid()
    assert 'value="RESOCC"' in str(saisie["sigle"])
    assert 'value="Réseau régional"' in str(saisie["nom"])


def test_envoyer_de_nouveau_apres_un_conflit_enregistre(partenaire):
    actuelle = enregistrer_entre_temps(partenaire, sigle="R.O.")
    refusee = formulaire(partenaire, sigle="RESOCC", version=partenaire.version)
    assert not refusee.is_valid()
    assert f'value="{actuelle.version}"' in str(refusee["version"])
    seconde = FormulaireDePartenaire(refusee.data, instance=Partenaire.objects.get())
    assert seconde.is_valid(), seconde.errors
    assert (seconde.save().sigle, Partenaire.objects.get().version) == ("RESOCC", actuelle.version + 1)


def test_un_troisieme_passage_entre_les_deux_envois_est_encore_un_conflit(partenaire):
    enregistrer_entre_temps(partenaire, sigle="R.O.")
    refusee = formulaire(partenaire, sigle="RESOCC", version=partenaire.version)
    refusee.is_valid()
    enregistrer_entre_temps(partenaire, sigle="R-O")
    assert not FormulaireDePartenaire(refusee.data, instance=Partenaire.objects.get()).is_valid()


def test_un_champ_absent_du_formulaire_n_est_pas_ecrase(partenaire):
    enregistrer_entre_temps(partenaire, description="Réseau régional")
    refusee = formulaire(partenaire, sigle="RESOCC", version=partenaire.version)
    assert not refusee.is_valid()
    seconde = FormulaireDePartenaire(refusee.data, instance=Partenaire.objects.get())
    assert seconde.is_valid()
    assert seconde.save().description == "Réseau régional"


# --- Double envoi ---------------------------------------------------------------------------------


def test_le_meme_envoi_du_meme_auteur_n_ecrit_rien(partenaire, auteur):
    enregistree = enregistrer_entre_temps(partenaire, auteur, sigle="RESOCC")
    seconde = formulaire(partenaire, sigle="RESOCC", version=partenaire.version, auteur=auteur)
    assert seconde.is_valid(), seconde.errors
    assert seconde.deja_fait
    seconde.save()
    relue = Partenaire.objects.get()
    assert (relue.version, relue.history.count()) == (enregistree.version, 2)


def test_le_meme_contenu_d_un_autre_auteur_est_un_conflit(partenaire, auteur):
    enregistrer_entre_temps(partenaire, fabriques.utilisateur(), sigle="RESOCC")
    assert not formulaire(partenaire, sigle="RESOCC", version=partenaire.version, auteur=auteur).is_valid()


def test_le_meme_contenu_deux_versions_plus_tard_est_un_conflit(partenaire, auteur):
    enregistrer_entre_temps(partenaire, auteur, sigle="R.O.")
    enregistrer_entre_temps(partenaire, auteur, sigle="RESOCC")
    assert not formulaire(partenaire, sigle="RESOCC", version=partenaire.version, auteur=auteur).is_valid()


def test_sans_auteur_connu_le_meme_contenu_n_est_pas_un_double_envoi(partenaire):
    enregistrer_entre_temps(partenaire, fabriques.utilisateur(), sigle="RESOCC")
    assert not formulaire(partenaire, sigle="RESOCC", version=partenaire.version, auteur=AnonymousUser()).is_valid()


# --- Version absente ou fantaisiste ---------------------------------------------------------------


@pytest.mark.parametrize("version", [None, "", "0", "99", "abc"])
def test_une_version_absente_ou_fausse_est_un_conflit(partenaire, version):
    saisie = formulaire(partenaire, sigle="RESOCC", version=version)
    assert not saisie.is_valid()
    assert Partenaire.objects.get().sigle == "RO"


def test_une_version_absente_est_un_conflit_meme_sans_rien_changer(partenaire, auteur):
    assert not formulaire(partenaire, version=None, auteur=auteur).is_valid()


def test_un_prefixe_de_formulaire_ne_perd_pas_la_version(partenaire):
    enregistrer_entre_temps(partenaire, sigle="R.O.")
    donnees = envoi(**{"p-nom": "RES'OCC", "p-sigle": "RESOCC", "p-type": "", "p-version": partenaire.version})
    saisie = FormulaireDePartenaire(donnees, instance=Partenaire.objects.get(), prefix="p")
    assert not saisie.is_valid()
    assert saisie["version"].value() == str(Partenaire.objects.get().version)


# --- Les valeurs en clair -------------------------------------------------------------------------


def test_les_deux_versions_se_lisent_en_clair():
    action = fabriques.action(service_pilote=fabriques.service("Achats"), intitule="Acheter")
    Action.objects.get(pk=action.pk).save()
    juridique = fabriques.service("Juridique")
    donnees = envoi(
        intitule="Acheter", service_pilote=juridique.pk, date_debut="", priorite="HAUTE", version=action.version
    )
    saisie = FormulaireDAction(donnees, instance=Action.objects.get(pk=action.pk))
    assert not saisie.is_valid()
    en_clair = {ecart.libelle: (ecart.enregistre, ecart.saisi) for ecart in saisie.divergences}
    assert en_clair == {"Service pilote": ("Achats", "Juridique"), "Priorité": ("—", "Haute")}


@pytest.mark.parametrize(
    ("valeur", "texte"),
    [
        (None, "—"),
        ("", "—"),
        (True, "oui"),
        (False, "non"),
        (0, "0"),
        ([], "—"),
        (["a", "b"], "a, b"),
        (datetime.date(2023, 12, 31), "31/12/2023"),
        (Decimal("166.500000"), "166,5"),
    ],
)
def test_une_valeur_se_montre_en_clair(valeur, texte):
    assert afficher(valeur) == texte


def test_une_liste_d_objets_se_montre_par_leurs_noms():
    fabriques.service("Achats")
    fabriques.service("Juridique")
    assert afficher(Service.objects.all()) == "Achats, Juridique"
