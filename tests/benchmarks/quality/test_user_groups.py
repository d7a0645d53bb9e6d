"""Quality by group of users is read from the summary and averaged over seeds."""

from benchmarks.quality import user_groups


def _summary(new, above):
    differences = {"new users": {"against": {"recent": {"ndcg@10": {"value": above}}}}}
    slices = {"history": {"new users": {"ndcg@10": {"value": new}}}}
    return {"ranking": {"slices": slices, "slice_differences": {"history": differences}}}


def test_groups_of_two_seeds():
    seeds = [user_groups.read_groups(_summary(*of)) for of in ((0.25, -0.5), (0.75, 0.5))]
    (group,) = user_groups.summarise(seeds).values()
    assert group["ndcg@10"]["mean"] == 0.5
    assert group["above_popularity"]["min"] == -0.5
    assert group["above_popularity"]["max"] == 0.5


def test_a_run_without_groups():
    summary = {"ranking": {"slices": {}, "slice_differences": {}}}
    assert user_groups.summarise([user_groups.read_groups(summary)]) == {}
