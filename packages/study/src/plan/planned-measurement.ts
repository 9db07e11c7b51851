import type { Variables } from "@isthmus/forms";
import type { Planner } from "./planner.ts";
import type { PlannedGroups } from "./select-networks.ts";

/** A result of a measurement, which exists once its task is done. */
export interface PlannedMeasurement {
  /** Variables of the measurement and of the networks that it measures. */
  readonly variables: Variables;
  /** Key of the task. */
  readonly task: string;
}

/** Variables, networks and planner that a measurement is planned with. */
export interface MeasurementContext {
  /** Variables of the measurement itself. */
  readonly variables: Variables;
  /** Networks of the groups that are planned already. */
  readonly groups: PlannedGroups;
  /** Planner that collects the tasks of the study. */
  readonly planner: Planner;
}
