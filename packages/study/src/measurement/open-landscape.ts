import { at } from "@isthmus/core";
import type { Subjects } from "@isthmus/findings";
import { pathOf } from "@isthmus/tasks";
import { openNetworks } from "../tasks/open-networks.ts";
import { type Opening, openShared } from "./open-shared.ts";

/** Opens the network of a task, and the snapshots of its training if its landscape is laid along them. */
export async function openLandscape<T>(
  opening: Opening,
  work: (subject: Subjects["landscape"]) => Promise<T>,
): Promise<T> {
  const { ports, inputs } = opening;
  const { snapshots = [] } = inputs;
  const paths = [pathOf(inputs, "network"), ...snapshots];
  const { graph, networks, close } = await openNetworks(inputs, paths, ports.engine);
  try {
    const named = networks.map(({ network }, k) => {
      return { label: k === 0 ? "network" : `snapshot ${k}`, network };
    });
    return await work({
      ...(await openShared(opening, graph)),
      network: at(named, 0, "network"),
      others: named.slice(1),
    });
  } finally {
    await close();
  }
}
