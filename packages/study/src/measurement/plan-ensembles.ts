import { InputError } from "@isthmus/core";
import type { AnyMeasurement } from "@isthmus/findings";
import { gatherCells, type NetworkCell, selectNetworks } from "../plan/network-cells.ts";
import type { MeasurementContext, PlannedMeasurement } from "../plan/planned-measurement.ts";
import { filesOfAll, type PlannedNetwork } from "../plan/planned-network.ts";
import { agree } from "../plan/select-pairs.ts";
import type { EnsembleSelection } from "./ensemble-selection.ts";
import type { AnyEntry } from "./entry.ts";
import { architecturesOf, dataOpener, paramsOf } from "./entry-params.ts";
import { measurementTask } from "./measurement-task.ts";

/**
 * Plans the measurement of ensembles: one for the networks that differ in one variable only.
 * @throws InputError if there are none, a star is missing, or data do not fit them
 */
export async function planEnsembles(
  measurement: AnyMeasurement,
  entry: AnyEntry & EnsembleSelection,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const { planner, variables } = context;
  const { of, where, across = "seed", others = [], star: stars } = entry;
  const cells = gatherCells(of, selectNetworks(context.networks, of, where), across);
  const planned = { entry, architectures: architecturesOf(cells), planner };
  const open = dataOpener(measurement, planned);
  const params = {
    ...(await paramsOf(measurement, planned)),
    others: await Promise.all(others.map(open)),
  };
  const kind = measurementTask(measurement);
  return cells.map((cell) => {
    const networks = cell.members.map(({ network }) => network);
    const star = stars === undefined ? undefined : findStar(stars, cell, context);
    const { key } = planner.add(kind, {
      params,
      inputs: { ...filesOfAll(networks), ...(star && { star: [star.weights] }) },
      label: `${measurement.attempt} of ${networks.length} ${of}, ${entry.data}`,
    });
    return { variables: { ...cell.variables, ...variables }, task: key };
  });
}

/** Finds the star of a group that agrees with a cell. */
function findStar(
  group: string,
  { variables }: NetworkCell,
  { networks }: MeasurementContext,
): PlannedNetwork {
  const stars = networks(group).filter((star) => agree(star.variables, variables));
  const [star] = stars;
  if (star !== undefined && stars.length === 1) return star;
  throw new InputError(
    `Cannot plan the study as one network "${group}" must agree with the networks of each ensemble: ${stars.length} do`,
    { input: group },
  );
}
