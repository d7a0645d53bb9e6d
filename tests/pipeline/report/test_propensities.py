from pipeline.report.propensities import describe_propensities
from schema.evaluation_summary import PropensitySummary


def test_the_weights_in_a_sentence():
    found = PropensitySummary(
        impressions=1234, clip=10.0, relevant=2000, clipped=12, never_shown=3, effective_users=89.94
    )
    assert describe_propensities(found) == (
        "Relevant items weighted by inverse propensity, from 1,234 impressions before test, at "
        "most 10 times the median item's weight: 12 of 2,000 have the greatest weight, 3 were "
        "never shown. Effective number of users: 89.9."
    )
