import {
  type Checkpoint,
  createCheckpoint,
  entry,
  OutOfRangeError,
  type Tensor,
  UnsupportedError,
} from "@isthmus/core";
import { type Graph, parameterNames } from "@isthmus/graph";

/** The elements of a network's parameters that are searched, one after the other. */
export interface SearchedWeights {
  /** Number of elements. */
  readonly count: number;
  /** Names of the parameters, each with the number of its elements that are searched. */
  readonly description: string;
  /** Reads the elements of tensors into `out` `[count]`. */
  readInto(tensors: ReadonlyMap<string, Tensor>, out: Float32Array): void;
  /** Writes elements `[count]` into tensors, whose other elements are not changed. */
  writeInto(values: Float32Array, tensors: ReadonlyMap<string, Tensor>): void;
}

/** Elements of one tensor that are searched. */
interface Part {
  readonly name: string;
  /** Indices of its elements that are searched. */
  readonly elements: Uint32Array;
}

/**
 * Lists the elements of a graph's parameters that a mask leaves, in the order of the graph.
 * @throws UnsupportedError if a parameter is not f32
 * @throws OutOfRangeError if a mask has not as many elements as its weight or names no parameter, or masks
 *   leave no element
 */
export function searchedWeights(
  attempt: string,
  { graph, weights }: { readonly graph: Graph; readonly weights: ReadonlyMap<string, Tensor> },
  masks: ReadonlyMap<string, Uint8Array> = new Map(),
): SearchedWeights {
  const names = parameterNames(graph);
  const unknown = [...masks.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new OutOfRangeError(
      `Cannot ${attempt} as masks must be of parameters of graph "${graph.name}": "${unknown}" is none`,
    );
  }
  const parts = names.map((name): Part => {
    const { data, dtype } = entry(weights, name, "weight");
    if (dtype !== "f32") {
      throw new UnsupportedError(
        `Cannot ${attempt} of graph "${graph.name}" as parameters must be f32: "${name}" is ${dtype}; convert the network`,
        { feature: `${dtype} parameters` },
      );
    }
    const mask = masks.get(name);
    if (mask !== undefined && mask.length !== data.length) {
      throw new OutOfRangeError(
        `Cannot ${attempt} as the mask of "${name}" must have an element for each of its: ${mask.length} for ${data.length}`,
      );
    }
    const all = Uint32Array.from(data.keys());
    return { name, elements: mask === undefined ? all : all.filter((element) => mask[element] === 1) };
  });
  const count = parts.reduce((sum, { elements }) => sum + elements.length, 0);
  if (count === 0) {
    throw new OutOfRangeError(`Cannot ${attempt} as an element of a weight must be left: masks take all out`);
  }
  const visit = (
    tensors: ReadonlyMap<string, Tensor>,
    each: (values: Float32Array, element: number, at: number) => void,
  ) => {
    let at = 0;
    for (const { name, elements } of parts) {
      const values = entry(tensors, name, "weight").data as Float32Array;
      for (const element of elements) each(values, element, at++);
    }
  };
  return {
    count,
    description: parts.map(({ name, elements }) => `${name} ${elements.length}`).join(", "),
    readInto: (tensors, out) =>
      visit(tensors, (values, element, at) => {
        out[at] = values[element] as number;
      }),
    writeInto: (all, tensors) =>
      visit(tensors, (values, element, at) => {
        values[element] = all[at] as number;
      }),
  };
}

/**
 * Returns tensors with zeros at the elements that masks take out, in memory of their own; frozen buffers and
 * other weights are not changed.
 */
export function copyMasked(
  tensors: ReadonlyMap<string, Tensor>,
  masks: ReadonlyMap<string, Uint8Array> = new Map(),
): Map<string, Tensor> {
  return new Map(
    [...tensors].map(([name, tensor]) => {
      const data = tensor.data.slice();
      const mask = masks.get(name);
      if (mask !== undefined) for (const [i, stays] of mask.entries()) if (stays === 0) data[i] = 0;
      return [name, { ...tensor, data }];
    }),
  );
}

/** Makes a checkpoint of copies of tensors. */
export function checkpointOf(tensors: ReadonlyMap<string, Tensor>, source: string): Checkpoint {
  return createCheckpoint(copyMasked(tensors), {}, source);
}
