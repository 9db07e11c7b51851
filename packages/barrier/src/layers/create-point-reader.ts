import { at, type Checkpoint } from "@isthmus/core";
import type { Evaluation } from "@isthmus/graph";
import { lerp } from "@isthmus/interpolation";
import type { Journal } from "@isthmus/tasks";
import type { CorrectedEvaluator } from "../create-corrected-evaluator.ts";
import { keyOf, type Shares } from "./cut-points.ts";
import type { LayerTensors } from "./group-layers.ts";

/** Loss and error of one network. */
export interface PointValues {
  readonly loss: number;
  readonly error: number;
  /** Loss on the first examples only, on which predictions are made. */
  readonly sampleLoss: number;
  /** Perplexity, of texts only. */
  readonly perplexity?: number;
}

/** Two networks, their groups, and everything to evaluate networks made of them with. */
export interface LayerSubject {
  readonly a: Checkpoint;
  readonly b: Checkpoint;
  readonly groups: readonly LayerTensors[];
  readonly evaluator: CorrectedEvaluator;
  readonly journal: Journal;
  /** Number of examples for `sampleLoss`, the first of the data; 0 for none. */
  readonly sample: number;
  readonly signal: AbortSignal | undefined;
  /** Called for every network that was evaluated. */
  readonly onEvaluated: () => void;
}

/** An evaluator of networks that are made of A and B group by group, which evaluates each network once. */
export interface PointReader {
  /** Evaluates the network with these shares of B. All networks but A and B themselves are corrected. */
  at(shares: Shares): Promise<PointValues>;
  /** Evaluates a network near A, with its statistics corrected as for A; `key` names it in the journal. */
  near(key: string, network: () => Promise<Checkpoint>): Promise<PointValues>;
}

/** Creates a {@link PointReader}. */
export function createPointReader(subject: LayerSubject): PointReader {
  const { a, b, groups, evaluator, journal, sample, signal, onEvaluated } = subject;
  const groupOf = new Map(
    groups.flatMap(({ tensors }, index) => tensors.map((name) => [name, index] as const)),
  );
  const read = async (key: string, evaluate: () => Promise<Evaluation>): Promise<PointValues> => {
    const numbers = await journal.get(key, async () => {
      signal?.throwIfAborted();
      const evaluation = await evaluate();
      onEvaluated();
      const { loss, error, losses, perplexity } = evaluation;
      const numbers = [loss, error, meanOf(losses.subarray(0, sample))];
      return perplexity === undefined ? numbers : [...numbers, perplexity];
    });
    const [, , , perplexity] = numbers;
    const numberAt = (index: number) => at(numbers, index, `number of "${key}"`);
    const values = { loss: numberAt(0), error: numberAt(1), sampleLoss: numberAt(2) };
    return perplexity === undefined ? values : { ...values, perplexity };
  };
  return {
    at: (shares) =>
      read(keyOf(shares), () => {
        // Sites of REPAIR that are no weight belong to no group, and stay as in A.
        const shareOf = (name: string) => {
          const group = groupOf.get(name);
          return group === undefined ? 0 : at(shares, group, "share");
        };
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
