import json

import numpy as np
import pytest
from harness_toy import METRICS, ROUTE, FakeReferences

from edgebench.errors import EdgeBenchError
from edgebench.harness.episodes import EpisodeKey, EpisodeResult
from edgebench.harness.journal import read_episodes, to_frame, to_row
from edgebench.harness.summary import scores, summarise

REFERENCES = {"a": FakeReferences(0.1, 0.6), "b": FakeReferences(0.0, 1.0)}


def row(region, window, seed, utility, status="ok", **metrics):
    floor = dict.fromkeys(METRICS) | {"utility": 0.0, "success": 0.0}
    full = dict.fromkeys(METRICS, 1.0) | {"utility": utility} | metrics
    result = EpisodeResult(EpisodeKey(region, "trap", window, seed), status, "", full if status == "ok" else floor)
    return to_row(result, track="route", edition="sample", split="test", episode=0)


def table():
    return to_frame(
        [
            row("a", 0, 0, 0.1, latency_p50_ms=100.0),
            row("a", 0, 1, 0.6, latency_p50_ms=300.0),
            row("a", 1, 0, 0.0, status="timeout"),
            row("a", 1, 1, 0.35, latency_p50_ms=200.0, success=0.5),
            row("b", 0, 0, 0.2, cost_usd=3.0),
            row("b", 0, 1, 0.4),
        ],
        ROUTE,
    )


def test_figures_by_hand():
    summary = summarise(table(), REFERENCES)
    a, b = summary.regions
    assert (a.region, b.region) == ("a", "b")
    assert a.score.value == pytest.approx((0.0 + 1.0 - 0.2 + 0.5) / 4)
    assert a.means["utility"] == pytest.approx(1.05 / 4) and a.means["success"] == pytest.approx(2.5 / 4)
    assert a.means["latency_p50_ms"] == pytest.approx(200.0)
    assert a.statuses == {"ok": 3, "invalid": 0, "error": 0, "timeout": 1}
    assert (a.random, a.bound) == (0.1, 0.6)
    assert b.score.value == pytest.approx(0.3) and b.means["cost_usd"] == pytest.approx(2.0)
    total = summary.total
    assert total.score.value == pytest.approx((a.score.value + b.score.value) / 2)
    assert (total.worst_region, total.worst_region_score) == ("b", b.score.value)
    assert total.worst_episodes_score == pytest.approx(-0.2)
    assert total.means["utility"] == pytest.approx((1.05 + 0.6) / 6)
    assert total.statuses["ok"] == 5


@pytest.mark.parametrize("seed", range(5))
def test_shuffling_rows_changes_nothing_to_the_last_bit(seed):
    shuffled = table().sample(frac=1.0, random_state=seed)
    assert summarise(shuffled, REFERENCES) == summarise(table(), REFERENCES)


def test_a_table_read_from_a_file_gives_the_same(tmp_path):
    table().to_csv(tmp_path / "episodes.csv", index=False)
    assert summarise(read_episodes(tmp_path / "episodes.csv", ROUTE), REFERENCES) == summarise(table(), REFERENCES)


def test_an_agent_that_always_fails_has_a_score_and_no_latency():
    rows = to_frame([row("a", 0, seed, 0.0, status="error") for seed in range(3)], ROUTE)
    summary = summarise(rows, REFERENCES)
    assert summary.total.means["utility"] == 0.0 and summary.total.means["latency_p99_ms"] is None
    assert summary.total.score.value == pytest.approx(-0.2)


def test_it_is_plain_json():
    summary = summarise(table(), REFERENCES)
    plain = json.loads(json.dumps(summary.as_json(), allow_nan=False))
    assert plain == summary.as_json()
    assert plain["regions"][0]["score"]["value"] == summary.regions[0].score.value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.iloc[:0], "one track, not 0"),
        (lambda rows: rows.assign(split=["test"] * 5 + ["val"]), "one split, not 2"),
        (lambda rows: rows.assign(status=["ok"] * 5 + ["fine"]), "unknown status 'fine'"),
        (lambda rows: rows.assign(utility=[0.1] * 5 + [np.nan]), "not a finite"),
        (lambda rows: rows.assign(success=[0.1] * 5 + [np.nan]), "success is not finite"),
        (lambda rows: rows.assign(cost_usd=[np.nan] * 6), "cost_usd is not finite"),
        (lambda rows: rows.assign(seed=[0] * 6), "each once"),
        (lambda rows: rows.assign(region=["a"] * 4 + ["c"] * 2), "no references"),
    ],
)
def test_a_table_that_cannot_be_summarised_is_refused(change, message):
    with pytest.raises(EdgeBenchError, match=message):
        summarise(change(table()), REFERENCES)


def test_training_runs_must_be_of_the_same_episodes():
    both = scores([table(), table()], REFERENCES)
    assert both.values["a"].shape == (2, 4) and both.episodes["b"] == ((0, 0), (0, 1))
    with pytest.raises(EdgeBenchError, match="same episodes"):
        scores([table(), table().iloc[1:]], REFERENCES)
    with pytest.raises(EdgeBenchError, match="the runs differ"):
        scores([table(), table().assign(scenario="calm")], REFERENCES)
    with pytest.raises(EdgeBenchError, match="or there is none"):
        scores([], REFERENCES)
