export { PAIRS } from "./array-objective.ts";
export { type Counterfactual, counterfactuals } from "./counterfactuals.ts";
export { type CreateDataSetOptions, createDataSet } from "./create-data-set.ts";
export { type CreateTextDataSetOptions, createTextDataSet } from "./create-text-data-set.ts";
export { type CreateTokenDataSetOptions, createTokenDataSet, type Tokens } from "./create-token-data-set.ts";
export {
  CUE_KINDS,
  type CueKind,
  type CueVariant,
  PLANT_CUE_DEFAULTS,
  type PlantCueOptions,
} from "./cue-options.ts";
export { findSplits, mayBeText } from "./describe-name.ts";
export { joinExamples } from "./join-examples.ts";
export { type DataSetPath, listDataFiles, moveDataFiles } from "./list-data-files.ts";

export { NOISE_TARGETS, type NoiseObjective } from "./noise-objective.ts";
export { NOISE_SCHEDULE_DEFAULTS, NOISE_SCHEDULES } from "./noise-schedule.ts";
export type { OpenDataSetOptions } from "./open-data-options.ts";
export { openDataSet } from "./open-data-set.ts";
export { openTrainingSplit } from "./open-training-split.ts";
export {
  PAIR_IMAGES_FIELDS,
  PAIR_TASKS,
  type PairImagesOptions,
  type PairLayout,
  pairImages,
} from "./pair-images.ts";
export { CUE_FORM } from "./parse-cue.ts";
export { DATA_SET_FORMS } from "./parse-data-set-name.ts";
export { plantCue } from "./plant-cue.ts";
export { decodeIdx, readIdx } from "./read-idx.ts";
export { readNpy } from "./read-npy.ts";
export { type Npz, openNpz, readNpz } from "./read-npz.ts";
export {
  CIFAR10_SCALING,
  CIFAR100_SCALING,
  FASHION_MNIST_SCALING,
  MNIST_SCALING,
  UNIT_SCALING,
} from "./scaling.ts";
export { type SharedExamples, sharedExamples } from "./shared-examples.ts";
export { shuffleLabels } from "./shuffle-labels.ts";
export { type DataSetNameParts, splitDataSetName } from "./split-data-set-name.ts";
export type { Split, TextSplit } from "./splits.ts";
export type { TextObjective } from "./text-objective.ts";
