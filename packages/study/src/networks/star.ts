import { at, excerpt, InputError, resolveOptions } from "@isthmus/core";
import type { DataSet, Graph } from "@isthmus/graph";
import { findStar, STAR_SEARCH_FIELDS, type StarSearchChoice } from "@isthmus/star-domain";
import { discoverSymmetries } from "@isthmus/symmetry";
import { pathsOf } from "@isthmus/tasks";
import { chooseTrainOptions, TRAIN_DEFAULTS } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import * as z from "zod";
import type { WantedValues } from "../description/wanted-values.ts";
import { NAMED_DATA } from "../file/entry-fields.ts";
import { sourceOf } from "../plan/planned-network.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import type { TaskData, TaskNetwork } from "../tasks/task-kind.ts";
import { TASK_DATA, TASK_NETWORK } from "../tasks/task-schema.ts";
import { keyedOf } from "./derive-network.ts";
import type { GroupMaker } from "./group-maker.ts";
import { makingTask } from "./making-task.ts";
import {
  RUN_SHAPE,
  STEPS_SHAPE,
  type StepsChoice,
  TRAINING_PARAMS_SHAPE,
  type TrainingParams,
} from "./training-shape.ts";

/** A star of other networks, to be found; options that are missing have the defaults of `findStar`. */
export interface StarNetwork extends StarSearchChoice, StepsChoice {
  /**
   * Name of the group of its anchors, which must come before it: the anchors are the networks of the group
   * that agree with the star in all variables that both have.
   */
  readonly star: string;
  /** Only anchors whose variables have these values. */
  readonly where?: WantedValues;
  /**
   * Short string of the network whose random weights, by the seed, the star starts from.
   * @defaultValue the star starts from the anchors' mean
   */
  readonly net?: string;
  /** Name of the examples to train on. */
  readonly data: string;
  /** Seed of the random weights, the order of examples and the places on rays. */
  readonly seed: number;
  /** Times each example is seen. */
  readonly epochs: number;
}

/** Parameters of a task that finds a star. */
interface StarParams {
  readonly data: TaskData;
  /** The network whose random weights it starts from; missing if it starts from the anchors' mean. */
  readonly start?: TaskNetwork;
  readonly options: TrainingParams & StarSearchChoice;
}

/** File of the star's weights. */
const STAR_FILE = "star.safetensors";

const TASK = makingTask<StarParams>({
  name: "star",
  version: 1,
  params: z.strictObject({
    data: TASK_DATA,
    start: TASK_NETWORK.optional(),
    options: z.strictObject({ ...TRAINING_PARAMS_SHAPE, ...shapeOfFields(STAR_SEARCH_FIELDS) }),
  }),
  async make(making, { data: { name }, start, options }) {
    const { inputs, signal, onProgress } = making;
    const { architecture, inputNames, networks } = await making.open(pathsOf(inputs, "anchors"));
    const data = await making.openData(name, start === undefined ? inputNames : []);
    const symmetries = await discoverSymmetries(architecture, { signal });
    const anchors = networks.map(({ network }) => network);
    const { star, result } = await findStar({ ...architecture, symmetries }, anchors, data, {
      start: start === undefined ? undefined : parseNetwork(start.net, data).initialize(options.seed),
      ...options,
      ...making.resuming,
      onProgress: (progress) => {
        // Alignments come between steps: they are part of the epoch that follows.
        if ("steps" in progress) onProgress(progress.step / progress.steps);
      },
    });
    await making.save(STAR_FILE, at(networks, 0, "anchor").restore(star));
    const { seed, steps, batch, epochs, tried } = result;
    return { anchors: anchors.length, seed, steps, batch, epochs, ...(tried && { tried }) };
  },
});

/** Maker of a star of networks. */
export const STAR: GroupMaker<"all", StarNetwork, StarSearchChoice> = {
  key: "star",
  from: "all",
  options: STAR_SEARCH_FIELDS,
  beside: { ...RUN_SHAPE, ...STEPS_SHAPE, data: NAMED_DATA, net: z.string().optional() },
  task: TASK,
  async plan({ group, entry, start: anchors, variables, planner }) {
    const [first] = anchors;
    if (first === undefined || anchors.length < 2) {
      throw new InputError(
        `Cannot plan "networks.${group}" of the study as a star must have two anchors or more: of "${entry.star}" ${anchors.length} agree with ${excerpt(variables, 200)}`,
        { input: group },
      );
    }
    const { data, description } = await planner.open(entry.data);
    const built =
      entry.net === undefined ? undefined : await planner.build(entry.net, entry.data, entry.seed);
    const values = Object.entries(variables).map((pair) => pair.join(" "));
    const label = [`star of ${anchors.length} ${entry.star}`, ...values].join(", ");
    const { key } = planner.add(TASK, {
      params: {
        data: description,
        ...(built !== undefined && { start: built.params.network }),
        options: optionsOf(entry, first.architecture, data),
      },
      inputs: {
        graph: [first.graph],
        anchors: anchors.map(({ weights }) => weights),
        ...sourceOf(anchors),
      },
      label: `find the ${label}`,
    });
    const { rewinds: _, ...like } = first;
    return [{ ...like, variables, label, trainedOn: entry.data, weights: { task: key, file: STAR_FILE } }];
  },
};

/** Lists every option that decides the bytes of the star, defaults included. */
function optionsOf(
  { star: _, where: __, net: ___, data: ____, ...settings }: StarNetwork,
  graph: Graph,
  data: DataSet,
): StarParams["options"] {
  const { epochs, remainder, optimizer } = TRAIN_DEFAULTS;
  const chosen = chooseTrainOptions({ graph, data }, settings);
  const usual = { seed: settings.seed, epochs, remainder, optimizer, ...chosen };
  const training = { epochs: settings.epochs, optimizer: settings.optimizer, ...chosen };
  return {
    ...resolveOptions("find a star", usual, training),
    ...keyedOf(STAR_SEARCH_FIELDS, settings),
  };
}
