import type { LossSurface } from "@isthmus/curvature";
import type { MatrixOperator } from "./matrix-operator.ts";

/** Returns the surface of any function and its gradient, of one batch. */
export function functionSurface(
  place: Float64Array,
  evaluate: (x: Float64Array) => { readonly loss: number; readonly gradient: Float64Array },
  examples = 1000,
): LossSurface {
  return {
    dimension: place.length,
    layout: [{ name: "x", shape: [place.length], offset: 0 }],
    place,
    examples,
    batchSize: examples,
    lossAt: async (x) => evaluate(x).loss,
    async gradientAt(x, out) {
      const { loss, gradient } = evaluate(x);
      out.set(gradient);
      return loss;
    },
  };
}

/** Returns the surface of half of `x' A x` at a place. */
export function quadraticSurface(
  { matrix, dimension: n }: MatrixOperator,
  place = new Float64Array(n),
  examples = 1000,
): LossSurface {
  return functionSurface(
    place,
    (x) => {
      const gradient = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++)
          gradient[i] = (gradient[i] as number) + (matrix[i * n + j] as number) * (x[j] as number);
      }
      return { loss: x.reduce((sum, value, i) => sum + 0.5 * value * (gradient[i] as number), 0), gradient };
    },
    examples,
  );
}
