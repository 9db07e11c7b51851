export { listAddedMakers } from "./added-makers.ts";
export {
  type BuiltInMeasurement,
  listAddedMeasurements,
  listMeasurements,
  loadMeasurement,
  loadMeasurements,
} from "./measurements.ts";
