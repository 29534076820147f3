"""`make months`: the service played at random for months, by all its people at once, and judged after every step.

`director` decides who does what next, `player` does it through the real addresses, `worker` stands for beat and its workers, and
`invariants`, `letters` and `sentences` say what must never be. A run is a list of `steps` from a seed: `shrink` finds the fewest that
still break the same invariant, and `script` prints them.
"""
