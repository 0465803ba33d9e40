"""The director's charts, made with Bokeh on the server and drawn by Bokeh's own script in the browser.

Colours are those of the style sheet's signs on either ground; every chart stands beside a table of the same
figures, so nothing is told by a picture alone.
"""

import json
from collections.abc import Sequence
from typing import Any

from bokeh.embed import json_item
from bokeh.models import BasicTicker, ColumnDataSource, HoverTool, NumeralTickFormatter
from bokeh.plotting import figure

_BLUE, _AMBER, _GREY = "#2f6fce", "#c77700", "#7a8594"
_HEIGHT = 260
_RATIO, _COUNT = "0.[0]%", "0,0"

type Points = Sequence[tuple[str, float]]


def bars(points: Points, unit: str, *, share: bool = False) -> str:
    """Return a chart of lying bars, the first on top, as the JSON that Bokeh's script draws."""
    names = [name for name, _ in points]
    plot = _figure(y_range=names[::-1], height=max(120, 40 + 34 * len(names)), label=unit)
    data = ColumnDataSource({"name": names, "value": [value for _, value in points]})
    plot.hbar(y="name", right="value", height=0.62, source=data, color=_BLUE)
    plot.xaxis.formatter = NumeralTickFormatter(format=_RATIO if share else _COUNT)
    if not share:
        # Nothing is counted by halves, and on a phone long numbers need their room.
        plot.xaxis.ticker = BasicTicker(min_interval=1, desired_num_ticks=4)
    plot.x_range.start = 0
    return _json(plot)


def columns(points: Points, unit: str, *, share: bool = False, plan: Points = ()) -> str:
    """Return a chart of standing bars, with a mark at what was planned for each."""
    names = sorted({name for name, _ in (*points, *plan)})
    plot = _figure(x_range=names, height=_HEIGHT, label=unit)
    data = ColumnDataSource({"name": [name for name, _ in points], "value": [value for _, value in points]})
    plot.vbar(x="name", top="value", width=0.62, source=data, color=_BLUE, legend_label=unit)
    if plan:
        planned = ColumnDataSource({"name": [n for n, _ in plan], "value": [value for _, value in plan]})
        plot.scatter(
            x="name", y="value", size=26, marker="dash", line_width=4, color=_AMBER, source=planned,
            legend_label="planned",
        )  # fmt: skip
    plot.legend.visible = bool(plan)
    plot.legend.orientation = "horizontal"
    plot.legend.background_fill_alpha = plot.legend.border_line_alpha = 0
    plot.legend.label_text_color = _GREY
    plot.add_layout(plot.legend[0], "above")
    plot.yaxis.formatter = NumeralTickFormatter(format=_RATIO if share else _COUNT)
    plot.y_range.start = 0
    plot.xaxis.major_label_orientation = _leaning(names)
    return _json(plot)


def line(points: Points, unit: str) -> str:
    """Return a line over the parts of a period, from 0 to 100 %."""
    names = [name for name, _ in points]
    plot = _figure(x_range=names, height=_HEIGHT, label=unit, y_range=(0, 1.02))
    data = ColumnDataSource({"name": names, "value": [value for _, value in points]})
    plot.line(x="name", y="value", source=data, line_width=3, color=_BLUE)
    plot.scatter(x="name", y="value", source=data, size=9, color=_BLUE)
    plot.yaxis.formatter = NumeralTickFormatter(format=_RATIO)
    plot.xaxis.major_label_orientation = _leaning(names)
    return _json(plot)


def _leaning(names: Sequence[str]) -> float:
    """Return how far the names of an axis lean, in radians: few stand side by side, also on a phone."""
    return 0.8 if len(names) > 4 else 0.0  # noqa: PLR2004 - of months


def _figure(*, height: int, label: str, **ranges: Any) -> Any:
    plot = figure(
        height=height, sizing_mode="stretch_width", toolbar_location=None, tools="", min_width=200, **ranges
    )
    plot.add_tools(HoverTool(tooltips=[("", "@name"), (label, "@value{0,0.[00]}")]))
    plot.background_fill_alpha = plot.border_fill_alpha = 0.0
    plot.outline_line_color = None
    plot.grid.grid_line_color = _GREY
    plot.grid.grid_line_alpha = 0.25
    for axis in (*plot.xaxis, *plot.yaxis):
        axis.major_label_text_color = axis.axis_line_color = axis.major_tick_line_color = _GREY
        axis.minor_tick_line_color = None
        axis.major_label_text_font_size = "13px"
        axis.major_label_text_font = "system-ui, sans-serif"
    return plot


def _json(plot: Any) -> str:
    """Return a plot as JSON that may stand inside a script element."""
    return json.dumps(json_item(plot)).replace("<", "\\u003c")
