export type { PrunedUnits } from "./masks/choose-unit-masks.ts";
export { applyMasks, type Masks } from "./masks/masks.ts";
export { prunableWeights } from "./masks/prunable-weights.ts";
export { type ComparedNetworks, measurePruning } from "./measure-pruning.ts";
export { measureRounds } from "./measure-rounds.ts";
export {
  PRUNE_CHOICES,
  PRUNING_FIELDS,
  type PruneChoice,
  type PruningChoice,
  SPARSITY_FIELD,
} from "./prune-fields.ts";
export { type PrunedArchitecture, type PrunedNetwork, pruneNetwork } from "./prune-network.ts";
export type { PruneOptions } from "./prune-options.ts";
export {
  type NetworkMeasures,
  type PrunedLayer,
  type PruneMeasures,
  type PruneResult,
  type PruneRewinding,
  type RewoundRound,
  TICKET_METHODS,
  type TicketMethod,
} from "./prune-result.ts";
export { PRUNE_RESULT } from "./prune-result-kind.ts";
export { QUANTIZE } from "./quantize/quantize.ts";
export {
  type QuantizedLayer,
  type QuantizedNetwork,
  type QuantizeOptions,
  type QuantizeResult,
  quantizeNetwork,
} from "./quantize/quantize-network.ts";
export { QUANTIZE_FIELDS, type QuantizeChoice } from "./quantize/quantize-options.ts";
export type { QuantizedBits } from "./quantize/quantize-values.ts";
export {
  layOutGrids,
  type QuantizeScheme,
  type RoundedWeight,
  roundToGrids,
  type WeightGrids,
} from "./quantize/weight-grids.ts";
export { sparsityOf, type TicketRound, type TrainedRound } from "./train/find-tickets.ts";
export {
  type EvolvedRound,
  type PruneByEvolutionOptions,
  pruneByEvolution,
} from "./train/prune-by-evolution.ts";
export { type IterativeOptions, type PruningRound, pruneIteratively } from "./train/prune-iteratively.ts";
export {
  REWINDING_FIELDS,
  type RewindingChoice,
  ROUNDS_FIELDS,
  type RoundsChoice,
} from "./train/rounds-fields.ts";
export { type AnnealingOptions, trainAnnealed } from "./train/train-annealed.ts";
export { type GradualOptions, trainGradually } from "./train/train-gradually.ts";
export { trainMasked } from "./train/train-masked.ts";
