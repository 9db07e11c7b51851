// Merges two sentence encoders whose vocabularies differ into a directory that loads, by functions alone.
//
//   npx tsx --conditions=@isthmus/source tools/examples/merge-encoders.ts A B OUT
//
// A and B come from tools/examples/fine-tune-encoder.py; tools/examples/compare-encoders.py tells what came out.
import { basename, join } from "node:path";
import { type Checkpoint, createFolder, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { linear, merge } from "@isthmus/merging";
import {
  examineTiedWeights,
  findVocabularyAxes,
  planVocabulary,
  readModelConfig,
  remapVocabulary,
  type VocabularyAxes,
  writeModelFiles,
} from "@isthmus/recipe";

const [a, b, out] = process.argv.slice(2);
if (a === undefined || b === undefined || out === undefined) {
  throw new Error("usage: merge-encoders.ts A B OUT");
}
const networks = [a, b].map((directory) => ({ name: basename(directory), directory })) as [
  { name: string; directory: string },
  { name: string; directory: string },
];
const recipe = `merge_method: linear
models:
  - model: ${networks[0].name}
    parameters: { weight: 0.5 }
  - model: ${networks[1].name}
    parameters: { weight: 0.5 }
tokenizer:
  source: union
`;

const vocabulary = await planVocabulary({ networks, tokenizer: { source: "union" } });
const checkpoints: Checkpoint[] = [];
const axes: VocabularyAxes[] = [];
for (const { directory } of networks) {
  const config = await readModelConfig(directory);
  const checkpoint = await openCheckpoint(directory);
  checkpoints.push(checkpoint);
  axes.push(findVocabularyAxes(checkpoint, { config }));
  const tied = await examineTiedWeights(checkpoint, axes.at(-1) ?? new Map(), config);
  process.stdout.write(`${directory}: ${[...(axes.at(-1)?.keys() ?? [])].join(", ")}; head ${tied.state}\n`);
}
const merged = merge(remapVocabulary(checkpoints, axes, vocabulary), {
  method: linear,
  parameters: { weight: [0.5, 0.5] },
});
await createFolder(out);
await saveCheckpoint(merged, join(out, "model.safetensors"));
const { files, notes } = await writeModelFiles(out, {
  base: networks[0].directory,
  networks: networks.map((network) => ({ ...network, parameters: { weight: 0.5 } })),
  ...{ recipe, method: "linear", vocabulary },
});
process.stdout.write(`${vocabulary.size} tokens; ${files.join(", ")}\n${notes.join("\n")}\n`);
