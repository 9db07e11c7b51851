import { describe, expect, it } from "vitest";
import type { Engine } from "./engine.ts";
import type { Graph } from "./ir/graph.ts";
import { shareSessions, withSharedSessions } from "./share-sessions.ts";

/** Makes an engine that tells what it loads and releases; graphs named `bad` are refused. */
function tellingEngine() {
  const told: string[] = [];
  const engine: Engine = {
    name: "telling",
    async load({ name }) {
      told.push(`load ${name}`);
      if (name === "bad") throw new Error("refused");
      return {
        run: async () => new Map(),
        async release() {
          told.push(`release ${name}`);
        },
      };
    },
  };
  return { engine, told };
}

const graphOf = (name: string) => ({ name }) as Graph;

describe("shareSessions()", () => {
  it("shareSessions() loads a graph once for the same options, and frees it when it is closed", async () => {
    const { engine, told } = tellingEngine();
    const shared = shareSessions(engine);
    const graph = graphOf("a");
    for (let user = 0; user < 3; user++) {
      const session = await shared.load(graph);
      expect(await session.run(new Map())).toEqual(new Map());
      await session.release();
    }
    await shared.load(graph, { threads: 1 });
    await shared.load(graphOf("a"));
    expect(told).toEqual(["load a", "load a", "load a"]);
    await shared.close();
    expect(told.filter((word) => word === "release a")).toHaveLength(3);
  });

  it("shareSessions() frees sessions that were used longest ago, and none that is in use", async () => {
    const { engine, told } = tellingEngine();
    const shared = shareSessions(engine);
    const used = await shared.load(graphOf("used"));
    const first = graphOf("0");
    for (let i = 0; i < 9; i++) {
      const session = await shared.load(i === 0 ? first : graphOf(String(i)));
      await session.release();
      await session.release(); // twice is as good as once
    }
    expect(told.filter((word) => word.startsWith("release"))).toEqual(["release 0"]);
    await shared.load(first);
    expect(told.filter((word) => word === "load 0")).toHaveLength(2);
    await used.release();
    expect(told).not.toContain("release used");
  });

  it("shareSessions() tries again what was refused", async () => {
    const { engine, told } = tellingEngine();
    const shared = shareSessions(engine);
    const bad = graphOf("bad");
    await expect(shared.load(bad)).rejects.toThrow("refused");
    await expect(shared.load(bad)).rejects.toThrow("refused");
    expect(told).toEqual(["load bad", "load bad"]);
    await shared.close();
  });
});

describe("withSharedSessions()", () => {
  const twice = async (engine: Engine, graph: Graph) => {
    for (let user = 0; user < 2; user++) await (await engine.load(graph)).release();
  };

  it("withSharedSessions() loads a graph once, frees it at the end, and returns what the work does", async () => {
    const { engine, told } = tellingEngine();
    const result = await withSharedSessions(engine, async (shared) => {
      await twice(shared, graphOf("a"));
      return told.length;
    });
    expect([result, told]).toEqual([1, ["load a", "release a"]]);
  });

  it("withSharedSessions() leaves sessions to an engine that shares them already", async () => {
    const { engine, told } = tellingEngine();
    const graph = graphOf("a");
    await withSharedSessions(engine, async (outer) => {
      for (let work = 0; work < 2; work++) await withSharedSessions(outer, (inner) => twice(inner, graph));
      expect(told).toEqual(["load a"]);
    });
    expect(told).toEqual(["load a", "release a"]);
  });

  it("withSharedSessions() frees sessions when the work fails", async () => {
    const { engine, told } = tellingEngine();
    const failing = withSharedSessions(engine, async (shared) => {
      await twice(shared, graphOf("a"));
      throw new Error("lost");
    });
    await expect(failing).rejects.toThrow("lost");
    expect(told).toEqual(["load a", "release a"]);
  });
});
