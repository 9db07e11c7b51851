import { at, type Checkpoint } from "@isthmus/core";
import { joinExamples } from "@isthmus/data";
import { type DataSet, limitExamples } from "@isthmus/graph";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import type { NormAccuracies } from "../result/federation-run.ts";
import { qualityOf, scoreFor } from "./evaluate-round.ts";
import type { OpenClient, OpenFederation } from "./open-federation.ts";

/** Number of examples of each client on which statistics of batch norms are measured. */
const EXAMPLES = 500;

/**
 * Evaluates the server's network for every honest client with three kinds of statistics of its batch norms:
 * the statistics of the aggregated network, statistics measured on the examples of all honest clients
 * together, and statistics that each client measures on its own examples. Layers that clients keep are not
 * used, so that the accuracy is the one that a new client would get.
 */
export async function evaluateNorms(
  federation: OpenFederation,
  network: Checkpoint,
): Promise<NormAccuracies> {
  const { graph, engine, clients, description } = federation;
  const honest = [...clients.values()].filter(({ attacker }) => !attacker);
  const recalibrate = (examples: DataSet) =>
    recalibrateBatchNorm({ graph, engine }, network, examples, { threads: 1 });
  const parts = honest.map(({ data }) => limitExamples("measure norms", data, EXAMPLES));
  const pooled = await recalibrate(joinExamples(parts, `${description.data} of all clients`));
  const mean = async (networkOf: (client: OpenClient, index: number) => Promise<Checkpoint> | Checkpoint) => {
    let sum = 0;
    for (const [i, client] of honest.entries()) {
      sum += qualityOf(await scoreFor(federation, client, await networkOf(client, i)));
    }
    return sum / honest.length;
  };
  return {
    aggregated: await mean(() => network),
    pooled: await mean(() => pooled),
    own: await mean((_, i) => recalibrate(at(parts, i))),
  };
}
