"""Numbers that name a person, a firm or a telephone: pure values, one `clean(text)` each, one canonical writing each."""
