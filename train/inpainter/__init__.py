"""How the bundled inpainter is trained."""
