import type { LayerCut, LayersResult, PlaneResult } from "@isthmus/barrier";
import type { CurveResult, MeasuredPath } from "@isthmus/connectivity";
import { createRandom } from "@isthmus/core";
import type { PairGroup, StarResult } from "@isthmus/star-domain";
import type { StudyResult } from "@isthmus/study";
import { CUMULATIVE_ORDERS } from "../../barrier/src/layers-result.ts";

/** Results as studies of small networks give them, for tests of what is drawn of them. */

const LAYERS = [
  ["conv1", 0.21],
  ["conv2", 0.083],
  ["layers.0.attention.output.dense", 0.034],
  ["fc1", 0.35],
  ["fc2", 0.012],
  ["head", -0.0006],
] as const;
/** Networks, examples and engine that results of barriers and paths name. */
const ORIGIN = {
  statistics: "recalibrate",
  examples: 10_000,
  data: "fashion-mnist:test",
  a: "fmnist-cnn/s0.safetensors",
  b: "fmnist-cnn/s1.safetensors",
  seed: 0,
  engine: "onnxruntime",
} as const;

const ENDS = { a: 0.241, b: 0.253 } as const;

function layerCut(groups: readonly string[], fixed: "a" | "b", height: number): LayerCut {
  const end = ENDS[fixed];
  const points = Array.from({ length: 11 }, (_, index) => {
    const t = index / 10;
    const loss = end + 0.4 * Math.max(0, height) * t + height * Math.sin(Math.PI * t);
    return { t, loss, error: 0.089 + 0.25 * (loss - end) };
  });
  const values = (scale: number) => ({
    chord: Math.max(0, scale * height),
    meanOfEndpoints: scale * 1.1 * height,
    maxEndpoint: scale * 0.9 * height,
    midpoint: scale * height,
    at: 0.5,
  });
  return {
    groups,
    fixed,
    points,
    barrier: { loss: values(1), error: values(0.25) },
    wholeEndpoints: { loss: 1.15 * height, error: 0.3 * height },
  };
}

/** Barriers of six layers, with everything that can be asked for. */
export function layersResult(): LayersResult {
  const names = LAYERS.map(([name]) => name);
  const layers = LAYERS.map(([group, height]) => {
    const [a, b] = [layerCut([group], "a", height), layerCut([group], "b", 1.3 * height)];
    const mean = (measure: "loss" | "error") => (a.wholeEndpoints[measure] + b.wholeEndpoints[measure]) / 2;
    return { group, a, b, barrier: { loss: mean("loss"), error: mean("error") } };
  });
  const whole = layerCut(names, "a", 1.62);
  const random = createRandom(0, "layers");
  return {
    kind: "layers",
    groups: LAYERS.map(([name, height], index) => ({
      name,
      tensors: [`${name}.weight`, `${name}.bias`],
      elements: 288 * 8 ** (index % 4),
      euclideanDistance: 4 + 9 * Math.abs(height),
      cosineSimilarity: 0.6 + height,
    })),
    whole,
    layers,
    cumulative: CUMULATIVE_ORDERS.map((order, place) => ({
      order,
      steps: names.map((_, index) => {
        const share = ((index + 1) / names.length) ** (0.5 + 0.5 * place);
        const moved = order === "deep-to-shallow" ? names.toReversed() : names;
        return {
          added: moved[index] ?? "",
          cut: index === names.length - 1 ? whole : layerCut(moved.slice(0, index + 1), "a", 1.62 * share),
        };
      }),
    })),
    predictions: {
      barriers: [...LAYERS, ["all", 1.62] as const].map(([group, height]) => ({
        group,
        predicted: 0.8 * height + 0.03 * random.normal(),
        measured: height,
        points: [0, 0.5, 1].map((t) => ({
          t,
          predicted: 4 * t * (1 - t) * height + 0,
          measured: 4 * t * (1 - t) * height + 0,
        })),
        ends: (["a", "b"] as const).map((network) => ({
          network,
          slope: 0.1 * height,
          curvature: 8 * height,
        })),
      })),
      rankCorrelation: 0.943,
      interactions: (["a", "b"] as const).map((network) => ({
        network,
        curvatures: LAYERS.map(([, row], y) =>
          LAYERS.map(([, column], x) => (x === y ? 8 : -1.5) * row * column * 4),
        ),
      })),
      examples: 1000,
    },
    robustness: LAYERS.map(([group, height]) => ({
      group,
      random: Array.from({ length: 5 }, () => 0.6 * Math.abs(height) + 0.02 * random.uniform()),
      randomHalfway: Array.from({ length: 5 }, () => 0.2 * Math.abs(height) + 0.01 * random.uniform()),
      toOther: { halfway: height, end: 1.8 * height },
    })),
    ...ORIGIN,
  };
}

/** A plane through two networks and the bend of a curve between them, 21 by 21. */
export function planeResult(): PlaneResult {
  const basins = [
    [0, 0],
    [22, 0],
    [11, 12.5],
  ] as const;
  const lossAt = (x: number, y: number): number => {
    const valley = Math.min(...basins.map(([px, py]) => Math.hypot(x - px, y - py) / 9));
    const arc = Math.abs(Math.hypot(x - 11, y - 1) - 11.2) / 6;
    return 0.21 + 1.4 * Math.min(valley, arc, 3) ** 2 + 0.3 * Math.min(valley, 4);
  };
  const range = (low: number, high: number) =>
    Array.from({ length: 21 }, (_, index) => low + ((high - low) * index) / 20);
  const [xs, ys] = [range(-6, 28), range(-7, 20)];
  const loss = ys.map((y) => xs.map((x) => lossAt(x, y)));
  const model = (label: string, [x, y]: readonly [number, number], source: string) => ({
    label,
    source,
    x,
    y,
    distance: 0,
    loss: lossAt(x, y),
    error: 0.08,
  });
  return {
    kind: "plane",
    xs,
    ys,
    loss: loss.map((row, y) => row.map((value, x) => (y === 20 && x < 2 ? Number.NaN : value))),
    error: loss.map((row) => row.map((value) => Math.min(0.9, 0.08 + 0.1 * (value - 0.21)))),
    models: [
      model("A", basins[0], "fmnist-cnn/s0.safetensors"),
      model("B", basins[1], "fmnist-cnn/s1.safetensors"),
      model("bend", basins[2], "curve/bend.safetensors"),
    ],
    paths: [
      {
        label: "Bezier curve",
        points: Array.from({ length: 31 }, (_, index) => {
          const t = index / 30;
          return [22 * t, 2 * t * (1 - t) * 24] as const;
        }),
      },
      { label: "straight line", points: [basins[0], basins[1]] },
    ],
    statistics: "recalibrate",
    examples: 2000,
    data: "fashion-mnist:test@2000",
    engine: "onnxruntime",
  };
}

function measuredPath(length: number, height: number, dents: number): MeasuredPath {
  const points = Array.from({ length: 21 }, (_, index) => {
    const t = index / 20;
    const rise = height * Math.abs(Math.sin(dents * Math.PI * t)) ** 2;
    return { t, length: length * t, loss: 0.241 + 0.012 * t + rise, error: 0.089 + 0.004 * t + 0.25 * rise };
  });
  const summary = (values: readonly number[]) => {
    const max = Math.max(...values);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      min: Math.min(...values),
      max,
      mean,
      lengthMean: 0.98 * mean,
      at: points[values.indexOf(max)]?.t ?? 0,
    };
  };
  return {
    points,
    length,
    loss: summary(points.map(({ loss }) => loss)),
    error: summary(points.map(({ error }) => error)),
  };
}

/** A Bezier curve with one bend, beside the line. */
export function curveResult(): CurveResult {
  return {
    kind: "curve",
    curve: "bezier",
    bends: 1,
    epochs: [
      { steps: 468, loss: 0.612, accuracy: 0.793 },
      { steps: 468, loss: 0.371, accuracy: 0.868 },
    ],
    trainingData: "fashion-mnist:train",
    path: measuredPath(34.7, 0.11, 2),
    line: measuredPath(22, 2.06, 1),
    ...ORIGIN,
  };
}

function pairGroup(names: readonly (readonly [string, string])[], mean: number): PairGroup {
  const random = createRandom(1, `pairs of ${mean}`);
  const pairs = names.map(([a, b]) => {
    const loss = Math.max(0, mean * (1 + 0.28 * random.normal()));
    return { a, b, loss, error: 0.28 * loss };
  });
  const average = pairs.reduce((sum, { loss }) => sum + loss, 0) / pairs.length;
  const squares = pairs.reduce((sum, { loss }) => sum + (loss - average) ** 2, 0);
  return { pairs, mean: average, std: Math.sqrt(squares / Math.max(1, pairs.length - 1)) };
}

/** A star of seventeen anchors with three networks held out, and predictions. */
export function starResult(): StarResult {
  const anchors = Array.from({ length: 17 }, (_, index) => `anchor-${index}.safetensors`);
  const heldOut = Array.from({ length: 3 }, (_, index) => `held-out-${index}.safetensors`);
  const regular = [...anchors, ...heldOut];
  const predictor = (name: string, members: number, quality: number) => ({
    name,
    members,
    accuracy: 0.95 + 0.01 * quality,
    nll: 0.17 - 0.02 * quality,
    ece: 0.021 - 0.004 * quality,
    brier: 0.075 - 0.01 * quality,
    aurocMisclassification: 0.93 + 0.01 * quality,
    aurocOutOfDistribution: 0.88 + 0.03 * quality,
  });
  return {
    kind: "star",
    anchors,
    heldOut,
    barriers: {
      regularRegular: pairGroup(
        regular.flatMap((a, index) => regular.slice(index + 1).map((b) => [a, b] as const)),
        0.3119,
      ),
      starHeldOut: pairGroup(
        heldOut.map((b) => ["star", b] as const),
        0.0611,
      ),
      starAnchor: pairGroup(
        anchors.map((b) => ["star", b] as const),
        0.0447,
      ),
    },
    points: 11,
    aligned: true,
    data: "mnist:train@10000",
    examples: 10_000,
    predictions: {
      predictors: [
        predictor("star", 1, 0),
        predictor("rays of the star", 17, 1),
        { ...predictor("deep ensemble", 17, 1.6), aurocMisclassification: null },
      ],
      data: "mnist:test",
      examples: 10_000,
      outOfDistribution: { data: "fashion-mnist:test", examples: 10_000 },
    },
    seed: 0,
    engine: "onnxruntime",
  };
}

const WIDTHS = [64, 128, 256, 512, 1024];

function studyRow(width: number, epochs: number, method: "naive" | "aligned") {
  const [height, growth] = method === "naive" ? [1.9, 0.15] : [12 / width, 0.3];
  const barrier = height * epochs ** growth;
  const known = width < 1024 || epochs < 10;
  const values = known
    ? { barrier, low: 0.85 * barrier, high: 1.2 * barrier }
    : { barrier: null, low: null, high: null };
  return { width, epochs, method, series: `${method}, ${epochs} epochs`, ...values };
}

/** A study with lines over logarithmic axes, bars, dots, and something that could not be measured. */
export function studyResult(): StudyResult {
  return {
    kind: "study",
    title: "Barriers against width and training time",
    description:
      "MLPs with three hidden layers on MNIST: the test loss barrier between two networks, as they are and aligned, falls with width after alignment only.",
    tables: [
      {
        name: "barriers",
        title: "Barriers against width",
        columns: [
          { key: "width", title: "Width" },
          { key: "epochs", title: "Epochs" },
          { key: "method", title: "Method" },
          { key: "barrier", title: "Loss barrier", unit: "nats" },
          { key: "low", title: "Lowest", unit: "nats" },
          { key: "high", title: "Highest", unit: "nats" },
          { key: "series", title: "Line" },
        ],
        rows: WIDTHS.flatMap((width) =>
          [1, 3, 10].flatMap((epochs) => [
            studyRow(width, epochs, "naive"),
            studyRow(width, epochs, "aligned"),
          ]),
        ),
      },
      {
        name: "networks",
        title: "The networks",
        columns: [
          { key: "net", title: "Network" },
          { key: "accuracy", title: "Test accuracy" },
          { key: "seconds", title: "Training time", unit: "s" },
        ],
        rows: WIDTHS.map((width, index) => ({
          net: `mlp:${width}x3`,
          accuracy: 0.962 + 0.005 * index,
          seconds: 3.1 * 1.9 ** index,
        })),
      },
    ],
    figures: [
      {
        title: "Loss barrier against width",
        caption: "The band is the range over three pairs of seeds.",
        table: "barriers",
        mark: "line",
        x: "width",
        y: "barrier",
        low: "low",
        high: "high",
        series: "series",
        xScale: "log",
        yScale: "log",
      },
      {
        title: "Test accuracy",
        caption: "After three epochs.",
        table: "networks",
        mark: "dot",
        x: "net",
        y: "accuracy",
        xScale: "band",
      },
      {
        title: "Training time",
        caption: "Of one network, on two cores.",
        table: "networks",
        mark: "bar",
        x: "net",
        y: "seconds",
      },
    ],
    seed: 0,
  };
}
