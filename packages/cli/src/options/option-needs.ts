import type { CommandUnknownOpts, Option } from "@commander-js/extra-typings";

/** Names of the options without which another one does nothing. */
const NEEDS = new WeakMap<Option, readonly string[]>();

/**
 * Declares that options of a command do nothing unless others are given, so that they are refused alone.
 *
 * @param needs - for each option the options of which one must be given with it, all without dashes
 */
export function declareNeeds(
  command: CommandUnknownOpts,
  needs: Readonly<Record<string, readonly string[]>>,
): void {
  for (const option of command.options) {
    const needed = needs[option.name()];
    if (needed !== undefined) NEEDS.set(option, needed);
  }
}

/**
 * Checks that no option of a command line lacks an option that {@link declareNeeds} names for it.
 * @throws UsageError if one does
 */
export async function assertNeeds(command: CommandUnknownOpts): Promise<void> {
  const isGiven = (option: Option) => command.getOptionValueSource(option.attributeName()) === "cli";
  for (const option of command.options) {
    const needed = NEEDS.get(option);
    if (needed === undefined || !isGiven(option)) continue;
    const others = needed.flatMap((name) => command.options.filter((other) => other.name() === name));
    // Verbs that always align have no option for it.
    if (others.length === 0 || others.some(isGiven)) continue;
    const flags = others.map(({ long }) => long).join(" or ");
    // Loaded when needed, as help must not wait for it.
    const { UsageError } = await import("@isthmus/core");
    throw new UsageError(
      `Cannot take ${option.long} alone as it works only with another option: ${option.long} needs ${flags}; add it, or leave ${option.long} out`,
    );
  }
}

/**
 * Returns a sentence on a method that stands behind `--align`, which takes no value; empty if none does.
 *
 * @param words - words of the command line
 */
export function hintAtMethod(command: CommandUnknownOpts, words: readonly string[]): string {
  const word = words[words.indexOf("--align") + 1];
  const { argChoices = [] } = command.options.find(({ long }) => long === "--method") ?? {};
  const isMethod = words.includes("--align") && word !== undefined && argChoices.includes(word);
  return isMethod ? `--align takes no value: write --align --method ${word}` : "";
}
