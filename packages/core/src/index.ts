export { peakMemory } from "@isthmus/platform";
export { adviseOnExperts } from "./checkpoint/advise-on-experts.ts";
export { assertCheckpoint } from "./checkpoint/assert-checkpoint.ts";
export type { Checkpoint } from "./checkpoint/checkpoint.ts";
export {
  assertSameStructure,
  type CheckpointComparison,
  compareCheckpoints,
  type TensorDifference,
} from "./checkpoint/compare-checkpoints.ts";
export {
  type ComposeCheckpointOptions,
  composeCheckpoint,
  type TensorPlace,
} from "./checkpoint/compose-checkpoint.ts";
export { createCheckpoint } from "./checkpoint/create-checkpoint.ts";
export { type CheckpointDefinition, defineCheckpoint } from "./checkpoint/define-checkpoint.ts";
export {
  compareTensors,
  hashTensor,
  measureTensor,
  type TensorStatistics,
  type ValueDifference,
} from "./checkpoint/describe-values.ts";
export {
  assertFiniteTensors,
  countNonFinite,
  formatNonFinite,
  type NonFiniteCount,
} from "./checkpoint/non-finite.ts";
export { withTensors } from "./checkpoint/with-tensors.ts";
export { closestName } from "./closest-name.ts";
export {
  type ConvertCheckpointOptions,
  convertCheckpoint,
  WRITTEN_FORMATS,
  type WrittenFormat,
} from "./convert-checkpoint.ts";
export {
  DivergenceError,
  EngineError,
  ERROR_CLASSES,
  FormatError,
  InputError,
  IsthmusError,
  type IsthmusErrorTag,
  isIsthmusError,
  isUsageError,
  MismatchError,
  OutOfRangeError,
  UnsupportedError,
  UsageError,
} from "./errors.ts";
export { expandPaths, noteTwice } from "./expand-paths.ts";
export type {
  AnyField,
  DefaultedField,
  Field,
  FieldsOf,
  Form,
  Keyed,
  NumberForm,
  ValuesOf,
} from "./fields/field.ts";
export { findMisfit, type Misfit } from "./fields/form.ts";
export {
  BATCH_SIZE_FIELD,
  bytesField,
  choiceField,
  examplesField,
  fieldOf,
  flagField,
  groupField,
  listField,
  namesField,
  numberField,
  numberForm,
  placesField,
  rangeField,
  type Said,
  seedField,
  textField,
  triesField,
  wholeField,
} from "./fields/make-fields.ts";
export { readBytes } from "./fields/read-bytes.ts";
export { assertTogether, defaultsOf, type ResolvedOf, resolveFields } from "./fields/resolve-fields.ts";
export { recognizeFile } from "./formats/detect-format.ts";
export { encodedTogether, writeEncodedRange } from "./formats/gguf/gguf-encoder.ts";
export { GGUF_ENCODINGS, type GgufEncoding, isGgufEncoding } from "./formats/gguf/gguf-encodings.ts";
export { type GgufFormOptions, ggufForm } from "./formats/gguf/gguf-form.ts";
export { hasGgufMetadata } from "./formats/gguf/gguf-metadata.ts";
export { setEntries } from "./formats/gguf/metadata-types.ts";
export { type Importance, readImportance } from "./formats/gguf/read-importance.ts";
export { assertGgufFloat } from "./formats/gguf/write-gguf.ts";
export { type ModelJson, readModelJson } from "./formats/layers-model/read-model-json.ts";
export { decodeNpy } from "./formats/npz/decode-npy.ts";
export {
  decodeNumpyPickle,
  type PickledArray,
  type PickledValue,
} from "./formats/numpy-pickle/decode-numpy-pickle.ts";
export { describeDequantized } from "./formats/quantized/describe-dequantized.ts";
export { isReadAsNumbers } from "./formats/quantized/quantized-kinds.ts";
export { SCALED_ENCODINGS, type ScaledEncoding } from "./formats/quantized/write-scaled-floats.ts";
export { openSafetensors } from "./formats/safetensors/open-safetensors.ts";
export {
  type WriteRangeOptions,
  type WrittenRange,
  writeTensorRange,
} from "./formats/safetensors/write-range.ts";
export { isTrainingState } from "./formats/torch/collect-tensors.ts";
export { readZipDirectory, type ZipEntry } from "./formats/zip/zip-directory.ts";
export { unpackEntry } from "./formats/zip/zip-entry.ts";
export { groupBy } from "./group-by.ts";
export { at, entry, InvariantError } from "./invariant.ts";
export {
  type AdaptedName,
  type AdapterChain,
  currentAdapters,
  type OpenAdapted,
  splitAdaptedName,
  splitAdapters,
  withAdapters,
} from "./io/adapted-name.ts";
export { appendText } from "./io/append-text.ts";
export { assertNoInput } from "./io/assert-no-input.ts";
export { type ByteSource, createBytesSource } from "./io/byte-source.ts";
export { confineFiles, type FileBounds, isInside, realPathOf, unconfineFiles } from "./io/confine-files.ts";
export { createFolder, removeFolders } from "./io/create-folder.ts";
export { type DigestFileOptions, digestFile } from "./io/digest-file.ts";
export { openFileSource, readFileRangeSync } from "./io/file-source.ts";
export {
  findSnapshot,
  hubCacheFolder,
  hubFolderOf,
  hubHomeFolder,
  resolveModelPath,
  resolveWholeName,
} from "./io/hub-cache.ts";
export { formatHubName, HUB_PREFIX, type HubName, isRevision, parseHubName } from "./io/hub-name.ts";
export { isModelFile, isModelFolder } from "./io/model-file-names.ts";
export { LAID_OUT, leadsWithin } from "./io/model-folder.ts";
export { type ModelSource, withModelSource } from "./io/model-source.ts";
export { hubHint } from "./io/open-file.ts";
export { createOutputFile, type OutputFile } from "./io/output-file.ts";
export { openPositionalFile, type PositionalFile, writeError } from "./io/positional-file.ts";
export { readFileBytes, readJsonFile, readTextFile } from "./io/read-file.ts";
export { saveFile } from "./io/save-file.ts";
export { isDiskFull, messageOf, reasonOf, systemCodesOf } from "./io/system-error.ts";
export { lockPathOf, takeLock, waitForLock } from "./io/take-lock.ts";
export { cutText, excerpt } from "./json/excerpt.ts";
export { type JsonPurpose, parseJson, replacePythonNumbers } from "./json/parse-json.ts";
export { matchesAny, matchesGlob } from "./match-glob.ts";
export { meanOf } from "./mean-of.ts";
export { openCheckpoint, openCheckpointWithin } from "./open-checkpoint.ts";
export { openSources } from "./open-sources.ts";
export { assertWholeOptions, resolveOptions } from "./options.ts";
export { createRandom, type Random } from "./random/create-random.ts";
export { drawDirichlet } from "./random/draw-dirichlet.ts";
export { describeMaking, type Making, sharedMetadata } from "./save/describe-making.ts";
export type {
  FileForm,
  FileLayout,
  LaidOutFiles,
  LayOutOptions,
  PlacedTensor,
  TensorEncoding,
} from "./save/file-form.ts";
export { type OutputPlace, resolveOutputPlace } from "./save/output-paths.ts";
export { syncFolder } from "./save/publish-files.ts";
export {
  type StageCheckpointOptions,
  type StagedCheckpoint,
  type StagedTensor,
  stageCheckpoint,
  stagedFile,
} from "./save/stage-checkpoint.ts";
export {
  type SaveCheckpointOptions,
  type SaveCheckpointResult,
  type SaveProgress,
  saveCheckpoint,
} from "./save-checkpoint.ts";
export { sumOf } from "./sum-of.ts";
export { axisOffsets } from "./tensor/axis-offsets.ts";
export { approachInto, blendInto, lerpInto } from "./tensor/blend.ts";
export {
  asFloat32,
  convertData,
  convertInto,
  fromFloat32Into,
  fromFloat64Into,
  toFloat32,
  toFloat32Into,
  toFloat64,
} from "./tensor/convert.ts";
export { DTYPES, type DType, type DTypeInfo, isDType, type TensorData } from "./tensor/dtype.ts";
export type { Elements } from "./tensor/elements.ts";
export type { KernelMemory, Scratch } from "./tensor/kernels/floats.ts";
export { type GatherArray, gatherInto, strideTable } from "./tensor/kernels/gather.ts";
export {
  type GrowingMemory,
  growMemory,
  type KernelsWithMemory,
  placeArrays,
  startKernels,
} from "./tensor/kernels/start-kernels.ts";
export { dot, findNonFinite, innerProduct, squaredNorm } from "./tensor/measure.ts";
export { borrowScratch, kernelMemory } from "./tensor/scratch.ts";
export { formatShape, sameShape, sizeOf, stridesOf } from "./tensor/shape.ts";
export {
  allocateData,
  byteLengthOf,
  createTensor,
  type Tensor,
  type TensorInfo,
  viewBytes,
  viewData,
} from "./tensor/tensor.ts";
export { withCheckpoints } from "./with-checkpoints.ts";
