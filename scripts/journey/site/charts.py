"""How each kind of chart is drawn: a Vega-Lite specification, whose rows and colours the page puts in.

Colours are names that begin with `@`; page.js has them for light and dark. Every pair that has to be told apart differs
in lightness or shape, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from journey.site.declared import Chart

Spec = dict[str, Any]

SERIES = ("@accent", "@second", "@third", "@quiet")
NUMBERS = {"amount": ",.0f", "rate": ".0%", "count": ",.0f", "number": ",.2~f"}
EXACT = {"amount": ",.2f", "rate": ".1%", "count": ",.1~f", "number": ",.2~f"}
DATES = {"date": "%-d %b %Y", "month": "%b %Y"}
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # names the version; nobody fetches it


def spec(chart: Chart) -> Spec | None:
    """The specification of a chart.

    Args:
        chart: a checked one.

    Returns:
        None for a kind that is a table, which page.js writes.
    """
    draw = DRAWN.get(chart.kind)
    if draw is None:
        return None
    return {
        "$schema": SCHEMA,
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        **draw(chart),
    }


def _quantity(chart: Chart, name: str, **more: Any) -> Spec:
    form = chart.format(name)
    axis = {"format": NUMBERS.get(form, ""), "tickCount": 5, "title": chart.label(name)}
    if form == "amount":
        axis["format"] = "~s"
    return {"field": name, "type": "quantitative", "axis": axis, **more}


def _along(chart: Chart, name: str, **more: Any) -> Spec:
    """An axis of periods: dates as they are written, without anybody's time zone; other names in order."""
    form = chart.format(name)
    if form not in DATES:
        return {"field": name, "type": "ordinal", "axis": {"title": None, "labelAngle": 0}, **more}
    axis = {"title": None, "format": "%b %Y", "tickCount": 6, "labelOverlap": True, "grid": False}
    return {"field": name, "type": "temporal", "scale": {"type": "utc"}, "axis": axis, **more}


def _told(chart: Chart) -> list[Spec]:
    """What a pointer is told: all columns of the row."""
    told: list[Spec] = []
    for column in chart.columns:
        one: Spec = {"field": column.name, "title": column.label}
        if column.format in DATES:
            one |= {"type": "temporal", "timeUnit": "utcyearmonthdate", "format": DATES[column.format]}
        elif column.format in EXACT:
            one |= {"type": "quantitative", "format": EXACT[column.format]}
        else:
            one |= {"type": "nominal"}
        told.append(one)
    return told


def _trend(chart: Chart) -> Spec:
    x, lines = chart.one("x"), chart.roles["y"]
    zero = bool(chart.said.get("zero", True))
    layers: list[Spec] = []
    if chart.one("lower"):
        layers.append(
            {
                "mark": {"type": "area", "opacity": 0.25, "color": "@accent"},
                "encoding": {
                    "x": _along(chart, x),
                    "y": _quantity(chart, chart.one("lower"), title=None),
                    "y2": {"field": chart.one("upper")},
                },
            }
        )
    names = [chart.label(name) for name in lines]
    colour = {
        "type": "nominal",
        "scale": {"domain": names, "range": list(SERIES[: len(names)])},
        "legend": {"title": None, "orient": "top", "symbolType": "stroke"} if len(lines) > 1 else None,
    }
    for number, name in enumerate(lines):
        y = _quantity(chart, name, scale={"zero": zero})
        y["axis"]["title"] = None  # the sentence above and the legend say it
        dash = [[1, 0], [6, 3], [2, 2]][number % 3]
        mark = {"type": "line", "strokeWidth": 2.5 if number == 0 else 2, "strokeDash": dash}
        encoding = {"x": _along(chart, x), "y": y, "color": {"datum": names[number], **colour}}
        layers.append({"mark": mark, "encoding": encoding})
    partial = chart.one("partial")
    point: Spec = {
        "mark": {"type": "point", "size": 45, "filled": False, "strokeWidth": 2, "color": "@accent"},
        "encoding": {
            "x": _along(chart, x),
            "y": _quantity(chart, lines[0], title=None),
            "tooltip": _told(chart),
            "fill": {"condition": {"test": f"datum['{partial}']", "value": "@surface"}, "value": "@accent"}
            if partial
            else {"value": "@accent"},
        },
    }
    return {"height": 260, "layer": [*layers, point]}


def _bars(chart: Chart) -> Spec:
    item, value = chart.one("item"), chart.one("value")
    form = chart.format(value)
    minus = f"datum['{value}'] < 0"
    return {
        "height": {"step": 24},
        "encoding": {
            "y": {"field": item, "type": "nominal", "sort": None, "axis": {"title": None, "labelLimit": 180}},
            "x": _quantity(chart, value),
            "tooltip": _told(chart),
        },
        "layer": [
            {
                "mark": {"type": "bar", "height": {"band": 0.72}, "cornerRadiusEnd": 2},
                "encoding": {"color": {"condition": {"test": minus, "value": "@second"}, "value": "@accent"}},
            },
            {
                "mark": {
                    "type": "text",
                    "align": {"expr": f"{minus} ? 'right' : 'left'"},
                    "dx": {"expr": f"{minus} ? -5 : 5"},
                    "color": "@ink",
                },
                "encoding": {
                    "text": {
                        "field": value,
                        "type": "quantitative",
                        "format": (EXACT if form == "rate" else NUMBERS)[form],
                    }
                },
            },
        ],
    }


def _pareto(chart: Chart) -> Spec:
    x = _quantity(chart, "items_rate", scale={"domain": [0, 1]})
    y = _quantity(chart, "cumulative_rate", scale={"domain": [0, 1]})
    line = {"encoding": {"y": {"datum": 0.8}}, "mark": {"type": "rule", "strokeDash": [4, 4], "color": "@quiet"}}
    said = {
        "encoding": {"y": {"datum": 0.8}, "x": {"value": "width"}},
        "mark": {"type": "text", "text": "80 %", "align": "right", "dy": -7, "color": "@quiet"},
    }
    curve = {
        "mark": {
            "type": "area",
            "line": {"color": "@accent", "strokeWidth": 2.5},
            "color": "@accent",
            "fillOpacity": 0.15,
        },
        "encoding": {"x": x, "y": y},
    }
    points = {
        "mark": {"type": "point", "filled": True, "size": 30, "color": "@accent", "opacity": 0.9},
        "encoding": {"x": x, "y": y, "tooltip": _told(chart)},
    }
    return {"height": 280, "layer": [curve, line, said, points]}


def _heatmap(chart: Chart) -> Spec:
    x, y, value = chart.one("x"), chart.one("y"), chart.one("value")
    words = chart.format(x) == "text" and x.endswith("_name")
    axis: Spec = {
        "title": chart.label(x),
        "labelAngle": -35 if words else 0,
        "orient": "top",
        "labelOverlap": not words,
    }
    across: Spec = {"field": x, "type": "ordinal", "axis": axis, "sort": None if "order" in chart.said else "ascending"}
    down: Spec = {"field": y, "type": "ordinal", "axis": {"title": chart.label(y)}, "sort": across["sort"]}
    for one in (across, down):
        if chart.format(one["field"]) in DATES:
            one["axis"]["labelExpr"] = f"utcFormat(toDate(datum.value), '{DATES[chart.format(one['field'])]}')"
    shown = {"amount": "~s", "rate": ".0%"}.get(chart.format(value), ",.0f")
    return {
        "height": {"step": 28},
        "encoding": {"x": across, "y": down, "tooltip": _told(chart)},
        **({"padding": {"right": 48}} if words else {}),  # the last slanting word
        "transform": [{"joinaggregate": [{"op": "max", "field": value, "as": "most"}]}],
        "layer": [
            {
                "mark": {"type": "rect", "stroke": "@surface", "strokeWidth": 1},
                "encoding": {
                    "color": {
                        "field": value,
                        "type": "quantitative",
                        "scale": {"range": ["@low", "@high"], "zero": True},
                        "legend": {"title": chart.label(value), "orient": "bottom", "format": shown, "tickCount": 4,
                                   "gradientLength": 180},
                    }
                },
            },
            {
                "name": "figures",
                "mark": {"type": "text", "fontSize": 11},
                "transform": [{"filter": f"isValid(datum['{value}'])"}],
                "encoding": {
                    "text": {"field": value, "type": "quantitative", "format": shown},
                    "color": {
                        "condition": {"test": f"datum['{value}'] > 0.5 * datum.most", "value": "@on_high"},
                        "value": "@on_low",
                    },
                },
            },
        ],
    }  # fmt: skip


def _scatter(chart: Chart) -> Spec:
    x, y, size, item = (chart.one(role) for role in ("x", "y", "size", "item"))
    both = {"x": _quantity(chart, x), "y": _quantity(chart, y)}
    layers: list[Spec] = [
        {
            "mark": {"type": "circle", "opacity": 0.55, "color": "@accent", "stroke": "@accent", "strokeWidth": 1},
            "encoding": {
                **both,
                "tooltip": _told(chart),
                "size": {
                    "field": size,
                    "type": "quantitative",
                    "scale": {"range": [30, 900], "zero": True},
                    "legend": None,
                },
            },
        },
        {
            "mark": {"type": "text", "dy": -16, "color": "@ink", "fontSize": 11},
            "encoding": {**both, "text": {"field": item, "type": "nominal"}},
        },
    ]
    if chart.format(x) == chart.format(y) == "rate":  # above the line an item has more of one than of the other
        layers.insert(
            0,
            {
                "transform": [
                    {"aggregate": [{"op": "max", "field": x, "as": "a"}, {"op": "max", "field": y, "as": "b"}]},
                    {"calculate": "min(datum.a, datum.b)", "as": "end"},
                    {"calculate": "0", "as": "begin"},
                ],
                "mark": {"type": "rule", "strokeDash": [4, 4], "color": "@quiet"},
                "encoding": {
                    "x": {"field": "begin", "type": "quantitative"},
                    "y": {"field": "begin", "type": "quantitative"},
                    "x2": {"field": "end"},
                    "y2": {"field": "end"},
                },
            },
        )
    return {"height": 320, "layer": layers}


def _intervals(chart: Chart) -> Spec:
    value, lower, upper, verdict = (chart.one(role) for role in ("value", "lower", "upper", "verdict"))
    shown = _quantity(chart, value, title=chart.label(value))
    place = {
        "field": "item",
        "type": "nominal",
        "sort": None if "order" in chart.said else {"field": value, "order": "descending", "op": "max"},
        "axis": {"title": None, "labelLimit": 400},
    }
    zero = 1 if chart.format(value) == "number" else 0  # a ratio of 1 says what a difference of 0 does
    item = " + ' · ' + ".join(f"datum['{name}']" for name in chart.roles["item"])
    sure = f"datum['{lower}'] > {zero} || datum['{upper}'] < {zero}"
    colour = {"condition": {"test": sure, "value": "@accent"}, "value": "@quiet"}
    return {
        "height": {"step": 24},
        "transform": [
            {"filter": f"isValid(datum['{value}'])" + (f" && datum['{verdict}'] != 'cannot tell'" if verdict else "")},
            {"calculate": item, "as": "item"},
        ],
        "encoding": {"y": place, "tooltip": _told(chart)},
        "layer": [
            {
                "mark": {"type": "rule", "color": "@quiet"},
                "encoding": {"x": {"datum": zero}, "y": None, "tooltip": None},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"x": {**shown, "field": lower}, "x2": {"field": upper}, "color": colour},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {"x": shown, "color": colour},
            },
        ],
    }


def _bridge(_: Chart) -> Spec:
    """Both totals, and each row's step between them; page.js works out where the bars float."""
    amount = {"type": "quantitative", "axis": {"format": "~s", "tickCount": 5, "title": None}, "scale": {"zero": False}}
    kinds = {"domain": ["total", "more", "less"], "range": ["@quiet", "@accent", "@second"]}
    return {
        "height": {"step": 26},
        "encoding": {
            "y": {"field": "item", "type": "nominal", "sort": None, "axis": {"title": None, "labelLimit": 190}}
        },
        "layer": [
            {
                "mark": {"type": "bar", "height": {"band": 0.7}},
                "encoding": {
                    "x": {"field": "from", **amount},
                    "x2": {"field": "to"},
                    "color": {"field": "change", "type": "nominal", "scale": kinds, "legend": None},
                    "tooltip": [
                        {"field": "item", "title": " "},
                        {"field": "step", "type": "quantitative", "format": "+,.2f", "title": "Amount"},
                    ],
                },
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "color": "@ink"},
                "encoding": {
                    "x": {"field": "right", **amount},
                    "text": {"field": "said", "type": "nominal"},
                },
            },
        ],
    }


DRAWN: Mapping[str, Callable[[Chart], Spec]] = {
    "trend": _trend,
    "bars": _bars,
    "pareto": _pareto,
    "heatmap": _heatmap,
    "scatter": _scatter,
    "intervals": _intervals,
    "bridge": _bridge,
}
