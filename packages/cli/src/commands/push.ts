import { basename, resolve } from "node:path";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { HUB_PREFIX, isRevision, parseHubName, UsageError } from "@isthmus/core";
import type { PushedFile } from "@isthmus/distributed";
import { type PublishedCard, publishCard } from "@isthmus/recipe";
import { formatBytes, formatPairs } from "../format/format-table.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { collect } from "../options/parse-values.ts";
import { formatMeasured } from "../push/format-measured.ts";
import { listPushed, type PushList } from "../push/list-pushed.ts";
import {
  type CommonOptions,
  type Context,
  createVerb,
  formatExamples,
  type Outcome,
  type RunVerb,
} from "../verb.ts";

/** Options of the verb `push`. */
interface PushOptions extends CommonOptions {
  readonly branch: string;
  readonly revision?: string | undefined;
  readonly message?: string | undefined;
  readonly create?: true | undefined;
  readonly private?: true | undefined;
  readonly dryRun?: true | undefined;
  readonly results?: readonly string[] | undefined;
  readonly licence?: string | undefined;
  readonly baseModel?: readonly string[] | undefined;
}

/** Creates the command `isthmus push`. */
export function pushVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("push", HELP_GROUPS.done)
    .argument("<folder>", "a model's folder, such as isthmus merge writes")
    .argument("<repository>", "the repository on the hub: owner/name")
    .option("--dry-run", "list what would be sent, and show the card; nothing leaves this machine")
    .option("--create", "make the repository and the branch if they are missing")
    .option("--private", "with --create: a repository that others do not see")
    .addOption(
      new Option("--branch <name>", "branch that gets the commit, also called revision").default(
        "main" as string,
      ),
    )
    .addOption(new Option("--revision <name>", "the same as --branch").hideHelp())
    .option("--message <text>", "message of the commit (default: what the model was made by)")
    .option(
      "--results <file>",
      "a result of a verb that measures, as --json prints it: its numbers stand in the card; may be repeated",
      collect,
    )
    .option(
      "--licence <id>",
      "the licence in the card, such as apache-2.0 (default: the one that the merged models share)",
    )
    .option(
      "--base-model <name>",
      "a model that the folder was made of, if neither its recipe nor its card says; may be repeated",
      collect,
    )
    .addHelpText("after", EXAMPLES)
    .action((folder, repository, options) =>
      run(options, (context) => push(folder, repository, options, context)),
    );
}

const EXAMPLES = formatExamples(
  ["isthmus push merged me/merged --dry-run", "the files and the card, before anything is sent"],
  ["isthmus push merged me/merged --create --private", "a new repository that others do not see"],
  ["isthmus push merged me/merged --results barrier.json", "with the numbers of a measured barrier"],
  ["isthmus push merged me/merged --licence apache-2.0", "inputs of different licences: you choose"],
);

async function push(
  folder: string,
  repository: string,
  options: PushOptions,
  context: Context,
): Promise<Outcome> {
  const { name, branch } = placeOf(repository, options);
  const list = await listPushed(folder);
  if (!options.dryRun) await assertSettings(name);
  const measured = await formatMeasured(options.results ?? []);
  const card = await publishCard(folder, {
    name: basename(resolve(folder)),
    models: options.baseModel ?? [],
    licence: options.licence,
    measured,
  });
  const files = withCard(list.files, card);
  const { note } = context.terminal;
  for (const path of list.leftOut) note(`"${path}" stays here: it is hidden, or a link out of the folder.`);
  for (const warning of card.warnings) note(`warning: ${warning}`);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const told = {
    kind: "push",
    repository: name,
    branch,
    files: files.map(summary),
    bytes,
    ...outline(list, card),
  };
  if (options.dryRun)
    return { result: { ...told, commit: null, card: card.text }, text: formatPlan(files, card) };
  if (!options.quiet)
    note(`${files.length} files, ${formatBytes(bytes)}, are sent to ${name}, branch ${branch}.`);
  const pushed = await send(files, { name, branch }, options, context);
  return {
    result: { ...told, ...pushed },
    text: formatPairs([
      ["sent", `${files.length} files, ${formatBytes(bytes)}, as ${pushed.account}`],
      ["commit", pushed.commit],
      ["at", pushed.url],
      ["licence", card.licence ?? "none in the card"],
    ]),
  };
}

/** Repository and branch that get the commit. */
interface PushPlace {
  readonly name: string;
  readonly branch: string;
}

/** @throws UsageError if the repository or the branch is no name of one, or options contradict each other */
function placeOf(repository: string, options: PushOptions): PushPlace {
  const { create, private: isPrivate, licence } = options;
  const branch = options.revision ?? options.branch;
  const fail = (why: string) => new UsageError(`Cannot push to "${repository}" as ${why}`);
  const isPrefixed = repository.startsWith(HUB_PREFIX);
  const parsed = /^[^@]+$/.test(repository)
    ? parseHubName(isPrefixed ? repository : `${HUB_PREFIX}${repository}`)
    : undefined;
  if (parsed === undefined || parsed.file !== undefined || !parsed.name.includes("/"))
    throw fail(
      "a repository is named by its owner and its name: write owner/name, and the branch as --branch",
    );
  if (!isRevision(branch)) throw fail(`a branch must be a name of git: "${branch}" is not`);
  if (isPrivate && !create) throw fail("--private is for a new repository: add --create, or leave it out");
  if (licence !== undefined && !/^[a-z0-9][a-z0-9.-]{0,99}$/.test(licence))
    throw fail(`a licence is an identifier such as apache-2.0: "${licence}" is not`);
  return { name: parsed.name, branch };
}

function withCard(files: readonly PushedFile[], { text }: PublishedCard): readonly PushedFile[] {
  const card = { path: "README.md", size: Buffer.byteLength(text), content: { text } };
  return [card, ...files.filter(({ path }) => path !== card.path)];
}

function summary({ path, size }: PushedFile): Pick<PushedFile, "path" | "size"> {
  return { path, size };
}

function outline({ leftOut }: PushList, { inputs, licence, warnings }: PublishedCard) {
  return { leftOut, inputs, licence: licence ?? null, warnings };
}

/**
 * Checks, before anything is said to be sent, that there is a token and that it may be used.
 * @throws InputError if not
 */
async function assertSettings(name: string): Promise<void> {
  const { assertMayPush, readHubSettings } = await import("@isthmus/distributed");
  assertMayPush(await readHubSettings(process.env), name);
}

async function send(
  files: readonly PushedFile[],
  { name, branch }: PushPlace,
  { create, message, private: isPrivate }: PushOptions,
  { signal, progress, keepTelling, version }: Context,
) {
  const { pushFolder, readHubSettings } = await import("@isthmus/distributed");
  const stopTelling = keepTelling();
  try {
    return await pushFolder({
      settings: await readHubSettings(process.env),
      files,
      name,
      branch,
      message: message ?? `Upload a model by isthmus ${version}`,
      create: create === undefined ? undefined : isPrivate ? "private" : "public",
      signal,
      onProgress: (step, share) => progress(step, share),
    });
  } finally {
    stopTelling();
  }
}

function formatPlan(files: readonly PushedFile[], card: PublishedCard): string {
  const rows = files.map(({ path, size }) => [path, formatBytes(size)] as const);
  return [formatPairs(rows), "", "README.md:", "", card.text.trimEnd()].join("\n");
}
