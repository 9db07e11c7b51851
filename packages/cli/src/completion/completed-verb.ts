import type { CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type Offer, offerForArguments, offerForOption } from "./offer.ts";

/** An option as a shell completes it. */
export interface CompletedOption {
  /** Names of the option with dashes: the short one, if there is one, then the long one. */
  readonly names: readonly string[];
  /** The first words of its help. */
  readonly help: string;
  /** Candidates for its value. @defaultValue none, as the option takes no value */
  readonly offer?: Offer | undefined;
  /** Whether the option may stand without its value. */
  readonly isOptional: boolean;
  /** Whether several values may follow the option. */
  readonly isVariadic: boolean;
}

/** A command as a shell completes it: the program, a verb, or a verb below another. */
export interface CompletedVerb {
  /** Words behind the name of the program: `queue status` for a verb below another, none for the program. */
  readonly words: string;
  /** The first words of its summary. */
  readonly summary: string;
  /** Options that it takes, without hidden ones. */
  readonly options: readonly CompletedOption[];
  /** Candidates for its arguments. @defaultValue none, as it takes no arguments */
  readonly offer?: Offer | undefined;
  /** Verbs below it. */
  readonly below: readonly CompletedVerb[];
}

/** Describes a command, and all commands below it, for the completion of shells. */
export function describeVerb(command: CommandUnknownOpts, words = ""): CompletedVerb {
  const below = command.commands.map((one) => describeVerb(one, `${words} ${one.name()}`.trim()));
  // The help of commander is an option, too, which `options` lacks.
  const options = command.createHelp().visibleOptions(command).map(describeOption);
  const offer = offerForArguments(words, command);
  return { words, summary: briefly(command.summary() || command.description()), options, offer, below };
}

/** Lists a command and all commands below it. */
export function listCompleted(verb: CompletedVerb): readonly CompletedVerb[] {
  return [verb, ...verb.below.flatMap(listCompleted)];
}

function describeOption(option: Option): CompletedOption {
  const takesValue = option.required || option.optional;
  return {
    names: [option.short, option.long].filter((name) => name !== undefined),
    help: briefly(option.description),
    offer: takesValue ? offerForOption(option) : undefined,
    isOptional: option.optional,
    isVariadic: option.variadic,
  };
}

/** Most characters of a help that a shell shows beside a candidate. */
const MOST = 72;

/** Shortens a help to its first clause: shells show it on one line. */
function briefly(help: string): string {
  const [clause = ""] = help.split(/; |: | \(|\n/);
  if (clause.length <= MOST) return clause;
  return `${clause.slice(0, MOST).replace(/\s\S*$/, "")} ...`;
}
