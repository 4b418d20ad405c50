"""What style is counted by (`arena.style`). Names alone, so that the commands know them without what counts."""

FEATURES = ("length", "headers", "lists", "bold", "code_blocks", "emoji")
"""In the order in which `count` gives them."""
