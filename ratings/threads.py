"""Two threads for long arrays: numpy computes on these without holding the other up."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_N_THREADS = 2

Given = TypeVar("Given")
Result = TypeVar("Result")


def mapped(of: Callable[[Given], Result], given: Iterable[Given]) -> Iterator[Result]:
    """A function of each of these, in their order; two at a time."""
    with ThreadPoolExecutor(_N_THREADS) as pool:
        ahead: deque[Future[Result]] = deque()
        for each in given:
            ahead.append(pool.submit(of, each))
            if len(ahead) > _N_THREADS:  # they may be made as they are taken: not all of them are held
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
