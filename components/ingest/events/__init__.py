"""Events of whole users: their order, rules, splits and timelines."""
