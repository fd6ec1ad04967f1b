"""Comparisons as one HTML file that needs no network."""

from netdesc.report.writer import render, require_plotly, write, write_csv

__all__ = ["render", "require_plotly", "write", "write_csv"]
