import { Argument, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { formatBashScript } from "../completion/bash-script.ts";
import { type CompletedVerb, describeVerb } from "../completion/completed-verb.ts";
import { formatFishScript } from "../completion/fish-script.ts";
import { SHELLS, type Shell } from "../completion/template.ts";
import { formatZshScript } from "../completion/zsh-script.ts";
import { createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

const FORMATS: Readonly<Record<Shell, (program: CompletedVerb) => string>> = {
  bash: formatBashScript,
  zsh: formatZshScript,
  fish: formatFishScript,
};

/** Creates the command `isthmus completion`. */
export function completionVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("completion")
    .addArgument(new Argument("<shell>", "the shell that the script is for").choices(SHELLS))
    .addHelpText("after", EXAMPLES)
    .action((shell, options, command) => run(options, async () => writeScript(shell, command)));
}

const EXAMPLES = formatExamples(
  [
    "isthmus completion bash > ~/.local/share/bash-completion/completions/isthmus",
    "bash, with the package bash-completion; without: source the file in ~/.bashrc",
  ],
  ["isthmus completion zsh > ~/.zfunc/_isthmus", "zsh, with fpath+=(~/.zfunc) before compinit in ~/.zshrc"],
  ["isthmus completion fish > ~/.config/fish/completions/isthmus.fish", "fish"],
  ["isthmus completion bash --use mine.mjs > completions", "with the measurements of your own"],
);

/** Writes the script from the options and verbs of the program that the command belongs to. */
function writeScript(shell: Shell, command: CommandUnknownOpts): Outcome {
  const script = FORMATS[shell](describeVerb(command.parent ?? command));
  return { result: { shell, script }, text: script.trimEnd() };
}
