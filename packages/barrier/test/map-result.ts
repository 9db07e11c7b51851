import type { MapResult, MapStage } from "../src/map-result.ts";

/** Four networks, the second of which is a permuted copy of the first, and a star, as they are and aligned. */
export function mapResult(): MapResult {
  const seeds = ["s0", "copy", "s1", "s2"];
  return {
    kind: "map",
    networks: [...seeds, "star"].map((name, index) => ({
      source: `mlp/${name}.safetensors`,
      role: name === "star" ? ("star" as const) : ("network" as const),
      loss: 0.07 + 0.002 * index,
      error: 0.021,
    })),
    before: mapStage({ copy: [1.36, 43.7], others: [1.38, 43], star: [1.21, 38] }, 2.3),
    after: mapStage({ copy: [0, 0], others: [0.0036, 37.6], star: [0.0002, 24.5] }, 0.1),
    many: "cycle",
    points: 5,
    statistics: "recalibrate",
    examples: 2000,
    data: "mnist:test@2000",
    seed: 0,
    engine: "onnxruntime",
  };
}

/** A stage of networks that are alike but for the copy and the star. */
function mapStage(
  {
    copy,
    others,
    star,
  }: Readonly<Record<"copy" | "others" | "star", readonly [barrier: number, distance: number]>>,
  loss: number,
): MapStage {
  const pairs = Array.from({ length: 5 }, (_, a) => a).flatMap((a) =>
    Array.from({ length: 4 - a }, (_, k) => {
      const b = a + 1 + k;
      const [barrier, distance] = b === 4 ? star : a === 0 && b === 1 ? copy : others;
      return { a, b, loss: barrier * (1 + 0.02 * (a + b - 1)), error: barrier / 4, distance };
    }),
  );
  const radius = others[1] / 2;
  const corners = [
    [-radius, copy[1] / 3],
    [-radius, 0 - copy[1] / 3],
    [radius, radius],
    [radius, -radius],
    [0.1, 0.2],
  ] as const;
  return {
    pairs,
    mean: { loss, error: loss / 4, distances: [radius, radius, radius, radius, radius / 2] },
    tree: {
      joins: [
        { a: 0, b: 1, height: copy[0] },
        { a: 2, b: 4, height: star[0] * 1.1 },
        { a: 3, b: 6, height: others[0] },
        { a: 5, b: 7, height: others[0] * 1.1 },
      ].sort((one, two) => Number(one.a > 4) - Number(two.a > 4)),
      order: [0, 1, 4, 2, 3],
    },
    places: { networks: corners, mean: [0, 0], stress: 0.27 },
  };
}
