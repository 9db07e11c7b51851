import { at, type Checkpoint } from "@isthmus/core";
import { type Architecture, createEvaluator, type DataSet } from "@isthmus/graph";

/** Loss and error of the new base plus the task vector at one scale. */
export interface TriedScale {
  /** Factor of the task vector; 0 is the new base alone. */
  readonly scale: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
  /** Share of examples or tokens with a wrong prediction, in `[0, 1]`. */
  readonly error: number;
}

/** Inputs of {@link chooseScale}. */
export interface ScaleTrial {
  /** Factors of the task vector to choose from. */
  readonly scales: readonly number[];
  /** Labelled examples on which losses are measured. */
  readonly data: DataSet;
  /** Makes the network at a scale; 0 gives the new base alone. */
  networkAt(scale: number): Promise<Checkpoint>;
}

/**
 * Measures the network at each scale, and at scale 0 first, which is the new base alone.
 * @returns all measurements, in the order of the scales, and the requested scale with the least loss
 */
export async function chooseScale(
  architecture: Architecture,
  { scales, data, networkAt }: ScaleTrial,
  { signal, onProgress }: { readonly signal?: AbortSignal | undefined; onProgress(done: number): void },
): Promise<{ readonly scale: number; readonly tried: readonly TriedScale[] }> {
  const evaluator = await createEvaluator(architecture, data);
  try {
    const tried: TriedScale[] = [];
    const all = [...new Set([0, ...scales])];
    for (const [i, scale] of all.entries()) {
      const { loss, error } = await evaluator.evaluate(await networkAt(scale), signal);
      tried.push({ scale, loss, error });
      onProgress((i + 1) / all.length);
    }
    const [best] = tried
      .filter(({ scale }) => scales.includes(scale))
      // A loss that is no number is worse than any other.
      .sort((a, b) => rank(a.loss) - rank(b.loss));
    return { scale: best?.scale ?? at(scales, 0, "scale"), tried };
  } finally {
    await evaluator.release();
  }
}

const rank = (loss: number): number => (Number.isNaN(loss) ? Number.MAX_VALUE : loss);
