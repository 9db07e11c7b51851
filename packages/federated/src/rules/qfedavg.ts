import { at, UsageError } from "@isthmus/core";
import type { LinearRule } from "./aggregation-rule.ts";
import { normsOf } from "./points.ts";

const PARAMETERS = {
  clientLearningRate: {
    description: "Learning rate of the clients' steps; its inverse stands for the Lipschitz constant.",
    of: "merge",
    least: 1e-12,
  },
  q: {
    description: "How much clients of large losses count for; 0 averages all equally.",
    of: "merge",
    default: 0.1,
    least: 0,
  },
} as const;

/** Number that Flower adds to losses, so that a loss of 0 has powers. */
const OFFSET = 1e-10;

/**
 * A step that counts clients by a power of their losses, so that accuracy is more even over clients.
 *
 * With `L` the inverse of the clients' learning rate and `x` a displacement, the step is
 * `sum(L F^q x) / sum(q F^(q-1) |L x|^2 + L F^q)`. The rule depends on the lengths of displacements, and
 * therefore, unlike most rules, on the position of the global network.
 */
export const qfedavg: LinearRule<typeof PARAMETERS> = {
  kind: "linear",
  name: "qfedavg",
  description: "Counts clients by a power of their losses, for accuracy that is more even over clients.",
  source: "Li et al., Fair resource allocation in federated learning, 2020, algorithm 2",
  parameters: PARAMETERS,
  needs: ["norms", "losses"],
  weigh(points, { clientLearningRate, q }) {
    const constant = 1 / clientLearningRate;
    const norms = normsOf(points);
    const terms = points.losses.map((loss, i) => {
      assertLoss(loss, i);
      const power = (loss + OFFSET) ** q;
      const square = (constant * at(norms, i)) ** 2;
      return { step: constant * power, h: q * (loss + OFFSET) ** (q - 1) * square + constant * power };
    });
    const sum = terms.reduce((total, { h }) => total + h, 0);
    return { weights: terms.map(({ step }) => step / sum) };
  },
};

function assertLoss(loss: number, position: number): void {
  if (Number.isFinite(loss) && loss >= 0) return;
  throw new UsageError(
    `Cannot weigh updates by qfedavg as each must say the loss of the global network, a number of at least 0: ` +
      `that of position ${position} is ${loss}; let clients evaluate it before they train`,
  );
}
