"""Personal data and secrets in texts: the floor that every export stands on.

Found by their shape, and where a kind has one, by its check: Luhn's of a payment card (ISO/IEC 7812-1), the remainder
of 97 of an account number (ISO 13616), the standard library's reading of an address. Names, streets and whatever has no
shape are not found: that takes a model (`arena.dataset.recogniser`), and a person who looks.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv6Address


class Personal(StrEnum):
    """What is found, in the order in which it is looked for."""

    API_KEY = "API_KEY"
    EMAIL = "EMAIL"
    IBAN = "IBAN"
    CARD = "CARD"
    IP = "IP"
    PHONE = "PHONE"

    @property
    def mark(self) -> str:
        """What stands in its place."""
        return f"<{self.value}>"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text without what was found in it."""

    text: str
    found: frozenset[str] = frozenset()


# What stands in a text wherever something of a kind does: asked first, by the fastest means that Python has. A text is
# mapped to rows of equal letters, and a long enough row is looked for.
_N_IN_A_ROW = 7  # as in 1.2.3.4, the shortest of all that is made of digits
_DIGITS_IN_A_ROW = b"0" * _N_IN_A_ROW
_N_OF_A_KEY = 15  # the shortest key
_KEY_IN_A_ROW = b"0" * _N_OF_A_KEY
_KEY_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
_TO_KEYS = bytes(ord("0") if code in _KEY_LETTERS else ord("x") for code in range(256))

# Bytes of UTF-8: digits, and what stands between them, blanks without a break and dashes of Unicode among it.
_BETWEEN = b" ().+/-" + bytes([0xC2, 0xA0, 0xE2, 0x80, 0x89, 0x8A, 0x8B, 0x90, 0x91, 0x92, 0x93, 0x94, 0xAF])
_TO_ROWS = bytes(ord("0") if code in b"0123456789" + _BETWEEN else ord("x") for code in range(256))

_GAP = r"[ \u00a0\u2009\u202f.\-\u2010\u2011\u2012\u2013]"

_KEY = re.compile(
    r"""-----BEGIN[ A-Z]*PRIVATE\ KEY-----.*?(?:-----END[ A-Z]*PRIVATE\ KEY-----|\Z)
    | (?<![A-Za-z0-9_-])(?:
        sk-[A-Za-z0-9_-]{20,} | (?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}
        | A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Za-z0-9])
        | gh[pousr]_[A-Za-z0-9]{30,} | github_pat_[A-Za-z0-9_]{22,} | glpat-[A-Za-z0-9_-]{20,}
        | hf_[A-Za-z0-9]{30,} | npm_[A-Za-z0-9]{30,} | pypi-[A-Za-z0-9_-]{40,}
        | AIza[A-Za-z0-9_-]{35} | xox[abeoprs]-[A-Za-z0-9-]{10,}
        | eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+
    )""",
    re.VERBOSE | re.DOTALL,
)
SIGNS = (
    r"@|::|:[0-9a-fA-F]{1,4}:[0-9a-fA-F]{1,4}:|\.[0-9]{1,3}\.[0-9]|[A-Z][A-Z]\p{Nd}{2}"  # an address; an account
    r"|(?:\p{Nd}[ ().+/\x{a0}\x{2009}\x{202f}\x{2010}-\x{2013}-]{0,4}){8}"  # a card, a phone
    r"|-----BEGIN|sk-[\w-]{20}|[sr]k_(?:live|test)_|A(?:KIA|SIA)[A-Z0-9]{16}|gh[pousr]_|github_pat_|glpat-|hf_|npm_"
    r"|pypi-|AIza|xox[abeoprs]-|eyJ[\w-]{8}"
)
"""What RE2 finds in every text that `clean` changes, and in few others: to look for it, no text has to be in Python.

Less than that would do harm, more costs time alone. RE2 has no look behind, and its `\\w` is of ASCII.
"""

_N_BEFORE_SIGN = 64  # what stands before the @ of an address
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}(?![\w-])")

# These begin with the letters that they can begin with, and look at what stands before only then: such letters Python
# finds in a text some ten times as fast as a place for a look behind.
_IBAN = re.compile(r"[A-Z](?<![A-Za-z0-9].)[A-Z]\d{2}(?:[ \u00a0]?[A-Za-z0-9]){11,30}", re.DOTALL)
_CARD = re.compile(r"[2-6](?<![\w.-].)\d{3}(?:[ \u00a0-]?\d){8,15}(?![\w-]|\.\d)", re.DOTALL)
_IPV4 = re.compile(r"[0-9](?<![\w.].)\d{0,2}\.(?:\d{1,3}\.){2}\d{1,3}(?![\w-]|\.\d)", re.DOTALL)
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}(?:[0-9a-fA-F]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])")
_PHONE = re.compile(
    rf"""[+(0-9](?<![\w.,/+*^-].)(?:
        (?:(?<=\+)|(?<=0)0)[1-9]\d{{0,2}}(?:{_GAP}|/)?(?:\(0?\d{{0,4}}\)(?:{_GAP})?)?\d{{1,5}}(?:(?:{_GAP}|/)?\d{{2,5}}){{1,5}}
        | (?<=\()0?[1-9]\d{{1,4}}\){_GAP}?\d{{2,5}}(?:{_GAP}?\d{{2,5}}){{1,3}}
        | (?<=0)\d(?:{_GAP}\d{{2}}){{4}}
        | (?<=0)[1-9]\d{{1,4}}[ /\u00a0-]\d{{3,9}}(?:{_GAP}\d{{2,5}}){{0,3}}
        | (?:(?<=1){_GAP}[2-9]|(?<=[2-9]))\d{{2}}(?P<gap>{_GAP})[2-9]\d{{2}}(?P=gap)\d{{4}}
    )(?![\w]|[.,]\d|[-/]\d)""",
    re.VERBOSE | re.DOTALL,
)

# How long an account number of a country is (the SWIFT registry's figures).
_IBANS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 "
    "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 "
    "LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 "
    "SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
)
_IBAN_LENGTHS = {each[:2]: int(each[2:]) for each in _IBANS.split()}


def clean(text: str) -> Cleaned:
    """The text with marks in place of what was found. A text in which nothing can be is not looked at twice."""
    looks = _worth_looking(text)
    found: set[str] = set()
    for kind, shape, check, sign in looks:
        pieces, begin, at = [], 0, 0
        while (near := text.find(sign, at)) >= 0:
            match = shape.search(text, max(at, near - _N_BEFORE_SIGN))
            if match is None:
                break
            n_real = check(match[0])
            at = match.start() + (n_real or 1)
            if n_real:
                pieces += [text[begin : match.start()], kind.mark]
                begin = at
        if pieces:
            found.add(kind.value)
            text = "".join((*pieces, text[begin:]))
    return Cleaned(text, frozenset(found))


_Check = Callable[[str], int]
"""How many characters at the beginning of what has the shape are what it looks like; 0 for none."""


_Look = tuple[Personal, re.Pattern[str], _Check, str]
"""What to look for, by which shape and check, and what its shape has soon after it begins, "" for nothing."""


def _worth_looking(text: str) -> list[_Look]:
    """What may be in a text, told by signs that cost some microseconds."""
    looks: list[_Look] = []
    raw = text.encode("utf-8", "surrogatepass")
    if _KEY_IN_A_ROW in raw.translate(_TO_KEYS):
        looks.append((Personal.API_KEY, _KEY, len, ""))
    if "@" in text:
        looks.append((Personal.EMAIL, _EMAIL, len, "@"))
    has_digits = _DIGITS_IN_A_ROW in raw.translate(_TO_ROWS)
    if has_digits:
        looks += [(Personal.IBAN, _IBAN, _n_of_iban, ""), (Personal.CARD, _CARD, _n_of_card, "")]
    n_colons = text.count(":")
    if n_colons >= 7 or (n_colons and "::" in text):
        looks.append((Personal.IP, _IPV6, _n_of_ipv6, ""))
    if has_digits:
        looks += [(Personal.IP, _IPV4, _n_of_ipv4, ""), (Personal.PHONE, _PHONE, _n_of_phone, "")]
    return looks


def _n_of_iban(match: str) -> int:
    """The shape takes what follows too, as the next word: the country says how long the number is."""
    n_wanted = _IBAN_LENGTHS.get(match[:2].upper(), 0)
    n_seen = at = 0
    for at, letter in enumerate(match, 1):  # noqa: B007 - where it ends
        n_seen += letter.isalnum()
        if n_seen == n_wanted:
            break
    if not n_wanted or n_seen != n_wanted or match[at : at + 1].isalnum():
        return 0
    plain = "".join(filter(str.isalnum, match[:at])).upper()
    return at if plain.isascii() and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1 else 0


def _n_of_card(match: str) -> int:
    digits = [int(each) for each in match if each.isdigit()]
    doubled = (2 * each - 9 if each > 4 else 2 * each for each in digits[-2::-2])
    is_card = 13 <= len(digits) <= 19 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1
    return len(match) if is_card else 0


def _n_of_ipv4(match: str) -> int:
    """Addresses of no machine in particular, as of the machine itself and masks, are nobody's."""
    try:
        address = IPv4Address(match)
    except AddressValueError:
        return 0
    return 0 if address.is_loopback or match.startswith(("0.", "255.")) else len(match)


def _n_of_ipv6(match: str) -> int:
    """In programs names are joined by two colons; an address has digits, and two groups at least."""
    try:
        address = IPv6Address(match)
    except AddressValueError:
        return 0
    is_one = len([each for each in match.split(":") if each]) > 1 and any(map(str.isdigit, match))
    return len(match) if is_one and not address.is_loopback else 0


def _n_of_phone(match: str) -> int:
    n_digits = sum(map(str.isdigit, match))
    return len(match) if 8 <= n_digits <= 15 else 0
