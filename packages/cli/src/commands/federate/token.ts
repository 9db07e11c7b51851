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
  const summary = "Let clients into a federation, each by its token";
  return createVerb("token", HELP_GROUPS.done)
    .summary(summary)
    .description(`${summary}.`)
    .argument("<names...>", "names of the clients: letters, digits, - and _")
    .requiredOption("--for <file>", "the federation's file, in YAML")
    .option(
      "-o, --output <file>",
      "write the token of one client into a file that only you may read, for join --token-file",
    )
    .option("--remove", "let the clients in no longer")
    .addHelpText("after", EXAMPLES)
    .action((names, options) => run(options, (context) => changeTokens(names, options, context)));
}

const EXAMPLES = formatExamples(
  [
    "isthmus federate token anna --for digits.yml",
    "prints a token for anna, which is stored nowhere; a second one replaces it",
  ],
  ["isthmus federate token anna --for digits.yml -o anna.token", "into a file, for join --token-file"],
  [
    "isthmus federate token anna bert --for digits.yml",
    "prints a token for each, in lines of name and token",
  ],
  ["isthmus federate token anna --for digits.yml --remove", "shut anna out, also while the server runs"],
);

/** Changes the tokens of clients one after another; the outcome of one client has no list. */
async function changeTokens(
  clients: readonly string[],
  options: TokenVerbOptions,
  context: Context,
): Promise<Outcome> {
  const [client = ""] = clients;
  if (clients.length === 1) return changeToken(client, options, context);
  if (options.output !== undefined) {
    throw new UsageError(
      `Cannot write the tokens of ${clients.length} clients into one file as each client must get its own alone: name one client with --output, or leave it out`,
    );
  }
  const outcomes: { readonly client: string; readonly outcome: Outcome }[] = [];
  for (const one of clients)
    outcomes.push({ client: one, outcome: await changeToken(one, options, context) });
  return {
    result: { clients: outcomes.map(({ outcome }) => outcome.result) },
    text: outcomes
      .map(({ client: name, outcome }) => (options.remove ? outcome.text : `${name} ${outcome.text}`))
      .join("\n"),
  };
}

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
