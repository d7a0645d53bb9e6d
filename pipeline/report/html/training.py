"""How both stages were trained: losses and validation metrics by epoch."""

from xml.etree.ElementTree import Element

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.report.html import charts, elements, wording
from pipeline.report_page import palette
from pipeline.report_page.training_curves import Curve, Curves

_METRICS = ("ndcg@10", "recall@10", "recall@100")
_OURS = {"train": "train", "validation": "valid"}
_DASHES = ((0, (4, 3)), (0, (1, 2)), (0, (6, 2, 1, 2)))


def add(body: Element, stages: dict[str, Curves]) -> None:
    """`stages` by name. Left out where nothing was written."""
    if not any(stages.values()):
        return
    part = elements.section(
        body, "Training",
        "What each epoch ended with. Losses of train and valid may differ by a constant: dropout "
        "and negatives are not the same in both.",
    )  # fmt: skip
    grid = elements.plots(part, "thirds")
    for stage, curves in stages.items():
        losses = lines(curves, "loss")
        if losses:
            title = f"Loss of {stage}"
            elements.plot(
                grid, draw(losses, "loss (mean of an example)"), title, loss_caption(losses)
            )
        for metric in _METRICS:
            measured = lines(curves, metric)
            if measured:
                title = f"{wording.name(metric)} of {stage} on valid"
                axis = f"{wording.name(metric)} (mean over users)"
                elements.plot(grid, draw(measured, axis), title, metric_caption(measured))


def lines(curves: Curves, metric: str) -> dict[str, Curve]:
    """Of each run that has the metric, ours first."""
    ours = {
        said: curves[run][metric] for run, said in _OURS.items() if metric in curves.get(run, {})
    }
    others = {n: run[metric] for n, run in curves.items() if n not in _OURS and metric in run}
    return (ours | others) if ours else {}


def draw(found: dict[str, Curve], axis: str) -> Figure:
    """Ours as lines with points, baselines as level ones, each with its name."""
    longest = max(len(found[name]) for name in found if name in _OURS.values())
    with charts.axes("third", 2.5) as (figure, axes):
        others = 0
        for name, curve in found.items():
            values = [value for _, value in curve]
            if name in _OURS.values():
                colour = palette.ACCENT if name == "valid" else palette.MUTED
                epochs = [epoch + 1 for epoch, _ in curve]
                axes.plot(epochs, values, "o-", color=colour.light, markersize=4, label=name)
            elif values:
                dash = _DASHES[others % len(_DASHES)]
                others += 1
                axes.axhline(
                    values[-1], color=palette.INK.light, linewidth=1, linestyle=dash,
                    label=wording.name(name),
                )  # fmt: skip
        axes.set_xlim(0.7, longest + 0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.margins(y=0.15)
        axes.set_xlabel("epoch")
        axes.set_ylabel(axis)
        figure.legend(loc="outside upper left", ncols=3, handlelength=2.2)
    return figure


def loss_caption(found: dict[str, Curve]) -> str:
    """When valid's loss was lowest."""
    if not found.get("valid"):
        return "No loss on valid was written."
    epoch, value = min(found["valid"], key=lambda point: point[1])
    last = found["valid"][-1][0]
    return (
        f"Lowest on valid in epoch {epoch + 1} of {last + 1}: {wording.number(value)}"
        f"{', after which it rises' if epoch < last else ', the last one'}."
    )


def metric_caption(found: dict[str, Curve]) -> str:
    """The best epoch beside the best baseline."""
    ours = found.get("valid") or found["train"]
    epoch, value = max(ours, key=lambda point: point[1])
    others = {name: curve[-1][1] for name, curve in found.items() if name not in _OURS.values()}
    said = f"Highest in epoch {epoch + 1}: {wording.number(value)}."
    if not others:
        return said
    best = max(others, key=lambda name: others[name])
    return f"{said} The best baseline, {wording.name(best)}, has {wording.number(others[best])}."
