import { int, intAttribute, ints, intsAttribute, wrapAxis } from "../../ir/attributes.ts";
import { type BatchPlace, isBatchAlone } from "../batch-place.ts";
import {
  atAxis,
  axesOf,
  besides,
  everywhere,
  MIXES,
  numbersChange,
  type OperandChange,
  ofFirst,
  type PlaceContext,
  type PlaceRule,
  type Placing,
  shapeOf,
} from "./place-rule.ts";

/** Largest end of a slice: whatever the extent is, it goes to the end. */
const TO_THE_END = Number.MAX_SAFE_INTEGER;

/** `Slice` along other axes, or of all of the batch. */
export const slicing: PlaceRule = ofFirst((context, place) => {
  const { node, numbers } = context;
  const shape = shapeOf(context, 0);
  const starts = intsAttribute(node, "starts") ?? numbers(1);
  const ends = intsAttribute(node, "ends") ?? numbers(2);
  const given = axesOf(context, 3, shape.length);
  const axes = given === undefined ? [...shape.keys()].slice(0, starts?.length ?? shape.length) : given;
  if (axes === "computed") return "along which axes it cuts depends on data";
  const at = axes.indexOf(place.axis);
  if (at < 0) return { places: [place] };
  const extent = shape[place.axis] ?? 0;
  const step = (node.inputs[4] ?? "") === "" ? 1 : numbers(4)?.[at];
  const start = starts?.[at];
  const end = ends?.[at] ?? 0;
  const isWhole = step === 1 && (start === 0 || start === -extent) && end >= extent;
  if (!isWhole || ends === undefined) return "it cuts some examples out of the batch";
  if (intsAttribute(node, "ends") !== undefined)
    return { places: [place], attributes: new Map([["ends", ints(ends.with(at, TO_THE_END))]]) };
  return { places: [place], ...numbersChange(2, ends.with(at, TO_THE_END)) };
});

/** `Split` along another axis. */
export const splitting: PlaceRule = ofFirst((context, place) => {
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), shapeOf(context, 0).length);
  return axis === place.axis ? "it cuts the batch into parts" : { places: everywhere(context, place) };
});

/** `Gather`: along another axis, or by numbers of every example from one table. */
export const gathering: PlaceRule = (context) => {
  const [data, indices] = context.places;
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), shapeOf(context, 0).length);
  const added = shapeOf(context, 1).length;
  if (data !== undefined && indices !== undefined) return MIXES;
  if (indices !== undefined) return { places: [atAxis(indices, axis + indices.axis)] };
  if (data === undefined) return MIXES;
  if (data.axis === axis) return gatherRows(context, data) ?? "it picks examples out of the batch";
  return { places: [data.axis < axis ? data : atAxis(data, data.axis - 1 + added)] };
};

/** Rows of all examples in one list, and which of them are taken. */
interface TakenRows {
  /** Rows of each example. */
  readonly width: number;
  /** Extents behind the rows. */
  readonly behind: readonly number[];
  /** Places in the list, `[batch, ...shape]`. */
  readonly numbers: readonly number[];
  readonly shape: readonly number[];
}

/**
 * Takes the same rows of every example, by their places in a list of all of them: exporters write views with strides of their own, and
 * indices by arrays, in this way.
 * @returns undefined if the rows are not the same for every example
 */
function takeRows(
  { batch }: PlaceContext,
  { width, behind, numbers, shape }: TakenRows,
): Placing | undefined {
  const own = numbers.slice(0, numbers.length / batch);
  const isSame = numbers.every((number, i) => {
    const within = own[i % own.length] ?? 0;
    return within >= 0 && within < width && number === within + width * Math.floor(i / own.length);
  });
  if (!isSame) return undefined;
  return {
    op: "Gather",
    places: [{ axis: 0, outer: 1, inner: 1 }],
    changes: new Map<number, OperandChange>([
      [0, { kind: "rows", shape: [width, ...behind] }],
      [1, { kind: "numbers", numbers: own, shape }],
    ]),
    attributes: new Map([["axis", int(1)]]),
  };
}

function gatherRows(context: PlaceContext, { axis, outer, inner }: BatchPlace): Placing | undefined {
  const numbers = context.numbers(1);
  const [examples, ...shape] = shapeOf(context, 1);
  if (numbers === undefined || axis !== 0 || outer !== 1 || examples !== context.batch) return undefined;
  return takeRows(context, { width: inner, behind: shapeOf(context, 0).slice(1), numbers, shape });
}

/** The same for places that name the example and a place in it, `[batch, ..., depth]`. */
function gatherPlaces(context: PlaceContext, place: BatchPlace): Placing | undefined {
  const numbers = context.numbers(1);
  const [examples, ...shape] = shapeOf(context, 1);
  const depth = shape.pop() ?? 0;
  if (numbers === undefined || place.axis !== 0 || !isBatchAlone(place) || examples !== context.batch)
    return undefined;
  const extents = shapeOf(context, 0).slice(0, depth);
  const rows = Array.from({ length: numbers.length / depth }, (_, row) =>
    extents.reduce((at, extent, axis) => at * extent + (numbers[row * depth + axis] ?? 0), 0),
  );
  const width = extents.slice(1).reduce((total, extent) => total * extent, 1);
  return takeRows(context, { width, behind: shapeOf(context, 0).slice(depth), numbers: rows, shape });
}

/** `GatherND` within every example, or by places that are the same for all. */
export const gatheringMany: PlaceRule = (context) => {
  const [data, indices] = context.places;
  const shared = intAttribute(context.node, "batch_dims", 0);
  if (data !== undefined && indices !== undefined) return gatherOwn(data, indices, shared);
  if (data !== undefined) return gatherShared(context, data, shared);
  const isOfExample = indices !== undefined && shared === 0 && indices.axis < shapeOf(context, 1).length - 1;
  return isOfExample ? { places: [indices] } : MIXES;
};

/** Each example has places of its own, which may begin with its number in the batch: then it is left out. */
function gatherOwn(data: BatchPlace, indices: BatchPlace, shared: number): Placing | string {
  if (data.axis !== indices.axis) return MIXES;
  if (data.axis < shared) return { places: [data] };
  if (shared !== 0 || data.axis !== 0 || !isBatchAlone(data)) return MIXES;
  return {
    places: [data],
    changes: new Map([[1, { kind: "tail" }]]),
    attributes: new Map([["batch_dims", int(1)]]),
  };
}

/** All examples have the same places. */
function gatherShared(context: PlaceContext, data: BatchPlace, shared: number): Placing | string {
  const shape = shapeOf(context, 1);
  const behind = data.axis - shared - (shape.at(-1) ?? 0);
  if (behind >= 0) return { places: [atAxis(data, shape.length - 1 + behind)] };
  const rows = shared === 0 ? gatherPlaces(context, data) : undefined;
  if (rows !== undefined) return rows;
  if (data.axis >= shared) return MIXES;
  const change = besides(context, data, { shape, axis: data.axis, broadcasts: false });
  if (change === undefined || typeof change === "string") return change ?? { places: [data] };
  return { places: [data], changes: new Map([[1, change]]) };
}
