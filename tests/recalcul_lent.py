"""Les mêmes calculs refaits à la main, lentement, depuis les fichiers bruts : rien n'y vient du produit.

Lecture, doublons, corrections, regroupement et arrondi sont récrits au plus simple (boucles emboîtées, fractions
exactes) d'après les définitions, pour qu'une erreur du produit ne se retrouve pas ici.
"""

import csv
import datetime
import io
import json
import re
import unicodedata
from decimal import Decimal
from fractions import Fraction

OUI, NON, INCONNU = "oui", "non", "inconnu"
NATURES_SUBSEQUENTES = {"marche subsequent"}


def simple(texte):
    """Sans accents ni majuscules, espaces réduites."""
    sans = "".join(c for c in unicodedata.normalize("NFKD", str(texte)) if not unicodedata.combining(c))
    return re.sub(r"\s+", " ", sans.lower().replace("’", "'").replace("œ", "oe")).strip()


def jour(texte, aujourdhui):
    """Une date du calendrier, de 2005 à aujourd'hui ; None sinon."""
    try:
        lu = datetime.date(*(int(x) for x in str(texte)[:10].split("-")))
    except (ValueError, TypeError):
        return None
    return lu if lu.year >= 2005 and lu <= aujourdhui else None


def consideration(valeurs, positives, negatives):
    dites = [simple(v) for v in valeurs]
    if any(v in positives for v in dites):
        return OUI
    if any(v.startswith(negatives) for v in dites):
        return NON
    return INCONNU


def environnement(valeurs):
    return consideration(valeurs, {"clause environnementale", "critere environnemental"}, ("pas de", "sans objet"))


def social(valeurs):
    positives = {"clause sociale", "critere social", "marche reserve", "concession reservee"}
    return consideration(valeurs, positives, ("pas de", "sans objet"))


def montant_suspect(montant):
    """Absent, nul ou négatif, symbolique, tout en neuf, sentinelle, plus d'un milliard, un même chiffre partout,
    123456789…
    """
    if montant is None or montant < 100 or montant == 12311111111 or montant > 10**9:
        return True
    entier = str(int(montant))
    if montant == int(montant) and len(entier) >= 6 and set(entier) == {"9"}:
        return True
    if montant > 10**8 and any(entier.count(chiffre) > 6 for chiffre in "123456789"):
        return True
    return entier.startswith("123456789")


# --- Lire ---------------------------------------------------------------------------------------------------


def contrats_bruts(texte, aujourdhui):
    """Chaque contrat d'un fichier JSON v2, sans rien écarter."""
    contenu = json.loads(texte, parse_float=Decimal)["marches"]
    for brut in contenu.get("marche", []):
        yield contrat(
            brut, brut["acheteur"], brut["dateNotification"], brut["montant"], brut["titulaires"], aujourdhui
        )
    for brut in contenu.get("contrat-concession", []):
        acheteur, date, valeur = brut["autoriteConcedante"], brut["dateSignature"], brut["valeurGlobale"]
        yield contrat(brut, acheteur, date, valeur, brut["concessionnaires"], aujourdhui, concession=True)


def contrat(brut, acheteur, date, montant, titulaires, aujourdhui, concession=False):
    identifiant = re.sub(r"[ ,\\./]", "_", brut["id"])
    accord_cadre = re.sub(r"[ ,\\./]", "_", brut.get("idAccordCadre") or "")
    return {
        "siren": acheteur["id"][:9],
        "id": identifiant,
        "objet": brut["objet"],
        "procedure": brut["procedure"],
        "date": jour(date, aujourdhui),
        "publie": str(brut["datePublicationDonnees"])[:10],
        "montant": None if montant is None else Fraction(montant),
        "titulaires": sorted({(t["id"], t["typeIdentifiant"]) for e in titulaires for t in e.values()}),
        "environnement": environnement(brut["considerationsEnvironnementales"]["considerationEnvironnementale"]),
        "social": social(brut["considerationsSociales"]["considerationSociale"]),
        "subsequent": bool(accord_cadre and accord_cadre != identifiant),
        "concession": concession,
    }


def lieux_du_tabulaire(texte):
    """Commune et département de chaque titulaire, d'après un fichier de decp.info."""
    return {
        ligne["titulaire_id"]: (ligne["titulaire_commune_code"], ligne["titulaire_departement_code"])
        for ligne in csv.DictReader(io.StringIO(texte))
    }


def contrats(textes, aujourdhui):
    """Les contrats distincts de plusieurs fichiers : sans les doublons, et chaque correction à la place de ce
    qu'elle corrige.
    """
    gardes = []
    for numero, texte in enumerate(textes):
        for nouveau in contrats_bruts(texte, aujourdhui):
            nouveau["fichier"] = numero
            for garde in gardes:
                if meme_cle(garde, nouveau):
                    if nouveau["publie"] > garde["publie"]:
                        garde.update(nouveau)
                    break
            else:
                gardes.append(nouveau)
    remplaces = []
    for a in gardes:
        for b in gardes:
            homonymes = [c for c in gardes if (c["siren"], c["id"]) == (a["siren"], a["id"])]
            if a is b or len(homonymes) != 2 or b not in homonymes or a["fichier"] == b["fichier"]:
                continue
            if differences(a, b) <= 1 and (a["publie"], a["fichier"]) < (b["publie"], b["fichier"]):
                remplaces.append(id(a))
    return [c for c in gardes if id(c) not in remplaces]


def meme_cle(a, b):
    return (a["siren"], a["id"]) == (b["siren"], b["id"]) and differences(a, b) == 0


def differences(a, b):
    return (simple(a["objet"]) != simple(b["objet"])) + (a["titulaires"] != b["titulaires"]) + (a["date"] != b["date"])


# --- Calculer -----------------------------------------------------------------------------------------------


def arrondi(fraction, decimales=4):
    """La moitié vers le haut, chiffre à chiffre : rien que de la division entière."""
    quotient, reste = divmod(fraction.numerator * 10**decimales, fraction.denominator)
    return Decimal(quotient + (2 * reste >= fraction.denominator)) / 10**decimales


def part(numerateur, denominateur):
    return None if denominateur == 0 else arrondi(Fraction(numerateur) * 100 / Fraction(denominateur))


def resultat(oui, non, inconnus, exclus):
    """En nombre : `oui`, `non`, `inconnus` sont des listes de contrats."""
    connus = len(oui) + len(non)
    return {
        "valeur": part(len(oui), connus),
        "numerateur": len(oui),
        "denominateur": connus,
        "inconnus": len(inconnus),
        "exclus": exclus,
        "couverture": part(connus, connus + len(inconnus)),
    }


def resultat_en_montant(paires, exclus):
    """En montant : des paires (montant, fraction au numérateur ou None)."""
    haut = sum((m * f for m, f in paires if f is not None), Fraction(0))
    bas = sum((m for m, f in paires if f is not None), Fraction(0))
    tout = sum((m for m, f in paires), Fraction(0))
    return {
        "valeur": part(haut, bas),
        "numerateur": arrondi(haut, 2),
        "denominateur": arrondi(bas, 2),
        "inconnus": len([f for _, f in paires if f is None]),
        "exclus": exclus,
        "couverture": part(bas, tout),
    }


def compter(nombre, exclus):
    return {
        "valeur": nombre,
        "numerateur": nombre,
        "denominateur": None,
        "inconnus": 0,
        "exclus": exclus,
        "couverture": None if nombre == 0 else Decimal(100),
    }


def trier(contrats, siren, annee):
    """Les contrats à compter, et combien on en écarte, par motif."""
    gardes, exclus = [], {}
    for c in contrats:
        if c["siren"] != siren or (c["date"] and c["date"].year != annee):
            continue
        if c["date"] is None:
            motif = "sans_date"
        elif c["concession"]:
            motif = "concession"
        elif c["subsequent"]:
            motif = "subsequent"
        else:
            gardes.append(c)
            continue
        exclus[motif] = exclus.get(motif, 0) + 1
    return gardes, exclus


def lieu(titulaire, lieux, territoire):
    """`territoire` : (communes, départements)."""
    identifiant, type_identifiant = titulaire
    communes, departements = territoire
    if type_identifiant != "SIRET":
        return NON
    commune, departement = lieux.get(identifiant, ("", ""))
    if commune:
        son_departement = commune[:3] if commune[:2] == "97" else commune[:2]
        return OUI if commune in communes or son_departement in departements else NON
    if departement and departement in departements:
        return OUI
    return NON if departement and not communes else INCONNU


def au_moins_un(reponses):
    if OUI in reponses:
        return OUI
    return INCONNU if INCONNU in reponses or not reponses else NON


def tous(reponses):
    if INCONNU in reponses or not reponses:
        return INCONNU
    return NON if NON in reponses else OUI


def fraction_locale(reponses):
    if INCONNU in reponses or not reponses:
        return None
    return Fraction(len([r for r in reponses if r == OUI]), len(reponses))


def racine(objet):
    avant = re.split(r"\blots?\s*(?:n°|nº|no|n|numéro)?\s*[0-9]", objet, flags=re.IGNORECASE)[0]
    return simple(avant).strip(" -–—:;,./(")


def meme_consultation(a, b):
    return (
        racine(a["objet"]) != ""
        and racine(a["objet"]) == racine(b["objet"])
        and simple(a["procedure"]) == simple(b["procedure"])
        and abs((a["date"] - b["date"]).days) <= 60
    )


def consultations(contrats, siren):
    """Des groupes : deux contrats voisins sont dans le même, et de proche en proche."""
    groupes = []
    for c in contrats:
        if c["siren"] != siren or c["date"] is None or c["concession"] or c["subsequent"]:
            continue
        touches = [g for g in groupes if any(meme_consultation(c, autre) for autre in g)]
        groupes = [g for g in groupes if g not in touches]
        groupes.append([c, *(autre for g in touches for autre in g)])
    return groupes


def recalculer(contrats, lieux, siren, annee, territoire):
    """Code → résultat, pour chaque calcul tiré des contrats."""
    gardes, exclus = trier(contrats, siren, annee)
    surs = [c for c in gardes if not montant_suspect(c["montant"])]
    suspects = {"montant": len(gardes) - len(surs)} if len(surs) < len(gardes) else {}
    groupes = [g for g in consultations(contrats, siren) if min(c["date"] for c in g).year == annee]
    resultats = {
        "marches_notifies": compter(len(gardes), exclus),
        "consultations_estimees": compter(len(groupes), exclus),
    }

    def reponses(c):
        return [lieu(t, lieux, territoire) for t in c["titulaires"]]

    questions = {
        "part_environnementale": ("", lambda c: c["environnement"]),
        "part_sociale": ("", lambda c: c["social"]),
        "part_locale": ("", lambda c: au_moins_un(reponses(c))),
        "part_locale_tous": ("_tous", lambda c: tous(reponses(c))),
    }
    poids = {OUI: Fraction(1), NON: Fraction(0), INCONNU: None}
    for nom, (suffixe, question) in questions.items():
        base = nom.removesuffix("_tous")
        tas = {r: [c for c in gardes if question(c) == r] for r in (OUI, NON, INCONNU)}
        resultats[f"{base}_nombre{suffixe}"] = resultat(tas[OUI], tas[NON], tas[INCONNU], exclus)
        if nom == "part_locale":
            paires = [(c["montant"], fraction_locale(reponses(c))) for c in surs]
        else:
            paires = [(c["montant"], poids[question(c)]) for c in surs]
        resultats[f"{base}_montant{suffixe}"] = resultat_en_montant(paires, {**exclus, **suspects})
    return resultats


# --- Registre et mandats ------------------------------------------------------------------------------------


def recalculer_le_registre(lots, annee):
    """`lots` : des dictionnaires (consultation, suite, date, environnement et social : deux réponses chacun)."""
    gardes, exclus = {}, {}
    for numero in sorted({lot["consultation"] for lot in lots}):
        publies = [lot for lot in lots if lot["consultation"] == numero and lot["suite"] != "abandonnee"]
        abandons = [lot["date"] for lot in lots if lot["consultation"] == numero and lot["suite"] == "abandonnee"]
        if not publies:
            if any(abandons) and max(d for d in abandons if d).year == annee:
                exclus["abandonnee"] = exclus.get("abandonnee", 0) + 1
        elif all(lot["suite"] in ("notifiee", "sans_suite") for lot in publies):
            if any(lot["date"] is None for lot in publies):
                exclus["sans_date"] = exclus.get("sans_date", 0) + 1
            elif max(lot["date"] for lot in publies).year == annee:
                gardes[numero] = publies
    resultats = {"consultations_finalisees": compter(len(gardes), exclus)}
    for nom, champ in (("environnementale", "environnement"), ("sociale", "social")):
        tas = {OUI: [], NON: [], INCONNU: []}
        for numero, publies in gardes.items():
            dites = [reponse for lot in publies for reponse in lot[champ]]
            tas[OUI if OUI in dites else INCONNU if INCONNU in dites else NON].append(numero)
        resultats[f"part_{nom}_consultations"] = resultat(tas[OUI], tas[NON], tas[INCONNU], exclus)
    return resultats


def recalculer_les_mandats(lignes, annee, territoire):
    """`lignes` : des dictionnaires (exercice, base, montant, communes ou None, departement)."""
    de_l_annee = [ligne for ligne in lignes if ligne["exercice"] == annee]
    if len({ligne["base"] for ligne in de_l_annee}) == 2:
        vide = resultat_en_montant([], {"bases_mixtes": len(de_l_annee)})
        return {"part_locale_achats": vide}
    paires = []
    for ligne in de_l_annee:
        communes = ligne["communes"] or [""]
        dites = {lieu(("x", "SIRET"), {"x": (c, ligne["departement"])}, territoire) for c in communes}
        fraction = {frozenset({OUI}): Fraction(1), frozenset({NON}): Fraction(0)}.get(frozenset(dites))
        paires.append((Fraction(ligne["montant"]), fraction))
    rendu = resultat_en_montant(paires, {})
    connus = len([f for _, f in paires if f is not None])
    return {"part_locale_achats": {**rendu, "couverture": part(connus, len(paires))}}
