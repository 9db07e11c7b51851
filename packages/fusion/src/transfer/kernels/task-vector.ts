/** A range of a weight in the networks of a task vector, of the same length in each. */
export interface TaskRange {
  /** Elements of the network before it was fine-tuned, `[elements]`. */
  readonly base: Float64Array;
  /** Elements of the network after it was fine-tuned, `[elements]`. */
  readonly tuned: Float64Array;
  /** Gradient of the network to which the vector is added; absent if the vector is not masked. */
  readonly gradient?: Float64Array | undefined;
}

/**
 * Computes `target + scale * (tuned - base)` into `target`. Elements whose step goes up the gradient, or
 * whose gradient is zero, are not changed.
 *
 * At scale 1 an element whose target equals its base becomes the tuned element, bit for bit. An element that
 * fine-tuning did not change keeps its value, and all elements keep theirs at scale 0.
 *
 * @param nonnegative - whether an element that would fall below zero is not changed, as for variances
 */
export function addTaskInPlace(
  target: Float64Array,
  { base, tuned, gradient }: TaskRange,
  scale: number,
  nonnegative: boolean,
): void {
  if (scale === 0) return;
  for (let i = 0; i < target.length; i++) {
    const step = (tuned[i] as number) - (base[i] as number);
    if (step === 0 || (gradient !== undefined && !((gradient[i] as number) * step < 0))) continue;
    const at = target[i] as number;
    // Grouped in this way the sum is exact where the target equals the base.
    const sum = scale === 1 ? at - (base[i] as number) + (tuned[i] as number) : at + scale * step;
    if (sum >= 0 || !nonnegative) target[i] = sum;
  }
}

/** Sums over elements that describe a task vector. */
export interface TaskSums {
  /** Sum of squared weights of the base. */
  base: number;
  /** Sum of squared steps before they are moved. */
  task: number;
  /** Sum of squared steps after they are moved. */
  moved: number;
  /** Sum of products of the step of an element and the step that is moved to its place. */
  product: number;
  /** Sum of squared moved steps that the mask keeps; of all if there is no mask. */
  kept: number;
}

/** Adds a range of a weight to the sums, before and after it is moved. */
export function addTaskSums(sums: TaskSums, original: TaskRange, moved: TaskRange): void {
  for (let i = 0; i < original.base.length; i++) {
    const weight = original.base[i] as number;
    const step = (original.tuned[i] as number) - weight;
    const other = (moved.tuned[i] as number) - (moved.base[i] as number);
    sums.base += weight * weight;
    sums.task += step * step;
    sums.moved += other * other;
    sums.product += step * other;
    if (moved.gradient === undefined || (moved.gradient[i] as number) * other < 0) sums.kept += other * other;
  }
}
