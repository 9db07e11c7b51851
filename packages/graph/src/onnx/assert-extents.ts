import { FormatError } from "@isthmus/core";
import type { Graph } from "../ir/graph.ts";

/**
 * Largest extent of an axis: vocabularies, the longest axes in use, have some hundred thousand entries.
 */
const MAX_EXTENT = 2 ** 28;

/** Largest number of axes of a tensor: PyTorch allows 64. */
const MAX_RANK = 64;

/**
 * Checks that no input or weight of a graph claims more axes or longer axes than any real tensor has, as
 * memory is allocated for its elements.
 * @param source - name of the file for messages
 * @throws FormatError that names an input or weight that does
 */
export function assertExtents({ inputs, weights }: Graph, source: string): void {
  for (const { name, shape = [] } of inputs) assertShape(name, shape, source);
  for (const [name, { shape }] of weights) assertShape(name, shape, source);
}

function assertShape(name: string, shape: readonly (number | string)[], source: string): void {
  const isFit = shape.every((extent) => typeof extent === "string" || extent <= MAX_EXTENT);
  if (isFit && shape.length <= MAX_RANK) return;
  const rule = `a tensor may have at most ${MAX_RANK} axes of extents up to ${MAX_EXTENT}`;
  const shown = shape.slice(0, MAX_RANK).join(", ");
  throw new FormatError(
    `Cannot read "${source}" as ${rule}: "${name}" has ${shape.length}, [${shown}${shape.length > MAX_RANK ? ", ..." : ""}]`,
    { format: "onnx" },
  );
}
