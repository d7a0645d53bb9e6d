from benchmarks import determinism
from benchmarks.determinism import CASES


def training(digest, ndcg, seconds):
    metrics = {"recall@10": 0.5, "ndcg@10": ndcg, "recall@100": 0.75}
    return {"digest": digest, "metrics": metrics, "seconds": seconds, "cpu_seconds": 2 * seconds}


def measured():
    """Measurements in which other CPUs train different vectors without the setting and the same
    ones with it.
    """
    trained = {
        case.name: [training("d", 0.25, 9.0)] if case.deterministic else [training("o", 0.5, 9.0)]
        for case in CASES
    }
    trained["off"] = [training("a", 0.3, seconds) for seconds in (3.0, 90.0, 4.0)]
    trained["on"] = [training("d", 0.25, seconds) for seconds in (5.0, 1.0, 8.0)]
    cases = determinism.summarise(trained)
    return {"avx512": False, "cores": 2, "cases": cases}


def test_a_case_is_compared_bit_by_bit_with_both_settings():
    cases = measured()["cases"]
    same = {name: (case["as_off"], case["as_on"]) for name, case in cases.items()}
    assert same["off"] == (True, False)
    assert same["off, 1 core"] == (False, False)
    assert same["on, 1 core"] == (False, True)


def test_a_case_that_differs_from_training_to_training_is_not_repeatable():
    runs = {"off": [training("a", 0.3, 1.0), training("b", 0.3, 1.0)], "on": [training("d", 0, 1)]}
    cases = determinism.summarise(runs)
    assert not cases["off"]["repeatable"]
    assert cases["on"]["repeatable"]


def test_the_cost_is_the_ratio_of_medians():
    """Medians of 3, 90 and 4 s, and of 5, 1 and 8 s: 5 / 4."""
    *_, cost = determinism.format_table(measured()).splitlines()
    assert cost == (
        "on / off, medians of 3: CPU seconds 1.250, seconds 1.250; "
        "each time the same vectors: off True, on True"
    )


def test_the_table_has_a_line_for_each_case():
    head, titles, first, *others = determinism.format_table(measured()).splitlines()
    assert head == "CPU with AVX-512: False; 2 cores"
    assert titles.split() == [
        "deterministic", *determinism.METRICS, "as", "off", "as", "on", "CPU", "s", "s",
    ]  # fmt: skip
    assert first.split() == [
        "off", "0.500000", "0.300000", "0.750000", "yes", "no", "8.0", "4.0",
    ]  # fmt: skip
    assert len(others) == len(CASES)
