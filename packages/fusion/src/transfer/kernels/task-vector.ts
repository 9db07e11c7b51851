/** A stretch of a weight in the networks that a task vector is made of, all of the same length. */
export interface TaskRange {
  readonly base: Float64Array;
  readonly tuned: Float64Array;
  /** Gradient of the network that the vector is added to; absent where the vector is not masked. */
  readonly gradient?: Float64Array | undefined;
}

/**
 * Computes `target + scale * (tuned - base)` into `target`. Elements whose step goes up the gradient, or
 * whose gradient is zero, are left as they are.
 *
 * At scale 1 an element whose target equals its base becomes the tuned one, bit for bit; an element that was
 * not tuned stays as it is, as do all at scale 0.
 *
 * @param nonnegative - whether an element that would fall below zero, as no variance may, stays as it is
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
  /** Squared weights of the base. */
  base: number;
  /** Squared steps, where they were and where they are moved to. */
  task: number;
  moved: number;
  /** Products of the step of an element and the step that is moved to its place. */
  product: number;
  /** Squared moved steps that a mask keeps; all if there is none. */
  kept: number;
}

/** Adds a stretch of a weight to the sums, as it is and as it is moved. */
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
