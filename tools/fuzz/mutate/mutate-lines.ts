// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of a study.
import type { Dice } from "../dice.ts";

/**
 * Changes lines of a text whose indentation matters: missing, doubled, moved ones, other values, other marks.
 */
export function mutateLines(dice: Dice, text: string): string {
  const lines = text.split("\n");
  for (let round = 1 + dice.below(3); round > 0; round--) {
    if (lines.length === 0) lines.push("");
    const at = dice.below(lines.length);
    dice.pick(CHANGES)(dice, lines, at);
  }
  return lines.join("\n");
}

type Change = (dice: Dice, lines: string[], at: number) => void;

const CHANGES: readonly Change[] = [
  (_, lines, at) => void lines.splice(at, 1),
  (dice, lines, at) => void lines.splice(at, 0, dice.pick(lines)),
  (dice, lines, at) => {
    lines[at] = " ".repeat(dice.below(5)) + lines[at];
  },
  (dice, lines, at) => {
    lines[at] = (lines[at] as string).replace(/[\d.]+/, () => dice.pick(VALUES));
  },
  (dice, lines, at) => {
    lines[at] += dice.pick(ENDINGS);
  },
];

const VALUES = [
  ...["-1", "1e99", "0", "{}", "[]", "0..99999", "0..3000", "99..0", "*x", "&x", "!!js/function x", "~"],
  ...[".nan", "0x7fffffffffffffff", "9007199254740993", "'", "|"],
];
const ENDINGS = [" #", " *barriers", " {", ": x", "\t", "|", ">", " ${seed}", "${x}", " <<: *x"];
