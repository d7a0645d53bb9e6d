"""How both stages were trained: losses and metrics by epoch, from TensorBoard's event files."""

import pathlib
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util

from pipeline.report.html import charts, elements, wording

_VALIDATION_METRICS = ("ndcg@10", "recall@10", "recall@100")
_OWN_RUNS = {"train": "train", "validation": "valid"}
_DASHES = ((0, (4, 3)), (0, (1, 2)), (0, (6, 2, 1, 2)))
_EPOCH_PREFIX = "epoch_"
Curve = list[tuple[int, float]]
"""(epoch from 0 on, value), in order of epochs."""
Curves = dict[str, dict[str, Curve]]
"""By run (train, validation, a baseline's name): metric -> curve."""


def add_training_section(body: Element, stages: dict[str, Curves]) -> None:
    """Adds losses and metrics of each stage; nothing where no curves were written."""
    if not any(stages.values()):
        return
    part = elements.add_section(
        body, "Training",
        "What each epoch ended with. Losses of train and valid may differ by a constant: dropout "
        "and negatives are not the same in both.",
    )  # fmt: skip
    grid = elements.add_plot_grid(part, "thirds")
    for stage, curves in stages.items():
        losses = select_curves(curves, "loss")
        if losses:
            title = f"Loss of {stage}"
            elements.add_plot(
                grid, draw_curves(losses, "loss (mean per example)"), title, describe_losses(losses)
            )
        for metric in _VALIDATION_METRICS:
            selected = select_curves(curves, metric)
            if selected:
                title = f"{wording.format_name(metric)} of {stage} on valid"
                axis = f"{wording.format_name(metric)} (mean over users)"
                elements.add_plot(
                    grid, draw_curves(selected, axis), title, describe_metric(selected)
                )


def select_curves(curves: Curves, metric: str) -> dict[str, Curve]:
    """The metric's curve of each run that has it, ours first; {} where ours has none."""
    ours = {
        name: curves[run][metric]
        for run, name in _OWN_RUNS.items()
        if metric in curves.get(run, {})
    }
    others = {n: run[metric] for n, run in curves.items() if n not in _OWN_RUNS and metric in run}
    return (ours | others) if ours else {}


def draw_curves(curves: dict[str, Curve], axis: str) -> Figure:
    """Draws ours as lines with points, and baselines as horizontal lines."""
    longest = max(len(curves[name]) for name in curves if name in _OWN_RUNS.values())
    with charts.open_axes("third", 2.5) as (figure, axes):
        others = 0
        for name, curve in curves.items():
            values = [value for _, value in curve]
            if name in _OWN_RUNS.values():
                colour = charts.ACCENT if name == "valid" else charts.MUTED
                epochs = [epoch + 1 for epoch, _ in curve]
                axes.plot(epochs, values, "o-", color=colour.light, markersize=4, label=name)
            elif values:
                dash = _DASHES[others % len(_DASHES)]
                others += 1
                axes.axhline(
                    values[-1], color=charts.INK.light, linewidth=1, linestyle=dash,
                    label=wording.format_name(name),
                )  # fmt: skip
        axes.set_xlim(0.7, longest + 0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.margins(y=0.15)
        axes.set_xlabel("epoch")
        axes.set_ylabel(axis)
        figure.legend(loc="outside upper left", ncols=3, handlelength=2.2)
    return figure


def describe_losses(curves: dict[str, Curve]) -> str:
    """Describes when the loss on valid was lowest."""
    if not curves.get("valid"):
        return "No loss on valid was written."
    epoch, value = min(curves["valid"], key=lambda point: point[1])
    last = curves["valid"][-1][0]
    return (
        f"Lowest on valid in epoch {epoch + 1} of {last + 1}: {wording.format_number(value)}"
        f"{', after which it rises' if epoch < last else ', the last one'}."
    )


def describe_metric(curves: dict[str, Curve]) -> str:
    """Describes the best epoch, compared with the best baseline."""
    ours = curves.get("valid") or curves["train"]
    epoch, value = max(ours, key=lambda point: point[1])
    own = _OWN_RUNS.values()
    others = {name: curve[-1][1] for name, curve in curves.items() if name not in own}
    text = f"Highest in epoch {epoch + 1}: {wording.format_number(value)}."
    if not others:
        return text
    best = max(others, key=lambda name: others[name])
    value = wording.format_number(others[best])
    return f"{text} The best baseline, {wording.format_name(best)}, has {value}."


def read_curves(stage: pathlib.Path) -> Curves:
    """Reads the curves of each run below the folder of a stage; {} without a folder."""
    if not stage.is_dir():
        return {}
    return {run.name: _read_run(run) for run in sorted(stage.iterdir()) if run.is_dir()}


def _read_run(folder: pathlib.Path) -> dict[str, Curve]:
    everything = {event_accumulator.TENSORS: 0}
    events = event_accumulator.EventAccumulator(str(folder), everything).Reload()
    return {
        tag.removeprefix(_EPOCH_PREFIX): select_latest_training(
            (event.wall_time, event.step, float(tensor_util.make_ndarray(event.tensor_proto)))
            for event in events.Tensors(tag)
        )
        for tag in events.Tags()[event_accumulator.TENSORS]
        if tag.startswith(_EPOCH_PREFIX)
    }


def select_latest_training(written: Iterable[tuple[float, int, float]]) -> Curve:
    """Selects the latest training's events, of (wall time, step, value) in any order.

    A folder may hold earlier trainings, and one that was resumed: a training that writes a step
    again replaces all events from that step on.
    """
    curve: Curve = []
    for _, step, value in sorted(written, key=lambda event: event[0]):
        curve = [*(point for point in curve if point[0] < step), (step, value)]
    return curve
