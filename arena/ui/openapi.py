"""The public routes described by OpenAPI, and the same as a page of plain HTML, with nothing from anywhere else."""

from collections.abc import Mapping
from html import escape
from typing import Any

from arena import __version__
from arena.ui.analysis_routes import ANALYSES, REFUSALS

_NUMBER = {"type": ["number", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}

_RATING: Mapping[str, Any] = {
    "model": _TEXT | {"description": "Its id."},
    "name": _TEXT | {"description": "Its name, where that is not the id."},
    "score": _NUMBER | {"description": "In points, 1000 being the mean; null where the votes give no score."},
    "low": _NUMBER | {"description": "Lower end of the interval; null where no honest one can be given."},
    "high": _NUMBER | {"description": "Upper end of the interval."},
    "rank": {"type": ["integer", "null"]},
    "rank_low": {"type": ["integer", "null"], "description": "The best rank that it may have."},
    "rank_high": {"type": ["integer", "null"], "description": "The worst rank that it may have."},
    "n_votes": _COUNT | {"description": "The votes behind it."},
    "provisional": {"type": "boolean", "description": "Whether these are few."},
    "reason": _TEXT | {"description": "Why something is null; there only then."},
    "tier": {"type": ["integer", "null"], "description": "Models of one tier cannot be told apart from its first."},
    "n_voters": {"type": ["integer", "null"], "description": "How many voters (or prompts) its votes come from."},
    "design_effect": _NUMBER | {"description": "How many times larger its variance is than that of single votes."},
    "low_independent": _NUMBER | {"description": "The interval if every vote stood alone."},
    "high_independent": _NUMBER | {"description": "The interval if every vote stood alone."},
    "organization": {"type": ["string", "null"]},
    "license": {"type": ["string", "null"]},
    "open_weights": {"type": ["boolean", "null"]},
    "url": {"type": ["string", "null"]},
    "aliases": {"type": "array", "items": _TEXT},
    "retired_at": {"type": ["string", "null"], "format": "date-time"},
}

_ANSWER: Mapping[str, Any] = {
    "view": {
        "type": "object",
        "description": "What was asked for in one form of several: `query`, as an address has it; `link`, which gives "
        "the same numbers also when newer votes are counted; `is_default`.",
    },
    "leaderboard": {
        "type": "object",
        "description": "The record that `bakeoff rate --json` prints, with the lines that were asked for in `ratings`: "
        "method, confidence, rounds, seed, n_votes (counted), dropped (left out, by reason), settings, coefficients.",
        "properties": {"ratings": {"type": "array", "items": {"type": "object", "properties": dict(_RATING)}}},
    },
    "log": {
        "type": "object",
        "description": "What was looked at: the first `n_log` entries of the log (votes and withdrawals), the last of "
        "which has the hash `log_hash`; and whose votes "
        "counted, the `sources`.",
    },
    "snapshot": {
        "type": "object",
        "description": "The arena's own leaderboard from which the position comes: id, computed_at, app_version.",
    },
    "command": _TEXT | {"description": "The command that computes the same numbers from a copy of the database."},
    "offer": {
        "type": "object",
        "description": "What can be chosen from: values of category, language, source, organization and license, each "
        "with its number of votes or models; the span of time; whether style can be taken out.",
    },
    "arena": {
        "type": "object",
        "description": "How things stand now: n_newer entries of the log that no snapshot counts yet, failure of the "
        "latest computation, and when it is done again.",
    },
}

_REFUSAL = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {"error": _TEXT | {"description": "A word."}, "message": _TEXT | {"description": "A sentence."}},
}

_REFUSALS = {
    "400": "A parameter or a value that is not known, or votes that lack what was asked.",
    "404": "There is no leaderboard yet, or these votes give none.",
    "503": "The database does not answer, or too many leaderboards are being computed; see Retry-After.",
}


def description(title: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The whole description; `parameters` maps names to `schema`, `description` and `is_many`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{title}: public data",
            "version": __version__,
            "description": "Read-only routes for researchers. The same address gives the same numbers until newer "
            "votes are counted; with up_to and source also then, as long as the arena's rules, the categories of its "
            "prompts and its version stay as they are.",
        },
        "paths": {
            "/api/leaderboard": {"get": _leaderboard(parameters)},
            **{path: {"get": _analysis(*told)} for path, told in ANALYSES.items()},
            "/api/openapi.json": {
                "get": {"summary": "This description.", "responses": {"200": {"description": "OpenAPI 3.1."}}}
            },
        },
        "components": {"schemas": {"Leaderboard": _object(_ANSWER), "Rating": _object(_RATING), "Refusal": _REFUSAL}},
    }


def _leaderboard(parameters: Mapping[str, Any]) -> dict[str, Any]:
    refused = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    return {
        "summary": "The leaderboard, of all votes or of some.",
        "description": "The votes counted are among those that the latest snapshot counts, so that a view can be "
        "computed again. What is left out is counted by reason.",
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": each.description,
                "schema": {"type": "array", "items": dict(each.schema)} if each.is_many else dict(each.schema),
                **({"style": "form", "explode": True} if each.is_many else {}),
            }
            for name, each in parameters.items()
        ],
        "responses": {
            "200": {
                "description": "The leaderboard.",
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/Leaderboard"}},
                    "text/csv": {"schema": _TEXT},
                    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
                },
            },
            **{status: {"description": words, "content": refused} for status, words in _REFUSALS.items()},
        },
    }


def _analysis(summary: str, parameters: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, Any]:
    refused = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    answer = _object(
        {"snapshot": {"description": "Its id."}, **{key: {"description": said} for key, said in keys.items()}}
    )
    return {
        "summary": summary,
        "parameters": [
            {"name": name, "in": "query", "required": True, "description": said, "schema": _TEXT}
            for name, said in parameters.items()
        ],
        "responses": {
            "200": {"description": "As of the latest snapshot.", "content": {"application/json": {"schema": answer}}},
            **{
                status: {"description": words} | ({} if status == "202" else {"content": refused})
                for status, words in REFUSALS.items()
            },
        },
    }


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties)}


def body(described: Mapping[str, Any]) -> str:
    """The description as the body of a page, in English."""
    info = described["info"]
    routes = "".join(
        _route(method, path, operation)
        for path, item in described["paths"].items()
        for method, operation in item.items()
    )
    schemas = "".join(_fields(name, schema) for name, schema in described["components"]["schemas"].items())
    return (
        f'<main class="reading api" lang="en"><h1>{escape(info["title"])}</h1><p>{escape(info["description"])}</p>'
        f"{routes}<h2>Answers</h2>{schemas}</main>"
    )


def _route(method: str, path: str, operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(each["name"])}</code></th><td>{escape(_type(each["schema"]))}</td>'
        f"<td>{escape(each['description'])}</td></tr>"
        for each in operation.get("parameters", ())
    )
    table = (
        '<div class="scroll"><table><thead><tr><th scope="col">Parameter</th><th scope="col">Value</th>'
        f'<th scope="col">Meaning</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )
    answers = "".join(
        f"<li><code>{status}</code> {escape(each['description'])}</li>"
        for status, each in operation["responses"].items()
    )
    return (
        f'<section><h2><code>{method.upper()} <a href=".{escape(path)}">{escape(path)}</a></code></h2>'
        f"<p>{escape(operation['summary'])} {escape(operation.get('description', ''))}</p>{table if rows else ''}"
        f"{_keys(operation)}<ul>{answers}</ul></section>"
    )


def _keys(operation: Mapping[str, Any]) -> str:
    """The keys of an answer that is described in its place."""
    schema = operation["responses"]["200"].get("content", {}).get("application/json", {}).get("schema", {})
    return _table_of(schema["properties"]) if "properties" in schema else ""


def _fields(name: str, schema: Mapping[str, Any]) -> str:
    return f"<h3>{escape(name)}</h3>{_table_of(schema['properties'])}"


def _table_of(properties: Mapping[str, Any]) -> str:
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(field)}</code></th><td>{escape(_type(each))}</td>'
        f"<td>{escape(each.get('description', ''))}</td></tr>"
        for field, each in properties.items()
    )
    return f'<div class="scroll"><table><tbody>{rows}</tbody></table></div>'


def _type(schema: Mapping[str, Any]) -> str:
    """What a value may be, in a word or by its choices."""
    if "items" in schema:
        return f"{_type(schema['items'])}, may be repeated"
    if "enum" in schema:
        return ", ".join(schema["enum"])
    kind = schema.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
