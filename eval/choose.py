"""Choices on one labelled data set, for figures on another: weights of what is fused, smoothing's width, checkpoints.

Every indicator of every run, the trivial baselines too, is tried on the set that choices are made on with each pair of
a small grid, and keeps the pair of the highest micro AUROC there. What the protocol has for the set that figures are of
is tried first and stays where nothing is better. Of a run that keeps several states of its training, the state is the
one whose headline is best. That set's labels play no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.baselines import scores_of
from pagen.eval.fusion import grid_of_weights
from pagen.eval.labelled import Labelled, labelled
from pagen.eval.metrics.roc import micro_auroc
from pagen.eval.protocol import Protocol, apply
from pagen.eval.results import Choice, ChosenOn, leading
from pagen.eval.scores import Scores
from pagen.eval.series import Choices, changed_by, members_of
from pagen.eval.settings import EvaluationSettings
from pagen.footage.prepare import Prepared
from pagen.models.runs import checkpoints_of

SHARES = 4
"""Weights that are tried are multiples of a quarter that sum to 1."""
SIGMAS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
"""Widths that are tried, frames; the first of them changes next to nothing."""


@dataclass(frozen=True)
class Judge:
    """A labelled data set to choose on, and the runs that are scored on it."""

    runs: Sequence[Path]
    on: Labelled
    compute: Compute

    @property
    def chosen_on(self) -> ChosenOn:
        """What tables say of it."""
        return ChosenOn(self.on.prepared.dataset, self.on.edition, len(self.on.labels))

    def choices(self, protocol: Protocol, target: str) -> Choices:
        """What is chosen under a protocol for figures of the data set `target`. Raises PagenError as `choices_of`."""
        found = choices_of(protocol, self._scored(protocol, {}), target)
        for run in self.runs:
            last, *others = checkpoints_of(run).items()
            if others:
                states = [self._of_state(protocol, run, state, target) for state in (last, *others)]
                best: Choices = max(states, key=_micro_of_headline)
                found = {**found, **best}
        return found

    def _of_state(self, protocol: Protocol, run: Path, state: tuple[str, Path], target: str) -> Choices:
        """What is chosen for a run at one state of its training."""
        name, path = state
        chosen = choices_of(protocol, self._scored(protocol, {str(run): path}, [run])[1:], target)
        return {key: replace(choice, checkpoint=name) for key, choice in chosen.items()}

    def _scored(
        self, protocol: Protocol, places: Mapping[str, Path], runs: Sequence[Path] | None = None
    ) -> list[tuple[str, Scores]]:
        asked = self.runs if runs is None else runs
        return self.on.of(scores_of(asked, self.on.prepared, protocol, self.compute, places))


def _micro_of_headline(choices: Choices) -> float:
    """Of the choices of one run."""
    found = {indicator: choice.micro for (_, indicator), choice in choices.items()}
    return found[leading(found)]


def places_of(choices: Choices) -> dict[str, Path]:
    """Run -> where the state of its training lies that was chosen, where that is not its last."""
    states = {run: choice.checkpoint for (run, _), choice in choices.items() if choice.checkpoint}
    return {run: checkpoints_of(Path(run))[name] for run, name in states.items()}


def judge_of(
    runs: Sequence[Path], targets: Sequence[Prepared], settings: EvaluationSettings, compute: Compute
) -> Judge | None:
    """What `settings.choose_on` asks for; None where it asks for nothing.

    Raises PagenError as `labelled`, or where a test clip of a target is one of the set that choices are made on, by its
    frames, whatever it is called.
    """
    if not settings.choose_on:
        return None
    compute = replace(compute, root=settings.choose_root or compute.root)
    on = labelled(settings.choose_on, compute)
    for target in targets:
        shared = sorted(_frames(on.prepared) & _frames(target))
        if shared:
            raise _not_other(target.dataset, f"{settings.choose_on}, which shares {len(shared)} with it")
    return Judge(runs, on, compute)


def require_other(choose_on: str | None, targets: Sequence[str]) -> None:
    """Raise PagenError where choices would be made on a data set that figures are of, before anything is read."""
    if choose_on is not None and choose_on in targets:
        raise _not_other(choose_on, "the same data set")


def _not_other(target: str, found: str) -> PagenError:
    wanted = f"a data set for --choose-on that shares no test clip with {target}"
    return PagenError(f"expected {wanted}, found {found}; choose on another one, or leave --choose-on out")


def _frames(prepared: Prepared) -> set[str]:
    """What stands for the frames of each test clip."""
    items = prepared.folder.items
    return {items[name]["files"][f"clips/{name}.npy"]["sha256"] for name in prepared.clips("test")}


def choices_of(protocol: Protocol, scored: Sequence[tuple[str, Scores]], target: str) -> Choices:
    """Run and indicator -> what is chosen for figures of `target`, by scores of the set that choices are made on.

    Raises PagenError where the frames that the protocol scores there are of one class.
    """
    return {
        (run, indicator): _chosen(protocol, scores, names, target)
        for run, scores in scored
        for indicator, names in members_of(protocol, scores).items()
    }


def _chosen(protocol: Protocol, scores: Scores, names: Sequence[str], target: str) -> Choice:
    """The first of the best candidates."""
    parts, known = {name: scores.of(name) for name in names}, scores.config.get("calibration", {})
    tried = list[Choice]()
    for candidate in _candidates(protocol, names, target):
        changed = changed_by(candidate, protocol)
        given = {"calibration": known, "weights": candidate.weights, "breaks": scores.breaks}
        final, labels = apply(changed, parts, scores.labels, **given)
        tried.append(replace(candidate, micro=micro_auroc(final, labels)))
    best = max(tried, key=lambda choice: choice.micro)
    if best.micro != best.micro:
        dataset = scores.config["dataset"]
        wanted = f"normal and abnormal frames among those that {protocol.name} scores on {dataset}, to choose by"
        raise PagenError(f"expected {wanted}, found one class; choose on another data set, or by another protocol")
    return best


def _candidates(protocol: Protocol, names: Sequence[str], target: str) -> Iterator[Choice]:
    """What the protocol has for the target, then the grid; an indicator alone has no weights."""
    own: Mapping[str, float] = protocol.weights_on(target)
    weights = [{name: own.get(name, 1.0) for name in names}, *grid_of_weights(names, SHARES)]
    widths = [protocol.sigma_on(target), *SIGMAS] if protocol.smooth != "none" else [None]
    for shares, sigma in product(weights if len(names) > 1 else [None], widths):
        yield Choice(shares, sigma)
