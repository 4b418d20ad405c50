"""The arena, as a laptop, a Space and a container start it: settings, store, pages, serve."""

import os
import sys
from functools import partial

from arena.errors import ArenaError
from arena.settings import Settings, named_secrets


def main() -> int:
    # As for the commands: small matrices, and threads that would wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from arena.ui.server import serve  # noqa: PLC0415 - it loads Gradio

    try:
        serve(Settings.from_env(os.environ), partial(named_secrets, os.environ))
    except ArenaError as error:
        print(f"bakeoff: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
