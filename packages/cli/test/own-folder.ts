import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCheckpoint, createTensor, saveCheckpoint, sizeOf, type Tensor } from "@isthmus/core";
import { encodeGraph } from "@isthmus/graph";
import type { StudyResult } from "@isthmus/study";
import { type CliRun, createRunner, runJson } from "../../../test/helpers/run-cli.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";
import { type ClusterFolder, makeClusterFolder } from "./cluster-folder.ts";

/** Returns the path of a file of an example, such as `low-rank/low-rank.ts`. */
export const exampleFile = (path: string): string =>
  fileURLToPath(new URL(`../../../examples/${path}`, import.meta.url));

/** A folder outside of the repository, where no package is installed, in which commands run. */
export interface OwnFolder {
  readonly folder: string;
  /** Returns the path of a file in it. */
  at(...path: string[]): string;
  write(name: string, text: string): void;
  /** Runs a command in it. What commands of a test add stays in processes that no other test uses. */
  run(words: readonly string[]): Promise<CliRun>;
  /** Runs a verb with `--json`, and parses what it prints. */
  json<T>(words: readonly string[]): Promise<T>;
  remove(): void;
}

/** Makes a folder for a test of definitions of one's own. */
export function makeOwnFolder(): OwnFolder {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-own-"));
  const runner = createRunner();
  const at = (...path: string[]) => join(folder, ...path);
  return {
    ...{ folder, at },
    write: (name, text) => writeFileSync(at(name), text),
    run: (words) => runner.run(words, { cwd: folder }),
    json: (words) => runJson(words, { cwd: folder }, runner.run),
    remove() {
      runner.end();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Makes a tensor of the values of a function of the whole numbers from `first` on. */
export const waves = (wave: (x: number) => number, shape: readonly number[], first: number): Tensor =>
  createTensor(
    "f32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => wave(first + i)),
  );

/**
 * Writes the graph of a small network as `graph.onnx`, and a network of waves, whose tensors begin 100 apart
 * from `first` on, as the scripts that made golden values do.
 */
export async function writeWaves(
  { at }: OwnFolder,
  name: string,
  wave: (x: number) => number,
  first = 0,
): Promise<void> {
  const graph = smallMlp();
  writeFileSync(at("graph.onnx"), encodeGraph(graph));
  const weights = [...graph.weights].map(
    ([tensor, { shape }], i) => [tensor, waves(wave, shape, first + 100 * i)] as const,
  );
  await saveCheckpoint(createCheckpoint(new Map(weights), {}, "waves"), at(name));
}

/** A study with a definition of one's own, in a folder that all machines of a test see. */
export interface OwnStudy {
  readonly cluster: ClusterFolder;
  /** Text of `own/stripes.yaml`: the study with the changes of the test. */
  readonly text: string;
  /** Returns the words of a study of the folder `own`, and where it runs. */
  words(name: string, output: string, ...more: string[]): readonly [string[], { readonly cwd: string }];
  /** Runs a study in processes that no other test uses. */
  run(name: string, output: string, ...more: string[]): Promise<CliRun>;
  resultOf(output: string): StudyResult;
  /** Lists the keys of the tasks of an output with their results. */
  filesOf(output: string): readonly (readonly [key: string, result: string])[];
  remove(): void;
}

/**
 * Makes a folder `own` with the file of an example, and a copy of its study as `stripes.yaml`.
 * @param changes - texts of the study, and what stands for them in the copy
 */
export function makeOwnStudy(example: string, changes: Readonly<Record<string, string>>): OwnStudy {
  const runner = createRunner();
  const cluster = makeClusterFolder();
  mkdirSync(join(cluster.work, "own"));
  copyFileSync(exampleFile(`${example}/${example}.ts`), join(cluster.work, "own", `${example}.ts`));
  const text = Object.entries(changes).reduce(
    (study, [from, to]) => study.replace(from, to),
    readFileSync(exampleFile(`${example}/${example}.yaml`), "utf8"),
  );
  writeFileSync(join(cluster.work, "own", "stripes.yaml"), text);
  const outputOf = (...path: string[]) => join(cluster.folder, ...path);
  const words: OwnStudy["words"] = (name, output, ...more) => [
    ["study", join("own", name), "-o", outputOf(output), "-q", ...more],
    { cwd: cluster.work },
  ];
  return {
    ...{ cluster, text, words },
    run: (...args) => runner.run(...words(...args)),
    resultOf: (output) => JSON.parse(readFileSync(outputOf(output, "study.json"), "utf8")),
    filesOf: (output) =>
      readdirSync(outputOf(output, "tasks")).map(
        (key) => [key, readFileSync(outputOf(output, "tasks", key, "result.json"), "utf8")] as const,
      ),
    remove() {
      runner.end();
      cluster.remove();
    },
  };
}
