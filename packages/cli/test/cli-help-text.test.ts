import { describe, expect, it } from "vitest";
import { runCli } from "../../../test/helpers/run-cli.ts";
import { ownVerbs } from "./own-verbs.ts";

/** Lists the words of a verb, and of the verbs that its help lists below it. */
async function* listHelps(words: readonly string[]): AsyncGenerator<string> {
  const { code, stdout } = await runCli([...words, "--help-all"], { env: { COLUMNS: "100" } });
  expect(code).toBe(0);
  yield `$ isthmus ${[...words, "--help-all"].join(" ")}\n${stdout}`;
  if (words.length === 0) return;
  const [, list = ""] = /^Verbs:\n((?: {2}.*\n)*)/m.exec(stdout) ?? [];
  for (const [, below = ""] of list.matchAll(/^ {2}([a-z-]+)/gm)) yield* listHelps([...words, below]);
}

describe("isthmus", () => {
  it("isthmus shows the help of every verb that it showed", async () => {
    const helps: string[] = [];
    for (const words of [[], ...ownVerbs().map((verb) => [verb])])
      for await (const help of listHelps(words)) helps.push(help);
    // Spaces that align columns are a fifth of the text.
    const text = helps.join("\n").replace(/ {3,}/g, "  ");
    await expect(text).toMatchFileSnapshot("golden/help.txt");
  });
});
