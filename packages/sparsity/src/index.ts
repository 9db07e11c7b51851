export { describePruning } from "./describe/describe-pruning.ts";
export { pruningStages } from "./describe/pruning-stages.ts";
export type { PrunedUnits } from "./masks/choose-unit-masks.ts";
export { applyMasks, type Masks } from "./masks/masks.ts";
export { type ComparedNetworks, measurePruning } from "./measure-pruning.ts";
export { measureRounds } from "./measure-rounds.ts";
export { type PrunedArchitecture, type PrunedNetwork, pruneNetwork } from "./prune-network.ts";
export { PRUNE_CHOICES, PRUNE_DEFAULTS, type PruneChoice, type PruneOptions } from "./prune-options.ts";
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
export {
  QUANTIZE_DEFAULTS,
  QUANTIZE_SCHEMES,
  type QuantizedLayer,
  type QuantizedNetwork,
  type QuantizeOptions,
  type QuantizeResult,
  type QuantizeScheme,
  quantizeNetwork,
} from "./quantize/quantize-network.ts";
export { QUANTIZED_BITS, type QuantizedBits } from "./quantize/quantize-values.ts";
export { type RoundOptions, sparsityOf, type TicketRound, type TrainedRound } from "./train/find-tickets.ts";
export {
  type EvolvedRound,
  PRUNE_BY_EVOLUTION_DEFAULTS,
  type PruneByEvolutionOptions,
  pruneByEvolution,
} from "./train/prune-by-evolution.ts";
export {
  ITERATIVE_DEFAULTS,
  type IterativeOptions,
  type PruningRound,
  pruneIteratively,
} from "./train/prune-iteratively.ts";
export { ANNEALING_DEFAULTS, type AnnealingOptions, trainAnnealed } from "./train/train-annealed.ts";
export { GRADUAL_DEFAULTS, type GradualOptions, trainGradually } from "./train/train-gradually.ts";
export { trainMasked } from "./train/train-masked.ts";
