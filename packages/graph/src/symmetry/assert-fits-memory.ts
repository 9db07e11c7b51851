import { totalmem } from "node:os";
import { DTYPES, type DType, formatShape, InputError, sizeOf } from "@isthmus/core";
import type { Graph } from "../ir/graph.ts";
import { inputShape } from "./random-inputs.ts";

/** A tensor that a run is fed with, and the memory it takes. */
interface Feed {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/**
 * Checks, before a graph is run, that its inputs and weights fit the memory of this machine: a small file can
 * claim extents for which no machine has any.
 * @throws InputError that names the largest of them
 */
export function assertFitsMemory(
  graph: Graph,
  batch: number,
  extents: Readonly<Record<string, number>>,
): void {
  const feeds = [...inputFeeds(graph, batch, extents), ...weightFeeds(graph)];
  const bytes = feeds.reduce((sum, feed) => sum + feed.bytes, 0);
  const [largest] = feeds.sort((a, b) => b.bytes - a.bytes);
  if (largest === undefined || bytes <= totalmem()) return;
  const told = `"${largest.name}" of ${largest.dtype} ${formatShape(largest.shape)} the most`;
  throw new InputError(
    `Cannot run graph "${graph.name}" as its inputs and weights must fit the memory: they take ${bytes} bytes of ${totalmem()}, ${told}`,
    { input: graph.name },
  );
}

function inputFeeds(
  { inputs }: Graph,
  batch: number,
  extents: Readonly<Record<string, number>>,
): readonly Feed[] {
  return inputs.map((info) => {
    const shape = inputShape(info, batch, extents);
    // Numbers are drawn as doubles, whatever they are fed as.
    return { name: info.name, dtype: info.dtype ?? "f32", shape, bytes: sizeOf(shape) * DTYPES.f64.bytes };
  });
}

function weightFeeds({ weights }: Graph): readonly Feed[] {
  return [...weights].map(([name, { dtype, shape }]) => {
    return { name, dtype, shape, bytes: sizeOf(shape) * DTYPES[dtype].bytes };
  });
}
