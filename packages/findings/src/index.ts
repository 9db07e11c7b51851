export type {
  AnyMeasurement,
  CompletedBy,
  Control,
  ExamplesBeside,
  MeasuredResult,
  Measurement,
  MeasurementEntry,
  NamedSubject,
  OpenedSubject,
  SubjectName,
  Subjects,
} from "./measurement/measurement.ts";
