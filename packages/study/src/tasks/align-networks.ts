import { at, InvariantError, saveFile } from "@isthmus/core";
import { schemaOf, seed, takesParams, tries } from "@isthmus/forms";
import type { Graph } from "@isthmus/graph";
import { join } from "@isthmus/platform";
import { encodeAlignment, wholeSpec } from "@isthmus/symmetry";
import {
  ACTIVATIONS_FIELDS,
  type ActivationsChoice,
  type AlignOptions,
  align,
  type MatchResult,
} from "@isthmus/weight-matching";
import * as z from "zod";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import { openPair } from "./open-pair.ts";
import type { StudyPorts, StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** Parameters of a task that puts the units of a network in the order of another. */
export type AlignNetworksParams =
  | { readonly method: "weight"; readonly seed: number; readonly restarts: number }
  | {
      /** Method of the matching: by the activations of both networks. */
      readonly method: "activation";
      /** Seed of the matching, and of the proof. */
      readonly seed: number;
      /** Examples on which activations are compared. */
      readonly data: TaskData;
      /** Options of the comparison of activations. */
      readonly options: ActivationsChoice;
    };

/** File of the alignment. */
export const ALIGNMENT_FILE = "alignment.json";

const options = z.strictObject(
  shapeOfFields(ACTIVATIONS_FIELDS),
) as z.ZodType as z.ZodType<ActivationsChoice>;

const PARAMS = schemaOf<AlignNetworksParams>()(
  z.discriminatedUnion("method", [
    z.strictObject({ method: z.literal("weight"), seed, restarts: tries(1) }),
    z.strictObject({ method: z.literal("activation"), seed, data: TASK_DATA, options }),
  ]),
);

/**
 * Task that permutes network `b` to match network `a`, and proves that it still computes the same function.
 */
export const alignNetworks: StudyTaskKind<AlignNetworksParams> = {
  name: "align",
  version: 1,
  ...takesParams("align", PARAMS),
  async run({ engine, openData, folder, signal, onProgress }, params, inputs) {
    const { networks, close } = await openPair(inputs, engine, signal);
    try {
      const { graph, a, b } = networks;
      const { aligned, symmetries } = await align({ graph, engine }, [a, b], {
        ...(await matchingOf(params, graph, openData)),
        signal,
        onProgress: ({ done }) => onProgress(done),
      });
      const { match } = at(aligned, 0, "aligned network");
      await saveFile(
        join(folder, ALIGNMENT_FILE),
        JSON.stringify(encodeAlignment(wholeSpec(symmetries), match.alignment)),
      );
      return { kind: "align", ...summarize(match), seed: params.seed };
    } finally {
      await close();
    }
  },
};

async function matchingOf(
  params: AlignNetworksParams,
  graph: Graph,
  openData: StudyPorts["openData"],
): Promise<AlignOptions> {
  if (params.method === "weight") return params;
  const { method, seed, data, options } = params;
  const inputNames = graph.inputs.map(({ name }) => name);
  return { method, seed, data: await openData(data.name, inputNames), ...options };
}

function summarize(match: MatchResult): object {
  if (match.method === "weight") {
    const { objective, bound, sweeps, status } = match;
    return { objective, bound, sweeps, status };
  }
  if (match.method === "activation") {
    const { method, objective, examples } = match;
    return { method, objective, examples };
  }
  throw new InvariantError(`Networks were matched by ${match.method}, which a study does not ask for`);
}
