import { A, B, C, type CommandLine, CURVATURE, ON_TEST, TRAIN } from "./command-lines.ts";

/** A command line that keeps what is finished in files, and goes on from them after an interruption. */
export interface JournalLine extends CommandLine {
  /** File, or folder, that is there once something is finished. */
  readonly kept: string;
  /** How often that file is written before the process is stopped. @defaultValue 1 */
  readonly writes?: number;
}

const TRAINING = [...TRAIN, "--epochs", "4", "--batch", "8", "--seed", "1", "--threads", "1"];
const JOURNAL = ["--journal", "journal.json"];

const measuring = (verb: string, ...words: readonly string[]): JournalLine => ({
  name: verb,
  words: [verb, ...words, ...JOURNAL],
  kept: "journal.json",
});

/** A command line of every verb with `--journal`. */
export const JOURNALS: readonly JournalLine[] = [
  {
    name: "curvature",
    words: [...CURVATURE, "--sharpness", ...JOURNAL],
    kept: "journal.json",
  },
  measuring("landscape", A, ...ON_TEST, "--directions", "random", "--points", "7"),
  measuring("dropout", A, ...ON_TEST, "--trials", "6"),
  measuring("similarity", A, B, ...ON_TEST, "--measures", "linear-cka,rbf-cka"),
  measuring("plane", A, B, C, ...ON_TEST, "--points", "7"),
  measuring("map", A, B, C, ...ON_TEST, "--points", "3"),
  measuring(
    "attack",
    B,
    ...ON_TEST,
    "--surrogate",
    C,
    "--together",
    `${A},${C}`,
    "--eps",
    "0.1",
    "--steps",
    "2",
  ),
  {
    name: "path",
    words: [
      ...["path", A, B, ...ON_TEST, "--by", "walk", "--moves", "3", "--train-steps", "2", "--points", "7"],
      ...["--train-data", "safetensors:examples.safetensors:train", ...JOURNAL],
    ],
    kept: "journal.json",
  },
  {
    name: "intrinsic-dimension",
    words: [
      ...[
        "intrinsic-dimension",
        "--net",
        "mlp:4",
        ...TRAINING,
        "--runs",
        "2",
        "--first",
        "8",
        "--resolution",
        "1",
      ],
      ...["--eval-data", "safetensors:examples.safetensors:test", ...JOURNAL],
    ],
    kept: "journal.json",
  },
  {
    name: "ensemble",
    words: ["ensemble", A, B, C, ...ON_TEST, "--journal", "journal"],
    kept: "journal",
  },
  {
    name: "search",
    words: [
      "search",
      "searched.yml",
      ...ON_TEST,
      "--evaluations",
      "8",
      "--population",
      "4",
      "-o",
      "found.safetensors",
      ...JOURNAL,
    ],
    kept: "journal.json",
  },
];

/** Words that several trainings share. */
const FEW = `${TRAINING.join(" ")} --save-every 1`;
const MLP = "a.safetensors --graph graph.onnx";
const TRAINED = "safetensors:examples.safetensors:train";
const TESTED = "--test-data safetensors:examples.safetensors:test --points 3";

const training = (
  [name, kept, writes]: readonly [name: string, kept: string, writes: number],
  words: string,
): JournalLine => ({ name, kept, writes, words: words.split(" ") });

/** A command line of every verb that trains, or keeps its journal unasked; all go on with `--resume`. */
export const STATES: readonly JournalLine[] = [
  training(
    ["train", "out.state.safetensors", 9],
    `train --net mlp:4 ${FEW} --eval-data none -o out.safetensors`,
  ),
  training(
    ["tune", "out.state.safetensors", 4],
    `tune ${MLP} --data ${TRAINED} --cue-data ${TRAINED}+cue=grey --epochs 8 --batch 8 -o out.safetensors`,
  ),
  training(
    ["tune-last-layer", "out.state.safetensors", 1],
    `tune ${MLP} --data ${TRAINED} --method last-layer --epochs 30 --batch 8 -o out.safetensors`,
  ),
  training(
    ["curve", "curve/curve.state.safetensors", 9],
    `curve a.safetensors b.safetensors --graph graph.onnx ${FEW} ${TESTED} -o curve`,
  ),
  training(
    ["star", "star.state.safetensors", 9],
    `star a.safetensors b.safetensors c.safetensors --net mlp:6 ${FEW} ${TESTED} --pairs 1 -o star.safetensors`,
  ),
  training(
    ["collect", "collected/collect.state.safetensors", 9],
    `collect ${MLP} ${FEW} --method swa --cycle 1 -o collected`,
  ),
  training(
    ["prune", "pruned.state.safetensors", 1],
    `prune ${MLP} --data ${TRAINED} --train-data ${TRAINED} --sparsity 0.5 --epochs 60 --batch 4 -o pruned.safetensors`,
  ),
  training(
    ["prune-rounds", "pruned.rounds/round-1.safetensors", 1],
    `prune ${MLP} --data ${TRAINED} --train-data ${TRAINED} --sparsity 0.5 --epochs 4 --batch 8 --rewind 1 --rounds 3 -o pruned.safetensors`,
  ),
  training(
    ["pareto", "front/pareto.state.safetensors", 9],
    `pareto --net mlp:4 ${FEW} ${TESTED} --scalarised 2 -o front`,
  ),
  training(
    ["layers", "out.state.json", 1],
    "layers a.safetensors b.safetensors --graph graph.onnx --data safetensors:examples.safetensors:test --points 3 --align --predict 8 -o out.json",
  ),
];

/** Command lines that keep results of tasks in a folder, which is all of them when they end. */
export const FINISHED: readonly JournalLine[] = [
  {
    name: "study",
    words: ["study", "every-kind.yaml", "--workers", "1", "-o", "every"],
    kept: "every/tasks",
  },
  {
    name: "simulation",
    words: ["federate", "simulate", "simulation.yaml", "--workers", "1", "-o", "simulation"],
    kept: "simulation/tasks",
  },
];
