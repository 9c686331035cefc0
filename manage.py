#!/usr/bin/env python
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commande_responsable.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as erreur:
        raise ImportError("Django est introuvable : lancez d'abord « make installer ».") from erreur
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
