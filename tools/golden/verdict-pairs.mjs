// Measures every pair of networks of one architecture that verdict-networks.py made, and writes the numbers that
// the thresholds of packages/recipe/src/compare were read off. Files are named ARCHITECTURE-NAME.safetensors; the
// name s1 is a seed of its own, all others descend from s0, or like s0-apart from its start.
//
//   npm run build && node tools/golden/verdict-pairs.mjs FOLDER > packages/recipe/test/golden/verdict-pairs.json
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openCheckpoint } from "@isthmus/core";
import { compareNetworks } from "../../packages/recipe/dist/index.js";

const [folder] = process.argv.slice(2);
const files = readdirSync(folder).filter((name) => name.endsWith(".safetensors"));
const rounded = (x) => (x === null ? null : Number(x.toPrecision(4)));
const pairs = [];
for (const architecture of new Set(files.map((name) => name.split("-")[0]))) {
  const members = files.filter((name) => name.startsWith(`${architecture}-`)).sort();
  const networks = await Promise.all(members.map((name) => openCheckpoint(join(folder, name))));
  const comparison = await compareNetworks(networks, { sample: 2 ** 24 });
  for (const { a, b, tensors, ...pair } of comparison.pairs) {
    const names = [members[a], members[b]].map((name) =>
      name.slice(architecture.length + 1, -".safetensors".length),
    );
    const { identical, kinship, matrices, distance, cosine, shared, moved } = pair;
    const kinships = tensors.flatMap((tensor) => (tensor.kinship === null ? [] : [tensor.kinship]));
    pairs.push({
      architecture,
      networks: names,
      related: !names.includes("s1"),
      kinship: rounded(kinship),
      least: rounded(Math.min(...kinships)),
      most: rounded(Math.max(...kinships)),
      matrices,
      distance: rounded(distance),
      cosine: rounded(cosine),
      identical,
      shared,
      moved: moved === null ? null : { ...moved, tensors: moved.tensors.length },
    });
  }
  for (const network of networks) await network.close();
}
process.stdout.write(`${JSON.stringify(pairs, null, 1)}\n`);
