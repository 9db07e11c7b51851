import type { Checkpoint } from "@isthmus/core";
import type { Evaluation } from "@isthmus/graph";
import { lerp } from "@isthmus/interpolation";
import type { CorrectedEvaluator } from "../create-corrected-evaluator.ts";
import type { Journal } from "../journal.ts";
import { keyOf, type Shares } from "./cut-points.ts";
import type { LayerTensors } from "./group-layers.ts";

/** What is known of one network. */
export interface PointValues {
  readonly loss: number;
  readonly error: number;
  /** Loss on the first examples only, those that predictions are made on. */
  readonly sampleLoss: number;
}

/** What networks are made of and evaluated with. */
export interface LayerSubject {
  readonly a: Checkpoint;
  readonly b: Checkpoint;
  readonly groups: readonly LayerTensors[];
  readonly evaluator: CorrectedEvaluator;
  readonly journal: Journal;
  /** Examples of `sampleLoss`, the first of the data; 0 for none. */
  readonly sample: number;
  readonly signal: AbortSignal | undefined;
  /** Called for every network that was evaluated. */
  readonly onEvaluated: () => void;
}

/** Evaluates networks that are made of A and B group by group, each once. */
export interface PointReader {
  /** The network that has these shares of B; A and B themselves are taken as they are, what lies between is corrected. */
  at(shares: Shares): Promise<PointValues>;
  /** A network near A, under a name of its own; corrected as A would be. */
  near(key: string, network: () => Promise<Checkpoint>): Promise<PointValues>;
}

/** Makes a {@link PointReader}. */
export function createPointReader(subject: LayerSubject): PointReader {
  const { a, b, groups, evaluator, journal, sample, signal, onEvaluated } = subject;
  const groupOf = new Map(
    groups.flatMap(({ tensors }, index) => tensors.map((name) => [name, index] as const)),
  );
  const read = async (key: string, evaluate: () => Promise<Evaluation>): Promise<PointValues> => {
    const [loss = Number.NaN, error = Number.NaN, sampleLoss = Number.NaN] = await journal.get(
      key,
      async () => {
        signal?.throwIfAborted();
        const evaluation = await evaluate();
        onEvaluated();
        return [evaluation.loss, evaluation.error, meanOf(evaluation.losses.subarray(0, sample))];
      },
    );
    return { loss, error, sampleLoss };
  };
  return {
    at: (shares) =>
      read(keyOf(shares), () => {
        const shareOf = (name: string) => shares[groupOf.get(name) ?? -1] ?? 0;
        const isEnd = [0, 1].some((end) => shares.every((share) => share === end));
        const repaired = (site: string) => [1 - shareOf(site), shareOf(site)];
        return evaluator.evaluate(lerp(a, b, shareOf), isEnd ? undefined : repaired);
      }),
    near: (key, network) => read(key, async () => evaluator.evaluate(await network(), [1, 0])),
  };
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
