import type { ResolvedOf } from "@isthmus/core";
import { defineNetworkMaker, type NetworkMaker } from "@isthmus/findings";
import { tuneByConnectivity } from "./tune-by-connectivity.ts";
import { CONNECTIVITY_FIELDS, type ConnectivityRules } from "./tune-options.ts";

/** Kind of networks that are trained further so that they no longer use a cue; entries of studies use it. */
export const CONNECTIVITY_TUNING: NetworkMaker<ConnectivityRules, "data" | "cue"> = defineNetworkMaker({
  name: "tune-by-connectivity",
  summary: "Train a network on so that it uses a cue no longer",
  from: "network",
  attempt: "tune by connectivity",
  does: "train",
  needsGraph: true,
  resumes: true,
  options: CONNECTIVITY_FIELDS,
  examples: {
    data: { help: "few examples without the cue", isTrainedOn: true },
    cue: { help: "examples with the cue" },
  },
  labelOf: (_, { data }) => `then ${data} by cbft`,
  async make(
    { network, architecture, examples: { data, cue } },
    rules: ResolvedOf<ConnectivityRules>,
    control,
  ) {
    const { weights, steps, gradients, epochs } = await tuneByConnectivity(
      architecture,
      network,
      { clean: data, cue },
      {
        ...rules,
        ...control.resuming,
        onProgress: ({ done }) => control.report("Tuning", done),
      },
    );
    return { weights, result: { data: data.name, seed: rules.seed, steps, gradients, epochs } };
  },
});
