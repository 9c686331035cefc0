"""Les adresses de l'API, après /api/v1/ : la même liste pour le routage du site, l'API et son document OpenAPI.

Sous `interne/`, il faut un jeton ; ailleurs, rien n'est lu de qui demande.
"""

from comptes.gestes import PorteeDeJeton

RACINE = "/api/v1/"
INTERNE = "interne_"

PUBLIQUES = {
    "plans": "plans",
    "plan": "plans/{plan}",
    "actions": "plans/{plan}/actions",
    "action": "plans/{plan}/actions/{id}",
    "statuts": "plans/{plan}/statuts",
    "indicateurs": "plans/{plan}/indicateurs",
    "indicateur": "plans/{plan}/indicateurs/{code}",
    "valeurs": "plans/{plan}/valeurs",
    "partenaires": "plans/{plan}/partenaires",
    "bilans": "plans/{plan}/bilans",
    "bilan": "plans/{plan}/bilans/{annee}",
}
# La portée que chaque adresse interne demande au jeton.
PORTEES = {
    "interne_plans": PorteeDeJeton.API_ACTIONS,
    "interne_plan": PorteeDeJeton.API_ACTIONS,
    "interne_actions": PorteeDeJeton.API_ACTIONS,
    "interne_action": PorteeDeJeton.API_ACTIONS,
    "interne_partenaires": PorteeDeJeton.API_ACTIONS,
    "interne_indicateurs": PorteeDeJeton.API_INDICATEURS,
    "interne_indicateur": PorteeDeJeton.API_INDICATEURS,
    "interne_valeurs": PorteeDeJeton.API_INDICATEURS,
    "interne_bilans": PorteeDeJeton.API_BILANS,
    "interne_bilan": PorteeDeJeton.API_BILANS,
}
INTERNES = {nom: f"interne/{PUBLIQUES[nom.removeprefix(INTERNE)]}" for nom in PORTEES}
ROUTES = PUBLIQUES | INTERNES
