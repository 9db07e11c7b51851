import type { UpdateAttack } from "./attack.ts";
import { meanInto } from "./moments.ts";

/** Attackers send the opposite of the mean of the honest updates. */
export const signFlip: UpdateAttack<Record<never, never>> = {
  kind: "update",
  name: "sign-flip",
  description: "Sends the opposite of the mean of the honest updates.",
  source: "Allen-Zhu et al., Byzantine-resilient non-convex SGD, 2020; byzfl 0.0.11 SignFlipping",
  parameters: {},
  attackInto({ honest }, _parameters, out) {
    meanInto(honest, out);
    for (let i = 0; i < out.length; i++) out[i] = -(out[i] as number);
  },
};
