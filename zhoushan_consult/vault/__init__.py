"""Sealed columns: personal data that the database, a backup, a log or a page never holds in clear."""
