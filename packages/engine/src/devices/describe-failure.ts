import { byteLengthOf } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";

/** Words by which a driver refuses a tensor that is larger than one buffer or one binding. */
const TOO_LARGE = /size \((\d+)\).*?(?:limit|maximum)[^(]*\((\d+)\)/s;

/** Returns the bytes that a device takes at once, if it refused a tensor as larger; else undefined. */
export function limitIn(said: string): number | undefined {
  const [, , limit] = TOO_LARGE.exec(said) ?? [];
  return limit === undefined ? undefined : Number(limit);
}

/** Words by which libraries and drivers say that memory is full. */
const FULL =
  /out of (?:device )?memory|OUT_OF_(?:DEVICE_|HOST_)?MEMORY|OUTOFMEMORY|bad_alloc|failed to allocate memory|allocation size too large/i;

/** Checks whether a run failed since memory was too small for its tensors. */
export function saysMemoryIsFull(said: string): boolean {
  return FULL.test(said) || limitIn(said) !== undefined;
}

/**
 * Says why a device failed on a graph, and how to go on: for a tensor that does not fit, which one, its size
 * and the limit; else what the device said.
 */
export function describeFailure(graph: Graph, said: string): string {
  const [, size, limit] = TOO_LARGE.exec(said) ?? [];
  if (size === undefined || limit === undefined)
    return `${said.trim()}; go on with device "cpu", which needs no driver`;
  const name = nameOfSize(graph, Number(size));
  const which = name === undefined ? `a tensor of ${size} bytes` : `"${name}" of ${size} bytes`;
  return `${which} is larger than the ${limit} bytes that the device takes at once; take smaller batches, or device "cpu"`;
}

/** Finds the value of a typed graph whose size is nearest to that of a buffer, which is rounded up. */
function nameOfSize(graph: Graph, bytes: number): string | undefined {
  const sizes = [...graph.weights, ...(graph.types ?? []), ...graph.constants].map(
    ([name, { dtype, shape }]) => ({ name, size: byteLengthOf({ dtype, shape }) }),
  );
  const fitting = sizes.filter(({ size }) => size <= bytes && size > 0.9 * bytes);
  return fitting.toSorted((a, b) => b.size - a.size)[0]?.name;
}
