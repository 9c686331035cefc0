"""Ce que le site peut recevoir de pire : des textes, des nombres, des dates, des fichiers, et ce qui les tire au sort.

Rien n'est au hasard d'une exécution à l'autre ; `HYPOTHESIS_PROFIL=long` en tire davantage.
"""

import io
import os
import zipfile
from collections.abc import Iterator
from functools import cache

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

LONG = os.environ.get("HYPOTHESIS_PROFIL") == "long"
# Combien d'entrées chaque formulaire reçoit au moins.
AU_MOINS = 500

# Un mot que rien d'autre n'écrit : où il ressort, c'est l'entrée qu'on relit.
TEMOIN = "zqtemoinqz"

SQL = (
    "' OR '1'='1",
    "'; DROP TABLE comptes_utilisateur; --",
    '" OR ""="',
    "1) UNION SELECT password FROM comptes_utilisateur--",
    "%' ESCAPE '!",
    "%_%",
    "\\",
    "\\'",
    "$$; SELECT pg_sleep(9); $$",
    "%s %(x)s %%",
    "?1 :nom @p",
    "1; ATTACH DATABASE '/tmp/x' AS x",
    "CAST(x AS int)",
    "NULL",
    "null",
    "None",
    "undefined",
    "true",
    "{}",
    "[]",
)
GABARITS = (
    "{{ 7|add:7 }}",
    "{{ settings.SECRET_KEY }}",
    "{% load static %}{% debug %}",
    "{% csrf_token %}",
    "{# x #}",
    "{0.__class__.__mro__}",
    "{nom!r:>99}",
    "%(objet)d %n",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{{'a'.constructor.constructor('x')()}}",
)
PAGES = (
    "<script>window.__x=1</script>",
    "</script><script>window.__x=1</script>",
    "</textarea><script>window.__x=1</script>",
    "</title><svg onload=window.__x=1>",
    '"><img src=x onerror=window.__x=1>',
    "'><img src=x onerror=window.__x=1>",
    '" autofocus onfocus=window.__x=1 x="',
    "<svg/onload=window.__x=1>",
    "<svg><script href=data:,window.__x=1 />",
    "<iframe srcdoc='<script>parent.__x=1</script>'>",
    "<a href=javascript:window.__x=1>x</a>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=window.__x=1>",
    "<!--<script>",
    "]]><script>window.__x=1</script>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<style>@import'//evil.example'</style>",
    "&lt;script&gt;&#x3C;&#0;&amp;amp;",
    "<details open ontoggle=window.__x=1>",
    "<form action=//evil.example><button>x",
)
ADRESSES = (
    "javascript:window.__x=1",
    "JaVaScRiPt:window.__x=1",
    "java\tscript:window.__x=1",
    "javascript://exemple.fr/%0awindow.__x=1",
    "data:text/html,<script>window.__x=1</script>",
    "vbscript:x",
    "//evil.example",
    "///evil.example",
    "////evil.example/%2f..",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http:///evil.example",
    "https://evil.example",
    "https://testserver@evil.example",
    "https://testserver.evil.example",
    "/\t/evil.example",
    "/%09/evil.example",
    "/\n/evil.example",
    "/%0d%0aSet-Cookie:x=1",
    "/x\r\nSet-Cookie: x=1",
    "http://[::1",
    "http://[evil",
    "https://exemple.fr:99999/",
    "https://exemple.fr:abc/",
    "https://" + "a" * 300 + ".fr/",
    "https://éxemple.fr/é?é#é",
    "https://xn--/",
    "ftp://exemple.fr/x",
    "file:///etc/passwd",
    "mailto:x@exemple.fr?bcc=y@evil.example",
    "\x01javascript:window.__x=1",
    " javascript:window.__x=1",
    "http://a b/",
    "https://exemple.fr/\u202egnp.exe",
)
CHEMINS = (
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "C:\\Windows\\system32",
    "....//....//etc/passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%c0%af..%c0%af",
    "..%00/",
    "CON",
    "NUL.txt",
    "aux.pdf",
    "COM1",
    "LPT1.csv",
    ".",
    "..",
    ".htaccess",
    "-rf",
    "~root",
    "$(id)",
    "`id`",
    "| id",
    "; id",
    "&& id",
    "a" * 255 + ".pdf",
    "nom\u202efdp.exe",
    "fichier.pdf ",
    "fichier.pdf.",
    "fichier.pdf::$DATA",
)
# Ce qu'aucun texte ne devrait porter : le site le refuse, ou l'ôte.
INDICIBLES = (
    "a\x00b",
    "\x00",
    "a\x01b",
    "a\x07b",
    "a\x08b",
    "a\x0bb",
    "a\x0cb",
    "a\x0eb",
    "a\x1bb",
    "a\x1b[31mb",
    "a\x1fb",
    "a\x7fb",
    "a\x80b",
    "a\x85b",
    "a\x9fb",
    "a\ufffeb",
    "a\uffffb",
)
# Ceux qu'un envoi en UTF-8 ne sait pas porter, mais qu'un JSON ou un charset exotique savent.
ISOLES = ("a\ud800b", "\udfff", "\udc80abc", "x\ud83d")
UNICODE = (
    "\u202eabc\u202c",
    "\u2066abc\u2069",
    "\u200b\u200c\u200d\u2060\ufeff",
    "\u00ad",
    "\u2028\u2029",
    "\u00a0",
    "\u3000",
    "\u180e",
    "e\u0301",
    "\u00e9",
    "Z" + "\u0300\u0301\u0302\u0303" * 40 + "algo",
    "👨\u200d👩\u200d👧\u200d👦",
    "🏳\ufe0f\u200d🌈",
    "🇫🇷",
    "\U0010ffff",
    "\ufffd",
    "\ue000",
    "ﷺ" * 30,
    "İıſß",
    "ﬁ",
    "Ω\u2126K\u212a",
    "ㅤ",
    "\ufff9x\ufffay\ufffb",
    "العربية",
    "中文",
    "\U000e0041\U000e007f",
    "Ａ１％",
    "\r",
    "\n",
    "\r\n",
    "\t",
    "   ",
    "a\r\nb\tc",
)
NOMBRES = (
    "0",
    "-0",
    "+1",
    "1e5",
    "1E400",
    "1e-400",
    "9" * 19,
    "9" * 40,
    "9" * 5000,
    "-" + "9" * 40,
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "2147483648",
    "NaN",
    "nan",
    "sNaN",
    "Infinity",
    "-inf",
    "inf",
    "1_000",
    "0x10",
    "0b1",
    "0o7",
    "1,2,3",
    "1.2.3",
    ",5",
    "5,",
    "1 2",
    "1 234,50",
    "1\u202f234,50",
    "١٢٣",
    "१२३",
    "１２３",
    "²",
    "½",
    "Ⅷ",
    "①",
    "10 %",
    "100000 %",
    "-1",
    "0.0000000000000000001",
    "0," + "1" * 400,
    "−5",
    "12 €",
    "1/0",
    "0001",
    "1j",
    "(1)",
)
DATES = (
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "-0001-01-01",
    "2026-02-30",
    "30/02/2026",
    "31/12/99",
    "2026-13-01",
    "00/00/0000",
    "32/01/2026",
    "2026-01-01T25:00",
    "2026-01-01T10:00:00+99:99",
    "2026-03-29T02:30",
    "2026-10-25T02:30",
    "2026-01-01T00:00:00Z",
    "1899-12-31",
    "2201-01-01",
    "T9 2026",
    "T1 99999",
    "2026-W53",
    "aujourd'hui",
    "٠١/٠١/٢٠٢٦",
    "2026-01-01\x00",
    "1970-01-01",
    "0",
    "99999999999",
)
FORMULES = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("http://evil.example","x")',
    "=IMPORTXML(1)",
    "＝1+1",
    ";=1+1",
    '"=1+1"',
    "\n=1",
)
CODES = (
    "a" * 101,
    "a" * 256,
    "a" * 10_000,
    "é" * 5_000,
    "😀" * 3_000,
    '{"a":' * 200 + "1" + "}" * 200,
    "[" * 3000,
    "a:b:c",
    "W10:1tXyz:signature",
    "eyJhIjoxfQ:1tXyz:AAAA",
    ":",
    "::",
    "on",
    "off",
    "oui",
    "non",
    "False",
    "1",
    "2",
    "99",
    "0,1",
    "1;2",
    "TERMINEE",
    "__all__",
    "__proto__",
    "constructor",
    "__class__",
    "pk__in",
    "id__gt",
    "password",
    "is_superuser",
    "-",
    "--",
    "_",
    "*",
    "(",
    "[a-",
    "(a+)+$",
    "a" * 50 + "!",
    "\\x00",
    "%00",
    "%",
    "%zz",
    "&",
    "a=b&c=d",
    "#",
    "?",
    "a\u0000",
    "user@exemple.fr\nBcc: x@evil.example",
    "x@" + "a" * 300 + ".fr",
    '"a b"@exemple.fr',
    "x@[127.0.0.1]",
    "x@exemple.fr,y@exemple.fr",
    "<x@exemple.fr>",
)

A_LA_MAIN = tuple(
    dict.fromkeys(
        (
            *SQL,
            *GABARITS,
            *PAGES,
            *ADRESSES,
            *CHEMINS,
            *INDICIBLES,
            *UNICODE,
            *NOMBRES,
            *DATES,
            *FORMULES,
            *CODES,
        )
    )
)
# Dix textes qui résument les autres : pour ce qui coûte cher à essayer.
RESUME = (
    PAGES[4],
    SQL[3] + GABARITS[1],
    ADRESSES[0],
    ADRESSES[9],
    CHEMINS[0],
    "\u202e" + UNICODE[2] + "e\u0301" + UNICODE[11],
    NOMBRES[7],
    FORMULES[1],
    DATES[2],
    "é" * 5_000,
)


def _textes() -> st.SearchStrategy[str]:
    """Des textes de tout Unicode, des morceaux de ce qui précède mis bout à bout, des nombres, des dates."""
    morceaux = st.lists(st.sampled_from(A_LA_MAIN).filter(lambda t: len(t) < 200), min_size=2, max_size=4)
    return st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
        morceaux.map("".join),
        st.integers().map(str),
        st.decimals().map(str),
        st.floats().map(repr),
        st.datetimes().map(str),
        st.dates().map(lambda d: d.strftime("%d/%m/%Y")),
        st.text("0123456789.,-+eE% \u202f", min_size=1, max_size=30),
    )


@cache
def tires(combien: int) -> tuple[str, ...]:
    """`combien` textes distincts tirés par Hypothesis, les mêmes à chaque exécution."""
    trouves: dict[str, None] = {}

    @settings(max_examples=combien * 2, derandomize=True, database=None, phases=[Phase.generate], deadline=None)
    @given(_textes())
    def tirer(texte: str) -> None:
        trouves.setdefault(texte)

    tirer()
    return tuple(trouves)[:combien]


@cache
def textes() -> tuple[str, ...]:
    """Tout ce qui s'essaie dans un champ : AU_MOINS, davantage en version longue."""
    vises = 4 * AU_MOINS if LONG else AU_MOINS + 20
    return A_LA_MAIN + tires(vises - len(A_LA_MAIN))


def melange(champs: list[str]) -> Iterator[dict[str, str]]:
    """Des envois dont tous les champs sont hostiles à la fois. Le formulaire reçoit chaque texte, dans l'un de ses
    champs ; en version longue, chaque champ les reçoit tous."""
    valeurs = textes()
    for rang in range(len(valeurs) if LONG else -(-len(valeurs) // max(len(champs), 1))):
        # 41 n'a aucun diviseur commun avec leur nombre : d'un champ à l'autre, ce n'est jamais le même texte.
        pas = 41 if LONG else -(-len(valeurs) // max(len(champs), 1))
        yield {champ: valeurs[(rang + pas * n) % len(valeurs)] for n, champ in enumerate(champs)}


# --- Fichiers -----------------------------------------------------------------------------------


def _zip(**entrees: bytes | str) -> bytes:
    sortie = io.BytesIO()
    with zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as archive:
        for nom, contenu in entrees.items():
            archive.writestr(nom.replace("__", "/"), contenu)
    return sortie.getvalue()


_BOUM = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">' + "".join(
    f'<!ENTITY {chr(99 + n)} "{("&" + chr(98 + n) + ";") * 9}">' for n in range(9)
)
XXE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
_EN_TETE_XLSX = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "xl__workbook.xml": '<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="F" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl___rels__workbook.xml.rels": '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/>'
    "</Relationships>",
}
_ODS = "application/vnd.oasis.opendocument.spreadsheet"


@cache
def fichiers() -> dict[str, bytes]:
    """Des fichiers piégés, par ce qu'ils ont de mauvais. Aucun n'est un import valable."""
    feuille = (
        '<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>{}</t></is></c></row></sheetData></worksheet>'
    )
    xlsx = _zip(**_EN_TETE_XLSX, **{"xl__worksheets__sheet1.xml": feuille})
    return {
        "vide": b"",
        "blancs": b" \r\n\t" * 200,
        "un octet nul": b"a;b\n\x00;c\n",
        "BOM seul": b"\xef\xbb\xbf",
        "UTF-16 coupé": b"\xff\xfea\x00;",
        "UTF-8 invalide": b"Action\n\xc3\x28\x81\x8d\n",
        "UTF-7": b"+ADw-script+AD4-;x\n",
        "guillemet ouvert": b'Action;Objet\n"abc;def\n' + b"x" * 5000,
        "mille colonnes": b";".join([b"Action"] * 3000),
        "une cellule énorme": b"Action\n" + b"x" * 400_000 + b"\n",
        "cent mille lignes": b"Action\n" + b"x\n" * 100_000,
        "page web": b"<!doctype html><script>window.__x=1</script>",
        "PHP": b"<?php system($_GET[0]); ?>",
        "XXE nu": XXE.encode(),
        "mille rires nu": (_BOUM + "]><x>&k;</x>").encode(),
        "exécutable": b"MZ\x90\x00" + b"\x00" * 300,
        "PDF": b"%PDF-1.7\n1 0 obj\n<< /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>\n%%EOF",
        "PNG coupé": b"\x89PNG\r\n\x1a\n\x00",
        "ancien Excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
        "gzip": b"\x1f\x8b\x08\x00" + b"\x00" * 40,
        "zip vide": _zip(),
        "zip coupé": xlsx[: len(xlsx) // 2],
        "zip de chemins": _zip(**{"..__..__..__etc__passwd": "x", "xl__workbook.xml": "<x/>"}),
        "bombe": _zip(**_EN_TETE_XLSX | {"xl__worksheets__sheet1.xml": b"<a>" * 30_000_000}),
        "trop de parties": _zip(**{f"xl__{n}.xml": "" for n in range(3000)}),
        "xlsx XXE": _zip(**_EN_TETE_XLSX | {"xl__worksheets__sheet1.xml": XXE}),
        "xlsx mille rires": _zip(
            **_EN_TETE_XLSX | {"xl__worksheets__sheet1.xml": _BOUM + "]><worksheet>&k;</worksheet>"}
        ),
        "xlsx profond": _zip(**_EN_TETE_XLSX | {"xl__worksheets__sheet1.xml": "<a>" * 50_000}),
        "xlsx relation au-dehors": _zip(
            **_EN_TETE_XLSX
            | {
                "xl___rels__workbook.xml.rels": '<Relationships><Relationship Id="r1" Target="../../../etc/passwd" '
                'TargetMode="External"/></Relationships>'
            }
        ),
        "xlsx case très loin": _zip(
            **_EN_TETE_XLSX
            | {"xl__worksheets__sheet1.xml": feuille.replace("A1", "XFD1048576").replace('r="1"', 'r="99999999999"')}
        ),
        "ods XXE": _zip(mimetype=_ODS, **{"content.xml": XXE}),
        "ods mille rires": _zip(mimetype=_ODS, **{"content.xml": _BOUM + "]><x>&k;</x>"}),
        "ods répété": _zip(
            mimetype=_ODS,
            **{
                "content.xml": '<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body>'
                '<office:spreadsheet><table:table table:name="F">'
                '<table:table-row table:number-rows-repeated="999999999">'
                '<table:table-cell table:number-columns-repeated="999999999" office:value-type="string"><text:p>Action'
                "</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body>"
                "</office:document-content>"
            },
        ),
        "docx": _zip(**{"[Content_Types].xml": "<Types/>", "word__document.xml": "<x/>"}),
        "JSON profond": b'{"marches":' + b"[" * 100_000,
        "JSON objets profonds": b'{"marches":{"marche":[' + b'{"a":' * 50_000 + b"1",
        "JSON nombre énorme": b'{"marches":{"marche":[{"id":"1","montant":' + b"9" * 100_000 + b"}]}}",
        "JSON NaN": b'{"marches":{"marche":[{"id":NaN,"montant":Infinity,"uid":-1e999}]}}',
        "JSON surrogates": b'{"marches":{"marche":[{"id":"\\ud800","objet":"\\udfff\\u0000"}]}}',
        "JSON faux": b'{"marches": {"marche": "x"}}',
        "JSON liste": b"[[[[1]]]]",
        "XML DECP XXE": XXE.replace("<x>", "<marches><marche><objet>")
        .replace("</x>", "</objet></marche></marches>")
        .encode(),
        "XML DECP mille rires": (_BOUM + "]><marches><marche><objet>&k;</objet></marche></marches>").encode(),
    }


NOMS_DE_FICHIER = (
    "../../../../tmp/x.csv",
    "..\\..\\x.csv",
    "/etc/passwd",
    "C:\\x.csv",
    "x\x00.csv",
    "x\r\nSet-Cookie: x=1.csv",
    '"><img src=x onerror=window.__x=1>.csv',
    "=cmd|' /C calc'!A0.csv",
    "CON.csv",
    ".htaccess",
    "x" * 400 + ".csv",
    "\u202evsc.exe",
    "{{ 7|add:7 }}.csv",
    "é\u0301😀.csv",
    "x.csv;.pdf",
    " ",
    ".csv",
    "x.PHP",
)


def abimes(contenu: bytes, combien: int) -> Iterator[bytes]:
    """Ce fichier coupé, troué, retourné, répété : toujours les mêmes variantes."""
    for rang in range(combien):
        ou = (rang * 7919) % max(len(contenu), 1)
        match rang % 5:
            case 0:
                yield contenu[:ou]
            case 1:
                yield contenu[:ou] + bytes([rang % 256]) + contenu[ou + 1 :]
            case 2:
                yield contenu[:ou] + contenu[ou + 1 + rang % 9 :]
            case 3:
                yield contenu[:ou] + bytes([(rang * 31) % 256]) * (rang % 40) + contenu[ou:]
            case 4:
                yield contenu[:ou] + contenu[ou // 2 :]
