import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Terminal } from "./terminal/terminal.ts";
import { formatExamples, type RunVerb } from "./verb.ts";
import { VERBS } from "./verbs.ts";

/** Options of {@link createProgram}. */
export interface ProgramOptions {
  readonly terminal: Terminal;
  readonly version: string;
  readonly run: RunVerb;
}

const DESCRIPTION =
  "Aligns, merges and measures neural-network checkpoints: two trained networks in, one good network out.";

/**
 * Creates the command line. Only the verb that `argv` names is loaded; the others are only listed, so that
 * help is shown at once.
 */
export async function createProgram(
  argv: readonly string[],
  { terminal, version, run }: ProgramOptions,
): Promise<CommandUnknownOpts> {
  const program: CommandUnknownOpts = new Command("isthmus")
    .description(DESCRIPTION)
    .usage("<verb> [options]")
    .version(version, "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help; isthmus <verb> --help shows the help of a verb")
    .helpCommand(false)
    .commandsGroup("Verbs:")
    .addHelpText(
      "after",
      formatExamples(
        ["isthmus demo", "see it work on two networks"],
        [
          "isthmus align a.safetensors b.safetensors --graph model.onnx -o b-aligned.safetensors",
          "align B to A",
        ],
        [
          "isthmus merge a.safetensors b.safetensors --align --graph model.onnx -o merged.safetensors",
          "merge them",
        ],
      ),
    );
  const verb = argv.find((word) => Object.hasOwn(VERBS, word));
  for (const [name, { summary, load }] of Object.entries(VERBS)) {
    const command = name === verb ? (await load())(run) : new Command(name);
    program.addCommand(command.summary(summary).description(`${summary}.`));
  }
  for (const command of [program, ...program.commands]) configure(command, terminal);
  return program;
}

function configure(command: CommandUnknownOpts, terminal: Terminal): void {
  const { parent } = command;
  const name = parent ? `isthmus ${command.name()}` : "isthmus";
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ helpWidth: Math.min(terminal.columns, 100), sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => terminal.print(text),
      writeErr: (text) => terminal.note(text.trimEnd()),
      outputError: (text, write) => write(`${name}: ${sentence(text)}; see ${name} --help`),
    });
}

/** Puts a message of commander, such as `error: unknown option '--x'\n(Did you mean --y?)`, on one line. */
function sentence(text: string): string {
  const [first = "", ...rest] = text
    .trim()
    .replace(/^error: /, "")
    .split("\n");
  const line = [first, ...rest].join(" ").replace(/\.$/, "");
  return line.charAt(0).toUpperCase() + line.slice(1);
}
