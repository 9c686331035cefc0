#!/bin/sh
# L'entrée du conteneur : chaque fichier de /run/secrets devient le réglage du même nom (SECRET_KEY, DATABASE_URL…), puis
# la commande prend la place de ce script et reçoit elle-même le signal d'arrêt.
set -eu
for fichier in "${SECRETS:-/run/secrets}"/*; do
    [ -f "$fichier" ] || continue
    nom=$(basename "$fichier")
    case "$nom" in
    *[!A-Z0-9_]* | [0-9]*)
        echo "Secret ignoré : « $nom » n'est pas le nom d'un réglage." >&2
        continue
        ;;
    esac
    export "$nom=$(cat "$fichier")"
done
exec "$@"
