import { createRandom } from "@isthmus/core";
import {
  type CurvatureHistory,
  type CurvatureMeasures,
  type CurvatureResult,
  smoothNodes,
} from "@isthmus/curvature";

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
    ...further(1),
    canonical: {
      ...{ loss: 0.214, gradientNorm: 0.0203 },
      trace: { trace: 34.8, standardError: 0.9, samples: 12, products: 60, converged: true },
      ...further(0.6),
    },
    examples: 1000,
    data: "mnist:test",
    network: "runs/s0.safetensors",
    seed: 0,
    engine: "onnxruntime",
  };
}

/** What is measured besides the spectrum, of a network as sharp as the scale says. */
function further(
  scale: number,
): Pick<
  CurvatureMeasures,
  "layers" | "sharpness" | "criticalSharpness" | "learningCoefficient" | "settling"
> {
  const rises = (by: number) => ({
    ...{ radius: by / 10, oneStep: 0.03 * scale * by, worst: 0.04 * scale * by },
    average: { rise: 0.01 * scale * by, standardError: 0.001 * by, deviation: by / 100 },
  });
  return {
    layers: ["l1", "l2"].map((name, i) => ({
      ...{ name, parameters: [`${name}.weight`, `${name}.bias`], dimension: 184 },
      gradientNorm: 0.02 * scale,
      largest: { value: (20 - 9 * i) * scale, residual: 0.3, converged: i === 0, products: 25 },
      trace: { trace: (35 - 9 * i) * scale, standardError: 1.1, samples: 12, products: 60, converged: false },
    })),
    sharpness: {
      ...{ kind: "sharpness", loss: 0.214, plain: rises(1), adaptive: rises(2) },
      ...{ steps: 20, samples: 20, seed: 0 },
    },
    criticalSharpness: {
      ...{ kind: "critical-sharpness", sharpness: 9.4 * scale, direction: "gradient" },
      ...{ learningRate: [0.207 / scale, 0.218 / scale], passes: 9, loss: 0.214 },
    },
    learningCoefficient: {
      ...{ kind: "learning-coefficient", coefficient: 14.2, standardError: 0.5, chains: [13.4, 14.9, 14.3] },
      ...{ drift: { rise: 2.1, standardError: 0.3 }, beta: 144.8, draws: 20, burnIn: 10, step: 1e-5 },
      ...{ localization: 100, loss: 0.214, examples: 1000, batchSize: 100, seed: 0 },
      course: Array.from({ length: 30 }, (_, i) => 15 * (1 - Math.exp(-i / (8 * scale)))),
    },
    settling: {
      ...{ kind: "settling", exponent: -0.984, samples: 20, deviation: 0.01, examples: 1000, seed: 0 },
      points: [16, 64, 256, 512].map((size) => ({
        ...{ size, loss: 0.2, gradientNorm: 0.3, change: (0.4 * scale) / size, changeError: 0.02 / size },
        largest: { value: scale * (23 - 180 / size), residual: 0.01 },
        ...{ trace: scale * (90 - 700 / size), traceError: 0.8 },
      })),
    },
  };
}

/** Curvature along a training that gets sharper. */
export function curvatureHistory(): CurvatureHistory {
  return {
    kind: "curvature-history",
    points: Array.from({ length: 6 }, (_, i) => ({
      ...{ at: 2 * i, loss: 2.3 * 0.6 ** i, gradientNorm: 1.2 * 0.8 ** i },
      largest: { value: 4 + 3 * i, residual: 0.01 },
      ...{ trace: 30 + 11 * i, traceError: 0.4 },
    })),
    ...{
      unit: "epoch" as const,
      every: 2,
      examples: 500,
      data: "mnist:train",
      seed: 0,
      engine: "onnxruntime",
    },
  };
}
