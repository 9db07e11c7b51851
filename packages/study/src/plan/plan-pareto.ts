import { resolveFields } from "@isthmus/core";
import { PAIR_IMAGES_FIELDS, pairImages } from "@isthmus/data";
import { PARETO_FIELDS } from "@isthmus/ensemble";
import { chooseBatch, TRAIN_DEFAULTS } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import type { ParetoMeasurement } from "../description/pareto-measurement.ts";
import { keyedOptions } from "../measurement/entry-params.ts";
import { measurePareto } from "../tasks/measure-pareto.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";
import { describeNetwork } from "./planner.ts";

/**
 * Plans the measurement of a front, which trains its networks itself.
 * @throws InputError if the network cannot be built for its data, or these are no images
 */
export async function planPareto(
  entry: ParetoMeasurement,
  { planner, variables }: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const { net, data: name, testData, seed, epochs } = entry;
  const { optimizer = TRAIN_DEFAULTS.optimizer, schedule } = entry;
  const { layout } = resolveFields(
    "plan fronts",
    { layout: PAIR_IMAGES_FIELDS.layout },
    { layout: entry.layout },
  );
  const { data, description } = await planner.open(name);
  const { description: tested } = await planner.open(testData);
  const pairs = pairImages(data, { layout, seed: planner.seed });
  const network = parseNetwork(net, { ...pairs, classes: 2 * pairs.classes });
  const batch = chooseBatch(network.graph, entry.batch, { size: pairs.size });
  const { key } = planner.add(measurePareto, {
    params: {
      network: await describeNetwork(network, 2 * seed),
      data: description,
      testData: tested,
      layout,
      pairs: planner.seed,
      options: {
        ...{ seed, epochs, batch, optimizer, schedule: schedule ?? TRAIN_DEFAULTS.schedule },
        ...keyedOptions(PARETO_FIELDS, new Map(Object.entries(entry))),
      },
    },
    inputs: {},
    label: `fronts of ${network.spec} seed ${seed}`,
  });
  return [{ variables, task: key }];
}
