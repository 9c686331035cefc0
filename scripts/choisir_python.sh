#!/bin/sh
# Écrit le premier Python >= 3.11 qui sait créer un environnement, ou dit en français ce qui manque.
# PYTHON=… impose un interpréteur.
set -eu

assez_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
sait_creer_un_environnement() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- python3 python3.14 python3.13 python3.12 python3.11 python
fi

incomplet=
for candidat in "$@"; do
    assez_recent "$candidat" || continue
    if sait_creer_un_environnement "$candidat"; then
        command -v "$candidat"
        exit 0
    fi
    incomplet=${incomplet:-$candidat}
done

if [ -n "$incomplet" ]; then
    version=$("$incomplet" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "Il manque à $incomplet ($version) de quoi créer un environnement (modules venv et ensurepip)." >&2
    echo "Sur Debian ou Ubuntu : apt install python3-venv (ou python$version-venv)." >&2
elif [ -n "${PYTHON:-}" ]; then
    echo "« $PYTHON » est introuvable ou antérieur à Python 3.11." >&2
else
    echo "Python 3.11 ou plus récent est introuvable." >&2
    echo "Sur Debian 12 ou Ubuntu 24.04 : apt install python3 python3-venv." >&2
    echo "S'il est ailleurs : make installer PYTHON=/chemin/vers/python3.12" >&2
fi
exit 1
