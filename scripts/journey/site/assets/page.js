// Draws each chart of the page, its filters, table and download, all from the rows that stand in the page.
// Whatever comes from data is put in as a text, never as HTML.
"use strict";
(() => {
  const COLOURS = {
    light: { surface: "#ffffff", ink: "#16202b", quiet: "#6b7682", line: "#d8dde3", accent: "#0b5cad", second: "#d1700b",
             third: "#5f3d8f", low: "#eef4fb", high: "#08407f", on_low: "#16202b", on_high: "#ffffff" },
    dark: { surface: "#1a2129", ink: "#e8edf2", quiet: "#9aa6b2", line: "#36414d", accent: "#79b8f3", second: "#f2a45c",
            third: "#c9a6f5", low: "#212c38", high: "#9fd0ff", on_low: "#e8edf2", on_high: "#0d1620" },
  };
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const ALL = "\u0000all"; // no value of a column
  const root = document.documentElement;
  const element = (name, attributes = {}, ...inside) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...inside);
    return made;
  };
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  function written(value, format) {
    if (value === null || value === undefined) return "–";
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (format === "date" || format === "month") {
      const [year, month, day] = String(value).slice(0, 10).split("-");
      return `${format === "month" ? "" : Number(day) + " "}${MONTHS[month - 1]} ${year}`;
    }
    if (typeof value !== "number" || format === "text") return String(value);
    const number = (digits, least = 0) => value.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: least });
    const text = format === "rate" ? `${(100 * value).toLocaleString("en-US", { maximumFractionDigits: 1, minimumFractionDigits: 1 })} %`
      : format === "amount" ? (Math.abs(value) < 100 ? number(2, 2) : number(0)) : format === "count" ? number(1) : number(2);
    return text.replace("-", "−");
  }

  class Chart {
    constructor(place, said) {
      Object.assign(this, said);
      this.place = place;
      this.part = (name) => place.querySelector("." + name);
      this.at = Object.fromEntries(said.columns.map(([name], position) => [name, position]));
      this.labels = Object.fromEntries(said.columns.map(([name, label]) => [name, label]));
      this.formats = Object.fromEntries(said.columns.map(([name, , format]) => [name, format]));
      this.chosen = {};
      this.addFilters();
      this.part("download").addEventListener("click", () => this.download());
      this.part("rows").addEventListener("toggle", () => this.table());
      this.choose();
    }
    addFilters() {
      for (const filter of this.filters) {
        const select = element("select");
        const isWhole = !filter.all;
        if (!isWhole) select.append(element("option", { value: ALL }, "All"));
        filter.values.forEach((value, position) =>
          select.append(element("option", { value: position }, written(value, this.formats[filter.column]))));
        const begin = filter.begin === null ? (isWhole ? 0 : -1) : filter.values.findIndex((one) => String(one) === String(filter.begin));
        select.value = begin >= 0 ? String(begin) : isWhole ? "0" : ALL;
        const take = () => { this.chosen[filter.column] = select.value === ALL ? ALL : filter.values[select.value]; };
        take();
        select.addEventListener("change", () => { take(); this.choose(); });
        this.part("filters").append(element("label", {}, filter.label, select));
      }
    }
    choose() {
      const chosen = Object.entries(this.chosen).filter(([, value]) => value !== ALL);
      this.shown = this.rows.filter((row) => chosen.every(([name, value]) => row[this.at[name]] === value));
      if (this.most) this.shown = this.shown.slice(0, this.most);
      const x = this.kind === "trend" ? this.at[this.one("x")] : null;
      if (x !== null) this.shown = [...this.shown].sort((a, b) => a[x] < b[x] ? -1 : a[x] > b[x] ? 1 : 0);
      this.records = this.shown.map((row) => Object.fromEntries(this.columns.map(([name], position) => [name, row[position]])));
      this.part("count").textContent = `${this.shown.length.toLocaleString("en-US")} rows`;
      const said = SAID[this.kind](this);
      this.part("said").textContent = said;
      this.table();
      this.draw(said);
    }
    one(role) { return (this.roles[role] || [])[0]; }
    write(record, name) { return written(record[name], this.formats[name]); }
    draw(said) {
      const plot = this.part("plot");
      if (!this.spec) { plot.replaceChildren(TABLES[this.kind](this)); return; }
      if (!this.inner) { this.inner = element("div", { "aria-hidden": "true" }); plot.append(this.inner); plot.setAttribute("role", "img"); }
      plot.setAttribute("aria-label", `${this.title}. ${said}`);
      const colours = COLOURS[this.print ? "light" : isDark() ? "dark" : "light"];
      const isNarrow = plot.clientWidth < 520;
      const spec = JSON.parse(JSON.stringify(this.spec), (key, value) =>
        typeof value === "string" && value[0] === "@" ? colours[value.slice(1)] || value : value);
      this.fit(spec, plot.clientWidth, isNarrow);
      spec.data = { values: this.kind === "bridge" ? bridge(this) : this.records };
      if (spec.height.step) spec.height = this.spec.height.step * Math.max(this.lines(), 1);
      spec.config = {
        background: null, font: "system-ui, sans-serif", view: { stroke: null }, padding: 2,
        axis: { labelColor: colours.quiet, titleColor: colours.quiet, gridColor: colours.line, domainColor: colours.line, tickColor: colours.line,
                labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400, ...(isNarrow ? { labelLimit: 118, labelFontSize: 11 } : {}) },
        legend: { labelColor: colours.ink, titleColor: colours.quiet, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400 },
        text: { fontSize: 12 },
      };
      vegaEmbed(this.inner, spec, { renderer: "svg", actions: false, logLevel: 1, tooltip: { theme: isDark() ? "dark" : "light" }, ast: false })
        .then((result) => { if (this.view) this.view.finalize(); this.view = result.view; })
        .catch((error) => { console.error(error); });
    }
    // How many bars, cells or intervals stand below each other.
    lines() {
      if (this.kind === "bridge") return bridge(this).length;
      if (this.kind === "heatmap") return new Set(this.records.map((one) => one[this.one("y")])).size;
      return this.kind === "intervals" ? judged(this).length : this.records.length;
    }
    // What depends on the room and on the rows: figures in cells, words of dates, length of labels.
    fit(spec, width, isNarrow) {
      const x = this.one("x"), values = x ? [...new Set(this.records.map((one) => one[x]))] : [];
      if (this.kind === "heatmap" && values.length * 40 > width - 110) spec.layer = spec.layer.filter((layer) => layer.name !== "figures");
      const isShort = this.formats[x] === "date" && values.length && Date.parse(values[values.length - 1]) - Date.parse(values[0]) < 200 * 864e5;
      for (const layer of [spec, ...(spec.layer || [])]) {
        for (const channel of ["x", "y"]) {
          const axis = layer.encoding && layer.encoding[channel] && layer.encoding[channel].axis;
          if (!axis) continue;
          if (isNarrow) axis.tickCount = Math.min(axis.tickCount || 4, 4);
          if (axis.labelLimit) axis.labelLimit = Math.min(axis.labelLimit, Math.max(118, 0.42 * width));
          if (channel === "x" && isShort) axis.format = "%-d %b";
          if (channel === "x" && this.kind === "trend" && isNarrow && this.formats[x] === "text") axis.labelAngle = -60;
          if (channel === "x" && this.formats[x] === "month") axis.tickCount = Math.min(values.length, isNarrow ? 4 : 12);
        }
      }
      const most = (name) => Math.max(0, ...this.records.map((one) => one[name] || 0)), least = (name) => Math.min(0, ...this.records.map((one) => one[name] || 0));
      if (this.kind === "bars") { // room for the figures beside the bars
        const [low, high] = [least(this.one("value")), most(this.one("value"))], room = (isNarrow ? 0.3 : 0.16) * (high - low);
        spec.encoding.x.scale = { domain: [low < 0 ? low - room : 0, high + room], nice: false };
      }
      if (this.kind === "scatter") {
        for (const layer of spec.layer.filter((one) => one.encoding.text || one.encoding.size)) {
          for (const channel of ["x", "y"]) layer.encoding[channel].scale = { domain: [Math.min(0, least(this.one(channel))), 1.15 * most(this.one(channel))], nice: false };
        }
      }
      if (this.kind === "bridge") {
        const steps = bridge(this), ends = steps.slice(1, -1).flatMap((one) => [one.from, one.to]);
        const [low, high] = [Math.min(...ends), Math.max(...ends)];
        if (ends.length && low > 0 && high - low < 0.3 * high) { // steps that would be slivers: the totals are cut, and it is said
          const begin = low - 0.3 * (high - low);
          for (const layer of spec.layer) { layer.encoding.x.scale = { domain: [begin, high + 0.25 * (high - low)], nice: false }; layer.mark.clip = layer.mark.type === "bar"; layer.encoding.x.axis.title = "cut on the left: it doesn't begin at 0"; }
        } else for (const layer of spec.layer) layer.encoding.x.scale = { zero: true };
      }
    }
    table() {
      const place = this.part("scroll");
      if (!this.part("rows").open) { place.replaceChildren(); return; }
      const isNumber = ([, , format]) => ["amount", "rate", "count", "number"].includes(format);
      const head = element("tr", {}, ...this.columns.map((column) => element("th", { scope: "col", ...(isNumber(column) ? { class: "n" } : {}) }, column[1])));
      const body = this.shown.map((row) => element("tr", {}, ...row.map((value, position) =>
        element("td", isNumber(this.columns[position]) ? { class: "n" } : {}, written(value, this.columns[position][2])))));
      place.replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
    }
    csv() {
      const cell = (value) => value === null ? "" : /[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value);
      return [this.columns.map(([name]) => name), ...this.shown].map((row) => row.map(cell).join(",") + "\r\n").join("");
    }
    download() {
      const address = URL.createObjectURL(new Blob([this.csv()], { type: "text/csv" }));
      element("a", { href: address, download: `${this.name}.csv` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10000);
    }
  }

  // The main figure in a sentence, which a screen reader says of the picture.
  const most = (chart, name, sign = 1) => chart.records.filter((one) => one[name] !== null)
    .reduce((best, one) => best === null || sign * one[name] > sign * best[name] ? one : best, null);
  const judged = (chart) => chart.records.filter((one) => one[chart.one("value")] !== null && one[chart.one("verdict")] !== "cannot tell");
  const NONE = "No row fits this choice.";
  const SAID = {
    trend(chart) {
      const [x, y, partial] = [chart.one("x"), chart.one("y"), chart.one("partial")];
      const whole = chart.records.filter((one) => one[y] !== null && !(partial && one[partial]));
      if (!whole.length) return NONE;
      const last = whole[whole.length - 1];
      const [high, low] = [1, -1].map((sign) => whole.reduce((best, one) => sign * one[y] > sign * best[y] ? one : best));
      const cut = chart.records.length - whole.length;
      if (high[y] === low[y]) return `${chart.labels[y]}: ${chart.write(last, y)} throughout.`;
      return `${chart.labels[y]}: ${chart.write(last, y)} at the end (${chart.write(last, x)}); highest ${chart.write(high, y)} (${chart.write(high, x)}), `
        + `lowest ${chart.write(low, y)} (${chart.write(low, x)}).` + (partial && cut ? ` Hollow points: ${cut} partial.` : "");
    },
    bars(chart) {
      const [item, value] = [chart.one("item"), chart.one("value")], first = most(chart, value);
      if (!first) return NONE;
      return `${chart.write(first, item)} leads with ${chart.write(first, value)}.`;
    },
    pareto(chart) {
      const far = chart.records.find((one) => one.cumulative_rate >= 0.8);
      if (!far) return NONE;
      return `${written(far.items_count, "count")} (${written(far.items_rate, "rate")}) bring ${written(far.cumulative_rate, "rate")} of all.`;
    },
    heatmap(chart) {
      const [x, y, value] = ["x", "y", "value"].map((role) => chart.one(role)), first = most(chart, value);
      if (!first) return NONE;
      return `Highest ${chart.labels[value].toLowerCase()}: ${chart.write(first, value)} (${chart.write(first, y)}, ${chart.labels[x].toLowerCase()} ${chart.write(first, x)}).`;
    },
    scatter(chart) {
      const [item, x, y] = ["item", "x", "y"].map((role) => chart.one(role)), first = most(chart, y);
      if (!first) return NONE;
      return `${chart.write(first, item)}: ${chart.write(first, x)} of ${chart.labels[x].toLowerCase()}, ${chart.write(first, y)} of ${chart.labels[y].toLowerCase()}.`;
    },
    intervals(chart) {
      const [value, lower, upper, verdict] = ["value", "lower", "upper", "verdict"].map((role) => chart.one(role)), told = judged(chart);
      const zero = chart.formats[value] === "number" ? 1 : 0;
      if (!chart.records.length) return NONE;
      const sure = told.filter((one) => verdict ? !["no difference found"].includes(one[verdict]) : one[lower] > zero || one[upper] < zero).length;
      const hidden = chart.records.length - told.length;
      if (told.length && !hidden && sure === told.length) { // all of them do: which first, and between what
        const first = told[0], items = chart.roles.item.map((name) => chart.write(first, name)).join(" · ");
        return `${items}: ${chart.write(first, value)}, between ${chart.write(first, lower)} and ${chart.write(first, upper)}.`;
      }
      return `Of ${told.length} that can be judged, ${sure} differ by more than chance.` + (hidden ? ` Of ${hidden} more it cannot be told: they are in the table, and not drawn.` : "");
    },
    bridge(chart) {
      if (!chart.records.length) return NONE;
      const steps = bridge(chart), [first, last] = [steps[0], steps[steps.length - 1]];
      const moved = steps.slice(1, -1).sort((a, b) => Math.abs(b.step) - Math.abs(a.step))[0];
      return `From ${written(first.step, "amount")} to ${written(last.step, "amount")}` + (moved ? `; most by ${moved.item} (${moved.said}).` : ".");
    },
    statement(chart) { return chart.records.length ? "" : NONE; },
    status(chart) {
      const now = latest(chart);
      if (!now.length) return NONE;
      const count = (state) => now.filter((one) => one[chart.one("status")] === state).length;
      return `${chart.write(now[0], chart.one("period"))}: ${count("on track")} on track, ${count("watch")} to watch, ${count("off track")} off track.`;
    },
  };

  function bridge(chart) {
    const [item, start, end] = ["item", "start", "end"].map((role) => chart.one(role));
    const sum = (name) => chart.records.reduce((total, one) => total + (one[name] || 0), 0);
    const plus = (value) => (value > 0 ? "+" : "") + written(value, "amount");
    const total = (name) => ({ item: chart.labels[name], from: 0, to: sum(name), step: sum(name), change: "total", said: written(sum(name), "amount") });
    let at = sum(start);
    // the ten largest; the others together, and each in the table
    const size = (one) => Math.abs((one[end] || 0) - (one[start] || 0)), moving = chart.records.filter((one) => size(one) >= 0.005);
    const large = new Set(moving.length > 12 ? [...moving].sort((a, b) => size(b) - size(a)).slice(0, 10) : moving);
    const others = moving.filter((one) => !large.has(one)), add = (name) => others.reduce((total, one) => total + (one[name] || 0), 0);
    const drawn = [...large].sort((a, b) => moving.indexOf(a) - moving.indexOf(b));
    if (others.length) drawn.push({ [item]: `${others.length} others`, [start]: add(start), [end]: add(end) });
    const steps = drawn.map((one) => {
      const step = (one[end] || 0) - (one[start] || 0), from = at;
      at += step;
      return { item: String(one[item]), from, to: at, step, change: step < 0 ? "less" : "more", said: plus(step) };
    });
    return [total(start), ...steps, total(end)].map((one) => ({ ...one, right: Math.max(one.from, one.to) }));
  }

  const latest = (chart) => {
    const [item, period] = [chart.one("item"), chart.one("period")];
    const known = chart.records.filter((one) => one[chart.one("value")] !== null);
    const newest = known.reduce((found, one) => one[period] > found ? one[period] : found, "");
    return known.filter((one) => one[period] === newest && one[item] !== null);
  };
  const TABLES = {
    statement(chart) {
      const [item, level] = [chart.one("item"), chart.one("level")], values = chart.roles.values;
      const head = element("tr", {}, element("th", { scope: "col" }, chart.labels[item]), ...values.map((name) => element("th", { scope: "col", class: "n" }, chart.labels[name])));
      const whole = (value, name) => chart.formats[name] === "amount" && value !== null
        ? (value < 0 ? `(${Math.round(-value).toLocaleString("en-US")})` : Math.round(value).toLocaleString("en-US")) : written(value, chart.formats[name]);
      const rows = chart.records.map((one, number) => element("tr", {
        class: `${one[level] === "detail" || one[level] === "earnings" ? "detail" : "sum"}${number === chart.records.length - 1 ? " last" : ""}`,
      }, element("th", { scope: "row" }, String(one[item])), ...values.map((name) => element("td", { class: "n" }, whole(one[name], name)))));
      return element("div", { class: "financial", tabindex: "0", role: "region", "aria-label": chart.title },
        element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
    },
    status(chart) {
      const [item, value, target, status, unit, better, period] = ["item", "value", "target", "status", "unit", "better", "period"].map((role) => chart.one(role));
      const write = (number, kind) => kind === "days" ? (number === null ? "–" : `${number.toFixed(1)} days`) : written(number, { rate: "rate", amount: "amount" }[kind] || "number");
      const signs = { "on track": ["●", "good"], watch: ["◐", ""], "off track": ["○", "bad"] };
      const rows = latest(chart).map((one) => {
        const past = chart.records.filter((other) => other[item] === one[item] && other[value] !== null).sort((a, b) => a[period] < b[period] ? -1 : 1);
        const [sign, tone] = signs[one[status]] || ["–", ""];
        return element("tr", {}, element("th", { scope: "row" }, String(one[item])),
          element("td", { class: "n" }, write(one[value], one[unit])),
          element("td", { class: "n" }, one[target] === null ? "–" : `${one[better] === "lower" ? "≤" : "≥"} ${write(one[target], one[unit])}`),
          element("td", { class: `state ${tone}` }, element("span", { "aria-hidden": "true" }, sign), String(one[status] ?? "not judged")),
          element("td", {}, spark(past.map((other) => other[value]), one[target], `${one[item]}, ${past.length} periods`)));
      });
      const head = ["Key figure", "Value", "Target", "Status", "History, target dashed"].map((text, place) => element("th", { scope: "col", ...(place === 1 || place === 2 ? { class: "n" } : {}) }, text));
      return element("div", { class: "states", tabindex: "0", role: "region", "aria-label": chart.title },
        element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)));
    },
  };
  function spark(values, target, label) {
    const make = (name, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    const all = target === null ? values : [...values, target];
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const y = (value) => 30 - 26 * (high > low ? (value - low) / (high - low) : 0.5), x = (place) => 4 + 136 * place / Math.max(values.length - 1, 1);
    const drawn = make("svg", { class: "spark", viewBox: "0 0 144 34", role: "img", "aria-label": label });
    if (target !== null) drawn.append(make("line", { class: "goal", x1: 4, x2: 140, y1: y(target), y2: y(target) }));
    drawn.append(make("polyline", { class: "line", points: values.map((value, place) => `${x(place)},${y(value)}`).join(" ") }));
    if (values.length) drawn.append(make("circle", { cx: x(values.length - 1), cy: y(values[values.length - 1]), r: 3 }));
    return drawn;
  }

  const data = document.getElementById("data");
  const charts = data ? Object.entries(JSON.parse(data.textContent)).map(([id, said]) => new Chart(document.getElementById(id), said)) : [];
  const again = () => charts.forEach((chart) => chart.choose());
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* a browser that keeps nothing */ }
    again();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  let width = innerWidth;
  addEventListener("resize", () => { if ((width < 600) !== (innerWidth < 600)) again(); width = innerWidth; });
  addEventListener("beforeprint", () => { charts.forEach((chart) => { chart.print = true; }); again(); });
  addEventListener("afterprint", () => { charts.forEach((chart) => { chart.print = false; }); again(); });
})();
