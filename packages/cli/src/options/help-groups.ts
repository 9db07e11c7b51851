import type { CommandUnknownOpts, Option } from "@commander-js/extra-typings";

/**
 * Headings of options in the help of a verb, in their order. A heading that a verb makes for itself stands
 * behind `measured`.
 */
export const HELP_GROUPS = {
  networks: "Networks and data:",
  done: "What is done:",
  searching: "How to search:",
  collecting: "How to collect:",
  training: "How to train:",
  client: "As a client of a federation:",
  measured: "What is measured:",
  recipes: "Recipes:",
  routers: "Routers of a merged mixture:",
  alignment: "Alignment:",
  statistics: "Statistics of norms:",
  output: "Output:",
  reading: "Reading files:",
  running: "How it runs:",
} as const;

/** One of the headings in {@link HELP_GROUPS}. */
export type HelpHeading = (typeof HELP_GROUPS)[keyof typeof HELP_GROUPS];

/** Names of options that mean the same in each verb that has them, by their heading. */
const SAME_IN_EACH: readonly (readonly [HelpHeading, names: readonly string[]])[] = [
  [HELP_GROUPS.networks, ["graph", "graph-a", "graph-b", "net", "data", "data-a", "data-b"]],
  [HELP_GROUPS.measured, ["test-data", "points", "batch-size"]],
  [HELP_GROUPS.statistics, ["statistics", "recalibrate-data", "recalibrate-examples"]],
  [HELP_GROUPS.output, ["output", "report", "json"]],
  [HELP_GROUPS.reading, ["exported-from", "exported-from-a", "exported-from-b"]],
  [
    HELP_GROUPS.running,
    [
      "seed",
      "journal",
      "resume",
      "threads",
      "queue",
      "storage",
      "device",
      "engine",
      "verbose",
      "quiet",
      "help-all",
      "help",
    ],
  ],
];

/** Options that only the full help shows. */
const RARE = new WeakSet<Option>();

/**
 * Adds options that few need, so that only `--help-all` shows them.
 *
 * @param add - adds the options to the command
 */
export function addRareOptions(
  command: CommandUnknownOpts,
  add: (command: CommandUnknownOpts) => unknown,
): void {
  const before = command.options.length;
  add(command);
  for (const option of command.options.slice(before)) RARE.add(option);
}

/** Checks whether only the full help shows an option. */
export function isRare(option: Option): boolean {
  return RARE.has(option) && !option.hidden;
}

/**
 * Returns the heading of an option: the same in each verb if the option means the same in each, else the one
 * that its verb gave it.
 */
export function headingOf(option: Option): string {
  const [heading] = SAME_IN_EACH.find(([, names]) => names.includes(option.name())) ?? [];
  return heading ?? option.helpGroupHeading ?? HELP_GROUPS.done;
}

/**
 * Sorts options in the order of the help: by heading, and under each heading the common ones first, then the
 * rare ones, then the ones that every verb has.
 */
export function sortForHelp(options: readonly Option[]): Option[] {
  return options.toSorted((a, b) => placeOf(a) - placeOf(b) || placeUnderHeading(a) - placeUnderHeading(b));
}

const ORDER: readonly string[] = Object.values(HELP_GROUPS);
const BEHIND_MEASURED = ORDER.indexOf(HELP_GROUPS.measured) + 0.5;

function placeOf(option: Option): number {
  const place = ORDER.indexOf(headingOf(option));
  return place < 0 ? BEHIND_MEASURED : place;
}

const IN_EVERY_VERB = ["json", "quiet", "help-all", "help"];

function placeUnderHeading(option: Option): number {
  if (IN_EVERY_VERB.includes(option.name())) return 2;
  return isRare(option) ? 1 : 0;
}
