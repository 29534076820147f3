"""Numbers that identify a person, a firm or a telephone. Pure: each module has `clean(text)` and one canonical form."""
