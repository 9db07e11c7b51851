import type { ParameterSpec, ParameterValue } from "../parameters.ts";
import type { ConsensusMethod } from "./blend-deltas.ts";
import { RESCALE_NORMS, type RescaleNorm } from "./rescale.ts";

/** A parameter with a separate value for each network. */
export type OfNetwork<T extends ParameterValue> = ParameterSpec<T> & { readonly of: "network" };

/** A parameter with one value for the merge. */
export type OfMerge<T extends ParameterValue> = ParameterSpec<T> & { readonly of: "merge" };

/** Parameters of all rules of the family, by their names in mergekit. */
export type TaskArithmeticSpecs = {
  /** Factor of the network's difference from the base. */
  readonly weight: OfNetwork<number>;
  /** Share of the network's differences that is kept, in `[0, 1]`; without effect for rules that keep all. */
  readonly density: OfNetwork<number>;
  /** Factor of the sum of all differences. */
  readonly lambda: OfMerge<number>;
  /** Whether sums are divided by the sum of the weights of their terms. */
  readonly normalize: OfMerge<boolean>;
  /**
   * Whether kept differences are multiplied so that their norm stays equal; without effect for rules that
   * keep all.
   */
  readonly rescale: OfMerge<boolean>;
  /** Norm that stays equal if differences are rescaled. */
  readonly rescale_norm: OfMerge<RescaleNorm>;
  /** Setting of mergekit for the type of its masks, which recipes may contain; without effect here. */
  readonly int8_mask: OfMerge<boolean>;
};

/** Parameters of rules that elect a sign for each element. */
export type ConsensusSpecs = { readonly consensus_method: OfMerge<ConsensusMethod> };

/** Defaults of a rule of the family for normalising and rescaling. */
export interface TaskArithmeticDefaults {
  /** Default of the parameter `normalize`: whether sums are divided by their weights. */
  readonly normalize: boolean;
  /** Default of the parameter `rescale`: whether kept differences keep their norm. */
  readonly rescale: boolean;
}

/** Parameter that has no effect here, because masks take no memory. */
export const INT8_MASK: OfMerge<boolean> = {
  description: "Taken so that recipes of mergekit can be read; masks need no memory here.",
  of: "merge",
  default: false,
  unused: true,
};

/** Returns the parameters of all rules of the family, by their names in mergekit. */
export function taskArithmeticParameters(
  defaults: TaskArithmeticDefaults,
  isThinned: boolean,
): TaskArithmeticSpecs {
  return {
    weight: { description: "How much of the network's difference to the base is added.", of: "network" },
    density: {
      description: isThinned
        ? "Share of the network's differences that is kept."
        : "Taken so that recipes of mergekit can be read; this method keeps all differences.",
      of: "network",
      default: 1,
      least: 0,
      most: 1,
      unused: !isThinned,
    },
    lambda: { description: "Factor of the sum of all differences.", of: "merge", default: 1 },
    normalize: {
      description: "Whether sums are divided by the sum of the weights that went into them.",
      of: "merge",
      default: defaults.normalize,
    },
    rescale: {
      description: isThinned
        ? "Whether the differences that are kept are multiplied so that their norm stays what it was."
        : "Taken so that recipes of mergekit can be read; this method keeps all differences.",
      of: "merge",
      default: defaults.rescale,
      unused: !isThinned,
    },
    rescale_norm: {
      description: "The norm that stays what it was where differences are rescaled: l1, l2 or linf.",
      of: "merge",
      default: "l1",
      choices: RESCALE_NORMS,
      unused: !isThinned,
    },
    int8_mask: INT8_MASK,
  };
}

/** Descriptions of the parameters of rules that elect a sign for each element. */
export const CONSENSUS_PARAMETERS: ConsensusSpecs = {
  consensus_method: {
    description: "How signs are elected: by the sum of the weighted differences, or by their count.",
    of: "merge",
    default: "sum",
    choices: ["sum", "count"],
  },
};
