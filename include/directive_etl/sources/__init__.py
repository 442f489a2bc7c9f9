"""One folder for each source; they never import each other."""
