"""How a text speaks of the one who wrote it, in English, German, French, Spanish and Chinese; and how a prompt asks.

Names are found elsewhere (`arena.self_naming`); here stands what must be around a name so that it is the writer's own,
or that of the writer's maker. Between "I am" and the name only words may stand that belong there: "I am an AI model
made by ...", not "I am an admirer of ...".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

MASK = "‹name›"
"""What stands in place of a name, the same for all. It is no markup, as square brackets would be."""

_FAR = 240
"""Characters on either side of a name that are looked at."""


class Mention(NamedTuple):
    """A name in a text. `is_plain`: it is a word or a first name as well; `is_of_machine`: it ends in "AI"."""

    start: int
    end: int
    is_maker: bool
    is_plain: bool
    is_of_machine: bool

    def within(self, text: str) -> str:
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What one language says around a name."""

    left: re.Pattern[str]
    """Begins with the writer (`self`) and ends where the name begins; between them stand `words`."""
    machine: re.Pattern[str]
    """Words by which a sentence is about a machine, or about who made it."""
    right: re.Pattern[str]
    """The same, soon after the name."""


_NO_TRADE = r"(?!\s+(?:users?|developers?|engineers?|fans?|experts?|researchers?|customers?|specialists?)\b)"
_GLUE = r"[\s,:*_\"'“”„«»`()\-]*"


def _frame(own: Iterable[str], made: str, machine: str, words: str, *, other: str = "", spaced: bool = True) -> _Frame:
    """`own` are ways to begin, `made` and `machine` regular expressions, `words` what else may stand in between."""
    listed = "|".join(sorted(words.split(), key=len, reverse=True))
    begins, ends = (r"(?<![^\W_])", r"(?![^\W_])") if spaced else ("", "")
    between = f"(?:(?:(?:{made}|{machine}|{listed}{other}){ends}|{MASK}){_GLUE}){{0,24}}"
    soon = r"[\s\-*,\"”»()]+(?:[\w-]+\s+){0,2}?" if spaced else r"[^。！？!?\n]{0,8}?"
    return _Frame(
        left=re.compile(f"(?P<self>{begins}(?:{'|'.join(own)}){ends}){_GLUE}(?P<words>{between})$", re.IGNORECASE),
        machine=re.compile(f"{begins}(?:{made}|{machine}){ends}", re.IGNORECASE),
        right=re.compile(f"(?:['’]s?)?{soon}(?:{made}|{machine}){ends}{_NO_TRADE}", re.IGNORECASE),
    )


_FRAMES = (
    _frame(
        own=(
            *(r"I am", r"I['’]m", r"I was", r"I['’]ve been", r"I have been", r"I run", r"I come", r"I go by", r"I,"),
            *(r"my (?:full |real |own )?name(?: is|['’]s)", r"call me", r"as an?", r"as your"),
            r"(?:talking|speaking|chatting|interacting) (?:to|with)",
            r"my (?:creators?|developers?|makers?|(?:parent )?company)(?: is| are| at|,)?",
            r"(?:the|this|your) (?:AI )?(?:assistant|model|chatbot) (?:is|was)",
        ),
        made=r"(?:fine-?tuned|pre-?trained|trained|developed|created|made|built|designed|programmed|engineered|produced|"
        r"provided|powered|released|owned|operated|deployed|maintained|hosted|supported)",
        machine=r"(?:AI|artificial intelligence|(?:language )?models?|LLMs?|assistant|chat ?bot|bot|neural network)",
        words="a an the and or of by at from on to in called named known as also actually just only simply "
        "currently really your his her our large small big very latest new general purpose language chat "
        "system program machine instance version variant member family series team teams researchers "
        "engineers experts scientists developers people company companies startup lab labs research "
        "organization organisation group based running run come that which who is was has have been be here "
        "virtual personal digital smart friendly open source state art advanced generative transformer using "
        "architecture part developer technology non profit nonprofit happy still",
        other=r"|\w{2,}(?:al|ful|ive|ly|ed)",
    ),
    _frame(
        own=(
            *(r"ich bin", r"ich hei(?:ß|ss)e", r"ich wurde", r"mein name (?:ist|lautet)", r"ich nenne mich", r"als"),
            r"(?:du sprichst|sie sprechen|du chattest|sie chatten|du redest) (?:hier |gerade )?mit",
            r"meine? (?:entwickler(?:in)?|schöpfer|hersteller) (?:ist|sind)",
        ),
        made=r"(?:entwickelt|trainiert|erstellt|geschaffen|gebaut|programmiert|entworfen|betrieben|erschaffen|"
        r"bereitgestellt|veröffentlicht)(?:e[nmrs]?)?",
        machine=r"(?:KI|AI|künstliche[rns]? Intelligenz|\w*modells?|\w*assistent(?:in)?|chatbot|KI-\w+)",
        words="ein eine einem einen einer der die das dem den und oder von vom durch bei mit auf basis basierend "
        "basiere namens genannt auch eigentlich hier worden wurde große großes grosses großen kleines neues "
        "firma unternehmen team forschern hilfreicher virtueller virtuelle digitaler dein ihr freundlicher",
    ),
    _frame(
        own=(
            *(r"je suis", r"je m['’]appelle", r"mon nom est", r"j['’]ai été", r"en tant qu(?:e|['’]une?)"),
            r"(?:vous parlez|tu parles|vous discutez|tu discutes) (?:à|avec)",
            r"mes? (?:créateurs?|concepteurs?|développeurs?) (?:est|sont)",
        ),
        made=r"(?:développ|cré|entraîn|fabriqu|programm|propos|élabor|form|entra[iî]n)é?e?s?|conçue?|mise? au point",
        machine=r"(?:IA|intelligence artificielle|modèle(?: de langage)?|assistante?|chatbot|agent conversationnel)",
        words="un une le la les l d de du des et ou par chez avec sur basé basée nommé nommée appelé appelée aussi "
        "grand grande petit virtuel virtuelle société entreprise équipe chercheurs qui est a été votre ton "
        "conversationnel",
    ),
    _frame(
        own=(
            *("soy", "me llamo", "mi nombre es", "fui", "he sido", "como una?"),
            r"(?:estás|está|estas|esta) (?:hablando|chateando|conversando) con",
            r"mis? (?:creador(?:es|a)?|desarrollador(?:es|a)?) (?:es|son)",
        ),
        made=r"(?:desarrollad|cread|entrenad|diseñad|hech|programad|construid)[oa]",
        machine=r"(?:IA|inteligencia artificial|modelo(?: de lenguaje)?|asistente|chatbot)",
        words="un una el la los las y o de del por en con basado basada llamado llamada también gran grande pequeño "
        "virtual empresa compañía equipo investigadores que es fue ha sido tu su conversacional amplio",
    ),
    _frame(
        own=(
            *(
                "我是",
                "我叫做?",
                "我的(?:名字|全名|名称|英文名|中文名)(?:是|叫)",
                "作为",
                "作為",
                "身为",
                "我由",
                "我来自",
            ),
            *(
                "我來自",
                "我被",
                "我基于",
                "我的(?:开发者|创造者|创建者|开发公司|研发团队)是",
                "(?:正在|是在)(?:与|和|跟)",
            ),
            "(?:叫|称呼?)我为?",
        ),
        made="(?:开发|训练|訓練|研发|研發|研制|開發|创建|創建|创造|創造|打造|推出|构建|设计|設計|提供|发布)",
        machine="(?:AI|人工智能|人工智慧|语言模型|語言模型|大模型|模型|助手|助理|机器人|機器人)",
        words="一个 一個 一款 一名 一种 由 来自 來自 被 名为 名為 叫做 叫 是 大型 大规模 大規模 超大规模 智能 聊天 "
        "的 基于 公司 旗下 团队 集团 自主 您 你 专业 语言 与 和 对话 称 为",
        spaced=False,
    ),
)

_ITS_MAKER = re.compile(
    r"my (?:creat|devel|maker)|meine? (?:entw|schö|herst)|mes? (?:cré|conc|dév)|"
    r"mis? (?:crea|desa)|我的(?:开发|创|研发)",
    re.I,
)
_ROLE = re.compile(r"as (?:an?|your)$|als$|en tant|como|作为|作為|身为", re.IGNORECASE)
_ARTICLE_LAST = re.compile(r"(?:\s(?:an?|eine?|une?|una?)|一个|一個|一款|一名)\s*$", re.IGNORECASE)

_MADE_ME = re.compile(
    r"(?:,? (?:which|who))?\s*(?:has |have |had )?(?:created|trained|made|developed|built|designed|programmed) me\b|"
    r"\s*(?:is|are) my (?:creators?|developers?|makers?)\b|\s*hat mich (?:entwickelt|trainiert|erschaffen)|"
    r"\s*m['’]a (?:créée?|développée?|conçue?|entraînée?)|\s*me (?:creó|desarrolló|entrenó|diseñó)|"
    r"(?:公司)?(?:开发|训练|创造|创建|研发)了我",
    re.IGNORECASE,
)
_AS = re.compile(
    r"(?:^|[.!?,;:\n(*\"“])[\s*_\"“]*(?:as|being|in my role as|speaking as|als|en tant que|como)\s+[*_\"“]*$",
    re.IGNORECASE,
)
_AS_I = re.compile(
    r"[*_\"”]*\s*,?\s*(?:I\b|my\b|ich\b|je\b|j['’]|(?:no )?puedo\b)|[*_\"”]*\s*,?\s*(?:kann|habe) ich\b", re.I
)
_BEGINS = re.compile(r"(?:^|[.!?,\n]|\bthis is)[\s*_]*$", re.IGNORECASE)
_HERE = re.compile(r"[*_]*\s+(?:here\b\s*[!.,:\u2013-]|speaking\b|at your service)", re.IGNORECASE)
_UNDER_RULES = re.compile(r"\b(?:against|violat\w+|with|by|per|under|follow\w*) (?:the )?$")
_RULES = re.compile(
    r"(?:['’]s?)?\s+(?:[\w-]+\s+)??(?P<of_ai>(?:content|usage|use[- ]case|safety|ethic\w*)\s+)?"
    r"(?:polic(?:y|ies)|guidelines)\b",
    re.IGNORECASE,
)
_I_OR_AI = re.compile(r"\bI\b|\bAI\b")
_OPENING = re.compile(r"[\"“„«「『][\s*_]*$")


def self_reference(text: str, mention: Mention) -> tuple[int, int] | None:
    """Where the text says that this name is its writer's, or its writer's maker's; None where it does not."""
    left, right = text[max(0, mention.start - _FAR) : mention.start], text[mention.end : mention.end + _FAR]
    offset = mention.start - len(left)
    for frame in _FRAMES:
        said = frame.left.search(left)
        if said is not None and _fits(frame, said, left, right, mention):
            return offset + said.start(), mention.end
    said, until = _said_of_maker(left, right) if mention.is_maker else _said_of_model(left, right)
    return None if until is None else (mention.start if said is None else offset + said, mention.end + until)


def _said_of_maker(left: str, right: str) -> tuple[int | None, int | None]:
    """Where the writer speaks of its maker: from where on the left, until where on the right; None: nowhere."""
    if made := _MADE_ME.match(right):
        return None, made.end()
    under, rules = _UNDER_RULES.search(left), _RULES.match(right)
    if under is None or rules is None:
        return None, None
    # Of the rules that others are under it may well speak.
    sentence = re.split(r"[.!?\n]", left)[-1]
    return under.start(), rules.end() if rules["of_ai"] or _I_OR_AI.search(sentence) else None


def _said_of_model(left: str, right: str) -> tuple[int | None, int | None]:
    """Where the writer calls itself so without "I am"; as `_said_of_maker`."""
    if (said := _AS.search(left)) and (goes_on := _AS_I.match(right)):
        return said.start(), goes_on.end()
    if _BEGINS.search(left) and (here := _HERE.match(right)):
        return None, here.end()
    return None, None


def _fits(frame: _Frame, said: re.Match[str], left: str, right: str, mention: Mention) -> bool:
    """Whether what stands between "I am" and the name makes it the writer's, and not a trade, a sign or a role."""
    own, words = said["self"], said["words"]
    if _ITS_MAKER.match(own):
        return True
    is_of_machine = mention.is_of_machine or bool(frame.machine.search(words) or frame.right.match(right))
    if mention.is_plain and not is_of_machine and _OPENING.search(left[: said.start()]):
        return False  # somebody in a story says so
    if _ROLE.match(own):
        return is_of_machine and not left.rstrip().endswith(",")
    return is_of_machine or not (mention.is_maker or _ARTICLE_LAST.search(" " + words))


_ARE_YOU = re.compile(
    r"(?:\b(?:are|r) you|\bbist du|\bsind sie|\bes[- ]tu|\bêtes[- ]vous|\beres|你是(?:不是)?)[\s*\"“]*"
    r"(?:really |actually |an? |in fact |wirklich |vraiment |realmente )?$",
    re.IGNORECASE,
)


def asks_whether(text: str, mention: Mention) -> int | None:
    """Where a text asks its reader to be this one ("are you ..."), or None."""
    before = _ARE_YOU.search(text[max(0, mention.start - _FAR) : mention.start])
    return None if before is None or mention.is_maker else mention.start - len(before[0])


# Each stands at the end of a clause where it could go on to something else: "who are you going to call" asks nothing.
_END = r"(?=\s*(?:[?!.,;:)\"”»*]|$|\n|(?:and|or|und|et|y|really|exactly|today|again|genau|exactement)\b))"
_TOLD = r"(?:made|created|built|trained|developed|designed|programmed|invented|owns|runs)"

ASKS = re.compile(
    "|".join(
        (
            rf"\b(?:who|what) (?:exactly |really |actually )?(?:are|r) (?:you|u){_END}",
            r"\bwhat(?:['’]s| is| was) your (?:real |full |actual |own )?name\b",
            r"\bwhat are you called\b|\bdo you have a name\b",
            rf"\b(?:tell me|say|state|reveal) (?:your (?:model )?name|what (?:model|AI) you are|who {_TOLD} you)\b",
            rf"\b(?:tell me|say|state|reveal) (?:who|what) you are{_END}",
            r"\b(?:which|what) (?:[\w']+ ){0,5}?(?:models?|LLM|AI|chatbot|bot|GPT|version)(?: \w+){0,2}? are you\b",
            r"\b(?:which|what) (?:\w+ ){0,4}?model (?:\w+ )?(?:you are|powers you|is this)\b|\byour model name\b",
            r"\b(?:who|which|what) (?:\w+ ){0,3}?(?:am I|I am|I['’]m) (?:talking|speaking|chatting) (?:to|with)\b",
            rf"\bwho (?:\w+ )?{_TOLD} you\b|\bwho(?:['’]s| is) behind you\b",
            r"\bwho (?:is|are|was|were) your (?:creators?|makers?|developers?|owners?)\b",
            rf"\b(?:which|what) (?:company|organi[sz]ation|lab|team|firm) (?:\w+ ){{0,2}}{_TOLD} you\b",
            r"\b(?:which|what) (?:company|organi[sz]ation) (?:are you|do you come) from\b",
            rf"\b(?:by whom|by which company) were you\b|\bwere you {_TOLD} by\b",
            rf"\b(?:introduce|identify) yourself\b|\b(?:tell me about|describe) yourself{_END}",
            rf"\bwer (?:bist du|sind sie){_END}|\bwie hei(?:ß|ss)(?:t du|en sie)\b",
            r"\bwie (?:ist|lautet) (?:dein|ihr) name\b",
            r"\bwelche[rs]? (?:\w+[ -]){0,2}?(?:\w*modell|KI|chatbot) (?:bist du|sind sie)\b",
            r"\bwas für eine? (?:\w+ )?(?:\w*modell|KI) (?:bist du|sind sie)\b|\bmit wem (?:spreche|rede|chatte) ich\b",
            r"\bwer hat (?:dich|sie) (?:gemacht|erstellt|entwickelt|trainiert|erschaffen|programmiert|gebaut)\b",
            r"\bvon wem (?:wurdest|bist) du\b|\bwelche firma (?:hat|steckt)[^.?!\n]*\b(?:dich|dir)\b",
            rf"\bqui (?:es[- ]tu|êtes[- ]vous){_END}|\b(?:t['’]es|tu es|vous êtes) qui\b",
            r"\bprésente[-zs ]+(?:toi|vous)\b",
            r"\bcomment (?:t['’]appelles[- ]tu|vous appelez[- ]vous|tu t['’]appelles)\b|\bquel est (?:ton|votre) nom\b",
            r"\bquel(?:le)? (?:\w+ ){0,3}?(?:modèle|IA)\b[^.?!\n]{0,20}\b(?:es[- ]tu|êtes[- ]vous)\b",
            r"\b(?:qui|quelle (?:entreprise|société)) (?:t['’]a|vous a)\b",
            r"\bavec qui (?:je parle|est-ce que je parle)\b",
            rf"\bqui[eé]n (?:eres(?: tú)?|es usted){_END}",
            r"\bc[oó]mo te llamas\b|\bcu[aá]l es tu nombre\b|\bpres[eé]ntate\b",
            r"\bqu[eé] (?:\w+ ){0,3}?(?:modelo|IA)\b[^.?!\n]{0,20}\beres\b|\bcon qui[eé]n (?:estoy )?habl(?:o|ando)\b",
            r"\b(?:qui[eé]n|qu[eé] (?:empresa|compañía)) te (?:cre[oó]|hizo|desarroll[oó]|entren[oó]|program[oó])\b",
            r"[你您]是[谁誰]|你是什么(?:模型|AI|人工智能|大模型|语言模型)|你是哪(?:个|家|一个)|你叫什么|你叫啥|你的名字(?:是|叫)",
            r"(?:[谁誰]|哪家公司|哪个公司|什么公司)(?:开发|创造|创建|训练|制造|设计|開發|創造)(?:了|的)?[你您]",
            r"[你您]是(?:由)?(?:[谁誰]|哪家公司|哪个公司)(?:开发|训练|创造|创建|制造|研发)|你背后是什么模型|介绍(?:一下)?你自己|自我介绍",
        )
    ),
    re.IGNORECASE,
)
"""How a prompt asks who answers."""
