import {
  type Architecture,
  type DataSet,
  fingerprintData,
  fingerprintGraph,
  fingerprintWeights,
} from "@isthmus/graph";
import { createHash } from "@isthmus/platform";
import type { JournalRun } from "@isthmus/tasks";
import type { ResolvedAttack } from "./attack-options.ts";
import type { AttackedNetworks, AttackSource } from "./attack-source.ts";

/** Describes all inputs that decide the numbers of an attack, for its journal. */
export async function describeAttack(
  { graph, engine, data }: Architecture & { readonly data: DataSet },
  { sources, targets }: AttackedNetworks,
  { randomStart, ...attack }: ResolvedAttack & { readonly batchSize: number },
): Promise<JournalRun> {
  const prints = (networks: AttackSource["networks"]) =>
    Promise.all(networks.map((network) => fingerprintWeights(graph, network)));
  const named: [string, string][] = [["targets", digest(await prints(targets))]];
  for (const [i, { mode = "together", networks }] of sources.entries())
    named.push([`source ${i + 1}`, `${mode} ${digest(await prints(networks))}`]);
  return {
    graph: fingerprintGraph(graph),
    engine: engine.name,
    data: fingerprintData(data),
    examples: data.size,
    ...attack,
    randomStart: String(randomStart),
    ...Object.fromEntries(named),
  };
}

const digest = (prints: readonly string[]): string =>
  createHash("sha256").update(prints.join(" ")).digest("hex").slice(0, 32);
