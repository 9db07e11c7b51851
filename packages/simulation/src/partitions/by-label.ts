import { at, InputError, type Random } from "@isthmus/core";
import { cutEvenly, joinPositions, listPositions, positionsByClass } from "./deal.ts";
import type { Divided, PartitionScheme } from "./partition-scheme.ts";

const PARAMETERS = {
  labels: {
    description: "Classes that each client has examples of.",
    of: "merge",
    default: 2,
    least: 1,
  },
} as const;

/**
 * Each client has examples of a fixed number of classes, and each class is divided evenly over the clients
 * that have it. Classes are dealt from shuffled decks, so that all classes have the same number of clients,
 * to within 1; in Li et al. all classes but a client's first are drawn independently.
 */
export const byLabel: PartitionScheme<typeof PARAMETERS> = {
  name: "label",
  description:
    "Gives each client a few classes, and divides each class evenly over the clients that have it.",
  source: "Li et al., Federated learning on non-IID data silos, 2022, section 4.1, quantity-based",
  parameters: PARAMETERS,
  split(divided, { labels: perClient }, random) {
    assertDealable(divided, perClient);
    const hands = dealClasses(divided, perClient, random);
    const parts: Uint32Array[][] = hands.map(() => []);
    positionsByClass(divided.labels, divided.classes).forEach((positions, label) => {
      const holders = hands.flatMap((hand, client) => (hand.has(label) ? [client] : []));
      const cut = cutEvenly(random.shuffleInPlace(positions), holders.length);
      holders.forEach((client, part) => {
        at(parts, client).push(at(cut, part));
      });
    });
    return parts.map(joinPositions);
  },
};

function assertDealable({ classes, clients }: Divided, perClient: number): void {
  const attempt = `Cannot divide examples over ${clients} clients by ${perClient} classes each`;
  if (!Number.isInteger(perClient) || perClient > classes) {
    throw new InputError(`${attempt} as that must be a whole number: there are ${classes} classes`, {
      input: "examples",
    });
  }
  if (clients * perClient < classes) {
    throw new InputError(
      `${attempt} as each of the ${classes} classes must have a client: choose ${Math.ceil(classes / clients)} or more`,
      { input: "examples" },
    );
  }
}

/** Deals classes: each client takes the next classes of the decks that it does not have yet. */
function dealClasses(
  { classes, clients }: Divided,
  perClient: number,
  random: Random,
): readonly ReadonlySet<number>[] {
  const deck: number[] = [];
  return Array.from({ length: clients }, () => {
    const hand = new Set<number>();
    while (hand.size < perClient) {
      if (!deck.some((label) => !hand.has(label))) {
        deck.push(...random.shuffleInPlace(listPositions(classes)));
      }
      const next = deck.findIndex((label) => !hand.has(label));
      hand.add(at(deck.splice(next, 1), 0));
    }
    return hand;
  });
}
