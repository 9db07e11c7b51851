import { at, type Checkpoint, resolveOptions, type Tensor, withTensors } from "@isthmus/core";
import { average } from "@isthmus/interpolation";
import { REGMEAN_DEFAULTS, type RegmeanOptions, regmean } from "./regmean.ts";

/**
 * Layers that {@link regmeanPlusPlus} solves together, and the network by which their inputs are measured.
 */
export interface GramRequest {
  /** Network whose layers before these are merged already; its other layers are averages. */
  readonly network: Checkpoint;
  /** Names of the weights `[outputs, inputs]` of the layers. */
  readonly layers: readonly string[];
  /** Position of the network on whose data the inputs are measured. */
  readonly data: number;
}

/** Options of {@link regmeanPlusPlus}. */
export interface RegmeanPlusPlusOptions extends RegmeanOptions {
  /** Signal that stops the work between two measurements. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each group of layers. @defaultValue not called */
  readonly onProgress?: ((progress: { readonly done: number }) => void) | undefined;
}

/** Defaults of {@link regmeanPlusPlus}. */
const REGMEAN_PLUS_PLUS_DEFAULTS: Required<RegmeanPlusPlusOptions> = {
  ...REGMEAN_DEFAULTS,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Merges networks by {@link regmean} from the first layer to the last. The inputs of each layer are measured
 * after the layers that are merged already, so that later layers adapt to errors of earlier ones (RegMean++,
 * Nguyen et al., 2025, section 3).
 *
 * Solved weights are held in memory; all other tensors are averaged when they are read.
 *
 * @param networks - at least one network, all of one structure
 * @param groups - names of the weights to solve, in the order in which the network computes them; layers with
 *   the same inputs, such as query, key and value, belong to one group
 * @param measure - measures the inputs of layers, and returns a checkpoint with a Gram matrix
 *   `[inputs, inputs]` under the name of each layer's weight
 * @throws MismatchError if names or shapes differ, or Gram matrices are singular
 * @throws OutOfRangeError if there are no networks, or `offDiagonal` is not in `[0, 1]`
 */
export async function regmeanPlusPlus(
  networks: readonly Checkpoint[],
  groups: readonly (readonly string[])[],
  measure: (request: GramRequest) => Promise<Checkpoint> | Checkpoint,
  options: RegmeanPlusPlusOptions = {},
): Promise<Checkpoint> {
  const resolved = resolveOptions("merge by RegMean++", REGMEAN_PLUS_PLUS_DEFAULTS, options);
  const mean = average(networks);
  const solved = new Map<string, Tensor>();
  let merged = mean;
  for (const [done, layers] of groups.entries()) {
    const grams: Checkpoint[] = [];
    for (const data of networks.keys()) {
      resolved.signal?.throwIfAborted();
      grams.push(await measure({ network: merged, layers, data }));
    }
    const solution = regmean(networks, grams, {
      offDiagonal: resolved.offDiagonal,
      products: resolved.products,
    });
    for (const name of at(grams, 0).tensors.keys()) solved.set(name, await solution.read(name));
    merged = withTensors(mean, new Map(solved));
    resolved.onProgress?.({ done: (done + 1) / groups.length });
  }
  return merged;
}
