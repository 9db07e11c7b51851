import { readGraph } from "@isthmus/graph";
import type {
  LoadedNetwork,
  NetworkDescription,
  RepeatedNetwork,
  Variables,
} from "../description/study-description.ts";
import { unfold } from "../description/unfold.ts";
import { digestFile } from "./digest-file.ts";
import { planTraining } from "./plan-training.ts";
import type { PlannedNetwork } from "./planned-network.ts";
import type { Planner } from "./planner.ts";

/**
 * Plans all networks of a group.
 * @throws InputError if a network cannot be built for its data, or a file is missing
 */
export async function planNetworks(
  group: string,
  repeated: RepeatedNetwork,
  planner: Planner,
): Promise<readonly PlannedNetwork[]> {
  const networks: PlannedNetwork[] = [];
  for (const { variables, entry } of unfold<NetworkDescription>(`networks.${group}`, repeated)) {
    if ("net" in entry) {
      networks.push(...(await planTraining(group, { variables, entry }, planner)));
    } else {
      networks.push(await planLoading(variables, entry));
    }
  }
  return networks;
}

async function planLoading(
  variables: Variables,
  { graph, checkpoint }: LoadedNetwork,
): Promise<PlannedNetwork> {
  const { graph: architecture } = await readGraph(graph);
  return {
    variables,
    label: checkpoint,
    architecture,
    graph: { path: graph, digest: await digestFile(graph) },
    weights: { path: checkpoint, digest: await digestFile(checkpoint) },
  };
}
