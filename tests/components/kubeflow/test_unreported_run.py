"""Rejected records of a run that ended without a report."""

from components.kubeflow import unreported_run


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_rejected_records_of_every_table_replace_those_of_an_earlier_run(tmp_path):
    run, root = tmp_path / "run", tmp_path / "root"
    for table in ("interactions", "interactions.1"):
        write(run / "InteractionsGen" / "17" / "rejected" / table / "part.jsonl", "new")
    for table in ("interactions", "interactions.2", "items", "items.1"):
        write(root / "rejected" / table / "part.jsonl", "old")
    unreported_run.publish(str(run), str(root))
    result = {path.parent.name: path.read_text() for path in root.rglob("*.jsonl")}
    assert result == {
        "interactions": "new",
        "interactions.1": "new",
        "items": "old",
        "items.1": "old",
    }
