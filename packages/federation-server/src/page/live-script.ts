/**
 * Script of the live page. Everything from the server is set as text, never as HTML, so that a name or a
 * reason cannot become a part of the page.
 */
export const LIVE_SCRIPT = `
"use strict";
const { parse } = JSON;
const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const make = (name, attributes, text) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
};
const number = (value, digits = 4) => value === null || value === undefined ? "–" : Number(value.toPrecision(digits)).toLocaleString("en-US", { maximumFractionDigits: 6 });
const loss = (value) => value === null || value === undefined ? "–" : value >= 1e-3 && value < 1e4 ? value.toFixed(4) : value === 0 ? "0" : value.toExponential(2);
const percent = (value) => value === undefined ? "–" : (100 * value).toFixed(2) + " %";
const STATES = { waiting: "waiting for clients", collecting: "collecting updates", aggregating: "aggregating", finished: "finished", failed: "failed" };

function fill(table, rows) {
  const body = byId(table).tBodies[0];
  body.replaceChildren(...rows.map(({ cells, title, gone }) => {
    const row = document.createElement("tr");
    if (gone) row.className = "gone";
    cells.forEach((cell, i) => {
      const data = document.createElement("td");
      data.className = byId(table).tHead.rows[0].cells[i].className;
      data.textContent = cell;
      if (title && i === cells.length - 1) data.title = title;
      row.append(data);
    });
    return row;
  }));
}

function draw(title, kind, points, format) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const last = points[points.length - 1];
  caption.textContent = title + ": " + format(last.y) + " after round " + last.x;
  const [width, height, left, right, top, bottom] = [400, 170, 64, 12, 12, 28];
  const svg = make("svg", { viewBox: "0 0 " + width + " " + height, role: "img", "aria-label": caption.textContent });
  const ys = points.map(({ y }) => y);
  let [low, high] = [Math.min(...ys), Math.max(...ys)];
  if (high - low < 1e-12) [low, high] = [low - Math.abs(low) * 0.1 - 1e-6, high + Math.abs(high) * 0.1 + 1e-6];
  const first = points[0].x;
  const span = Math.max(1, last.x - first);
  const X = (x) => left + ((x - first) / span) * (width - left - right);
  const Y = (y) => top + ((high - y) / (high - low)) * (height - top - bottom);
  for (const share of [0, 0.5, 1]) {
    const y = low + share * (high - low);
    svg.append(make("line", { x1: left, x2: width - right, y1: Y(y), y2: Y(y), class: "grid" }));
    svg.append(make("text", { x: left - 6, y: Y(y) + 4, "text-anchor": "end" }, format(y)));
  }
  svg.append(make("text", { x: left, y: height - 8 }, "round " + first));
  if (last.x > first) svg.append(make("text", { x: width - right, y: height - 8, "text-anchor": "end" }, "round " + last.x));
  svg.append(make("polyline", { class: "curve " + kind, points: points.map(({ x, y }) => X(x).toFixed(1) + "," + Y(y).toFixed(1)).join(" ") }));
  for (const { x, y } of points) svg.append(make("circle", { class: kind, cx: X(x), cy: Y(y), r: points.length > 60 ? 1 : 3 }));
  figure.append(caption, svg);
  return figure;
}

function drawCurves(history) {
  const curve = (read) => history.map((record) => ({ x: record.round, y: read(record) })).filter(({ y }) => Number.isFinite(y));
  const curves = [
    ["Loss on the server's examples", "loss", curve(({ metrics }) => metrics.loss), loss],
    ["Accuracy on the server's examples", "accuracy", curve(({ metrics }) => metrics.accuracy), percent],
    ["Epsilon spent", "loss", curve(({ epsilon }) => epsilon ?? NaN), number],
    ["Loss that clients found before their work", "loss", curve(({ trainingLoss }) => trainingLoss ?? NaN), loss],
  ].filter(([, , points]) => points.length > 0);
  const empty = document.createElement("p");
  empty.textContent = history.length === 0 ? "No round is finished yet." : "Nobody measured a loss: name examples for the server with evaluate.";
  byId("curves").replaceChildren(...(curves.length === 0 ? [empty] : curves.map((curve) => draw(...curve))));
}

function drawBarriers(history) {
  const latest = history.findLast(({ metrics }) => Object.keys(metrics).some((name) => name.startsWith("barrier ")));
  byId("barriers-section").hidden = latest === undefined;
  if (latest === undefined) return;
  const layers = Object.entries(latest.metrics).filter(([name]) => name.startsWith("barrier "));
  const values = layers.map(([, value]) => value);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const share = (value) => (100 * (value - low)) / Math.max(1e-12, high - low);
  const about = document.createElement("p");
  about.textContent = "Rise of the loss where one layer of two clients is averaged, in round " + latest.round + (low < 0 ? "; below 0 the loss falls" : "");
  byId("barriers").replaceChildren(about, ...layers.map(([name, value]) => {
    const row = document.createElement("div");
    row.className = "bar";
    const [label, bar, text] = [document.createElement("span"), document.createElement("span"), document.createElement("span")];
    label.textContent = name.slice("barrier ".length);
    const fillBar = document.createElement("i");
    fillBar.className = value < 0 ? "falls" : "";
    fillBar.style.marginLeft = share(Math.min(0, value)) + "%";
    fillBar.style.width = share(Math.max(0, value)) - share(Math.min(0, value)) + "%";
    bar.append(fillBar);
    text.className = "n";
    text.textContent = value.toFixed(4);
    row.append(label, bar, text);
    return row;
  }));
}

function show(summary) {
  const { status, history, open, clients, refused, refusals, rounds, roundsFinished: done } = summary;
  byId("status").textContent = STATES[status] ?? status;
  byId("status").dataset.status = status;
  const over = status === "finished" || status === "failed";
  const present = clients.filter((client) => client.present).length;
  byId("progress").textContent = done + " of " + rounds + " rounds by " + summary.rule + (summary.secure ? " of masked updates" : "") + ", " + present + " of " + clients.length + " clients are there";
  byId("bar").setAttribute("aria-valuemax", rounds);
  byId("bar").setAttribute("aria-valuenow", done);
  byId("bar").firstElementChild.style.width = (100 * done) / rounds + "%";
  const until = open && new Date(open.until).toLocaleTimeString();
  byId("open").textContent = open
    ? "Round " + summary.round + ": " + open.received + " of " + open.target + " updates are there, " + open.asked + " clients were asked, until " + until
    : status === "failed" ? "" : summary.stopped ? "Stopped: " + summary.stopped : summary.reason ?? "";
  const { privacy } = summary;
  byId("privacy").hidden = privacy === null;
  byId("privacy").textContent = privacy === null ? ""
    : "Privacy: epsilon " + (privacy.epsilon === null ? "infinite" : privacy.epsilon.toPrecision(4)) + " spent"
      + (privacy.budget === null ? "" : " of " + privacy.budget) + " at delta " + privacy.delta
      + (privacy.at === "clients" ? ", noise of clients" : ", noise of the server");
  const warned = history.filter(({ warning, failed }) => warning !== null || failed !== null);
  byId("warning").hidden = warned.length === 0 && status !== "failed";
  byId("warning").textContent = status === "failed" ? "The federation failed: " + summary.reason
    : warned.map(({ round, warning, failed }) => "Round " + round + (failed === null ? ": " + warning : " failed: " + failed)).slice(-3).join("; ");
  drawCurves(history);
  drawBarriers(history);
  fill("clients", clients.map((client) => ({
    gone: !client.present && !over,
    cells: [client.name, over ? "done" : client.present ? client.state : "gone", client.rounds, number(client.examples, 12), loss(client.loss), client.refused],
  })));
  fill("rounds", history.toReversed().map((record) => ({
    title: record.failed ?? record.hash,
    cells: [record.round, record.updates + " of " + record.asked, number(record.examples, 12), record.seconds.toFixed(1), loss(record.metrics.loss), percent(record.metrics.accuracy), record.failed === null ? record.hash.slice(0, 12) : "failed: the one before stays"],
  })));
  byId("refusals").textContent = refusals === 0 ? "None so far." : refusals + " in all.";
  byId("refused").hidden = refusals === 0;
  fill("refused", refused.map(({ client, round, reason, at }) => ({ cells: [client, round, reason, new Date(at).toLocaleTimeString()] })));
}

show(parse(byId("first").textContent));
const events = new EventSource("/v1/events");
events.onmessage = ({ data }) => {
  byId("lost").hidden = true;
  show(parse(data));
};
events.onerror = () => {
  byId("lost").hidden = false;
};
`;
