import {
  at,
  type Checkpoint,
  createRandom,
  entry,
  type Tensor,
  UnsupportedError,
  UsageError,
} from "@isthmus/core";
import { type Architecture, bindWeights, compareOutputs, randomInputs } from "@isthmus/graph";
import type { Matrix } from "@isthmus/linear-algebra";
import { handleEvents } from "@isthmus/platform";
import { checkpointOf, type Doubles, readFramed } from "./framed.ts";
import type { FoundMapsOptions } from "./map-options.ts";
import { moveWeights } from "./move-weights.ts";
import { placeMaps } from "./place-maps.ts";
import { activationProducts, type FramedNetworks, weightProducts } from "./unit-products.ts";
import { WidthMaps } from "./width-maps.ts";
import type { WidthPair } from "./width-pair.ts";

/** Maps between two networks, and how well the source keeps its function under them. */
export interface FoundMaps {
  /** Maps of all units. */
  readonly maps: WidthMaps;
  /**
   * Largest difference of an output of the mapped source from the source's own, relative to the largest
   * element of that output.
   */
  readonly error: number;
}

/** Sweeps over heads and hidden units by weights; each sees the maps of the one before. */
const SWEEPS = 2;

/**
 * Finds the maps by which the units of one network go to the units of another.
 *
 * @throws UsageError if the method needs examples, and there are none
 */
export async function findMaps(
  pair: WidthPair,
  [source, target]: readonly [Checkpoint, Checkpoint],
  options: FoundMapsOptions,
): Promise<FoundMaps> {
  const framed = {
    source: await readFramed(pair.source, source),
    target: await readFramed(pair.target, target),
    like: target,
  };
  const maps = await matricesOf(pair, framed, options);
  const { families, paired } = pair.correspondence;
  const changes = [...paired].some((index) => {
    const { source: from, target: to } = at(families, index, "family");
    return from.count / from.parents.length !== to.count / to.parents.length;
  });
  // Graphs divide products of queries and keys by the root of their number, but for some that do not.
  const tried: FoundMaps[] = [];
  for (const power of changes ? [1 / 4, 0] : [0]) {
    const candidate = new WidthMaps(pair.correspondence, maps, power);
    const moved = moveWeights(pair, framed.source, candidate, new Map());
    const widened = await checkpointOf(pair.target.graph, moved, "f32", target);
    tried.push({
      maps: candidate,
      error: await compareAcross([pair.source, source], [pair.target, widened], options),
    });
  }
  return at(
    tried.sort((a, b) => a.error - b.error),
    0,
    "trial",
  );
}

type Framed = FramedNetworks & { readonly like: Checkpoint };

async function matricesOf(
  pair: WidthPair,
  framed: Framed,
  options: FoundMapsOptions,
): Promise<Map<number, Matrix>> {
  const { families } = pair.correspondence;
  const { maps: method, data, mixUnits, seed } = options;
  const isPlain = method === "padded";
  const kinds = pair.kinds.map((kind, index) => {
    if (kind === "units" && mixUnits && isLeaf(pair, index)) return "cell";
    // Zeros behind a vector do not keep its mean.
    return kind === "stream-keeping-ones" && isPlain ? "stream" : kind;
  });
  if (method === "random" || isPlain) {
    return placeMaps({ families, kinds, grams: controlProducts(pair, isPlain ? undefined : seed) });
  }
  if (data === undefined) {
    throw new UsageError(
      `Cannot match units of other widths by ${method} as their activations are compared on examples: give "matchData" (--match-data), without labels`,
    );
  }
  const { signal, onProgress } = options;
  // By weights, activations are the first half of the work.
  const share = method === "weights" ? 1 / 2 : 1;
  const grams = await activationProducts({ ...pair, kinds }, framed, data, {
    ...options,
    onProgress: ({ done }) => onProgress?.({ done: share * done }),
  });
  const matrices = placeMaps({ families, kinds, grams });
  if (method === "activations") return matrices;
  await mapByWeights({ ...pair, kinds }, framed, matrices, {
    signal,
    onProgress: ({ done }) => onProgress?.({ done: share + (1 - share) * done }),
  });
  return matrices;
}

/** Finds the maps of all units but streams anew, by the weights of both networks. */
async function mapByWeights(
  pair: WidthPair,
  framed: FramedNetworks,
  matrices: Map<number, Matrix>,
  { signal, onProgress }: Pick<FoundMapsOptions, "signal" | "onProgress">,
): Promise<void> {
  const { correspondence, kinds } = pair;
  const { families } = correspondence;
  const roots = families.flatMap(({ symmetry, above }) =>
    symmetry === undefined || above.length > 0 || kinds[symmetry]?.startsWith("stream") ? [] : [symmetry],
  );
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const [i, root] of roots.entries()) {
      onProgress?.({ done: (sweep + i / roots.length) / SWEEPS });
      // Products of weights block the thread, in which signals arrive.
      await handleEvents();
      signal?.throwIfAborted();
      const current = new WidthMaps(correspondence, matrices, 1 / 4);
      const members = kinds.flatMap((_, index) => (rootOf(pair, index) === root ? [index] : []));
      const grams = new Map(
        members.map((index) => [index, weightProducts(pair, framed, current, index)] as const),
      );
      for (const [index, map] of placeMaps({ families, kinds, grams }, new Set([root]))) {
        matrices.set(index, map);
      }
    }
  }
}

/** Checks that no symmetry is nested in a symmetry, as the inner dimensions are in heads. */
function isLeaf({ correspondence: { families } }: WidthPair, index: number): boolean {
  return !families.some(({ above }) => above.includes(index));
}

function rootOf(pair: WidthPair, symmetry: number): number {
  const [parent] = at(pair.correspondence.families, symmetry, "symmetry").above;
  return parent === undefined ? symmetry : rootOf(pair, parent);
}

/** Draws products at random by a seed, or takes products that bring the first units to the first units. */
function controlProducts(
  { correspondence: { families } }: WidthPair,
  seed: number | undefined,
): Map<number, Float64Array> {
  const products = new Map<number, Float64Array>();
  for (const { name, symmetry, source, target } of families) {
    if (symmetry === undefined) continue;
    const random = seed === undefined ? undefined : createRandom(seed, `map of ${name}`);
    const [rows, columns] = [source.count / source.parents.length, target.count / target.parents.length];
    const data = Float64Array.from({ length: source.count * target.count }, (_, k) => {
      const [i, j] = [Math.floor(k / target.count), k % target.count];
      return random?.normal() ?? (i % rows === j % columns ? 1 : 0);
    });
    products.set(symmetry, data);
  }
  return products;
}

/** Examples on which outputs are compared. */
const COMPARED = 8;

/** Compares the outputs of two networks of different graphs on the same random inputs. */
async function compareAcross(
  one: readonly [Architecture, Checkpoint],
  two: readonly [Architecture, Checkpoint],
  { seed, signal }: Pick<FoundMapsOptions, "seed" | "signal">,
): Promise<number> {
  const inputs = [...randomInputs(one[0].graph, COMPARED, seed).values()];
  const outputs = [];
  for (const [{ graph, engine }, network] of [one, two]) {
    signal?.throwIfAborted();
    const session = await engine.load(graph);
    try {
      const feeds = graph.inputs.map(({ name }, i) => [name, at(inputs, i, "input")] as const);
      outputs.push(await session.run(new Map([...feeds, ...(await bindWeights(graph, network))])));
    } finally {
      await session.release();
    }
  }
  const [before, after] = [at(outputs, 0, "run"), at(outputs, 1, "run")];
  const renamed = one[0].graph.outputs.map(({ name }, i): [string, Tensor] => {
    const other = at(two[0].graph.outputs, i, "output").name;
    return [name, entry(after, other, "output")];
  });
  return compareOutputs(one[0].graph, before, new Map(renamed)).relative;
}

/** Largest error of an output, relative to its largest element, that counts as the same function. */
export const SAME_FUNCTION = 1e-4;

/**
 * Checks that a network computes the same at other widths.
 *
 * @throws UnsupportedError if not; the message says what stands in the way
 */
export function assertSame({ notes, correspondence: { families } }: WidthPair, error: number): void {
  if (error <= SAME_FUNCTION) return;
  const narrower = families.find(({ source, target }) => target.count < source.count);
  const reason =
    narrower === undefined
      ? (notes[0] ?? "its graph does more with its units than maps of them respect")
      : `${narrower.name} has ${narrower.target.count} units there and ${narrower.source.count} here`;
  throw new UnsupportedError(
    `Cannot bring a network to other widths unchanged as its outputs differ by ${error.toPrecision(2)} of the largest: ${reason}`,
    { feature: "widths" },
  );
}

/** Moves a network of the source's graph to the target's graph. */
export async function moveNetwork(
  pair: WidthPair,
  network: Checkpoint,
  maps: WidthMaps,
  { gains, like }: { readonly gains: ReadonlyMap<string, Float64Array>; readonly like: Checkpoint },
): Promise<Checkpoint> {
  const values: Doubles = moveWeights(pair, await readFramed(pair.source, network), maps, gains);
  return checkpointOf(pair.target.graph, values, "f64", like);
}
