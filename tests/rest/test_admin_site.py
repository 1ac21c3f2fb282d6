"""The admin as one site: what staff find on its first page and in its sidebar."""

import re

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group

from tracker.admin_site import SECTIONS, TrackerAdminSite

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client, admin):
    """Return a browser in which an admin of the provider is logged in."""
    client.force_login(admin)
    return client


@pytest.fixture
def index(office):
    return office.get("/admin/").content.decode()


def captions(page):
    return [text.strip() for text in re.findall(r'class="section"[^>]*>([^<]+)<', page)]


def test_the_wiring_names_the_site():
    assert isinstance(site, TrackerAdminSite)


@pytest.mark.field("H-16")
def test_names_are_kept_apart_from_their_neighbours_by_a_stylesheet(index):
    assert 'href="/static/console/names.css"' in index


def test_the_index_has_the_sections_of_the_sidebar(index):
    assert captions(index) == list(SECTIONS)
    assert "Judging again" in index
    assert "Rejudgings" not in index
    assert "Set asides" not in index


def test_every_list_can_be_reached_from_the_index():
    registered = {model._meta.label_lower for model in site._registry}

    assert {page.model for pages in SECTIONS.values() for page in pages} == registered


def test_groups_grant_nothing_and_are_not_shown(office):
    assert not site.is_registered(Group)
    assert office.get("/admin/auth/group/").status_code == 404


def test_the_page_of_an_app_shows_its_own_lists_only(office):
    assert captions(office.get("/admin/uplinks/").content.decode()) == ["Uplinks"]
