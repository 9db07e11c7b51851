export { addMeasurement, type TakenNames } from "./add-measurement.ts";
export { type UseOptions, useMeasurements } from "./use-measurements.ts";
