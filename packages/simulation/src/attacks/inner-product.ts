import { at } from "@isthmus/core";
import type { UpdateAttack } from "./attack.ts";
import { meanInto } from "./moments.ts";

const PARAMETERS = {
  tau: {
    description: "Factor of the opposite of the mean; small ones are hard to see and turn the mean slowly.",
    of: "merge",
    default: 2,
    least: 0,
  },
} as const;

/** Attackers send the mean of the honest updates, multiplied by a negative number. */
export const innerProduct: UpdateAttack<typeof PARAMETERS> = {
  kind: "update",
  name: "ipm",
  description: "Sends the mean of the honest updates, multiplied by -tau: inner product manipulation.",
  source: "Xie et al., Fall of empires, 2019, section 4; byzfl 0.0.11 InnerProductManipulation",
  parameters: PARAMETERS,
  attackInto({ honest }, { tau }, out) {
    meanInto(honest, out);
    for (let i = 0; i < out.length; i++) out[i] = -tau * at(out, i);
  },
};
