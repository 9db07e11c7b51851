/** Representations of the examples of a batch, and their classes. */
export interface Representations {
  /** Representations, `[batch, width]`. */
  readonly features: Float32Array;
  /** Classes, `[batch]`. */
  readonly labels: Int32Array;
}

/** Invariance loss, and its gradients by the representations of both batches. */
export interface InvariancePulls {
  /**
   * Squared distance between the directions of mean representations, averaged over the classes and multiplied
   * by its weight.
   */
  readonly loss: number;
  /**
   * Gradients of the loss by the representations of the first and of the second batch, each `[batch, width]`.
   */
  readonly pulls: readonly [Float32Array, Float32Array];
}

/**
 * Computes the squared distance between the directions of the mean representations of each class in two
 * batches, averaged over all classes, and its gradients by both. Classes that a batch lacks do not count.
 */
export function invariancePulls(
  pair: readonly [Representations, Representations],
  classes: number,
  weight: number,
): InvariancePulls {
  const [{ features: first, labels }] = pair;
  const width = first.length / labels.length;
  const pulls = pair.map(({ features }) => new Float32Array(features.length)) as [Float32Array, Float32Array];
  let loss = 0;
  for (let label = 0; label < classes; label++) {
    const [u, v] = [meanDirection(pair[0], label, width), meanDirection(pair[1], label, width)];
    if (u === undefined || v === undefined) continue;
    const cosine = u.direction.reduce((sum, x, i) => sum + x * (v.direction[i] as number), 0);
    loss += ((2 - 2 * cosine) * weight) / classes;
    for (const [side, mine, other] of [
      [0, u, v],
      [1, v, u],
    ] as const) {
      const scale = (2 * weight) / (classes * mine.length * mine.rows.length);
      const pull = pulls[side];
      for (const row of mine.rows) {
        for (let i = 0; i < width; i++) {
          pull[row * width + i] =
            scale * (cosine * (mine.direction[i] as number) - (other.direction[i] as number));
        }
      }
    }
  }
  return { loss, pulls };
}

/** Mean of the representations of a class, as a direction and a length. */
interface MeanDirection {
  readonly direction: Float64Array;
  readonly length: number;
  readonly rows: readonly number[];
}

function meanDirection(
  { features, labels }: Representations,
  label: number,
  width: number,
): MeanDirection | undefined {
  const rows = [...labels.keys()].filter((row) => labels[row] === label);
  const mean = new Float64Array(width);
  for (const row of rows) {
    for (let i = 0; i < width; i++)
      mean[i] = (mean[i] as number) + (features[row * width + i] as number) / rows.length;
  }
  const length = Math.sqrt(mean.reduce((sum, x) => sum + x * x, 0));
  // A mean of zeros has no direction.
  if (!(length > 0)) return undefined;
  return { direction: mean.map((x) => x / length), length, rows };
}
