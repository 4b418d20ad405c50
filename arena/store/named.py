"""Stored answers that tell who wrote them, or whose prompt asks for that (`arena.self_naming`)."""

from arena.battle import AnswerId
from arena.self_naming import NamedAnswer, Names, named_among
from arena.store.catalogue import Catalogue
from arena.store.database import Database
from arena.table import append


class Named:
    """Which answers are named is worked out anew whenever models, prompts or answers come in, and when an arena opens.

    An answer that was named when another took its place stays so: there may be a ballot with it that is still open.
    """

    def __init__(self, database: Database, catalogue: Catalogue):
        self._database = database
        self._catalogue = catalogue
        self._known: frozenset[AnswerId] | None = None
        database.on_forgetting(self.forget)

    def renew(self) -> list[NamedAnswer]:
        """Look at all answers in force, and note those that are named. Returns them."""
        names = Names.of(self._catalogue.models().values())
        prompts = self._catalogue.prompts()
        asking = [prompt.id for prompt in prompts.values() if names.asks_identity(prompt.messages)]
        named: list[NamedAnswer] = []
        with self._database.write() as cursor:
            # Most answers hold no name at all, which the database sees faster than anything that looks closer.
            cursor.execute(
                """select answer_id, prompt_id, model_id, text from answers where replaced_at is null
                and (regexp_matches(text, $hint) or list_contains($asking, prompt_id)) order by prompt_id, model_id""",
                {"hint": names.hint, "asking": asking},
            )
            while rows := cursor.fetchmany(10_000):
                named += named_among(names, prompts, rows)
            cursor.execute(
                "delete from named_answers where answer_id in (select answer_id from answers where replaced_at is null)"
            )
            append(cursor, "named_answers", [(each.answer_id, each.told) for each in named])
            self._database.once_stored(self.forget)
        return named

    def current(self) -> list[NamedAnswer]:
        """The answers in force that were named when this was last worked out."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select answer_id, prompt_id, model_id, told from named_answers join answers using (answer_id)
                where replaced_at is null order by prompt_id, model_id"""
            ).fetchall()
        return [NamedAnswer(*row) for row in rows]

    def ids(self) -> frozenset[AnswerId]:
        """The ids of all answers that are named. Asked for each vote, so known by heart."""
        known = self._known
        if known is None:
            with self._database.write() as cursor:  # nothing can be written between the reading and the keeping
                rows = cursor.execute("select answer_id from named_answers").fetchall()
                known = self._known = frozenset(answer for (answer,) in rows)
        return known

    def forget(self) -> None:
        """Have the ids read anew."""
        self._known = None
