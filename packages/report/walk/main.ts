import { html, svg } from "./dom.ts";
import { legend } from "./legend.ts";
import { drawMap } from "./map.ts";
import { makePanel } from "./panel.ts";
import { readFragment, type State, viewOf, type WalkData, waysOf, writeFragment } from "./state.ts";
import { drawTree, joinsOf, sayJoin } from "./tree.ts";

/** Elements of a map to walk on, beside the panel. */
interface Parts {
  readonly map: SVGElement;
  readonly tree: SVGElement;
  readonly status: HTMLElement;
  readonly caption: HTMLElement;
  readonly legends: HTMLElement;
}

/** Puts a map to walk on into a figure, in place of its picture. */
function start(figure: Element, data: WalkData): void {
  let state = readFragment(data, location.hash);
  const root = html("div", { class: "walking hero", id: figure.id });
  const parts: Parts = {
    map: svg("svg", { class: "map", role: "group", "aria-label": "Map of networks" }),
    tree: svg("svg", { role: "group", "aria-label": "Tree of networks" }),
    status: html("p", { class: "status", role: "status" }),
    caption: html("p", { class: "note" }),
    legends: html("div", { class: "legends" }),
  };
  const change = (more: Partial<State>) => {
    state = { ...state, ...more };
    if (state.a === state.b) state.b = -1;
    draw();
    try {
      history.replaceState(null, "", writeFragment(state));
    } catch {
      // Some browsers refuse this to pages from files: the address then stays the same.
    }
  };
  const panel = makePanel(data, change);
  const radios = data.views.map(({ name }) => {
    const choose = () => change({ view: name, way: 0, step: 0 });
    return html("input", { type: "radio", name: "walk-view", value: name, change: choose });
  });
  const draw = () => {
    // A result of one file may name places that another lacks: the nearest ones that exist are shown.
    const ways = waysOf(data, state, viewOf(data, state));
    if (state.way >= ways.length) state.way = 0;
    state.step = Math.max(0, Math.min(state.step, (ways[state.way]?.points.length ?? 0) - 1));
    const key = (document.activeElement as SVGElement | null)?.dataset["key"];
    for (const radio of radios) radio.checked = radio.value === state.view;
    panel.show(state);
    drawParts(parts, data, state, change);
    if (key) root.querySelector<SVGElement>(`[data-key="${key}"]`)?.focus();
  };
  const forget = () => change({ a: -1, b: -1, way: 0, step: 0, join: -1 });
  const clear = html("button", { type: "button", click: forget }, "Clear");
  const labels = data.views.map(({ label }, i) => html("label", {}, radios[i] ?? "", ` ${label}`));
  const set = html("fieldset", {}, html("legend", {}, "Networks"), ...labels, clear);
  const left = html("div", {}, parts.map, parts.legends, parts.caption);
  const stage = html("div", { class: "stage" }, left, panel.root);
  const title = html("h3", {}, "Which networks join");
  root.append(set, stage, title, parts.status, parts.tree);
  figure.replaceWith(root);
  parts.map.addEventListener("keydown", ({ key }) => {
    const turn = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (turn !== undefined) change({ step: state.step + turn });
  });
  let width = 0;
  const redraw = () => {
    if (parts.map.clientWidth === width) return;
    width = parts.map.clientWidth;
    draw();
  };
  new ResizeObserver(() => requestAnimationFrame(redraw)).observe(parts.map);
  addEventListener("hashchange", () => {
    state = readFragment(data, location.hash);
    draw();
  });
}

function drawParts(
  { map, tree, status, caption, legends }: Parts,
  data: WalkData,
  state: State,
  change: (more: Partial<State>) => void,
): void {
  const view = viewOf(data, state);
  const { a, b } = state;
  drawMap(map, data, state, {
    network: (index) =>
      change({ ...(a >= 0 && b < 0 ? { b: index } : { a: index, b: -1 }), way: 0, step: 0 }),
    way(from, to, path) {
      const ways = waysOf(data, { ...state, a: from, b: to }, view);
      change({ a: from, b: to, way: ways.findIndex((one) => one.path === path), step: 0 });
    },
  });
  const light = (join: number) => {
    const shown = joinsOf(data, state)[join];
    const members = shown && [...shown.one, ...shown.other];
    for (const root of [map, tree])
      for (const node of root.querySelectorAll<SVGElement>("[data-n]")) {
        const all = String(node.dataset["n"]).split(" ").map(Number);
        node.classList.toggle("dim", members !== undefined && !all.some((one) => members.includes(one)));
      }
    status.textContent = shown
      ? sayJoin(data, shown)
      : "Point at a branch, or choose it, to see which networks join there.";
  };
  const point = (join: number) => light(join < 0 ? state.join : join);
  drawTree(tree, data, state, { point, choose: (join) => change({ join }) });
  light(state.join);
  caption.textContent = view.caption;
  const { ground, scale, words, colors } = data;
  const room = map.clientWidth;
  legends.replaceChildren(legend(words.barrier, scale, colors.lines, { isLines: true, room }));
  if (ground && view.name === "ground")
    legends.append(legend(words.loss, ground.scale, colors.ground, { isLines: false, room }));
}

for (const element of document.querySelectorAll("script.walk")) {
  const figure = element.closest("figure");
  if (figure) start(figure, JSON.parse(element.textContent ?? ""));
}
