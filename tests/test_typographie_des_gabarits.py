"""Les phrases des gabarits : un signe double ou un guillemet ne passe pas seul à la ligne."""

import re

import pytest
from django.conf import settings

GABARITS = settings.BASE_DIR / "templates"
# Ce qui ne s'affiche pas ; une variable, elle, peut précéder une ponctuation.
_MUET = re.compile(r"\{% comment %\}.*?\{% endcomment %\}|\{#.*?#\}|<!--.*?-->|<[^>]*>", re.DOTALL)
_CALCULE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_SECABLE = re.compile(r"(?<=\S) [:;!?»](?![\w/])|« ")


def fautes(gabarit: str) -> list[str]:
    texte = _CALCULE.sub("…", _MUET.sub("", gabarit))
    return [texte[max(0, faute.start() - 30) : faute.end()] for faute in _SECABLE.finditer(texte)]


@pytest.mark.parametrize("dossier", ["accueil", "bilans", "publication"])
def test_une_ponctuation_double_suit_une_espace_insecable(dossier):
    trouvees = {chemin.name: fautes(chemin.read_text()) for chemin in sorted((GABARITS / dossier).glob("*.html"))}
    assert {nom: liste for nom, liste in trouvees.items() if liste} == {}


@pytest.mark.parametrize("gabarit", ["<p>Fini : {{ x }}</p>", "{{ x }} ; oui", "« {{ x }}&nbsp;»", "<b>Quoi</b> ?"])
def test_une_espace_secable_se_voit(gabarit):
    assert fautes(gabarit)


def test_une_balise_et_un_commentaire_ne_sont_pas_des_phrases():
    assert (
        fautes('{% comment %}x : y{% endcomment %}<a title="a : b">{% url "x : y" %}&nbsp;: {{ a|date:"d : m" }}</a>')
        == []
    )
