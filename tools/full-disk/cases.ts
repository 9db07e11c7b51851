import { joinWords } from "./services.ts";

/** A command that writes, with `{}` for the folder on the disk that is full. */
export interface WritingCase {
  /** Verb, and what it writes: one line of the table. */
  readonly name: string;
  readonly words: readonly string[];
  /** Words that let the command go on after it failed, if it needs any. */
  readonly again?: readonly string[];
  /** Whether what is written is drawn anew each time, as secrets are. */
  readonly isRandom?: boolean;
  /** Whether the words are of a client of a federation, whose server is named by SERVER. */
  readonly isClient?: boolean;
}

const GRAPH = ["--graph", "graph.onnx"];
const DATA = ["--data", "safetensors:data.safetensors:train"];
const TRAIN = [...DATA, "--epochs", "2", "--batch", "10", "--threads", "1"];
const EVAL = ["--eval-data", "safetensors:data.safetensors:train"];
const WALK = ["--train-data", "safetensors:data.safetensors:train"];
const TOKENS = ["--data", "tokens:a.bin,u16", "--data", "tokens:b.bin,u16"];
const PAIR = ["a.safetensors", "b.safetensors", ...GRAPH, ...DATA];
const ONE = ["a.safetensors", ...GRAPH, ...DATA];

/** Verbs that measure, each with its words; all of them write results, pages, and some of them journals. */
const MEASUREMENTS: readonly (readonly [verb: string, words: readonly string[], journal?: string])[] = [
  ["compare", ["a.safetensors", "b.safetensors", ...GRAPH, ...DATA]],
  ["barrier", PAIR],
  ["layers", PAIR, "{}/journal.json"],
  ["similarity", PAIR, "{}/journal.json"],
  ["path", [...PAIR, "--by", "walk", "--moves", "1", "--train-steps", "2", ...WALK], "{}/journal.json"],
  [
    "plane",
    ["a.safetensors", "b.safetensors", "c.safetensors", ...GRAPH, ...DATA, "--points", "4"],
    "{}/rows.json",
  ],
  ["ensemble", PAIR, "{}/predictions"],
  ["attack", [...PAIR, "--surrogate", "a.safetensors", "--eps", "0.1", "--steps", "2"], "{}/journal.json"],
  ["mechanisms", [...PAIR, "--cue", "place"]],
  ["landscape", [...ONE, "--points", "4"], "{}/rows.json"],
  ["curvature", ONE, "{}/journal.json"],
  ["dropout", ONE, "{}/journal.json"],
  ["map", PAIR, "{}/pairs.json"],
  [
    "intrinsic-dimension",
    ["--net", "mlp:8", ...TRAIN, "--runs", "1", "--first", "4", ...EVAL],
    "{}/journal.json",
  ],
];

/** Verbs that write networks, recipes and other files. */
const WRITERS: readonly WritingCase[] = [
  {
    name: "compare --recipe",
    words: ["compare", "a.safetensors", "b.safetensors", ...GRAPH, "--recipe", "{}/r.yaml"],
  },
  { name: "align", words: ["align", "a.safetensors", "b.safetensors", ...GRAPH, "-o", "{}/b.safetensors"] },
  {
    name: "align into a folder",
    words: ["align", "a.safetensors", "b.safetensors", ...GRAPH, "-o", "{}/aligned"],
  },
  {
    name: "align --save-alignment",
    words: [
      "align",
      "a.safetensors",
      "b.safetensors",
      ...GRAPH,
      "--save-alignment",
      "{}/al.json",
      "-o",
      "{}/b.safetensors",
    ],
  },
  {
    name: "merge",
    words: ["merge", "a.safetensors", "b.safetensors", "--no-check", "-o", "{}/m.safetensors"],
  },
  { name: "merge of models", words: ["merge", "llama-a", "llama-b", "--no-check", "-o", "{}/m"] },
  { name: "merge of a recipe", words: ["merge", "recipe.yml", "-o", "{}/m.safetensors"] },
  { name: "moe", words: ["moe", "moe.yml", "-o", "{}/moe"] },
  { name: "fuse", words: ["fuse", "a.safetensors", "b.safetensors", ...GRAPH, "-o", "{}/f.safetensors"] },
  { name: "zip", words: ["zip", "a.safetensors", "b.safetensors", ...GRAPH, ...DATA, "-o", "{}/z"] },
  {
    name: "heal",
    words: [
      "heal",
      "llama-m",
      "--from",
      "llama-a",
      "llama-b",
      ...TOKENS,
      "--eval-data",
      "none",
      "--steps",
      "20",
      "--batch",
      "4",
      "--save-every",
      "2",
      "--threads",
      "1",
      "-o",
      "{}/healed",
    ],
    again: ["--resume"],
  },
  {
    name: "transfer",
    words: [
      "transfer",
      "a.safetensors",
      "b.safetensors",
      "c.safetensors",
      ...GRAPH,
      "-o",
      "{}/t.safetensors",
    ],
  },
  { name: "extract", words: ["extract", "a.safetensors", "b.safetensors", "--rank", "4", "-o", "{}/lora"] },
  { name: "vocabulary", words: ["vocabulary", "words-a", "words-b", "-o", "{}/v"] },
  {
    name: "search",
    words: [
      "search",
      "search.yml",
      ...GRAPH,
      ...DATA,
      "--evaluations",
      "8",
      "-o",
      "{}/best.safetensors",
      "--report",
      "{}/s.html",
    ],
  },
  {
    name: "tune-merge",
    words: [
      "tune-merge",
      "recipe.yml",
      ...GRAPH,
      ...DATA,
      "--objective",
      "loss",
      "--steps",
      "20",
      "-o",
      "{}/t.yml",
    ],
    again: ["--resume"],
  },
  { name: "experts", words: ["experts", "mixture", ...TOKENS, "--reduce", "2", "-o", "{}/x"] },
  { name: "symmetry", words: ["symmetry", "graph.onnx", "-o", "{}/s.json"] },
  {
    name: "train",
    words: ["train", "--net", "mlp:64", ...TRAIN, "--eval-data", "none", "-o", "{}/t.safetensors"],
    again: ["--resume"],
  },
  {
    name: "train --snapshots",
    words: [
      "train",
      "--net",
      "mlp:64",
      ...TRAIN,
      "--eval-data",
      "none",
      "--snapshots",
      "{}/run",
      "-o",
      "{}/t.safetensors",
    ],
    again: ["--resume"],
  },
  {
    name: "tune",
    words: ["tune", ...ONE, "--method", "all", "--epochs", "2", "--batch", "10", "-o", "{}/t.safetensors"],
    again: ["--resume"],
  },
  {
    name: "curve",
    words: [
      "curve",
      "a.safetensors",
      "b.safetensors",
      ...GRAPH,
      ...TRAIN,
      "--test-data",
      "safetensors:data.safetensors:train",
      "-o",
      "{}/bend.safetensors",
      "--report",
      "{}/c.html",
    ],
    again: ["--resume"],
  },
  {
    name: "pareto",
    words: [
      "pareto",
      "--net",
      "mlp:8",
      ...TRAIN,
      "--test-data",
      "safetensors:data.safetensors:train",
      "-o",
      "{}/front",
      "--report",
      "{}/f.html",
    ],
    again: ["--resume"],
  },
  {
    name: "star",
    words: [
      "star",
      "a.safetensors",
      "b.safetensors",
      ...GRAPH,
      ...TRAIN,
      "-o",
      "{}/star.safetensors",
      "--report",
      "{}/s.html",
    ],
    again: ["--resume"],
  },
  {
    name: "collect",
    words: ["collect", "a.safetensors", ...GRAPH, ...TRAIN, "-o", "{}/swa"],
    again: ["--resume"],
  },
  {
    name: "teleport",
    words: [
      "teleport",
      "a.safetensors",
      ...GRAPH,
      "--steps",
      "2",
      "-o",
      "{}/t.safetensors",
      "--report",
      "{}/t.html",
    ],
  },
  {
    name: "prune",
    words: [
      "prune",
      "a.safetensors",
      ...GRAPH,
      "--sparsity",
      "0.5",
      ...DATA,
      "-o",
      "{}/p.safetensors",
      "--save-result",
      "{}/p.json",
      "--report",
      "{}/p.html",
    ],
  },
  {
    name: "quantize",
    words: ["quantize", "a.safetensors", "-o", "{}/q.safetensors", "--report", "{}/q.html"],
  },
  { name: "convert", words: ["convert", "a.safetensors", "{}/c.safetensors", "--dtype", "bf16"] },
  { name: "convert to gguf", words: ["convert", "llama-a", "{}/c.gguf"] },
  { name: "convert to onnx", words: ["convert", "a.safetensors", "{}/c.onnx", ...GRAPH] },
  { name: "report", words: ["report", "barrier.json", "-o", "{}/b.html"] },
  {
    name: "report --svg --pdf --csv",
    words: ["report", "barrier.json", "--svg", "{}/svg", "--pdf", "{}/pdf", "--csv", "{}/csv"],
  },
  { name: "demo", words: ["demo", "--net", "mlp:16", "--epochs", "1", "--points", "3", "-o", "{}/demo"] },
  { name: "study", words: ["study", "study.yml", "-o", "{}/study"] },
  { name: "federate simulate", words: ["federate", "simulate", "simulation.yml", "-o", "{}/simulation"] },
  {
    name: "federate aggregate",
    words: [
      "federate",
      "aggregate",
      "a.safetensors",
      "b.safetensors",
      "c.safetensors",
      "--server",
      "adam",
      "--state",
      "{}/adam.safetensors",
      "-o",
      "{}/n.safetensors",
    ],
  },
  {
    isClient: true,
    name: "federate join",
    words: [...joinWords("SERVER"), "--folder", "{}/anna", "-o", "{}/n.safetensors"],
  },
  {
    isRandom: true,
    name: "federate token",
    words: ["federate", "token", "anna", "--for", "federation.yml", "-o", "{}/anna.token"],
  },
];

/** All commands that write. */
export const CASES: readonly WritingCase[] = [
  ...MEASUREMENTS.flatMap(([verb, words, journal]) => [
    { name: verb, words: [verb, ...words, "-o", "{}/r.json"] },
    { name: `${verb} --report`, words: [verb, ...words, "--report", "{}/r.html"] },
    ...(journal === undefined
      ? []
      : [{ name: `${verb} --journal`, words: [verb, ...words, "--journal", journal] }]),
  ]),
  ...WRITERS,
];
