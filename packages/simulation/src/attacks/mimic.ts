import { at, OutOfRangeError } from "@isthmus/core";
import type { UpdateAttack } from "./attack.ts";

const PARAMETERS = {
  client: {
    description: "Number of the honest client that is copied, in the order of names, from 0.",
    of: "merge",
    default: 0,
    least: 0,
  },
} as const;

/** Attackers copy one honest client, so that the examples of that client count for more. */
export const mimic: UpdateAttack<typeof PARAMETERS> = {
  kind: "update",
  name: "mimic",
  description: "Sends a copy of the update of one honest client, which then counts several times.",
  source: "Karimireddy et al., Byzantine-robust learning by bucketing, 2022, section 3; byzfl 0.0.11 Mimic",
  parameters: PARAMETERS,
  attackInto({ honest }, { client }, out) {
    if (!Number.isInteger(client) || client >= honest.length) {
      throw new OutOfRangeError(
        `Cannot attack by mimic as "client" must be a whole number below the ${honest.length} honest clients: it is ${client}`,
      );
    }
    out.set(at(honest, client));
  },
};
