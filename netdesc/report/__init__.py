"""Comparisons as one HTML file that needs no network."""

from netdesc.report.writer import render, write, write_csv

__all__ = ["render", "write", "write_csv"]
