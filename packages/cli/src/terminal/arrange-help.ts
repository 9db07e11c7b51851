import { type Command, type CommandUnknownOpts, Help, Option } from "@commander-js/extra-typings";
import { headingOf, isRare, sortForHelp } from "../options/help-groups.ts";

/** Name of the option that also shows the options that few need. */
export const HELP_ALL = "--help-all";

/** Layout in which {@link arrangeHelp} shows the help of a command. */
interface HelpLayout {
  /** Largest number of characters in a line. */
  readonly width: number;
  /** Whether options that few need are shown, too. */
  readonly showsAll: boolean;
  /** Name of the command that the user types, such as `isthmus barrier`. */
  readonly name: string;
}

/**
 * Makes the help of a command show its options by headings. Options that few need are left out of it, and one
 * line at its end says how many there are.
 */
export function arrangeHelp(command: CommandUnknownOpts, { width, showsAll, name }: HelpLayout): void {
  command.configureHelp({
    helpWidth: width,
    // The names of some verbs with their arguments leave little room for words.
    minWidthToWrap: 20,
    sortSubcommands: false,
  });
  // A command with verbs below it has no options of its own but help and version.
  if (command.commands.length > 0) return;
  const rare = command.options.filter(isRare).length;
  // To say that one option is left out takes as many lines as the option.
  const leavesOut = rare > 1;
  if (leavesOut) {
    command.option(HELP_ALL, `show this help with ${rare} more options, which few need`);
    if (!showsAll) command.addHelpText("after", `${rare} more options: ${name} ${HELP_ALL} shows them, too.`);
  }
  command.configureHelp({
    ...command.configureHelp(),
    formatHelp: (shown, helper) => formatVerbHelp(shown, helper, showsAll || !leavesOut),
  });
}

/**
 * Formats the help of a verb. Options are chosen and sorted here and not in `visibleOptions` of the command
 * itself, from which commander also takes the options that it suggests for a misspelt one.
 */
function formatVerbHelp(command: CommandUnknownOpts, helper: Help, showsAll: boolean): string {
  const options = helper.visibleOptions(command).filter((option) => showsAll || !isRare(option));
  const arranged: Help = Object.assign(new Help(), helper, {
    visibleOptions: () => sortForHelp(options),
    // Headings come in the order of the sorted options, not in the order in which options were added.
    groupItems: <T extends Command | Option>(_: T[], sorted: T[], groupOf: (item: T) => string) =>
      Help.prototype.groupItems(sorted, sorted, (item) =>
        item instanceof Option ? headingOf(item) : groupOf(item),
      ),
  });
  return Help.prototype.formatHelp.call(arranged, command, arranged);
}
