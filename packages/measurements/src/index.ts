export {
  type BuiltInMeasurement,
  listMeasurements,
  loadMeasurement,
  loadMeasurements,
} from "./measurements.ts";
