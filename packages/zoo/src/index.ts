export { noteFeeds } from "./examples/note-feeds.ts";
export {
  type ExampleNames,
  type ExamplesReading,
  type MeasuredExamples,
  openExamples,
  openMeasuredExamples,
  openUnscoredExamples,
} from "./examples/open-examples.ts";
export {
  nameTrainingData,
  nameTrainingSplit,
  openTrainingData,
  type TrainingData,
  type TrainingDataNames,
} from "./examples/open-training-data.ts";
export type { ImageNorm } from "./layers/image-norm.ts";
export { assertNoModelFolder } from "./models/assert-no-model-folder.ts";
export { configDefaults } from "./models/config-defaults.ts";
export { type DataContext, dataContext } from "./models/data-context.ts";
export type { Encode } from "./models/encode-in-pieces.ts";
export { fitToData } from "./models/fit-to-data.ts";
export { MODEL_TYPES, type ModelType } from "./models/model-types.ts";
export {
  type ConfigNetwork,
  type ConfigNetworkOptions,
  networkOfConfig,
} from "./models/network-of-config.ts";
export {
  assertArchitecture,
  type GraphOptions,
  haveOneArchitecture,
  type OpenArchitectureOptions,
  type OpenedArchitecture,
  openArchitecture,
  openSharedArchitecture,
  type ReadArchitecture,
  type ReadModel,
  readArchitecture,
} from "./models/open-architecture.ts";
export { type BoundOpening, openBound, type SharedReading } from "./models/open-bound.ts";
export { findModelConfig, type Model, openModel } from "./models/open-model.ts";
export {
  assertNetworkOptions,
  type NamedNetwork,
  type NetworkToTrain,
  openNetwork,
  type PlannedNetwork,
  planNetwork,
} from "./models/open-network.ts";
export {
  type NetworkOfGraph,
  type OpenedNetwork,
  type OwnReading,
  openOwnArchitectures,
} from "./models/open-own-architectures.ts";
export { openTokenizer } from "./models/open-tokenizer.ts";
export { readTextEncoding, type TextEncoding } from "./models/text-encoding.ts";
export { untieHead } from "./models/untie-head.ts";
export type { ExamplesForm, Network, NetworkShape } from "./network.ts";
export { type GptOptions, gpt } from "./networks/gpt.ts";
export { lenet } from "./networks/lenet.ts";
export { type LlamaOptions, llama } from "./networks/llama.ts";
export { type Activation, type MlpOptions, type MlpStart, mlp } from "./networks/mlp.ts";
export { type ResnetDepth, type ResnetOptions, resnet, type SmallResnetDepth } from "./networks/resnet.ts";
export { type VggOptions, vgg } from "./networks/vgg.ts";
export { type VitOptions, vit } from "./networks/vit.ts";
export { describeNetworks } from "./short-string/describe-networks.ts";
export type { FieldValue } from "./short-string/field.ts";
export { NETWORK_FORMS } from "./short-string/forms.ts";
export type { FamilyName } from "./short-string/grammar.ts";
export { type NetworkName, parseNetwork, parseNetworkName } from "./short-string/parse-network.ts";
