import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { InputError, saveFile, UsageError } from "@isthmus/core";
import { addToken, readFederation, readTokens, removeToken } from "@isthmus/federation-server";
import { HELP_GROUPS } from "../../options/help-groups.ts";
import { assertOutput } from "../../output/assert-output.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../../verb.ts";

interface TokenVerbOptions {
  readonly for: string;
  readonly remove?: true | undefined;
  readonly output?: string | undefined;
}

/** Creates the command `isthmus federate token`. */
export function federateTokenVerb(run: RunVerb): CommandUnknownOpts {
  const summary = "Let a client into a federation, by a token of its own";
  return createVerb("token", HELP_GROUPS.done)
    .summary(summary)
    .description(`${summary}.`)
    .argument("<name>", "name of the client: letters, digits, - and _")
    .requiredOption("--for <file>", "the federation's file, in YAML")
    .option(
      "-o, --output <file>",
      "write the token into a file that only you may read, for join --token-file",
    )
    .option("--remove", "let the client in no longer")
    .addHelpText("after", EXAMPLES)
    .action((name, options) => run(options, (context) => changeToken(name, options, context)));
}

const EXAMPLES = formatExamples(
  [
    "isthmus federate token anna --for digits.yml",
    "prints a token for anna, which is stored nowhere; a second one replaces it",
  ],
  ["isthmus federate token anna --for digits.yml -o anna.token", "into a file, for join --token-file"],
  ["isthmus federate token anna --for digits.yml --remove", "shut anna out, also while the server runs"],
);

async function changeToken(
  client: string,
  options: TokenVerbOptions,
  { terminal }: Context,
): Promise<Outcome> {
  const { tokens } = await readFederation(options.for);
  const { output } = options;
  if (options.remove) {
    if (output !== undefined)
      throw new UsageError("Cannot remove a client and write its token: give either --remove or --output");
    if (await removeToken(tokens, client))
      return { result: { client, removed: true }, text: `removed ${client}` };
    throw new InputError(`Cannot remove "${client}" as there is no client of that name in "${tokens}"`, {
      input: client,
    });
  }
  if (output !== undefined) await assertOutput(output, [options.for, tokens]);
  const replaced = (await readTokens(tokens)).has(client);
  const token = await addToken(tokens, client);
  // A note, so that standard output is the token alone.
  if (replaced) terminal.note(`replaces the token of ${client}`);
  if (output !== undefined) {
    await saveFile(output, `${token}\n`, [], { mode: 0o600 });
    return { result: { client, output, replaced }, text: `wrote ${output}` };
  }
  return { result: { client, token, replaced }, text: token };
}
