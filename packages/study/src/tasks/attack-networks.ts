import { rm } from "node:fs/promises";
import { join } from "node:path";
import { at } from "@isthmus/core";
import { type AttackSource, measureAttack, SOURCE_MODES, type SourceMode } from "@isthmus/ensemble";
import { batch, schemaOf, seed, takesParams, text } from "@isthmus/forms";
import { pathsOf } from "@isthmus/tasks";
import { z } from "zod";
import type { AttackChoice } from "../description/ensemble-measurement.ts";
import { ATTACK_FIELDS } from "../schema/ensemble-fields.ts";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How networks are attacked; the networks of source number i are the input `source-i`. */
export interface AttackNetworksParams {
  readonly data: TaskData;
  readonly sources: readonly { readonly name: string; readonly mode: SourceMode }[];
  readonly options: AttackChoice & { readonly batchSize: number; readonly seed: number };
}

/** Name of the input that holds the networks of a source, by its number from 0. */
export const sourceInput = (index: number): string => `source-${index + 1}`;

const PARAMS = schemaOf<AttackNetworksParams>()(
  z.strictObject({
    data: TASK_DATA,
    sources: z.array(z.strictObject({ name: text, mode: z.enum(SOURCE_MODES) })).min(1),
    options: z.strictObject({ ...ATTACK_FIELDS, batchSize: batch, seed }),
  }),
);

/** Measures how adversarial examples transfer; goes on after the batches that an interrupted run left. */
export const attackNetworks: StudyTaskKind<AttackNetworksParams> = {
  name: "attack",
  version: 1,
  ...takesParams("attack", PARAMS),
  async run({ engine, openData, folder, signal, onProgress }, { data, sources, options }, inputs) {
    const groups = [
      pathsOf(inputs, "targets"),
      ...sources.map((_, index) => pathsOf(inputs, sourceInput(index))),
    ];
    const paths = [...new Set(groups.flat())];
    const { graph, networks, close } = await openNetworks(inputs, paths, engine);
    try {
      const [targets = [], ...made] = groups.map((group, index) =>
        group.map((path, member) => {
          const { network } = at(networks, paths.indexOf(path), "network");
          const of = index === 0 ? "target" : at(sources, index - 1, "source").name;
          return { ...network, source: `${of} ${member + 1}` };
        }),
      );
      const named = sources.map(
        ({ name, mode }, index): AttackSource => ({ name, mode, networks: at(made, index, "source") }),
      );
      const examples = await openData(
        data.name,
        graph.inputs.map(({ name }) => name),
      );
      const journalPath = join(folder, "batches.json");
      const result = await measureAttack({ graph, engine }, { sources: named, targets }, examples, {
        ...options,
        journalPath,
        signal,
        onProgress: ({ done }) => onProgress(done),
      });
      await rm(journalPath, { force: true });
      return result;
    } finally {
      await close();
    }
  },
};
