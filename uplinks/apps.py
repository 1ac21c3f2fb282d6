from django.apps import AppConfig


class UplinksConfig(AppConfig):
    name = "uplinks"
