import type {
  AttackResult,
  ConfidenceBin,
  EnsembleResult,
  Front,
  JudgedQuality,
  ParetoResult,
} from "@isthmus/ensemble";

const qualityOf = (nll: number, ece: number): JudgedQuality => ({
  accuracy: 1 - nll / 5,
  nll,
  ece,
  brier: nll / 2.1,
  aurocMisclassification: 0.9 + ece,
  aurocOthers: [0.97 - nll / 10, 0.91 - nll / 8],
});
const reliabilityOf = (surplus: number): ConfidenceBin[] =>
  [0.32, 0.47, 0.55, 0.68, 0.81, 0.99].map((confidence, i) => ({
    examples: 20 * 3 ** i,
    confidence,
    accuracy: confidence - surplus * confidence * (1 - confidence) * 4,
  }));

/** Six networks collected along a training, compared in every way. */
export function ensembleResult(): EnsembleResult {
  const networks = [0.31, 0.295, 0.302, 0.325, 0.299, 0.306].map((nll, i) => ({
    network: `lgv/net-${i + 1}.safetensors`,
    ...qualityOf(nll, 0.041 + 0.002 * i),
  }));
  const [first, second, third] = networks.map(({ network }) => network);
  const predictors = [
    { name: "single networks", members: 1, ...qualityOf(0.306, 0.046), reliability: [] },
    { name: "mean of weights", members: 1, ...qualityOf(0.271, 0.024), reliability: reliabilityOf(0.12) },
    { name: "ensemble of all", members: 6, ...qualityOf(0.262, 0.011), reliability: reliabilityOf(-0.03) },
    { name: "greedy ensemble", members: 3, ...qualityOf(0.266, 0.014), reliability: reliabilityOf(0.03) },
    { name: "rays of the star", members: 6, ...qualityOf(0.258, 0.018), reliability: reliabilityOf(-0.09) },
  ];
  return {
    kind: "ensemble",
    predictors,
    networks,
    greedy: {
      chosen: [
        { network: second ?? "", nll: 0.281, likeness: 0, ensembleNll: 0.281 },
        { network: first ?? "", nll: 0.29, likeness: -0.012, ensembleNll: 0.266 },
        { network: third ?? "", nll: 0.289, likeness: 0.684, ensembleNll: 0.259 },
      ],
      members: 3,
      diversity: 1,
      data: "fashion-mnist:train@1000",
      examples: 1000,
    },
    others: [
      { data: "mnist:test", examples: 10_000 },
      { data: "idx:noise.idx", examples: 500 },
    ],
    recalibrated: true,
    data: "fashion-mnist:test",
    examples: 10_000,
    engine: "onnxruntime",
  };
}

/** Examples made on one network, on several together and in turn, shown to four targets. */
export function attackResult(): AttackResult {
  const targets = ["s0", "s1", "s2", "s3"].map((name, i) => ({
    network: `nets/${name}.safetensors`,
    accuracy: 0.91 - 0.004 * i,
  }));
  const shares = [
    [0.98, 0.31, 0.28, 0.35],
    [0.88, 0.47, 0.45, 0.51],
    [0.9, 0.62, 0.58, 0.66],
  ];
  const named = [
    { name: "s0", mode: "together", networks: ["nets/s0.safetensors"] },
    { name: "3 networks together", mode: "together", networks: ["a", "b", "c"] },
    {
      name: "40 networks in turn",
      mode: "in-turn",
      networks: Array.from({ length: 40 }, (_, i) => `lgv/net-${i}`),
    },
  ] as const;
  return {
    kind: "attack",
    method: "pgd",
    norm: "linf",
    epsilon: 0.1,
    steps: 50,
    stepSize: 0.01,
    randomStart: false,
    seed: 0,
    pixels: true,
    sources: named.map((source, row) => ({
      ...source,
      loss: { before: 0.24, after: 9.1 - 2 * row },
      targets: targets.map(({ accuracy }, i) => {
        const success = shares[row]?.[i] ?? 0;
        return { success, accuracy: accuracy * (1 - success) };
      }),
    })),
    targets,
    data: "fashion-mnist:test",
    examples: 500,
    engine: "onnxruntime",
  };
}

function frontOf(points: number, surplus: number, steps: number): Front {
  return {
    points: Array.from({ length: points }, (_, i) => {
      const share = i / (points - 1);
      const losses = [share, 1 - share].map((part) => 0.2 + surplus + 1.1 * (1 - part) ** 3);
      return { shares: [share, 1 - share], losses, accuracies: losses.map((loss) => 1 - loss / 4) };
    }),
    hypervolume: 3.9 - 3 * surplus,
    steps,
  };
}

/** Networks for two digits on one image, between two networks and trained one by one. */
export function paretoResult(): ParetoResult {
  return {
    kind: "pareto",
    tasks: ["task_1", "task_2"],
    manifold: frontOf(11, 0.02, 1560),
    scalarised: frontOf(5, 0.06, 7800),
    reference: [Math.log(10), Math.log(10)],
    trainedOn: "pairs of mnist:train@20000",
    data: "mnist:test",
    examples: 10_000,
    seed: 0,
    engine: "onnxruntime",
  };
}
