from django.apps import AppConfig


class PositionsConfig(AppConfig):
    name = "tracker.positions"
    label = "positions"
    verbose_name = "Memory"
