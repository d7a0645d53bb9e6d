"""How artifacts are typed, read, written and copied; no component is here."""
