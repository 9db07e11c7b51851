import { entry } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { runCli } from "../../../test/helpers/run-cli.ts";
import { HELP_GROUPS, isRare } from "../src/options/help-groups.ts";
import { listVerbs, loadVerb } from "../src/verbs.ts";
import { ownVerbs } from "./own-verbs.ts";

/** Headings of a help, in their order, each with the options under it. */
function optionsIn(help: string): Map<string, string[]> {
  const [before = ""] = help.split("\nExamples:");
  const sections = [...before.matchAll(/^(\S[^\n]*:)\n((?: {2}[^\n]*\n?)+)/gm)];
  const headings = sections.map(([, heading = "", text = ""]): [string, string[]] => [
    heading,
    [...text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option = ""]) => option),
  ]);
  return new Map(headings.filter(([, options]) => options.length > 0));
}

const helpOf = async (verb: string, flag: string) => (await runCli([verb, flag])).stdout;

/** Verbs that take options themselves, and not only verbs below them. */
const names = ownVerbs().filter((name) => name !== "federate" && name !== "queue");

describe("help", () => {
  it("begins with five commands, each of a verb, before the groups of verbs", async () => {
    const { stdout } = await runCli(["--help"]);
    const [, lines = ""] = /\nTo begin with:\n(.*?)\n\n/s.exec(stdout) ?? [];
    const commands = lines.split("\n");
    expect(commands.length).toBe(5);
    for (const command of commands) {
      const [, verb = ""] = /^ {2}isthmus ([a-z-]+)/.exec(command) ?? [];
      expect(Object.keys(listVerbs())).toContain(verb);
      expect(command.length).toBeLessThanOrEqual(80);
    }
    expect(stdout.indexOf("To begin with:")).toBeLessThan(stdout.indexOf("\n  merge "));
  });

  it.each(names)(
    "%s: --help-all shows every option once, --help all but rare ones, and counts them",
    async (name) => {
      const command = await loadVerb(entry(new Map(Object.entries(listVerbs())), name), async () => {});
      const options = command.options.filter(({ hidden }) => !hidden);
      const rare = options.filter(isRare);
      const all = [...optionsIn(await helpOf(name, "--help-all")).values()].flat();
      const help = await helpOf(name, "--help");
      const shown = [...optionsIn(help).values()].flat();
      const own = (list: string[]) =>
        list.filter((option) => option !== "--help" && option !== "--help-all").sort();
      expect(own(all)).toEqual(options.map(({ long }) => long).sort());
      // One option alone is shown: to say that it is left out takes as many lines.
      const left = rare.length > 1 ? rare : [];
      expect(own(shown)).toEqual(
        options
          .filter((option) => !left.includes(option))
          .map(({ long }) => long)
          .sort(),
      );
      expect(all.includes("--help-all")).toBe(left.length > 0);
      const last = help.trimEnd().split("\n").at(-1) ?? "";
      const counts = `${left.length} more options: isthmus ${name} --help-all shows them, too.`;
      expect(last === counts).toBe(left.length > 0);
    },
  );

  it.each(names)(
    "%s: headings come in the order of the table, networks first and how it runs last",
    async (name) => {
      const known: readonly string[] = Object.values(HELP_GROUPS);
      for (const flag of ["--help", "--help-all"]) {
        const headings = [...optionsIn(await helpOf(name, flag)).keys()].filter((heading) =>
          known.includes(heading),
        );
        expect(headings).toEqual(known.filter((heading) => headings.includes(heading)));
        expect(headings.at(-1)).toBe(HELP_GROUPS.running);
      }
    },
  );

  it("barrier: common options come first, and those of learned alignments only with --help-all", async () => {
    const few = optionsIn(await helpOf("barrier", "--help"));
    const all = optionsIn(await helpOf("barrier", "--help-all"));
    expect([...few.keys()]).toEqual([
      "Networks and data:",
      "What is measured:",
      "Alignment:",
      "Statistics of norms:",
      "Output:",
      "Reading files:",
      "How it runs:",
    ]);
    expect([...all.keys()]).toEqual([...few.keys()]);
    expect(few.get("Networks and data:")).toEqual(["--graph", "--data"]);
    const alignment = few.get("Alignment:") ?? [];
    expect(alignment.slice(0, 2)).toEqual(["--align", "--alignment"]);
    expect(alignment).not.toContain("--match-steps");
    expect(all.get("Alignment:")?.slice(0, alignment.length)).toEqual(alignment);
    expect(all.get("Alignment:")).toContain("--match-steps");
  });

  it("suggests rare options for misspelt ones, and --help-all itself", async () => {
    const typed = ["barrier", "a.pt", "b.pt", "--data", "mnist"];
    const cases = [
      ["--match-stps", "--match-steps"],
      ["--unraed", "--unread"],
      ["--help-al", "--help-all"],
    ];
    for (const [wrong = "", meant = ""] of cases) {
      const { code, stderr } = await runCli([...typed, wrong]);
      expect(code).toBe(2);
      expect(stderr).toContain(`Unknown option '${wrong}' (Did you mean ${meant}?)`);
    }
  });

  it("--help-all is a --help for verbs that leave nothing out, for the program, and behind isthmus help", async () => {
    expect(await helpOf("inspect", "--help-all")).toBe(await helpOf("inspect", "--help"));
    expect((await runCli(["--help-all"])).stdout).toBe((await runCli(["--help"])).stdout);
    expect((await runCli(["federate", "--help-all"])).stdout).toBe(
      (await runCli(["federate", "--help"])).stdout,
    );
    expect((await runCli(["help", "align", "--help-all"])).stdout).toBe(await helpOf("align", "--help-all"));
    const { code, stderr } = await runCli(["inspekt", "--help-all"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/Unknown command 'inspekt' \(Did you mean inspect\?\)/);
  });
});
