"""Williams squares: orders that balance places and neighbours."""

from __future__ import annotations


def williams_row(size: int, shift: int, *, backwards: bool = False) -> list[int]:
    """One order of the numbers 0 … `size` - 1 (`size` ≥ 1): the zigzag 0, 1, n-1, 2, n-2, … moved on by `shift`.

    Over all `size` shifts every number stands in every place once. Where `size` is even, every number also follows
    every other one once; where it is odd, twice over all shifts forwards and backwards. `shift`: any integer.
    Williams, E. J. (1949), "Experimental designs balanced for the estimation of residual effects of treatments",
    Australian Journal of Scientific Research A 2(2), 149-168.
    """
    zigzag = ((place + 1) // 2 if place % 2 else -(place // 2) for place in range(size))
    row = [(number + shift) % size for number in zigzag]
    return row[::-1] if backwards else row


def williams_square(size: int) -> list[list[int]]:
    """The fewest rows that balance places and neighbours: `size` where it is even, twice as many where it is odd."""
    rows = [williams_row(size, shift) for shift in range(size)]
    return rows if size % 2 == 0 else rows + [williams_row(size, shift, backwards=True) for shift in range(size)]
