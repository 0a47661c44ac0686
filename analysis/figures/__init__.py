"""Figures of a report, each with its numbers as a table and a sentence that says what it shows.

A figure is a module with a `Chart` (`base.py`); `catalogue.py` names them all; `style.py` and `colours.py` are what
they share; `drawing.py` makes files of them and is the only one that loads matplotlib.
"""
