import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Files in which a test keeps what it gives to a shell. */
export interface ShellFolder {
  /** Folder in which command lines are completed. */
  readonly cwd: string;
  /** Path of the script that completes isthmus. */
  readonly script: string;
}

/** Completes command lines with the cursor at their end, and lists the candidates of each. */
export type CompleteLines = (lines: readonly string[], folder: ShellFolder) => readonly (readonly string[])[];

/** Characters at which bash splits the words that it gives to a completion. */
const BREAKS = /[:=@]|[^\s:=@]+/g;

/** Calls the function that bash calls, with the words of the line as bash splits them. */
export const completeInBash: CompleteLines = (lines, { cwd, script }) => {
  const calls = lines.map((line) => {
    const words = [...line.matchAll(BREAKS)].map(([word]) => word);
    if (/[\s:=@]$/.test(line)) words.push("");
    const list = words.map(quote).join(" ");
    return `COMP_LINE=${quote(line)} COMP_POINT=${line.length} COMP_WORDS=(${list}) COMP_CWORD=${words.length - 1}
_isthmus && printf '%s\\n' "\${COMPREPLY[@]}"; echo ---`;
  });
  const program = [`source ${quote(script)}`, "complete -p isthmus >&2", ...calls].join("\n");
  return split(
    execFileSync("bash", ["--norc", "--noprofile", "-c", program], { cwd, encoding: "utf8", stdio: "pipe" }),
  );
};

/** Types the lines into a zsh in a terminal of its own, in which whatever is added as a candidate is written down. */
export const completeInZsh: CompleteLines = (lines, { cwd, script }) => {
  const [start, seen] = [join(cwd, "..", "start.zsh"), join(cwd, "..", "seen.txt")];
  writeFileSync(seen, "");
  writeFileSync(
    start,
    `PS1=; autoload -Uz compinit; compinit -u -D; source ${quote(script)}
zstyle ":completion:*" insert-tab false
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a added
  builtin compadd -A added "$@"
  (( $#added )) && print -rl -- $added >> ${quote(seen)}
  builtin compadd "$@"
}
finish() { BUFFER=; print -r -- --- >> ${quote(seen)} }
zle -N finish; bindkey "^I" complete-word; bindkey "^X" finish
cd ${quote(cwd)}; print -r -- --- >> ${quote(seen)}
`,
  );
  const program = [
    "export TERM=dumb; zmodload zsh/zpty; zpty inner zsh -f -i",
    "await() { while (( $(grep -c -- '^---$' $1) < $2 )); do zpty -rt inner drop; sleep .02; done }",
    `zpty -w inner source ${quote(start)}; await ${quote(seen)} 1`,
    ...lines.map((line, i) => `zpty -w -n inner ${quote(line)}$'\\t\\x18'; await ${quote(seen)} ${i + 2}`),
    `cat ${quote(seen)}`,
  ].join("\n");
  const written = execFileSync("zsh", ["-f", "-c", program], { cwd, encoding: "utf8", timeout: 60_000 });
  return split(written).slice(1);
};

/** Asks fish for its candidates. */
export const completeInFish: CompleteLines = (lines, { cwd, script }) => {
  const calls = lines.map((line) => `complete -C ${quote(line)} | string replace -r '\\t.*' ''; echo ---`);
  const program = [`source ${quote(script)}`, ...calls].join("\n");
  return split(execFileSync("fish", ["--no-config", "-c", program], { cwd, encoding: "utf8" }));
};

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function split(printed: string): string[][] {
  const lists = printed.split(/^---\n/m).slice(0, -1);
  return lists.map((list) =>
    [...new Set(list.split("\n"))]
      .map((word) => word.trim())
      .filter((word) => word !== "")
      .sort(),
  );
}
