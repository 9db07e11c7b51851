import type { Engine, LoadOptions, Session } from "./engine.ts";
import type { Graph } from "./ir/graph.ts";

/** An engine that loads every graph once. */
export interface SharedEngine extends Engine {
  /** Frees all sessions; running one afterwards fails. */
  close(): Promise<void>;
}

/**
 * Returns an engine that keeps the session of a graph when it is released, and returns it when the same graph
 * object is loaded again with the same options: for work that trains or evaluates one architecture again and
 * again, where loading takes longer than running. Sessions are in use one at a time, or at once by callers
 * that only run them.
 */
export function shareSessions({ name, load }: Engine): SharedEngine {
  const sessions = new Map<Graph, Map<string, Promise<Session>>>();
  return {
    name,
    async load(graph: Graph, options: LoadOptions = {}) {
      const ofGraph = sessions.get(graph) ?? new Map<string, Promise<Session>>();
      sessions.set(graph, ofGraph);
      const key = JSON.stringify([options.threads ?? 0, options.optimize ?? true]);
      const session = ofGraph.get(key) ?? load(graph, options);
      ofGraph.set(key, session);
      try {
        const loaded = await session;
        return { run: (feeds, out) => loaded.run(feeds, out), release: async () => {} };
      } catch (error) {
        ofGraph.delete(key);
        throw error;
      }
    },
    async close() {
      const open = [...sessions.values()].flatMap((ofGraph) => [...ofGraph.values()]);
      sessions.clear();
      for (const session of open) await (await session).release();
    },
  };
}
