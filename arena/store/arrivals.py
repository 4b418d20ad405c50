"""When prompts came into the log, alone or with a conversation; which of them are gold; what they say."""

from collections.abc import Iterator

from arena.battle import Message, PromptId
from arena.dataset.split import Arrival
from arena.store.database import Database
from arena.store.row import to_messages

_ROWS_AT_ONCE = 2_000

# Every vote counts here, also one that was withdrawn since: so nothing that is decided later moves a prompt.
_ARRIVALS = """
    select min(seq), prompt_id, conversation, bool_and(turn > 1 and not has_history)
    from (select seq, prompt_id, turn, list_contains(list_transform(messages, lambda m: m.role), 'assistant')
                as has_history,
            if(max(turn) over (partition by conversation_id) > 1, conversation_id, null) as conversation
        from votes join battles using (battle_id) join prompts using (prompt_id) where seq <= ?)
    group by prompt_id, conversation order by all"""


class Arrivals:
    """Reads only, and only the log up to an act."""

    def __init__(self, database: Database):
        self._database = database

    def up_to(self, n_log: int) -> list[Arrival]:
        """The first vote on each prompt, and on each with each conversation of several turns that it is in."""
        with self._database.read() as cursor:
            rows = cursor.execute(_ARRIVALS, [n_log]).fetchall()
        return [
            Arrival(seq, PromptId(prompt_id), link, is_follow_up=link is not None and is_follow_up)
            for seq, prompt_id, link, is_follow_up in rows
        ]

    def gold(self, n_log: int) -> set[PromptId]:
        """The prompts of battles that are marked as gold."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select distinct prompt_id from votes join battles using (battle_id) "
                "where item_kind = 'gold' and prompt_id is not null and seq <= ?",
                [n_log],
            ).fetchall()
        return {prompt_id for (prompt_id,) in rows}

    def messages(self) -> Iterator[tuple[PromptId, tuple[Message, ...]]]:
        """All prompts with what they say."""
        with self._database.read() as cursor:
            cursor.execute("select prompt_id, messages from prompts order by prompt_id")
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                for prompt_id, messages in rows:
                    yield prompt_id, to_messages(messages)
