import type { BarrierCurve } from "@isthmus/barrier";

/** A curve of 25 points with a bump of the given height, for tests. */
export function barrierCurve(label: string, height: number, interval = false): BarrierCurve {
  const points = Array.from({ length: 25 }, (_, index) => {
    const t = index / 24;
    const bump = height * Math.sin(Math.PI * t) ** 2;
    return { t, loss: 0.065 + 0.004 * t + bump, error: 0.0156 + 0.001 * t + 0.3 * bump };
  });
  const values = (scale: number) => ({
    chord: scale * height,
    meanOfEndpoints: scale * height,
    maxEndpoint: scale * (height - 0.002),
    midpoint: scale * height,
    at: 0.5,
  });
  const around = (value: number) => ({ low: 0.9 * value, high: 1.1 * value });
  return {
    label,
    result: {
      kind: "barrier",
      points,
      barrier: { loss: values(1), error: values(0.3) },
      ...(interval
        ? {
            interval: {
              level: 0.95,
              resamples: 1000,
              seed: 0,
              loss: around(height),
              error: around(0.3 * height),
            },
          }
        : {}),
      path: "linear",
      statistics: "keep",
      examples: 10_000,
      data: "mnist:test",
      a: "s0.safetensors",
      b: "s1.safetensors",
      engine: "onnxruntime",
    },
  };
}
