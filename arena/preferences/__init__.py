"""Votes become preference rows. Pure: what each vote becomes, and the shape of each format, one small file a format.

cast          the votes on one pair of answers, and which of them an export takes
judgement     what they say together: an Example, or the reason why not
conversation  the turns of a conversation
ranking       pairs as ranked lists
formats       what an Example becomes in each format
account       every vote, kept or left out
"""
