import { at, type Checkpoint, InputError } from "@isthmus/core";
import {
  type Architecture,
  type DataSet,
  fingerprintWeights,
  type Graph,
  lossFields,
  scoreBy,
} from "@isthmus/graph";
import { type Journal, openJournal } from "@isthmus/tasks";
import { type ManyJournal, placeMany } from "@isthmus/weight-matching";
import { bindNetwork } from "../bind-network.ts";
import { createCorrectedEvaluator } from "../create-corrected-evaluator.ts";
import { describeMeasurement } from "../describe-measurement.ts";
import type { MapResult } from "../map-result.ts";
import {
  type MapNetworksOptions,
  type MapProgress,
  type ResolvedMapOptions,
  resolveMapOptions,
} from "./map-options.ts";
import { assertThrough, measureGround } from "./measure-ground.ts";
import { measurePairsBy } from "./measure-pairs.ts";
import { countOfStage, measureStage, type StageNetwork } from "./measure-stage.ts";

/** Share of the time that alignment takes, for progress. */
const ALIGNING = 0.25;
/** Share of the rest of the time that pairs take if there is a ground, for progress. */
const PAIRS = 0.6;

/**
 * Measures the barriers and distances between all pairs of networks, before and after all are aligned to each
 * other; joins the networks to a tree by the barriers, and places them and their mean in the plane by the
 * distances.
 *
 * Barriers are chord barriers on straight lines, all on the same examples in the same order. Barriers are not
 * distances: they break the triangle inequality, as a star shows, from which all barriers are low. So the
 * plane shows Euclidean distances of parameters; the tree uses barriers, as it does not need the triangle
 * inequality; if barriers are equal, distances decide.
 *
 * Networks are read when they are needed, two at a time; `memory` limits what the alignment holds. With a
 * `journalPath`, measurements are stored by fingerprints of the networks, so that a map that was stopped goes
 * on, and a map of more networks measures only the new pairs.
 * @param networks - at least two, with the graph's names
 * @throws InputError if there are fewer than two networks, a weight is NaN or infinite, or the data do not
 *   fit the graph
 * @throws MismatchError if a network does not fit the graph, or the journal is of another measurement
 * @throws FormatError if the file at `journalPath` is not a journal
 * @throws OutOfRangeError if an option is out of range
 * @throws DOMException named AbortError if `signal` is aborted
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, mapNetworks, openArchitecture } from "isthmus";
 * import { openCheckpoint, openDataSet } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const seeds = ["s0", "s1"].map((seed) => openCheckpoint(`examples/mnist-mlp/${seed}.safetensors`));
 * const networks = await Promise.all(seeds);
 *
 * const data = await openDataSet("mnist:test@100");
 * const options = { seed: 0, many: "reference", points: 3 } as const;
 * const { before, after } = await mapNetworks(architecture, networks, data, options);
 * assert((before.pairs[0]?.loss ?? 0) > 1 && (after.pairs[0]?.loss ?? 1) < 0.1);
 * assert(after.mean.loss < before.mean.loss); // of the average of all
 * await Promise.all(networks.map((network) => network.close()));
 * ```
 */
export async function mapNetworks(
  { graph: unscored, engine }: Architecture,
  networks: readonly Checkpoint[],
  data: DataSet,
  options: MapNetworksOptions,
): Promise<MapResult> {
  const resolved = resolveMapOptions(options);
  const graph = scoreBy(unscored, resolved.loss);
  const { star, statistics, statisticsData, batchSize, signal, points, seed } = resolved;
  assertSeveral(networks);
  const trained = await identify(graph, [
    ...networks.map((network) => ({ network, role: "network" as const })),
    ...(star === undefined ? [] : [{ network: star, role: "star" as const }]),
  ]);
  assertThrough(trained.length, resolved);
  const run = describeMeasurement({ graph, engine, data }, { statistics, statisticsData, batchSize });
  const journal = await openJournal(resolved.journalPath, { ...run, points });
  const report = (phase: MapProgress["phase"], done: number) => resolved.onProgress?.({ done, phase });
  const pairsEnd = resolved.ground > 0 ? ALIGNING + (1 - ALIGNING) * PAIRS : 1;
  const { many, aligned } = await alignStage({ graph, engine }, trained, {
    ...resolved,
    journal: alignmentJournal(journal, nameOf(trained, resolved)),
    onShare: (share) => report("aligning", ALIGNING * share),
  });
  const evaluator = await createCorrectedEvaluator(
    { graph, engine, data },
    { attempt: "map networks", statistics, statisticsData, batchSize, signal },
  );
  try {
    let counted = 0;
    const total = 2 * countOfStage(trained.length, points);
    const count = (more: number) => {
      counted += more;
      report("measuring", ALIGNING + (pairsEnd - ALIGNING) * (counted / total));
    };
    const pairing = { measurePairs: resolved.measurePairs ?? measurePairsBy(evaluator) };
    const tools = { graph, engine, data, evaluator, journal, options: resolved, ...pairing, count };
    const { ends, ...before } = await measureStage(trained, tools);
    const { ends: _, ...after } = await measureStage(aligned, tools);
    const onShare = (done: number) => report("ground", pairsEnd + (1 - pairsEnd) * done);
    const ground =
      resolved.ground > 0 ? await measureGround(aligned, after.pairs, { ...tools, onShare }) : undefined;
    return {
      kind: "map",
      ...lossFields(graph, data),
      networks: trained.map(({ network: { source }, role }, i) => ({
        source,
        role,
        ...at(ends, i, "network"),
      })),
      before,
      after,
      ...(ground && { ground }),
      many,
      points,
      statistics,
      examples: data.size,
      data: data.name,
      seed,
      engine: engine.name,
    };
  } finally {
    await evaluator.release();
  }
}

function assertSeveral(networks: readonly Checkpoint[]): void {
  if (networks.length >= 2) return;
  const [only] = networks;
  throw new InputError(
    `Cannot map networks as there must be at least two: got ${only === undefined ? "none" : `only "${only.source}"`}`,
    { input: only?.source ?? "networks" },
  );
}

/**
 * Reads all networks once, so that an invalid network is reported before the measurement begins, and computes
 * their fingerprints.
 */
async function identify(
  graph: Graph,
  networks: readonly Omit<StageNetwork, "fingerprint">[],
): Promise<StageNetwork[]> {
  const identified: StageNetwork[] = [];
  for (const { network, role } of networks) {
    const fingerprint = await fingerprintWeights(graph, await bindNetwork(graph, network));
    identified.push({ network, role, fingerprint });
  }
  return identified;
}

/** Makes a name of an alignment from all inputs that decide it. */
function nameOf(
  networks: readonly StageNetwork[],
  { many, restarts, seed, memory }: ResolvedMapOptions,
): string {
  const fingerprints = networks.map(({ fingerprint }) => fingerprint).join(" ");
  return `${many} ${restarts} ${seed} ${memory ?? "all"} ${fingerprints}`;
}

/** Aligns all networks to each other, the star included. */
async function alignStage(
  architecture: Architecture,
  networks: readonly StageNetwork[],
  options: Pick<ResolvedMapOptions, "seed" | "many" | "restarts" | "memory" | "symmetries" | "signal"> & {
    readonly journal: ReturnType<typeof alignmentJournal>;
    readonly onShare: (share: number) => void;
  },
): Promise<{ readonly many: string; readonly aligned: readonly StageNetwork[] }> {
  const { seed, many, restarts, memory, symmetries, signal, journal, onShare } = options;
  const { networks: aligned, match } = await placeMany(
    architecture,
    networks.map(({ network }) => network),
    {
      seed,
      many,
      restarts,
      memory,
      symmetries,
      signal,
      journal,
      onProgress: ({ done }) => onShare(done),
    },
  );
  const moved = networks.map(({ role }, i) => ({ network: at(aligned, i, "network"), role }));
  return { many: match.many, aligned: await identify(architecture.graph, moved) };
}

/**
 * Returns a journal of alignments that stores them in a journal shared with other results.
 *
 * @param name - name of the alignment, as the journal may hold several alignments
 */
function alignmentJournal(journal: Journal, name: string): ManyJournal {
  return { get: (key, compute) => journal.get(`alignment ${name} ${key}`, compute) };
}
