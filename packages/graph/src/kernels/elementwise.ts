import type { ElementwiseLoss } from "../scoring/elementwise-losses.ts";

/** Numbers of some examples and what they are compared with. */
export interface ComparedNumbers {
  /** `[examples, width]`, row-major. */
  readonly outputs: Float32Array;
  /** `[examples, width]`; NaN where nothing counts. */
  readonly targets: Float32Array;
  /** Numbers of each example. */
  readonly width: number;
}

/**
 * Computes the loss of each example, the mean over its numbers that count, in f64, and the share of those
 * that are right. An example of which nothing counts has a loss of NaN; an output that is NaN is not right.
 *
 * @param out - receives losses, and shares or NaN if the loss has no notion of what is right, from
 *   `out.begin` on
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
