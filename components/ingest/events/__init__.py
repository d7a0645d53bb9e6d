"""Events grouped by user: their order, rules, splits and timelines."""
