"""Sealed columns: personal data that is never in clear text in the database, a backup, a log or a page."""
