// Time and memory of discovering symmetries from a config alone, without weights and without running anything.
//
//   npx tsx --conditions=@isthmus/source tools/bench/config-discovery.ts CONFIG.json [ROUNDS]
//
// Prints one JSON object; peakMB is that of the whole process, of which tsx and Node take some 100.
import { readFileSync } from "node:fs";
import type { Engine } from "@isthmus/graph";
import { discoverSymmetries } from "@isthmus/symmetry";
import { networkOfConfig } from "@isthmus/zoo";

const [path, rounds = "3"] = process.argv.slice(2);
if (path === undefined) {
  console.error("usage: config-discovery.ts CONFIG.json [ROUNDS]");
  process.exit(2);
}

const none: Engine = {
  name: "none",
  load: () => {
    throw new TypeError("Cannot run a graph here as there is no engine: the graph must be typed");
  },
};
const config: unknown = JSON.parse(readFileSync(path, "utf8"));
const built: number[] = [];
const discovered: number[] = [];
let found: object = {};
for (let round = 0; round < Number(rounds); round++) {
  const started = performance.now();
  const { graph, parameters } = networkOfConfig(config);
  const middle = performance.now();
  const { spec } = await discoverSymmetries({ graph, engine: none });
  built.push(middle - started);
  discovered.push(performance.now() - middle);
  found = { parameters, nodes: graph.nodes.length, symmetries: spec.symmetries.length, units: spec.units };
}
const sorted = (times: number[]) => times.sort((a, b) => a - b).map(Math.round);
console.log(
  JSON.stringify({
    ...found,
    buildMs: sorted(built),
    discoverMs: sorted(discovered),
    peakMB: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
