"""Papers as PDF: every character that was typed is drawn, in a face that is embedded, or shown as a box that a note explains."""
