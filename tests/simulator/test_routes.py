import random
from itertools import pairwise
from pathlib import Path

import pytest

from simulator.routes import (
    PLACES,
    Line,
    Parked,
    RecordedJourney,
    Shuttle,
    distance_m,
    load_track,
    winding_line,
)

TRACKS = sorted((Path(__file__).parents[2] / "fixtures" / "tracks").glob("*.json"))


def shuttle(*names):
    stops = [PLACES[name] for name in names]
    return Shuttle(stops, cruise_mps=20, stop_s=120, chance=random.Random(1))


def lonlat(motion):
    return (motion.lon_deg, motion.lat_deg)


def test_a_line_gives_its_ends_beyond_its_ends():
    line = Line([(14.0, 46.0), (14.0, 46.1)])

    assert line.at(-5)[0] == (14.0, 46.0)
    assert line.at(line.length_m + 5)[0] == (14.0, 46.1)


def test_a_line_runs_north_when_latitude_grows():
    assert Line([(14.0, 46.0), (14.0, 46.1)]).at(100)[1] == 0


def test_a_made_route_begins_and_ends_at_its_places():
    line = winding_line(PLACES["Koper"], PLACES["Pazin"], random.Random(3))

    assert distance_m(line.at(0)[0], PLACES["Koper"]) < 1
    assert distance_m(line.at(line.length_m)[0], PLACES["Pazin"]) < 1


def test_a_made_route_has_no_sharp_corners():
    line = winding_line(PLACES["Trieste"], PLACES["Postojna"], random.Random(3))
    courses = [line.at(metres)[1] for metres in range(0, int(line.length_m), 100)]

    turns = [abs((after - before + 180) % 360 - 180) for before, after in pairwise(courses)]

    assert max(turns) < 30


def test_a_shuttle_never_jumps():
    journey = shuttle("Poreč", "Rovinj", "Pula")
    seconds = range(0, int(journey.period_s * 2), 10)

    steps = [
        distance_m(lonlat(journey.at(second)), lonlat(journey.at(second + 10)))
        for second in seconds
    ]

    assert max(steps) < 10 * 20 * 1.05


def test_a_shuttle_rests_at_its_far_end():
    journey = shuttle("Poreč", "Rovinj")
    resting = [second for second in range(int(journey.period_s)) if journey.at(second).is_resting]

    places = {
        name
        for second in resting
        for name in ("Poreč", "Rovinj")
        if distance_m(lonlat(journey.at(second)), PLACES[name]) < 30
    }

    assert places == {"Poreč", "Rovinj"}
    assert 230 < len(resting) < 260


def test_speed_says_how_far_a_shuttle_comes():
    journey = shuttle("Poreč", "Rovinj")
    driven = sum(journey.at(second + 0.5).speed_mps for second in range(300))

    straight = distance_m(lonlat(journey.at(0)), lonlat(journey.at(300)))

    assert straight <= driven * 1.01
    assert straight > driven * 0.8


def test_what_is_parked_stays():
    assert Parked((14.0, 46.0)).at(0) == Parked((14.0, 46.0)).at(1e6)


@pytest.mark.parametrize("file", TRACKS, ids=lambda file: file.stem)
def test_a_recorded_track_is_walked_back_the_way_it_came(file):
    track = load_track(file)
    end_s, rest_s = track[-1].after_s, 100
    journey = RecordedJourney(track, rest_s=rest_s)

    back = journey.at(end_s + rest_s + 30)

    assert lonlat(journey.at(0)) == track[0].lonlat_deg
    assert lonlat(journey.at(end_s)) == track[-1].lonlat_deg
    assert lonlat(back) == pytest.approx(lonlat(journey.at(end_s - 30)))


def test_every_recorded_track_names_its_source():
    assert all('"source"' in file.read_text() for file in TRACKS)
    assert len(TRACKS) == 2
