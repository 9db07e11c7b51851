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

/**
 * A map to walk on: the losses on all lines are known, the plane through s0, s1 and s2 is the ground, and a
 * curve leads from s0 to s1.
 */
export function walkedMapResult(result: MapResult = mapResult()): MapResult {
  const lines = (stage: MapStage): MapStage => ({
    ...stage,
    pairs: stage.pairs.map((pair, i) => ({
      ...pair,
      losses: [0.5, 1, 0.25].map((share) => 0.08 + share * pair.loss + i / 1000),
      errors: [0.5, 1, 0.25].map((share) => 0.02 + share * pair.error),
    })),
  });
  const [xs, ys] = [
    [-10, 10, 30, 50],
    [-10, 15, 40],
  ] as const;
  const loss = ys.map((y) => xs.map((x) => 0.07 + Math.abs(x * y) / 1000));
  return {
    ...result,
    before: lines(result.before),
    after: lines(result.after),
    ground: {
      ...{ stage: "after", xs, ys, loss, error: loss.map((row) => row.map((one) => one / 4)) },
      basis: [
        [1, 0],
        [0, 1],
      ],
      networks: [
        { network: 0, x: 0, y: 0, distance: 0 },
        { network: 1, x: 0, y: 0, distance: 0 },
        { network: 2, x: 37, y: 0, distance: 1e-9 },
        { network: 3, x: 18, y: 32, distance: 0 },
        { network: 4, x: 18, y: 10, distance: 9.5 },
        { network: result.networks.length, x: 17, y: 9, distance: 2 },
      ],
      marks: [
        { kind: "minimum", x: 10, y: -10, loss: 0.17 },
        { kind: "minimum", x: 30, y: 15, loss: 0.52, joins: 0.6 },
        { kind: "saddle", x: 10, y: 15, loss: 0.6 },
      ],
      data: "mnist:test@2000",
      examples: 2000,
    },
    paths: [
      {
        ...{ label: "trained curve", a: 0, b: 2, data: "mnist:test@500", examples: 500 },
        points: [0, 0.25, 1].map((t) => ({ t, loss: 0.08 + t / 10, error: 0.02 + t / 100 })),
      },
    ],
  };
}

/** A map of many networks with names that a page must not take for anything but text. */
export function hostileMapResult(n: number): MapResult {
  const hostile = [
    "<script>document.title='owned'</script>",
    `long-${"x".repeat(4000)}`,
    "\u202eשלום \u0645\u0631\u062d\u0628\u0627",
    `"><img src=x onerror="document.title='owned'">`,
    "a\u0000b\ud800c</script>&amp;",
  ];
  const all = Array.from({ length: n }, (_, i) => i);
  const stage = (scale: number): MapStage => ({
    pairs: all.flatMap((a) =>
      all.slice(a + 1).map((b) => {
        const [loss, distance] = [scale * (1 + ((a * 7 + b * 3) % 11) / 10), 10 + ((a + b) % 5)];
        const losses = [0.3, 0.7, 0.2].map((share) => 0.1 + share * loss + Math.sin(a * b));
        return { a, b, loss, error: loss / 10, distance, losses, errors: losses.map((one) => one / 10) };
      }),
    ),
    mean: { loss: 0.2, error: 0.02, distances: all.map(() => 5) },
    tree: {
      joins: all.slice(1).map((b, i) => ({ a: i === 0 ? 0 : n + i - 1, b, height: scale * (1 + i / 50) })),
      order: all,
    },
    places: {
      networks: all.map(
        (i) =>
          [10 * Math.cos(i * 2.4) * Math.sqrt(i + 1), 10 * Math.sin(i * 2.4) * Math.sqrt(i + 1)] as const,
      ),
      mean: [0, 0],
      stress: 0.3,
    },
  });
  const result = mapResult();
  return {
    ...result,
    networks: all.map((i) => ({
      source: hostile[i] ?? `nets/network-${i}.safetensors`,
      role: i === n - 1 ? "star" : "network",
      loss: 0.1 + i / 1000,
      error: 0.02,
    })),
    before: stage(1),
    after: stage(0.01),
  };
}
