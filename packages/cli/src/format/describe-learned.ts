import type { MixingGroup } from "@isthmus/symmetry";
import type { SharedLearning } from "@isthmus/weight-matching";
import { plural } from "./plural.ts";

/** Words for the factors that a learned alignment chooses, by group of its spaces and kind of the factors. */
const GROUP_WORDS = {
  invertible: "mixed by any matrix (inner dimensions of heads)",
  orthogonal: "rotated (residual stream)",
  "orthogonal-keeping-ones": "rotated (residual stream of layer norms)",
  complex: "multiplied by complex numbers (pairs of rotary embeddings)",
  "unit-complex": "turned by angles (pairs of rotary embeddings)",
  signs: "signs of units",
  scales: "scales of units",
} as const satisfies Record<MixingGroup | "signs" | "scales", string>;

/** Lists what a learned alignment chooses beside permutations, as an entry of a list. */
export function describeFactors({
  spaces,
  units,
}: Pick<SharedLearning, "spaces" | "units">): [string, string][] {
  const counts = Object.entries({ ...spaces, ...units }).flatMap(([kind, count]) =>
    count === 0 ? [] : [`${count} ${GROUP_WORDS[kind as keyof typeof GROUP_WORDS]}`],
  );
  return [["beside permutations", counts.join(", ") || "nothing"]];
}

/**
 * Says how long a learned alignment learned, as an entry of a list.
 * @param moved - units that learning moved
 */
export function describeSteps(
  { steps, examples }: Pick<SharedLearning, "steps" | "examples">,
  moved: number,
): [string, string] {
  const movedText = moved === 0 ? "" : `, which moved ${plural(moved, "unit", "units")}`;
  return [
    "search",
    `${plural(steps, "step", "steps")} on ${plural(examples, "example", "examples")} without their labels${movedText}`,
  ];
}

/** Says why a learned alignment ended early, as entries of a list; none if it did not. */
export function describeEnd({ diverged }: Pick<SharedLearning, "diverged">): [string, string][] {
  if (diverged === null) return [];
  const { loss, step } = diverged;
  return [
    [
      "ended early",
      `the loss half-way was ${loss} at step ${step}: the best before it is kept; try a smaller --match-rate`,
    ],
  ];
}
