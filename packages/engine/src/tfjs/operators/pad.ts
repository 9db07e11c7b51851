import { at } from "@isthmus/core";
import { stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import {
  cannotCompute,
  numbers,
  type OperatorContext,
  operand,
  requiredNumbers,
  scalar,
} from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";

/** Pads a tensor with a constant or with its own elements, by mode; negative pads cut elements off. */
export function pad(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const amounts = requiredNumbers(context, 1, "pads");
  const axes = numbers(context, 3)?.map((axis) => wrapAxis(axis, x.rank)) ?? [...x.shape.keys()];
  const amount = (axis: number, isEnd: boolean): number => {
    const place = axes.indexOf(axis);
    return place < 0 ? 0 : at(amounts, place + (isEnd ? axes.length : 0), "pad");
  };
  const pads = x.shape.map((_, axis): [number, number] => [amount(axis, false), amount(axis, true)]);
  const mode = stringAttribute(node, "mode", "constant");
  const value = scalar(context, 2, 0);
  if (mode === "constant") return padConstant(tf, x, { pads, value });
  return pads.reduce((rest, [before, after], axis) => {
    if (before === 0 && after === 0) return rest;
    const extent = at(rest.shape, axis, "axis");
    const length = extent + before + after;
    const index = Array.from({ length }, (_, i) => borderIndex(context, mode, i - before, extent));
    return tf.gather(rest, tf.tensor1d(index, "int32"), axis);
  }, x);
}

/** Pads with a number on sides with positive pads, and cuts off elements on sides with negative pads. */
export function padConstant(
  tf: Tfjs,
  x: TfTensor,
  { pads, value }: { readonly pads: readonly (readonly [number, number])[]; readonly value: number },
): TfTensor {
  const begin = pads.map(([before]) => Math.max(0, -before));
  const size = pads.map(
    ([before, after], axis) => at(x.shape, axis, "axis") + Math.min(0, before) + Math.min(0, after),
  );
  const isCut = size.some((extent, axis) => extent !== x.shape[axis]);
  const cut = isCut ? tf.slice(x, begin, size) : x;
  const grown = pads.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
  return grown.every(([before, after]) => before + after === 0) ? cut : tf.pad(cut, grown, value);
}

function borderIndex(context: OperatorContext, mode: string, position: number, extent: number): number {
  if (mode === "edge") return Math.min(Math.max(position, 0), extent - 1);
  const period = mode === "reflect" ? 2 * (extent - 1) : extent;
  if (mode !== "reflect" && mode !== "wrap") {
    throw cannotCompute(context, "pads must be constant, reflect, edge or wrap", `they are ${mode}`);
  }
  const place = period === 0 ? 0 : ((position % period) + period) % period;
  return place < extent ? place : period - place;
}
