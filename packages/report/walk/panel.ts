import { type ChartWay, drawChart, hueOf, markOf } from "./chart.ts";
import { cut, digits, html, percent, svg } from "./dom.ts";
import { lineOf, type State, viewOf, type WalkData, type Way, waysOf } from "./state.ts";

/** Number of characters of a name in the panel. */
const NAME = 60;

/** Panel of the way between two networks. */
export interface Panel {
  /** Element that holds all parts. */
  readonly root: HTMLElement;
  /** Shows the choices of a reader. */
  readonly show: (state: State) => void;
}

type Change = (more: Partial<State>) => void;

/** Makes the panel of the way between two networks, whose controls stay while their contents change. */
export function makePanel(data: WalkData, change: Change): Panel {
  const choose = (field: "a" | "b" | "way", words: string) => {
    const select: HTMLSelectElement = html("select", {
      change: () => change({ way: 0, step: 0, [field]: Number(select.value) }),
    });
    return { select, label: html("label", {}, `${words} `, select) };
  };
  const [from, to, way] = [choose("a", "From"), choose("b", "to"), choose("way", "Walk")];
  const names = data.networks.map(({ name }) => name);
  for (const { select } of [from, to]) setOptions(select, ["choose a network", ...names], -1);
  const slider: HTMLInputElement = html("input", {
    ...{ type: "range", min: 0, "aria-label": "Place on the way" },
    input: () => change({ step: slider.valueAsNumber }),
  });
  const chart = svg("svg", { class: "chart", role: "img", "aria-label": "Losses on the way" });
  const [key, said] = [html("p", { class: "key" }), html("p", { class: "here", "aria-live": "polite" })];
  const [table, command] = [html("table", {}), html("code", {})];
  const walk = html("div", {}, chart, key, way.label, slider);
  const scroll = html("div", { class: "scroll" }, table);
  const chosen = html("div", {}, walk, said, scroll, html("pre", {}, command), html("small", {}, NOTE));
  const hint = html(
    "p",
    {},
    "Choose a line, or two networks one after the other, to see the loss between them.",
  );
  const ends = html("div", { class: "ends" }, from.label, to.label);
  const show = (state: State) => {
    from.select.value = String(state.a);
    to.select.value = String(state.b);
    const ways = waysOf(data, state, viewOf(data, state));
    hint.hidden = ways.length > 0;
    chosen.hidden = !hint.hidden;
    if (ways.length === 0) return;
    const here = ways[state.way]?.points[state.step];
    const drawn = [lineOf(data, state, 0), lineOf(data, state, 1), ...ways.slice(1)].map(
      (one, style): ChartWay => ({ ...one, style }),
    );
    walk.hidden = here === undefined;
    if (here) drawChart(chart, drawn, here);
    key.replaceChildren(...drawn.map(keyOf));
    setOptions(
      way.select,
      ways.map(({ label }) => label),
      0,
    );
    way.select.value = String(state.way);
    slider.max = String((ways[state.way]?.points.length ?? 1) - 1);
    slider.value = String(state.step);
    said.textContent = sayPlace(data, here);
    slider.setAttribute("aria-valuetext", said.textContent);
    table.replaceChildren(...rowsOf(data, drawn));
    const words = [state.a, state.b].map((i) => data.networks[i]?.word);
    command.textContent = `isthmus barrier ${words.join(" ")} ${data.command}`;
  };
  return { root: html("div", { class: "panel" }, ends, hint, chosen), show };
}

const NOTE =
  "The command measures this line before alignment; model.onnx stands for your graph. The map aligns all networks at once: --align aligns these two alone, which may give another number.";

function setOptions(select: HTMLSelectElement, names: readonly string[], first: number): void {
  select.replaceChildren(...names.map((name, i) => html("option", { value: first + i }, cut(name, NAME))));
}

function keyOf({ label, style }: ChartWay): HTMLElement {
  const mark = svg("path", { d: markOf(style), fill: hueOf(style), transform: "translate(6,7)" });
  return html("span", {}, svg("svg", { width: 12, height: 14 }, mark), cut(label, NAME));
}

function sayPlace({ unit, hasErrors }: WalkData, here: Way["points"][number] | undefined): string {
  if (!here) return "This result does not keep the losses on the way: measure the map anew.";
  const error = hasErrors ? `, error ${percent(here.error)}` : "";
  return `t = ${digits(here.t)}: loss ${digits(here.loss)} ${unit}${error}`;
}

/** Makes the rows of a table of lines before and after alignment, and of paths. */
function rowsOf(
  { pairs, hasErrors }: WalkData,
  [before, after, ...paths]: readonly ChartWay[],
): HTMLElement[] {
  const lines = [before, after].map((way, stage) => {
    const line = pairs[way?.pair ?? -1]?.stages[stage];
    return [way?.label ?? "", digits(line?.loss), percent(line?.error), digits(line?.distance)];
  });
  const highest = paths.map(({ label, points }) => {
    const most = (of: "loss" | "error") =>
      Math.max(...points.map((point) => point[of]).filter(Number.isFinite));
    return [
      cut(label, NAME),
      `highest loss ${digits(most("loss"))}`,
      `highest ${percent(most("error"))}`,
      "",
    ];
  });
  const head = ["Way", "Loss barrier", "Error barrier", "Distance"];
  return [head, ...lines, ...highest].map((cells, row) => {
    const shown = cells.filter((_, column) => hasErrors || column !== 2);
    return html("tr", {}, ...shown.map((cell) => html(row === 0 ? "th" : "td", {}, cell)));
  });
}
