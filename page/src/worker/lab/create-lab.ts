import { readTextFile } from "@isthmus/core";
import { createWebEngine } from "@isthmus/engine/web";
import type { DataSet, Engine } from "@isthmus/graph";
import { outputFile } from "@isthmus/platform/browser";
import type { Handlers } from "../protocol.ts";
import { readDigits } from "../story/digits.ts";
import { commandOf } from "./commands.ts";
import { compareFiles } from "./compare.ts";
import { inspectFile } from "./inspect.ts";
import { FileShelf } from "./known-files.ts";
import type { LabRequests, LabStart } from "./lab-requests.ts";
import { measureLines, openData } from "./measure-lines.ts";
import { PairAligner, saveAligned } from "./pairs.ts";
import { explainRecipe, listMethods, mergeByRecipe, RECIPE_NAME } from "./recipes.ts";
import { findSymmetries } from "./symmetries.ts";
import { discard, listWritten, openStorage, writtenFile, writtenPath } from "./written-files.ts";

/** Creates the handlers of the lab's requests, which share the files that the page has given. */
export function createLab(): Handlers<keyof LabRequests> {
  const shelf = new FileShelf();
  const machine = createMachine();
  const aligner = new PairAligner(machine.engine);
  return {
    async "lab.start"(start) {
      machine.start(start);
      await openStorage();
      return { written: await listWritten() };
    },
    async "lab.add"({ files }, { signal, report }) {
      await aligner.forget();
      await shelf.add(files);
      return shelf.list((done) => report({ done, stage: "Looking at the files" }), signal);
    },
    async "lab.remove"({ path }) {
      await aligner.forget();
      await shelf.remove(path);
      return shelf.list(() => {});
    },
    "lab.inspect": async ({ path }) => inspectFile(path),
    "lab.text": async ({ path }) => readTextFile(path),
    "lab.compare": async ({ paths }, handling) => compareFiles(paths, handling),
    "lab.symmetries": async (params, handling) => findSymmetries(params, await machine.engine(), handling),
    "lab.align": async (choice, handling) => (await aligner.align(choice, handling)).told,
    async "lab.barrier"(choice, handling) {
      const pair = await aligner.align(choice, {
        signal: handling.signal,
        report: ({ stage }) => handling.report({ done: 0, stage, aligned: false, place: undefined }),
      });
      const data = await openData(choice.data, pair.architecture, machine.digits);
      return measureLines(pair, data, { ...choice, figures: machine.figures() }, handling);
    },
    "lab.methods": async () => listMethods(),
    "lab.explain": async ({ recipe, pattern }) => explainRecipe(recipe, pattern),
    async "lab.merge"({ recipe, name, graph }, handling) {
      const began = performance.now();
      const output = writtenPath(name);
      const { notes, isSharded, aligns, isRefused } = await mergeByRecipe(
        recipe,
        { output, graph, engine: machine.engine },
        handling,
      );
      const seconds = (performance.now() - began) / 1000;
      const words = [
        ...(aligns && graph !== undefined ? ["--graph", graph] : []),
        ...(isRefused ? ["--no-check"] : []),
        ...(isSharded ? ["--max-shard-size", "1000GB"] : []),
      ];
      const command = commandOf("merge", RECIPE_NAME, ...words, "-o", name);
      return { written: await writtenFile(name), seconds, notes, command };
    },
    async "lab.save-aligned"({ name, ...choice }, handling) {
      const pair = await aligner.align(choice, handling);
      await saveAligned(pair, writtenPath(name), handling);
      const command = commandOf("align", choice.a, choice.b, "--graph", choice.graph, "-o", name);
      return { ...(await writtenFile(name)), command };
    },
    "lab.written": async ({ name }) => outputFile(writtenPath(name)),
    "lab.discard": async ({ name }) => discard(name),
  };
}

/** The engine and the page's digits, which are loaded when they are first needed. */
function createMachine() {
  let addresses: LabStart | undefined;
  let engine: Promise<Engine> | undefined;
  let digits: Promise<DataSet> | undefined;
  const started = (): LabStart => {
    if (addresses !== undefined) return addresses;
    throw new TypeError("Cannot answer as lab.start must be asked for first");
  };
  const loadDigits = async (): Promise<DataSet> => {
    const { body } = await fetch(started().digits);
    if (body === null) throw new TypeError("Cannot load the digits: the server answers nothing");
    const [, test] = await readDigits(body);
    return test.data;
  };
  return {
    start(given: LabStart): void {
      addresses = given;
    },
    figures: (): string => started().figures,
    engine(): Promise<Engine> {
      engine ??= createWebEngine({ files: started().engine });
      return engine;
    },
    digits(): Promise<DataSet> {
      digits ??= loadDigits();
      return digits;
    },
  };
}
