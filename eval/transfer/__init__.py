"""Runs trained on one data set and tested on others."""
