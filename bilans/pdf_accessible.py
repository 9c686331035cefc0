"""Ce que WeasyPrint n'écrit pas, pour un PDF qui tienne à la fois PDF/UA-1 et PDF/A-2a.

Appelé juste avant l'écriture (`finisher` de `write_pdf`). Source : ISO 14289-1 (PDF/UA-1) §5, §7.1 et §7.5 ; ISO
19005-2 (PDF/A-2) §6.6.2 et §6.7 ; ISO 32000-1 §14.8.
"""

from typing import Any

# Un point fait 1/72 de pouce, un pixel de la feuille de style 1/96.
POINTS_PAR_PIXEL = 0.75

# PDF/A n'admet une propriété XMP hors de ses schémas que décrite dans le fichier ; celle de PDF/UA n'en est pas.
_PDFUA_EN_XMP = b"""<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" \
xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of ISO 14289 to which the file conforms</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
</rdf:RDF>"""


def achever(document: Any, pdf: Any) -> None:
    """Complète la structure et les métadonnées de `pdf` (pydyf.PDF), issu de `document` (weasyprint.Document)."""
    structure = _Structure(pdf)
    _ecarter_les_titres_courants(pdf, structure)
    for element in list(structure.elements):
        match element["S"]:
            case "/TH":
                element["A"]["Scope"] = "/Column" if structure.est_dans(element, "/THead") else "/Row"
            case "/Figure":
                _cadrer(pdf, element, document)
            case "/LI":
                _donner_un_corps(pdf, structure, element)
            case "/L" if any(enfant["S"] == "/Div" for enfant in structure.enfants(element)):
                _mettre_en_paragraphes(structure, element)
            case "/Caption" if structure.suivre(element["P"])["S"] != "/Table":
                element["S"] = "/P"
    _declarer_pdfua(pdf)


class _Structure:
    """L'arbre des balises du PDF, parcouru depuis sa racine."""

    def __init__(self, pdf: Any) -> None:
        self._pdf = pdf
        racine = self.suivre(pdf.catalog["StructTreeRoot"])
        self.parents: list[Any] = self.suivre(racine["ParentTree"])["Nums"]
        self.elements: list[Any] = []
        self._numeros: set[int] = set()
        a_voir = [self.suivre(reference) for reference in racine["K"]]
        while a_voir:
            element = a_voir.pop()
            if element.get("Type") != "/StructElem":
                continue
            self.elements.append(element)
            self._numeros.add(element.number)
            a_voir += [self.suivre(enfant) for enfant in element["K"] if isinstance(enfant, bytes)]

    def suivre(self, reference: bytes) -> Any:
        """L'objet que désigne « 12 0 R »."""
        return self._pdf.objects[int(reference.split()[0])]

    def enfants(self, element: Any) -> list[Any]:
        """Les balises que celle-ci contient ; ni ses textes, ni ses annotations."""
        references = (reference for reference in element["K"] if isinstance(reference, bytes))
        return [enfant for enfant in map(self.suivre, references) if enfant.get("Type") == "/StructElem"]

    def atteint(self, reference: bytes) -> bool:
        return int(reference.split()[0]) in self._numeros

    def est_dans(self, element: Any, balise: str) -> bool:
        while element.get("Type") == "/StructElem":
            if element["S"] == balise:
                return True
            element = self.suivre(element["P"])
        return False


def _ecarter_les_titres_courants(pdf: Any, structure: _Structure) -> None:
    """Titres courants et numéros de page deviennent des artefacts : ils ne se lisent pas au milieu du texte.

    WeasyPrint leur donne une balise qui ne tient à rien ; `parents` la dit, page par page, pour chaque contenu marqué.
    """
    pages = [structure.suivre(reference) for reference in pdf.page_references]
    for rang, page in zip(structure.parents[::2], structure.parents[1::2], strict=True):
        if not isinstance(page, list):
            continue  # l'annotation d'un lien
        perdus = {mcid for mcid, reference in enumerate(page) if not structure.atteint(reference)}
        for mcid in perdus:
            structure.suivre(page[mcid]).clear()
            page[mcid] = b"null"
        _marquer_comme_artefacts(structure.suivre(pages[rang]["Contents"]).stream, perdus)


def _marquer_comme_artefacts(operations: list[Any], mcids: set[int]) -> None:
    """`operations` : celles d'une page ; un contenu marqué s'y ouvre par trois : balise, propriétés, « BDC »."""
    for i, operation in enumerate(operations):
        if operation == b"BDC" and operations[i - 1].get("MCID") in mcids:
            operations[i - 2 : i + 1] = ["/Artifact", type(operations[i - 1])({"Type": "/Pagination"}), b"BDC"]


def _donner_un_corps(pdf: Any, structure: _Structure, point: Any) -> None:
    """Un élément de liste n'a qu'une étiquette et un corps : ses paragraphes vont dans celui-ci."""
    enfants = structure.enfants(point)
    contenus = [enfant for enfant in enfants if enfant["S"] not in ("/Lbl", "/LBody")]
    if not contenus:
        return
    corps = type(point)({"Type": "/StructElem", "S": "/LBody", "Pg": point["Pg"], "P": point.reference})
    corps["K"] = type(point["K"])([enfant.reference for enfant in contenus])
    pdf.add_object(corps)
    for enfant in contenus:
        enfant["P"] = corps.reference
    etiquettes = [enfant.reference for enfant in enfants if enfant not in contenus]
    point["K"][:] = [*etiquettes, corps.reference]


def _mettre_en_paragraphes(structure: _Structure, liste: Any) -> None:
    """Un `dl` dont les paires sont groupées n'est pas une liste au sens du PDF : ses termes se lisent à la suite."""
    liste["S"] = "/Div"
    for groupe in structure.enfants(liste):
        for point in structure.enfants(groupe):
            point["S"] = "/NonStruct"
            for corps in structure.enfants(point):
                corps["S"] = "/P"


def _cadrer(pdf: Any, figure: Any, document: Any) -> None:
    """Le cadre d'une figure, en points depuis le bas de la page : WeasyPrint l'écrit en pixels depuis le haut."""
    page = document.pages[pdf.page_references.index(figure["Pg"])]
    x1, y1, x2, y2 = figure["A"]["BBox"]
    hauts = (page.height - y2, page.height - y1)
    figure["A"]["BBox"][:] = [round(POINTS_PAR_PIXEL * v, 2) for v in (x1, hauts[0], x2, hauts[1])]
    figure["A"]["Placement"] = "/Block"


def _declarer_pdfua(pdf: Any) -> None:
    """Le paquet XMP dit PDF/A ; il dit aussi PDF/UA, en clair, pour qui lira ce fichier sans l'ouvrir."""
    metadonnees = pdf.objects[int(pdf.catalog["Metadata"].split()[0])]
    metadonnees.stream = [b"".join(metadonnees.stream).replace(b"</rdf:RDF>", _PDFUA_EN_XMP)]
    metadonnees.compress = False
