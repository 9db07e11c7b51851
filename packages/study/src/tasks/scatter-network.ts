import { join } from "node:path";
import { at, saveCheckpoint } from "@isthmus/core";
import { scatterNetwork } from "@isthmus/ensemble";
import { count, schemaOf, seed, takesParams } from "@isthmus/forms";
import { pathOf } from "@isthmus/tasks";
import { z } from "zod";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** What is drawn, and the examples that batch norms are measured on. */
interface ScatterStudyNetworkParams {
  readonly data: TaskData;
  readonly seed: number;
  /** Which of the networks of the seed it is. */
  readonly number: number;
}

/** File of the weights in a random direction. */
export const SCATTERED_FILE = "weights.safetensors";

const PARAMS = schemaOf<ScatterStudyNetworkParams>()(
  z.strictObject({ data: TASK_DATA, seed, number: count(0) }),
);

/** Makes a network as far from a start as another one, in a random direction. */
export const scatterStudyNetwork: StudyTaskKind<ScatterStudyNetworkParams> = {
  name: "scatter",
  version: 1,
  ...takesParams("scatter", PARAMS),
  async run({ engine, openData, folder, signal }, { data, seed: drawn, number }, inputs) {
    const paths = [pathOf(inputs, "start"), pathOf(inputs, "network")];
    const { graph, networks, close } = await openNetworks(inputs, paths, engine);
    try {
      const [start, other] = [at(networks, 0, "start"), at(networks, 1, "network")];
      const names = graph.inputs.map(({ name }) => name);
      const statisticsData = await openData(data.name, names);
      const pair = [start.network, other.network] as const;
      const options = { seed: drawn, number, statisticsData, signal };
      const scattered = await scatterNetwork({ graph, engine }, pair, options);
      await saveCheckpoint(other.restore(scattered), join(folder, SCATTERED_FILE), { overwrite: true });
      return { kind: "scatter", seed: drawn };
    } finally {
      await close();
    }
  },
};
