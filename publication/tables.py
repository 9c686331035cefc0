"""Les tables publiques d'un plan : la seule définition, que les fichiers, leur dictionnaire et l'API partagent.

Qui est public se décide dans `publication.acces` ; ce qui n'est pas une colonne ici ne sort pas.

Les identifiants (`id`, `…_id`) sont des clés que le site donne une fois et ne réemploie jamais ; un numéro, un code ou
un nom peuvent changer. Une valeur inconnue est None : une case vide en CSV, `null` en JSON.
"""

from actions.statuts import Statut
from indicateurs.listes import Nature, OrigineDeValeur, Sens
from partenaires.models import TypeDePartenaire
from publication import requetes
from publication.colonnes import Colonne, Lien, Table, TypeDeColonne, champ, nombre_du_champ

# Ce que les colonnes sont, pour qui les lit par programme : le premier nombre change quand une colonne disparaît ou
# change de sens, le second quand une s'ajoute.
VERSION = "1.0.0"

T = TypeDeColonne

PLAN = Colonne(
    "plan",
    "Plan",
    T.TEXTE,
    "Adresse du plan sur le site. La même dans tous les fichiers d'un plan : elle les distingue quand on en réunit "
    "plusieurs.",
    lambda objet, plan: plan.slug,
    obligatoire=True,
)


def _identifiant(de_quoi: str, nom: str = "pk") -> Colonne:
    return Colonne(
        "id",
        "Identifiant",
        T.ENTIER,
        f"Identifiant stable {de_quoi} sur ce site. Il ne change pas et n'est jamais réemployé.",
        champ(nom),
        obligatoire=True,
        unique=True,
        bornes=(1, None),
    )


def _renvoi(nom: str, titre: str, description: str, lu: str, *, obligatoire: bool = True) -> Colonne:
    return Colonne(nom, titre, T.ENTIER, description, champ(lu), obligatoire=obligatoire, bornes=(1, None))


ACTIONS = Table(
    "actions",
    "Actions",
    "Les actions publiques du plan, avec leur statut du jour.",
    requetes.actions,
    [
        PLAN,
        _identifiant("de l'action"),
        Colonne(
            "numero",
            "Numéro",
            T.ENTIER,
            "Rang de l'action dans le plan. Une action qui n'est pas publique laisse un trou dans la suite.",
            champ("numero"),
            obligatoire=True,
            unique=True,
            bornes=(0, None),
        ),
        Colonne("intitule", "Intitulé", T.TEXTE, "Ce que l'action fait.", champ("intitule"), obligatoire=True),
        Colonne("description", "Description", T.TEXTE, "Ce qu'elle comprend.", champ("description")),
        Colonne("axe_code", "Code de l'axe", T.TEXTE, "Code de l'axe du plan.", requetes.de_l_axe("code")),
        Colonne("axe", "Axe", T.TEXTE, "Intitulé de l'axe où l'action est rangée.", requetes.de_l_axe("intitule")),
        Colonne(
            "statut",
            "Statut",
            T.TEXTE,
            "Où en est l'action aujourd'hui ; vide s'il n'est pas connu.",
            champ("etat_statut"),
            choix=Statut,
        ),
        Colonne(
            "statut_depuis",
            "Statut depuis le",
            T.DATE,
            "Date d'effet du dernier changement de statut.",
            champ("statut_depuis"),
        ),
        Colonne(
            "avancement",
            "Avancement (%)",
            T.ENTIER,
            "Pourcentage d'avancement : 0 non initiée, 100 terminée ; vide si le plan ne le publie pas.",
            requetes.avancement_publie("etat_avancement"),
            bornes=(0, 100),
        ),
    ],
    cle=("id",),
)

STATUTS = Table(
    "statuts",
    "Statuts successifs",
    "Chaque changement de statut des actions publiques, ou d'avancement si le plan le publie, avec sa date d'effet. "
    "Le statut à une date est celui de la dernière ligne dont la date d'effet ne la dépasse pas ; avant la première, "
    "il est inconnu.",
    requetes.statuts,
    [
        PLAN,
        _renvoi("action_id", "Action", "Identifiant de l'action.", "action_id"),
        Colonne(
            "date_effet",
            "Date d'effet",
            T.DATE,
            "Le jour depuis lequel ce statut vaut.",
            champ("date_effet"),
            obligatoire=True,
        ),
        Colonne(
            "statut",
            "Statut",
            T.TEXTE,
            "Le statut à partir de ce jour.",
            champ("statut"),
            obligatoire=True,
            choix=Statut,
        ),
        Colonne(
            "avancement",
            "Avancement (%)",
            T.ENTIER,
            "L'avancement à partir de ce jour ; vide si le plan ne le publie pas.",
            requetes.avancement_publie("avancement"),
            bornes=(0, 100),
        ),
    ],
    cle=("action_id", "date_effet"),
    liens=(Lien("action_id", "actions"),),
)

INDICATEURS = Table(
    "indicateurs",
    "Indicateurs",
    "Ce que le plan mesure chaque année, et comment.",
    requetes.indicateurs,
    [
        PLAN,
        _identifiant("de l'indicateur", "indicateur_id"),
        Colonne(
            "code",
            "Code",
            T.TEXTE,
            "Nom court, sans accent ; c'est aussi l'adresse de l'indicateur.",
            champ("indicateur.code"),
            obligatoire=True,
            unique=True,
        ),
        Colonne("intitule", "Intitulé", T.TEXTE, "Ce qui est mesuré.", champ("indicateur.intitule"), obligatoire=True),
        Colonne("definition", "Définition", T.TEXTE, "Ce qui est compté.", champ("indicateur.definition")),
        Colonne(
            "mode_de_calcul",
            "Mode de calcul",
            T.TEXTE,
            "Comment le chiffre s'obtient.",
            champ("indicateur.mode_de_calcul"),
        ),
        Colonne(
            "nature",
            "Nature",
            T.TEXTE,
            "Un compte, une part (un pourcentage) ou un montant.",
            champ("indicateur.nature"),
            obligatoire=True,
            choix=Nature,
        ),
        Colonne("unite", "Unité", T.TEXTE, "Unité des valeurs : %, €, consultations…", champ("indicateur.unite")),
        Colonne(
            "decimales",
            "Décimales",
            T.ENTIER,
            "Nombre de décimales auquel une part est arrondie quand elle est publiée en grand.",
            champ("indicateur.decimales"),
            obligatoire=True,
            bornes=(0, 6),
        ),
        Colonne(
            "sens",
            "Sens",
            T.TEXTE,
            "Ce qui est un progrès.",
            champ("indicateur.sens"),
            obligatoire=True,
            choix=Sens,
        ),
        Colonne("source", "Source", T.TEXTE, "D'où viennent les chiffres.", champ("indicateur.source")),
        _renvoi(
            "denominateur_id",
            "Dénominateur",
            "Pour une part : l'indicateur du même plan dont la valeur de la même année lui sert de dénominateur ; "
            "vide s'il n'y en a pas dans ce plan.",
            "denominateur_public",
            obligatoire=False,
        ),
        Colonne(
            "chiffre_cle",
            "Chiffre clé",
            T.BOOLEEN,
            "Le plan le montre parmi ses chiffres clés.",
            champ("chiffre_cle"),
            obligatoire=True,
        ),
    ],
    cle=("id",),
    liens=(Lien("denominateur_id", "indicateurs"),),
)

VALEURS = Table(
    "valeurs",
    "Valeurs annuelles",
    "Les valeurs validées des indicateurs, une par indicateur et par année. Une valeur provisoire n'y est pas.",
    requetes.valeurs,
    [
        PLAN,
        _renvoi("indicateur_id", "Indicateur", "Identifiant de l'indicateur.", "indicateur_id"),
        Colonne(
            "indicateur",
            "Code de l'indicateur",
            T.TEXTE,
            "Code de l'indicateur, pour lire le fichier seul.",
            champ("indicateur.code"),
            obligatoire=True,
        ),
        Colonne("annee", "Année", T.ANNEE, "L'année mesurée.", champ("annee"), obligatoire=True),
        Colonne(
            "valeur",
            "Valeur",
            T.NOMBRE,
            "La valeur, dans l'unité de l'indicateur. Une part qui a un numérateur est le quotient, en %, arrondi à "
            "six décimales ; publiée en grand, elle est arrondie aux décimales de l'indicateur.",
            requetes.valeur_retenue,
        ),
        Colonne(
            "numerateur",
            "Numérateur",
            T.NOMBRE,
            "Pour une part : ce qui est compté ; vide si la part a été publiée sans lui.",
            nombre_du_champ("numerateur"),
        ),
        Colonne(
            "denominateur",
            "Dénominateur",
            T.NOMBRE,
            "Pour une part qui a un numérateur : ce sur quoi il est rapporté.",
            requetes.denominateur_retenu,
        ),
        Colonne(
            "indisponible",
            "Indisponible",
            T.BOOLEEN,
            "Vrai quand le chiffre de cette année ne sera pas connu.",
            champ("indisponible"),
            obligatoire=True,
        ),
        Colonne(
            "motif_indisponibilite",
            "Motif d'indisponibilité",
            T.TEXTE,
            "Pourquoi il ne l'est pas.",
            champ("motif_indisponibilite"),
        ),
        Colonne(
            "connue_le",
            "Connue le",
            T.DATE,
            "La date où la valeur a été connue.",
            champ("connue_le"),
            obligatoire=True,
        ),
        Colonne(
            "origine",
            "Origine",
            T.TEXTE,
            "Comment la valeur est entrée sur le site.",
            champ("origine"),
            obligatoire=True,
            choix=OrigineDeValeur,
        ),
        Colonne("libelle", "Libellé publié", T.TEXTE, "Le texte publié sous le chiffre.", champ("libelle")),
        Colonne("remarque", "Remarque", T.TEXTE, "Ce qu'il faut savoir pour lire ce chiffre.", champ("remarque")),
        Colonne(
            "source",
            "Source",
            T.TEXTE,
            "D'où vient ce chiffre ; vide, la source de l'indicateur vaut.",
            champ("source"),
        ),
        Colonne(
            "rupture",
            "Rupture de série",
            T.TEXTE,
            "Ce qui empêche de comparer ce chiffre à celui de l'année d'avant.",
            champ("rupture"),
        ),
    ],
    cle=("indicateur_id", "annee"),
    liens=(Lien("indicateur_id", "indicateurs"),),
)

PARTENAIRES = Table(
    "partenaires",
    "Partenaires",
    "Les organismes avec lesquels le plan et ses actions publiques se font.",
    requetes.partenaires,
    [
        PLAN,
        _identifiant("du partenaire"),
        Colonne("nom", "Nom", T.TEXTE, "Nom de l'organisme.", champ("nom"), obligatoire=True, unique=True),
        Colonne("sigle", "Sigle", T.TEXTE, "Sigle de l'organisme.", champ("sigle")),
        Colonne("type", "Type", T.TEXTE, "Sorte d'organisme.", champ("type"), choix=TypeDePartenaire),
        Colonne("site", "Site internet", T.TEXTE, "Adresse du site de l'organisme.", champ("site")),
        Colonne(
            "du_plan",
            "Partenaire du plan",
            T.BOOLEEN,
            "Vrai quand le plan le cite ; faux quand seule une de ses actions le nomme.",
            champ("du_plan"),
            obligatoire=True,
        ),
    ],
    cle=("id",),
)

ACTIONS_PARTENAIRES = Table(
    "actions_partenaires",
    "Partenaires des actions",
    "Quel partenaire prend part à quelle action publique.",
    requetes.participations,
    [
        PLAN,
        _renvoi("action_id", "Action", "Identifiant de l'action.", "action_id"),
        _renvoi("partenaire_id", "Partenaire", "Identifiant du partenaire.", "partenaire_id"),
    ],
    cle=("action_id", "partenaire_id"),
    liens=(Lien("action_id", "actions"), Lien("partenaire_id", "partenaires")),
)

TABLES: dict[str, Table] = {
    table.nom: table for table in (ACTIONS, STATUTS, INDICATEURS, VALEURS, PARTENAIRES, ACTIONS_PARTENAIRES)
}
