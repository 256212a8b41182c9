"""Pushing a run to the Hugging Face hub."""

import tempfile
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.runs.pulling import address_of, telling_hub
from zoo.sharing.packing import SINGLE, Packing, pack
from zoo.training.run import Run, load

REPLACED = ["checkpoints/*", "plugins/*", "packed.json", "evaluation.json", "samples.png"]  # of what was pushed before


def push(
    run: Run | Path | str,
    to: str,
    *,
    packing: Packing = Packing(SINGLE),  # noqa: B008  frozen
    private: bool = False,
    message: str | None = None,
) -> dict[str, Any]:
    """Push a run with a card to `hf://owner/name`, which is made where it is not there; its address and revision.

    The token is the one that `hf auth login` keeps, or $HF_TOKEN. Raises ZooError where the hub refuses.
    """
    address = address_of(to)
    if address is None:
        raise ZooError(f"'{to}' is no address on the hub. Expected hf://owner/name.")
    repository, revision = address.repository
    run = run if isinstance(run, Run) else load(run)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pack(run, Path(scratch, "run"), packing)
        with telling_hub(address) as hub:
            hub.create_repo(repository, private=private, exist_ok=True)
            done = hub.upload_folder(
                repo_id=repository,
                folder_path=folder,
                revision=revision,
                commit_message=message or f"zoo push: {run.record['stack']}",
                delete_patterns=REPLACED,
            )
    return {"address": str(address), "revision": done.oid}
