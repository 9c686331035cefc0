"""Les données essentielles de la commande publique (DECP) : lire un fichier, en comprendre chaque enregistrement.

Rien ici ne connaît la base : des fichiers entrent, des dataclasses sortent.
"""
