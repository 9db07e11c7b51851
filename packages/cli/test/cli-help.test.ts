import { describe, expect, it } from "vitest";
import { runCli } from "../../../test/helpers/run-cli.ts";
import { VERBS } from "../src/verbs.ts";

describe("help", () => {
  it("begins with five commands, each of a verb, before the groups of verbs", async () => {
    const { stdout } = await runCli(["--help"]);
    const [, lines = ""] = /\nTo begin with:\n(.*?)\n\n/s.exec(stdout) ?? [];
    const commands = lines.split("\n");
    expect(commands.length).toBe(5);
    for (const command of commands) {
      const [, verb = ""] = /^ {2}isthmus ([a-z-]+)/.exec(command) ?? [];
      expect(Object.keys(VERBS)).toContain(verb);
      expect(command.length).toBeLessThanOrEqual(80);
    }
    expect(stdout.indexOf("To begin with:")).toBeLessThan(stdout.indexOf("\n  merge "));
  });
});
