"""Whether votes can be believed: pure checks of votes that are in memory, one small file a question."""
