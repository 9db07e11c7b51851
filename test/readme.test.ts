import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { readYamlFile } from "@isthmus/forms";
import { describe, expect, it } from "vitest";
import { documentsOf } from "../tools/code-blocks.mjs";
import { runCli } from "./helpers/run-cli.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const pages = documentsOf("docs");

/** How tests look at the blocks of each language, or why they cannot. */
const LANGUAGES: Readonly<Record<string, string>> = {
  ts: "each runs: test/examples.test.ts",
  sh: "verbs, options and outputs are those of the help: below",
  yaml: "each is read: below",
  text: "what commands print",
  python: "cannot run, as it needs PyTorch, which does not come from npm",
};

/** Verbs that have verbs below them. */
const GROUPS = new Set(["federate", "queue"]);

/** Words and options of a text's commands `isthmus VERB ...`, the options with their dashes. */
function commandsIn(
  text: string,
): { readonly verb: readonly string[]; readonly options: readonly string[] }[] {
  // An option of the program, such as --use, may stand before the verb, which may then be one of the user's own.
  const commands = [...text.matchAll(/(?:^|`)(?:npx )?isthmus ([a-z][a-z-]+)([^`\n|#]*)/gm)];
  return commands.map(([, verb = "", rest = ""]) => {
    const [, below] = /^ ([a-z-]+)/.exec(rest) ?? [];
    return {
      verb: GROUPS.has(verb) && below !== undefined ? [verb, below] : [verb],
      options: rest.match(/(?<=\s)--[a-z-]+/g) ?? [],
    };
  });
}

/** Verbs of a text's commands that begin with their verb, and what `-o` names in each. */
function outputsIn(text: string): { readonly verb: string; readonly output: string }[] {
  const joined = text.replace(/\\\n\s*/g, "");
  const commands = [
    ...joined.matchAll(/(?:^|`|&&)\s*(?:npx )?isthmus ([a-z][a-z-]+)((?:(?!&&)[^`\n|#])*)/gm),
  ];
  return commands.flatMap(([, verb = "", rest = ""]) => {
    const [, output] = / -o ([^\s"']+)/.exec(rest) ?? [];
    return output === undefined || GROUPS.has(verb) ? [] : [{ verb, output }];
  });
}

/** Checks that what `-o` names in a text's commands ends as the help of their verbs says that it must. */
async function expectOutputsFit(text: string): Promise<number> {
  const outputs = outputsIn(text);
  for (const { verb, output } of outputs) {
    const { stdout } = await runCli([verb, "--help"]);
    const [, words = ""] = /\n {2}-o, --output (.*?)\n(?: {2}-|\n)/s.exec(stdout) ?? [];
    const ending = extname(output);
    expect(words, `isthmus ${verb} -o ${output}`).toMatch(
      ending === "" ? /folder|<name>/ : new RegExp(`\\${ending}\\b`),
    );
  }
  return outputs.length;
}

/** Lists the verbs that the help of the program names, in its order. */
function verbsIn(help: string): string[] {
  return [...help.matchAll(/^ {2}([a-z-]+) {2,}/gm)].map(([, verb = ""]) => verb);
}

/** Lists the groups of verbs that the help of the program shows, each with its verbs. */
function groupsIn(help: string): [title: string, verbs: string[]][] {
  const groups = [...help.matchAll(/^(\S[^\n]*):\n((?: {2}[^\n]*\n?)+)/gm)];
  return groups
    .map(([, title = "", text = ""]): [string, string[]] => [title, verbsIn(text)])
    .filter(([, verbs]) => verbs.length > 0);
}

describe("README.md and docs/", () => {
  it("README.md is read in one sitting", () => {
    expect(readme.split("\n").length).toBeLessThanOrEqual(90);
  });

  it("README.md begins with the commands that the help begins with", async () => {
    const { stdout } = await runCli(["--help"]);
    const commands = [...stdout.matchAll(/^ {2}(isthmus .*?) {2,}\S/gm)].map(([, command = ""]) => command);
    expect(commands.length).toBe(5);
    expect(readme).toContain(commands.join("\n"));
  });

  it("docs/commands.md lists every verb once, and only verbs, in the groups of the help", async () => {
    const { stdout } = await runCli(["--help"]);
    const groups = groupsIn(stdout);
    expect(groups.length).toBeLessThanOrEqual(6);
    expect(groups.flatMap(([, verbs]) => verbs).length).toBeGreaterThan(30);
    const sections = readFileSync(join(root, "docs", "commands.md"), "utf8")
      .split(/^## /m)
      .slice(1);
    expect(
      sections.map((text) => [
        text.split("\n")[0],
        [...text.matchAll(/^\| `isthmus ([a-z-]+)/gm)].map(([, verb]) => verb),
      ]),
    ).toEqual(groups);
  });

  it("README.md shows the lines of Python that docs/python.md begins with, which run in its tests", () => {
    const [block = "none"] =
      /```python\n[\s\S]*?```/.exec(readFileSync(join(root, "docs", "python.md"), "utf8")) ?? [];
    expect(readme).toContain(block);
    expect(block.split("\n").length).toBeLessThanOrEqual(14);
  });

  it("README.md names the addresses of package.json", () => {
    const { homepage } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const addresses = [...readme.matchAll(/\]\((https:[^)]+)\)/g)].map(([, address = ""]) => address);
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses) expect(address.startsWith(homepage), address).toBe(true);
  });

  it.each(["README.md", ...pages])("%s names options that its verbs have", async (path) => {
    const program = await runCli(["--help"]);
    for (const { verb, options } of commandsIn(readFileSync(join(root, path), "utf8"))) {
      const { code, stdout } = await runCli([...verb, "--help-all"]);
      expect(code, verb.join(" ")).toBe(0);
      // Options of the program, such as --use, may stand behind any verb.
      for (const option of options) expect(program.stdout + stdout, verb.join(" ")).toContain(option);
    }
  });

  it("README.md and docs/ write files that their verbs write", async () => {
    const texts = ["README.md", ...pages];
    for (const path of texts) await expectOutputsFit(readFileSync(join(root, path), "utf8"));
  });

  it("helps write lists as they are to be typed", async () => {
    const { stdout } = await runCli(["--help"]);
    for (const verb of verbsIn(stdout)) {
      const help = await runCli([verb, "--help-all"]);
      expect(help.stdout.replace(/\s+/g, " "), verb).not.toContain("(default: [");
    }
  });

  it("examples of helps write files that their verbs write", async () => {
    const { stdout } = await runCli(["--help"]);
    let outputs = 0;
    for (const verb of verbsIn(stdout)) {
      const help = await runCli([verb, "--help"]);
      outputs += await expectOutputsFit(help.stdout.split("Examples:")[1] ?? "");
    }
    expect(outputs).toBeGreaterThan(40);
  });

  it.each(["README.md", "CONTRIBUTING.md", ...pages])(
    "%s links to files that are in the repository",
    (path) => {
      const tracked = new Set(execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).split("\n"));
      const folders = new Set([...tracked].flatMap((file) => [dirname(file), dirname(dirname(file))]));
      const links = [...readFileSync(join(root, path), "utf8").matchAll(/\]\(([^)#]+)\)/g)].map(
        ([, target = ""]) => target,
      );
      for (const link of links.filter((target) => !/^[a-z]+:/.test(target))) {
        const target = normalize(join(dirname(path), link));
        expect(tracked.has(target) || folders.has(target), link).toBe(true);
      }
    },
  );

  it("the picture is small, and what the tool named beside it draws", () => {
    const [, picture = ""] = /!\[[^\]]+\]\(([^)]+\.svg)\)/.exec(readme) ?? [];
    expect(statSync(join(root, picture)).size).toBeLessThan(60_000);
    const [, tool = ""] = /`(tools\/[a-z-]+\.mjs)` draws this picture/.exec(readme) ?? [];
    expect(existsSync(join(root, tool))).toBe(true);
    expect(readFileSync(join(root, tool), "utf8")).toContain(`"${picture.split("/").at(-1)}"`);
  });

  it.each(["README.md", ...pages])("%s has blocks of languages that tests look at, or cannot run", (path) => {
    const text = readFileSync(join(root, path), "utf8");
    const languages = [...text.matchAll(/^ *```(?!$)(.*)\n[\s\S]*?^ *```$/gm)].map(
      ([, language]) => language,
    );
    expect(Object.keys(LANGUAGES)).toEqual(expect.arrayContaining([...new Set(languages)]));
  });

  it("README.md and docs/ have YAML that can be read", async () => {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-yaml-"));
    let count = 0;
    for (const path of ["README.md", ...pages]) {
      const blocks = readFileSync(join(root, path), "utf8").matchAll(/^```yaml\n([\s\S]*?)^```$/gm);
      for (const [, block = ""] of blocks) {
        const file = join(folder, `${++count}.yaml`);
        writeFileSync(file, block);
        expect((await readYamlFile(file, `example of ${path}`)).value).toBeTypeOf("object");
      }
    }
    rmSync(folder, { recursive: true });
    expect(count).toBeGreaterThan(5);
  });
});
