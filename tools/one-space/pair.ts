/**
 * Aligns a pair of transformers by learning with several options, and measures the barrier after each on every data set that
 * is named: on training examples as well as on others, so that overfitting shows.
 *
 *     npx tsx --conditions=@isthmus/source tools/one-space/pair.ts shakespeare-gpt/s0 shakespeare-gpt/s1 \
 *         --data text:shakespeare-train.txt:train --on text:shakespeare-test.txt:test --on text:shakespeare-train.txt:train@122 \
 *         --try "steps=300" --try "steps=300 ends=both" --try "steps=300 learningRate=.04" --out ends.json
 *
 *     for s in 0 1; do npx isthmus train --net llama:d3:w64:h4:kv2:c96:untied --data text:shakespeare-train.txt:train@8000 \
 *         --eval-data none --epochs 2 --batch 16 --optimizer adamw --lr .003 --seed $s -o llama-s$s.safetensors; done
 *     npx tsx --conditions=@isthmus/source tools/one-space/pair.ts llama-s0.safetensors llama-s1.safetensors --graph llama-s0.onnx \
 *         --data text:shakespeare-train.txt:train --on text:shakespeare-train.txt:test --try "steps=300 ends=both" --out llama.json
 *
 * A `--try` lists options of `matchLearned` by their names; networks that are no model folders need `--graph`. Prints one
 * JSON line for each; seconds are of the processor.
 */
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { measureBarrier } from "@isthmus/barrier";
import { at, type Checkpoint, openCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindArchitecture, type DataSet } from "@isthmus/graph";
import { discoverSymmetries } from "@isthmus/symmetry";
import { align, type LearnedChoice } from "@isthmus/weight-matching";
import { dataContext, fitToData, openSharedArchitecture, openTokenizer } from "@isthmus/zoo";

const { values: args, positionals: paths } = parseArgs({
  allowPositionals: true,
  options: {
    graph: { type: "string" },
    data: { type: "string", default: "" },
    on: { type: "string", multiple: true, default: [] },
    try: { type: "string", multiple: true, default: ["steps=300"] },
    points: { type: "string", default: "11" },
    seed: { type: "string", default: "0" },
    out: { type: "string", default: "" },
  },
});
if (args.out === "" || paths.length !== 2) throw new Error("give A B --data NAME --on NAME --out FILE");

const engine = createOnnxRuntimeEngine();
const read = await openSharedArchitecture(paths, engine, { graph: args.graph });
const { tokenizedBy, ...context } = dataContext(read);
const encode = tokenizedBy === undefined ? undefined : await openTokenizer(tokenizedBy);
const open = (name: string): Promise<DataSet> =>
  openDataSet(name, name.startsWith("text:") ? { encode, ...context } : context);
const data = await open(args.data);
const sets = await Promise.all(args.on.map(open));
const checkpoints = await Promise.all(paths.map((path) => openCheckpoint(path)));
const { graph, networks } = await bindArchitecture(fitToData(read, data), checkpoints, { unread: "keep" });
const architecture = { graph, engine };
const a = at(networks, 0, "network").network;
const symmetries = await discoverSymmetries(architecture);
const seed = Number(args.seed);
const round = (value: number): number => Number(value.toFixed(4));

/** Measures the barrier to a network on all data sets. */
async function barriersOf(b: Checkpoint): Promise<Record<string, { loss: number; error: number | null }>> {
  const barriers: Record<string, { loss: number; error: number | null }> = {};
  for (const [i, set] of sets.entries()) {
    const { barrier } = await measureBarrier(architecture, [a, b], set, { points: Number(args.points) });
    const error = barrier.error === undefined ? null : round(barrier.error.chord);
    barriers[at(args.on, i, "name")] = { loss: round(barrier.loss.chord), error };
  }
  return barriers;
}

/** Reads options such as `steps=300 ends=both`. */
function choiceOf(text: string): Partial<LearnedChoice> {
  const entries = text.split(" ").map((pair) => {
    const [name = "", value = ""] = pair.split("=");
    return [name, Number.isNaN(Number(value)) ? value : Number(value)];
  });
  return Object.fromEntries(entries) as Partial<LearnedChoice>;
}

const rows: object[] = [];
for (const text of args.try) {
  const began = process.cpuUsage();
  const { aligned } = await align(
    architecture,
    networks.map(({ network }) => network),
    { method: "learned", data, seed, symmetries, proof: "outputs", ...choiceOf(text) },
  );
  const { user, system } = process.cpuUsage(began);
  const { network, match } = at(aligned, 0, "network");
  const row = {
    options: text,
    barriers: await barriersOf(network),
    halfway: round(-match.objective.after),
    cpuSeconds: Math.round((user + system) / 1e6),
    load: round(at(loadavg(), 0, "load")),
  };
  rows.push(row);
  console.log(JSON.stringify(row));
}
await writeFile(args.out, `${JSON.stringify({ args, networks: paths, rows }, undefined, 2)}\n`);
