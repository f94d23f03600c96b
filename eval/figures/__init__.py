"""Figures for papers, each a file of PNG, PDF or SVG: one module a kind."""
