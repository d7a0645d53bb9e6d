"""Parsing of one verb's arguments."""

import argparse
from collections.abc import Sequence
from typing import Any


class VerbParser(argparse.ArgumentParser):
    """An ArgumentParser that takes values which begin with a dash: `--user -KxYz`.

    Ids begin with any character. argparse takes every word that begins with a dash for an option,
    known or not, and so would leave `--user` without a value.
    """

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """As in argparse, after `join_values`."""
        return super().parse_known_args(self.join_values(args or []), namespace)

    def join_values(self, words: Sequence[str]) -> list[str]:
        """`--option`, `-value` -> `--option=-value`, where the option has one value and the value
        is itself no option of the verb.
        """
        joined: list[str] = []
        for word in words:
            if joined and self._needs_value(joined[-1]) and self._is_unknown_option(word):
                joined[-1] = f"{joined[-1]}={word}"
            else:
                joined.append(word)
        return joined

    def _needs_value(self, word: str) -> bool:
        action = self._option_string_actions.get(word)
        return action is not None and action.option_strings != [] and action.nargs is None

    def _is_unknown_option(self, word: str) -> bool:
        name = word.partition("=")[0]
        return word.startswith("-") and word != "-" and name not in self._option_string_actions
