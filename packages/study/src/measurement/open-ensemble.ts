import type { Subjects } from "@isthmus/findings";
import type { DataSet } from "@isthmus/graph";
import { pathsOf } from "@isthmus/tasks";
import { openNetworks } from "../tasks/open-networks.ts";
import type { TaskData } from "../tasks/task-kind.ts";
import { examplesOpener, type Opening, openShared } from "./open-shared.ts";

/** Opens the networks of a task that predict together, and the star of them if there is one. */
export async function openEnsemble<T>(
  opening: Opening,
  work: (subject: Subjects["ensemble"]) => Promise<T>,
): Promise<T> {
  const { ports, params, inputs } = opening;
  const members = pathsOf(inputs, "networks");
  const star = inputs["star"]?.slice(0, 1);
  const paths = star === undefined ? members : [...members, ...star];
  const { graph, networks, close } = await openNetworks(inputs, paths, ports.engine);
  try {
    const open = examplesOpener(ports, graph);
    const others: DataSet[] = [];
    for (const other of params["others"] as readonly TaskData[]) others.push(await open(other));
    const named = networks.map(({ network }, i) => ({ ...network, source: `network ${i + 1}` }));
    return await work({
      ...(await openShared(opening, graph)),
      networks: named.slice(0, members.length),
      star: named[members.length],
      others,
    });
  } finally {
    await close();
  }
}
