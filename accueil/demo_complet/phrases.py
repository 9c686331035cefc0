"""Ce qu'on écrit au fil de l'eau : commentaires, motifs de report, notes de suivi."""

ENTREE = "Plan adopté par le conseil."
REVUE = "Ajoutée lors de la revue annuelle du plan."

DEMARRAGE = (
    "Réunion de lancement tenue avec les services concernés.",
    "Note de cadrage validée par la direction.",
    "Premier marché repéré pour l'essai.",
    "Groupe de travail constitué ; calendrier partagé.",
    "",
)
AVANCEE = (
    "Point d'étape au comité de suivi.",
    "Deuxième vague lancée.",
    "Retour des services intégré.",
    "",
    "",
)
ACHEVEMENT = (
    "Livrable remis et présenté au comité de suivi.",
    "Dispositif généralisé, entré dans les procédures.",
    "Délibération votée.",
    "Clos : le suivi courant relève désormais du service.",
    "",
)
MOTIFS_DE_REPORT = (
    "Consultation infructueuse, à relancer.",
    "Pilote en congé long ; reprise par le service à la rentrée.",
    "Arbitrage budgétaire renvoyé au vote du budget.",
    "Attente des textes d'application.",
    "Périmètre élargi à la demande du comité de suivi.",
    "Prestataire défaillant, marché résilié puis repassé.",
    "Priorité donnée au renouvellement des marchés arrivant à terme.",
)
ERREUR = "Saisie par erreur : seule la première phase est achevée."

NOTES_DE_DEMARRAGE = (
    "Le service demande un modèle de clause avant la prochaine consultation.",
    "Bon accueil des prescripteurs ; il faut du temps d'accompagnement.",
    "Deux collectivités voisines ont été interrogées, comptes rendus au dossier.",
    "Besoin d'un appui juridique sur la rédaction du critère.",
    "Liste des marchés concernés établie : une quinzaine d'ici deux ans.",
)
NOTES_DE_SUIVI = (
    "Trois marchés notifiés depuis le dernier point ; aucun recours.",
    "Les candidats répondent bien au critère, la pondération peut monter à 15 %.",
    "Le suivi d'exécution reste le point faible : peu de justificatifs remontent.",
    "Atelier tenu avec les acheteurs, une vingtaine de participants.",
    "Calendrier tenu. Prochain point au comité de suivi.",
    "Relance envoyée aux services qui n'ont pas répondu.",
    "Le titulaire propose une variante plus ambitieuse, à étudier.",
)
NOTES_DE_BILAN = (
    "L'année confirme la méthode : les services l'appliquent sans relance.",
    "Progrès net sur les marchés de travaux, plus lent sur les services.",
    "Résultat en deçà de l'attendu : les accords-cadres anciens pèsent encore.",
    "Première année pleine ; les chiffres serviront de référence.",
    "Partenariat utile : la moitié des réponses vient de ce réseau.",
)
NOTES_D_ACHEVEMENT = (
    "Objectif atteint. Le dispositif entre dans le fonctionnement courant.",
    "Terminée dans l'enveloppe prévue ; retour d'expérience partagé avec les communes.",
    "Terminée. À évaluer dans deux ans.",
)
NOTES_D_ATTENTE = (
    "Toujours pas lancée : à inscrire au prochain comité de suivi.",
    "Prise de contact faite ; lancement espéré au prochain trimestre.",
    "Le service confirme son intérêt, sous réserve de moyens.",
)

LIEU_DU_COMITE = "Salle du conseil"
DECISIONS_SUR_LE_PLAN = (
    "Le comité prend acte de l'avancement et demande un point écrit à chaque direction avant l'été.",
    "Les actions sans échéance en reçoivent une avant le prochain comité.",
    "Le bilan annuel sera présenté au conseil au premier trimestre.",
    "Les échéances de fin d'année sont maintenues.",
)
DECISIONS_SUR_UNE_ACTION = (
    "Poursuivre. Le service dira au prochain comité ce qui lui manque.",
    "Associer la direction des finances avant la prochaine consultation.",
    "Échéance maintenue ; un point d'étape par écrit dans deux mois.",
    "Présenter un premier retour d'expérience aux communes.",
    "Chiffrer deux scénarios avant d'aller plus loin.",
)
MESSAGE_DE_CAMPAGNE = (
    "Deux clics suffisent : le statut s'il a changé, une note sinon. "
    "Le relevé du comité reprendra ce qui est écrit ici."
)
