import { at } from "@isthmus/core";
import {
  concat,
  depthToSpace,
  reduceSum,
  reshape,
  slice,
  spaceToDepth,
  transpose,
  triangle,
  type Value,
} from "@isthmus/graph/builder";
import { intAttribute, intsAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import type { GradientRule, GradientRules } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";
import { zeros } from "../zeros.ts";

/** Differentiates another shape of the same elements: `g` in the shape of `x`. */
const reshapeRule: GradientRule = (context) => [reshape(context.cotangent(), context.operand(0).shape)];

/** Differentiates another order of axes: `g` with its axes put back. */
const transposeRule: GradientRule = (context) => {
  const axes = [...context.operand(0).shape.keys()];
  const order = intsAttribute(context.node, "perm") ?? axes.toReversed();
  return [
    transpose(
      context.cotangent(),
      axes.map((axis) => order.indexOf(axis)),
    ),
  ];
};

/** Differentiates broadcasting to a shape: `g` summed over the axes along which `x` was copied. */
const expandRule: GradientRule = (context) => [reduceToShape(context.cotangent(), context.operand(0).shape)];

/** Differentiates copies side by side: the sum of the gradients of the copies. */
const tileRule: GradientRule = (context) => {
  const { shape } = context.operand(0);
  const g = context.cotangent();
  if (shape.includes(0)) return [undefined];
  const split = shape.flatMap((extent, axis) => [at(g.shape, axis, "axis") / extent, extent]);
  return [reduceSum(reshape(g, split), { axes: shape.map((_, axis) => 2 * axis) })];
};

/** Differentiates the concatenation of operands: to each its part of `g`. */
const concatRule: GradientRule = (context) => {
  const g = context.cotangent();
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), g.shape.length);
  let begin = 0;
  return context.inputs.map((_, i) => {
    const extent = at(context.operand(i).shape, axis, "axis");
    const range = { axis, begin, end: begin + extent };
    begin += extent;
    return context.needs(i) ? slice(g, [range]) : undefined;
  });
};

/**
 * Differentiates a split into parts along an axis: the gradients of the parts one after another, zeros for
 * parts that the loss does not depend on.
 */
const splitRule: GradientRule = (context) => {
  const { node, builder } = context;
  const x = context.operand(0);
  const axis = wrapAxis(intAttribute(node, "axis", 0), x.shape.length);
  const parts = node.outputs.map(
    (name, i): Value => context.cotangents[i] ?? zeros(x, builder.value(name).shape),
  );
  return [parts.length === 1 ? parts[0] : concat(parts, axis)];
};

/** Differentiates channels that become spatial blocks: the blocks of `g` become channels. */
const depthToSpaceRule: GradientRule = (context) => {
  const size = intAttribute(context.node, "blocksize", 1);
  const g = context.cotangent();
  const isColumnFirst = stringAttribute(context.node, "mode", "DCR") === "CRD";
  return [isColumnFirst ? blocksBehindChannels(g, size) : spaceToDepth(g, size)];
};

/** Differentiates spatial blocks that become channels: the channels of `g` become blocks. */
const spaceToDepthRule: GradientRule = (context) => [
  depthToSpace(context.cotangent(), intAttribute(context.node, "blocksize", 1)),
];

/**
 * Makes channels of blocks, with the elements of a block next to each other:
 * `[batch, channels size², rows, columns]`.
 */
function blocksBehindChannels(x: Value, size: number): Value {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const [rows, columns] = [height / size, width / size];
  const blocks = reshape(x, [batch, channels, rows, size, columns, size]);
  const moved = transpose(blocks, [0, 1, 3, 5, 2, 4]);
  return reshape(moved, [batch, channels * size * size, rows, columns]);
}

/** Differentiates a triangle of matrices: the same triangle of `g`. */
const triluRule: GradientRule = (context) => {
  const [diagonal = 0] = context.settledNumbers(1) ?? [];
  const upper = intAttribute(context.node, "upper", 1) === 1;
  return [triangle(context.cotangent(), { upper, diagonal })];
};

/** Rules of operators that move all elements to other places, or copy or mask them. */
export const LAYOUT_RULES: GradientRules = {
  Concat: concatRule,
  DepthToSpace: depthToSpaceRule,
  Expand: expandRule,
  Flatten: reshapeRule,
  Reshape: reshapeRule,
  SpaceToDepth: spaceToDepthRule,
  Split: splitRule,
  Squeeze: reshapeRule,
  Tile: tileRule,
  Transpose: transposeRule,
  Trilu: triluRule,
  Unsqueeze: reshapeRule,
};
