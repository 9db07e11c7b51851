/**
 * Trains two small mixtures of experts that have one base, to be merged by `merge-mixtures.ts` beside this file.
 *
 *     npx tsx --conditions=@isthmus/source tools/mixtures/train-mixtures.ts --texts prose.txt code.txt --out FOLDER \
 *         [--steps 600] [--tuning 300] [--rate 0.003]
 *
 * The base sees both texts, and each fine-tune goes on with one of them. All are Mixtrals of two blocks with eight
 * experts, of which each token takes two, over the characters of ASCII. Writes `base.safetensors`, `a.safetensors`
 * and `b.safetensors` with `config.json`, and the four windows of text that `merge-mixtures.ts` reads. Everything is
 * seeded; some minutes on two cores.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Checkpoint, saveCheckpoint } from "@isthmus/core";
import { createTextDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { train } from "@isthmus/training";
import { networkOfConfig } from "@isthmus/zoo";
import { CONFIG, CONTEXT, readAscii, VOCABULARY } from "./mixture-texts.ts";

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    texts: { type: "string", multiple: true, default: [] },
    out: { type: "string", default: "" },
    steps: { type: "string", default: "600" },
    tuning: { type: "string", default: "300" },
    rate: { type: "string", default: "0.003" },
    "tuning-rate": { type: "string", default: "0.002" },
  },
});
const texts = [...args.texts, ...positionals];
if (args.out === "" || texts.length !== 2) throw new Error("give --texts PROSE CODE --out FOLDER");

const BATCH = 16;
const engine = createOnnxRuntimeEngine();
const network = networkOfConfig(CONFIG, { length: CONTEXT });
const architecture = { graph: network.graph, engine };

/** Characters of a text that no network sees in training. */
const HELD = 400 * CONTEXT;

/** Divides the windows of a text: every other one is for realigning routers, and the rest for tests. */
function takeTurns(text: string): Readonly<Record<"calibration" | "test", string>> {
  const windows = Array.from({ length: text.length / CONTEXT }, (_, i) =>
    text.slice(i * CONTEXT, (i + 1) * CONTEXT),
  );
  const every = (rest: number) => windows.filter((_, i) => i % 2 === rest).join("");
  return { calibration: every(0), test: every(1) };
}

/** Trains a network on as many windows as its steps take, once. */
async function trainOn(
  name: string,
  start: Checkpoint,
  text: string,
  { steps, rate }: { readonly steps: number; readonly rate: number },
): Promise<Checkpoint> {
  const limit = steps * BATCH;
  const data = createTextDataSet(text, { name, context: CONTEXT, vocabulary: VOCABULARY, limit });
  const { weights, result } = await train(architecture, start, data, {
    seed: 0,
    batch: BATCH,
    epochs: 1,
    optimizer: { kind: "adamw", weightDecay: 0.01 },
    schedule: { kind: "cosine", learningRate: rate },
  });
  console.log(JSON.stringify({ name, steps, ...result.epochs.at(-1) }));
  await saveCheckpoint(weights, join(args.out, `${name}.safetensors`), { overwrite: true });
  return weights;
}

await mkdir(args.out, { recursive: true });
await writeFile(join(args.out, "config.json"), `${JSON.stringify(CONFIG, undefined, 2)}\n`);
const [prose, code] = (await Promise.all(texts.map(readAscii))) as [string, string];
const [steps, tuning] = [Number(args.steps), Number(args.tuning)];
// The base sees windows of both texts in turn; the fine-tunes see later ones.
const first = (steps / 2 + 1) * BATCH * CONTEXT;
const mixed = `${prose.slice(0, first)}${code.slice(0, first)}`;
const base = await trainOn("base", network.initialize(0), mixed, { steps, rate: Number(args.rate) });
const tuned = { steps: tuning, rate: Number(args["tuning-rate"]) };
for (const [name, text] of [
  ["a", prose],
  ["b", code],
] as const) {
  await trainOn(name, base, text.slice(first, -HELD), tuned);
  for (const [part, windows] of Object.entries(takeTurns(text.slice(-HELD))))
    await writeFile(join(args.out, `${name}.${part}.txt`), windows);
}
