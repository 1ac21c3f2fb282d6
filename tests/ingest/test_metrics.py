"""What a scraper reads at `/ingest/metrics`, and that counting for it costs the door little."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.ingest.world import Ingest
from tracker.ingest.application import IngestApplication
from tracker.ingest.door_metrics import metrics_page
from tracker.ingest.replies import Reply
from tracker.ingest.request import RequestHead
from tracker.ingest.shared_metrics import PREFIX, shared_metrics
from tracker.intake.buffered_metrics import BulkHistogram, HistogramBuffer
from tracker.intake.intake_metrics import IntakeMetrics

BOUNDS = (0.001, 0.01, 1.0)


def scraped(ingest: Ingest) -> dict[tuple[str, str], float]:
    """Return each sample of the page by its name and its one label, if it has one."""
    text = ingest.ask("GET", "/ingest/metrics").body.decode()
    return {
        (sample.name.removeprefix("tracker_ingest_"), next(iter(sample.labels.values()), "")): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_report_is_counted_by_its_answer_and_its_outcome(ingest, sender):
    before = scraped(ingest)

    ingest.post(sender.path, sender.says())
    ingest.post(sender.path, sender.says())
    ingest.post(sender.path, {"device": ""})

    after = scraped(ingest)
    grown = {key: after[key] - before.get(key, 0) for key in after}
    assert grown["requests_total", ""] == 3
    assert grown["answers_total", "200"] == 2
    assert grown["answers_total", "422"] == 1
    assert grown["outcomes_total", "stored"] == 1
    assert grown["outcomes_total", "duplicate"] == 1
    assert grown["answer_seconds_count", ""] == grown["answer_seconds_bucket", "+Inf"] == 3
    assert grown["commit_seconds_count", ""] == grown["batches_total", ""]


@pytest.mark.field("H-10")
@pytest.mark.parametrize("path", ["/metrics", "/ingest/metrics"])
@pytest.mark.parametrize(
    ("peer", "headers"), [("192.0.2.7", {}), ("127.0.0.1", {"x-forwarded-for": "192.0.2.7"})]
)
def test_whoever_is_not_on_this_machine_finds_no_metrics(path, peer, headers):
    head = RequestHead("GET", path, "", headers, peer)

    answer = IngestApplication().admit(head)

    assert isinstance(answer, Reply)
    assert (answer.status, answer.body) == (404, b"")


def metrics_status(**headers: str) -> int:
    answer = IngestApplication().admit(RequestHead("GET", "/metrics", "", headers, "127.0.0.1"))
    assert isinstance(answer, Reply)
    return answer.status


@pytest.mark.field("H-10")
@pytest.mark.parametrize("name", ["INGEST_URL", "IS_HTTPS"])
def test_a_proxy_that_does_not_name_itself_finds_no_metrics(settings, name):
    setattr(settings, name, "https://track.example" if name == "INGEST_URL" else True)

    assert metrics_status() == 404


@pytest.mark.field("H-10")
@pytest.mark.parametrize("url", ["https://track.example", "http://127.0.0.1:8001"])
def test_with_a_token_only_the_token_counts(settings, url):
    settings.INGEST_URL, settings.METRICS_TOKEN = url, "a secret of scrapers"

    assert metrics_status() == 404
    assert metrics_status(authorization="Bearer another") == 404
    assert metrics_status(authorization="Bearer a secret of scrapers") == 200


@given(st.lists(st.sampled_from([0.0, *BOUNDS, 0.0005, 0.5, 7.0])))
def test_a_histogram_buffer_is_worth_its_observations_one_by_one(values):
    pages = []
    for kind in (Histogram, BulkHistogram):
        registry = CollectorRegistry()
        histogram, buffer = (
            kind("h", "h", buckets=BOUNDS, registry=registry),
            HistogramBuffer(BOUNDS),
        )
        for value in values:
            buffer.observe(value)
            if kind is Histogram:
                histogram.observe(value)
        if isinstance(histogram, BulkHistogram):
            histogram.add(buffer.counts, buffer.total)
        pages.append(generate_latest(registry))

    assert pages[0] == pages[1]


def test_nothing_is_counted_twice():
    metrics = IntakeMetrics()
    metrics.batches += 2
    before = _batches(metrics)

    assert _batches(metrics) == before
    metrics.batches += 1
    assert _batches(metrics) == before + 1


def _batches(metrics: IntakeMetrics) -> float:
    metrics.flush()
    name = "tracker_ingest_batches_total "
    (line,) = (line for line in metrics_page().decode().splitlines() if line.startswith(name))
    return float(line.removeprefix(name))


def test_folders_of_processes_that_died_are_removed_and_those_of_others_left(tmp_path, monkeypatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    abandoned = tmp_path / f"{PREFIX}abandoned"
    abandoned.mkdir()
    (abandoned / "counter_1.db").touch()

    with shared_metrics(tmp_path) as of_one, shared_metrics(tmp_path) as of_another:
        assert {of_one, of_another} == set(tmp_path.iterdir())
        assert Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]) == of_another

    assert not list(tmp_path.iterdir())
