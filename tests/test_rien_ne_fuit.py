"""Ce qui n'est pas public ne sort par aucune adresse ouverte à tous.

Un marqueur unique est planté dans chaque champ privé de chaque ligne (tests/fuites.py), puis chaque adresse du
résolveur qui répond sans connexion est demandée, de toutes les façons : aucun marqueur dans aucun octet.
"""

import datetime
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from actions.models import Action, Document, Etape, NoteDeSuivi, PartenaireDeLAction, Plan
from actions.statuts import Statut
from actions.suivi import PorteeDeNote
from bilans.contenu.canonique import empreinte
from bilans.contenu.schema import Portee
from bilans.models import Bilan, PdfDeVersion
from bilans.rendu_pdf import imprimer
from comptes.models import Utilisateur
from indicateurs.listes import Etat, Nature
from indicateurs.models import Indicateur, Justificatif, ValeurAnnuelle
from socle.echeances import Echeance
from tests import fabriques, resolveur
from tests.decor import Decor, collecter, decor_acces
from tests.fabriques_bilans import bilan_publie
from tests.fuites import PUBLICS, TENUS, Marqueurs, champs_de_texte, nom_de, planter, texte_du_pdf
from tests.visites import client_de

# Le décor s'écrit une fois : tout le fichier va au même ouvrier.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("fuites")]

# Ce qu'un secret ouvre à qui l'a reçu : son calendrier, son nouveau mot de passe.
OUVERTES_PAR_UN_SECRET = {"actions:calendrier", "account_reset_password_from_key"}
# Celles qui doivent au moins être essayées : une adresse publique de plus l'est d'elle-même.
AU_MOINS = {
    "publication:plans",
    "publication:plan",
    "publication:fil",
    "publication:bilan",
    "publication:pdf",
    "publication:json",
    "publication:introuvable",
    "accueil:accent",
    "accueil:sante",
    "sante:vivant",
    "sante:pret",
    "account_login",
}
DEMANDES = (
    "",
    "?au=2024-01-01",
    "?au=2024-01-01&saisi_au=2024-01-01",
    "?annee=2024",
    "?q=zq1",
    "?search=zq1",
    "?format=json",
    "?format=csv",
    "?format=xlsx",
    "?portee=interne",
    "?plan=plan-inconnu",
    "?page=2&page_size=1000",
    "?limit=1000&offset=1",
    "?sort=pilote&order_by=budget_previsionnel&fields=elu_referent,attention",
    "?visible_du_public=false&statut=EN_COURS",
    "?provisoire=1&etat=PROVISOIRE",
)
# Ce qu'aucun mot d'une page publique ne dit ; les budgets et la valeur cachée, comme le site les écrirait.
TUS = ("en retard", "échéance", "31415926", "31 415 926", "27182818", "27 182 818", "arbitrage demandé")
CACHE = 27182818
# Ils nomment aussi ce qu'un jeton ouvre.
MODES_D_EMPLOI = {"api:documentation", "api:openapi"}


@dataclass(frozen=True)
class Site:
    """Le décor, ce qu'on y a caché, et les marqueurs plantés."""

    decor: Decor
    marqueurs: Marqueurs
    invisible: Action
    plan_cache: Plan
    ailleurs: Indicateur

    def demandes(self, route: resolveur.Route) -> Iterator[str]:
        """Ce qui est public, demandé de toutes les façons ; le reste, tel quel."""
        publique, *autres = self.adresses(route)
        yield from (publique + requete for requete in DEMANDES)
        yield from autres

    def adresses(self, route: resolveur.Route) -> Iterator[str]:
        """Cette route sur ce qui est public, puis sur ce qui ne l'est pas."""
        connues = {
            "plan": [self.decor.plan.slug, self.plan_cache.slug, "inconnu"],
            "annee": [2023, 2024, 2025],
            "code": [None, self.ailleurs.code],
            "reste": ["a/b/"],
        }
        essais = [connues.get(p) or [None, self.invisible.pk, self.invisible.numero] for p in route.parametres]
        for valeurs in itertools.product(*essais):
            choisies = {p: v for p, v in zip(route.parametres, valeurs, strict=True) if v is not None}
            yield self.decor.adresse(route.nom, **choisies)


def cacher(decor: Decor) -> tuple[Action, Indicateur]:
    """Ce qui ne doit pas sortir : une action invisible et toute sa vie, un plan non publié, l'indicateur d'un autre
    plan, un bilan arrêté quand une action était visible."""
    plan, auteur = decor.plan, decor.comptes["responsable"]
    secret = fabriques.partenaire("Partenaire secret")
    invisible = _action_pleine(plan, auteur, visible_du_public=False, partenaires=[secret])
    plan_cache = fabriques.plan(intitule="Plan caché", slug="plan-cache", description="Pas encore.")
    _action_pleine(plan_cache, auteur)
    PartenaireDeLAction.objects.create(action=plan_cache.actions.get(), partenaire=fabriques.partenaire("Autre"))
    ailleurs = fabriques.indicateur(plan_cache, intitule="Indicateur d'un autre plan")
    fabriques.valeur(ailleurs, 2023, valeur=CACHE, etat=Etat.VALIDEE, remarque="Entre nous")
    fabriques.valeur(ailleurs, 2024, valeur=CACHE, remarque="Provisoire")
    # Une part du plan publié s'appuie sur un indicateur qui n'en est pas.
    part = fabriques.indicateur(plan, intitule="Part", nature=Nature.PART, unite="%", denominateur=ailleurs)
    _prouver_et_renvoyer(part, plan, auteur)
    # Visible quand le bilan 2024 est arrêté et publié ; plus ensuite.
    passante = _action_pleine(plan, auteur)
    bilan_publie(plan, 2024, auteur)
    passante.refresh_from_db()
    passante.visible_du_public = False
    passante.save()
    return invisible, ailleurs


def _prouver_et_renvoyer(part: Indicateur, plan: Plan, auteur: Utilisateur) -> None:
    """Un justificatif qui est un lien, une demande renvoyée : deux textes que la base n'admet pas sur les autres."""
    validee = fabriques.valeur(part, 2023, valeur=12, etat=Etat.VALIDEE)
    Justificatif.objects.deposer(validee, auteur=auteur, titre="Registre", lien="https://registre.exemple.fr/")
    _, demande = collecter(plan, fabriques.valeur(part, 2024, valeur=13), auteur)
    demande.renvoyer(auteur, motif="Le registre dit autre chose.")


def _imprimer(bilan: Bilan) -> None:
    """Le vrai PDF de la version publiée, comme l'ouvrier le ferait."""
    version = bilan.version_publiee
    contenu = imprimer(version.lu(Portee.PUBLIQUE), empreinte=version.empreinte_publique)
    PdfDeVersion.objects.create(version=version, contenu=contenu, empreinte=empreinte(contenu))


def _action_pleine(plan: Plan, auteur: Utilisateur, **champs) -> Action:
    """Une action dont tout ce qui peut s'écrire est écrit."""
    action = fabriques.action(
        plan,
        statut=Statut.EN_COURS,
        auteur=auteur,
        pilote=auteur,
        elu_referent="Mme Durand",
        echeance=Echeance.lire("T2 2024"),
        budget_previsionnel=31415926,
        budget_realise=31415926,
        description="Une description.",
        **champs,
    )
    for portee in PorteeDeNote:
        NoteDeSuivi.objects.create(action=action, date=fabriques.FIN_2023, texte="Note", portee=portee, auteur=auteur)
    Etape.objects.ajouter(action, intitule="Étape", echeance=Echeance.lire("T2 2024"))
    Document.objects.deposer(action, auteur=auteur, titre="Document", fichier=ContentFile(b"secret", "secret.txt"))
    action.changer_statut(
        Statut.TERMINEE,
        date_effet=datetime.date(2024, 6, 30),
        auteur=auteur,
        commentaire="Entre nous",
        version=Action.objects.get(pk=action.pk).version,
    )
    return action


def preparer() -> Site:
    """Le décor, ses secrets plantés, puis le bilan 2023 arrêté et publié : son contenu se compose des marqueurs."""
    decor = decor_acces()
    for action in decor.actions.values():
        action.refresh_from_db()
        action.budget_previsionnel, action.elu_referent = 31415926, "M. Martin"
        action.save()
    for valeur in ValeurAnnuelle.objects.filter(indicateur__places__plan=decor.plan):
        valeur.remarque, valeur.source = "Publique", "Registre"
        valeur.enregistrer(motif="Précision")
    invisible, ailleurs = cacher(decor)
    marqueurs = planter(decor.plan)
    _imprimer(bilan_publie(decor.plan, 2023, decor.comptes["responsable"]))
    # Relus : leur adresse est plantée aussi.
    ailleurs.refresh_from_db()
    return Site(decor, marqueurs, invisible, ailleurs.places.get().plan, ailleurs)


@pytest.fixture(scope="module")
def site_du_fichier(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        yield preparer()
        transaction.set_rollback(True)


@pytest.fixture
def site(site_du_fichier, db) -> Site:
    return site_du_fichier


def octets(reponse: HttpResponse) -> bytes:
    """Tout ce que le serveur envoie : la première ligne, les en-têtes, les cookies, le corps."""
    corps = b"".join(reponse.streaming_content) if reponse.streaming else reponse.content
    en_tetes = "\n".join(f"{nom}: {valeur}" for nom, valeur in reponse.items())
    return f"{reponse.reason_phrase}\n{en_tetes}\n{reponse.cookies.output()}\n".encode() + corps


def ouverte(reponse: HttpResponse) -> bool:
    """L'adresse répond à qui n'est pas connecté : autre chose qu'un renvoi à la connexion ou un refus."""
    vers = reponse.get("Location", "")
    return reponse.status_code not in (403, 405) and not vers.startswith(("/connexion/", "/admin/login"))


def routes_ouvertes(site: Site) -> list[resolveur.Route]:
    anonyme = Client(raise_request_exception=False)
    return [
        route
        for route in resolveur.routes()
        if route.nom not in OUVERTES_PAR_UN_SECRET and ouverte(anonyme.get(site.decor.adresse(route.nom)))
    ]


# --- Les essais -----------------------------------------------------------------------------------


def test_chaque_adresse_ouverte_a_tous_est_essayee(site):
    noms = {route.nom for route in routes_ouvertes(site)}
    assert noms >= AU_MOINS
    assert noms >= {r.nom for r in resolveur.routes() if r.nom.startswith("publication:")}


def test_aucun_octet_d_aucune_adresse_ouverte_ne_porte_un_marqueur(site):
    anonyme, fuites, codes = Client(raise_request_exception=False), set(), set()
    for route in routes_ouvertes(site):
        for adresse in site.demandes(route):
            reponse = anonyme.get(adresse)
            codes.add(reponse.status_code)
            fuites |= {
                f"{adresse} ({reponse.status_code}) : {lieu}" for lieu in site.marqueurs.trouves(octets(reponse))
            }
    assert sorted(fuites) == []
    assert {200, 404} <= codes
    assert not codes & {500, 503}


def test_aucun_mot_du_suivi_interne_ne_se_lit_sur_les_pages_publiques(site):
    anonyme = Client()
    for route in routes_ouvertes(site):
        if not route.nom.startswith(("publication:", "api:")) or route.nom in MODES_D_EMPLOI:
            continue
        for adresse in site.adresses(route):
            corps = anonyme.get(adresse)
            page = octets(corps).decode("utf-8", "replace").replace("\u00a0", " ").replace("\u202f", " ").lower()
            assert [mot for mot in TUS if mot in page] == [], adresse


def test_ce_qui_est_public_se_lit_bien(site):
    """Sinon l'essai qui précède ne prouverait rien."""
    anonyme, plan = Client(), site.decor.plan
    page = anonyme.get(site.decor.adresse("publication:plan")).content.decode()
    contenu = anonyme.get(site.decor.adresse("publication:json")).content.decode()
    for texte in (plan.intitule, site.decor.actions["sienne"].intitule, "Réseau d'essai"):
        assert texte.replace("'", "&#x27;") in page
        assert texte in contenu
    imprime = texte_du_pdf(anonyme.get(site.decor.adresse("publication:pdf")).content)
    assert site.decor.actions["sienne"].intitule.replace(" ", "") in imprime.replace(" ", "")
    assert Bilan.objects.get(plan=plan, annee=2024).version_publiee is not None


def test_les_marqueurs_se_voient_chez_qui_peut_les_lire(site):
    """La page d'une action les montre à un responsable : le marquage et sa recherche fonctionnent."""
    # Relu : son mot de passe est planté aussi, et la session en dépend.
    responsable = client_de(Utilisateur.objects.get(pk=site.decor.comptes["responsable"].pk))
    vus = site.marqueurs.trouves(responsable.get(f"/actions/{site.invisible.pk}/").content)
    champs = {lieu.partition(",")[0] for lieu in vus}
    assert champs >= {
        "actions.Action.intitule",
        "actions.Action.elu_referent",
        "actions.ChangementDeStatut.commentaire",
        "actions.Etape.intitule",
        "actions.NoteDeSuivi.texte",
        "partenaires.Partenaire.nom",
        "comptes.Utilisateur.nom",
    }


def test_chaque_champ_prive_est_plante(site):
    """Un champ nouveau est privé d'office."""
    prives = {
        nom_de(modele, champ)
        for modele, champ in champs_de_texte()
        if (champ.max_length or 99) >= 7 and modele._base_manager.exists()
    }
    assert prives - site.marqueurs.champs - set(TENUS) - set(PUBLICS) == set()


def test_ce_qui_est_dit_public_existe():
    connus = {nom_de(modele, champ) for modele, champ in champs_de_texte()}
    assert set(PUBLICS) | set(TENUS) <= connus


def test_le_pdf_se_lit_lettre_a_lettre(site):
    """Un marqueur écrit dans un PDF se retrouve, si compressé soit-il."""
    weasyprint = pytest.importorskip("weasyprint")
    ecrit = weasyprint.HTML(string="<title>zq99998</title><p>Page zq99999</p>").write_pdf()
    assert b"zq99999" not in ecrit
    assert set(re.findall(r"zq9999\d", texte_du_pdf(ecrit))) == {"zq99998", "zq99999"}
