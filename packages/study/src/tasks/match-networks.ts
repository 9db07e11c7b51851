import { saveFile } from "@isthmus/core";
import { count, seed, takesParams } from "@isthmus/forms";
import { join, rm } from "@isthmus/platform";
import { encodeAlignment, wholeSpec } from "@isthmus/symmetry";
import { openJournal, pathsOf } from "@isthmus/tasks";
import { alignMany, MANY_FIELDS, type ManyChoice } from "@isthmus/weight-matching";
import * as z from "zod";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind } from "./task-kind.ts";

/** Parameters of a task that matches networks to each other. */
export interface MatchNetworksParams extends Required<Omit<ManyChoice, "memory">> {
  /** Index of the network in whose coordinates the others are put. */
  readonly reference: number;
  /** Seed of the searches, and of the proof. */
  readonly seed: number;
}

/** File of the alignments, one of each network. */
export const UNIVERSE_FILE = "universe.json";

const { many, restarts } = MANY_FIELDS;

const PARAMS = z.strictObject({
  ...shapeOfFields({ many, restarts }, ["many", "restarts"]),
  reference: count(0),
  seed,
}) as z.ZodType as z.ZodType<MatchNetworksParams>;

/**
 * Task that matches any number of networks to each other, and proves that each still computes the same
 * function. It goes on from the journal that an interrupted run left.
 */
export const matchNetworks: StudyTaskKind<MatchNetworksParams> = {
  name: "match",
  version: 1,
  ...takesParams("match", PARAMS),
  async run({ engine, folder, signal, onProgress }, { many, reference, restarts, seed }, inputs) {
    const { graph, networks, close } = await openNetworks(inputs, pathsOf(inputs, "networks"), engine);
    const journalPath = join(folder, "journal.json");
    try {
      // The folder is of this task alone, so that nothing else can have begun the journal.
      const journal = await openJournal(journalPath, { many, reference, restarts, seed });
      const { match, aligned, symmetries } = await alignMany({ graph, engine }, networks, {
        many,
        reference,
        restarts,
        seed,
        journal,
        signal,
        onProgress: ({ done }) => onProgress(done),
      });
      const alignments = aligned.map(({ alignment }) => encodeAlignment(wholeSpec(symmetries), alignment));
      await saveFile(join(folder, UNIVERSE_FILE), JSON.stringify(alignments));
      await rm(journalPath, { force: true });
      // The limit is of the objective that was searched, which is the scaled one.
      const { scaledObjective: objective, limit } = match;
      return {
        kind: "match",
        many: match.many,
        networks: networks.length,
        reference,
        objective,
        limit,
        seed,
      };
    } finally {
      await close();
    }
  },
};
