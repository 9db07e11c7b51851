import {
  assertSameStructure,
  at,
  type Checkpoint,
  InputError,
  resolveOptions,
  UsageError,
} from "@isthmus/core";
import type { Architecture } from "@isthmus/graph";
import {
  type Alignment,
  discoverSymmetries,
  identityAlignment,
  type Symmetries,
  wholeSpec,
} from "@isthmus/symmetry";
import { align } from "../align/align.ts";
import { type AlignManyOptions, alignMany } from "../many/align-many.ts";
import { matchWeights } from "../match-weights.ts";

/** Update of a client of a federation, as far as its alignment needs it. */
export interface AlignableUpdate {
  /** Name of the client. */
  readonly client: string;
  /** The client's network after its work. */
  readonly network: Checkpoint;
}

/** Options of {@link alignUpdates}. */
export interface AlignUpdatesOptions {
  /**
   * Reference that units are matched to: the `global` network, if clients began with it, or `each-other`, if
   * they began apart and the global network says nothing yet. @defaultValue "global"
   */
  readonly to?: "global" | "each-other";
  /** Method by which all networks are matched to each other, see `matchMany`. @defaultValue "cycle" */
  readonly many?: AlignManyOptions["many"];
  /** Seed of all random choices, a whole number of at least 0. @defaultValue 0 */
  readonly seed?: number;
  /** Symmetries of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly symmetries?: Symmetries | undefined;
  /** Signal that stops the alignment. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each client with the share that is done, in `[0, 1]`. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** Defaults of {@link alignUpdates}. */
const DEFAULTS: Required<AlignUpdatesOptions> = {
  to: "global",
  many: "cycle",
  seed: 0,
  symmetries: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** Alignment of a client's units in numbers. */
export interface AlignedClient {
  /** Name of the client. */
  readonly client: string;
  /** Units that were moved to another place. */
  readonly moved: number;
  /** All units that can be permuted. */
  readonly units: number;
}

/** Updates in one system of coordinates. */
export interface AlignedUpdates<U extends AlignableUpdate> {
  /** The updates in the order of their clients' names, their networks permuted lazily if units moved. */
  readonly updates: readonly U[];
  /** Alignment of each client in numbers, in the order of their names. */
  readonly clients: readonly AlignedClient[];
  /** Whether no unit of any client moved, as in rounds that start from one network. */
  readonly identity: boolean;
  /** Symmetries of the graph: the ones given in the options, or the ones discovered. */
  readonly symmetries: Symmetries;
}

/**
 * Brings the networks of all clients into one system of coordinates, so that averaging joins units which do
 * the same; what each client computes does not change, which is proved for every network that is permuted.
 *
 * Rounds that start from one network rarely need it: one sweep of matching finds that every unit is at its
 * place, and says so. If clients begin apart, alignment is what makes averaging work.
 * @param network - the global network
 * @throws InputError if there are no updates, or a weight is NaN or infinite
 * @throws UsageError if `to` is unknown
 * @throws MismatchError if a network does not fit the graph
 * @throws UnsupportedError if a permuted network would compute something else
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { readGraph } from "@isthmus/graph";
 * import { alignUpdates } from "@isthmus/weight-matching";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 * const sent = [a, b].map((network, i) => ({ client: `client ${i}`, examples: 30_000, network }));
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const { updates, clients } = await alignUpdates(architecture, a, sent);
 * assert.deepEqual(clients.map(({ moved }) => moved > 0), [false, true]);
 * assert.deepEqual(updates.map(({ examples }) => examples), [30_000, 30_000]);
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export async function alignUpdates<U extends AlignableUpdate>(
  architecture: Architecture,
  network: Checkpoint,
  updates: readonly U[],
  options: AlignUpdatesOptions = {},
): Promise<AlignedUpdates<U>> {
  const resolved = resolveOptions("align updates", DEFAULTS, options);
  const { graph, engine } = architecture;
  const { signal } = resolved;
  const place = PLACES.get(resolved.to);
  if (place === undefined) {
    throw new UsageError(
      `Cannot align updates as "to" must be one of ${[...PLACES.keys()].join(", ")}: it is "${resolved.to}"`,
    );
  }
  if (updates.length === 0) {
    throw new InputError("Cannot align updates as there are none: wait for one", { input: "updates" });
  }
  const ordered = orderByClient(updates);
  for (const update of ordered) assertSameStructure(network, update.network);
  const symmetries = resolved.symmetries ?? (await discoverSymmetries({ graph, engine }, { signal }));
  const group = { architecture, symmetries, resolved };
  const networks = ordered.map((update) => update.network);
  const placed = await place(network, networks, group);
  const clients = placed.map(({ alignment }, i) => ({
    client: at(ordered, i).client,
    ...countMoved(alignment),
  }));
  return {
    updates: placed.map(({ network: moved }, i) => ({ ...at(ordered, i), network: moved })),
    identity: clients.every(({ moved }) => moved === 0),
    clients,
    symmetries,
  };
}

interface AligningGroup {
  readonly architecture: Architecture;
  readonly symmetries: Symmetries;
  readonly resolved: Readonly<Required<AlignUpdatesOptions>>;
}

/** A client's network in common coordinates, and the alignment that brought it there. */
interface Placed {
  readonly network: Checkpoint;
  readonly alignment: Alignment;
}

/** Returns updates in the order of their clients' names by code units, as languages order words otherwise. */
function orderByClient<U extends AlignableUpdate>(updates: readonly U[]): readonly U[] {
  return [...updates].sort((a, b) => (a.client < b.client ? -1 : Number(a.client > b.client)));
}

async function alignToGlobal(
  network: Checkpoint,
  sent: readonly Checkpoint[],
  { architecture, symmetries, resolved: { seed, signal, onProgress } }: AligningGroup,
): Promise<Placed[]> {
  const { graph, engine } = architecture;
  const placed: Placed[] = [];
  for (const [i, one] of sent.entries()) {
    // One search from the places that units have: if they are right it ends after a sweep, and nothing has to
    // be proved.
    const quick = await matchWeights({ spec: wholeSpec(symmetries), graph, engine }, [network, one], {
      seed,
      restarts: 1,
      search: "coordinate-descent",
      signal,
    });
    if (countMoved(quick.alignment).moved === 0) {
      placed.push({ network: one, alignment: quick.alignment });
    } else {
      const { aligned } = await align(architecture, [network, one], { seed, symmetries, signal });
      const { restored, alignment } = at(aligned, 0, "network");
      placed.push({ network: restored, alignment });
    }
    onProgress?.((i + 1) / sent.length);
  }
  return placed;
}

async function alignToEachOther(
  _: Checkpoint,
  sent: readonly Checkpoint[],
  { architecture, symmetries, resolved: { seed, signal, many, onProgress } }: AligningGroup,
): Promise<Placed[]> {
  if (sent.length === 1) {
    return sent.map((network) => ({ network, alignment: identityAlignment(wholeSpec(symmetries)) }));
  }
  const { aligned } = await alignMany(architecture, sent, {
    seed,
    many,
    symmetries,
    signal,
    onProgress: ({ done }) => onProgress?.(done),
  });
  return aligned.map(({ restored, alignment }) => ({ network: restored, alignment }));
}

/** Functions that align updates, by the reference that units are matched to. */
const PLACES = new Map([
  ["global", alignToGlobal],
  ["each-other", alignToEachOther],
]);

/** Counts the units that an alignment moves. */
function countMoved({ source }: Alignment): Pick<AlignedClient, "moved" | "units"> {
  return {
    moved: source.reduce((moved, from, unit) => moved + Number(from !== unit), 0),
    units: source.length,
  };
}
