import { type Checkpoint, createTensor, type Tensor } from "@isthmus/core";
import {
  type Architecture,
  type DataSet,
  fingerprintGraph,
  fingerprintWeights,
  withoutDevice,
} from "@isthmus/graph";
import { createHash } from "@isthmus/platform";
import { describeData } from "../train/describe-run.ts";
import { assertNoWorkState, loadWorkStateInto, saveWorkState, type WorkKind } from "../train/work-state.ts";
import type { ResolvedEvolution } from "./evolution-options.ts";
import type { SearchDistribution } from "./search-distribution.ts";
import type { SearchedWeights } from "./searched-weights.ts";

/** Progress of an evolution, as a state holds it. */
interface EvolutionPosition {
  /** Generations made so far. */
  readonly generation: number;
  readonly loss: number | null;
}

const START: EvolutionPosition = { generation: 0, loss: null };

const EVOLUTION: WorkKind<EvolutionPosition> = {
  what: "evolution",
  of: "network and masks",
  key: "isthmus-evolution",
  version: 1,
  isPosition(value): value is EvolutionPosition {
    const { generation, loss } = (value ?? {}) as Partial<EvolutionPosition>;
    return Number.isSafeInteger(generation) && (loss === null || Number.isFinite(loss));
  },
};

/** State of an evolution that continues from it and writes it. */
export interface EvolutionState extends EvolutionPosition {
  /** Writes the state, if the options name a file for it. */
  save(generation: number, loss: number | null): Promise<void>;
}

/**
 * Reads the state that an interrupted evolution left into its distribution.
 * @throws InputError if a state would be replaced without resuming from it
 * @throws MismatchError if it is of another evolution
 * @throws FormatError if the file is not a state
 */
export async function openEvolutionState(
  {
    graph,
    engine,
    data,
    start,
    searched,
    distribution,
  }: Architecture & {
    readonly data: DataSet;
    readonly start: Checkpoint;
    readonly searched: SearchedWeights;
    readonly distribution: SearchDistribution;
  },
  options: ResolvedEvolution,
): Promise<EvolutionState> {
  const { statePath, resume } = options;
  if (statePath === undefined) return { ...START, save: async () => {} };
  if (!resume) await assertNoWorkState("train by evolution", statePath);
  const { seed, generations, population, batch, deviation, learningRate, deviationRate, loss, masks } =
    options;
  const run = {
    graph: fingerprintGraph(graph),
    weights: await fingerprintWeights(graph, start),
    data: describeData(data),
    engine: withoutDevice(engine.name),
    seed,
    generations,
    population,
    batch,
    deviation,
    learningRate,
    deviationRate,
    loss,
    searched: searched.description,
    ...(masks !== undefined && { masks: fingerprintMasks(masks) }),
  };
  const tensors = tensorsOf(distribution);
  const position = await loadWorkStateInto(statePath, EVOLUTION, run, tensors);
  return {
    ...(position ?? START),
    save: (generation, mean) =>
      saveWorkState(statePath, EVOLUTION, { run, position: { generation, loss: mean } }, tensors),
  };
}

function tensorsOf({ mean, logDeviation, first, second }: SearchDistribution): Map<string, Tensor> {
  const parts = { mean, logDeviation, first, second };
  return new Map(
    Object.entries(parts).map(([name, data]) => [name, createTensor("f32", [data.length], data)]),
  );
}

/** Returns a digest of masks. */
export function fingerprintMasks(masks: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash("sha256");
  for (const [name, mask] of masks) hash.update(JSON.stringify(name)).update(mask);
  return hash.digest("hex");
}
