export { addMaker } from "./add-maker.ts";
export { addMeasurement } from "./add-measurement.ts";
export type { TakenNames } from "./taken-names.ts";
export { type UseOptions, useMeasurements } from "./use-measurements.ts";
