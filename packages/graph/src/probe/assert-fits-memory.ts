import { totalmem } from "node:os";
import { DTYPES, type DType, formatShape, InputError, sizeOf } from "@isthmus/core";
import type { Graph } from "../ir/graph.ts";
import { inputShape } from "./random-inputs.ts";

/**
 * Largest number of elements of all inputs of a run: a hundred large photographs. A graph with larger inputs
 * can be exported with smaller extents, which change no symmetry.
 */
const MAX_INPUT_SIZE = 2 ** 25;

/** A tensor that a run is fed with. */
interface Feed {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * Checks, before a graph is run with random numbers, that its inputs are not too large, and that its inputs
 * and weights fit the memory of this machine: a small file can claim extents for which no machine has memory.
 * @throws InputError that names the largest input or weight
 */
export function assertFitsMemory(
  { name: graph, inputs, weights }: Graph,
  batch: number,
  extents: Readonly<Record<string, number>>,
): void {
  const fed: readonly Feed[] = inputs.map((info) => {
    return {
      name: info.name,
      dtype: info.dtype ?? "f32",
      shape: inputShape(info, inputs, { batch, extents }),
    };
  });
  const size = fed.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (size > MAX_INPUT_SIZE) {
    const rule = `its inputs may have at most ${MAX_INPUT_SIZE} numbers for ${batch} examples: they have ${size}`;
    throw refuse(graph, rule, fed);
  }
  const all = [...fed, ...[...weights].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))];
  const bytes = all.reduce((sum, feed) => sum + bytesOf(feed), 0);
  if (bytes <= totalmem()) return;
  const rule = `its inputs and weights must fit the memory: they take ${bytes} bytes of ${totalmem()}`;
  throw refuse(graph, rule, all);
}

function bytesOf({ dtype, shape }: Feed): number {
  return sizeOf(shape) * DTYPES[dtype].bytes;
}

function refuse(graph: string, rule: string, feeds: readonly Feed[]): InputError {
  const [largest] = [...feeds].sort((a, b) => bytesOf(b) - bytesOf(a));
  const detail =
    largest === undefined
      ? ""
      : `, "${largest.name}" of ${largest.dtype} ${formatShape(largest.shape)} the most`;
  return new InputError(`Cannot run graph "${graph}" as ${rule}${detail}`, { input: graph });
}
