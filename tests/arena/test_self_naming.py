"""Which answers tell who wrote them, which prompts ask for it, and what stands in place of a name."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import Message, Model, ModelId
from arena.self_naming import MASK, Names

MODELS = (
    Model(ModelId("gpt-4"), "GPT 4", "OpenAI"),
    Model(ModelId("gemini"), "Gemini", "Google"),
    Model(ModelId("hermes"), "Hermes", "Nous Research", aliases=("Nous-Hermes-2",)),
    Model(ModelId("lmsys/vicuna-7b"), "Vicuna v1.3 (7B)", "LM Sys"),
    Model(ModelId("command-light"), "command-light", "Cohere"),
    Model(ModelId("97"), "97", None),
    Model(ModelId("quillon"), "Quillon Nine", "Vexaria Labs", aliases=("Qn",)),
)
NAMES = Names.of(MODELS)
GPT, GEMINI, HERMES, VICUNA, LIGHT, NUMBER, QUILLON = (model.id for model in MODELS)

# A word, a place, a first name, a sign, a god; a maker that is spoken of.
INNOCENT = (
    "The palm trees bent in the wind.",
    "She is a Lombard, and he was a bombardier in the bombardment.",
    "Claudette and Claude went home.",
    "It is Gemini season, and I am a Gemini.",
    "Hermes the god had winged sandals.",
    "A llama and a koala met a falcon.",
    "Search for it on Google, or ask OpenAI.",
    "I am a fan of Google.",
    "I'm working at Microsoft.",
    "I am a Microsoft certified developer.",
    "As an Amazon seller you pay a fee.",
    "I was at the Apple store.",
    "I use a tool developed by OpenAI.",
    "ChatGPT is a chatbot that was developed by OpenAI.",
    "As an AI language model, I cannot say whether Google or Microsoft is better.",
    "As an AI language model, I don't have access to Google Maps.",
    "Tools such as ChatGPT, I think, help.",
    "I am not ChatGPT.",
    '"My name is Claude," said the baker.',
    "Type it at the command line.",
    "The command light turned green.",
    "If your app violates Google's policies, it is removed.",
    "Ich bin ein Fan von Google.",
    "Als Google gegründet wurde, war ich klein.",
    "Je suis fan de Google.",
    "Soy usuario de Google.",
    "我是谷歌的粉丝。",
    "It costs 97 dollars, and 4 more.",
    "That is GPT-40, xGPT-4, or GPT-4x.",
    r"Let $\Phi_3$ and $\phi_3$ be angles.",
)

TELLING = (
    "I am an AI language model developed by OpenAI.",
    "I'm Claude, an AI assistant made by Anthropic.",
    "I am Grok, built by xAI.",
    "I'm Kimi, trained by Moonshot AI.",
    "I am Phi, a small language model by Microsoft.",
    "I am Command R, made by Cohere.",
    "I am Amazon Nova.",
    "I'm Nova, and Amazon made me.",
    "Hello! I am Doubao.",
    "I was developed by IBM under the name of Granite.",
    "I'm Gemma, an open-weights AI assistant.",
    "I am MiniMax-Text-01.",
    "My name is Reka Flash.",
    "I'm **ChatGPT**.",
    "I was trained by Google.",
    "I am a large\nlanguage model, trained by Google.",
    "My creators at OpenAI taught me that.",
    "OpenAI created me.",
    "As ChatGPT, I cannot do that.",
    "Hi, Claude here!",
    "You are talking to Gemini.",
    "I'm powered by GPT-3.5.",
    "That would be against OpenAI's use case policy.",
    "I have to comply with Anthropic's guidelines.",
    "Ich bin ein von OpenAI entwickeltes Sprachmodell.",
    "Ich wurde von Anthropic entwickelt.",
    "Ich heiße Claude.",
    "Je suis un modèle de langage développé par Mistral AI.",
    "Je m'appelle Claude.",
    "Soy un modelo de lenguaje entrenado por Google.",
    "Me llamo Gemini.",
    "我是由OpenAI开发的人工智能助手。",
    "我是通义千问，由阿里云开发。",
    "我叫豆包。",
)


@pytest.mark.parametrize("text", INNOCENT)
def test_a_name_that_is_said_of_something_else_tells_nothing(text: str):
    assert [NAMES.told_by(text, author) for author in (HERMES, VICUNA, LIGHT, NUMBER, GPT)] == [None] * 5


@pytest.mark.parametrize("text", TELLING)
def test_an_answer_that_says_who_it_is_tells_it_whoever_wrote_it(text: str):
    for author in (QUILLON, NUMBER):
        told = NAMES.told_by(f"Well.\n\n{text} What else?", author)
        assert told is not None
        assert len(told) <= 80


@pytest.mark.parametrize(
    ("text", "author"),
    [
        ("### Assistant (Vicuna): here is the poem", VICUNA),
        ("Vicuna: here is the poem", VICUNA),
        ("**Gemini**\n\nHere is the poem.", GEMINI),
        ("Here is the poem.\n\n-- Gemini", GEMINI),
        ("Here is the poem.\n\n— Gemini, Google", GEMINI),
        ("Best regards, Hermes", HERMES),
        ("Answered by Google: yes", GEMINI),
        ("What gpt 4 can do, GPT4 does.", GPT),
        ("A poem. By Quillon Nine.", QUILLON),
        ("nous hermes 2 was here", HERMES),
        ("See command-light for more.", LIGHT),
        ("I am Qn.", QUILLON),
    ],
)
def test_an_authors_own_name_tells_as_a_label_a_signature_or_where_it_is_like_no_other_word(text: str, author: ModelId):
    assert NAMES.told_by(text, author) is not None
    assert NAMES.told_by(text, NUMBER) is None or "Qn" in text  # of others' names it may speak


@pytest.mark.parametrize(
    ("text", "author"),
    [
        ("Gemini and Taurus: a table of signs", GEMINI),
        ("- Aries: fire\n- Gemini: air", GEMINI),
        ("- Aries\n- Gemini", GEMINI),
        ("He flew with Gemini.", GEMINI),
        ("Vexaria Labs sells it.", QUILLON),
        ("```\nmodel = 'gpt-4'\n```", GPT),
        ("It is qn.", QUILLON),
    ],
)
def test_an_authors_own_name_tells_nothing_where_it_is_a_word_or_code(text: str, author: ModelId):
    assert NAMES.told_by(text, author) is None


def test_what_an_answer_says_of_itself_counts_in_code_as_well():
    assert NAMES.told_by('```python\nprint("I am ChatGPT")\n```', NUMBER) is not None


def test_a_name_that_the_prompt_mentions_is_not_the_answers_doing():
    asked = "You are GPT-4. Compare GPT-4 with Hermes, the god."
    assert NAMES.told_by("GPT-4 is quicker.", GPT) is not None
    assert NAMES.told_by("GPT-4 is quicker.", GPT, asked) is None
    assert NAMES.told_by("I am Hermes, and I am quick.", HERMES, asked) is None
    assert NAMES.told_by("I am Hermes, and I am quick.", HERMES) is not None
    assert NAMES.told_by("I am GPT-4.", GPT, asked) is not None


def test_an_answer_that_repeats_its_prompt_word_for_word_says_nothing_of_itself():
    asked = 'Translate: "I am ChatGPT, trained by OpenAI."'
    assert NAMES.told_by('"I am ChatGPT, trained by OpenAI." is English.', NUMBER, asked) is None
    assert NAMES.told_by("> I am ChatGPT, trained by OpenAI.\n\nThat is English.", NUMBER, asked) is None
    assert NAMES.told_by('"I am ChatGPT, trained by OpenAI." is English.', NUMBER, "Say something.") is not None


@pytest.mark.parametrize(
    "text",
    [
        "Who are you?",
        "Hi! What model are you?",
        "which large language model are you based on? And who made you?",
        "What is your name?",
        "Which company created you?",
        "Are you ChatGPT?",
        "Please answer: 'who are you?'",
        "Introduce yourself in a haiku.",
        "Wer bist du?",
        "Welches Sprachmodell bist du?",
        "Wer hat dich entwickelt?",
        "Qui es-tu ?",
        "Quel modèle es-tu ?",
        "Qui t'a créé ?",
        "¿Quién eres?",
        "¿Qué modelo eres?",
        "¿Quién te creó?",
        "你是谁？",
        "你是什么模型",
        "谁开发了你？",
    ],
)
def test_a_prompt_that_asks_for_identity_is_seen(text: str):
    assert NAMES.asks_identity([Message("user", text)])


@pytest.mark.parametrize(
    "text",
    [
        "What does Google earn, and what OpenAI?",
        "Who are you going to call?",
        "What are you doing on Sunday?",
        "Write a tale in which a wizard asks a child at the gate of the castle: “Who are you?”",
        "What would the company that built the bridge tell you?",
        "Are you sure that Microsoft made Windows?",
        "Wer bist du geworden, fragt das Lied.",
        "Qui est le roi ?",
        "¿Quién es el rey?",
        "他是谁？",
    ],
)
def test_a_prompt_that_asks_something_else_is_not_taken_for_one(text: str):
    assert NAMES.asks_identity([Message("user", text)]) is None


def test_only_users_turns_ask():
    turns = [Message("system", "Who are you?"), Message("user", "Hello."), Message("assistant", "Who are you?")]
    assert NAMES.asks_identity([*turns, Message("user", "A traveller.")]) is None


def test_a_mask_leaves_nothing_of_a_name_and_its_version():
    masked = NAMES.masked("I am Claude 3.5 Sonnet, made by Anthropic. Ask ChatGPT, or claude.", NUMBER)
    assert masked == f"I am {MASK}, made by {MASK}. Ask {MASK}, or claude."


def test_a_mask_is_the_same_whichever_the_name():
    said = "I am {}, and {} made me."
    assert NAMES.masked(said.format("Claude", "Anthropic"), NUMBER) == NAMES.masked(
        said.format("GPT-4", "OpenAI"), NUMBER
    )


PIECES = st.sampled_from(
    (
        *INNOCENT,
        *TELLING,
        "GPT-4",
        "Claude",
        "Claude豆包",
        "Gemini",
        "I am",
        "OpenAI",
        "我是",
        "-- Vicuna",
        "`GPT4`",
        "\n",
        MASK,
    )
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=6).flatmap(
    lambda parts: st.sampled_from((" ", "\n", "")).map(lambda glue: glue.join(parts))
)
AUTHORS = st.sampled_from([model.id for model in MODELS])


@given(TEXTS, AUTHORS)
def test_a_masked_answer_tells_nothing_and_masking_it_again_changes_nothing(text: str, author: ModelId):
    masked = NAMES.masked(text, author)
    assert NAMES.told_by(masked, author) is None
    assert NAMES.masked(masked, author) == masked


@given(st.lists(st.sampled_from(("Yes.", "Rain falls.", "Und dann?", "雨。", "- one\n- two")), max_size=4), AUTHORS)
def test_text_without_names_changes_nothing_and_stays_as_it_is(parts: list[str], author: ModelId):
    around = "\n\n".join(parts)
    assert NAMES.told_by(around, author) is None
    assert NAMES.masked(around, author) == around
    assert NAMES.told_by(f"{around}\n\nI am ChatGPT.\n\n{around}", author) is not None


@given(TEXTS, AUTHORS)
@settings(max_examples=200)
def test_whatever_tells_is_caught_by_the_quick_look_as_well(text: str, author: ModelId):
    if NAMES.told_by(text, author) is not None:
        assert re.search(NAMES.hint, text)


def test_an_arena_without_models_knows_the_field():
    assert Names.of(()).told_by("I am ChatGPT.", NUMBER) == "I am ChatGPT."
    assert Names.of(()).told_by("Nothing.", NUMBER) is None
