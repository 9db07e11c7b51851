import { at, groupBy, MismatchError, withCheckpoints } from "@isthmus/core";
import { bindNetworks, readGraph } from "@isthmus/graph";
import type { UserFile } from "@isthmus/tasks";
import type { PlannedNetwork } from "./planned-network.ts";

/** A network whose graph and weights are files of the user. */
type LoadedFiles = PlannedNetwork & { readonly graph: UserFile; readonly weights: UserFile };

/**
 * Binds the loaded networks of an entry to their graphs, so that a graph that does not fit them is found
 * before anything is run. If a graph was exported from one of them, and the others cannot be bound to it by
 * their names, adds that one to each as its `exporter`.
 * @throws MismatchError if a graph and its networks do not fit each other
 */
export async function findExporters(networks: readonly PlannedNetwork[]): Promise<readonly PlannedNetwork[]> {
  const exporters = new Map<string, UserFile>();
  const groups = groupBy(networks.filter(isLoaded), ({ graph }) => graph.digest);
  for (const [digest, loaded] of groups) {
    const exporter = await findExporter(loaded);
    if (exporter !== undefined) exporters.set(digest, exporter);
  }
  return networks.map((network) => {
    const exporter = isLoaded(network) ? exporters.get(network.graph.digest) : undefined;
    return exporter === undefined ? network : { ...network, exporter };
  });
}

function isLoaded(network: PlannedNetwork): network is LoadedFiles {
  return "path" in network.graph && "path" in network.weights;
}

/** Finds the network that others of one graph need to be bound; undefined if they need none. */
async function findExporter(networks: readonly LoadedFiles[]): Promise<UserFile | undefined> {
  const first = at(networks, 0, "network");
  const decoded = await readGraph(first.graph.path);
  const { exportedFrom } = first;
  const named = exportedFrom !== undefined && "path" in exportedFrom ? [exportedFrom.path] : [];
  return withCheckpoints([...named, ...networks.map(({ weights }) => weights.path)], async (opened) => {
    const source = opened.slice(0, named.length)[0];
    const checkpoints = opened.slice(named.length);
    const { exported } = await bindNetworks(decoded, checkpoints, { exportedFrom: source });
    if (source !== undefined || exported === undefined) return undefined;
    const index = checkpoints.findIndex((checkpoint) => checkpoint.source === exported.source);
    const other = checkpoints.find((checkpoint) => checkpoint.source !== exported.source);
    if (other === undefined) return undefined;
    try {
      await bindNetworks(decoded, [other]);
      return undefined;
    } catch (error) {
      if (error instanceof MismatchError) return at(networks, index, "network").weights;
      throw error;
    }
  });
}
