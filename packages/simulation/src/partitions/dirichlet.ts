import { at, drawDirichlet, InputError, type Random, sumOf } from "@isthmus/core";
import { joinPositions, positionsByClass } from "./deal.ts";
import type { Divided, PartitionScheme } from "./partition-scheme.ts";

const PARAMETERS = {
  alpha: {
    description: "Concentration: below 1 each class goes to few clients, above 10 clients are nearly alike.",
    of: "merge",
    default: 0.5,
    least: 1e-3,
    most: 1e6,
  },
  least: {
    description: "Fewest examples of a client; proportions are drawn again until each has as many.",
    of: "merge",
    default: 10,
    least: 1,
  },
} as const;

/** Number of draws after which the least size counts as out of reach. */
const MOST_DRAWS = 10_000;

/**
 * The examples of each class are divided over the clients in proportions of a symmetric Dirichlet
 * distribution, so that clients differ in their classes and in their numbers of examples.
 *
 * All classes are drawn again until every client has the least number of examples, as in Li et al., 2022
 * (NIID-Bench); unlike there, a client that has its share already takes part in further classes.
 */
export const dirichlet: PartitionScheme<typeof PARAMETERS> = {
  name: "dirichlet",
  description: "Divides the examples of each class in proportions drawn from a Dirichlet distribution.",
  source: "Hsu et al., Measuring the effects of non-identical data distribution, 2019, section 2",
  parameters: PARAMETERS,
  split(divided, { alpha, least }, random) {
    const classes = positionsByClass(divided.labels, divided.classes).map((positions) =>
      random.shuffleInPlace(positions),
    );
    const counts = drawCounts(divided, { sizes: classes.map(({ length }) => length), alpha, least, random });
    const taken = new Uint32Array(divided.classes);
    return counts.map((ofClasses) =>
      joinPositions(
        ofClasses.map((count, label) => {
          const begin = at(taken, label);
          taken[label] = begin + count;
          return at(classes, label).subarray(begin, begin + count);
        }),
      ),
    );
  },
};

interface Draws {
  /** Number of examples of each class. */
  readonly sizes: readonly number[];
  readonly alpha: number;
  readonly least: number;
  readonly random: Random;
}

/** Draws numbers of examples, `[clients][classes]`, until each client has enough. */
function drawCounts({ clients, labels }: Divided, draws: Draws): readonly (readonly number[])[] {
  const { sizes, alpha, least, random } = draws;
  const attempt = `Cannot divide ${labels.length} examples over ${clients} clients by a Dirichlet distribution`;
  const advice = 'choose fewer clients, a smaller "least" or a larger "alpha"';
  if (labels.length < clients * least) {
    throw new InputError(`${attempt} as each is to have ${least}: there are too few; ${advice}`, {
      input: "examples",
    });
  }
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const byClass = sizes.map((size) =>
      countsOf(size, drawDirichlet(new Float64Array(clients).fill(alpha), random)),
    );
    const counts = Array.from({ length: clients }, (_, client) =>
      byClass.map((ofClass) => at(ofClass, client)),
    );
    if (counts.every((ofClasses) => sumOf(ofClasses) >= least)) return counts;
  }
  throw new InputError(
    `${attempt} with alpha ${alpha} as each is to have ${least}: none of ${MOST_DRAWS} draws gave that; ${advice}`,
    { input: "examples" },
  );
}

/** Cuts a class at the rounded-down sums of its proportions, so that every example has a client. */
function countsOf(size: number, proportions: Float64Array): readonly number[] {
  let [sum, before] = [0, 0];
  return Array.from(proportions, (proportion, client) => {
    sum += proportion;
    const end = client === proportions.length - 1 ? size : Math.min(size, Math.floor(sum * size));
    const count = end - before;
    before = end;
    return count;
  });
}
