import type { UpdateAttack } from "./attack.ts";

/** Attackers send NaN: one such element spoils every sum it comes into. */
export const notANumber: UpdateAttack<Record<never, never>> = {
  kind: "update",
  name: "nan",
  description: "Sends NaN in every element, which a server must refuse.",
  source: "byzfl 0.0.11 Inf, with NaN in place of infinity",
  parameters: {},
  attackInto(_block, _parameters, out) {
    out.fill(Number.NaN);
  },
};
