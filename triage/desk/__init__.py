"""The desk (`/desk/`): where divisions answer, 办公室 watches, 局领导 oversees and counties read (六（四）（六）、七（二）)."""
