"""What the metrics weighted by inverse exposure propensity are based on, for both reports."""

from schema.evaluation_summary import PropensitySummary

SNIPS_METRICS = ("snips_ndcg@10", "snips_recall@10", "snips_recall@100")


def describe_propensities(found: PropensitySummary) -> str:
    """The impressions, the greatest weight, and how many users the weights are worth."""
    return (
        f"Relevant items weighted by inverse propensity, from {found.impressions:,} impressions "
        f"before test, at most {found.clip:g} times the median item's weight: {found.clipped:,} of "
        f"{found.relevant:,} have the greatest weight, {found.never_shown:,} were never shown. "
        f"Effective number of users: {found.effective_users:,.1f}."
    )
