import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCheckpoint, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import type { MachineDescription } from "@isthmus/engine";
import { describe, expect, it } from "vitest";
import { encodeStripes } from "../../../test/helpers/encode-stripes.ts";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { hasSwiftShader, NO_DRIVER, SWIFTSHADER } from "../../../test/helpers/swiftshader.ts";

const SIMULATION = `title: Stripes
federation: { net: "mlp:4", data: "npz:stripes.npz:train", evaluate: "npz:stripes.npz:test", clients: 4, rounds: 1 }
`;

let folder = "";
inFreshFolders((made) => {
  folder = made;
  writeFileSync(join(folder, "stripes.npz"), encodeStripes());
  writeFileSync(join(folder, "plain.yaml"), SIMULATION);
  writeFileSync(join(folder, "named.yaml"), `device: webgpu\n${SIMULATION}`);
});

const TRAIN = ["train", "--net", "mlp:4", "--data", "npz:stripes.npz:train", "--epochs", "1"];

describe("isthmus doctor", () => {
  it("isthmus doctor tries each device, and says what is missing for those that do not work", async () => {
    const machine = await runJson<MachineDescription>(["doctor"]);
    expect(machine.node).toBe(process.version);
    expect(machine.engine).toMatch(/^onnxruntime/);
    expect(machine.threads).toBeGreaterThan(0);
    expect(machine.devices.map(({ device }) => device)).toEqual(["webgpu", "cuda", "directml", "coreml"]);
    for (const { works, missing } of machine.devices) expect(works).toBe(missing === undefined);
    const { stdout } = await runCli(["doctor"]);
    expect(stdout).toMatch(/^cpu +works$/m);
    for (const { device, missing = "works" } of machine.devices) {
      const line = stdout.split("\n").find((text) => text.startsWith(`${device} `));
      expect(line).toContain(missing);
    }
  });
});

describe("--device", () => {
  it("is part of the key of a task, and a simulation's file can name it", async () => {
    const keysOf = async (...words: string[]) => {
      const listed = ["federate", "simulate", ...words, "--list"];
      const { missing } = await runJson<{ missing: { key: string }[] }>(listed, { cwd: folder });
      return missing.map(({ key }) => key);
    };
    const here = await keysOf("plain.yaml");
    const there = await keysOf("plain.yaml", "--device", "webgpu");
    expect(there).toHaveLength(here.length);
    expect(there).not.toEqual(here);
    expect(await keysOf("plain.yaml", "--device", "cpu")).toEqual(here);
    expect(await keysOf("named.yaml")).toEqual(there);
    expect(await keysOf("named.yaml", "--device", "cpu")).toEqual(here);
  });

  it("is refused beside an engine that has none, and in a name that is none", async () => {
    const tfjs = await runCli([...TRAIN, "-o", "a.safetensors", "--engine", "tfjs", "--device", "webgpu"], {
      cwd: folder,
    });
    expect(tfjs.code).toBe(2);
    expect(tfjs.stderr).toContain(
      'Cannot compute on device "webgpu" by engine "tfjs" as only onnxruntime has devices',
    );
    expect((await runCli([...TRAIN, "-o", "a.safetensors", "--device", "gpu"], { cwd: folder })).code).toBe(
      2,
    );
  });

  it.skipIf(!hasSwiftShader)("without a driver is an error that says what to get; auto goes on", async () => {
    const options = { cwd: folder, env: NO_DRIVER };
    const named = await runAlone([...TRAIN, "-o", "a.safetensors", "--device", "webgpu"], options);
    expect(named.code).toBe(2);
    // The sentence says what the loader of drivers said; its own words on the terminal would hide it.
    expect(named.stderr).not.toMatch(/Warning|vkCreateInstance/);
    expect(named.stderr).toContain(
      'Cannot compute on device "webgpu" as it needs a driver of the graphics card',
    );
    expect(existsSync(join(folder, "a.safetensors"))).toBe(false);
    const auto = await runAlone([...TRAIN, "-o", "a.safetensors", "--device", "auto"], options);
    expect(auto.code).toBe(0);
    expect(auto.stderr.match(/Graphs run on the processor, as no other device works here/g)).toHaveLength(1);
    const here = await runAlone([...TRAIN, "-o", "b.safetensors"], options);
    expect(here.code).toBe(0);
    const [there, own] = ["a", "b"].map((name) => readFileSync(join(folder, `${name}.safetensors`)));
    expect(own !== undefined && there?.equals(own)).toBe(true);
  });

  it.skipIf(!hasSwiftShader)(
    "is given up for the processor by --resume if the process dies half-way, and nothing is lost",
    { timeout: 300_000 },
    async () => {
      const words = [...TRAIN.slice(0, -2), "--epochs", "60", "--lr", "0.001", "--quiet"];
      const states: boolean[] = [];
      const killed = await runAlone([...words, "-o", "killed.safetensors", "--device", "webgpu"], {
        cwd: folder,
        env: SWIFTSHADER,
        onStart(child) {
          const timer = setInterval(() => {
            if (!existsSync(join(folder, "killed.state.safetensors"))) return;
            clearInterval(timer);
            states.push(child.kill("SIGKILL"));
          }, 5);
        },
      });
      expect(states, killed.stderr).toEqual([true]);
      expect(killed.code).toBeNull();
      expect(existsSync(join(folder, "killed.safetensors"))).toBe(false);
      const options = { cwd: folder };
      const resume = [...words, "-o", "killed.safetensors", "--resume", "--device", "cpu"];
      const resumed = await runJson<{ resumedAt: number; loss: number }>(resume, options);
      const whole = await runJson<{ loss: number }>([...words, "-o", "whole.safetensors"], options);
      expect(resumed.resumedAt).toBeGreaterThan(0);
      expect(Math.abs(resumed.loss - whole.loss)).toBeLessThan(1e-5 * whole.loss);
    },
  );

  it.skipIf(!hasSwiftShader)(
    "auto in worker threads without a driver gives the results of the processor",
    async () => {
      const results = await Promise.all(
        ["cpu", "auto"].map(async (device) => {
          const words = [
            "federate",
            "simulate",
            "plain.yaml",
            "--device",
            device,
            "--workers",
            "2",
            "-o",
            device,
          ];
          const ended = await runAlone(words, { cwd: folder, env: NO_DRIVER });
          expect(ended.code, ended.stderr).toBe(0);
          const text = readFileSync(join(folder, device, "simulation.json"), "utf8");
          return (JSON.parse(text) as { readonly runs: readonly object[] }).runs;
        }),
      );
      expect(results[0]).toHaveLength(1);
      expect(results[1]).toEqual(results[0]);
    },
  );
});

describe("files that were made on a device", () => {
  const makingOf = async (file: string) => {
    await using network = await openCheckpoint(join(folder, file));
    return JSON.parse(network.metadata["isthmus"] ?? "{}") as { readonly device?: string };
  };

  it("say so in their metadata, as does verify; those of the processor say nothing", async () => {
    for (const [i, name] of ["a", "b"].entries()) {
      const tensor = { dtype: "f32", shape: [2], data: Float32Array.of(i, 2) } as const;
      await saveCheckpoint(createCheckpoint({ w: tensor }), join(folder, `${name}.safetensors`));
    }
    writeFileSync(
      join(folder, "mean.yml"),
      "merge_method: linear\nmodels: [{ model: a.safetensors }, { model: b.safetensors }]\n",
    );
    const options = { cwd: folder };
    for (const [device, paths, file] of [
      ["webgpu", ["mean.yml"], "recipe.safetensors"],
      ["cpu", ["mean.yml"], "recipe-cpu.safetensors"],
      ["webgpu", ["a.safetensors", "b.safetensors"], "plain.safetensors"],
      ["cpu", ["a.safetensors", "b.safetensors"], "plain-cpu.safetensors"],
    ] as const) {
      // Nothing of these merges is computed by an engine, so that no driver is needed.
      const merged = await runCli(["merge", ...paths, "-o", file, "--device", device], options);
      expect(merged.code, merged.stderr).toBe(0);
      expect((await makingOf(file)).device).toBe(device === "cpu" ? undefined : device);
    }
    const there = await runCli(["verify", "recipe.safetensors"], options);
    expect(there.stdout).toMatch(/seed 0, on device webgpu$/m);
    expect(there.stdout).toMatch(/^bits +the same are promised of processors only/m);
    const here = await runCli(["verify", "recipe-cpu.safetensors"], options);
    expect(here.stdout).not.toMatch(/device|bits {2}/);
    expect(readFileSync(join(folder, "plain-cpu.safetensors"), "utf8")).not.toContain("device");
  });
});
