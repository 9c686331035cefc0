#!/usr/bin/env bash
# La démonstration, du poste nu au site servi : make demo ou make demo-complet (PORT=…, DEMO_MOT_DE_PASSE=…).
# Tout ce qu'elle écrit est dans donnees/ : effacer donnees/demo.sqlite3* (ou demo-complet.sqlite3*) la remet à neuf.
set -eu
cd "$(dirname "$0")/.."

# Sans argument, le plan publié ; « complet », les données synthétiques. Chacune a sa base.
case "${1-}" in
"") cible=demo commande=preparer_demo ;;
complet) cible=demo-complet commande=preparer_demo_complet ;;
*)
    echo "Démonstration inconnue : $1. Choisissez make demo ou make demo-complet." >&2
    exit 1
    ;;
esac

export PORT=${PORT:-8000}
# Les zéros de tête feraient lire l'octal.
if [[ ! $PORT =~ ^[1-9][0-9]{0,4}$ ]] || [ "$PORT" -gt 65535 ]; then
    echo "PORT=$PORT n'est pas un numéro de port (1 à 65535)." >&2
    exit 1
fi
# Dit avant toute installation : quelqu'un répond-il déjà ?
if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
    echo "Le port $PORT est déjà pris sur 127.0.0.1. Choisissez-en un autre : make $cible PORT=8001" >&2
    exit 1
fi

"${MAKE:-make}" --no-print-directory installer

# La démonstration ne lit aucun réglage du poste ni du fichier .env : base, courriels et adresse sont les siens.
mkdir -p -m 700 donnees
if [ ! -s donnees/cle_demo ]; then
    (umask 077 && .venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(64))' >donnees/cle_demo)
fi
SECRET_KEY=$(cat donnees/cle_demo)
export SECRET_KEY
export DJANGO_SETTINGS_MODULE=commande_responsable.settings
export DATABASE_URL=sqlite:///donnees/$cible.sqlite3
export DEBUG=0 HTTPS=0 PROXYS_DE_CONFIANCE=0 ALLOWED_HOSTS=127.0.0.1,localhost CSRF_TRUSTED_ORIGINS=
export EMAIL_URL=console: DEFAULT_FROM_EMAIL=demo@localhost NIVEAU_DE_JOURNAL=WARNING
export MOIS_SANS_NOUVELLE=6 JOURS_AVANT_COMITE=14 PAGES_PUBLIQUES=1 ADRESSE_DU_SITE=http://127.0.0.1:$PORT

echo "Préparation de la base et des fichiers statiques (une vingtaine de secondes)…"
.venv/bin/python manage.py migrate --verbosity 0
.venv/bin/python manage.py collectstatic --noinput --verbosity 0
.venv/bin/python manage.py "$commande"

echo
echo "Démonstration : http://127.0.0.1:$PORT/ (Ctrl-C pour arrêter)"

# Deux processus, le site et l'ouvrier des tâches longues : l'un ne doit pas survivre à l'autre.
pids=()
# shellcheck disable=SC2317  # appelée par trap
arreter() {
    # Un second Ctrl-C ne doit pas interrompre l'arrêt.
    trap '' INT TERM HUP
    kill "${pids[@]}" 2>/dev/null || true
    wait
}
trap arreter EXIT
trap 'exit 129' HUP
# Ctrl-C les a déjà prévenus tous deux : le temps qu'ils s'arrêtent d'eux-mêmes.
trap 'sleep 1; exit 130' INT
trap 'exit 143' TERM
.venv/bin/python manage.py db_worker --no-startup-delay --verbosity 0 &
pids+=($!)
.venv/bin/python -m gunicorn --config commande_responsable/gunicorn.conf.py &
pids+=($!)
wait "$!"
