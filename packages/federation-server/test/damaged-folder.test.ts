import { createHash } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { bodyOf, makeUpdate, type SmallFederation } from "./small-federation.ts";
import { createServing, type ServedSmall } from "./start-server.ts";

const serving = createServing();
afterEach(() => serving.close());

/** Sends the update of every client for a round, and waits for the next one. */
async function runRound(federation: ServedSmall, round: number): Promise<void> {
  for (const name of federation.tokens.keys()) await federation.client(name).task();
  for (const name of federation.tokens.keys()) {
    const client = federation.client(name);
    const { network } = await client.task(5);
    const body = await makeUpdate(name, round, await client.model(network));
    await client.upload(body);
    expect((await client.send(round, body)).status).toBe(200);
  }
  await expect.poll(() => federation.server.state.history.length).toBe(round);
}

/** Serves a federation whose server carries something from round to round, until two rounds are over. */
async function serveTwoRounds(): Promise<ServedSmall> {
  const federation = await serving.serve({ plan: { rounds: 4 }, server: "momentum" });
  for (const round of [1, 2]) await runRound(federation, round);
  return federation;
}

/** Changes one bit of a file, and sets its time of writing back to what it was. */
function flip(path: string): void {
  const { atime, mtime } = statSync(path);
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 3) ^ 0x40, bytes.length - 3);
  writeFileSync(path, bytes);
  utimesSync(path, atime, mtime);
}

const modelsOf = ({ config }: SmallFederation): string => join(config.folder, "models");
const lastNetwork = (federation: ServedSmall): string =>
  join(modelsOf(federation), `${federation.server.state.network}.safetensors`);
const lastState = (federation: ServedSmall): string => join(modelsOf(federation), "step-2.state.safetensors");

describe("a federation whose folder was changed", () => {
  it.each<[string, (federation: ServedSmall) => void, RegExp]>([
    [
      "a bit of the last network",
      (f) => flip(lastNetwork(f)),
      /must have the SHA-256 [\da-f]{64}: it has the SHA-256/,
    ],
    [
      "the last network is missing",
      (f) => rmSync(lastNetwork(f)),
      /\.safetensors" must have .*: it is missing/,
    ],
    [
      "a bit of the carried state",
      (f) => flip(lastState(f)),
      /step-2\.state\.safetensors" must have the SHA-256/,
    ],
    [
      "the carried state is missing",
      (f) => rmSync(lastState(f)),
      /step-2\.state\.safetensors" .*: it is missing; restore/,
    ],
  ])("is not gone on with: %s", async (_, change, message) => {
    const federation = await serveTwoRounds();
    await federation.server.close();
    change(federation);
    await expect(serving.reopen(federation)).rejects.toThrow(message);
  });

  it("goes on with files of rounds before, whatever is in them", async () => {
    const federation = await serveTwoRounds();
    await federation.server.close();
    flip(join(modelsOf(federation), "step-1.state.safetensors"));
    const again = await serving.reopen(federation);
    await runRound(again, 3);
    expect(again.server.state.history[2]).toMatchObject({ state: expect.stringMatching(/^[\da-f]{64}$/) });
  });

  it("ends with the reason if that is found out while it runs", async () => {
    const federation = await serveTwoRounds();
    flip(lastState(federation));
    const over = expect(federation.server.finished).rejects.toThrow(/step-2\.state\.safetensors" must have/);
    for (const name of federation.tokens.keys()) {
      const client = federation.client(name);
      const { network } = await client.task(5);
      const body = await makeUpdate(name, 3, await client.model(network));
      await client.upload(body);
      await client.send(3, body);
    }
    await over;
  });

  it("fails the round of an update that is not the one that was checked, says whose, and goes on", async () => {
    const federation = await serving.serve({ plan: { rounds: 2 } });
    for (const name of federation.tokens.keys()) await federation.client(name).task();
    const { network } = await federation.client("ada").task(5);
    const global = await federation.client("ada").model(network);
    for (const name of federation.tokens.keys()) {
      const body = await makeUpdate(name, 1, global);
      await federation.client(name).upload(body);
      await federation.client(name).send(1, body);
      const updates = join(federation.config.folder, "updates");
      if (name === "bea")
        for (const file of readdirSync(updates)) if (file.includes("bea")) flip(join(updates, file));
    }
    await expect.poll(() => federation.server.state.history.length).toBe(1);
    expect(federation.server.state.history[0]).toMatchObject({
      hash: network,
      failed: expect.stringMatching(
        /^Cannot aggregate the update of "bea" as its file must have the bytes that were checked, .*: it has the SHA-256 [\da-f]{64}$/,
      ),
    });
    await runRound(federation, 2);
    expect(federation.server.state).toMatchObject({ status: "finished" });
  });

  it("is refused by version if a later program began it, and gone on with if an earlier one did", async () => {
    const federation = await serving.serve({ plan: { rounds: 4 }, server: "momentum" });
    await runRound(federation, 1);
    await federation.server.close();
    const path = join(federation.config.folder, "journal.jsonl");
    const written = readFileSync(path, "utf8");
    const rewrite = (): void => {
      const lines = written
        .trimEnd()
        .split("\n")
        .map((line) => line.slice(17));
      const older = lines.map((json, i) => {
        const value = JSON.parse(json) as Record<string, unknown>;
        if (i === 0) value["version"] = 1;
        delete value["state"];
        const text = JSON.stringify(value);
        return `${createHash("sha256").update(text).digest("hex").slice(0, 16)} ${text}\n`;
      });
      writeFileSync(path, older.join(""));
    };
    rewrite();
    const again = await serving.reopen(federation);
    await runRound(again, 2);
    await again.server.close();
    // The first round said nothing of what it left, the second one does.
    const later = await serving.reopen(federation);
    expect(later.server.state.history.map(({ state }) => typeof state)).toEqual(["undefined", "string"]);
    await later.server.close();
    const [first = ""] = written.split("\n");
    const header = JSON.stringify({ ...(JSON.parse(first.slice(17)) as object), version: 3 });
    const sum = createHash("sha256").update(header).digest("hex").slice(0, 16);
    writeFileSync(path, `${sum} ${header}\n`);
    await expect(serving.reopen(federation)).rejects.toThrow(/of version 1 or 2: it is .* of version 3; use/);
  });
});

describe("the folder of a federation", () => {
  it("is for the user of the server alone, and what is in one that was for all before", async () => {
    const federation = await serving.serve();
    const { folder } = federation.config;
    const modeOf = (name: string): number => statSync(join(folder, name)).mode & 0o777;
    expect(modeOf("")).toBe(0o700);
    await federation.client("ada").upload(bodyOf(Buffer.from("x")));
    const [upload = ""] = readdirSync(join(folder, "uploads", "ada"));
    expect(modeOf(join("uploads", "ada", upload))).toBe(0o600);
    await federation.server.close();
    const folders = ["models", "updates", "uploads"];
    for (const name of ["", ...folders]) chmodSync(join(folder, name), 0o755);
    chmodSync(join(folder, "journal.jsonl"), 0o644);
    await serving.reopen(federation);
    expect([...folders, "journal.jsonl"].map(modeOf)).toEqual([0o700, 0o700, 0o700, 0o600]);
  });
});
