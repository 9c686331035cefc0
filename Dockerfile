# Non construit en intégration continue : ni Docker ni réseau n'y sont. Relu par hadolint, et par tests/test_deploiement.py.
# L'image sert le site, l'ouvrier et les commandes ; compose.yaml les assemble. Marche à suivre : docs/exploitation.md.

FROM python:3.11-slim-bookworm AS construction
WORKDIR /srv/commande-responsable
ENV UV_PROJECT_ENVIRONMENT=/srv/commande-responsable/.venv UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1
COPY pyproject.toml uv.lock ./
# La version d'uv est celle qui a écrit le verrou ; les paquets, exactement ceux du verrou, sans les outils d'essai.
RUN pip install --no-cache-dir uv==0.13.9 \
    && uv sync --locked --no-dev --no-python-downloads --python /usr/local/bin/python3
COPY . .
# Les fichiers statiques ne dépendent d'aucun réglage : la clé ne sert qu'à démarrer Django, et ne reste pas.
RUN SECRET_KEY="$(.venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    .venv/bin/python manage.py collectstatic --noinput

FROM python:3.11-slim-bookworm
# Pango et HarfBuzz : les PDF. postgresql-client : sauvegarder et restaurer une base PostgreSQL.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --home-dir /srv/commande-responsable commande-responsable
WORKDIR /srv/commande-responsable
# Le code appartient à root : le site n'écrit que dans donnees/.
COPY --from=construction /srv/commande-responsable ./
RUN install -d -o commande-responsable -g commande-responsable -m 750 donnees
ENV PATH=/srv/commande-responsable/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# Le même numéro que plus haut : ce qui lit les volumes le connaît sans lire /etc/passwd.
USER 10001
VOLUME ["/srv/commande-responsable/donnees"]
EXPOSE 8000
# Demandé en clair, de l'intérieur : ALLOWED_HOSTS contient 127.0.0.1.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/sante/vivant/', timeout=4)"]
# gunicorn et l'ouvrier finissent ce qu'ils font à SIGTERM.
STOPSIGNAL SIGTERM
ENTRYPOINT ["sh", "deploiement/entree.sh"]
CMD ["python", "-m", "gunicorn", "--config", "commande_responsable/gunicorn.conf.py", "--bind", "0.0.0.0:8000"]
