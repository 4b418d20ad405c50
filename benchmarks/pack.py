"""What arenas that are timed or loaded are stocked with: models, prompts, and an answer of each to each."""

import random
from datetime import datetime

from arena.battle import Answer, Message, Model, ModelId, Prompt, PromptId
from arena.pack import answer_id
from arena.store import VoteStore


def stock(
    store: VoteStore, n_models: int, n_prompts: int, *, rng: random.Random, now: datetime
) -> dict[PromptId, list[Answer]]:
    """Bring so many in, with rules that leave all as it is by default; the answers to each prompt, in order of models.

    Texts are as long as the answers of a chat, and laid out a little; the same generator makes the same ones.
    """
    models = [Model(ModelId(f"model-{m:02}"), f"Model {m}", "Some Lab", "MIT") for m in range(n_models)]
    prompts = [
        Prompt(
            PromptId(f"prompt-{p}"), (Message("user", f"Question {p}: what would you do, and why?"),), "advice", "en"
        )
        for p in range(n_prompts)
    ]
    answers = {prompt.id: [_answer(prompt.id, model.id, rng) for model in models] for prompt in prompts}
    store.catalogue.add_models(models, now)
    store.catalogue.add_prompts(prompts, now)
    store.catalogue.add_answers([answer for row in answers.values() for answer in row], now)
    store.catalogue.set_rules("", None, now)
    return answers


def _answer(prompt_id: PromptId, model_id: ModelId, rng: random.Random) -> Answer:
    lines = [" ".join(["word"] * rng.randint(5, 60)) + "." for _ in range(rng.randint(2, 9))]
    text = "\n\n".join(lines) + "\n\n- one **point**\n- another `point`\n"
    return Answer(answer_id(prompt_id, model_id, text), prompt_id, model_id, text)
