"""The desk (`/desk/`): divisions answer, 办公室 watches, 局领导 oversees, counties read."""
