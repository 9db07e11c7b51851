export {
  type AnyMeasureOptions,
  type MeasureControl,
  type Measured,
  type MeasureOptions,
  measure,
} from "./measure.ts";
export { flagOfBeside, listBeside } from "./open-beside.ts";
export type { Opened } from "./opened.ts";
export type { PairAlignment, PairOnSetsOptions, TrainingSubjectOptions } from "./subject-options.ts";
export { type Pair, withPair } from "./with-pair.ts";
export { type StarOptions, type StarSubject, withStar } from "./with-star.ts";
export { withSubject } from "./with-subject.ts";
