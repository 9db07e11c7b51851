import { at, sizeOf } from "@isthmus/core";
import { int, intAttribute, ints, intsAttribute, wrapAxis } from "../../ir/attributes.ts";
import { type BatchPlace, isBatchAlone } from "../batch-place.ts";
import {
  atAxis,
  axesOf,
  besides,
  everywhere,
  hasInput,
  MIXES,
  numbersChange,
  type OperandChange,
  ofFirst,
  type PlaceContext,
  type PlaceRule,
  type Placing,
  shapeOf,
} from "./place-rule.ts";

/** End of a slice that reaches to the end of an axis of any extent. */
const TO_THE_END = Number.MAX_SAFE_INTEGER;

/** Follows `Slice` along axes other than the batch's, or of the whole batch. */
export const slicing: PlaceRule = ofFirst((context, place) => {
  const { node, numbers } = context;
  const shape = shapeOf(context, 0);
  const starts = intsAttribute(node, "starts") ?? numbers(1);
  const ends = intsAttribute(node, "ends") ?? numbers(2);
  const axes = axesOf(context, 3, shape.length) ?? [...shape.keys()].slice(0, starts?.length ?? shape.length);
  if (axes === "computed") return "along which axes it cuts depends on data";
  const i = axes.indexOf(place.axis);
  if (i < 0) return { places: [place] };
  const extent = at(shape, place.axis, "axis");
  // Starts, ends and steps that depend on data are undefined.
  const step = hasInput(context, 4) ? numbers(4)?.[i] : 1;
  const [start, end] = [starts?.[i], ends?.[i]];
  const isWhole = step === 1 && (start === 0 || start === -extent);
  if (!isWhole || ends === undefined || end === undefined || end < extent)
    return "it cuts some examples out of the batch";
  if (intsAttribute(node, "ends") !== undefined)
    return { places: [place], attributes: new Map([["ends", ints(ends.with(i, TO_THE_END))]]) };
  return { places: [place], ...numbersChange(2, ends.with(i, TO_THE_END)) };
});

/** Follows `Split` along an axis other than the batch's. */
export const splitting: PlaceRule = ofFirst((context, place) => {
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), shapeOf(context, 0).length);
  return axis === place.axis ? "it cuts the batch into parts" : { places: everywhere(context, place) };
});

/** Follows `Gather` along an axis other than the batch's, or by indices of every example from one table. */
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

/** Rows of all examples in one list, and a selection of them. */
interface TakenRows {
  /** Rows of each example. */
  readonly width: number;
  /** Extents of a row. */
  readonly behind: readonly number[];
  /** Positions of the selected rows in the list, `[batch, ...shape]`. */
  readonly numbers: readonly number[];
  readonly shape: readonly number[];
}

/**
 * Takes the same rows of every example, by their positions in a list of the rows of all examples: exporters
 * write views with strides, and indexing by arrays, in this way.
 * @returns undefined if the rows are not the same for every example
 */
function takeRows(
  { batch }: PlaceContext,
  { width, behind, numbers, shape }: TakenRows,
): Placing | undefined {
  const first = numbers.slice(0, numbers.length / batch);
  const isSame = numbers.every((number, i) => {
    const within = at(first, i % first.length, "row");
    return within >= 0 && within < width && number === within + width * Math.floor(i / first.length);
  });
  if (!isSame) return undefined;
  return {
    op: "Gather",
    places: [{ axis: 0, outer: 1, inner: 1 }],
    changes: new Map<number, OperandChange>([
      [0, { kind: "rows", shape: [width, ...behind] }],
      [1, { kind: "numbers", numbers: first, shape }],
    ]),
    attributes: new Map([["axis", int(1)]]),
  };
}

/** Follows `Gather` of rows of all examples; undefined if the rows are not the same for every example. */
function gatherRows(context: PlaceContext, { axis, outer, inner }: BatchPlace): Placing | undefined {
  const numbers = context.numbers(1);
  const [examples, ...shape] = shapeOf(context, 1);
  if (numbers === undefined || axis !== 0 || outer !== 1 || examples !== context.batch) return undefined;
  return takeRows(context, { width: inner, behind: shapeOf(context, 0).slice(1), numbers, shape });
}

/**
 * Follows `GatherND` by tuples that name the example and a position in it,
 * `[batch, ..., depth]`, as {@link gatherRows}.
 */
function gatherPlaces(context: PlaceContext, place: BatchPlace): Placing | undefined {
  const numbers = context.numbers(1);
  const [examples, ...shape] = shapeOf(context, 1);
  const depth = shape.pop() ?? 0;
  if (numbers === undefined || place.axis !== 0 || !isBatchAlone(place) || examples !== context.batch)
    return undefined;
  const extents = shapeOf(context, 0).slice(0, depth);
  const rows = Array.from({ length: numbers.length / depth }, (_, row) =>
    extents.reduce((number, extent, axis) => number * extent + at(numbers, row * depth + axis, "index"), 0),
  );
  const width = sizeOf(extents.slice(1));
  return takeRows(context, { width, behind: shapeOf(context, 0).slice(depth), numbers: rows, shape });
}

/** Follows `GatherND` within every example, or by positions that all examples share. */
export const gatheringMany: PlaceRule = (context) => {
  const [data, indices] = context.places;
  const shared = intAttribute(context.node, "batch_dims", 0);
  if (data !== undefined && indices !== undefined) return gatherOwn(data, indices, shared);
  if (data !== undefined) return gatherShared(context, data, shared);
  const isOfExample = indices !== undefined && shared === 0 && indices.axis < shapeOf(context, 1).length - 1;
  return isOfExample ? { places: [indices] } : MIXES;
};

/**
 * Follows `GatherND` by positions for each example; if they begin with the index of the example in the batch,
 * this index is cut off.
 */
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

/** Follows `GatherND` by positions that all examples share. */
function gatherShared(context: PlaceContext, data: BatchPlace, shared: number): Placing | string {
  const shape = shapeOf(context, 1);
  const behind = data.axis - shared - at(shape, shape.length - 1, "axis");
  if (behind >= 0) return { places: [atAxis(data, shape.length - 1 + behind)] };
  const rows = shared === 0 ? gatherPlaces(context, data) : undefined;
  if (rows !== undefined) return rows;
  if (data.axis >= shared) return MIXES;
  const change = besides(context, data, { shape, axis: data.axis, broadcasts: false });
  if (change === undefined || typeof change === "string") return change ?? { places: [data] };
  return { places: [data], changes: new Map([[1, change]]) };
}
