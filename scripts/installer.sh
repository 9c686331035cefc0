#!/bin/sh
# Crée .venv au besoin, puis y met exactement les versions de uv.lock.
set -eu
cd "$(dirname "$0")/.."

# Un environnement déplacé, ou dont le Python a disparu, est refait.
if ! .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$(scripts/choisir_python.sh)
    echo "Environnement .venv, avec $("$python" --version)…"
    "$python" -m venv --clear .venv
fi

if ! .venv/bin/python -m uv --version >/dev/null 2>&1; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
fi
# Ni un autre environnement actif, ni un Python téléchargé, ne doivent se substituer à .venv.
unset VIRTUAL_ENV
UV_PROJECT_ENVIRONMENT=.venv .venv/bin/python -m uv sync --locked --no-python-downloads --python .venv/bin/python
