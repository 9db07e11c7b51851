// Writes the first networks and the clients of small federations as JSON, for simulated-losses.py.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openDataSet } from "@isthmus/data";
import { PARTITIONS, partitionExamples } from "@isthmus/simulation";
import { parseNetwork } from "@isthmus/zoo";

const GOLDEN = new URL("../../packages/simulation/test/golden/simulated-losses.json", import.meta.url);
const FIXTURES = fileURLToPath(new URL("../../test/fixtures/losses/", import.meta.url));

const { federation, cases } = JSON.parse(await readFile(GOLDEN, "utf8"));
const scheme = PARTITIONS.get("iid");
if (scheme === undefined) throw new Error("there must be the partition iid");
const opened = [];
for (const { name, loss } of cases) {
  const data = await openDataSet(`safetensors:${FIXTURES}${name}.safetensors`);
  const first = parseNetwork(federation.net, data).initialize(federation.seed);
  const weights: Record<string, readonly number[]> = {};
  for (const tensor of first.tensors.keys())
    weights[tensor] = [...(await first.read(tensor)).data].map(Number);
  const { clients, seed } = federation;
  const parts = partitionExamples(data, { scheme, clients, seed }).map(({ positions }) => [...positions]);
  opened.push({ name, loss, weights, clients: parts });
}
process.stdout.write(JSON.stringify({ federation, cases: opened }));
