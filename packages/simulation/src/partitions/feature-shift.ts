import { iid } from "./iid.ts";
import type { PartitionScheme } from "./partition-scheme.ts";

const PARAMETERS = {
  rotation: {
    description: "Largest angle that the images of a client are turned by, in degrees.",
    of: "merge",
    default: 30,
    least: 0,
    most: 180,
  },
  brightness: {
    description: "Largest number that is added to the inputs of a client, in their own scale.",
    of: "merge",
    default: 0,
    least: 0,
  },
  noise: {
    description: "Largest standard deviation of the noise in the inputs of a client, in their own scale.",
    of: "merge",
    default: 0,
    least: 0,
  },
} as const;

/**
 * Examples are dealt evenly, and the inputs of each client are turned, made brighter or darker, and noisy,
 * each by a random amount for that client: uniform between minus and plus the largest amount, or for noise
 * between 0 and the largest amount.
 */
export const featureShift: PartitionScheme<typeof PARAMETERS> = {
  name: "feature-shift",
  description: "Deals the examples evenly, and turns, brightens and blurs by noise those of each client.",
  source: "Li et al., Federated learning on non-IID data silos, 2022, section 4.2, with turned images",
  anyLabels: true,
  parameters: PARAMETERS,
  split: (divided, _parameters, random) => iid.split(divided, {}, random),
  shift(parameters, random) {
    const around = (most: number) => (2 * random.uniform() - 1) * most;
    return {
      rotation: around(parameters.rotation),
      brightness: around(parameters.brightness),
      noise: random.uniform() * parameters.noise,
    };
  },
};
