import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { InputError, openCheckpoint, readTextFile, saveCheckpoint, UsageError } from "@isthmus/core";
import {
  type ClientEvent,
  joinFederation,
  openClientData,
  REQUIREMENTS,
  type RequiredProtection,
} from "@isthmus/federation-server/client";
import { openEngine } from "../../open/open-engine.ts";
import { addEngineOption, type EngineOptions } from "../../options/engine-option.ts";
import { HELP_GROUPS } from "../../options/help-groups.ts";
import { parseBytes, parseChoices, parseCount, parseNumber, parseSeed } from "../../options/parse-values.ts";
import { assertOutput } from "../../output/assert-output.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../../verb.ts";

interface JoinVerbOptions extends EngineOptions {
  readonly data: string;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly folder?: string | undefined;
  readonly output?: string | undefined;
  readonly epochs?: number | undefined;
  readonly batch?: number | undefined;
  readonly optimizer?: "sgd" | "adam" | "adamw" | undefined;
  readonly lr?: number | undefined;
  readonly seed: number;
  readonly patience: number;
  readonly mostBytes?: number | undefined;
  readonly require?: readonly RequiredProtection[] | undefined;
  readonly leastClients: number;
  readonly leastNoise: number;
  readonly mostClip?: number | undefined;
  readonly identity?: string | undefined;
  readonly peers?: string | undefined;
}

/** Name of the environment variable that holds the token. */
const TOKEN_VARIABLE = "ISTHMUS_TOKEN";

/** Parses protections with commas between them, and adds them to those before: the option may be repeated. */
const parseRequired = (text: string, before: readonly RequiredProtection[] = []): RequiredProtection[] => [
  ...before,
  ...parseChoices(Object.keys(REQUIREMENTS) as RequiredProtection[])(text),
];

/** Creates the command `isthmus federate join`. */
export function federateJoinVerb(run: RunVerb): CommandUnknownOpts {
  const summary = "Take part in a federation: train on examples that stay on this machine";
  return addEngineOption(createJoinVerb())
    .summary(summary)
    .description(`${summary}.`)
    .addHelpText("after", EXAMPLES)
    .action((url, options) => run(options, (context) => takePart(url, options, context)));
}

const EXAMPLES = formatExamples(
  [
    "isthmus federate join http://127.0.0.1:8080 --data mnist:train@1..6000 --token-file anna.token",
    "train on the first 6,000 digits whenever the server asks",
  ],
  [
    "isthmus federate join https://federation.example --data idx:scans,labels --token-file anna.token --epochs 2 --lr 0.01 -o mine.safetensors",
    "otherwise than the server suggests; the last network goes to a file, with the layers that stay here",
  ],
  [
    "isthmus federate join https://federation.example --data mnist --token-file anna.token --require secure --least-clients 5",
    "send nothing that the server could read: only into sums of 5 clients or more",
  ],
  [
    "isthmus federate join https://federation.example --data mnist --token-file anna.token --require secure,noise --least-noise 0.5 --most-clip 1",
    "masked, and only as long as the federation promises noise of half the norm of 1 that updates are shortened to",
  ],
);

function createJoinVerb() {
  return createVerb("join", HELP_GROUPS.done)
    .argument("<url>", "address of the server")
    .requiredOption(
      "--data <name>",
      "examples, as of isthmus train; @FROM..TO takes those from one number, of 1, to another",
    )
    .option("--token <token>", `the token (default: of --token-file, or the variable ${TOKEN_VARIABLE})`)
    .option("--token-file <file>", "a file with the token, which other users of this machine cannot see")
    .option("--folder <folder>", "files on the way and layers that stay here (default: NAME.federation)")
    .option("-o, --output <file>", "the last network, a file ending in .safetensors")
    .option(
      "--epochs <n>",
      "times each example is seen in a round (default: as the server suggests)",
      parseCount(1),
    )
    .option("--batch <n>", "examples in a step (default: as the server suggests)", parseCount(1))
    .addOption(
      new Option("--optimizer <name>", "how weights change (default: as the server suggests)").choices([
        "sgd",
        "adam",
        "adamw",
      ] as const),
    )
    .option("--lr <rate>", "learning rate (default: as the server suggests)", parseNumber)
    .option("--seed <n>", "decides the order of examples", parseSeed, 0)
    .option("--patience <seconds>", "time for which the server may be away", parseNumber, 600)
    .option("--most-bytes <size>", "largest network or graph to download (default: 4GB)", parseBytes)
    .addOption(
      new Option(
        "--require <names...>",
        "send nothing, in any round, unless the server says so: updates are masked (secure) among clients that know each other (identity), or have noise of this client (private), or every network has noise (noise); several with commas",
      ).argParser(parseRequired),
    )
    .option(
      "--least-clients <n>",
      "fewest clients whose updates a sum may be of, with --require secure",
      parseCount(2),
      2,
    )
    .option(
      "--least-noise <multiplier>",
      "smallest noise multiplier, with --require private or noise",
      parseNumber,
      1,
    )
    .option(
      "--most-clip <norm>",
      "largest norm that updates are shortened to, with --require private or noise (default: any)",
      parseNumber,
    )
    .option(
      "--identity <file>",
      "private key that signs this client's keys of secure sums, and lists of survivors (Ed25519, PEM); insist on such sums by --peers",
    )
    .option(
      "--peers <folder>",
      "public keys of the others, NAME.pem: only into sums whose keys they signed, as --require identity",
    );
}

async function takePart(url: string, options: JoinVerbOptions, context: Context): Promise<Outcome> {
  const token = await readToken(options);
  const { output, epochs, batch, optimizer, lr, seed, patience } = options;
  if (output !== undefined) await assertOutput(output, []);
  const result = await joinFederation(url, {
    token,
    data: await openClientData(options.data),
    engine: await openEngine(options, context),
    // The name stands before the secret.
    folder: resolve(options.folder ?? `${token.split(".")[0]}.federation`),
    training: { epochs, batch, optimizer, learningRate: lr },
    seed,
    patience: patience * 1000,
    signal: context.signal,
    require: options.require ?? [],
    leastClients: options.leastClients,
    leastNoise: options.leastNoise,
    ...(options.mostBytes !== undefined && { mostBytes: options.mostBytes }),
    ...(options.mostClip !== undefined && { mostClip: options.mostClip }),
    identity: options.identity === undefined ? undefined : await readTextFile(options.identity),
    peers: options.peers === undefined ? undefined : await readPeers(options.peers),
    onEvent: (event) => tell(event, context),
  });
  const written = output === undefined ? result.network : await copyNetwork(result.network, output);
  const counted = `${result.rounds.length} updates of ${result.client} counted`;
  const failed = result.reason === null ? {} : { failure: `the federation failed: ${result.reason}` };
  return { result: { ...result, network: written }, text: `${counted}\nwrote ${written}`, ...failed };
}

async function readToken({ token, tokenFile }: JoinVerbOptions): Promise<string> {
  const read =
    token ?? (tokenFile === undefined ? process.env[TOKEN_VARIABLE] : await readTextFile(tokenFile));
  if (read !== undefined && read.trim() !== "") return read.trim();
  throw new UsageError(
    `Cannot join a federation without a token: give --token-file FILE, or set ${TOKEN_VARIABLE}; the server's owner makes it by: isthmus federate token NAME --for FILE.yml -o NAME.token`,
  );
}

/** Reads the public keys of a folder, each in a file of the client's name. */
async function readPeers(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new InputError(`Cannot read the keys of other clients as "${folder}" must be a folder`, {
      input: folder,
      cause,
    });
  });
  const keys = names.filter((name) => name.endsWith(".pem"));
  return Object.fromEntries(
    await Promise.all(
      keys.map(async (name) => [name.slice(0, -".pem".length), await readTextFile(join(folder, name))]),
    ),
  );
}

async function copyNetwork(path: string, output: string): Promise<string> {
  const network = await openCheckpoint(path);
  try {
    return (await saveCheckpoint(network, output, { overwrite: true })).path;
  } finally {
    await network.close();
  }
}

function tell(event: ClientEvent, { terminal, progress }: Context): void {
  switch (event.kind) {
    case "joined":
      terminal.note(`joined "${event.federation}" as ${event.client}, of ${event.rounds} rounds`);
      break;
    case "training":
      progress(`Training for round ${event.round}`, event.done);
      break;
    case "sent":
      terminal.note(`round ${event.round}: sent; the network's loss here was ${event.loss.toPrecision(4)}`);
      break;
    case "secure":
      progress(`Secure sum of round ${event.round}: ${event.step}`);
      break;
    case "cut":
      terminal.note(
        `round ${event.round}: ${event.elements} numbers of the update were cut to ${event.range}, the range of the secure sum`,
      );
      break;
    case "refused":
      terminal.note(`round ${event.round}: ${event.reason}`);
      break;
    case "lost":
      terminal.note(`the server does not answer, trying again for ${event.secondsLeft} s: ${event.reason}`);
      break;
    case "waiting":
      progress(`Waiting: ${event.reason}`);
      break;
  }
}
