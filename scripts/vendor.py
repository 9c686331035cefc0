"""Rapporte dans `static/vendor/` les bibliothèques du navigateur, à la version écrite ici.

À relancer pour monter une version (`python scripts/vendor.py`, npm installé) : les mêmes versions donnent
les mêmes octets, et `static/vendor/VERSIONS` garde de quoi le vérifier sans réseau (nom, version, licence,
sha256, fichier : une ligne par fichier).

Quatre retouches, dont les trois premières font marcher les pages :
- les commentaires `sourceMappingURL` disparaissent : le stockage à manifeste exige les fichiers `.map` ;
- les règles de style que plotly injecte deviennent `plotly.css` : la CSP interdit les styles injectés ;
- la langue française de plotly, écrite pour un empaqueteur, est enveloppée et complétée ;
- la planche des pictogrammes ne garde que ceux que les pages montrent.

Les polices du PDF viennent telles quelles, entières : les mêmes octets sur toute machine, et presque tout caractère.
"""

import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

DESTINATION = Path(__file__).resolve().parent.parent / "static" / "vendor"

BOOTSTRAP = "5.3.9"
ICONES_BOOTSTRAP = "1.13.2"
# La branche 2 : la 4, que npm donne par défaut, ne lit pas les mêmes attributs.
HTMX = "2.0.11"
# Celle que nomme plotly.offline.get_plotlyjs_version() ; un essai le vérifie.
PLOTLY = "4.1.1"
PLOTLY_LOCALES = "3.7.0"
SOURCE_SANS = "3.52.0"
DEJAVU = "2.37.3"

# Les pictogrammes servis, sur deux mille. Un essai compare avec ce que les pages montrent.
ICONES = (
    "arrow-counterclockwise",
    "arrow-right",
    "calendar-event",
    "chat-left-text",
    "check-circle-fill",
    "circle",
    "circle-half",
    "clock-history",
    "exclamation-triangle-fill",
    "flag-fill",
    "gear",
    "key",
    "pencil",
    "person-circle",
    "question-circle",
    "search",
)

_CARTE = re.compile(r"\n?(?:/\*# sourceMappingURL=\S+ \*/|//# sourceMappingURL=\S+)")
_INJECTIONS = re.compile(
    r"=(\{\"X,X div\":.+?\});for\(\w+ in \w+\)\w+=\w+\.replace\(/\^,/,\" ,\"\)"
    r"\.replace\(/X/g,\"(?P<X>[^\"]+)\"\)\.replace\(/Y/g,\"(?P<Y>[^\"]+)\"\)"
)
_REGLE = re.compile(r"(?:\"(?P<cle>[^\"]+)\"|(?P<nu>[XY])):(?:\"(?P<a>[^\"]*)\"|'(?P<b>[^']*)')[,}]")

_SYMBOLE = re.compile(r'<symbol [^>]*id="([^"]+)">.*?</symbol>', re.DOTALL)

_SANS_MOUVEMENT = "@media (prefers-reduced-motion:reduce){.js-plotly-plot .plotly *{transition:none!important}}"
# Ce que plotly dit de plus depuis la dernière parution de ses langues, et les mois comme nous les abrégeons.
_MOTS_MANQUANTS = """Object.assign(module.exports.dictionary, {
    'Download plot as JSON': 'Télécharger le graphique en fichier JSON',
    'Image download succeeded': 'Image téléchargée',
    'Preparing image - this may take a few seconds': 'Préparation de l’image, quelques secondes peut-être'
});
Object.assign(module.exports.format, {
    months: ['janvier', 'février', 'mars', 'avril', 'mai', 'juin', 'juillet', 'août', 'septembre', 'octobre',
        'novembre', 'décembre'],
    shortMonths: ['janv.', 'févr.', 'mars', 'avr.', 'mai', 'juin', 'juil.', 'août', 'sept.', 'oct.', 'nov.',
        'déc.']
});
"""


def sans_carte(source: str) -> str:
    """Le même fichier sans l'adresse de sa carte des sources, que nous ne servons pas."""
    return _CARTE.sub("", source)


def styles_de_plotly(source: str) -> str:
    """Les règles que plotly poserait lui-même, dans l'ordre où la cascade les lirait.

    plotly insère chaque règle en tête de feuille : la dernière de sa liste est la première de la feuille.
    ValueError si la bibliothèque ne les écrit plus ainsi : mieux vaut l'apprendre ici qu'à l'écran.
    """
    trouve = _INJECTIONS.search(source)
    if trouve is None:
        raise ValueError("Les styles injectés par plotly ne se trouvent plus : relire sa nouvelle version.")
    objet = trouve[1]
    regles = list(_REGLE.finditer(objet))
    if sum(len(r[0]) for r in regles) != len(objet) - 1:
        raise ValueError("Une règle de style de plotly n'a pas été comprise.")
    feuille = [f"/* plotly.js-basic {PLOTLY}, licence MIT : les styles que la bibliothèque injecterait. */"]
    for regle in reversed(regles):
        selecteur = (regle["cle"] or regle["nu"]).replace("X", trouve["X"]).replace("Y", trouve["Y"])
        feuille.append(f"{selecteur}{{{regle['a'] if regle['a'] is not None else regle['b']}}}")
    feuille.append(_SANS_MOUVEMENT)
    return "\n".join(feuille) + "\n"


def langue_enveloppee(source: str) -> str:
    """La langue de plotly comme script ordinaire : sans plotly chargé avant elle, elle ne fait rien."""
    return (
        f"/* plotly.js-locales {PLOTLY_LOCALES}, licence MIT. */\n"
        "(function () {\nvar module = { exports: {} };\n"
        f"{source.strip()}\n{_MOTS_MANQUANTS}"
        "if (window.Plotly) { window.Plotly.register(module.exports); }\n}());\n"
    )


def planche_d_icones(source: str) -> str:
    """La planche réduite aux pictogrammes servis. ValueError si l'un d'eux n'y est plus."""
    symboles = {trouve[1]: trouve[0] for trouve in _SYMBOLE.finditer(source)}
    absents = sorted(set(ICONES) - set(symboles))
    if absents:
        raise ValueError(f"Pictogrammes absents de la planche : {', '.join(absents)}.")
    morceaux = "\n".join(re.sub(' class="[^"]+"', "", symboles[nom], count=1) for nom in ICONES)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{morceaux}\n</svg>\n'


def _tel_quel(source: str) -> str:
    return source


Retouche = Callable[[str], str] | None

# paquet, version, licence, {fichier du paquet: {fichier servi: retouche, None pour ce qui n'est pas du texte}}
PAQUETS: list[tuple[str, str, str, dict[str, dict[str, Retouche]]]] = [
    (
        "bootstrap",
        BOOTSTRAP,
        "MIT",
        {
            "LICENSE": {"bootstrap/LICENSE": _tel_quel},
            "dist/css/bootstrap.min.css": {"bootstrap/bootstrap.min.css": sans_carte},
        },
    ),
    (
        "bootstrap-icons",
        ICONES_BOOTSTRAP,
        "MIT",
        {
            "LICENSE": {"icones/LICENSE": _tel_quel},
            "bootstrap-icons.svg": {"icones/icones.svg": planche_d_icones},
        },
    ),
    (
        "htmx.org",
        HTMX,
        "0BSD",
        {
            "LICENSE": {"htmx/LICENSE": _tel_quel},
            "dist/htmx.min.js": {"htmx/htmx.min.js": sans_carte},
        },
    ),
    (
        "plotly.js-basic-dist-min",
        PLOTLY,
        "MIT",
        {
            "LICENSE": {"plotly/LICENSE": _tel_quel},
            "plotly-basic.min.js": {
                "plotly/plotly-basic.min.js": sans_carte,
                "plotly/plotly.css": styles_de_plotly,
            },
        },
    ),
    (
        "plotly.js-locales",
        PLOTLY_LOCALES,
        "MIT",
        {
            "LICENSE": {"plotly/LICENSE-locales": _tel_quel},
            "fr.js": {"plotly/plotly-fr.js": langue_enveloppee},
        },
    ),
    (
        "source-sans",
        SOURCE_SANS,
        "OFL-1.1",
        {
            "LICENSE.md": {"polices/LICENSE-source-sans": _tel_quel},
            "TTF/SourceSans3-Regular.ttf": {"polices/SourceSans3-Regular.ttf": None},
            "TTF/SourceSans3-Bold.ttf": {"polices/SourceSans3-Bold.ttf": None},
        },
    ),
    (
        "dejavu-fonts-ttf",
        DEJAVU,
        "Bitstream-Vera",
        {
            "LICENSE": {"polices/LICENSE-dejavu": _tel_quel},
            "ttf/DejaVuSans.ttf": {"polices/DejaVuSans.ttf": None},
        },
    ),
]


def rapporter(paquet: str, version: str, dossier: Path) -> tarfile.TarFile:
    """L'archive publiée de `paquet`, par le client npm tel qu'il est configuré sur la machine."""
    commande = ["npm", "pack", f"{paquet}@{version}", "--silent", "--pack-destination", str(dossier)]
    subprocess.run(commande, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - liste fixe, sans shell
    (archive,) = dossier.glob("*.tgz")
    return tarfile.open(archive)


def fichiers_servis() -> Iterator[tuple[str, str, str, str, bytes]]:
    """(nom, version, licence, chemin sous static/vendor, octets) de chaque fichier à écrire."""
    for paquet, version, licence, fichiers in PAQUETS:
        with (
            tempfile.TemporaryDirectory() as dossier,
            rapporter(paquet, version, Path(dossier)) as archive,
        ):
            for origine, servis in fichiers.items():
                membre = archive.extractfile(f"package/{origine}")
                if membre is None:
                    raise FileNotFoundError(f"{paquet}@{version} n'a pas de {origine}.")
                source = membre.read()
                for chemin, retouche in servis.items():
                    octets = source if retouche is None else retouche(source.decode()).encode()
                    yield paquet, version, licence, chemin, octets


def principal() -> None:
    lignes = []
    for nom, version, licence, chemin, octets in fichiers_servis():
        cible = DESTINATION / chemin
        cible.parent.mkdir(parents=True, exist_ok=True)
        cible.write_bytes(octets)
        lignes.append(f"{nom} {version} {licence} {hashlib.sha256(octets).hexdigest()} {chemin}\n")
    (DESTINATION / "VERSIONS").write_text("".join(lignes))
    sys.stdout.write(f"{len(lignes)} fichiers écrits dans static/vendor.\n")


if __name__ == "__main__":
    principal()
