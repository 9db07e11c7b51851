import { excerpt, InputError, resolveOptions } from "@isthmus/core";
import type { DataSet, Graph } from "@isthmus/graph";
import { FIND_STAR_DEFAULTS } from "@isthmus/star-domain";
import { chooseTrainOptions, TRAIN_DEFAULTS } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import type { StarNetwork } from "../description/study-description.ts";
import type { Unfolded } from "../description/unfold.ts";
import { type FindStarNetworkParams, findStarNetwork, STAR_FILE } from "../tasks/find-star-network.ts";
import { describeNetwork } from "./describe-network.ts";
import type { PlannedNetwork } from "./planned-network.ts";
import type { Planner } from "./planner.ts";
import { agree } from "./select-pairs.ts";

/**
 * Plans the search for a star.
 * @param anchors - the networks of the group that its anchors are taken from
 * @throws InputError if fewer than two anchors have the star's values of variables
 */
export async function planStar(
  group: string,
  { variables, entry }: Unfolded<StarNetwork>,
  { anchors, planner }: { readonly anchors: readonly PlannedNetwork[]; readonly planner: Planner },
): Promise<PlannedNetwork> {
  const agreeing = anchors.filter((anchor) => agree(variables, anchor.variables));
  const [first] = agreeing;
  if (first === undefined || agreeing.length < 2) {
    throw new InputError(
      `Cannot plan "networks.${group}" of the study as a star must have two anchors or more: of "${entry.star}" ${agreeing.length} agree with ${excerpt(variables, 200)}`,
      { input: group },
    );
  }
  const { data, description } = await planner.open(entry.data);
  const start =
    entry.net === undefined ? undefined : await describeNetwork(parseNetwork(entry.net, data), entry.seed);
  const label = [
    `star of ${agreeing.length} ${entry.star}`,
    ...Object.entries(variables).map((pair) => pair.join(" ")),
  ].join(", ");
  const params: FindStarNetworkParams = {
    data: description,
    ...(start !== undefined && { start }),
    options: optionsOf(entry, first.architecture, data),
  };
  const { key } = planner.add(findStarNetwork, {
    params,
    inputs: {
      graph: [first.graph],
      anchors: agreeing.map(({ weights }) => weights),
      ...(first.exportedFrom !== undefined && { exportedFrom: [first.exportedFrom] }),
    },
    label: `find the ${label}`,
  });
  return { ...first, variables, label, weights: { task: key, file: STAR_FILE } };
}

/** Lists every option that decides the bytes, defaults included. */
function optionsOf(
  { star: _, net: __, data: ___, ...settings }: StarNetwork,
  graph: Graph,
  data: DataSet,
): FindStarNetworkParams["options"] {
  const { epochs, remainder, optimizer } = TRAIN_DEFAULTS;
  const chosen = chooseTrainOptions({ graph, data }, settings);
  const { rays, alignEvery, restarts, statisticsExamples } = FIND_STAR_DEFAULTS;
  const training = { epochs, remainder, optimizer, ...chosen };
  const search = { rays, alignEvery, restarts, statisticsExamples };
  return resolveOptions("find a star", { seed: 0, ...training, ...search }, { ...settings, ...chosen });
}
