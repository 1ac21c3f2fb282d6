"""What a refusal says."""

from __future__ import annotations

from core.errors import MethodNotAllowed


def test_a_refused_method_names_the_methods_to_use():
    refusal = MethodNotAllowed(("GET", "PUT"))

    assert refusal.methods == ("GET", "PUT")
    assert refusal.detail == "use GET or PUT"
