"""A run's networks explained: where its discriminator looks, and which latent directions change its samples most."""

from pathlib import Path
from typing import Any

from zoo import backend
from zoo.base.files import write_json
from zoo.base.progress import Progress, as_progress
from zoo.diagnosis.of_run import trainer_of
from zoo.training.run import load

FOLDER = "explanation"  # of the run directory


def explain(
    path: Path | str,
    *,
    dataset: str | None = None,
    data_dir: Path | str | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    progress: Progress | bool = True,
) -> dict[str, Any]:
    """Say where a run's discriminator looks, and where its generator's latents lead.

    Writes explanation.json and pictures into the folder `out` (`explanation` in the run directory): `looks.png`, in
    each row a real and a generated image (the image, its input gradient, its integrated gradients, occlusion), and
    `directions.png`, a strip for each direction. Returns the figures, JSON-ready. Raises ZooError where the
    discriminator judges packs of samples.

    Labels, and whatever else a generator takes beside its latents, stay what one sample was given along a strip; where
    it takes no latents, there are no directions.
    """
    run = load(path, dataset, data_dir)
    shown = as_progress(progress)
    backend.prepare()
    from zoo.diagnosis.explanation import check_judged, explained
    from zoo.training.loading import completed

    with backend.fixed():
        trainer = trainer_of(run, data_dir, shown)
        trainer.set_state(completed(run.directory.last_checkpoint()[0], trainer))
        check_judged(trainer)
        folder = Path(out) if out else run.directory.outputs / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        found = {
            "run": run.directory.called,
            "folder": str(folder),
            "step": trainer.steps,
            **explained(trainer, seed, folder),
        }
    write_json(folder / "explanation.json", found)
    return found
