"""Statistics of listening tests on plain arrays: no Django, so that a notebook can import it.

Every function takes equally long one-dimensional arrays, one element per rating: `scores` (numbers on the scale) and
codes of what they belong to (`listeners`, `songs`, `groups`…: whole numbers from 0 on, as `arrays.codes` makes them).
"""
