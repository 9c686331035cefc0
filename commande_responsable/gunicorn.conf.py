"""Réglages de gunicorn : `python -m gunicorn --config commande_responsable/gunicorn.conf.py`.

Il n'écoute que la machine : le serveur frontal (nginx, Apache) porte le HTTPS et tient le journal des accès. PORT
change le port, WEB_CONCURRENCY le nombre de processus.
"""

import os

wsgi_app = "commande_responsable.wsgi:application"
bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# Un fil d'exécution qui attend la base ne bloque pas les autres lecteurs.
threads = 2
# À l'arrêt, les demandes en cours ont ce temps pour finir (secondes) ; l'unité systemd en laisse dix de plus.
graceful_timeout = 30
# Chaque processus se renouvelle, jamais tous ensemble : une fuite de mémoire ne s'accumule pas des mois.
max_requests = 5000
max_requests_jitter = 500
# Le signe de vie des processus, en mémoire : un disque occupé (sauvegarde) les ferait croire bloqués.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - dossier des segments partagés
# Django seul décide de croire un en-tête X-Forwarded-Proto, d'après PROXYS_DE_CONFIANCE.
forwarded_allow_ips = ""
# Aucune commande à distance du serveur : systemd ou Ctrl-C suffisent.
control_socket_disable = True
errorlog = "-"
loglevel = "warning"
