"""What makes a dataset of examples: splits that stay, personal data taken out, rights, the card, the folder.

Nothing here knows what a vote becomes (`arena.preferences`) or where votes are stored.
"""
