import { depthToSpace, reshape, spaceToDepth, transpose, type Value } from "@isthmus/graph/builder";
import { intAttribute, stringAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule } from "../gradient-rule.ts";

/** Channels as blocks: the gradient's blocks as channels. */
export const depthToSpaceRule: GradientRule = (context) => {
  const size = intAttribute(context.node, "blocksize", 1);
  const g = cotangent(context);
  const isColumnFirst = stringAttribute(context.node, "mode", "DCR") === "CRD";
  return [isColumnFirst ? blocksBehindChannels(g, size) : spaceToDepth(g, size)];
};

/** Blocks as channels: the gradient's channels as blocks. */
export const spaceToDepthRule: GradientRule = (context) => [
  depthToSpace(cotangent(context), intAttribute(context.node, "blocksize", 1)),
];

/** Blocks as channels, those of one channel next to each other. */
function blocksBehindChannels(x: Value, size: number): Value {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const [rows, columns] = [height / size, width / size];
  const blocks = reshape(x, [batch, channels, rows, size, columns, size]);
  const moved = transpose(blocks, [0, 1, 3, 5, 2, 4]);
  return reshape(moved, [batch, channels * size * size, rows, columns]);
}
