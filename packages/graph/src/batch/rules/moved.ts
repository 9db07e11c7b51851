import { at, sizeOf } from "@isthmus/core";
import { intAttribute, ints, intsAttribute, wrapAxis } from "../../ir/attributes.ts";
import { isBatchAlone, placeAfterReshape } from "../batch-place.ts";
import {
  atAxis,
  axesOf,
  besides,
  hasInput,
  MIXES,
  numbersChange,
  type OperandChange,
  ofFirst,
  type PlaceRule,
  shapeOf,
} from "./place-rule.ts";

/** Reason why the batch is lost if examples are spread over several axes. */
const SPREADS = "it spreads examples over several axes";

/** Follows `Transpose`. */
export const transposition: PlaceRule = ofFirst((context, place) => {
  const reversed = shapeOf(context, 0)
    .map((_, axis) => axis)
    .reverse();
  const order = intsAttribute(context.node, "perm") ?? reversed;
  return { places: [atAxis(place, order.indexOf(place.axis))] };
});

/** Follows `Reshape`: the extent that contains the batch is computed from the others. */
export const reshaping: PlaceRule = ofFirst((context, before) => {
  const [to = []] = context.outputs;
  const { batch, choice } = context;
  const place = placeAfterReshape(before, { from: shapeOf(context, 0), to, batch }, choice);
  if (place === undefined) return SPREADS;
  return { places: [place], ...numbersChange(1, to.with(place.axis, -1)) };
});

/** Follows `Flatten`, which joins the axes before one and the axes from it on. */
export const flattening: PlaceRule = ofFirst((context, place) => {
  const from = shapeOf(context, 0);
  const split = wrapAxis(intAttribute(context.node, "axis", 1), from.length);
  const side = place.axis < split ? 0 : 1;
  const joined = side === 0 ? from.slice(0, split) : from.slice(split);
  const axis = place.axis - (side === 0 ? 0 : split);
  return {
    places: [
      {
        axis: side,
        outer: sizeOf(joined.slice(0, axis)) * place.outer,
        inner: place.inner * sizeOf(joined.slice(axis + 1)),
      },
    ],
  };
});

/** Follows `Squeeze`, which removes axes of extent 1, but not the batch's. */
export const squeezing: PlaceRule = ofFirst((context, place) => {
  const shape = shapeOf(context, 0);
  const axes = axesOf(context, 1, shape.length);
  if (axes === "computed") return "which axes it removes depends on data";
  const removed = axes ?? shape.flatMap((extent, axis) => (extent === 1 ? [axis] : []));
  if (removed.includes(place.axis)) return "it removes the axis of the batch";
  const places = [atAxis(place, place.axis - removed.filter((axis) => axis < place.axis).length)];
  if (axes !== undefined) return { places };
  // A batch of 1 must not be removed either.
  if (context.opset >= 13) return { places, ...numbersChange(1, removed) };
  return { places, attributes: new Map([["axes", ints(removed)]]) };
});

/** Follows `Unsqueeze`, which inserts axes of extent 1. */
export const unsqueezing: PlaceRule = ofFirst((context, place) => {
  const rank = context.outputs[0]?.length ?? 0;
  const added = axesOf(context, 1, rank);
  if (added === undefined || added === "computed") return "which axes it adds depends on data";
  const others = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !added.includes(axis));
  return { places: [atAxis(place, at(others, place.axis, "axis"))] };
});

/** Follows `Expand`, which must not repeat the batch. */
export const expansion: PlaceRule = ofFirst((context, place) => {
  const [to = []] = context.outputs;
  const axis = place.axis + to.length - shapeOf(context, 0).length;
  if (to[axis] !== shapeOf(context, 0)[place.axis]) return SPREADS;
  return { places: [atAxis(place, axis)], ...numbersChange(1, to.with(axis, 1)) };
});

/** Follows `Tile`, which repeats whole axes. */
export const tiling: PlaceRule = ofFirst((context, place) => {
  const [to = []] = context.outputs;
  const times = at(to, place.axis, "axis") / at(shapeOf(context, 0), place.axis, "axis");
  return { places: [{ ...place, outer: place.outer * times }] };
});

/** Follows `Pad` around axes other than the batch's. */
export const padding: PlaceRule = ofFirst((context, place) => {
  const shape = shapeOf(context, 0);
  const pads = intsAttribute(context.node, "pads") ?? context.numbers(1);
  const axes = axesOf(context, 3, shape.length) ?? [...shape.keys()];
  if (axes === "computed" || pads === undefined) return "how much it adds depends on data";
  const i = axes.indexOf(place.axis);
  const isUntouched = i < 0 || (at(pads, i, "pad") === 0 && at(pads, i + axes.length, "pad") === 0);
  return isUntouched ? { places: [place] } : "it adds examples to the batch";
});

/** Follows `Resize`: its sizes contain the batch, too, unless the node names the axes of the sizes. */
export const resizing: PlaceRule = ofFirst((context, place) => {
  const { node, opset } = context;
  const shape = shapeOf(context, 0);
  const [to = []] = context.outputs;
  if (shape[place.axis] !== to[place.axis]) return "it resizes the batch";
  const hasSizes = opset >= 11 && hasInput(context, 3);
  if (!hasSizes || node.attributes.has("axes")) return { places: [place] };
  if (opset < 18) return "it is told the extent of the batch; export it for operator set 18 or newer";
  const axes = [...shape.keys()].filter((axis) => axis !== place.axis);
  return {
    places: [place],
    ...numbersChange(
      3,
      axes.map((axis) => at(to, axis, "axis")),
    ),
    attributes: new Map([["axes", ints(axes)]]),
  };
});

/** Follows `OneHot` of numbers of every example. */
export const oneHot: PlaceRule = ofFirst((context, place) => {
  const rank = context.outputs[0]?.length ?? 0;
  const axis = wrapAxis(intAttribute(context.node, "axis", -1), rank);
  return { places: [place.axis < axis ? place : atAxis(place, place.axis + 1)] };
});

/**
 * Follows `LSTM`, `GRU` and `RNN`: the batch is the second axis; states before the first step
 * are repeated for every example.
 */
export const recurrence: PlaceRule = (context) => {
  const { node, inputs, outputs, places } = context;
  const [place] = places;
  if (intAttribute(node, "layout", 0) !== 0 || place?.axis !== 1 || !isBatchAlone(place)) return MIXES;
  const changes = new Map<number, OperandChange>();
  for (const [input, axis] of STATES) {
    const shape = inputs[input];
    if (shape === undefined || places[input] !== undefined) continue;
    const change = besides(context, place, { shape, axis, broadcasts: false });
    if (typeof change === "string") return change;
    if (change !== undefined) changes.set(input, change);
  }
  return { places: outputs.map((shape, i) => shape && atAxis(place, i === 0 ? 2 : 1)), changes };
};

/** Inputs that are lengths and states of recurrent operators, and the axis of the batch in each. */
const STATES: readonly (readonly [input: number, axis: number])[] = [
  [4, 0],
  [5, 1],
  [6, 1],
];
