import type { Checkpoint } from "@isthmus/core";
import type { SubjectName, Subjects } from "@isthmus/findings";
import { withNetwork } from "../tasks/open-networks.ts";
import { openPair } from "../tasks/open-pair.ts";
import { openAttack } from "./open-attack.ts";
import { openEnsemble } from "./open-ensemble.ts";
import { openLandscape } from "./open-landscape.ts";
import { type Opening, openSets, openShared } from "./open-shared.ts";

/** Opens the subject of a task, works with it, and closes it. */
export async function openSubject<T>(
  opening: Opening,
  work: (subject: Subjects[SubjectName]) => Promise<T>,
): Promise<T> {
  const { measurement, ports, inputs } = opening;
  const { engine, signal } = ports;
  if (measurement.subject === "ensemble") return openEnsemble(opening, work);
  if (measurement.subject === "attack") return openAttack(opening, work);
  if (measurement.subject === "landscape") return openLandscape(opening, work);
  if (["pair", "pair-on-sets", "unlike-pair"].includes(measurement.subject)) {
    const pair = await openPair(inputs, engine, signal);
    try {
      const { a, b } = pair.networks;
      const shared = await openShared(opening, pair.networks.graph);
      const { graph } = shared;
      const same = { ...shared, a, b, unaligned: b };
      if (measurement.subject === "pair") return await work(same);
      if (measurement.subject === "pair-on-sets")
        return await work({ ...same, sets: await openSets(opening, graph) });
      const withArchitecture = (network: Checkpoint) => ({ graph, engine, network });
      return await work({ ...shared, a: withArchitecture(a), b: withArchitecture(b) });
    } finally {
      await pair.close();
    }
  }
  return withNetwork(inputs, engine, async ({ architecture: { graph }, network }) =>
    work({ ...(await openShared(opening, graph)), network }),
  );
}
