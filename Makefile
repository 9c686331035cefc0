# « make » seul affiche l'aide. Il suffit d'un Python >= 3.11 et de make : le reste s'installe dans .venv.

PY := .venv/bin/python
INSTALLE := .venv/.installe
# Options de plus, pour pytest (make test ARGS="-k journal") ou les captures (make captures ARGS=complet).
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help installer demo demo-complet test test-rapide epreuves qualite format vendor captures sbom

help: ## Affiche cette aide
	@echo "Commandes du projet :"
	@sed -n 's/^\([a-z-]*\):.*## /make \1|/p' Makefile | while IFS='|' read -r nom aide; do printf '  %-18s %s\n' "$$nom" "$$aide"; done
	@echo
	@echo "Variables : PORT=8001 et DEMO_MOT_DE_PASSE=… (demo, demo-complet), ARGS=\"-k journal\" (test), PYTHON=python3.12 (installer)."

installer: $(INSTALLE) ## Prépare l'environnement .venv aux versions de uv.lock
	@:

$(INSTALLE): uv.lock pyproject.toml
	@PYTHON="$(PYTHON)" scripts/installer.sh
	@touch $@

demo: ## Lance la démonstration sur http://127.0.0.1:8000/ (Ctrl-C pour arrêter)
	@scripts/demo.sh

demo-complet: ## Lance une démonstration aux données inventées : soixante actions sur cinq ans
	@scripts/demo.sh complet

test: $(INSTALLE) ## Tous les essais : SQLite, PostgreSQL jetable, Chromium
	@$(PY) scripts/essais.py $(ARGS)

test-rapide: $(INSTALLE) ## Les essais sans navigateur, sur SQLite seulement
	@$(PY) scripts/essais.py --rapide $(ARGS)

# Ce que la machine interdit (monter un petit disque) s'affiche ; docs/epreuves.md garde les derniers chiffres.
EPREUVES := $(PY) -m pytest -q -s -n0
TOMBER := EPREUVE_ENVOIS=2000 EPREUVE_MORTS=20 EPREUVE_REDEMARRAGES=10
CHARGER := EPREUVE_DEMONSTRATION=preparer_demo_complet EPREUVE_ACTIONS=300 EPREUVE_UTILISATEURS=50 EPREUVE_DUREE=600

epreuves: $(INSTALLE) ## Les épreuves de longue durée : la machine tombe, 200 000 contrats, 50 personnes à la fois
	@EPREUVE_CONTRATS=200000 $(EPREUVES) tests/test_import_interrompu.py -k sans_attendre $(ARGS)
	@$(TOMBER) $(EPREUVES) tests/epreuves/test_kill_9.py tests/epreuves/test_pannes.py $(ARGS)
	@$(TOMBER) scripts/postgres_ephemere.sh $(EPREUVES) tests/epreuves/test_kill_9.py tests/epreuves/test_pannes.py $(ARGS)
	@$(CHARGER) scripts/postgres_ephemere.sh $(EPREUVES) tests/epreuves/test_charge.py $(ARGS)

qualite: $(INSTALLE) ## Format, style, gabarits, types, migrations, réglages de production
	@$(PY) scripts/qualite.py

format: $(INSTALLE) ## Remet en forme le Python et les gabarits
	@$(PY) scripts/qualite.py --corriger

vendor: $(INSTALLE) ## Reprend les bibliothèques du navigateur servies avec le site
	@$(PY) scripts/vendor.py

captures: $(INSTALLE) ## Une image de chaque page dans captures/, celles du README dans docs/captures/
	@PYTHONPATH=. $(PY) scripts/captures.py $(ARGS)

sbom: $(INSTALLE) ## L'inventaire des composants livrés (CycloneDX), dans sbom.cdx.json
	@$(PY) scripts/sbom.py
