import { readGraph } from "@isthmus/graph";
import type {
  LoadedNetwork,
  NetworkDescription,
  RepeatedNetwork,
  Variables,
} from "../description/study-description.ts";
import { unfold } from "../description/unfold.ts";
import { digestFile } from "./digest-file.ts";
import { planStar } from "./plan-star.ts";
import { planTraining } from "./plan-training.ts";
import type { PlannedNetwork } from "./planned-network.ts";
import type { Planner } from "./planner.ts";
import type { FindNetworks } from "./select-pairs.ts";

/**
 * Plans all networks of a group.
 * @param find - groups that stand before
 * @throws InputError if a network cannot be built for its data, a file is missing, or a star has no anchors
 */
export async function planNetworks(
  group: string,
  repeated: RepeatedNetwork,
  { find, planner }: { readonly find: FindNetworks; readonly planner: Planner },
): Promise<readonly PlannedNetwork[]> {
  const networks: PlannedNetwork[] = [];
  for (const { variables, entry } of unfold<NetworkDescription>(`networks.${group}`, repeated)) {
    if ("star" in entry) {
      networks.push(await planStar(group, { variables, entry }, { anchors: find(entry.star), planner }));
    } else if ("net" in entry) {
      networks.push(...(await planTraining(group, { variables, entry }, planner)));
    } else {
      networks.push(await planLoading(variables, entry));
    }
  }
  return networks;
}

async function planLoading(
  variables: Variables,
  { graph, checkpoint, exportedFrom }: LoadedNetwork,
): Promise<PlannedNetwork> {
  const { graph: architecture } = await readGraph(graph);
  return {
    variables,
    label: checkpoint,
    architecture,
    graph: { path: graph, digest: await digestFile(graph) },
    weights: { path: checkpoint, digest: await digestFile(checkpoint) },
    ...(exportedFrom !== undefined && {
      exportedFrom: { path: exportedFrom, digest: await digestFile(exportedFrom) },
    }),
  };
}
