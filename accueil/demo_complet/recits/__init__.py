"""Ce que le plan synthétique raconte, un module par axe. Aucun nom réel : ni personne, ni entreprise, ni organisme."""

from accueil.demo_complet.recits import economie, environnement, gouvernance, numerique, social

AXES = (gouvernance.AXE, social.AXE, environnement.AXE, economie.AXE, numerique.AXE)
