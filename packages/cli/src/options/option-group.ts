import type { Command, CommandUnknownOpts, OptionValues } from "@commander-js/extra-typings";

/**
 * A function that adds a group of options to a command, whose type then has them.
 * | @typeParam Added - the options of the group. It must be a type alias, not an interface, as commander
 * needs types with an implicit index signature
 * @typeParam Settings - settings in which the verbs that share the group differ
 */
export type AddOptions<Added extends OptionValues, Settings extends unknown[] = []> = <
  A extends unknown[],
  O extends OptionValues,
>(
  command: Command<A, O>,
  ...settings: Settings
) => Command<A, O & Added>;

/**
 * Defines a group of options that several verbs share. Commander derives the types of options one by one,
 * along a chain of calls, which is slow to compile and unreadable for a group; so the group names its type,
 * and this is the one place that takes its word for it.
 *
 * @param add - adds the options to a command, under headings of its own if it names them by `optionsGroup`
 */
export function optionGroup<Added extends OptionValues, Settings extends unknown[] = []>(
  add: (command: CommandUnknownOpts, ...settings: Settings) => unknown,
): AddOptions<Added, Settings> {
  return <A extends unknown[], O extends OptionValues>(command: Command<A, O>, ...settings: Settings) => {
    const heading = command.optionsGroup();
    add(command as unknown as CommandUnknownOpts, ...settings);
    // What the verb adds next stands under the verb's own heading again.
    command.optionsGroup(heading);
    return command as unknown as Command<A, O & Added>;
  };
}
