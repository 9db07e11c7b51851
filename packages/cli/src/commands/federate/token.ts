import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { InputError } from "@isthmus/core";
import { addToken, readFederation, removeToken } from "@isthmus/federation-server";
import { createVerb, formatExamples, type Outcome, type RunVerb } from "../../verb.ts";

interface TokenVerbOptions {
  readonly for: string;
  readonly remove?: true | undefined;
}

/** Creates the command `isthmus federate token`. */
export function federateTokenVerb(run: RunVerb): CommandUnknownOpts {
  const summary = "Let a client into a federation, by a token of its own";
  return createVerb("token")
    .summary(summary)
    .description(`${summary}.`)
    .argument("<name>", "name of the client: letters, digits, - and _")
    .requiredOption("--for <file>", "the federation's file, in YAML")
    .option("--remove", "let the client in no longer")
    .addHelpText("after", EXAMPLES)
    .action((name, options) => run(options, () => changeToken(name, options)));
}

const EXAMPLES = formatExamples(
  [
    "isthmus federate token anna --for digits.yml",
    "prints a token for anna, which is stored nowhere; a second one replaces it",
  ],
  ["isthmus federate token anna --for digits.yml > anna.token", "into a file, for join --token-file"],
  ["isthmus federate token anna --for digits.yml --remove", "shut anna out, also while the server runs"],
);

async function changeToken(client: string, options: TokenVerbOptions): Promise<Outcome> {
  const { tokens } = await readFederation(options.for);
  if (options.remove) {
    if (await removeToken(tokens, client))
      return { result: { client, removed: true }, text: `removed ${client}` };
    throw new InputError(`Cannot remove "${client}" as there is no client of that name in "${tokens}"`, {
      input: client,
    });
  }
  const token = await addToken(tokens, client);
  return { result: { client, token }, text: token };
}
