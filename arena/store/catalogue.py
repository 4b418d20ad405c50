"""What is compared: models, prompts, answers, and the rules and guideline under which people judge them."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import duckdb

from arena.battle import Answer, AnswerId, Model, ModelId, Prompt, PromptId
from arena.errors import BadInput
from arena.guideline import Guideline
from arena.pack import prompt_digest
from arena.pairing import Candidate, text_key
from arena.rules import Rules, parse_rules
from arena.store.consents import keep_terms
from arena.store.database import Database
from arena.store.row import first, from_messages, scalar, to_json, to_messages
from arena.table import append

# The same messages may be stored as several prompts, of a pack and of an import: each with its twins, and with itself.
SAME_QUESTION = "(select p.prompt_id, q.prompt_id as twin from prompts p join prompts q using (digest))"


class Catalogue:
    """Models, prompts and answers only ever come in; what a stored vote was cast on never changes."""

    def __init__(self, database: Database):
        self._database = database

    def add_models(self, models: Iterable[Model], now: datetime) -> int:
        """Add models, and update the facts of those that are there. Returns how many are new."""
        rows = [
            (m.id, m.name, m.organization, m.license, m.open_weights, m.url, list(m.aliases), now, m.retired_at)
            for m in models
        ]
        return self._add(
            "models",
            rows,
            """insert into models select * from incoming on conflict (model_id) do update set name = excluded.name,
            organization = excluded.organization, license = excluded.license, open_weights = excluded.open_weights,
            url = excluded.url, aliases = excluded.aliases, retired_at = excluded.retired_at""",
        )

    def add_prompts(self, prompts: Iterable[Prompt], now: datetime) -> int:
        """Add prompts. Returns how many are new. None is noted as older than one that was there before, whatever the
        clock says.

        Raises BadInput for an id that is there with other messages: its answers were given to those.
        """
        prompts = list(prompts)
        known = self.prompts()
        for prompt in prompts:
            stored = known.get(prompt.id)
            if stored is not None and stored.messages != prompt.messages:
                raise BadInput(
                    f"prompt {prompt.id!r} is in the database with other messages, and answers were given to those. "
                    "Give the changed prompt a new id"
                )
        rows = [
            (
                p.id,
                prompt_digest(p.messages),
                from_messages(p.messages),
                p.category,
                p.language,
                p.source,
                p.license,
                now,
            )
            for p in prompts
        ]
        return self._add(
            "prompts",
            rows,
            """insert into prompts
            select * replace (greatest(added_at, (
                select max(added_at) + interval 1 microsecond from prompts)) as added_at)
            from incoming on conflict (prompt_id) do update set
            category = excluded.category, language = excluded.language, source = excluded.source,
            license = excluded.license""",
        )

    def add_answers(self, answers: Iterable[Answer], now: datetime, *, replace: bool = True) -> int:
        """Add answers. Returns how many are new.

        A model's new text for a prompt takes the place of its earlier one; without `replace`, the earlier one stays in
        force. What is not in force is kept for its votes and not served.
        """
        answers = list(answers)
        last = {(answer.prompt_id, answer.model_id): answer.id for answer in answers}
        if not replace:
            last = {key: answer for key, answer in last.items() if key not in self.current_answers()}
        rows = [
            (
                *(a.id, a.prompt_id, a.model_id, a.text, a.revision, to_json(a.params), a.tokens, a.latency_ms),
                *(a.finish_reason, now, None if last.get((a.prompt_id, a.model_id)) == a.id else now),
            )
            for a in {answer.id: answer for answer in answers}.values()
        ]
        return self._add(
            "answers",
            rows,
            """update answers set replaced_at = i.added_at from incoming i
                where i.prompt_id = answers.prompt_id and i.model_id = answers.model_id
                and i.replaced_at is null and i.answer_id <> answers.answer_id and answers.replaced_at is null""",
            # A text that comes back takes its place again.
            """update answers set replaced_at = null
                where answer_id in (select answer_id from incoming where replaced_at is null)""",
            "insert into answers select * from incoming on conflict (answer_id) do nothing",
        )

    def set_rules(self, text: str, guideline: Guideline | None, now: datetime) -> None:
        """Make this arena.toml and this guideline the ones in force; nothing is added if they are already.

        Raises BadInput if the guideline's version is stored with another text, or that of the consent with other terms:
        votes were cast under those.
        """
        consent = parse_rules(text).consent
        digest = hashlib.sha256(text.encode()).hexdigest()
        version = guideline.version if guideline else None
        with self._database.write() as cursor:
            if guideline is not None:
                self._keep_guideline(cursor, guideline, now)
            if consent is not None:
                keep_terms(cursor, consent, now)
            newest = first(cursor, "select digest, guideline_version from rules order by number desc limit 1")
            if newest != (digest, version):
                cursor.execute(
                    "insert into rules select coalesce(max(number), 0) + 1, ?, ?, ?, ? from rules",
                    [digest, text, version, now],
                )

    def rules(self) -> Rules:
        """The rules in force; the defaults for an arena that was filled without a pack."""
        with self._database.read() as cursor:
            row = first(cursor, "select text from rules order by number desc limit 1")
        return Rules() if row is None else parse_rules(row[0])

    def guideline(self) -> Guideline | None:
        """The guideline in force, if any."""
        with self._database.read() as cursor:
            row = first(
                cursor,
                "select version, when_in_doubt, g.text from (select * from rules order by number desc limit 1) r "
                "join guidelines g on g.version = r.guideline_version",
            )
        return None if row is None else Guideline(*row)

    def guidelines(self) -> dict[str, Guideline]:
        """Every guideline that was ever in force, by its version."""
        with self._database.read() as cursor:
            rows = cursor.execute("select version, when_in_doubt, text from guidelines order by version").fetchall()
        return {row[0]: Guideline(*row) for row in rows}

    def models(self) -> dict[ModelId, Model]:
        """All models by id, retired ones included."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select model_id, name, organization, license, open_weights, url, aliases, retired_at from models "
                "order by model_id"
            ).fetchall()
        return {row[0]: Model(*row[:6], aliases=tuple(row[6]), retired_at=row[7]) for row in rows}

    def prompts(self) -> dict[PromptId, Prompt]:
        """All prompts by id."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select prompt_id, messages, category, language, source, license from prompts order by prompt_id"
            ).fetchall()
        return {row[0]: Prompt(row[0], to_messages(row[1]), *row[2:]) for row in rows}

    def texts(self, answers: Iterable[AnswerId]) -> dict[AnswerId, str]:
        """The texts of these answers."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select answer_id, text from answers where answer_id in (select unnest(?::varchar[]))",
                [sorted(set(answers))],
            ).fetchall()
        return dict(rows)

    def current_answers(self) -> dict[tuple[PromptId, ModelId], AnswerId]:
        """The answer in force for each prompt and model."""
        with self._database.read() as cursor:
            rows = cursor.execute("select prompt_id, model_id, answer_id from answers where replaced_at is null")
            return {(prompt, model): answer for prompt, model, answer in rows.fetchall()}

    def candidates(
        self, now: datetime, *, named: Callable[[str, ModelId], str | None] = lambda text, _: text
    ) -> list[Candidate]:
        """The answers that may be served: in force, not blank, by models that are not retired.

        `named` says what is served in place of an answer that tells its author: its text, another one, or None.
        """
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select prompt_id, model_id, answer_id, text, told is not null from answers
                join models using (model_id) join prompts using (prompt_id) left join named_answers using (answer_id)
                where replaced_at is null and (retired_at is null or retired_at > ?) order by prompt_id, model_id""",
                [now],
            ).fetchall()
        keyed = (
            Candidate(prompt, model, answer, text_key((named(text, model) if is_named else text) or ""))
            for prompt, model, answer, text, is_named in rows
        )
        return [candidate for candidate in keyed if candidate.text_key]

    def is_empty(self) -> bool:
        """Whether no model and no prompt has been put into this database."""
        with self._database.read() as cursor:
            return scalar(cursor, "select (select count(*) from models) + (select count(*) from prompts)") == 0

    def _keep_guideline(self, cursor: duckdb.DuckDBPyConnection, guideline: Guideline, now: datetime) -> None:
        row = first(cursor, "select when_in_doubt, text from guidelines where version = ?", [guideline.version])
        if row is None:
            cursor.execute(
                "insert into guidelines values (?, ?, ?, ?)",
                [guideline.version, guideline.when_in_doubt, guideline.text, now],
            )
        elif row != (guideline.when_in_doubt, guideline.text):
            raise BadInput(
                f"guideline version {guideline.version!r} is in the database with another text. Give the changed "
                "guideline a new version"
            )

    def _add(self, table: str, rows: Sequence[Sequence[Any]], *statements: str) -> int:
        """Bring rows in through a table of the same shape; returns by how many rows `table` has grown."""
        with self._database.write() as cursor:
            before = scalar(cursor, f"select count(*) from {table}")
            cursor.execute(f"create temp table incoming as select * from {table} limit 0")
            append(cursor, "incoming", rows)
            for statement in statements:
                cursor.execute(statement)
            cursor.execute("drop table incoming")
            self._database.once_stored(self._database.forget)
            return scalar(cursor, f"select count(*) from {table}") - before
