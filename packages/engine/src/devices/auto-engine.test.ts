import type { Tensor } from "@isthmus/core";
import type { Engine, Graph } from "@isthmus/graph";
import { GraphBuilder, relu } from "@isthmus/graph/builder";
import { describe, expect, it } from "vitest";
import { type AutoParts, createAutoEngine } from "./auto-engine.ts";
import type { DeviceTrial } from "./try-device.ts";

function graphOf(name: string): Graph {
  const builder = new GraphBuilder(name, 17);
  const x = builder.input("x", { dtype: "f32", shape: [2] });
  return builder.build([builder.rename(relu(x), "y")]);
}

/** A clock that goes on as engines say how long their runs take. */
function createClock() {
  let ms = 0;
  const loads: string[] = [];
  const engineThatTakes = (name: string, takes: number | Error): Engine => ({
    name,
    sharesMemory: name === "onnxruntime",
    async load(graph) {
      loads.push(`${name} ${graph.name}`);
      if (takes instanceof Error) throw takes;
      return {
        async run(feeds: ReadonlyMap<string, Tensor>) {
          ms += takes;
          return new Map(feeds);
        },
        async release() {},
      };
    },
  });
  return { now: () => ms, loads, engineThatTakes };
}

const WORKS: DeviceTrial = { device: "webgpu", works: true };
const LACKS: DeviceTrial = { device: "cuda", works: false, missing: "CUDA 12", broughtBy: "NVIDIA" };

function setUp(takes: number | Error, trials: readonly DeviceTrial[] = [WORKS, LACKS]) {
  const { now, loads, engineThatTakes } = createClock();
  const notes: string[] = [];
  const parts: AutoParts = {
    processor: engineThatTakes("onnxruntime", 5),
    listTrials: async () => trials,
    engineOf: (device) => engineThatTakes(`onnxruntime-${device}`, takes),
    onNote: (text) => notes.push(text),
    now,
  };
  return { engine: createAutoEngine(parts), loads, notes };
}

describe("createAutoEngine()", () => {
  it("loads a graph on the fastest device, says which, and is named after it", async () => {
    const { engine, notes } = setUp(2);
    expect(engine.name).toBe("onnxruntime-auto");
    await engine.load(graphOf("wide"));
    expect(engine.name).toBe("onnxruntime-webgpu");
    expect(notes).toEqual([
      'Graph "wide" runs on onnxruntime-webgpu: onnxruntime 5.00 ms, onnxruntime-webgpu 2.00 ms',
    ]);
  });

  it("stays on the processor if that is faster, and tries graphs that are alike once", async () => {
    const { engine, notes, loads } = setUp(7);
    for (let time = 0; time < 3; time++) await engine.load(graphOf("narrow"));
    expect(engine.name).toBe("onnxruntime");
    expect(notes).toHaveLength(1);
    expect(loads.filter((load) => load.startsWith("onnxruntime-webgpu"))).toHaveLength(1);
  });

  it("goes on with the processor if a device refuses the graph, and says why", async () => {
    const { engine, notes } = setUp(new Error("too large for a binding"));
    await engine.load(graphOf("huge"));
    expect(engine.name).toBe("onnxruntime");
    expect(notes).toEqual([
      'Graph "huge" runs on onnxruntime: onnxruntime 5.00 ms, onnxruntime-webgpu refuses it: too large for a binding',
    ]);
  });

  it("goes on with the processor if no other device works, and says so once", async () => {
    const { engine, notes, loads } = setUp(2, [LACKS]);
    await engine.load(graphOf("a"));
    await engine.load(graphOf("b"));
    expect(loads).toEqual(["onnxruntime a", "onnxruntime b"]);
    expect(notes).toEqual(["Graphs run on the processor, as no other device works here: cuda needs CUDA 12"]);
  });

  it("chooses the engine of work that each does by a graph of its own", async () => {
    const { engine, loads, notes } = setUp(7);
    const asked: string[] = [];
    const workFor = async ({ name, sharesMemory }: Engine) => {
      asked.push(name);
      return { graph: graphOf(sharesMemory === true ? "in place" : "as a graph") };
    };
    const chosen = await engine.choose?.(workFor);
    expect(chosen?.sharesMemory).toBe(true);
    expect(new Set(asked)).toEqual(new Set(["onnxruntime", "onnxruntime-webgpu"]));
    expect(loads).toEqual(["onnxruntime in place", "onnxruntime-webgpu as a graph"]);
    expect(notes).toHaveLength(1);
    await chosen?.load(graphOf("in place"));
    expect(engine.name).toBe("onnxruntime");
    const other = await setUp(2).engine.choose?.(workFor);
    expect(other?.sharesMemory).toBe(false);
  });

  it("chooses the processor untried if no other device works", async () => {
    const { engine, loads } = setUp(2, [LACKS]);
    const chosen = await engine.choose?.(async () => ({ graph: graphOf("in place") }));
    expect(chosen?.sharesMemory).toBe(true);
    expect(loads).toEqual([]);
  });

  it("loads graphs of which every value is wanted as written on the processor, untried", async () => {
    const { engine, loads } = setUp(2);
    await engine.load(graphOf("probe"), { optimize: false });
    expect(loads).toEqual(["onnxruntime probe"]);
  });
});
