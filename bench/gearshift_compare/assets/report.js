// Draws the figures of the report with Observable Plot, from the JSON in #data. Everything that a
// figure shows stands in a table too, so that the page tells all of it without this script.
"use strict";
(() => {
    const data = JSON.parse(document.getElementById("data").textContent);
    const color = (name) => `var(--c-${data.styles[name].family})`;
    const dash = (name) => data.styles[name].dash;
    const strength = (name) => data.styles[name].opacity;
    const digits = (v) => v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2);
    const big = (v) => v >= 10000 ? `${digits(v / 1000)} k` : digits(v);
    const plain = (v) => v >= 10000 ? `${+(v / 1000).toPrecision(3)} k` : `${+v.toPrecision(3)}`;
    const base = (width) => ({width, style: {fontSize: "12px", background: "none", color: "inherit",
                                             fontFamily: "inherit"}});
    const left = (names, width) =>
        Math.min(width * 0.42, 12 + 6.6 * Math.max(...names.map((name) => name.length)));

    // A bar to the median, a line over its interval; the strong ones are not told apart from the best.
    function bars(of, width, paper) {
        const chart = data.workloads[of.of].figures[of.figure];
        const rows = chart.rows;
        // One wild run must not make all bars short: its interval leaves the figure, not the table.
        const high = Math.min(Math.max(...rows.map((row) => row.high)),
                              2.5 * Math.max(...rows.map((row) => row.median)));
        const end = (row) => Math.min(row.high, high);
        return Plot.plot({
            ...base(width), marginLeft: left(rows.map((row) => row.name), width), marginRight: 64,
            height: 34 + rows.length * (paper ? 20 : Math.max(30, Math.min(46, 230 / rows.length))),
            x: {label: null, domain: [0, high], grid: true, ticks: Math.max(2, width / 130),
                tickFormat: plain, nice: true},
            y: {label: null, domain: rows.map((row) => row.name), tickSize: 0, padding: 0.25},
            marks: [
                Plot.barX(rows, {x: "median", y: "name", fill: (row) => color(row.name),
                                 fillOpacity: (row) => row.leader ? 0.9 : 0.42}),
                Plot.ruleY(rows, {x1: "low", x2: end, y: "name", stroke: "currentColor",
                                  strokeWidth: 1.5, marker: "tick"}),
                Plot.text(rows, {x: end, y: "name", text: (row) => big(row.median), dx: 8,
                                 textAnchor: "start", fill: "currentColor",
                                 fontWeight: (row) => row.leader ? "bold" : "normal"}),
                Plot.tip(rows, Plot.pointerY({x: "median", y: "name", title: (row) =>
                    `${row.name}\n${big(row.median)} [${big(row.low)}, ${big(row.high)}]\n` +
                    `${row.n === 1 ? "1 run" : `${row.n} runs`}` +
                    `${row.leader && row.n > 1 ? ", not told apart from the best" : ""}`})),
            ],
        });
    }

    const place = (p) => -Math.log10(1 - p / 100);
    const PERCENTILES = [0, 50, 90, 99, 99.9, 99.99];

    // Latency at each percentile; the axis stretches the slow end, where the differences are.
    function curve(of, width) {
        const points = data.workloads[of.of].curves.flatMap((line) =>
            line.points.filter(([p, ms]) => p < 100 && ms > 0)
                .map(([p, ms]) => ({name: line.name, p, x: place(p), ms})));
        const end = Math.max(...points.map((d) => d.x)) + 0.01;
        const ticks = PERCENTILES.filter((p) => place(p) <= end && (p !== 0 || end < 2.5));
        const [low, high] = d3.extent(points, (d) => d.ms);
        const steps = [1, 2, 5].flatMap((v) => d3.range(-4, 6).map((e) => v * 10 ** e))
            .sort(d3.ascending).filter((v) => v >= low * 0.9 && v <= high * 1.1);
        const marks = steps.length > 8 ? steps.filter((v) => /^1/.test(String(v * 1e6))) : steps;
        return Plot.plot({
            ...base(width), height: Math.max(220, Math.min(320, width * 0.62)), marginLeft: 52,
            marginRight: 24,
            x: {label: null, ticks: ticks.map(place),
                tickFormat: (x) => `${+(100 - 100 * 10 ** -x).toFixed(2)} %`},
            y: {type: "log", axis: null},
            // A logarithmic axis of D3 leaves labels out; these are few, and all are wanted.
            marks: [
                Plot.gridY(marks),
                Plot.axisY(marks, {label: "↑ ms", text: marks.map(plain)}),
                Plot.line(points, {x: "x", y: "ms", z: "name", stroke: (d) => color(d.name),
                                   strokeOpacity: (d) => strength(d.name), strokeWidth: 1.8,
                                   strokeDasharray: null, curve: "monotone-x"}),
                Plot.dot(points, {x: "x", y: "ms", r: 2, fill: (d) => color(d.name),
                                  fillOpacity: (d) => strength(d.name)}),
                Plot.tip(points, Plot.pointer({x: "x", y: "ms", title: (d) =>
                    `${d.name}\n${d.p} % within ${digits(d.ms)} ms`})),
            ],
        });
    }

    // Latency against offered load, both logarithmic; a hollow point is one where the load generator was late.
    function knee(of, width) {
        const points = data.workloads[of.of].knees.flatMap((line) => line.points.map((d) =>
            ({name: line.name, offered: d.offered, ms: d[of.figure], late: d.late * 2 > d.n})));
        const ticks = (low, high, many) => [1, 2, 5]
            .flatMap((v) => d3.range(-4, 8).map((e) => v * 10 ** e)).sort(d3.ascending)
            .filter((v) => v >= low && v <= high && (many || /^1/.test(String(v * 1e6))));
        const [least, most] = d3.extent(points, (d) => d.offered);
        const [low, high] = d3.extent(points, (d) => d.ms);
        const across = ticks(least * 0.99, most, most / least < 100 && width > 420);
        const up = ticks(low * 0.9, high * 1.1, high / low < 300);
        return Plot.plot({
            ...base(width), height: Math.max(220, Math.min(320, width * 0.62)), marginLeft: 52,
            marginRight: 24, x: {type: "log", axis: null}, y: {type: "log", axis: null},
            marks: [
                Plot.gridY(up), Plot.axisY(up, {label: "↑ ms", text: up.map(plain)}),
                Plot.axisX(across, {label: null, text: across.map(plain)}),
                of.figure === "p99" ? Plot.ruleY([5], {stroke: "currentColor", strokeDasharray: "3 3"})
                    : null,
                Plot.line(points, {x: "offered", y: "ms", z: "name", stroke: (d) => color(d.name),
                                   strokeOpacity: (d) => strength(d.name), strokeWidth: 1.8}),
                Plot.dot(points, {x: "offered", y: "ms", r: 2.5, stroke: (d) => color(d.name),
                                  fill: (d) => d.late ? "none" : color(d.name),
                                  fillOpacity: (d) => strength(d.name)}),
                Plot.tip(points, Plot.pointer({x: "offered", y: "ms", title: (d) =>
                    `${d.name}\n${big(d.offered)} a second: ${digits(d.ms)} ms` +
                    `${d.late ? "\nthe load generator was late itself" : ""}`})),
            ],
        });
    }

    // Ratios with their intervals on a logarithmic axis, 1 in the middle of it.
    function ratios(of, width) {
        const rows = data.ratios[of.of];
        const names = [...new Set(rows.map((row) => row.row))];
        const far = Math.max(1.3, ...rows.map((row) => Math.max(row.high, 1 / row.low)));
        const limit = Math.min(far, 20);
        const tone = (row) => row.verdict === "better" ? "var(--good)"
            : row.verdict === "worse" ? "var(--bad)" : "var(--soft)";
        const clip = (v) => Math.min(limit, Math.max(1 / limit, v));
        const fine = limit < 1.6 ? [0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.4]
            : limit < 3 ? [0.4, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 2.5]
            : [0.05, 0.1, 0.2, 0.33, 0.5, 0.67, 1, 1.5, 2, 3, 5, 10, 20];
        const coarse = limit < 1.6 ? [0.8, 1, 1.25] : limit < 3 ? [0.5, 1, 2]
            : [0.05, 0.2, 1, 5, 20];
        const ticks = (width > 520 ? fine : coarse).filter((v) => v >= 1 / limit && v <= limit);
        return Plot.plot({
            ...base(width), marginLeft: left(names, width), marginRight: 24,
            height: 36 + 22 * names.length,
            x: {type: "log", domain: [1 / limit, limit], axis: null},
            y: {label: null, domain: names, tickSize: 0},
            marks: [
                Plot.gridX(ticks),
                Plot.axisX(ticks, {label: null, text: ticks.map((v) => `${v} ×`)}),
                Plot.ruleX([1], {stroke: "currentColor", strokeWidth: 1.5}),
                Plot.ruleY(rows, {x1: (row) => clip(row.low), x2: (row) => clip(row.high), y: "row",
                                  stroke: tone, strokeWidth: 2}),
                Plot.dot(rows, {x: (row) => clip(row.ratio), y: "row", fill: tone, r: 4.5}),
                Plot.tip(rows, Plot.pointerY({x: (row) => clip(row.ratio), y: "row", title: (row) =>
                    `${row.row}\n${row.ratio.toFixed(2)} × [${row.low.toFixed(2)}, ` +
                    `${row.high.toFixed(2)}]\n${row.verdict}`})),
            ],
        });
    }

    // How many files there are of which size.
    function sizes(of, width) {
        return Plot.plot({
            ...base(width), height: 170, marginLeft: 48, marginBottom: 34,
            x: {label: null, domain: data.sizes.map((d) => d.label), tickSize: 0},
            y: {label: "↑ files", grid: true, ticks: 4},
            marks: [
                Plot.barY(data.sizes, {x: "label", y: "files", fill: "var(--accent)",
                                       fillOpacity: 0.75}),
                Plot.text(data.sizes, {x: "label", y: "files", text: "files", dy: -8,
                                       fill: "currentColor"}),
                Plot.ruleY([0]),
            ],
        });
    }

    // Ticks of a logarithmic axis: 1, 2 and 5 of each decade, or the decades alone where those are many.
    function steps(low, high, many) {
        const all = [1, 2, 5].flatMap((v) => d3.range(-5, 10).map((e) => v * 10 ** e)).sort(d3.ascending)
            .filter((v) => v >= low && v <= high);
        return all.length > many ? all.filter((v) => /^1/.test(v.toPrecision(1))) : all;
    }

    // A figure of several servers by a variable, which has places at equal distances: its values are what was measured.
    function line(of, width) {
        const claim = data.claims[of.of];
        const place = new Map(claim.values.map((v, index) => [v.value, index]));
        const many = claim.lines.length;
        const points = claim.lines.flatMap((one, index) => one.points.map((d) => ({
            ...d, name: one.name, x: place.get(d.value) + (many > 1 ? 0.16 * (index / (many - 1) - 0.5) : 0)})));
        const positive = points.filter((d) => d.low > 0);
        const low = Math.min(...positive.map((d) => d.low)), high = Math.max(...points.map((d) => d.high));
        const ratio = high / low;
        // Where all are near each other there is nothing to be gained by decades.
        const log = ratio > 3 && positive.length === points.length;
        const up = log ? steps(low * 0.9, high * 1.1, 8) : null;
        const color = (name) => claim.styles[name].color;
        return Plot.plot({
            ...base(width), height: Math.max(240, Math.min(400, width * 0.5)), marginLeft: 56, marginRight: 24,
            x: {domain: [-0.25, claim.values.length - 0.75], axis: null},
            y: log ? {type: "log", axis: null, domain: [low * 0.92, high * 1.08]} : {zero: true, grid: true, label: `↑ ${claim.unit}`,
                                                                                   tickFormat: plain, ticks: 6},
            marks: [
                ...(log ? [Plot.gridY(up), Plot.axisY(up, {label: `↑ ${claim.unit}`, text: up.map(plain)})] : []),
                Plot.axisX(claim.values.map((v, index) => index),
                           {label: null, text: claim.values.map((v) => v.label), tickSize: 4}),
                Plot.ruleX(points.filter((d) => !log || d.low > 0), {x: "x", y1: "low", y2: "high", stroke: (d) => color(d.name),
                                                                     strokeOpacity: 0.55, strokeWidth: 1.4}),
                Plot.line(points, {x: "x", y: "median", z: "name", stroke: (d) => color(d.name), strokeWidth: 1.8}),
                Plot.dot(points, {x: "x", y: "median", r: 2.8, fill: (d) => color(d.name)}),
                Plot.tip(points, Plot.pointer({x: "x", y: "median", title: (d) =>
                    `${d.name}\n${claim.values[place.get(d.value)].label} ${claim.variable}\n` +
                    `${big(d.median)} ${claim.unit} [${big(d.low)}, ${big(d.high)}], ${d.n === 1 ? "1 run" : `${d.n} runs`}`})),
            ],
        });
    }

    // A figure of several servers in one condition, smallest first.
    function spots(of, width) {
        const claim = data.claims[of.of];
        const rows = claim.lines.map((one) => ({name: one.name, ...one.points[0]})).sort((a, b) => a.median - b.median);
        const high = Math.max(...rows.map((row) => row.high)), low = Math.min(...rows.map((row) => row.low));
        const log = low > 0 && high / low > 20;
        const marks = log ? steps(low * 0.8, high * 1.25, Math.max(3, width / 70)) : null;
        return Plot.plot({
            ...base(width), marginLeft: left(rows.map((row) => row.name), width), marginRight: 64, height: 38 + 26 * rows.length,
            x: log ? {type: "log", axis: null, domain: [low * 0.8, high * 1.25]} : {label: null, domain: [0, high], grid: true, nice: true,
                                                                                  tickFormat: plain, ticks: Math.max(2, width / 130)},
            y: {label: null, domain: rows.map((row) => row.name), tickSize: 0},
            marks: [
                ...(log ? [Plot.gridX(marks), Plot.axisX(marks, {label: null, text: marks.map(plain)})] : []),
                Plot.ruleY(rows, {x1: "low", x2: "high", y: "name", stroke: (row) => claim.styles[row.name].color, strokeWidth: 2.5}),
                Plot.dot(rows, {x: "median", y: "name", r: 5, fill: (row) => claim.styles[row.name].color}),
                Plot.text(rows, {x: "high", y: "name", text: (row) => `${big(row.median)}`, dx: 10, textAnchor: "start",
                                 fill: "currentColor"}),
                Plot.tip(rows, Plot.pointerY({x: "median", y: "name", title: (row) =>
                    `${row.name}\n${big(row.median)} ${claim.unit} [${big(row.low)}, ${big(row.high)}]`})),
            ],
        });
    }

    const DRAW = {bars, curve, knee, ratios, sizes, line, spots};

    function draw(holder, given) {
        const width = given ?? Math.max(240, Math.floor(holder.clientWidth));
        if (holder.dataset.drawn === `${width} ${holder.dataset.figure}`)
            return;
        const chart = DRAW[holder.dataset.chart](holder.dataset, width, given !== undefined);
        const lines = {curve: "curves", knee: "knees"}[holder.dataset.chart];
        if (lines)
            for (const [index, path] of chart.querySelectorAll("[aria-label=line] path").entries())
                path.setAttribute("stroke-dasharray",
                                  dash(data.workloads[holder.dataset.of][lines][index].name));
        if (holder.dataset.chart === "line")
            for (const [index, path] of chart.querySelectorAll("[aria-label=line] path").entries())
                path.setAttribute("stroke-dasharray", Object.values(data.claims[holder.dataset.of].styles)[index].dash);
        chart.setAttribute("role", "img");
        chart.setAttribute("aria-label", holder.dataset.label ?? holder.dataset.chart);
        holder.replaceChildren(chart);
        holder.dataset.drawn = `${width} ${holder.dataset.figure}`;
    }

    // Which figure the bars of a workload show.
    function addButtons(holder) {
        const figures = data.workloads[holder.dataset.of].figures;
        const caption = holder.parentElement.querySelector("figcaption");
        const row = document.createElement("div");
        row.className = "pick";
        for (const [name, figure] of Object.entries(figures)) {
            const button = document.createElement("button");
            button.type = "button";
            button.textContent = figure.short;
            button.setAttribute("aria-pressed", String(name === holder.dataset.figure));
            button.addEventListener("click", () => {
                for (const other of row.children)
                    other.setAttribute("aria-pressed", String(other === button));
                holder.dataset.figure = name;
                caption.textContent = figure.title;
                draw(holder);
            });
            row.append(button);
        }
        holder.after(row);
    }

    const holders = [...document.querySelectorAll("[data-chart]")];
    for (const holder of holders) {
        draw(holder);
        if (holder.dataset.chart === "bars")
            addButtons(holder);
    }
    const resized = new ResizeObserver((entries) => entries.forEach((entry) => draw(entry.target)));
    holders.forEach((holder) => resized.observe(holder));
    // On paper two figures stand side by side, whatever the window's width is.
    const onPaper = (holder) => holder.closest(".charts:not(.one)") ? 330 : 640;
    addEventListener("beforeprint", () => holders.forEach((holder) => draw(holder, onPaper(holder))));
    addEventListener("afterprint", () => holders.forEach((holder) => draw(holder)));
    document.documentElement.dataset.charts = String(holders.length);
})();
