"""The Arena page: an empty shell, which the page's scripts fill. Nothing in it could name a model.

ballot.js is the ballot and all that becomes of it, ranked.js a list in its place, parts.js what both have; reveal.js,
in words, what a vote opens; calibration.js, where the pack asks for it, what comes before the first one; consent.js,
also where the pack asks for it, whether votes may be published, before both; labels.js, also where the pack asks for
it, what is said beside the verdict; thumbs.js, where the pack asks for them, the thumbs on each answer; reading.js, how
answers are read (code copied, both scrolled together); sheets.js, what lies over the page (the guideline, the keys, the
own votes); own_data.js, below the own votes, what is kept of the voter.
"""

from collections.abc import Iterable

import gradio as gr

from arena.battle import Scale, Side, SkipReason
from arena.labels import LabelRules
from arena.rules import BallotRules
from arena.ui.labels import SCRIPT, THUMB_KEYS, THUMBS_SCRIPT, n_steps, panel, steps, thumbs
from arena.ui.markdown import render_markdown
from arena.ui.page import Frame, html

_SCRIPTS = ("reveal.js", "parts.js", "ballot.js", "reading.js", "own_data.js", "sheets.js")

# Grey lines where text will be, so that nothing jumps when it comes.
_BONES = '<div class="bones" aria-hidden="true">{}</div>'
_SHORT = _BONES.format("<i></i><i></i>")
_LONG = _BONES.format("<i></i><i></i><i></i><i></i><i></i>")


def _with_key(text: str, key: str) -> str:
    return f'<span data-t="{text}"></span> <kbd>{key}</kbd>'


def _verdict(verdict: str, key: str, *, act: str = "verdict") -> str:
    return (
        f'<button type="button" class="{verdict.lower()}" data-{act}="{verdict}" aria-keyshortcuts="{key}">'
        f"{_with_key(f'verdict.{verdict}', key)}</button>"
    )


def _tool(name: str, key: str, *, more: str = "") -> str:
    return (
        f'<button type="button" id="{name}" class="tool" aria-keyshortcuts="{key}"{more}>'
        f"{_with_key(f'arena.{name}', key)}</button>"
    )


def _sheet(name: str, title: str, body: str) -> str:
    """A dialog over the page. The part that has the focus is named by the body."""
    return (
        f'<dialog id="{name}-sheet" class="sheet" aria-labelledby="{name}-title"><header><h2 id="{name}-title" '
        f'data-t="{title}"></h2><button type="button" class="close" data-t-label="sheet.close">×</button></header>'
        f"{body}</dialog>"
    )


_READ = '<div class="body" tabindex="0" autofocus role="document"></div>'

# Key, its second key, and what it does.
_KEYS = (
    ("A", "←", "verdict.A"),
    ("B", "→", "verdict.B"),
    ("T", "", "verdict.tie"),
    ("N", "", "verdict.both_bad"),
    ("S", "", "arena.skip"),
    ("Enter", "", "arena.next"),
    ("U", "Ctrl Z", "arena.undo"),
    ("R", "", "arena.renew"),
    ("G", "", "arena.guideline"),
    ("L", "", "arena.together"),
    ("M", "", "mine.title"),
    ("?", "", "keys.title"),
    ("Esc", "", "sheet.close"),
)


# Where the verdict has steps, and where there is more to say than the verdict.
_STEP_KEYS = {5: (("1", "5", "keys.steps"), ("T", "3", "verdict.tie")), 8: (("1", "8", "keys.steps"),)}
_THUMB_KEYS = tuple((*THUMB_KEYS[side], f"keys.thumbs.{side.value}") for side in Side)
_LABEL_KEYS = (("Enter", "Ctrl Enter", "labels.save"), ("Esc", "", "labels.back"))


# Keys of letters, digits and ? can be switched off: who speaks to the computer would press them unmeant.
_LETTERS = (
    '<p><label class="toggle"><input type="checkbox" role="switch" id="letters" checked '
    'aria-describedby="letters-note"> <span data-t="keys.letters"></span></label></p>'
    '<p id="letters-note" class="quiet" data-t="keys.letters_note"></p>'
)


def _key_rows(keys: Iterable[tuple[str, str, str]], *, only: str = "") -> str:
    of = f' class="{only}"' if only else ""
    return "".join(
        f'<dt{of}><kbd>{key}</kbd>{f" <kbd>{other}</kbd>" if other else ""}</dt><dd{of} data-t="{text}"></dd>'
        for key, other, text in keys
    )


def _keys(rules: BallotRules, labels: LabelRules, *, calibrates: bool, can_renew: bool) -> str:
    absent = {"verdict.both_bad", "arena.together"} if rules.kind == "ranked" else set[str]()
    offered = (("arena.skip", rules.skip), ("arena.undo", rules.undo), ("arena.renew", can_renew))
    absent |= {name for name, is_there in offered if not is_there}
    judged = _LIST_KEYS if rules.kind == "ranked" else _STEP_KEYS.get(n_steps(labels.scale), _KEYS[:3])
    verdicts = (*(_THUMB_KEYS if labels.thumbs else ()), *judged)
    others = (*(_LABEL_KEYS if labels.asks_more else ()), *_KEYS[3:])
    if calibrates and verdicts != _KEYS[:3]:  # worked examples are judged by the plain verdicts
        first = _key_rows(verdicts, only="of-ballots") + _key_rows(_KEYS[:3], only="of-examples")
    else:
        first = _key_rows(verdicts)
    rows = first + _key_rows(row for row in others if row[2] not in absent)
    arrows = "" if labels.scale.is_on_bar or rules.kind == "ranked" else '<p class="quiet" data-t="keys.arrows"></p>'
    return f'<div class="body" tabindex="0" autofocus><dl>{rows}</dl>{arrows}{_LETTERS}</div>'


# What calibration.js shows before the examples, and after each.
_START = _with_key("calibration.start", "Enter")
_PASS = _with_key("arena.pass_examples", "S")
_GREETING = f"""
  <section id="greeting" class="state" aria-labelledby="greeting-title" tabindex="-1" hidden>
    <h2 id="greeting-title"></h2>
    <p data-t="calibration.about"></p>
    <p class="row">
      <button id="start" class="go" type="button" aria-keyshortcuts="Enter">{_START}</button>
      <button id="pass" type="button" aria-keyshortcuts="S">{_PASS}</button>
    </p>
  </section>
"""
# What consent.js shows before them. Neither answer stands out or is chosen already.
_ASKING = f"""
  <section id="asking" class="state" aria-labelledby="asking-title" aria-describedby="asking-text asking-terms"
    tabindex="-1" hidden>
    <h2 id="asking-title" data-t="consent.title"></h2>
    <div id="asking-text" class="text" dir="auto"></div>
    <p id="asking-terms"></p>
    <p id="asking-no"></p>
    <p class="row">
      <button id="say-yes" type="button" aria-keyshortcuts="1">{_with_key("consent.yes", "1")}</button>
      <button id="say-no" type="button" aria-keyshortcuts="2">{_with_key("consent.no", "2")}</button>
    </p>
    <p id="asking-trouble" role="status"></p>
  </section>
"""
# Where voters put prompts of their own (live.js): what is asked first, and the bar while both answers come in.
_COMPOSE = f"""
  <section id="compose" class="state" aria-labelledby="compose-title" tabindex="-1" hidden>
    <h2 id="compose-title" data-t="live.title"></h2>
    <textarea id="own" rows="5" maxlength="{{longest}}" dir="auto" aria-labelledby="compose-title"
      aria-describedby="compose-note" data-t-placeholder="live.placeholder"></textarea>
    <p id="compose-trouble" role="status"></p>
    <p class="row">
      <button id="put" class="go" type="button" aria-keyshortcuts="Control+Enter">{_with_key("live.ask", "Ctrl Enter")}
      </button>
      <button id="from_bank" type="button" data-t="live.from_bank" hidden></button>
    </p>
    <p id="compose-note" class="quiet" data-t="live.note"></p>
  </section>
"""
_COMING = f"""<div id="coming" hidden>
    <p data-t="live.coming"></p>
    <button id="stop" type="button" aria-keyshortcuts="Escape">{_with_key("live.stop", "Esc")}</button>
  </div>
  """
_JUDGE = f"""
  <div id="judge" hidden>
    {_verdict("A", "A", act="judge")}
    {_verdict("tie", "T", act="judge")}
    {_verdict("both_bad", "N", act="judge")}
    {_verdict("B", "B", act="judge")}
  </div>
"""
_WHY = '<div id="why" class="text" dir="auto" tabindex="0" role="group" aria-labelledby="saved" hidden></div>'


def _reasons() -> str:
    chips = "".join(
        f'<button type="button" data-reason="{reason.value}"{" autofocus" if number == 1 else ""} '
        f'aria-keyshortcuts="{number}"><kbd>{number}</kbd> <span data-t="skip.because_{reason.value}"></span></button>'
        for number, reason in enumerate(SkipReason, 1)
    )
    return f'<div class="body"><div id="reasons">{chips}</div><p class="quiet" data-t="skip.note"></p></div>'


_TOGETHER = _tool("together", "L", more=' aria-pressed="false"')
_HELP = _tool("keys", "?", more=' aria-haspopup="dialog"')

# What the pages of two answers and of lists have alike; what depends on the rules is filled in later.
_NOTICE = """<section id="notice" tabindex="-1" hidden>
    <h2></h2>
    <p></p>
    <p class="row"><button id="retry" class="go" type="button"></button>
      {undo_left}<a id="board-link" href="./leaderboard" data-t="arena.see_leaderboard"></a></p>
  </section>"""
_TROUBLE = (
    '<div id="trouble" hidden><span></span> <button id="resend" type="button" data-t="arena.retry"></button></div>'
)
_AFTER = f"""<div class="acts">{{undo}}
      <button id="next" class="go" type="button" aria-keyshortcuts="Enter">{_with_key("arena.next", "Enter")}</button>
    </div>"""

_SHELL = f"""
<div id="arena" data-state="loading" aria-busy="true">
  <h1 class="unseen" data-t="arena.question"></h1>
  <div id="welcome" hidden>{{welcome}}</div>
  <section id="prompt" aria-labelledby="prompt-label" tabindex="-1">
    <div class="head"><h2 id="prompt-label" data-t="arena.prompt"></h2>
      <p id="tools">{{undo_last}}{{pass_examples}}{{renew}}
        {_tool("guideline", "G", more=' aria-haspopup="dialog"')}{_TOGETHER}{_HELP}</p></div>
    <ol id="earlier" tabindex="0" data-t-label="arena.earlier" hidden></ol>
    <div id="question" class="text" dir="auto">{_SHORT}</div>
    <button id="unfold" type="button" aria-expanded="false" aria-controls="question" hidden></button>
  </section>
  <div id="pair">
    <article id="a" class="answer a" aria-labelledby="a-label">
      <h3><span id="a-label" data-t="arena.answer_a"></span> <span class="name"></span> <span class="score"></span></h3>
      <div class="text" dir="auto" tabindex="0" role="group" aria-labelledby="a-label">{_LONG}</div>{{thumbs_a}}
    </article>
    <article id="b" class="answer b" aria-labelledby="b-label">
      <h3><span id="b-label" data-t="arena.answer_b"></span> <span class="name"></span> <span class="score"></span></h3>
      <div class="text" dir="auto" tabindex="0" role="group" aria-labelledby="b-label">{_LONG}</div>{{thumbs_b}}
    </article>
  </div>
  {{greeting}}{{asking}}{{compose}}
  {_NOTICE}
</div>
<section id="bar" data-t-label="arena.verdict">
  {_TROUBLE}
  {{coming}}{{labels}}<div id="verdicts"{{scale}}>
    {{verdicts}}
  </div>
  {{judge}}<div id="after" hidden>
    <p><span id="saved"></span> <span id="who"></span> <span id="others"></span></p>
    {{why}}
    {_AFTER}
  </div>
</section>
<p id="said" class="unseen" role="status" aria-live="polite"></p>
{{sheets}}
"""

_UNDO = (
    '<button id="undo" type="button" aria-keyshortcuts="U Control+Z Meta+Z">'
    + _with_key("arena.undo", "U")
    + "</button>"
)
_UNDO_LEFT = (
    '<button id="undo_left" type="button" aria-keyshortcuts="U Control+Z Meta+Z" hidden>'
    + _with_key("arena.undo_last", "U")
    + "</button>"
)
_SKIP = (
    '<button id="skip" type="button" aria-keyshortcuts="S" aria-haspopup="dialog">'
    + _with_key("arena.skip", "S")
    + "</button>"
)


# The same for lists: ranked.js puts the answers there, each with its ranks.
_LIST_SHELL = f"""
<div id="arena" class="ranked" data-state="loading" aria-busy="true">
  <h1 class="unseen" data-t="ranked.question"></h1>
  <div id="welcome" hidden>{{welcome}}</div>
  <section id="prompt" aria-labelledby="prompt-label" tabindex="-1">
    <div class="head"><h2 id="prompt-label" data-t="arena.prompt"></h2>
      <p id="tools">{{undo_last}}{_tool("guideline", "G", more=' aria-haspopup="dialog"')}{_HELP}</p></div>
    <ol id="earlier" tabindex="0" data-t-label="arena.earlier" hidden></ol>
    <div id="question" class="text" dir="auto">{_SHORT}</div>
    <p id="how" class="quiet" data-t="ranked.how"></p>
  </section>
  <div id="pair" class="list"></div>
  {{asking}}
  {_NOTICE}
</div>
<section id="bar" data-t-label="ranked.bar">
  {_TROUBLE}
  <div id="ranking"><p id="order"></p>
    <div class="acts">{{skip}}
      <button id="save" class="go" type="button" aria-keyshortcuts="Enter">{_with_key("ranked.save", "Enter")}</button>
    </div>
  </div>
  <div id="after" hidden>
    <p><span id="saved"></span> <span id="who"></span></p>
    {_AFTER}
  </div>
</section>
<p id="said" class="unseen" role="status" aria-live="polite"></p>
{{sheets}}
"""
_LIST_KEYS = (("A", "F", "keys.answer"), ("1", "6", "keys.rank"), ("Enter", "", "ranked.save"))


def _bar(skip: str, scale: Scale) -> str:
    """The four verdicts with a skip among them, or the steps of a scale with what is beside them."""
    both_bad = _verdict("both_bad", "N")
    if scale.is_on_bar:
        return steps(scale, both_bad=both_bad, skip=skip)
    return "\n    ".join([_verdict("A", "A"), _verdict("tie", "T"), both_bad, skip, _verdict("B", "B")])


def scripts(
    labels: LabelRules, *, calibrates: bool, asks: bool = False, ranks: bool = False, is_live: bool = False
) -> tuple[str, ...]:
    """The scripts of the page. Where there is a calibration, its script stands first, and the ballot waits for it;
    where a consent is asked for, its script comes next, and puts itself before both. Where voters put prompts of their
    own, another script says where a ballot comes from."""
    if ranks:
        return (*(["consent.js"] if asks else []), "reveal.js", "parts.js", "ranked.js", "own_data.js", "sheets.js")
    first = (*(["calibration.js"] if calibrates else []), *(["consent.js"] if asks else []))
    beside = (*([THUMBS_SCRIPT] if labels.thumbs else []), *([SCRIPT] if labels.asks_more else []))
    return (*first, *beside, *_SCRIPTS[:2], *(["live.js"] if is_live else []), *_SCRIPTS[2:])


def build(
    page: gr.Blocks,
    frame: Frame,
    *,
    welcome: str,
    rules: BallotRules,
    labels: LabelRules,
    calibrates: bool = False,
    asks: bool = False,
    longest_prompt: int | None = None,
) -> None:
    """Put the header and the shell on the page: with what the rules offer, and nothing else.

    `longest_prompt`: voters put prompts of their own, of so many characters at most.
    """
    is_live = longest_prompt is not None
    can_renew = is_live and rules.skip  # the ballot that was there is closed without a vote
    is_list = rules.kind == "ranked"
    sheets = [
        _sheet("guideline", "guideline.title", _READ),
        _sheet("mine", "mine.title", _READ),
        _sheet("keys", "keys.title", _keys(rules, labels, calibrates=calibrates, can_renew=can_renew)),
        *([_sheet("skip", "skip.title", _reasons())] if rules.skip else []),
    ]
    shell = (_LIST_SHELL if is_list else _SHELL).format(
        skip=_SKIP if rules.skip else "",
        welcome=render_markdown(welcome),
        thumbs_a=thumbs(labels, Side.A),
        thumbs_b=thumbs(labels, Side.B),
        labels=panel(labels),
        scale="" if labels.scale is Scale.PLAIN else f' data-scale="{labels.scale.value}"',
        verdicts=_bar(_SKIP if rules.skip else "", labels.scale),
        undo=_UNDO if rules.undo else "",
        undo_left=_UNDO_LEFT if rules.undo else "",
        undo_last=_tool("undo_last", "U", more=" hidden") if rules.undo else "",
        greeting=_GREETING if calibrates else "",
        asking=_ASKING if asks else "",
        compose=_COMPOSE.format(longest=longest_prompt) if is_live else "",
        coming=_COMING if is_live else "",
        renew=_tool("renew", "R", more=" hidden") if can_renew else "",
        pass_examples=_tool("pass_examples", "S", more=" hidden") if calibrates else "",
        judge=_JUDGE if calibrates else "",
        why=_WHY if calibrates else "",
        sheets="".join(sheets),
    )
    with page:
        html(frame.header("/") + shell, page="arena")
