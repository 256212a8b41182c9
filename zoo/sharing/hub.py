"""Pushing a run to the Hugging Face hub."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.runs.pulling import address_of, telling_hub
from zoo.sharing.packing import SINGLE, Packing, pack
from zoo.sharing.space import RUN, write_space
from zoo.training.run import Run, load

REPLACED = ["checkpoints/*", "plugins/*", "packed.json", "evaluation.json", "samples.png"]  # of what was pushed before


def push(
    run: Run | Path | str,
    to: str,
    *,
    packing: Packing = Packing(SINGLE),  # noqa: B008  frozen
    private: bool = False,
    message: str | None = None,
    space: bool = False,
    requirement: str | None = None,
) -> dict[str, Any]:
    """Push a run with a card to `hf://owner/name`, which is made where it is not there; its address and revision.

    A `space` is the page of `zoo explore` for it, where `requirement` is installed (see `zoo.sharing.space`). The token
    is the one that `hf auth login` keeps, or $HF_TOKEN. Raises ZooError where the hub refuses.
    """
    address = address_of(to)
    if address is None:
        raise ZooError(f"'{to}' is no address on the hub. Expected hf://owner/name.")
    repository, revision = address.repository
    run = run if isinstance(run, Run) else load(run)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "run")
        if space:
            write_space(run, folder, packing, requirement)
        else:
            pack(run, folder, replace(packing, address=str(address)))
        kind: dict[str, Any] = {"repo_type": "space"} if space else {}
        with telling_hub(address) as hub:
            hub.create_repo(
                repository, private=private, exist_ok=True, **kind, **({"space_sdk": "gradio"} if space else {})
            )
            done = hub.upload_folder(
                repo_id=repository,
                folder_path=folder,
                revision=revision,
                commit_message=message or f"zoo push: {run.record['stack']}",
                delete_patterns=[f"{RUN}/*"] if space else REPLACED,
                **kind,
            )
    return {"address": str(address), "revision": done.oid}
