import { sizeOf, type Tensor } from "@isthmus/core";
import { waves } from "./waves.ts";

/**
 * Makes weights as the scripts in `golden/` make them: matrices by their fan-in, scales and variances about
 * 1, biases and means about 0.
 * @param shapes - name and shape of each weight, in the order of the script
 */
export function waveWeights(shapes: Iterable<readonly [string, readonly number[]]>): Map<string, Tensor> {
  const entries = [...shapes].map(([name, shape], index): [string, Tensor] => {
    if (shape.length > 1) return [name, waves(shape, index + 1, Math.sqrt(2 / sizeOf(shape.slice(1))))];
    return [name, waves(shape, index + 1, 0.3, /(weight|running_var)$/.test(name) ? 1 : 0)];
  });
  return new Map(entries);
}
