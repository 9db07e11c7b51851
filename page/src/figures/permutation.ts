import { followDrags, type Place } from "./drag.ts";
import { addButton, change, defineFigure, strong } from "./figure.ts";
import { label, picture, round, tag } from "./markup.ts";

const SIZE = { width: 520, height: 270 };
const INPUT = [1, -0.5, 0.75];

/** A hidden unit of the tiny network: its weights are eighths, so that all sums are exact. */
interface Unit {
  readonly name: string;
  readonly incoming: readonly number[];
  readonly bias: number;
  readonly outgoing: readonly number[];
}

const UNITS: readonly Unit[] = [
  { name: "p", incoming: [0.875, -0.25, 0.5], bias: 0.125, outgoing: [1.125, -0.5] },
  { name: "q", incoming: [-0.625, 0.75, 1.25], bias: 0.25, outgoing: [-0.375, 0.875] },
  { name: "r", incoming: [0.25, -1.125, 0.375], bias: -0.125, outgoing: [0.625, 0.75] },
  { name: "s", incoming: [1.5, 0.5, -0.75], bias: 0, outgoing: [-0.875, 0.25] },
];

/** Computes the outputs of the network with its hidden units in this order: a layer, a rectifier, a layer. */
export function outputsOf(order: readonly number[]): number[] {
  const hidden = order.map((unit) => {
    const { incoming = [], bias = 0 } = UNITS[unit] ?? {};
    return Math.max(
      0,
      incoming.reduce((sum, weight, i) => Math.fround(sum + weight * (INPUT[i] ?? 0)), bias),
    );
  });
  return [0, 1].map((output) =>
    order.reduce(
      (sum, unit, place) => Math.fround(sum + (UNITS[unit]?.outgoing[output] ?? 0) * (hidden[place] ?? 0)),
      0,
    ),
  );
}

const X = { input: 50, hidden: 220, output: 390 };
const spread = (count: number, index: number) => 135 + (index - (count - 1) / 2) * 62;

/**
 * Draws the network.
 * @param heights - vertical place of each unit
 * @param chosen - the unit that is chosen to be swapped
 */
export function drawPermutation(
  heights: readonly number[] = UNITS.map((_, place) => spread(4, place)),
  order: readonly number[] = [0, 1, 2, 3],
  chosen?: number,
): string {
  const outputs = outputsOf(order);
  const edge = ([x1, y1]: Place, [x2, y2]: Place, weight: number) =>
    tag("line", {
      class: weight > 0 ? "edge of-a" : "edge of-b",
      x1,
      y1: round(y1),
      x2,
      y2: round(y2),
      "stroke-width": round(0.6 + 3 * Math.abs(weight)),
    });
  const edges = UNITS.flatMap(({ incoming, outgoing }, unit) => {
    const y = heights[unit] ?? 0;
    return [
      ...incoming.map((weight, i) => edge([X.input, spread(3, i)], [X.hidden, y], weight)),
      ...outgoing.map((weight, o) => edge([X.hidden, y], [X.output, spread(2, o)], weight)),
    ];
  });
  const node = (x: number, y: number, text: string, look = "node") =>
    tag("circle", { class: look, cx: x, cy: round(y), r: 17 }) +
    label(text, { x, y: round(y) + 5, "text-anchor": "middle", class: "strong" });
  return picture(
    SIZE,
    `A network of three inputs, four hidden units in the order ${order.map((unit) => UNITS[unit]?.name).join(", ")}, and two outputs, ${outputs.join(" and ")}`,
    ...edges,
    ...INPUT.map((value, i) => node(X.input, spread(3, i), String(value))),
    ...UNITS.map(({ name }, unit) =>
      node(X.hidden, heights[unit] ?? 0, name, unit === chosen ? "node chosen" : "node unit"),
    ),
    ...outputs.map((_, o) => node(X.output, spread(2, o), `y${o + 1}`)),
    ...outputs.map((value, o) =>
      label(String(value), { x: X.output + 24, y: spread(2, o) + 5, class: "strong" }),
    ),
  );
}

/** Returns the unit at a place of the picture; undefined if there is none. */
function unitNear([x, y]: Place, heights: readonly number[]): number | undefined {
  const unit = heights.findIndex((height) => Math.hypot(x - X.hidden, y - height) < 24);
  return unit < 0 ? undefined : unit;
}

/** Returns the position in the hidden layer that is nearest to a height. */
function placeNear(y: number): number {
  const distances = UNITS.map((_, place) => Math.abs(spread(UNITS.length, place) - y));
  return distances.indexOf(Math.min(...distances));
}

/** Returns the height between the first and the last unit of the hidden layer that is nearest to a height. */
function inLayer(y: number): number {
  return Math.min(spread(UNITS.length, UNITS.length - 1), Math.max(spread(UNITS.length, 0), y));
}

/** Defines the figure in which hidden units are swapped. */
export function definePermutation(): void {
  const caption =
    "Computed here, in 32 bits. Orange weights are positive, blue ones negative. The weights are eighths, so that every sum is exact; with others the order of a sum may change its last bit.";
  defineFigure("isthmus-permutation", caption, ({ picture, controls, words }) => {
    let order = [0, 1, 2, 3];
    let chosen: number | undefined;
    const before = outputsOf(order);
    const heightsOf = (units: readonly number[]) => UNITS.map((_, unit) => spread(4, units.indexOf(unit)));
    const show = (heights = heightsOf(order)) => {
      picture.innerHTML = drawPermutation(heights, order, chosen);
    };
    const tell = () => {
      const names = order.map((unit) => UNITS[unit]?.name).join(", ");
      const isSame = outputsOf(order).every((value, i) => Object.is(value, before[i]));
      const said = isSame ? "the same to the last bit" : "changed";
      words.innerHTML = `Order ${names}: the outputs are ${strong(outputsOf(order).join(" and "))}, ${said}.`;
    };
    const settle = (from: readonly number[]) => {
      const to = heightsOf(order);
      change((share) => show(from.map((y, unit) => y + share * ((to[unit] ?? y) - y))));
    };
    const swap = (one: number, other: number, from = heightsOf(order)) => {
      order = order.map((unit) => (unit === one ? other : unit === other ? one : unit));
      settle(from);
      tell();
    };
    const choose = (unit: number | undefined) => {
      chosen = unit;
      buttons.forEach((button, i) => {
        button.setAttribute("aria-pressed", String(i === chosen));
      });
    };
    const buttons = UNITS.map(({ name }, unit) =>
      addButton(controls, `Unit ${name}`, () => {
        const other = chosen;
        choose(other === undefined ? unit : undefined);
        if (other !== undefined && other !== unit) swap(other, unit);
        else show();
      }),
    );
    const heightsWith = (moved: number, y: number) =>
      heightsOf(order).map((height, unit) => (unit === moved ? inLayer(y) : height));
    followDrags(picture, SIZE.width, {
      thingAt: ([x, y]) => unitNear([x, y], heightsOf(order)),
      onPress: (unit) => buttons[unit]?.click(),
      onMove(unit, [, y]) {
        choose(unit);
        show(heightsWith(unit, y));
      },
      onDrop(unit, place) {
        choose(undefined);
        const from = heightsWith(unit, place?.[1] ?? heightsOf(order)[unit] ?? 0);
        const other = place === undefined ? undefined : order[placeNear(place[1])];
        if (other === undefined || other === unit) settle(from);
        else swap(unit, other, from);
      },
    });
    show();
    words.textContent = "Drag a hidden unit to the place of another, or press two of them, to swap them.";
  });
}
