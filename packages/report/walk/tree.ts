import { cut, digits, draw, pressable, svg } from "./dom.ts";
import { type State, viewOf, type WalkData } from "./state.ts";

const ROW = 20;
const EDGE = { top: 8, bottom: 34, right: 14 } as const;
/** Number of characters of a name in words, and how many names of a group are said. */
const SAID = { characters: 30, names: 4 } as const;

/** Join of a tree with the networks of both branches. */
interface Join {
  readonly one: readonly number[];
  readonly other: readonly number[];
  readonly height: number;
}

/** Lists the joins of the tree of a view with the networks that they join. */
export function joinsOf(data: WalkData, state: State): Join[] {
  const groups: (readonly number[])[] = data.networks.map((_, i) => [i]);
  return viewOf(data, state).joins.map(({ a, b, height }) => {
    const [one = [], other = []] = [groups[a], groups[b]];
    groups.push([...one, ...other]);
    return { one, other, height };
  });
}

/** Says which networks a join joins, and at which barrier. */
export function sayJoin({ networks, unit }: WalkData, { one, other, height }: Join): string {
  const [left, right] = [one, other].map((group) => {
    const names = group.slice(0, SAID.names).map((i) => cut(networks[i]?.name ?? "", SAID.characters));
    return names.join(", ") + (group.length > SAID.names ? ` and ${group.length - SAID.names} more` : "");
  });
  return `${left} | ${right} join at a mean loss barrier of ${digits(height)} ${unit}`;
}

/** Calls of a tree when a reader points at a join, or chooses it; -1 stands for no join. */
export interface ChooseJoin {
  readonly point: (join: number) => void;
  readonly choose: (join: number) => void;
}

/** Draws the tree of a view: names at the left, joins at the barrier at which they happen. */
export function drawTree(
  root: SVGElement,
  data: WalkData,
  state: State,
  { point, choose }: ChooseJoin,
): void {
  const { order } = viewOf(data, state);
  const joins = joinsOf(data, state);
  const width = root.clientWidth || 600;
  const left = Math.min(190, width * 0.42);
  const tallest = Math.max(...joins.map(({ height }) => height)) || 1;
  const rowOf = (row: number) => EDGE.top + ROW * (row + 0.5);
  const down = EDGE.top + ROW * order.length;
  // Roots spread low joins, which alignment often leaves far below the highest one.
  const x = (barrier: number) =>
    Math.round(left + 8 + Math.sqrt(barrier / tallest) * (width - left - 8 - EDGE.right));
  const branches = data.networks.map((_, i) => ({ x: x(0), y: rowOf(order.indexOf(i)) }));
  const text = (at: readonly [x: number, y: number], anchor: string, words: string, network?: number) =>
    svg("text", { x: at[0], y: at[1], "text-anchor": anchor, "data-n": network }, words);
  const leaves = order.map((network, row) => {
    const { name = "" } = data.networks[network] ?? {};
    return text([left, rowOf(row) + 4], "end", cut(name, Math.floor(left / 8)), network);
  });
  const tree = viewOf(data, state).joins.map(({ a, b, height }, index) => {
    const [one = { x: 0, y: 0 }, other = { x: 0, y: 0 }] = [branches[a], branches[b]];
    branches.push({ x: x(height), y: (one.y + other.y) / 2 });
    const d = `M${one.x},${one.y}H${x(height)}V${other.y}H${other.x}`;
    const [enter, leave] = [() => point(index), () => point(-1)];
    const join = svg(
      "g",
      {
        class: state.join === index ? "join on" : "join",
        "data-key": `join${index}`,
        ...{ mouseenter: enter, focus: enter, mouseleave: leave, blur: leave },
      },
      svg("title", {}, sayJoin(data, joins[index] as Join)),
      ...["hit", "branch"].map((kind) => svg("path", { d, class: kind })),
    );
    return pressable(join, () => choose(state.join === index ? -1 : index));
  });
  const ticks = [0, 1 / 16, 1 / 4, 1].map((share) =>
    text([x(share * tallest), down + 14], share === 1 ? "end" : "middle", digits(share * tallest)),
  );
  const words = "mean loss barrier between the groups, spread by its root";
  const below = text([width - EDGE.right, down + 31], "end", words);
  draw(root, [width, down + EDGE.bottom], [...leaves, ...tree, ...ticks, below]);
}
