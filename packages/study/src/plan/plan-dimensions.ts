import { at } from "@isthmus/core";
import { assertDataFits, fingerprintGraph, fingerprintWeights } from "@isthmus/graph";
import { DIMENSION_SEARCH_FIELDS, MEASURE_INTRINSIC_DIMENSION_DEFAULTS } from "@isthmus/subspace";
import { chooseTrainOptions } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import type { IntrinsicDimensionMeasurement } from "../description/dimension-measurement.ts";
import { keyedOptions } from "../measurement/entry-params.ts";
import { measureDimension } from "../tasks/measure-dimension.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";

/**
 * Plans the search for a subspace: one task, which trains all networks that it needs.
 * @throws InputError if the network cannot be built for the examples, or the data do not fit it
 */
export async function planDimensions(
  { kind: _, net, trainOn, data: evaluated, labels = "given", ...chosen }: IntrinsicDimensionMeasurement,
  { planner, variables }: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const training = await planner.open(trainOn);
  const evaluation = await planner.open(evaluated);
  const { graph, initialize } = parseNetwork(net, training.data);
  assertDataFits("measure", graph, evaluation.data, 1);
  const { seeds, epochs, optimizer } = {
    ...MEASURE_INTRINSIC_DIMENSION_DEFAULTS,
    ...chosen,
  };
  const { batch, loss } = chooseTrainOptions(
    { graph, data: training.data },
    { batch: chosen.batch, optimizer },
  );
  const weights = await fingerprintWeights(graph, initialize(at(seeds, 0, "seed")));
  const { key } = planner.add(measureDimension, {
    params: {
      network: { net, graph: fingerprintGraph(graph), weights },
      data: evaluation.description,
      trainingData: training.description,
      ...{ labels, seed: planner.seed },
      options: {
        ...chosen,
        ...keyedOptions(DIMENSION_SEARCH_FIELDS, new Map(Object.entries(chosen))),
        ...{ seeds, epochs, optimizer, batch, loss },
      },
    },
    inputs: {},
    label: `intrinsic dimension of ${net}, ${trainOn}, ${labels} labels`,
  });
  return [{ variables, task: key }];
}
