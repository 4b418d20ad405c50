"""Makers and families of language models that an answer may name, as of November 2026, beside those of the pack.

A list like this is never complete, and it does not have to be: a pack's own names, aliases and organisations count as
well, and what matters most is that a contender's own names are known. Spelt as their makers spell them.
"""

# Names that nobody uses for anything else.
FAMILIES = (
    *("ChatGPT", "GPT", "GPT-2", "GPT-3", "GPT-3.5", "GPT-4", "GPT-4o", "GPT-5", "InstructGPT", "AutoGPT", "gpt-oss"),
    *("GPT-J", "GPT-NeoX", "Codex", "Claude Instant", "Gemma", "PaLM", "LaMDA", "CodeLlama", "Code Llama", "LLaMA"),
    *("Mixtral", "Codestral", "Ministral", "Magistral", "Pixtral", "Devstral", "Qwen", "QwQ", "DeepSeek", "ChatGLM"),
    *("Kimi", "Doubao", "MiniMax", "Hunyuan", "InternLM", "Baichuan", "StarCoder", "StarChat", "StableLM", "RedPajama"),
    *(
        "MPT",
        "DBRX",
        "OLMo",
        "BLOOM",
        "BLOOMZ",
        "OPT-175B",
        "OpenAssistant",
        "Open Assistant",
        "Command R",
        "Command A",
    ),
    *("Jamba", "Nemotron", "Grok", "WizardLM", "WizardCoder", "Zephyr-7B", "OpenHermes", "MythoMax", "Guanaco"),
    *("Ernie Bot", "Ernie", "SenseChat", "Skywork", "TinyLlama", "SmolLM", "EXAONE", "HyperCLOVA", "SOLAR-10.7B"),
    *("Copilot", "Aya Expanse", "Yi-34B", "GLM-4", "Granite-3", "Airoboros", "Vicuna", "Aleph Alpha"),
)

# Names that are words or first names as well.
ORDINARY_FAMILIES = (
    *("Claude", "Gemini", "Bard", "Llama", "Alpaca", "Koala", "Falcon", "Dolly", "Phi", "Nova", "Titan", "Granite"),
    *("Hermes", "Orca", "Yi", "Command", "Coral", "Aya", "Mistral", "Jurassic", "Luminous", "Pythia", "Platypus"),
    *("Zephyr", "Dolphin", "Reka", "Pi", "Sonar", "Palmyra", "Muse", "Sydney", "Tulu", "Solar", "Bing"),
)

# Names in scripts that put no blanks between words.
UNSPACED_FAMILIES = (
    "通义千问",
    "通義千問",
    "千问",
    "文心一言",
    "豆包",
    "混元",
    "智谱清言",
    "讯飞星火",
    "悟道",
    "月之暗面",
)

MAKERS = (
    *("OpenAI", "Open AI", "Anthropic", "Google", "Google DeepMind", "DeepMind", "Google AI", "Meta", "Meta AI"),
    *("Facebook", "Facebook AI", "Microsoft", "Amazon", "AWS", "Apple", "xAI", "Mistral AI", "Mistral", "Cohere"),
    *("Alibaba", "Alibaba Cloud", "Moonshot AI", "Moonshot", "ByteDance", "Baidu", "Tencent", "MiniMax", "DeepSeek"),
    *("Zhipu AI", "Zhipu", "StepFun", "SenseTime", "iFlytek", "Huawei", "Reka AI", "Reka", "AI21", "AI21 Labs"),
    *("IBM", "Nvidia", "Databricks", "MosaicML", "Mosaic ML", "Stability AI", "Hugging Face", "HuggingFace", "BigCode"),
    *(
        "BigScience",
        "EleutherAI",
        "LAION",
        "LMSYS",
        "LM Sys",
        "Large Model Systems Organization",
        "Together AI",
        "Together Computer",
        "TII",
        "Salesforce",
    ),
    *("Technology Innovation Institute", "Inflection AI", "Inflection", "Aleph Alpha", "Nous Research", "Perplexity"),
    *("Perplexity AI", "Upstage", "Allen Institute for AI", "Ai2", "Snowflake", "Samsung", "Naver", "Kakao", "Yandex"),
    *("Sber", "Writer", "Adept", "Liquid AI", "Character.AI", "Stanford", "Tsinghua University", "Qwen Team"),
)

UNSPACED_MAKERS = (
    *("阿里云", "阿里巴巴", "阿里雲", "字节跳动", "百度", "腾讯", "智谱", "月之暗面", "深度求索", "科大讯飞", "商汤"),
    *("谷歌", "微软", "华为", "零一万物", "百川智能", "清华大学"),
)

# What no pack's name is known by: words that stand in names of many models, and say nothing by themselves.
GENERIC = frozenset(
    (
        *("ai", "agent", "api", "assistant", "base", "baseline", "bot", "chat", "chatbot", "code", "coder", "control"),
        *("demo", "extended", "instruct", "instant", "large", "light", "lite", "llm", "max", "medium", "mini", "model"),
        *("my", "new", "nightly", "old", "online", "open", "plus", "preview", "pro", "sft", "small", "system", "team"),
        *("test", "the", "turbo", "ultra", "xl", "xxl", "latest", "beta", "alpha", "maker", "answer", "python"),
        *("technology", "bakeoff"),
    )
)
