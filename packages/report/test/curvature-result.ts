import { createRandom } from "@isthmus/core";
import { type CurvatureResult, smoothNodes } from "@isthmus/curvature";

/** Curvature of a small network's loss, with everything that can be asked for and nothing converged. */
export function curvatureResult(): CurvatureResult {
  const random = createRandom(0, "curvature");
  const outer = [-0.31, 2.9, 11.2, 23.4];
  const values = [...Array.from({ length: 60 }, () => 0.4 * random.uniform() - 0.1), ...outer].sort(
    (a, b) => a - b,
  );
  const weights = values.map((value) => (outer.includes(value) ? 1 / 368 : 364 / 368 / 60));
  return {
    kind: "curvature",
    operator: "hessian",
    derivatives: "finite-differences",
    reason: `operator "Gelu" has no second derivative`,
    step: 1e-3,
    loss: 0.214,
    gradientNorm: 0.0372,
    dimension: 368,
    parameters: ["l1.weight", "l1.bias", "l2.weight", "l2.bias"],
    eigenvalues: {
      largest: [23.4, 11.2, 2.9].map((value) => ({ value, residual: 0.002 * value })),
      smallest: [-0.31, -0.09, -0.02].map((value) => ({ value, residual: 0.004 })),
      converged: false,
      tolerance: 1e-4,
      products: 40,
    },
    trace: { trace: 61.3, standardError: 1.7, samples: 12, products: 60, converged: false },
    density: {
      ...smoothNodes({ values, weights }, { points: 400, width: 0 }),
      nodes: { values, weights },
      runs: 1,
      steps: 64,
    },
    examples: 1000,
    data: "mnist:test",
    network: "runs/s0.safetensors",
    seed: 0,
    engine: "onnxruntime",
  };
}
