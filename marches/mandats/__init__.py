"""Les mandats d'un budget et d'une année : du fichier des finances à des totaux par tiers et par commune.

Rien n'en est gardé ligne à ligne. Un tiers sans SIRET peut être une personne : ni son nom ni son code ne sortent
d'ici.
"""
