import { at } from "@isthmus/core";
import { pathOf, pathsOf } from "@isthmus/tasks";
import type { PairSelection } from "../../description/pair-selection.ts";
import { PAIR_SELECTION } from "../../schema/pair-selection.ts";
import { withNetworks } from "../open-shared.ts";
import type { SubjectForm } from "../subject-form.ts";
import { GROUP_SELECTION, NETWORK_FORM, type NetworkSelection, planEachNetwork } from "./network.ts";
import { CELL_OF_GROUP, type CellOfGroup, NETWORKS_FORM, nameInOrder, planCells } from "./networks.ts";
import { PAIR_FORM, planPairs, withTwo } from "./pair.ts";

const { statisticsData: _, batchSize: __, ...selection } = PAIR_SELECTION;

/** Way in which studies select and open one network whose weights alone are read. */
export const WEIGHTS_FORM: SubjectForm<"weights", NetworkSelection> = {
  selection: GROUP_SELECTION,
  params: {},
  isOfWeights: true,
  paths: NETWORK_FORM.paths,
  plan: (planned) => planEachNetwork(planned),
  open: (opening, work) =>
    withNetworks(opening, [pathOf(opening.inputs, "network")], (opened) =>
      work({ network: at(opened, 0, "network") }),
    ),
};

/** Way in which studies select and open two networks whose weights alone are read. */
export const WEIGHTS_OF_PAIR_FORM: SubjectForm<"weights-of-pair", PairSelection> = {
  selection,
  params: {},
  isOfWeights: true,
  paths: PAIR_FORM.paths,
  plan: planPairs,
  open: (opening, work) => withTwo(opening, ({ graph: ___, ...pair }) => work(pair)),
};

/** Way in which studies select and open several networks whose weights alone are read. */
export const WEIGHTS_OF_NETWORKS_FORM: SubjectForm<"weights-of-networks", CellOfGroup> = {
  selection: CELL_OF_GROUP,
  params: {},
  isOfWeights: true,
  paths: NETWORKS_FORM.paths,
  plan: planCells,
  open: (opening, work) =>
    withNetworks(opening, pathsOf(opening.inputs, "networks"), (opened) =>
      work({ networks: nameInOrder(opened) }),
    ),
};
