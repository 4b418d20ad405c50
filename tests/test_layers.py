"""The layout tells the architecture: arrows go down only, and each outside library has its room."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from ground import ROOT

# From the top of the house to its cellar. A module may import what stands below it, never what stands above; modules
# on one floor may import each other as long as there is no circle. A folder stands for everything in it.
FLOORS = [
    ["app"],
    ["arena.__main__"],
    ["arena.cli"],
    ["arena.ui"],
    [
        "arena.voting",
        "arena.calibration",
        "arena.list_voting",
        "arena.live",
        "arena.batch",
        "arena.boards",
        "arena.samples",
        "arena.study",
        "arena.review",
        "arena.arbiter",
        "arena.intake",
        "arena.rankings",
        "arena.foreign_votes",
        "arena.export",
        "arena.inspection",
        "arena.control",
        "arena.backup",
        "arena.wholeness",
        "arena.hub",
        "arena.contenders.generation",
        "arena.contenders.judging",
        "arena.judge_printout",
        "arena.judge_report",
        "arena.judge_votes",
        "arena.rule_votes",
    ],
    ["arena.store", "arena.printout", "arena.finding", "arena.exhibit", "arena.agreement_printout"],
    ["arena.analysis", "arena.plots", "arena.withdrawals", "arena.suspicion", "arena.vote_sheet"],
    ["arena.quality"],
    ["arena.rating", "arena.dataset", "arena.contenders.pane"],
    [
        "arena.estimate",
        "arena.meetings",
        "arena.effect",
        "arena.preferences",
        "arena.pack",
        "arena.settings",
        "arena.vote_file",
        "arena.foreign_table",
        "arena.judgement_table",
        "arena.self_naming",
        "arena.reference",
        "arena.signals",
        "arena.ranked_list",
        "arena.drift",
        "arena.policy",
    ],
    ["arena.contenders.judgement"],
    ["arena.contenders.judge", "arena.login"],
    ["arena.consent", "arena.guideline", "arena.labels", "arena.rules", "arena.advice"],
    ["arena.items"],
    ["arena.contenders.asking", "arena.contenders.checkup", "arena.contenders.health"],
    ["arena.contenders.client"],
    ["arena.contenders.endpoint"],
    ["arena.pairing", "arena.worked_example", "arena.record"],
    ["arena.pieces", "arena.vote_table"],
    ["arena.found_rows", "arena.vote_relation"],
    ["arena.plan", "arena.leaderboard", "arena.rows", "arena.shards", "arena.voter", "arena.option"],
    ["arena.table"],
    ["arena.password", "arena.session", "arena.attempts"],
    [
        "arena.tally",
        "arena.own_votes",
        "arena.disagreement",
        "arena.bars",
        "arena.style",
        "arena.json_line",
        "arena.name",
        "arena.field",
        "arena.thumbs",
    ],
    ["arena.agreement_report"],
    ["arena.gate", "arena.judges", "arena.label_agreement"],
    ["arena.agreement"],
    ["arena.judgements"],
    ["arena.matters"],
    ["arena.address", "arena.alarms", "arena.limits", "arena.contenders.answer_log"],
    ["arena.contenders.incoming", "arena.contenders.pace"],
    ["arena.role"],
    ["arena.self_reference", "arena.known_names"],
    ["arena.features"],
    ["ratings", "arena.errors"],
    ["arena.battle"],
    ["arena"],  # the package itself: its version
]

# What may be imported only here.
ROOMS = {
    "gradio": ("arena.ui",),
    "fastapi": ("arena.ui",),
    "starlette": ("arena.ui",),
    "uvicorn": ("arena.ui",),
    "h11": ("arena.ui",),
    "markdown_it": ("arena.ui", "arena.worked_example", "arena.advice"),
    "latex2mathml": ("arena.ui.mathematics",),
    "duckdb": ("arena.store", "arena.table", "arena.shards", "arena.vote_relation", "arena.vote_table"),
    "scipy": ("ratings",),
    "choix": ("ratings.plackett_luce",),
    "click": ("arena.cli", "arena.option"),
    "rich": ("arena.cli",),
    "matplotlib": ("arena.plots",),
    "yaml": ("arena.guideline", "arena.dataset.card"),
    "datasketch": ("arena.dataset.near",),
    "presidio_analyzer": ("arena.dataset.recogniser",),
    "huggingface_hub": ("arena.hub", "arena.contenders.client"),
    "itsdangerous": ("arena.voter", "arena.session"),
    "authlib": ("arena.ui.provider",),
    "joserfc": ("arena.ui.provider",),
    "httpx2": ("arena.ui.provider", "arena.contenders.client"),
}

PURE = {"numpy", "scipy", "choix"}


@cache
def modules() -> dict[str, Path]:
    files = [ROOT / "app.py", *sorted((ROOT / "arena").rglob("*.py")), *sorted((ROOT / "ratings").rglob("*.py"))]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


@cache
def imports(file: Path, name: str) -> tuple[str, ...]:
    """Everything a file imports, wherever in it the import stands, as absolute dotted names."""
    return tuple(_imports(file, name))


def _imports(file: Path, name: str) -> Iterator[str]:
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join(
                    [*package.split(".")[: len(package.split(".")) - node.level + 1], *filter(None, [base])]
                )
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in modules() else base


def floor(module: str) -> int:
    matches = [
        (len(room), number)
        for number, rooms in enumerate(FLOORS)
        for room in rooms
        if module == room or (module.startswith(f"{room}.") and room != "arena")
    ]
    assert matches, f"{module} has no floor: give it one in FLOORS and in docs/architecture.md"
    return max(matches)[1]


@pytest.mark.parametrize("name", modules())
def test_arrows_go_down_only(name: str):
    for target in imports(modules()[name], name):
        if target in modules():
            assert floor(target) >= floor(name), f"{name} imports {target}, which stands above it"


def test_there_is_no_circle():
    graph = {
        name: {target for target in imports(file, name) if target in modules() and target != name}
        for name, file in modules().items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("name", modules())
def test_outside_libraries_stay_in_their_rooms(name: str):
    for target in imports(modules()[name], name):
        rooms = ROOMS.get(target.split(".")[0])
        if rooms:
            assert any(name == room or name.startswith(f"{room}.") for room in rooms), f"{name} imports {target}"


@pytest.mark.parametrize("name", [name for name in modules() if name.split(".")[0] == "ratings"])
def test_ratings_is_pure_mathematics(name: str):
    file = modules()[name]
    outside = {target.split(".")[0] for target in imports(file, name)} - {"ratings"} - PURE
    reaching_out = {"os", "io", "pathlib", "socket", "subprocess", "logging", "random", "time", "datetime", "sys"}
    assert not outside & reaching_out
    assert "open(" not in file.read_text(encoding="utf-8")
    assert "print(" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in modules() if name != "arena.settings"])
def test_only_the_settings_read_the_environment(name: str):
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    reads = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and node.attr in ("environ", "getenv", "environb")
    ]
    # The two entries hand the environment over, and do not look into it; they also tell numpy of threads.
    handed_over = {"app": 3, "arena.cli": 1, "arena.cli.console": 2}.get(name, 0)
    assert len(reads) == handed_over


@pytest.mark.parametrize("name", modules())
def test_importing_a_module_does_no_work(name: str):
    """At the top of a file stand imports, definitions and constants; nothing that runs."""
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Expr):
            is_call = isinstance(node.value, ast.Call)
            assert not is_call, f"{name}, line {node.lineno}: a call at import"
        assert not isinstance(node, ast.For | ast.While | ast.With | ast.Try), f"{name}, line {node.lineno}"
