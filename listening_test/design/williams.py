"""Williams squares: orders that balance places and neighbours."""

from __future__ import annotations


def williams_square(size: int) -> list[list[int]]:
    """Orders (rows) of the numbers 0 … `size` - 1, in which every number stands in every place equally often and
    follows every other number equally often: once where `size` is even, twice where it is odd.

    Even sizes give `size` rows, odd ones twice as many, the second half being the first one backwards. `size` ≥ 1.
    Williams, E. J. (1949), "Experimental designs balanced for the estimation of residual effects of treatments",
    Australian Journal of Scientific Research A 2(2), 149-168: the zigzag 0, 1, n-1, 2, n-2, … and its cyclic shifts.
    """
    zigzag = [(place + 1) // 2 if place % 2 else -place // 2 % size for place in range(size)]
    rows = [[(number + shift) % size for number in zigzag] for shift in range(size)]
    return rows if size % 2 == 0 else rows + [row[::-1] for row in rows]
