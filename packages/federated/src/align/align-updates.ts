import { at, type Checkpoint, InputError, resolveOptions } from "@isthmus/core";
import type { Architecture } from "@isthmus/graph";
import { type Alignment, discoverSymmetries, identityAlignment, type Symmetries } from "@isthmus/symmetry";
import { type AlignManyOptions, align, alignMany, matchWeights } from "@isthmus/weight-matching";
import { type ClientUpdate, orderUpdates } from "../updates/client-update.ts";
import { type AlignTargetSpelling, alignTargetOf } from "./align-target.ts";

/** Options of {@link alignUpdates}. */
export interface AlignUpdatesOptions {
  /**
   * What units are matched to: the `global` network, where clients began with it, or `each-other`, where they
   * began apart and the global network says nothing yet. @defaultValue "global"
   */
  readonly to?: AlignTargetSpelling;
  /** How all are matched to each other, see `matchMany`. @defaultValue "cycle" */
  readonly many?: AlignManyOptions["many"];
  /** Seed of all random choices, a whole number of at least 0. @defaultValue 0 */
  readonly seed?: number;
  /** Symmetries of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly symmetries?: Symmetries | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each client with the share that is done, in `[0, 1]`. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** Defaults of {@link alignUpdates}. */
const ALIGN_UPDATES_DEFAULTS: Required<AlignUpdatesOptions> = {
  ...{
    to: "global",
    many: "cycle",
    seed: 0,
    symmetries: undefined,
    signal: undefined,
    onProgress: undefined,
  },
};

/** How the units of a client lay to the others. */
export interface AlignedClient {
  readonly client: string;
  /** Units that were moved to another place. */
  readonly moved: number;
  /** All units that can be permuted. */
  readonly units: number;
}

/** Updates in one system of coordinates. */
export interface AlignedUpdates {
  /** The updates in the order of their clients' names, their networks permuted lazily where units moved. */
  readonly updates: readonly ClientUpdate[];
  readonly clients: readonly AlignedClient[];
  /** Whether no unit of any client moved, as in rounds that start from one network. */
  readonly identity: boolean;
  readonly symmetries: Symmetries;
}

/**
 * Brings the networks of all clients into one system of coordinates, so that averaging joins units which do
 * the same; what each client computes does not change, which is proved for every network that is permuted.
 *
 * Rounds that start from one network rarely need it: one sweep of matching finds that every unit is at its
 * place, and says so. Where clients begin apart, it is what makes averaging work.
 * @param network - the global network
 * @throws InputError if there are no updates, or a weight is NaN or infinite
 * @throws MismatchError if a network does not fit the graph
 * @throws UnsupportedError if a permuted network would compute something else
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { aggregateUpdates, alignUpdates } from "@isthmus/federated";
 * import { readGraph } from "@isthmus/graph";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 * const sent = [a, b].map((network, i) => ({ client: `client ${i}`, examples: 30_000, network }));
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const { updates, clients } = await alignUpdates(architecture, a, sent);
 * assert.deepEqual(clients.map(({ moved }) => moved > 0), [false, true]);
 * const { network } = await aggregateUpdates(a, updates);
 * assert.equal(network.tensors.size, a.tensors.size);
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export async function alignUpdates(
  architecture: Architecture,
  network: Checkpoint,
  updates: readonly ClientUpdate[],
  options: AlignUpdatesOptions = {},
): Promise<AlignedUpdates> {
  const resolved = resolveOptions("align updates", ALIGN_UPDATES_DEFAULTS, options);
  const { graph, engine } = architecture;
  const { signal } = resolved;
  const ordered = orderUpdates(network, updates);
  const symmetries = resolved.symmetries ?? (await discoverSymmetries({ graph, engine }, { signal }));
  const group = { architecture, symmetries, resolved };
  const placed =
    alignTargetOf(resolved.to) === "each-other"
      ? await alignToEachOther(ordered, group)
      : await alignToGlobal(network, ordered, group);
  const clients = placed.map(({ alignment }, i) => ({
    client: at(ordered, i).client,
    ...countMoved(alignment),
  }));
  return {
    updates: placed.map(({ network: moved }, i) => ({ ...at(ordered, i), network: moved })),
    identity: clients.every(({ moved }) => moved === 0),
    ...{ clients, symmetries },
  };
}

interface AligningGroup {
  readonly architecture: Architecture;
  readonly symmetries: Symmetries;
  readonly resolved: Readonly<Required<AlignUpdatesOptions>>;
}

/** A client's network in common coordinates, and how it got there. */
interface Placed {
  readonly network: Checkpoint;
  readonly alignment: Alignment;
}

async function alignToGlobal(
  network: Checkpoint,
  updates: readonly ClientUpdate[],
  { architecture, symmetries, resolved: { seed, signal, onProgress } }: AligningGroup,
): Promise<Placed[]> {
  const { graph, engine } = architecture;
  const placed: Placed[] = [];
  for (const [i, update] of updates.entries()) {
    // One search from the places that units have: where they are right it ends after a sweep, and there is
    // nothing to prove.
    const quick = await matchWeights({ spec: symmetries.spec, graph, engine }, [network, update.network], {
      ...{ seed, restarts: 1, search: "coordinate-descent", signal },
    });
    if (countMoved(quick.alignment).moved === 0) {
      placed.push({ network: update.network, alignment: quick.alignment });
    } else {
      const { aligned } = await align(architecture, [network, update.network], { seed, symmetries, signal });
      const { restored, alignment } = at(aligned, 0, "network");
      placed.push({ network: restored, alignment });
    }
    onProgress?.((i + 1) / updates.length);
  }
  return placed;
}

async function alignToEachOther(
  updates: readonly ClientUpdate[],
  { architecture, symmetries, resolved: { seed, signal, many, onProgress } }: AligningGroup,
): Promise<Placed[]> {
  const [only, ...others] = updates;
  if (only === undefined)
    throw new InputError("Cannot align updates as there are none", { input: "updates" });
  if (others.length === 0) {
    return [{ network: only.network, alignment: identityAlignment(symmetries.spec) }];
  }
  const networks = updates.map(({ network }) => network);
  const { aligned } = await alignMany(architecture, networks, {
    ...{ seed, many, symmetries, signal },
    onProgress: ({ done }) => onProgress?.(done),
  });
  return aligned.map(({ restored, alignment }) => ({ network: restored, alignment }));
}

/** Counts the units that an alignment moves. */
function countMoved({ source }: Alignment): Pick<AlignedClient, "moved" | "units"> {
  return {
    moved: source.reduce((moved, from, unit) => moved + Number(from !== unit), 0),
    units: source.length,
  };
}
