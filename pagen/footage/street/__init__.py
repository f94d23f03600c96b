"""The procedural street: footage with labelled events that needs no download."""
