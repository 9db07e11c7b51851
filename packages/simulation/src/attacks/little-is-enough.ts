import { at } from "@isthmus/core";
import type { UpdateAttack } from "./attack.ts";
import { deviationsOf, meanInto } from "./moments.ts";
import { normalQuantile } from "./normal-quantile.ts";

const PARAMETERS = {
  tau: {
    description:
      "Standard deviations that each element is moved by; 0 for as many as the paper finds unseen by a majority.",
    of: "merge",
    default: 1.5,
    least: 0,
  },
} as const;

/**
 * Attackers send the mean of the honest updates, moved in each element by some of its standard deviations:
 * within the range of honest updates, but all to one side.
 */
export const littleIsEnough: UpdateAttack<typeof PARAMETERS> = {
  kind: "update",
  name: "alie",
  description: "Sends the mean of the honest updates, moved by some standard deviations: a little is enough.",
  source: "Baruch et al., A little is enough, 2019, algorithm 3; byzfl 0.0.11 ALittleIsEnough",
  parameters: PARAMETERS,
  attackInto({ honest, attackers }, { tau }, out) {
    meanInto(honest, out);
    const deviations = deviationsOf(honest, out);
    const moved = tau === 0 ? largestUnseen(honest.length + attackers, attackers) : tau;
    for (let i = 0; i < out.length; i++) out[i] = at(out, i) + moved * at(deviations, i);
  },
};

/**
 * Returns the number of standard deviations by which attackers can move the mean so that, together with the
 * honest clients that are further out, they are a majority: `z` of Baruch et al., algorithm 3, step 2.
 * @param clients - number of all clients, attackers included
 * @returns at least 0: 0 if attackers need no honest client, or cannot have enough
 */
export function largestUnseen(clients: number, attackers: number): number {
  const supporters = Math.floor(clients / 2 + 1) - attackers;
  const share = (clients - attackers - supporters) / (clients - attackers);
  return share > 0 && share < 1 ? Math.max(0, normalQuantile(share)) : 0;
}
