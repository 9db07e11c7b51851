import type { FuzzTarget } from "./target.ts";
import { createAdapterTarget } from "./targets/adapters.ts";
import { createIdxTarget, createNpyTarget, createNpzTarget, createTextTarget } from "./targets/arrays.ts";
import {
  createCifarTarget,
  createCsvTarget,
  createParquetTarget,
  createPicturesTarget,
} from "./targets/data-sets.ts";
import { createGgufTarget, createNpzCheckpointTarget, createOnnxWeightsTarget } from "./targets/formats.ts";
import {
  createGgufAdapterTarget,
  createGgufShardsTarget,
  createImportanceTarget,
} from "./targets/gguf-files.ts";
import { createHubListingTarget } from "./targets/hub-listing.ts";
import { createLayersModelTarget } from "./targets/layers-model.ts";
import { createLayoutTarget } from "./targets/layouts.ts";
import { createMixtureTarget } from "./targets/mixtures.ts";
import { createModelConfigTarget } from "./targets/model-config.ts";
import { createModelDirectoryTarget } from "./targets/model-directory.ts";
import { createOnnxSymmetriesTarget, createOnnxTarget } from "./targets/onnx.ts";
import { createQuantizedTarget, createScaledTarget } from "./targets/quantized.ts";
import { createJournalTarget, createResultTarget } from "./targets/results.ts";
import { createSafetensorsTarget } from "./targets/safetensors.ts";
import { createShardsTarget } from "./targets/shards.ts";
import { createStudyTarget } from "./targets/study.ts";
import { createAlignmentTarget, createSpecTarget } from "./targets/symmetry-files.ts";
import { createTorchLegacyTarget, createTorchZipTarget } from "./targets/torch.ts";
import {
  createDcpTarget,
  createKerasAndFlaxTarget,
  createOrbaxTarget,
  createZeroTarget,
} from "./targets/training-runs.ts";

/** A target, and how many of all inputs it gets. */
export interface TargetEntry {
  /** In proportion to the others: readers that take long get fewer. */
  readonly share: number;
  readonly create: () => FuzzTarget | Promise<FuzzTarget>;
}

/** All readers that take files from outside, by name. */
export const TARGETS: Readonly<Record<string, TargetEntry>> = {
  safetensors: { share: 12, create: createSafetensorsTarget },
  shards: { share: 6, create: createShardsTarget },
  "torch zip": { share: 12, create: createTorchZipTarget },
  "torch legacy": { share: 12, create: createTorchLegacyTarget },
  "npz checkpoint": { share: 10, create: createNpzCheckpointTarget },
  gguf: { share: 10, create: createGgufTarget },
  "gguf shards": { share: 4, create: createGgufShardsTarget },
  importance: { share: 3, create: createImportanceTarget },
  "gguf adapter": { share: 3, create: createGgufAdapterTarget },
  "onnx weights": { share: 10, create: createOnnxWeightsTarget },
  "quantised weights": { share: 6, create: createQuantizedTarget },
  "scaled floats": { share: 6, create: createScaledTarget },
  "distributed checkpoint": { share: 6, create: createDcpTarget },
  zero: { share: 4, create: createZeroTarget },
  orbax: { share: 6, create: createOrbaxTarget },
  "keras and flax": { share: 10, create: createKerasAndFlaxTarget },
  "layers model": { share: 8, create: createLayersModelTarget },
  layout: { share: 0.8, create: createLayoutTarget },
  adapter: { share: 6, create: createAdapterTarget },
  mixture: { share: 2, create: createMixtureTarget },
  "model config": { share: 4, create: createModelConfigTarget },
  "model directory": { share: 2, create: createModelDirectoryTarget },
  onnx: { share: 6, create: createOnnxTarget },
  "onnx symmetries": { share: 0.7, create: createOnnxSymmetriesTarget },
  idx: { share: 9, create: createIdxTarget },
  npy: { share: 9, create: createNpyTarget },
  npz: { share: 10, create: createNpzTarget },
  text: { share: 4, create: createTextTarget },
  cifar: { share: 3, create: createCifarTarget },
  pictures: { share: 6, create: createPicturesTarget },
  parquet: { share: 6, create: createParquetTarget },
  csv: { share: 4, create: createCsvTarget },
  alignment: { share: 3, create: createAlignmentTarget },
  "symmetry spec": { share: 5, create: createSpecTarget },
  study: { share: 0.8, create: createStudyTarget },
  result: { share: 0.8, create: createResultTarget },
  journal: { share: 4, create: createJournalTarget },
  "hub listing": { share: 4, create: createHubListingTarget },
};
