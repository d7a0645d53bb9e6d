"""A verdict as Markdown for the page of a run."""

from components.kubeflow.verdict_markdown import format_verdict

PUSHED = {
    "outcome": "succeeded",
    "failed_task": None,
    "error": "",
    "blessed": True,
    "failures": [],
    "pushed": 12,
}


def test_a_run_that_pushed():
    assert format_verdict(PUSHED) == "# succeeded\n\nVersion 12 is pushed.\n"


def test_the_reasons_of_a_refusal_are_a_list():
    refused = {
        "outcome": "refused",
        "failed_task": "PushGate",
        "error": "expected blessed models\n  ndcg@10: too low",
        "blessed": False,
        "failures": ["ndcg@10: too low", "final lists: worse than item_neighbours"],
        "pushed": None,
    }
    assert format_verdict(refused).splitlines() == [
        "# refused",
        "",
        "Nothing is pushed.",
        "",
        "PushGate:",
        "",
        "> expected blessed models  ",
        ">   ndcg@10: too low  ",
        "",
        "Failures of the evaluation:",
        "",
        "- ndcg@10: too low",
        "- final lists: worse than item\\_neighbours",
    ]


def test_models_that_were_blessed_before_the_run_failed():
    failed = PUSHED | {"outcome": "failed", "failed_task": "InfraCheck", "error": "no answer"}
    result = format_verdict(failed | {"pushed": None})
    assert "The models are blessed; nothing is pushed." in result
    assert "> no answer" in result


def test_text_from_errors_is_escaped():
    failed = PUSHED | {"outcome": "refused", "failed_task": "ItemsGen", "error": "a <b> [c](d)"}
    assert "> a \\<b\\> \\[c\\](d)" in format_verdict(failed)
