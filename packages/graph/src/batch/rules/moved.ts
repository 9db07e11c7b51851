import { intAttribute, ints, intsAttribute, wrapAxis } from "../../ir/attributes.ts";
import { isBatchAlone, placeAfterReshape } from "../batch-place.ts";
import {
  atAxis,
  axesOf,
  besides,
  MIXES,
  numbersChange,
  type OperandChange,
  ofFirst,
  type PlaceRule,
  shapeOf,
} from "./place-rule.ts";

/** What is said where examples end up on several axes. */
const SPREADS = "it spreads examples over several axes";

/** `Transpose`. */
export const transposition: PlaceRule = ofFirst((context, place) => {
  const reversed = shapeOf(context, 0)
    .map((_, axis) => axis)
    .reverse();
  const order = intsAttribute(context.node, "perm") ?? reversed;
  return { places: [atAxis(place, order.indexOf(place.axis))] };
});

/** `Reshape`: the extent with the batch in it is what the others leave. */
export const reshaping: PlaceRule = ofFirst((context, before) => {
  const [to = []] = context.outputs;
  const { batch, choice } = context;
  const place = placeAfterReshape(before, { from: shapeOf(context, 0), to, batch }, choice);
  if (place === undefined) return SPREADS;
  return { places: [place], ...numbersChange(1, to.with(place.axis, -1)) };
});

/** `Flatten`: the axes before one, and those from it on. */
export const flattening: PlaceRule = ofFirst((context, place) => {
  const from = shapeOf(context, 0);
  const split = wrapAxis(intAttribute(context.node, "axis", 1), from.length);
  const side = place.axis < split ? 0 : 1;
  const own = side === 0 ? from.slice(0, split) : from.slice(split);
  const axis = place.axis - (side === 0 ? 0 : split);
  const of = (extents: readonly number[]) => extents.reduce((total, extent) => total * extent, 1);
  return {
    places: [
      {
        axis: side,
        outer: of(own.slice(0, axis)) * place.outer,
        inner: place.inner * of(own.slice(axis + 1)),
      },
    ],
  };
});

/** `Squeeze`: other axes of extent 1 go. */
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

/** `Unsqueeze`: axes of extent 1 come between. */
export const unsqueezing: PlaceRule = ofFirst((context, place) => {
  const rank = context.outputs[0]?.length ?? 0;
  const added = axesOf(context, 1, rank);
  if (added === undefined || added === "computed") return "which axes it adds depends on data";
  const others = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !added.includes(axis));
  return { places: [atAxis(place, others[place.axis] ?? 0)] };
});

/** `Expand`: the batch stays as long as it is. */
export const expansion: PlaceRule = ofFirst((context, place) => {
  const [to = []] = context.outputs;
  const axis = place.axis + to.length - shapeOf(context, 0).length;
  if (to[axis] !== shapeOf(context, 0)[place.axis]) return SPREADS;
  return { places: [atAxis(place, axis)], ...numbersChange(1, to.with(axis, 1)) };
});

/** `Tile`: whole axes are repeated. */
export const tiling: PlaceRule = ofFirst((context, place) => {
  const [to = []] = context.outputs;
  const times = (to[place.axis] ?? 1) / (shapeOf(context, 0)[place.axis] ?? 1);
  return { places: [{ ...place, outer: place.outer * times }] };
});

/** `Pad` around other axes. */
export const padding: PlaceRule = ofFirst((context, place) => {
  const shape = shapeOf(context, 0);
  const pads = intsAttribute(context.node, "pads") ?? context.numbers(1);
  const given = axesOf(context, 3, shape.length);
  const axes = given === undefined ? [...shape.keys()] : given;
  if (axes === "computed" || pads === undefined) return "how much it adds depends on data";
  const at = axes.indexOf(place.axis);
  const isUntouched = at < 0 || ((pads[at] ?? 0) === 0 && (pads[at + axes.length] ?? 0) === 0);
  return isUntouched ? { places: [place] } : "it adds examples to the batch";
});

/** `Resize`: sizes name the batch, too, unless they are told which axes they are of. */
export const resizing: PlaceRule = ofFirst((context, place) => {
  const { node, opset } = context;
  const shape = shapeOf(context, 0);
  const [to = []] = context.outputs;
  if (shape[place.axis] !== to[place.axis]) return "it resizes the batch";
  const hasSizes = opset >= 11 && (node.inputs[3] ?? "") !== "";
  if (!hasSizes || node.attributes.has("axes")) return { places: [place] };
  if (opset < 18) return "it is told the extent of the batch; export it for operator set 18 or newer";
  const axes = [...shape.keys()].filter((axis) => axis !== place.axis);
  return {
    places: [place],
    ...numbersChange(
      3,
      axes.map((axis) => to[axis] ?? 1),
    ),
    attributes: new Map([["axes", ints(axes)]]),
  };
});

/** `OneHot` of numbers of every example. */
export const oneHot: PlaceRule = ofFirst((context, place) => {
  const rank = context.outputs[0]?.length ?? 0;
  const axis = wrapAxis(intAttribute(context.node, "axis", -1), rank);
  return { places: [place.axis < axis ? place : atAxis(place, place.axis + 1)] };
});

/** `LSTM`, `GRU`, `RNN`: the batch is the second axis; states before the first step are made for every example. */
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

/** Lengths and states of recurrent operators, and their axis of the batch. */
const STATES: readonly (readonly [input: number, axis: number])[] = [
  [4, 0],
  [5, 1],
  [6, 1],
];
