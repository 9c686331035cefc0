"""Contrats d'essai, écrits comme un import les laisse : une génération visible, une ligne par contrat."""

import datetime
import hashlib
import itertools
import json
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from marches.imports import Generation, ImportDecp
from marches.listes import EtatDImport, SourceDeContrat
from marches.models import Contrat, EnregistrementDecp, Territoire, TitulaireDeContrat
from marches.reponses import Reponse

SIREN = "243400470"
AUTRE_SIREN = "243400017"
MAUGUIO, LATTES, BEZIERS, NIMES = "34154", "34129", "34032", "30189"
SIRET_LOCAL = "11111111100011"

_rang = itertools.count(1)


def generation() -> Generation:
    """La génération visible ; la première, s'il n'y en a pas."""
    return Generation.objects.get_or_create(id=1, defaults={"numero": 1})[0]


def fichier(nom: str = "decp.json", **champs: Any) -> ImportDecp:
    """Un fichier importé."""
    champs.setdefault("sha256", hashlib.sha256(nom.encode()).hexdigest())
    return ImportDecp.objects.get_or_create(
        nom=nom, defaults={"etat": EtatDImport.APPLIQUE, "format": "json-v2", **champs}
    )[0]


def titulaire(siret: str = SIRET_LOCAL, *, commune: str = "", **champs: Any) -> TitulaireDeContrat:
    """À donner à `contrat` ; sans commune, son lieu n'est pas connu."""
    champs.setdefault("nom", f"Entreprise {siret[:9]}")
    champs.setdefault("type_identifiant", "SIRET")
    champs.setdefault("departement", commune[:2])
    return TitulaireDeContrat(identifiant=siret, commune=commune, **champs)


def enregistrement(
    brut: dict[str, Any] | None = None, *, dans: ImportDecp | None = None, groupe: str = ""
) -> EnregistrementDecp:
    """Un enregistrement d'un fichier, tel quel."""
    rang = next(_rang)
    brut = brut or marche(f"E{rang}")
    return EnregistrementDecp.objects.create(
        import_decp=dans or fichier(),
        position=rang,
        empreinte=hashlib.sha256(f"{rang}{brut}".encode()).hexdigest(),
        source=SourceDeContrat.OFFICIELLE,
        format="json-v2",
        siren=brut["acheteur"]["id"][:9],
        groupe=groupe or f"{brut['acheteur']['id'][:9]}/{brut['id']}",
        brut=json.dumps(brut, ensure_ascii=False),
        de=generation().numero,
    )


def marche(
    identifiant: str, *, siret: str = f"{SIREN}00012", titulaires: Sequence[str] = (SIRET_LOCAL,), **champs: Any
) -> dict[str, Any]:
    """Un marché du schéma 2.0.4, réduit à ce que le site en lit."""
    return {
        "id": identifiant,
        "acheteur": {"id": siret},
        "nature": "Marché",
        "objet": f"Fournitures {identifiant}",
        "procedure": "Procédure adaptée",
        "dateNotification": "2024-03-01",
        "datePublicationDonnees": "2024-04-01",
        "montant": 50_000,
        "titulaires": [{"titulaire": {"id": t, "typeIdentifiant": "SIRET"}} for t in titulaires],
    } | champs


def contrat(*, titulaires: Sequence[TitulaireDeContrat] | None = None, **champs: Any) -> Contrat:
    """Un contrat en vigueur de la collectivité, notifié en 2024, d'un montant sûr et d'un titulaire de Mauguio.

    `titulaires=()` : aucun. `enregistrements` : les siens ; sans eux, il en reçoit un.
    """
    rang = next(_rang)
    siren = champs.pop("siren", SIREN)
    champs.setdefault("de", generation().numero)
    champs.setdefault("souche", uuid.uuid4())
    champs.setdefault("identifiant", f"2024{rang:04}")
    champs.setdefault("objet", f"Fournitures {rang}")
    champs.setdefault("procedure", "Procédure adaptée")
    champs.setdefault("nature", "Marché")
    champs.setdefault("acheteur", "Collectivité d'essai")
    champs.setdefault("date", datetime.date(2024, 3, 1))
    champs.setdefault("montant", Decimal(50_000 + rang))
    champs.setdefault("environnement", Reponse.INCONNU)
    champs.setdefault("social", Reponse.INCONNU)
    champs.setdefault("siret", f"{siren}00012")
    groupe = f"{siren}/{champs['identifiant']}"
    lignes = champs.pop("enregistrements", None)
    if lignes is None:
        date, montant = champs["date"], champs["montant"]
        dits = {
            "objet": champs["objet"],
            "dateNotification": date.isoformat() if date else None,
            "montant": None if montant is None else float(montant),
        }
        lignes = [enregistrement(marche(champs["identifiant"], siret=champs["siret"], **dits), groupe=groupe).pk]
    nouveau = Contrat.objects.create(
        siren=siren,
        groupe=groupe,
        empreinte=hashlib.sha256(f"{rang}".encode()).hexdigest(),
        enregistrements=lignes,
        **champs,
    )
    siens = [titulaire(commune=MAUGUIO)] if titulaires is None else titulaires
    for sien in siens:
        sien.contrat = nouveau
    TitulaireDeContrat.objects.bulk_create(siens)
    return nouveau


def territoire(code: str = "agglomeration", *, communes: Sequence[str] = (MAUGUIO,), **champs: Any) -> Territoire:
    champs.setdefault("nom", code.capitalize())
    return Territoire.objects.create(code=code, communes=list(communes), **champs)
