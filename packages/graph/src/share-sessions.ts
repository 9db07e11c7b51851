import type { Engine, LoadOptions, Session } from "./engine.ts";
import type { Graph } from "./ir/graph.ts";
import { withLoad } from "./with-load.ts";

/** An engine that loads a graph once for many users. */
export interface SharedEngine extends Engine {
  /** Frees all sessions; running a session afterwards fails. */
  close(): Promise<void>;
}

/** A loaded graph, and the number of users that have not released it yet. */
interface Shared {
  /** Engine that has loaded the graph: the shared one, or one that it chose. */
  readonly engine: Engine;
  readonly graph: Graph;
  readonly options: string;
  readonly session: Promise<Session>;
  users: number;
}

/** Number of unused sessions that are kept. */
const IDLE_SESSIONS = 8;

/**
 * Returns an engine that keeps the session of a graph after its release, and returns it when the same graph
 * object is loaded again with the same options. This is for work that trains or evaluates one architecture
 * repeatedly, when loading takes longer than running. The most recently used of the unused
 * sessions are kept.
 */
export function shareSessions(engine: Engine): SharedEngine {
  // Sessions in the order of their last use.
  let sessions: Shared[] = [];
  const forget = (shared: Shared) => {
    sessions = sessions.filter((one) => one !== shared);
  };
  const releaseIdle = async () => {
    const idle = sessions.filter(({ users }) => users === 0);
    for (const shared of idle.slice(0, Math.max(0, idle.length - IDLE_SESSIONS))) {
      forget(shared);
      await (await shared.session).release();
    }
  };
  // Users of one session have no memory of a device in common, as each has tensors of its own.
  const loadShared = async (
    inner: Engine,
    graph: Graph,
    { carried: _, staying: _none, ...options }: LoadOptions = {},
  ): Promise<Session> => {
    const key = JSON.stringify([options.threads ?? 0, options.optimize ?? true]);
    const isSame = (one: Shared) => one.engine === inner && one.graph === graph && one.options === key;
    const shared = sessions.find(isSame) ?? {
      engine: inner,
      graph,
      options: key,
      session: inner.load(graph, options),
      users: 0,
    };
    forget(shared);
    sessions.push(shared);
    shared.users++;
    try {
      const session = await shared.session;
      let isReleased = false;
      return {
        run: (feeds, out) => session.run(feeds, out),
        async release() {
          if (isReleased) return;
          isReleased = true;
          shared.users--;
          forget(shared);
          sessions.push(shared);
          await releaseIdle();
        },
      };
    } catch (error) {
      forget(shared);
      throw error;
    }
  };
  return Object.assign(withLoad(engine, loadShared), {
    async close() {
      const open = sessions;
      sessions = [];
      for (const { session } of open) await (await session).release();
    },
  });
}

/**
 * Runs a function with an engine that keeps its sessions until the function has ended: see
 * {@link shareSessions}.
 */
export async function withSharedSessions<T>(
  engine: Engine,
  work: (shared: Engine) => Promise<T>,
): Promise<T> {
  const shared = shareSessions(engine);
  try {
    return await work(shared);
  } finally {
    await shared.close();
  }
}
