import type { UpdateAttack } from "./attack.ts";

const PARAMETERS = {
  mu: { description: "Mean of the numbers.", of: "merge", default: 0 },
  sigma: { description: "Standard deviation of the numbers.", of: "merge", default: 1, least: 0 },
} as const;

/** Attackers send normal random numbers in place of a displacement. */
export const gaussian: UpdateAttack<typeof PARAMETERS> = {
  kind: "update",
  name: "gaussian",
  description: "Sends normal random numbers, by far larger than an honest update.",
  source: "Blanchard et al., Machine learning with adversaries, 2017, section 5; byzfl 0.0.11 Gaussian",
  parameters: PARAMETERS,
  attackInto({ random }, { mu, sigma }, out) {
    for (let i = 0; i < out.length; i++) out[i] = mu + sigma * random.normal();
  },
};
