from django.apps import AppConfig


class PositionsConfig(AppConfig):
    name = "positions"
    label = "positions"
    verbose_name = "Memory"
