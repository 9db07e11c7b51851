import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createRandom, createTensor, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { addToken, readFederation } from "@isthmus/federation-server";
import { encodeGraph } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { makeSelfSigned } from "../../../test/helpers/self-signed.ts";

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-federate-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** Writes two clouds of points that a small network can tell apart. */
async function writeClouds(path: string): Promise<void> {
  const random = createRandom(3);
  const y = Int32Array.from({ length: 200 }, (_, i) => i % 2);
  const x = Float32Array.from({ length: 800 }, (_, i) => random.normal() + (y[i >> 2] === 0 ? 1.5 : -1.5));
  const tensors = { x: createTensor("f32", [200, 4], x), y: createTensor("i32", [200], y) };
  await saveCheckpoint(createCheckpoint(tensors), path);
}

/** Serves a federation; resolves to its address and to the result once it is over. */
function serve(args: readonly string[]): {
  url: Promise<string>;
  result: Promise<{ code: number | null; stdout: string }>;
} {
  const bin = new URL("../bin/isthmus.js", import.meta.url).pathname;
  const child = spawn(process.execPath, [bin, "federate", "serve", ...args], { cwd: folder });
  children.push(child);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  const url = new Promise<string>((resolve) => {
    child.stderr.on("data", (text) => {
      stderr += text;
      const [, address] = /address for clients: (\S+)/.exec(stderr) ?? [];
      if (address !== undefined) resolve(address);
    });
  });
  const result = new Promise<{ code: number | null; stdout: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout }));
  });
  return { url, result };
}

describe("isthmus federate", () => {
  it("serves a federation that two clients take part in, as a newcomer would start it", async () => {
    await writeClouds(join(folder, "clouds.safetensors"));
    const cwd = { cwd: folder };
    const data = "safetensors:clouds.safetensors";
    const train = [
      "train",
      "--net",
      "mlp:8",
      "--data",
      data,
      "--epochs",
      "0",
      "-o",
      "start.safetensors",
      "-q",
    ];
    expect((await runCli(train, cwd)).code).toBe(0);
    writeFileSync(
      join(folder, "clouds.yml"),
      `name: Clouds\nnetwork: start.safetensors\ngraph: start.onnx\nrounds: 2\nevaluate: ${data}\ntraining: { batch: 20 }\nport: 0\n`,
    );
    for (const name of ["anna", "bert"]) {
      const file = `${name}.token`;
      const { stdout } = await runCli(["federate", "token", name, "--for", "clouds.yml", "-o", file], cwd);
      expect(stdout).toContain(`wrote ${file}`);
      expect(stdout).not.toContain(readFileSync(join(folder, file), "utf8").trim());
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    }
    const served = serve(["clouds.yml", "-o", "final.safetensors", "--linger", "5", "--json"]);
    const url = await served.url;
    const joinAs = (name: string, range: string) =>
      runJson<{ rounds: number[]; network: string }>(
        [
          "federate",
          "join",
          url,
          "--data",
          `${data}@${range}`,
          "--token-file",
          `${name}.token`,
          "-o",
          `${name}.safetensors`,
          "-q",
        ],
        cwd,
      );
    const [anna, bert] = await Promise.all([joinAs("anna", "0-100"), joinAs("bert", "100-200")]);
    expect([anna.rounds, bert.rounds]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    const { code, stdout } = await served.result;
    expect(code).toBe(0);
    const { status, rounds } = JSON.parse(stdout) as {
      status: string;
      rounds: { metrics: { accuracy: number } }[];
    };
    expect([status, rounds.length]).toEqual(["finished", 2]);
    expect(rounds[1]?.metrics.accuracy).toBeGreaterThan(0.9);
    const [final, own] = await Promise.all(
      ["final", "anna"].map((name) => openCheckpoint(join(folder, `${name}.safetensors`))),
    );
    for (const name of final?.tensors.keys() ?? [])
      expect(await own?.read(name)).toEqual(await final?.read(name));
    await Promise.all([final?.close(), own?.close()]);
    expect(readFileSync(join(folder, "clouds.tokens.json"), "utf8")).not.toContain(
      readFileSync(join(folder, "anna.token"), "utf8").trim().split(".")[1],
    );
  });

  it("serves over TLS, to clients that are told the certificate", async () => {
    const { key, cert } = makeSelfSigned();
    writeFileSync(join(folder, "key.pem"), key);
    writeFileSync(join(folder, "cert.pem"), cert);
    await writeClouds(join(folder, "clouds.safetensors"));
    const data = "safetensors:clouds.safetensors";
    const { graph, initialize } = parseNetwork("mlp:8", { exampleShape: [4], classes: 2 });
    await saveCheckpoint(initialize(0), join(folder, "start.safetensors"));
    writeFileSync(join(folder, "start.onnx"), encodeGraph(graph));
    const file = join(folder, "secure.yml");
    writeFileSync(
      file,
      "network: start.safetensors\ngraph: start.onnx\nrounds: 1\nquorum: 1\ntls: { key: key.pem, cert: cert.pem }\nport: 0\n",
    );
    const token = await addToken((await readFederation(file)).tokens, "anna");
    const served = serve(["secure.yml", "--linger", "60"]);
    const url = await served.url;
    expect(url).toMatch(/^https:/);
    // A process of its own, as Node reads the certificates when it starts.
    const joined = await runAlone(["federate", "join", url, "--data", data, "-q", "--json"], {
      cwd: folder,
      env: { ISTHMUS_TOKEN: token, NODE_EXTRA_CA_CERTS: join(folder, "cert.pem") },
    });
    expect(joined, joined.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(joined.stdout)).toMatchObject({ rounds: [1] });
  });

  it("says when a token takes the place of another one", async () => {
    writeFileSync(join(folder, "good.yml"), "network: x\n");
    const token = (...args: string[]) =>
      runCli(["federate", "token", "anna", "--for", "good.yml", ...args], { cwd: folder });
    const first = await token();
    expect([first.code, first.stderr]).toEqual([0, ""]);
    const second = await token();
    expect([second.code, second.stderr]).toEqual([0, "replaces the token of anna\n"]);
    expect(second.stdout).toMatch(/^anna\.[\w-]+\n$/);
    expect(JSON.parse((await token("--json")).stdout)).toMatchObject({ client: "anna", replaced: true });
  });

  it("makes tokens of several clients at once, and removes them", async () => {
    writeFileSync(join(folder, "several.yml"), "network: start.safetensors\n");
    const token = (...args: string[]) =>
      runCli(["federate", "token", "cleo", "dora", "--for", "several.yml", ...args], { cwd: folder });
    expect((await token()).stdout).toMatch(/^cleo cleo\.\S+\ndora dora\.\S+\n$/);
    expect(await token("-o", "one.token")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("each client must get its own"),
    });
    expect((await token("--remove")).stdout).toBe("removed cleo\nremoved dora\n");
  });

  it("explains what is wrong", async () => {
    writeFileSync(join(folder, "bad.yml"), "network: x\nround: 3\n");
    const run = (...args: string[]) => runCli(["federate", ...args], { cwd: folder });
    const bad = await run("serve", "bad.yml");
    expect([bad.code, bad.stderr]).toEqual([
      2,
      expect.stringContaining('unknown key "round"; did you mean "rounds"?'),
    ]);
    const none = await run("join", "http://127.0.0.1:1", "--data", "mnist:test@10");
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("without a token")]);
    writeFileSync(join(folder, "good.yml"), "network: x\n");
    const name = await run("token", "a b", "--for", "good.yml");
    expect([name.code, name.stderr]).toEqual([2, expect.stringContaining("must be 1 to 64 letters")]);
    const help = await run("serve", "--help");
    expect(help.stdout).toContain("isthmus federate serve digits.yml");
    expect(help.stdout).toMatch(/^ {2}multi-krum +\S/m);
    const aggregating = await run("aggregate", "--help");
    expect(aggregating.stdout).toMatch(/^ {2}trimmed-mean +\S/m);
    expect(aggregating.stdout).toMatch(/"global", "each-other"\)/);
    const twoWords = ["--align", "each other", "--graph", "none.onnx", "-o", "next.safetensors"];
    const spelled = await run("aggregate", "none.safetensors", "none.safetensors", ...twoWords);
    expect(spelled.stderr).toContain("none.safetensors");
  });

  it("aggregates adapters in folders of PEFT, each by its own scale", async () => {
    const write = async (name: string, rank: number, value: number) => {
      const path = join(folder, name);
      mkdirSync(path, { recursive: true });
      const settings = { peft_type: "LORA", r: rank, lora_alpha: 4, target_modules: ["q"] };
      writeFileSync(join(path, "adapter_config.json"), JSON.stringify(settings));
      const tensors = {
        "base_model.model.q.lora_A.weight": createTensor(
          "f32",
          [rank, 3],
          new Float32Array(3 * rank).fill(1),
        ),
        "base_model.model.q.lora_B.weight": createTensor(
          "f32",
          [2, rank],
          new Float32Array(2 * rank).fill(value),
        ),
      };
      await saveCheckpoint(createCheckpoint(tensors), join(path, "adapter_model.safetensors"));
    };
    await write("lora", 2, 0);
    await write("anna/lora", 1, 1);
    await write("bert/lora", 2, 2);
    const aggregated = ["federate", "aggregate", "lora", "anna/lora", "bert/lora", "-o", "next.safetensors"];
    const { clients } = await runJson<{ clients: { client: string }[] }>(aggregated, { cwd: folder });
    expect(clients.map(({ client }) => client)).toEqual(["anna/lora", "bert/lora"]);
    const network = await openCheckpoint(join(folder, "next.safetensors"));
    const [a, b] = [
      (await network.read("base_model.model.q.lora_A.weight")).data as Float32Array,
      (await network.read("base_model.model.q.lora_B.weight")).data as Float32Array,
    ];
    await network.close();
    // Products 4/1 * 1 * 1 and 4/2 * 2 * 2 in each element, whose mean is 6, at the scale 4/2 of the network.
    expect(2 * (b[0] as number) * (a[0] as number)).toBeCloseTo(6, 5);
    // Into a folder goes an adapter that PEFT loads, and that the next round begins with, in its place too.
    await runJson([...aggregated.slice(0, -1), "next/"], { cwd: folder });
    await runJson(["federate", "aggregate", "next", "anna/lora", "-o", "after"], { cwd: folder });
    expect(readdirSync(join(folder, "after"))).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
    const [whole, placed] = ["next.safetensors", "next/adapter_model.safetensors"].map((name) =>
      readFileSync(join(folder, name)),
    );
    expect(placed?.equals(whole as Buffer)).toBe(true);
    const adam = await runCli([...aggregated, "--server", "adam"], { cwd: folder });
    expect([adam.code, adam.stderr]).toEqual([2, expect.stringContaining('choose "average" or "momentum"')]);
    // Weights without settings have those of the network; a network without settings has none for its clients.
    const weights = "bert/lora/adapter_model.safetensors";
    const noted = await runCli(["federate", "aggregate", "lora", weights, "-o", "noted"], { cwd: folder });
    expect([noted.code, noted.stderr]).toEqual([0, expect.stringContaining(`beside ${weights}: the scale`)]);
    const bare = await runCli(["federate", "aggregate", weights, "lora", "-o", "b.safetensors"], {
      cwd: folder,
    });
    expect([bare.code, bare.stderr]).toEqual([
      2,
      expect.stringContaining('that of "lora" is, by its adapter_'),
    ]);
  });
});
