import { InputError } from "@isthmus/core";
import type { Task } from "@isthmus/tasks";
import { assertTables } from "../collect/assert-tables.ts";
import { assertStudySize } from "../description/assert-study-size.ts";
import type { MeasurementDescription, StudyDescription } from "../description/study-description.ts";
import { unfold } from "../description/unfold.ts";
import { type PlannedMeasurement, planMeasurement } from "./plan-measurement.ts";
import { planNetworks } from "./plan-networks.ts";
import type { PlannedNetwork } from "./planned-network.ts";
import { Planner, type PlanPorts } from "./planner.ts";
import type { FindNetworks } from "./select-pairs.ts";

/** All work of a study. */
export interface StudyPlan {
  /** Each once, and after the tasks it depends on. */
  readonly tasks: readonly Task[];
  /** Results that tables are made of, by name of the measurement. */
  readonly measurements: Readonly<Record<string, readonly PlannedMeasurement[]>>;
}

/**
 * Plans a study: turns its description into tasks, whose keys say all that their results depend on. A change
 * of the description changes the keys of what depends on it, and of nothing else; the order of keys in the
 * description changes none.
 *
 * Examples are opened and read once, and networks are built, so that what does not fit is found before
 * anything is run.
 * @throws InputError if the description contradicts itself, names what is not there, is of more than a study
 *   may have, or data do not fit
 * @throws MismatchError, FormatError or OutOfRangeError of what it names
 */
export async function planStudy(description: StudyDescription, ports: PlanPorts): Promise<StudyPlan> {
  assertStudySize(description);
  const planner = new Planner(ports, description.seed ?? 0);
  const groups = new Map<string, readonly PlannedNetwork[]>();
  const find: FindNetworks = (group) => {
    const networks = groups.get(group);
    if (networks !== undefined) return networks;
    throw new InputError(
      `Cannot plan the study as there must be networks "${group}": there are ${[...groups.keys()].join(", ") || "none"}`,
      { input: group },
    );
  };
  for (const [name, repeated] of Object.entries(description.networks)) {
    groups.set(name, await planNetworks(name, repeated, { find, planner }));
  }
  const measurements: Record<string, readonly PlannedMeasurement[]> = {};
  for (const [name, repeated] of Object.entries(description.measurements)) {
    const planned: PlannedMeasurement[] = [];
    for (const { variables, entry } of unfold<MeasurementDescription>(`measurements.${name}`, repeated)) {
      planned.push(...(await planMeasurement(entry, { variables, networks: find, planner })));
    }
    measurements[name] = planned;
  }
  assertTables(description, measurements);
  return { tasks: planner.tasks, measurements };
}
