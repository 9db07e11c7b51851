import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, saveCheckpoint } from "@isthmus/core";
import type { CurvatureHistory } from "@isthmus/curvature";
import { encodeGraph, randomWeights } from "@isthmus/graph";
import type { TrainResult } from "@isthmus/training";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeStripes } from "../../../test/helpers/encode-stripes.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { killOnceThere, runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-train-"));
  writeFileSync(join(folder, "stripes.npz"), encodeStripes());
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => runCli(["train", ...args], { cwd: folder });
const json = (...args: string[]) => runJson<CliTrainResult>(["train", ...args], { cwd: folder });
const read = (name: string) => readFileSync(join(folder, name));

interface CliTrainResult extends TrainResult {
  readonly network: string;
  readonly evaluationData: string | null;
  readonly outputs: readonly string[];
  readonly measured?: CurvatureHistory;
}

const data = ["--data", "npz:stripes.npz", "--batch", "16"];

describe("isthmus train", () => {
  it("isthmus train writes a checkpoint and its graph, which can be used and trained on", async () => {
    const args = ["--net", "mlp:24", ...data, "--epochs", "8", "--seed", "1", "-o", "a.safetensors"];
    const result = await json(...args, "--eval-data", "npz:stripes.npz:test");
    expect(result).toMatchObject({
      network: "mlp:24",
      seed: 1,
      steps: 100,
      outputs: ["a.safetensors", "a.onnx"],
    });
    expect(result.evaluation?.accuracy).toBeGreaterThan(0.9);
    expect(readdirSync(folder).sort()).toEqual(["a.onnx", "a.safetensors", "stripes.npz"]);

    const bytes = read("a.safetensors");
    await json(...args);
    expect(read("a.safetensors").equals(bytes)).toBe(true);

    const tuned = await json(
      ...[
        "--graph",
        "a.onnx",
        "--from",
        "a.safetensors",
        ...data,
        "--epochs",
        "1",
        "-o",
        "tuned.safetensors",
      ],
    );
    expect(tuned.epochs[0]?.loss).toBeLessThan(2 * result.loss);
    expect(tuned).toMatchObject({
      network: "a.onnx",
      evaluationData: "npz:stripes.npz:test",
      outputs: ["tuned.safetensors"],
    });
    expect((await runCli(["symmetry", "a.onnx", "--verify"], { cwd: folder })).stdout).toContain("Verified");
  });

  it("isthmus train trains as a client does, and to other weights by each option", async () => {
    const trained = async (...more: string[]) => {
      await json("--net", "mlp:8", ...data, "--epochs", "2", ...more, "-o", "c.safetensors");
      return read("c.safetensors").toString("hex");
    };
    const all = [
      await trained(),
      await trained("--proximal", "0.5"),
      await trained("--curriculum", "easy-first", "--curriculum-start", "0.4"),
      await trained("--curriculum", "hard-first", "--pacing", "root", "--curriculum-full", "1"),
      await trained("--wasserstein", "2"),
      await trained("--wasserstein", "2", "--wasserstein-steps", "1", "--wasserstein-step-size", "0.1"),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(await trained("--proximal", "0")).toBe(all[0]);
    const refused = await run("--net", "mlp:8", ...data, "--pacing", "root", "-o", "d.safetensors");
    expect(refused.stderr).toContain("give --curriculum ORDER, too");
    const wild = await run("--net", "mlp:8", ...data, "--wasserstein", "-1", "-o", "d.safetensors");
    expect(wild.stderr).toContain('"gamma" must be more than 0: it is -1');
    expect([refused.code, wild.code]).not.toContain(0);
  });

  it.each(["GRU", "LSTM"] as const)(
    "isthmus train trains a %s of both directions that reads images row by row",
    async (op) => {
      const gates = { GRU: 3, LSTM: 4 }[op];
      const b = new GraphBuilder(20);
      const rows = b.transpose(b.reshape(b.input("x", [1, 4, 4]), 0, 4, 4), 1, 0, 2);
      const weights = [
        b.weight("w", [2, gates * 8, 4]),
        b.weight("r", [2, gates * 8, 8]),
        b.weight("b", [2, gates * 16]),
      ];
      const [all = ""] = b.ops(op, [rows, ...weights], 2, { hidden_size: 8, direction: "bidirectional" });
      const pooled = b.op("ReduceMax", [b.reshape(b.transpose(all, 2, 0, 1, 3), 0, 4, 16), b.ints(1)], {
        keepdims: 0,
      });
      const graph = b.output(b.linear(pooled, "head", 16, 3)).build();
      writeFileSync(join(folder, "rows.onnx"), encodeGraph(graph));
      await saveCheckpoint(createCheckpoint(randomWeights(graph, 1)), join(folder, "start.safetensors"));
      const args = [
        "--graph",
        "rows.onnx",
        "--from",
        "start.safetensors",
        ...data,
        "--epochs",
        "12",
        "--lr",
        "0.2",
        "-o",
        "a.safetensors",
      ];
      const result = await json(...args, "--eval-data", "npz:stripes.npz:test");
      expect(result.evaluation?.accuracy).toBeGreaterThan(0.9);
      const { stdout } = await runCli(
        ["symmetry", "rows.onnx", "--verify", "--checkpoint", "a.safetensors"],
        { cwd: folder },
      );
      expect(stdout).toContain("Verified");
    },
  );

  it("isthmus train stopped by a signal goes on to the same bytes", async () => {
    const args = [
      ...[
        "--net",
        "mlp:24:drop0.1",
        ...data,
        "--epochs",
        "40",
        "--flip",
        "--crop",
        "1",
        "--optimizer",
        "adamw",
      ],
      ...["--warmup", "20", "--clip", "1", "--label-smoothing", "0.1", "--save-every", "3"],
    ];
    await json(...args, "-o", "whole.safetensors");
    const state = join(folder, "a.state.safetensors");
    const stopped = await runAlone(["train", ...args, "-o", "a.safetensors", "--resume"], {
      cwd: folder,
      onStart: killOnceThere(state),
    });
    expect(stopped.stdout).toBe("");
    expect(existsSync(state)).toBe(true);
    const refused = await run(...args, "-o", "a.safetensors");
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(/must not replace an earlier one: the file exists; resume from it/);
    const other = await run(...args, "--lr", "0.5", "-o", "a.safetensors", "--resume");
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/"schedule\.learningRate" is 0\.001 there and 0\.5 here/);
    const resumed = await json(...args, "-o", "a.safetensors", "--resume");
    expect(resumed.resumedAt).toBeGreaterThan(0);
    expect(read("a.safetensors").equals(read("whole.safetensors"))).toBe(true);
    expect(existsSync(state)).toBe(false);
  });

  it("isthmus train measures curvature along a training, which ends with the same bytes, stopped or not", async () => {
    const args = ["--net", "mlp:24", ...data, "--epochs", "6"];
    await json(...args, "-o", "plain.safetensors");
    const measure = ["--measure", "curvature", "--measure-every", "2", "--measure-examples", "20"];
    const whole = await json(...args, ...measure, "-o", "whole.safetensors");
    expect(read("whole.safetensors").equals(read("plain.safetensors"))).toBe(true);
    expect(whole.measured?.points.map(({ at }) => at)).toEqual([0, 2, 4, 6]);
    expect(whole.outputs).toContain("whole.curvature.json");
    const history = JSON.parse(read("whole.curvature.json").toString());
    expect(history).toMatchObject({ ...whole.measured, provenance: {} });
    expect((await runCli(["report", "whole.curvature.json", "-o", "page.html"], { cwd: folder })).code).toBe(
      0,
    );
    expect(read("page.html").toString()).toContain('id="figure-trace"');

    await runAlone(["train", ...args, ...measure, "-o", "a.safetensors"], {
      cwd: folder,
      onStart: killOnceThere(join(folder, "a.state.safetensors")),
    });
    const other = ["--measure", "curvature", "--measure-every", "3", "-o", "a.safetensors", "--resume"];
    if (existsSync(join(folder, "a.state.safetensors")))
      expect((await run(...args, ...other)).stderr).toContain("choose the same options");
    const resumed = await json(...args, ...measure, "-o", "a.safetensors", "--resume");
    expect(resumed.measured?.points).toEqual(whole.measured?.points);
    expect(read("a.safetensors").equals(read("plain.safetensors"))).toBe(true);
    const refused = await run(...args, "--measure-every", "2", "-o", "b.safetensors");
    expect(refused.stderr).toContain("add --measure curvature");
  });

  it("isthmus train measures curvature by steps, from wherever it goes on", async () => {
    const args = ["--net", "mlp:24", ...data, "--epochs", "4", "--save-every", "4"];
    const measure = ["--measure", "curvature", "--measure-every", "4steps", "--measure-examples", "20"];
    const whole = await json(...args, ...measure, "-o", "whole.safetensors");
    const measuredAt = Array.from({ length: Math.floor(whole.steps / 4) + 1 }, (_, i) => 4 * i);
    expect(measuredAt.length).toBeGreaterThan(4);
    expect(whole.measured).toMatchObject({ unit: "step", every: 4 });
    expect(whole.measured?.points.map(({ at }) => at)).toEqual(measuredAt);

    await runAlone(["train", ...args, ...measure, "-o", "a.safetensors"], {
      cwd: folder,
      onStart: killOnceThere(join(folder, "a.state.safetensors")),
    });
    const resumed = await json(...args, ...measure, "-o", "a.safetensors", "--resume");
    expect(resumed.measured?.points).toEqual(whole.measured?.points);
    expect(read("a.safetensors").equals(read("whole.safetensors"))).toBe(true);
    await runCli(["report", "whole.curvature.json", "-o", "page.html"], { cwd: folder });
    expect(read("page.html").toString()).toContain(`From step 0 to ${measuredAt.at(-1)}`);
    for (const wrong of ["0", "2weeks", "1.5", "steps"]) {
      const refused = await run(
        ...args,
        "--measure",
        "curvature",
        "--measure-every",
        wrong,
        "-o",
        "b.safetensors",
      );
      expect(refused.stderr).toContain("such as 50steps");
    }
  });

  it("isthmus train stopped by SIGINT says how to go on", async () => {
    const state = join(folder, "a.state.safetensors");
    const args = ["--net", "mlp:24", ...data, "--epochs", "2000", "--save-every", "5", "-o", "a.safetensors"];
    const { code, stderr } = await runAlone(["train", ...args], {
      cwd: folder,
      onStart: (child) => {
        const watch = setInterval(() => {
          if (!existsSync(state)) return;
          clearInterval(watch);
          child.kill("SIGINT");
        }, 1);
      },
    });
    expect(code).toBe(130);
    expect(stderr).toMatch(/the state after \d+ steps is in "a\.state\.safetensors": --resume goes on/);
    expect(readdirSync(folder).sort()).toEqual(["a.state.safetensors", "stripes.npz"]);
  });

  it("isthmus train ends with 1 where training diverges, and keeps the last state", async () => {
    const { code, stderr } = await run(
      ...["--net", "mlp:24", ...data, "--epochs", "3", "--schedule", "step", "--step-every", "1"],
      ...["--step-factor", "1e30", "-o", "a.safetensors"],
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^isthmus train: Cannot go on training at step \d+ of 38, in epoch 2, as .* must stay finite/m,
    );
    expect(readdirSync(folder)).toContain("a.state.safetensors");
    expect(readdirSync(folder)).not.toContain("a.safetensors");
  });

  it("isthmus train shows what every epoch came to", async () => {
    const { code, stdout } = await run(
      "--net",
      "mlp:8",
      ...data,
      "--epochs",
      "2",
      "--quiet",
      "-o",
      "a.safetensors",
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^epoch +loss +accuracy +eval loss +eval accuracy\n +1 +\d\.\d+ +\d+\.\d\d % +\d\.\d+ +\d+\.\d\d %\n +2 /,
    );
    expect(stdout).toMatch(/^network +mlp:8, 163 numbers$/m);
    expect(stdout).toMatch(/^wrote +a\.safetensors, a\.onnx$/m);
  });

  it("isthmus train says what is wrong in one line, ends with 2 and writes nothing", async () => {
    const net = ["--net", "mlp:8", ...data];
    const out = ["-o", "x.safetensors"];
    const cases: [string[], RegExp][] = [
      [["--net", "mlp:8", ...out], /Required option '--data <name>' not specified/],
      [[...net], /Required option '-o, --output <file>' not specified/],
      [[...net, "-o", "x.bin"], /-o must name a file ending in \.safetensors: it is "x\.bin"/],
      [[...data, ...out], /one of --net and --graph must name the network: got neither/],
      [[...net, "--graph", "x.onnx", ...out], /got both/],
      [["--net", "mlq:8", ...data, ...out], /Cannot build network "mlq:8"/],
      [[...net, "--from", "missing.safetensors", ...out], /Cannot open "missing\.safetensors"/],
      [[...net, "--batch", "0", ...out], /must be a whole number from 1 to 1048576/],
      [[...net, "--batch", "500", ...out], /a batch must be at most the data set: it is 500 of 200/],
      [
        [...net, "--optimizer", "adam", "--momentum", "0.5", ...out],
        /--momentum belongs to sgd: the optimizer is adam/,
      ],
      [[...net, "--schedule", "step", ...out], /give --step-every EPOCHS/],
      [[...net, "--step-every", "2", ...out], /belong to --schedule step: it is cosine/],
      [[...net, "--lr", "-1", ...out], /"learningRate" must be/],
      [[...net, "--label-smoothing", "2", ...out], /labelSmoothing/],
      [[...net, "--save-graph", "x.safetensors", ...out], /must go to different files/],
      [["--net", "mlp:8", "--data", "npz:stripes.npz:dev", ...out], /Cannot /],
      [[...net, "-o", "stripes.npz/x.safetensors"], /"stripes\.npz" must be a folder: it is a file/],
      [
        [...net, "--loss", "mean-squared-error", "--label-smoothing", "0.1", ...out],
        /belongs to losses of classes/,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await run(...args);
      expect({ args, code, stdout, stderr }).toMatchObject({ args, code: 2, stdout: "" });
      expect(stderr).toMatch(message);
    }
    expect(readdirSync(folder)).toEqual(["stripes.npz"]);
  });
});
