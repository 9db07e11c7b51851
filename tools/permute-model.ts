// Writes a copy of a model whose units are permuted at random, by all symmetries at once: what matching should undo.
//
//   npx tsx --conditions=@isthmus/source tools/permute-model.ts MODEL OUT [--seed 1] [--shard-gb 1000]
//
// OUT/planted.json has the permutations, in the form of `isthmus align -o x.json`. Ranges are read and written one after the other, so
// memory does not grow with the model.
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { saveCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { discoverSymmetries, encodeAlignment, permute, randomAlignment, wholeSpec } from "@isthmus/symmetry";
import { openModel } from "@isthmus/zoo";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string", default: "1" }, "shard-gb": { type: "string", default: "1000" } },
});
const [path, folder] = positionals;
if (path === undefined || folder === undefined) {
  console.error("usage: permute-model.ts MODEL OUT [--seed 1] [--shard-gb 1000]");
  process.exit(2);
}

const started = performance.now();
const { network, checkpoint, configPath } = await openModel(path);
const architecture = { graph: network.graph, engine: createOnnxRuntimeEngine() };
const spec = wholeSpec(await discoverSymmetries(architecture));
const discovered = performance.now();
const alignment = randomAlignment(spec, Number(values.seed));
await mkdir(folder, { recursive: true });
const { bytes } = await saveCheckpoint(permute(alignment, checkpoint, spec), folder, {
  overwrite: true,
  maxShardBytes: Number(values["shard-gb"]) * 1e9,
});
await checkpoint.close();
await copyFile(configPath, join(folder, "config.json"));
await writeFile(join(folder, "planted.json"), JSON.stringify(encodeAlignment(spec, alignment)));
const seconds = (from: number, to: number) => Number(((to - from) / 1000).toFixed(2));
console.log(
  JSON.stringify({
    folder,
    bytes,
    symmetries: spec.symmetries.length,
    units: spec.units,
    seed: Number(values.seed),
    discoverySeconds: seconds(started, discovered),
    writingSeconds: seconds(discovered, performance.now()),
    peakMB: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
