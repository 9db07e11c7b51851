import { at } from "@isthmus/core";
import type { Subjects } from "@isthmus/findings";
import { pathsOf } from "@isthmus/tasks";
import { openNetworks } from "../tasks/open-networks.ts";
import { sourceInput, type TaskSource } from "./attack-selection.ts";
import { type Opening, openShared } from "./open-shared.ts";

/** Opens the networks of a task that adversarial examples are made on, and the ones they are shown to. */
export async function openAttack<T>(
  opening: Opening,
  work: (subject: Subjects["attack"]) => Promise<T>,
): Promise<T> {
  const { ports, params, inputs } = opening;
  const sources = params["sources"] as readonly TaskSource[];
  const targets = pathsOf(inputs, "targets");
  const made = sources.map((_, index) => pathsOf(inputs, sourceInput(index)));
  const paths = [...new Set([...targets, ...made.flat()])];
  const { graph, networks, close } = await openNetworks(inputs, paths, ports.engine);
  try {
    const named = (of: string, group: readonly string[]) =>
      group.map((path, member) => {
        const { network } = at(networks, paths.indexOf(path), "network");
        return { ...network, source: `${of} ${member + 1}` };
      });
    return await work({
      ...(await openShared(opening, graph)),
      targets: named("target", targets),
      sources: sources.map(({ name, mode }, index) => {
        return { name, mode, networks: named(name, at(made, index, "source")) };
      }),
    });
  } finally {
    await close();
  }
}
