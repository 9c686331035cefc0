"""Réglages de gunicorn : `python -m gunicorn --config commande_responsable/gunicorn.conf.py`.

Il n'écoute que la machine : le serveur frontal (nginx, Apache) porte le HTTPS. PORT change le port,
WEB_CONCURRENCY le nombre de processus.
"""

import os

wsgi_app = "commande_responsable.wsgi:application"
bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# Un fil d'exécution qui attend la base ne bloque pas les autres lecteurs.
threads = 2
# Aucune commande à distance du serveur : systemd ou Ctrl-C suffisent.
control_socket_disable = True
errorlog = "-"
loglevel = "warning"
