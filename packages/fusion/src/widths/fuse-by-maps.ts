import {
  assertFiniteTensors,
  assertWholeOptions,
  type Checkpoint,
  DTYPES,
  defineCheckpoint,
  fromFloat64Into,
  OutOfRangeError,
  resolveOptions,
  toFloat64,
} from "@isthmus/core";
import { assertNetwork, type DataSet } from "@isthmus/graph";
import { readGains } from "@isthmus/symmetry";
import type { FusableNetwork } from "../transport/fuse-networks.ts";
import type { FuseProgress } from "../transport/fuse-options.ts";
import { assertSame, findMaps, moveNetwork } from "./find-maps.ts";
import { readDoubles } from "./framed.ts";
import type { MapMethod } from "./map-options.ts";
import { openWidthPair, type UnitMap, unitMaps } from "./width-pair.ts";

/** Options of {@link fuseByMaps}. */
export interface FuseByMapsOptions {
  /** Way of finding the maps from units of the source to units of the target. @defaultValue "weights" */
  readonly maps?: MapMethod | undefined;
  /** Unlabelled examples on which activations are compared. @defaultValue none; controls need none */
  readonly data?: DataSet | undefined;
  /** Number of examples to take from `data`, from the first. @defaultValue 1000 */
  readonly examples?: number | undefined;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number | undefined;
  /** Share of the source in the result, in `[0, 1]`; the rest is the target's. @defaultValue 0.5 */
  readonly weight?: number | undefined;
  /** Seed of random maps, and of the inputs on which the maps are checked. @defaultValue 0 */
  readonly seed?: number | undefined;
  /** Signal that stops the fusion. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
  /** Called as units are compared. @defaultValue no reports */
  readonly onProgress?: ((progress: FuseProgress) => void) | undefined;
}

/** Defaults of {@link FuseByMapsOptions}. */
const FUSE_BY_MAPS_DEFAULTS = {
  maps: "weights" as MapMethod,
  data: undefined as DataSet | undefined,
  examples: 1000,
  batchSize: 100,
  weight: 0.5,
  seed: 0,
  signal: undefined as AbortSignal | undefined,
  onProgress: undefined as ((progress: FuseProgress) => void) | undefined,
};

/** Result of {@link fuseByMaps}. */
export interface FuseByMapsResult {
  /** Weighted average, a network of the target's graph; lazy. */
  readonly fused: Checkpoint;
  /** Source alone, of the target's graph and norms; it computes what the source computes. */
  readonly transported: Checkpoint;
  /** Maps of all symmetries. */
  readonly units: readonly UnitMap[];
  /** Largest relative error of an output of the transported source. */
  readonly error: number;
  /** Distance of the transported source from the target over all parameters, in norms of the target. */
  readonly distance: number;
}

/**
 * Widens a network to the width of another and averages both, by maps with orthonormal columns: residual
 * streams and the inner dimensions of heads by matrices, heads and hidden units one to one, with zeros for
 * the units of the target that are left over.
 *
 * The widened network computes the same, which is checked. Norms divide by a mean over the width, so what
 * writes a stream is multiplied by the root of the ratio of widths, and gains by its inverse; layer norms
 * take the mean away, so maps keep the vector of ones. Queries and keys are multiplied by the fourth root of
 * the ratio of their sizes, as graphs divide their products by the root of the size.
 *
 * @throws MismatchError if the graphs differ in more than widths, or a network does not fit its graph
 * @throws UnsupportedError if the source would compute something else, with the reason
 * @throws UsageError if activations are needed and there are no examples
 * @throws InputError if a weight is NaN or infinite, or data do not fit
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, fuseByMaps, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@50");
 * const engine = createOnnxRuntimeEngine();
 * const [narrow, wide] = [parseNetwork("vit:p14:d1:w8:h2", data), parseNetwork("vit:p14:d1:w12:h3", data)];
 * const { transported, error } = await fuseByMaps(
 *   { graph: narrow.graph, engine, network: narrow.initialize(0) }, // trained ones, as a rule
 *   { graph: wide.graph, engine, network: wide.initialize(1) },
 *   { data },
 * );
 * assert(error < 1e-4); // it computes the same
 * assert.deepEqual(transported.tensors.get("cls_token")?.shape, [1, 1, 12]);
 * ```
 */
export async function fuseByMaps(
  source: FusableNetwork,
  target: FusableNetwork,
  options: FuseByMapsOptions = {},
): Promise<FuseByMapsResult> {
  const attempt = "fuse networks by maps";
  const resolved = resolveOptions(attempt, FUSE_BY_MAPS_DEFAULTS, options);
  const { weight, examples, batchSize, seed, signal } = resolved;
  assertWholeOptions(attempt, { examples, batchSize, seed }, { examples: 1, batchSize: 1, seed: 0 });
  if (!(weight >= 0 && weight <= 1)) {
    throw new OutOfRangeError(`Cannot ${attempt} as "weight" must be in [0, 1]: it is ${weight}`);
  }
  for (const { graph, network } of [source, target]) {
    assertNetwork(graph, network);
    await assertFiniteTensors(attempt, network);
  }
  const pair = await openWidthPair(source, target, { signal });
  const { maps, error } = await findMaps(pair, [source.network, target.network], {
    ...resolved,
    mixUnits: false,
  });
  assertSame(pair, error);
  const gains = readGains(await readDoubles(target.graph, target.network), pair.target.continuous.mixing);
  const moved = await moveNetwork(pair, source.network, maps, { gains, like: target.network });
  const mixed = (share: number) => averaged([moved, target.network], share, source.network.source);
  return {
    fused: mixed(weight),
    transported: mixed(1),
    units: unitMaps(pair),
    error,
    distance: await distanceOf(target, moved),
  };
}

/** Defines `weight * moved + (1 - weight) * target`, with the names and element types of the target; lazy. */
function averaged(
  [moved, target]: readonly [Checkpoint, Checkpoint],
  weight: number,
  name: string,
): Checkpoint {
  return defineCheckpoint({
    source: `${name} fused into ${target.source}`,
    tensors: target.tensors,
    metadata: target.metadata,
    inputs: [moved, target],
    async readInto(tensor, begin, out) {
      await target.readRangeInto(tensor, begin, out);
      const [from, dtype] = [moved.tensors.get(tensor), target.tensors.get(tensor)?.dtype];
      if (from === undefined || dtype === undefined || !DTYPES[dtype].float) return;
      const before = toFloat64(out, dtype);
      const other = toFloat64(await moved.readRange(tensor, begin, begin + out.length), from.dtype);
      fromFloat64Into(
        other.map((value, i) => weight * value + (1 - weight) * (before[i] as number)),
        dtype,
        out,
      );
    },
  });
}

async function distanceOf({ graph, network }: FusableNetwork, moved: Checkpoint): Promise<number> {
  const [ofMoved, ofTarget] = [await readDoubles(graph, moved), await readDoubles(graph, network)];
  let [sum, norm] = [0, 0];
  for (const [name, values] of ofTarget) {
    if (graph.weights.get(name)?.role !== "parameter") continue;
    const other = ofMoved.get(name);
    values.forEach((value, i) => {
      sum += ((other?.[i] as number) - value) ** 2;
      norm += value * value;
    });
  }
  return norm === 0 ? Math.sqrt(sum) : Math.sqrt(sum / norm);
}
