"""De petits fichiers vrais, qui disent qu'ils sont synthétiques : un PDF d'une page, un tableau en CSV."""

import datetime

from socle.formats import formater_date

MENTION = "Document synthétique : tout y est inventé."


def compte_rendu(titre: str, le: datetime.date) -> tuple[bytes, str]:
    """Le contenu et le nom d'un PDF d'une page."""
    nom = "".join(lettre if lettre.isalnum() else "-" for lettre in titre.lower())
    return _pdf([titre, formater_date(le), MENTION]), f"{nom}.pdf"


def recensement(numero: int) -> tuple[bytes, str]:
    """Le contenu et le nom d'un CSV, avec la marque qu'attend Excel."""
    lignes = ["Candidat;Note technique;Prix HT", f"Entreprise fictive A{numero};14;18 400", f"{MENTION};;"]
    return "\r\n".join(lignes).encode("utf-8-sig"), f"offres-{numero}.csv"


def _pdf(lignes: list[str]) -> bytes:
    """Le plus petit PDF qui s'ouvre partout : un catalogue, une page A4, une police que tout lecteur a."""
    texte = b" ".join(b"(%s) Tj T*" % _echapper(ligne) for ligne in lignes)
    flux = b"BT /F1 14 Tf 22 TL 60 770 Td %s ET" % texte
    objets = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(flux), flux),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    contenu, places = b"%PDF-1.4\n", []
    for rang, objet in enumerate(objets, start=1):
        places.append(len(contenu))
        contenu += b"%d 0 obj\n%s\nendobj\n" % (rang, objet)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    nombre = len(objets) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (nombre, table)
    fin = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (nombre, len(contenu))
    return contenu + table + fin


def _echapper(ligne: str) -> bytes:
    return ligne.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("cp1252", errors="replace")
