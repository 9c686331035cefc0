#!/usr/bin/env bash
# Usage : scripts/postgres_ephemere.sh COMMANDE [ARGUMENT…]
# Lance COMMANDE avec DATABASE_URL vers un PostgreSQL jetable (127.0.0.1, port libre, données effacées
# à la fin) et rend son code de sortie. Sans fsync : la vitesse compte, pas les données.
set -eu

[ $# -gt 0 ] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }

# Debian range les binaires par version, hors du PATH : on prend la plus récente.
binaires=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
binaires=${binaires:-$(command -v initdb || true)}
if [ -z "$binaires" ]; then
    echo "PostgreSQL est introuvable. Sur Debian ou Ubuntu : apt install postgresql." >&2
    exit 1
fi
binaires=$(dirname "$binaires")

export LC_ALL=C.UTF-8
dossier=$(mktemp -d /tmp/postgres_ephemere.XXXXXX)

# initdb refuse root : sous root, tout passe par le compte postgres que le paquet Debian a créé.
comme_postgres() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd "$dossier" && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

# shellcheck disable=SC2317  # appelée par trap
nettoyer() {
    # Un second Ctrl-C ne doit pas laisser de serveur derrière lui.
    trap '' INT TERM HUP
    if [ -f "$dossier/donnees/postmaster.pid" ]; then
        comme_postgres "$binaires/pg_ctl" stop -D "$dossier/donnees" -m immediate -s || true
    fi
    rm -rf "$dossier"
}
trap nettoyer EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Un mot de passe tiré au hasard : sans lui, tout compte de la machine serait administrateur de ce serveur.
mot_de_passe=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && echo "$mot_de_passe" >"$dossier/mot_de_passe")
[ "$(id -u)" -ne 0 ] || chown -R postgres "$dossier"

if ! comme_postgres "$binaires/initdb" -D "$dossier/donnees" -U essais --pwfile="$dossier/mot_de_passe" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dossier/journal" 2>&1; then
    echo "PostgreSQL n'a pas pu créer sa base jetable :" >&2
    cat "$dossier/journal" >&2
    exit 1
fi

# autovacuum verrait vides les tables d'un essai, dont la transaction n'est jamais validée : le planificateur, trompé,
# lirait chaque table autant de fois que l'autre a de lignes. D'où « autovacuum=off ».
#
# Le port est tiré au sort plutôt que cherché : s'il est pris, le serveur refuse et on en tire un autre.
demarre=
for _ in 1 2 3 4 5; do
    port=$((RANDOM % 20000 + 20000))
    if comme_postgres "$binaires/pg_ctl" start -w -s -t 30 -D "$dossier/donnees" -l "$dossier/donnees/journal" -o \
        "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off" \
        >>"$dossier/journal" 2>&1; then
        demarre=oui
        break
    fi
done
if [ -z "$demarre" ]; then
    echo "PostgreSQL n'a pas pu démarrer :" >&2
    cat "$dossier/journal" "$dossier/donnees/journal" >&2 || true
    exit 1
fi

export DATABASE_URL="postgres://essais:$mot_de_passe@127.0.0.1:$port/postgres"
code=0
"$@" || code=$?
exit "$code"
