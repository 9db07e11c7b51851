export {
  type BuiltInMeasurement,
  listAddedMeasurements,
  listMeasurements,
  loadMeasurement,
  loadMeasurements,
} from "./measurements.ts";
