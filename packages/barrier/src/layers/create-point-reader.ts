import { at, type Checkpoint, meanOf } from "@isthmus/core";
import type { Evaluation } from "@isthmus/graph";
import type { Journal } from "@isthmus/tasks";
import { keyOf, type Shares } from "./cut-points.ts";
import { evaluateMixture, type MixedNetworks } from "./evaluate-mixture.ts";

/** Loss and error of one network. */
export interface PointValues {
  /** Mean loss over all examples, in nats. */
  readonly loss: number;
  /** Share of examples classified wrongly, in `[0, 1]`. */
  readonly error: number;
  /** Loss on the first examples only, on which predictions are made. */
  readonly sampleLoss: number;
  /** Perplexity; only for texts. */
  readonly perplexity?: number;
}

/** Two networks, their groups, and the means to evaluate networks made of them. */
export interface LayerSubject extends MixedNetworks {
  /** Journal of the networks evaluated so far, by the shares they are made of. */
  readonly journal: Journal;
  /** Number of examples for `sampleLoss`, the first of the data; 0 for none. */
  readonly sample: number;
  /** Signal that stops before the next evaluation; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
  /** Called for every network that was evaluated. */
  readonly onEvaluated: () => void;
}

/** Evaluator of networks that are made of A and B group by group; each network is evaluated once. */
export interface PointReader {
  /** Evaluates the network with the given shares of B. All networks but A and B themselves are corrected. */
  at(shares: Shares): Promise<PointValues>;
  /**
   * Evaluates a network near A, with its statistics corrected as for A; `key` is the name of the network in
   * the journal.
   */
  near(key: string, network: () => Promise<Checkpoint>): Promise<PointValues>;
}

/** Creates a {@link PointReader}. */
export function createPointReader(subject: LayerSubject): PointReader {
  const { evaluator, journal, sample, signal, onEvaluated } = subject;
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
    at: (shares) => read(keyOf(shares), () => evaluateMixture(subject, shares)),
    near: (key, network) => read(key, async () => evaluator.evaluate(await network(), [1, 0])),
  };
}
