import type { ElementwiseLoss } from "../scoring/elementwise-losses.ts";

/** Outputs of some examples, and the targets with which they are compared. */
export interface ComparedNumbers {
  /** Outputs, `[examples, width]`, row-major. */
  readonly outputs: Float32Array;
  /** Targets, `[examples, width]`; NaN for numbers that do not count. */
  readonly targets: Float32Array;
  /** Number of outputs of each example. */
  readonly width: number;
}

/**
 * Computes the loss of each example, the mean over its numbers that count, in f64, and the share of correct
 * numbers. An example without numbers that count has a loss of NaN; an output of NaN is not correct.
 *
 * @param out - arrays for losses, and for shares or NaN if the loss has no notion of correctness, written
 *   from `out.begin` on
 */
export function elementwiseLossInto(
  { outputs, targets, width }: ComparedNumbers,
  loss: ElementwiseLoss,
  out: { readonly losses: Float64Array; readonly right: Float64Array; readonly begin: number },
): void {
  const { isRight } = loss;
  for (let example = 0; example * width < outputs.length; example++) {
    let [total, right, counted] = [0, 0, 0];
    for (let i = example * width; i < (example + 1) * width; i++) {
      const [output, target] = [outputs[i]!, targets[i]!];
      if (Number.isNaN(target)) continue;
      total += loss.of(output, target);
      if (isRight?.(output, target) && !Number.isNaN(output)) right++;
      counted++;
    }
    out.losses[out.begin + example] = total / counted;
    out.right[out.begin + example] = isRight === undefined ? Number.NaN : right / counted;
  }
}
