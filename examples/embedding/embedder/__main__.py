"""`python -m embedder`: serve the model. Settings are environment variables; see the README."""

import asyncio
import logging
import os
import sys

from embedder.protocol import MissingModelError, Model
from embedder.serve import serve
from embedder.settings import BadSettingError, Settings


def main() -> int:
    """Serve until told to end; the status is 0, or 2 after a sentence that says why not."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    log = logging.getLogger("embedder")
    try:
        settings = Settings.of_environment(os.environ)
        asyncio.run(serve(settings, lambda: _load(settings)))
    except (BadSettingError, MissingModelError, OSError) as error:
        log.error("%s", error)  # noqa: TRY400 - the sentence is for a person
        return 2
    return 0


def _load(settings: Settings) -> Model:
    # Imported here so that the server listens, and can be told to end, before the half second
    # that these libraries take.
    from embedder.model import OnnxModel  # noqa: PLC0415

    return OnnxModel(settings.model_folder, threads=settings.threads)


if __name__ == "__main__":
    sys.exit(main())
