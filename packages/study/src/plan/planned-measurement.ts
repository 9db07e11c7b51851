import type { Variables } from "@isthmus/forms";
import type { FindNetworks } from "./network-cells.ts";
import type { Planner } from "./planner.ts";

/** A result that will be there once its task is done. */
export interface PlannedMeasurement {
  readonly variables: Variables;
  /** Key of the task. */
  readonly task: string;
}

/** What a measurement is planned with. */
export interface MeasurementContext {
  /** Variables of the measurement itself. */
  readonly variables: Variables;
  /**
   * Returns the networks of a group.
   * @throws InputError if there is no group of that name
   */
  readonly networks: FindNetworks;
  readonly planner: Planner;
}
