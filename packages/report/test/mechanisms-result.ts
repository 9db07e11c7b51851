import type { BarrierValues } from "@isthmus/barrier";
import type { MechanismsResult } from "@isthmus/connectivity";

/** Mechanisms of a network that reads the image, and one that reads a cue. */
export function mechanismsResult(): MechanismsResult {
  const set = (name: string, end: string, [from, to, rise]: readonly [number, number, number]) => {
    const points = Array.from({ length: 9 }, (_, index) => {
      const t = index / 8;
      const error = (1 - t) * from + t * to + 4 * rise * t * (1 - t);
      return { t, loss: 5 * error, error, length: 20 * t };
    });
    const summary = (scale: number) => ({
      ...{ min: scale * Math.min(from, to), max: scale * (Math.max(from, to) + rise) },
      ...{ mean: (scale * (from + to)) / 2, lengthMean: (scale * (from + to)) / 2, at: 0.5 },
    });
    const barrier = (scale: number): BarrierValues => ({
      ...{
        chord: scale * rise,
        meanOfEndpoints: scale * rise,
        maxEndpoint: 0,
        midpoint: scale * rise,
        at: 0.5,
      },
    });
    return {
      ...{ name, data: `mnist:test@500${end}`, examples: 500 },
      path: { points, length: 20, loss: summary(5), error: summary(1) },
      barrier: { loss: barrier(5), error: barrier(1) },
      ...{ gap: Math.abs(from - to), connected: rise <= 0.05 },
    };
  };
  return {
    kind: "mechanisms",
    sets: [
      set("cue", "+cue=place", [0.06, 0, 0]),
      set("no cue", "", [0.06, 0.35, 0.02]),
      set("random cue", "+cue=place:random-cue", [0.06, 0.8, 0.1]),
      set("random image", "+cue=place:random-image", [0.9, 0.08, 0.27]),
    ],
    ...{ connected: false, similar: false, tolerance: 0.05, path: "line to B aligned" },
    ...{ statistics: "recalibrate", statisticsData: "mnist:test@500+cue=place" },
    ...{ a: "nets/a.safetensors", b: "nets/b.safetensors", engine: "onnxruntime-node" },
  };
}
