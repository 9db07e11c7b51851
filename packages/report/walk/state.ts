import type { WalkPlot, WalkView } from "@isthmus/findings";

/** Data of a page: the plot, and the colours of its bands. */
export interface WalkData extends WalkPlot {
  /** Colours of the bands of barriers, and of the losses of the ground. */
  readonly colors: { readonly lines: readonly string[]; readonly ground: readonly string[] };
}

/** Choices of a reader, which the fragment of the address holds. */
export interface State {
  /** Name of the view. */
  view: string;
  /** Index of the network at the beginning of the way; -1 for none. */
  a: number;
  /** Index of the network at its end; -1 for none. */
  b: number;
  /** Which way is walked: 0 for the straight line, then the paths between both networks. */
  way: number;
  /** Index of the measured place on the way. */
  step: number;
  /** Index of the join of the tree that is shown; -1 for none. */
  join: number;
}

/** A way between two networks with its measured places. */
export interface Way {
  /** Words for the way. */
  readonly label: string;
  /** Places from its beginning. */
  readonly points: readonly { readonly t: number; readonly loss: number; readonly error: number }[];
  /** Whether it leads from the end of the stored pair or path to its beginning. */
  readonly turned: boolean;
  /** Index of the path; -1 for the straight line. */
  readonly path: number;
  /** Index of the pair. */
  readonly pair: number;
}

/** Returns the view that is shown. */
export function viewOf({ views }: WalkData, { view }: State): WalkView {
  return views.find(({ name }) => name === view) ?? (views[0] as WalkView);
}

/** Reads choices from the fragment of an address; whatever does not fit the data is left out. */
export function readFragment({ views, networks: { length: n } }: WalkData, fragment: string): State {
  const fields = new URLSearchParams(fragment.slice(1, 200));
  const index = (name: string, below: number, missing: number) => {
    const text = fields.get(name) ?? "";
    return /^\d{1,6}$/.test(text) && Number(text) < below ? Number(text) : missing;
  };
  const known = views.find(({ name }) => name === fields.get("view")) ?? views.at(-1);
  const [a, b] = [index("a", n, -1), index("b", n, -1)];
  return {
    view: known?.name ?? "",
    a,
    b: a === b ? -1 : b,
    way: index("way", 1e4, 0),
    step: index("step", 1e6, 0),
    join: index("join", n - 1, -1),
  };
}

/** Writes the choices as the fragment of an address. */
export function writeFragment(state: State): string {
  const chosen = Object.entries(state).filter(([, value]) => value !== -1);
  return `#${chosen.map(([name, value]) => `${name}=${value}`).join("&")}`;
}

/** Returns the index of a pair in the order (0, 1), (0, 2), ... */
export function pairIndex(n: number, one: number, other: number): number {
  const [a, b] = [Math.min(one, other), Math.max(one, other)];
  return a * n - (a * (a + 1)) / 2 + b - a - 1;
}

/** Returns the straight line between two networks; without places if a result lacks them. */
export function lineOf({ networks, pairs, views }: WalkData, { a, b }: State, stage: 0 | 1): Way {
  const pair = pairIndex(networks.length, a, b);
  const { losses, errors = [] } = pairs[pair]?.stages[stage] ?? {};
  const ends = [networks[Math.min(a, b)], networks[Math.max(a, b)]];
  const points = ends.flatMap((end, t) => (end && losses ? [{ t, loss: end.loss, error: end.error }] : []));
  const inner = (losses ?? []).map((loss, i, { length }) => {
    return { t: (i + 1) / (length + 1), loss, error: errors[i] ?? Number.NaN };
  });
  points.splice(1, 0, ...inner);
  const label = `Line, ${views[stage]?.label.toLowerCase()}`;
  return { label, points: a > b ? turn(points) : points, turned: a > b, path: -1, pair };
}

/** Lists the ways between two networks in a view: the line first, then paths; none if one is not chosen. */
export function waysOf(data: WalkData, state: State, view: WalkView): Way[] {
  const { a, b } = state;
  if (a < 0 || b < 0) return [];
  const line = lineOf(data, state, view.stage);
  const paths = view.paths.flatMap((path): Way[] => {
    const one = data.paths[path];
    if (!one || pairIndex(data.networks.length, one.a, one.b) !== line.pair) return [];
    const turned = one.a !== a;
    const points = turned ? turn(one.points) : one.points;
    return [{ label: one.label, points, turned, path, pair: line.pair }];
  });
  return [line, ...paths];
}

const turn = (points: Way["points"]): Way["points"] =>
  points.map(({ loss, error, t }) => ({ loss, error, t: 1 - t })).reverse();
