/** A command line that is run in a folder with a copy of `inputs`. */
export interface CommandLine {
  /** Name of the files that keep what it printed. */
  readonly name: string;
  /** Words after `isthmus`. */
  readonly words: readonly string[];
  /** File with the result, if it is not what `--json` prints. */
  readonly file?: string;
}

/** Three networks. */
export const [A, B, C] = ["a.safetensors", "b.safetensors", "c.safetensors"] as const;
const GRAPH = ["--graph", "graph.onnx"] as const;
const TEST = ["--data", "safetensors:examples.safetensors:test"];
/** Options for the examples of training. */
export const TRAIN = ["--data", "safetensors:examples.safetensors:train"] as const;
/** Options for the graph, and for the examples to measure on. */
export const ON_TEST = [...GRAPH, ...TEST] as const;
/** A small measurement of curvature. */
export const CURVATURE: readonly string[] = [
  "curvature",
  A,
  ...ON_TEST,
  "--examples",
  "12",
  "--count",
  "2",
  "--trace-products",
  "6",
  "--steps",
  "200",
  "--runs",
  "1",
];
const TRAINING = [...TRAIN, "--epochs", "1", "--batch", "8", "--seed", "1", "--threads", "1"];

const line = (name: string, ...words: readonly (string | readonly string[])[]): CommandLine => ({
  name,
  words: words.flat(),
});

/** One command line, or more, for each kind of result that can be drawn. */
export const MEASURING: readonly CommandLine[] = [
  line("barrier", "barrier", A, B, ON_TEST, "--points", "3"),
  line(
    "barrier-compared",
    ["barrier", A, B, ...ON_TEST, "--points", "5", "--align", "--compare", "--bootstrap", "20"],
    ["--refine", "1", "--temperature", "--decompose", "--report", "page.html"],
  ),
  line("layers", "layers", A, B, ON_TEST, "--points", "3", "-o", "out.json", "--report", "page.html"),
  line(
    "layers-predicted",
    ["layers", A, B, ...ON_TEST, "--points", "3", "--align", "--predict", "8", "--robustness", "2"],
    ["--order", "shallow-to-deep", "random"],
  ),
  line("plane", "plane", A, B, C, ON_TEST, "--points", "3", "--report", "page.html"),
  line("map", "map", A, B, C, ON_TEST, "--points", "3", "-o", "out.json", "--report", "page.html"),
  line(
    "curve",
    ["curve", A, B, ...GRAPH, ...TRAINING, "--points", "5", "-o", "curve", "--report", "page.html"],
    ["--test-data", "safetensors:examples.safetensors:test"],
  ),
  line(
    "star",
    ["star", A, B, C, "--net", "mlp:6", ...TRAINING, "--points", "3", "--pairs", "1"],
    [
      "--test-data",
      "safetensors:examples.safetensors:test",
      "-o",
      "star.safetensors",
      "--report",
      "page.html",
    ],
  ),
  line("study", "study", "study.yaml", "--workers", "1", "-o", "study"),
  line("simulation", "federate", "simulate", "simulation.yaml", "--workers", "1", "-o", "simulation"),
  line("comparison", "compare", A, B, C, GRAPH, "--align", "-o", "out.json", "--report", "page.html"),
  line("curvature", CURVATURE, [
    "--by",
    "layer",
    "--sharpness",
    "--critical-sharpness",
    "--settling",
    "4,8",
    "-o",
    "out.json",
    "--report",
    "page.html",
  ]),
  line(
    "ensemble",
    ["ensemble", A, B, C, ...ON_TEST, "--select-data", "safetensors:examples.safetensors:train@12"],
    [
      "--ood-data",
      "safetensors:examples.safetensors:test+cue=grey",
      "-o",
      "out.json",
      "--report",
      "page.html",
    ],
  ),
  line("attack", "attack", A, B, ON_TEST, "--surrogate", C, "--eps", "0.1", "--steps", "2", "-o", "out.json"),
  line(
    "pareto",
    ["pareto", "--net", "mlp:4", ...TRAINING, "--points", "3", "--scalarised", "2", "-o", "front"],
    ["--test-data", "safetensors:examples.safetensors:test", "--report", "page.html"],
  ),
  line("landscape", "landscape", A, ON_TEST, "--points", "3", "-o", "out.json", "--report", "page.html"),
  {
    ...line(
      "curvature-history",
      ["train", "--net", "mlp:4", ...TRAINING, "--eval-data", "none", "--measure", "curvature"],
      ["--measure-every", "3steps", "--measure-examples", "8", "-o", "out.safetensors"],
    ),
    file: "out.curvature.json",
  },
  line(
    "dropout-stability",
    ["dropout", A, ...ON_TEST, "--shares", "0.25,0.5", "--trials", "2"],
    ["-o", "out.json", "--report", "page.html"],
  ),
  line(
    "dropout-path",
    ["path", A, B, ...ON_TEST, "--by", "halves", "--trials", "1", "--points-per-line", "1"],
    ["-o", "out.json", "--report", "page.html"],
  ),
  line(
    "walked-path",
    ["path", A, B, ...ON_TEST, "--by", "walk", "--moves", "2", "--train-steps", "2", "--points", "4"],
    ["--train-data", "safetensors:examples.safetensors:train", "-o", "out.json", "--report", "page.html"],
  ),
  line(
    "intrinsic-dimension",
    [
      "intrinsic-dimension",
      "--net",
      "mlp:4",
      ...TRAINING,
      "--runs",
      "1",
      "--first",
      "8",
      "--resolution",
      "1",
    ],
    ["--eval-data", "safetensors:examples.safetensors:test", "-o", "out.json", "--report", "page.html"],
  ),
  line(
    "similarity",
    ["similarity", A, B, ...ON_TEST, "--anchors", "6", "--neighbours", "3"],
    ["-o", "out.json", "--report", "page.html"],
  ),
  line(
    "prune",
    [
      "prune",
      A,
      ...ON_TEST,
      "--sparsity",
      "0.5",
      "--epochs",
      "1",
      "--batch",
      "8",
      "-o",
      "pruned.safetensors",
    ],
    ["--train-data", "safetensors:examples.safetensors:train", "--save-result", "out.json"],
    ["--report", "page.html"],
  ),
  line("mechanisms", "mechanisms", A, B, ON_TEST, "--cue", "grey", "--points", "3", "-o", "out.json"),
];

/** A command line for each verb whose result is no figure, but files and words. */
export const MAKING: readonly CommandLine[] = [
  line("inspect", "inspect", A, "--stats", "--hash"),
  line("inspect-difference", "inspect", A, B),
  line("inspect-graph", "inspect", "graph.onnx"),
  line("symmetry", "symmetry", "graph.onnx", "--verify", "--checkpoint", A, "-o", "out.json"),
  line("convert", "convert", A, "out.safetensors", "--dtype", "f16"),
  line("align", "align", A, B, GRAPH, "-o", "out.safetensors"),
  line("align-several", "align", A, B, C, GRAPH, "-o", "aligned"),
  line("merge", "merge", A, B, GRAPH, "--align", "-o", "out.safetensors"),
  line("merge-recipe", "merge", "recipe.yml", "-o", "out.safetensors"),
  line("fuse", "fuse", A, B, GRAPH, "-o", "out.safetensors"),
  line("zip", "zip", A, B, ON_TEST, "-o", "zipped.safetensors"),
  line("transfer", "transfer", A, B, C, GRAPH, "-o", "out.safetensors"),
  line("search", "search", "searched.yml", ON_TEST, "--evaluations", "4", "--population", "4", "-o", "found"),
  line("train", "train", "--net", "mlp:4", TRAINING, "--eval-data", "none", "-o", "out.safetensors"),
  line(
    "tune",
    ["tune", A, ...GRAPH, ...TRAIN, "--cue-data", "safetensors:examples.safetensors:train+cue=grey"],
    ["--epochs", "1", "--batch", "8", "-o", "out.safetensors"],
  ),
  line("collect", "collect", A, GRAPH, TRAINING, "--method", "swa", "--cycle", "1", "-o", "collected"),
  line("quantize", "quantize", A, "--bits", "4", "-o", "out.safetensors"),
  line("aggregate", "federate", "aggregate", A, B, C, "-o", "out.safetensors"),
];
