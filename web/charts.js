// SPDX-License-Identifier: Apache-2.0

// The charts on the page: dygraphs draws, we keep them together (one range, one cursor, the ramp's steps across all)
// and write the legend ourselves, because dygraphs' own sets style attributes, which our security policy forbids.

import { byId, element, reconcile, setAttribute, setHidden, setText } from "./dom.js";
import { clock, points, trimmed } from "./format.js";
import { limits } from "./series.js";

const { Dygraph } = window;
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

const NOTHING = "Nothing in this range.";

const view = { charts: new Map(), window: null, zoom: null, marks: [], cursorMs: null };

// A finger scrolls the page; a pointer zooms.
const { touchstart, touchmove, touchend, ...pointer } = Dygraph.defaultInteractionModel;
const interactionModel = { ...pointer, dblclick: () => zoomTo(null) };

const style = () => getComputedStyle(document.documentElement);
const themed = (name) => style().getPropertyValue(`--${name}`).trim();

/** `models`: see `series.js`; `times` in ms, one a point; `marks`: `{atMs, percent, isStop}`. */
export function drawCharts(models, times, window_, marks) {
  Object.assign(view, { window: window_, marks, times });
  const update = (node, model) => updateChart(node.chart_, model, times);
  reconcile(byId("grid"), models, (model) => model.id, createChart, update);
  for (const id of view.charts.keys()) if (!models.some((model) => model.id === id)) forget(id);
  showCursor();
}

function forget(id) {
  view.charts.get(id).graph?.destroy();
  view.charts.delete(id);
}

function createChart({ id }) {
  const parts = {
    title: element("h3"),
    legend: element("ul", { class: "legend" }),
    plot: element("div", { class: "plot" }),
    line: element("div", { class: "crosshair", "aria-hidden": "true" }),
    empty: element("p", { class: "note" }),
  };
  const frame = element("div", { class: "frame", tabindex: "0", role: "img" }, parts.plot, parts.line, parts.empty);
  const caption = element("figcaption", {}, parts.title, parts.legend);
  const node = element("figure", { class: "panel chart", "data-testid": `chart-${id}` }, caption, frame);
  frame.addEventListener("keydown", moveByKey);
  frame.addEventListener("blur", () => setCursor(null));
  node.chart_ = { id, node, frame, parts, graph: null, model: null, times: [] };
  view.charts.set(id, node.chart_);
  return node;
}

function updateChart(chart, model, sharedTimes) {
  const times = model.times ?? sharedTimes;
  Object.assign(chart, { model, times });
  setText(chart.parts.title, model.title);
  const isEmpty = !times.length || !model.lines.some((line) => line.values.some((value) => value !== null));
  setText(chart.parts.empty, model.empty ?? NOTHING);
  setHidden(chart.parts.empty, !isEmpty);
  chart.frame.dataset.empty = isEmpty;
  if (!model.lines.length) return;
  const options = {
    file: times.map((time, index) => [new Date(time), ...model.lines.map((line) => line.values[index] ?? null)]),
    labels: ["time", ...model.lines.map((line) => line.label)],
    colors: model.lines.map((line) => themed(line.color)),
    series: Object.fromEntries(model.lines.map((line) => [line.label, stroke(line)])),
    dateWindow: view.zoom ?? view.window,
    valueRange: limits(model.lines, model.scale),
  };
  if (!times.length) return;
  if (chart.graph) chart.graph.updateOptions(options);
  else chart.graph = create(chart, options);
}

const stroke = ({ pattern, color }) => ({ strokePattern: pattern ?? null, strokeWidth: color === "ink" ? 2 : 1.5 });

function create(chart, { file, ...options }) {
  const { model } = chart;
  return new Dygraph(chart.parts.plot, file, {
    ...options,
    interactionModel,
    logscale: model.scale === "log",
    stepPlot: Boolean(model.isSteps),
    fillGraph: Boolean(model.isSteps),
    fillAlpha: 0.12,
    highlightCircleSize: 3,
    gridLineColor: themed("grid"),
    axisLineColor: themed("line"),
    axes: {
      x: { pixelsPerLabel: 70, axisLabelWidth: 66 },
      y: { pixelsPerLabel: 26, axisLabelWidth: 58, axisLabelFormatter: (value) => axisLabel(value, model) },
    },
    highlightCallback: (event, x) => setCursor(x),
    unhighlightCallback: () => setCursor(null),
    zoomCallback: (fromMs, toMs) => zoomTo([fromMs, toMs]),
    underlayCallback: (canvas, area, graph) => drawMarks(canvas, area, graph, model.scale !== "ratio"),
  });
}

/** dygraphs takes what this gives for HTML. */
function axisLabel(value, { scale, format }) {
  if (scale === "ratio") return value > 1 ? "" : `${Math.round(value * 100)}\u202f%`;
  return scale === "percent" ? `${value}\u202f%` : trimmed(format(value)).replace("<", "&lt;");
}

/** The ramp's steps as dashed lines, each with the percentage that began there. */
function drawMarks(canvas, area, graph, isAtTop) {
  canvas.save();
  canvas.font = "11px system-ui, sans-serif";
  canvas.setLineDash([3, 3]);
  const [from, to] = graph.xAxisRange();
  for (const { atMs, percent, isStop } of view.marks) {
    if (atMs < from || atMs > to) continue;
    const x = Math.round(graph.toDomXCoord(atMs)) + 0.5;
    canvas.strokeStyle = canvas.fillStyle = themed(isStop ? "bad" : "accent");
    canvas.beginPath();
    canvas.moveTo(x, area.y);
    canvas.lineTo(x, area.y + area.h);
    canvas.stroke();
    const text = points(percent);
    // Where the lines are not: hit rates are at the top, all else starts at the bottom.
    const y = isAtTop ? area.y + 10 : area.y + area.h - 5;
    const isRoomRight = x + canvas.measureText(text).width + 6 < area.x + area.w;
    canvas.textAlign = isRoomRight ? "left" : "right";
    canvas.fillText(text, x + (isRoomRight ? 4 : -4), y);
  }
  canvas.restore();
}

// MARK: Cursor

function setCursor(timeMs) {
  if (view.cursorMs === timeMs) return;
  view.cursorMs = timeMs;
  showCursor();
}

function nearest(times, timeMs) {
  const after = times.findIndex((time) => time >= timeMs);
  if (after <= 0) return after === 0 ? 0 : times.length - 1;
  return timeMs - times[after - 1] < times[after] - timeMs ? after - 1 : after;
}

function showCursor() {
  const isOn = view.cursorMs !== null && view.times?.length > 0;
  const timeMs = isOn ? view.times[nearest(view.times, view.cursorMs)] : null;
  setText(byId("cursor"), isOn ? `At ${clock(timeMs)}` : "Latest values");
  for (const chart of view.charts.values()) {
    const index = isOn ? nearest(chart.times, timeMs) : -1;
    showLegend(chart, index);
    if (!chart.graph || !view.times.length) continue;
    if (isOn) chart.graph.setSelection(index);
    else chart.graph.clearSelection();
    const x = isOn ? chart.graph.toDomXCoord(timeMs) : -1;
    const { x: left, w: width } = chart.graph.getArea();
    setHidden(chart.parts.line, !isOn || x < left || x > left + width);
    chart.parts.line.style.left = `${x}px`;
  }
}

function showLegend({ parts, frame, model }, index) {
  const valueOf = (line) => (index >= 0 ? line.values[index] : line.values.findLast((value) => value !== null)) ?? null;
  reconcile(parts.legend, model.lines, (line) => line.label, createLegend, (node, line) => {
    node.parts_.swatch.style.borderTopColor = themed(line.color);
    node.parts_.swatch.style.borderTopStyle = line.pattern ? "dashed" : "solid";
    setText(node.parts_.value, model.format(valueOf(line)));
  });
  const latest = model.lines.map((line) => `${line.label} ${model.format(valueOf(line))}`);
  setAttribute(frame, "aria-label", `${model.title}: ${latest.join(", ") || "nothing in this range"}`);
}

function createLegend(line) {
  const node = element("li");
  node.parts_ = {
    swatch: element("span", { class: "swatch", "aria-hidden": "true" }), value: element("span", { class: "value" }),
  };
  node.append(node.parts_.swatch, element("span", { text: line.label }), node.parts_.value);
  return node;
}

function moveByKey(event) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
  if (event.key === "Escape") zoomTo(null);
  if (!steps || !view.times?.length) return;
  event.preventDefault();
  const from = view.cursorMs === null ? view.times.length - 1 : nearest(view.times, view.cursorMs) + steps;
  setCursor(view.times[Math.max(0, Math.min(view.times.length - 1, from))]);
}

// MARK: Zoom

/** A range in ms that stays put while time goes on, or null for the whole range. */
function zoomTo(range) {
  // Dragging up or down says the same range again.
  const isSame = range && String(range) === String(view.zoom ?? view.window);
  if (!isSame) view.zoom = range;
  setHidden(byId("unzoom"), view.zoom === null);
  for (const { graph, model } of view.charts.values()) {
    graph?.updateOptions({ dateWindow: view.zoom ?? view.window, valueRange: limits(model.lines, model.scale) });
  }
}

export const resetZoom = () => zoomTo(null);

/** After the theme or the size changed. */
export function redrawCharts() {
  for (const { graph, model } of view.charts.values()) {
    const colors = model.lines.map((line) => themed(line.color));
    graph?.updateOptions({ colors, gridLineColor: themed("grid"), axisLineColor: themed("line") });
  }
  showCursor();
}
