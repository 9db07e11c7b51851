import { at, type Checkpoint, InputError, OutOfRangeError } from "@isthmus/core";
import { type Architecture, assertNetwork, type BoundNetwork, type DataSet } from "@isthmus/graph";
import { type Alignment, discoverSymmetries, identityAlignment, type Symmetries } from "@isthmus/symmetry";
import type { AlignProgress } from "../align/align.ts";
import type { AlignedNetwork, AlignmentSummary } from "../align/aligned-network.ts";
import { noteStillness } from "../align/note-stillness.ts";
import { proveSaved } from "../align/prove-saved.ts";
import { asStored, inGraph } from "../align/saved-network.ts";
import type { MatchLearnedOptions } from "../learned/match-learned-options.ts";
import {
  type LearnedMove,
  type MatchManyLearnedResult,
  matchManyLearned,
} from "../learned/match-many-learned.ts";

/** Options of `alignMany` by learning. */
export interface LearnManyOptions {
  /** Name of the method. */
  readonly method: "learned";
  /** Examples to learn from, without their labels. */
  readonly data: DataSet;
  /** Seed of all random choices. */
  readonly seed: number;
  /** Index of the network that is not changed, to which the others are brought. @defaultValue 0 */
  readonly reference?: number | undefined;
  /** Options of learning. */
  readonly learning?: Omit<MatchLearnedOptions, "seed" | "signal" | "onProgress" | "onNote"> | undefined;
  /** Symmetries of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly symmetries?: Symmetries | undefined;
  /** Extent of the proof, see `align`. @defaultValue "values" */
  readonly proof?: "values" | "outputs" | undefined;
  /** Signal that stops the alignment. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called at the start, during learning, and after each proof. @defaultValue nothing is called */
  readonly onProgress?: ((progress: AlignProgress) => void) | undefined;
  /** Called with notes for the user, such as why learning starts anew. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/** A network brought to the reference by learning. */
export interface LearnedNetwork extends Pick<AlignedNetwork, "network" | "restored" | "move"> {
  /** Alignment that permutes the network, before its spaces are mixed; of the reference the identity. */
  readonly alignment: Alignment;
  /** Summary as plain data; the reference has no start, and none of its units moved. */
  readonly summary: Pick<AlignmentSummary, "verified"> &
    Pick<LearnedMove, "moved"> & { readonly start: LearnedMove["start"] | null };
}

/** Result of `alignMany` by learning. */
export interface LearnManyResult {
  /** All networks; the reference is unchanged. */
  readonly networks: readonly Checkpoint[];
  /** How each network is moved, the reference included. */
  readonly aligned: readonly LearnedNetwork[];
  /** Facts of the learning, and the index of the reference. */
  readonly match: Omit<MatchManyLearnedResult, "others"> & { readonly reference: number };
  /** Symmetries of the graph: the ones given in the options, or the ones discovered. */
  readonly symmetries: Symmetries;
}

/** Share of the time that learning takes, for progress; the rest is the proof. */
const LEARNING = 0.9;

/** Brings networks to one of them by learning, all at once, and proves that each computes what it did. */
export async function learnMany(
  architecture: Architecture,
  networks: readonly (Checkpoint | BoundNetwork)[],
  options: LearnManyOptions,
): Promise<LearnManyResult> {
  const { data, seed, reference = 0, learning, proof = "values", signal, onProgress, onNote } = options;
  assertReference(networks, reference);
  const { graph, engine } = architecture;
  for (const network of networks) assertNetwork(graph, inGraph(network));
  onProgress?.({ done: 0, phase: "discovering", network: 0 });
  const symmetries = options.symmetries ?? (await discoverSymmetries({ graph, engine }, { signal }));
  await noteStillness(architecture, symmetries, { signal, onNote });
  const order = [reference, ...networks.flatMap((_, i) => (i === reference ? [] : [i]))];
  const report = ({ done }: { readonly done: number }) =>
    onProgress?.({ done: LEARNING * done, phase: "matching", network: 0, share: done });
  const { others, ...match } = await matchManyLearned(
    { graph, engine, symmetries },
    order.map((i) => inGraph(at(networks, i, "network"))),
    data,
    { ...learning, seed, signal, onNote, onProgress: report },
  );
  const proven = { symmetries, mixed: match.symmetries };
  const first = at(networks, reference, "reference");
  const aligned = new Array<LearnedNetwork>(networks.length);
  for (const [k, i] of order.entries()) {
    const share = k / networks.length;
    onProgress?.({ done: LEARNING + (1 - LEARNING) * share, phase: "verifying", network: i, share });
    const original = at(networks, i, "network");
    const { alignment, transform, ...rest } = k === 0 ? stillOf(symmetries) : at(others, k - 1, "network");
    const changed = await transform(inGraph(original));
    const moved = { original, changed, move: k === 0 ? undefined : transform };
    const { restored, verified } = await proveSaved(architecture, proven, moved, { seed, proof, signal });
    aligned[i] = {
      alignment,
      network: changed,
      restored: k === 0 ? asStored(first) : restored,
      move: transform,
      summary: { ...rest, verified },
    };
  }
  onProgress?.({ done: 1, phase: "verifying", network: networks.length, share: 1 });
  return {
    networks: aligned.map(({ restored }) => restored),
    aligned,
    match: { ...match, reference },
    symmetries,
  };
}

/** Describes how the reference is moved: not at all. */
function stillOf({ spec }: Symmetries) {
  return {
    alignment: identityAlignment(spec),
    transform: async (network: Checkpoint) => network,
    start: null,
    moved: 0,
  };
}

function assertReference(networks: readonly (Checkpoint | BoundNetwork)[], reference: number): void {
  const [only] = networks;
  if (networks.length < 2) {
    throw new InputError(`Cannot align networks as there must be at least two: got ${networks.length}`, {
      input: only === undefined ? "networks" : inGraph(only).source,
    });
  }
  if (Number.isSafeInteger(reference) && reference >= 0 && reference < networks.length) return;
  throw new OutOfRangeError(
    `Cannot align networks as reference must be the index of one of them: it is ${reference} of ${networks.length}`,
  );
}
