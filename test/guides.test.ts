import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { guideSteps, savedFiles } from "../tools/guide-steps.mjs";
import { freePort } from "./helpers/free-port.ts";
import { type CliRun, createRunner } from "./helpers/run-cli.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders: string[] = [];
const { run, end } = createRunner();
afterAll(() => {
  end();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Makes a folder with the networks that the Python of a guide made, and with the other files that it tells to save. */
function begin(guide: string) {
  const text = readFileSync(join(root, "docs", "start", `${guide}.md`), "utf8");
  const folder = mkdtempSync(join(tmpdir(), "isthmus-guide-"));
  folders.push(folder);
  const networks = join(root, "test", "fixtures", "start", guide);
  for (const name of readdirSync(networks)) copyFileSync(join(networks, name), join(folder, name));
  for (const [name, content] of savedFiles(text)) writeFileSync(join(folder, name), content);
  return { text, folder };
}

/** Runs a line `npx isthmus ...` of a guide. */
async function runLine(line: string, cwd: string): Promise<CliRun> {
  const result = await run(line.split(" ").slice(2), { cwd });
  expect(result.code, `${line}\n${result.stderr}`).toBe(0);
  return result;
}

/** Whether a line is a command of ours. */
const isOurs = (line: string): boolean => line.startsWith("npx isthmus ");
/** Whether commands are for a reader's own networks, on which own-networks.test.ts runs them. */
const isForReaders = (commands: readonly string[]): boolean =>
  commands.some((line) => line.includes("data.npz"));
const NUMBER = /-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?/g;

/** Expects the words of a guide, and its numbers to what another processor may change in them; drawn lines may bend. */
function expectPrinted(actual: string, shown: string): void {
  const rows = (text: string) =>
    text
      .split("\n")
      .map((row) => row.trim())
      .filter((row) => row !== "" && !/[\u2800-\u28ff]/.test(row))
      .map((row) => row.replace(/[█▉▊▋▌▍▎▏]+/g, "bar"));
  const words = (text: string) => rows(text).map((row) => row.replace(NUMBER, "N").replace(/\s+/g, " "));
  const numbers = (text: string) =>
    rows(text).flatMap((row) =>
      (row.match(NUMBER) ?? []).map((number) => Number(number.replaceAll(",", ""))),
    );
  expect(words(actual)).toEqual(words(shown));
  const printed = numbers(actual);
  numbers(shown).forEach((number, i) => {
    expect(Math.abs((printed[i] ?? Number.NaN) - number), shown).toBeLessThanOrEqual(
      0.02 * Math.abs(number) + 1e-3,
    );
  });
}

describe("docs/start", () => {
  it.each(["script", "study"])("the commands of %s.md print what it shows", async (guide) => {
    const { text, folder } = begin(guide);
    const steps = guideSteps(text).filter(({ commands }) => commands.some(isOurs) && !isForReaders(commands));
    expect(steps.length).toBeGreaterThanOrEqual(2);
    for (const { commands, printed } of steps) {
      const runs: CliRun[] = [];
      for (const line of commands.filter(isOurs)) runs.push(await runLine(line, folder));
      if (printed !== undefined) expectPrinted(runs.map(({ stdout }) => stdout).join("\n"), printed);
    }
  });

  it("the server and the clients of federation.md print what it shows", async () => {
    const { text, folder } = begin("federation");
    const port = String(await freePort());
    const steps = guideSteps(text).filter(({ commands }) => commands.some(isOurs));
    const [tokens, joins] = steps;
    const lines = (tokens?.commands ?? []).filter(isOurs);
    for (const line of lines.slice(0, 2)) await runLine(line, folder);
    const served = runLine(`${lines[2]} --port ${port} --linger 2`, folder);
    const clients = (joins?.commands ?? []).map((line) => runLine(line.replace("8080", port), folder));
    const [anna, server] = [(await Promise.all(clients))[0], await served];
    const shown = [...text.matchAll(/^```text\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
    expect(shown).toHaveLength(2);
    // Standard error has the rounds, standard output what became of them, and where the network of the client is.
    const said = `${anna?.stderr.replace(/^Training.*\n/gm, "")}${anna?.stdout.split("\n")[0]}`;
    expectPrinted(said, shown[0] ?? "");
    expectPrinted(server.stdout, shown[1] ?? "");
  });

  it("the languages of its blocks are those that readers are told of, and its files are saved under their names", () => {
    expect([...savedFiles(begin("script").text).keys()]).toEqual([
      "export.py",
      "train.py",
      "score.py",
      "merge.mjs",
    ]);
    expect([...savedFiles(begin("federation").text).keys()]).toEqual(["start.py", "digits.yml"]);
    expect([...savedFiles(begin("study").text).keys()]).toEqual(["seeds.py", "seeds.yaml"]);
  });
});
