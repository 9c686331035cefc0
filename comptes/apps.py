from django.apps import AppConfig


class ComptesConfig(AppConfig):
    name = "comptes"
    verbose_name = "Comptes et services"

    def ready(self) -> None:
        from comptes import signals  # noqa: F401
