import type { Section } from "@isthmus/findings";
import type { AdviceSigns } from "../advice/advice-signs.ts";
import type { ComparisonResult } from "../comparison-result.ts";
import { networkNames } from "./network-names.ts";
import { describeWay } from "./way-words.ts";

/** Names of the signs of an advice, with the words for each. */
const SIGN_WORDS: Readonly<
  Record<keyof Omit<AdviceSigns, "verdict" | "adapters" | "networks" | "nonFinite" | "gradients">, string>
> = {
  kinship: "Least kinship of two networks",
  distance: "Largest distance of two networks",
  cosine: "Mean cosine between steps from the base",
  conflict: "Share of sign conflicts between steps",
  length: "Mean length of steps, in units of the base's norm",
  unequal: "Longest step divided by the shortest",
};

/** Makes the section with the advice: the way to merge, the numbers that decided, and what to measure. */
export function adviceSection(result: ComparisonResult): Section[] {
  const { advice } = result;
  if (advice === null) return [];
  const { signs, next } = advice;
  const numbers = [
    ...Object.entries(SIGN_WORDS).map(
      ([key, words]) => [words, signs[key as keyof typeof SIGN_WORDS]] as const,
    ),
    [
      "Mean cosine between gradients at the mean of the networks",
      signs.gradients?.alignment ?? null,
    ] as const,
    ["Slope of the loss along the mean step (nats)", signs.gradients?.slope ?? null] as const,
  ];
  return [
    {
      name: "advice",
      title: `Advice: ${describeWay(advice, networkNames(result))}`,
      figures: [],
      tables: [
        {
          name: "signs",
          title: "Why",
          caption: `${capitalize(advice.reason)}. Rule "${advice.rule}" of docs/verdicts.md decided; numbers that were not measured are left out.`,
          columns: [
            { title: "Sign", kind: "text" },
            { title: "Value", kind: "number" },
          ],
          rows: numbers.filter(([, value]) => value !== null).map((cells) => ({ cells })),
        },
        {
          name: "next",
          title: "What to measure to know better",
          caption: "Commands that tell more; words in capitals are for you to fill in.",
          // The purpose is a note, as the first column breaks lines only above a note, and commands are long.
          columns: [{ title: "Command", kind: "text" }],
          rows: next.map(({ purpose, command }) => ({ cells: [command], note: purpose })),
          fixed: true,
        },
      ],
    },
  ];
}

const capitalize = (sentence: string): string => sentence.charAt(0).toUpperCase() + sentence.slice(1);
