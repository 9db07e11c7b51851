import { type ClientTask, presentClients, roundOf, taskOfClient } from "@isthmus/federated";
import type { FastifyInstance } from "fastify";
import { MOST_OF_A_ROUND } from "../server/event-budget.ts";
import type { Federation } from "../server/running-federation.ts";
import { attend } from "./attend.ts";
import { RefusedError } from "./refuse.ts";
import { FEDERATION_ANSWER, REFUSED, TASK_ANSWER } from "./schemas.ts";
import { unlessFull } from "./unless-full.ts";
import { mostBytes } from "./upload-routes.ts";

/** Largest number of seconds for which a request for a task is held open. */
const LONGEST_WAIT = 30;

/** Adds the routes by which clients join, ask for their task, and leave. */
export function addRoundRoutes(app: FastifyInstance, federation: Federation): void {
  const { config } = federation;
  app.get("/v1/federation", {
    schema: {
      response: { 200: FEDERATION_ANSWER, ...REFUSED },
      tags: ["rounds"],
      summary: "Read what does not change, and how far the federation is",
    },
    async handler(request) {
      const { status, network } = federation.state;
      const { rounds, quorum } = config.plan;
      return {
        name: config.name,
        client: request.client,
        status,
        rounds,
        quorum,
        network,
        round: roundOf(federation.state),
        bytes: mostBytes(federation),
        keep: federation.keptTensors,
        identity: federation.identity,
        graph: federation.graph !== null,
        training: { proximal: 0, ...config.training },
        loss: config.loss ?? null,
        privacy: config.strategy.privacy ?? null,
        secure: config.plan.secure !== null,
        signedSurvivors: config.plan.secure !== null,
        adapters: adaptersOf(federation),
      };
    },
  });

  app.get<{ Querystring: { wait: number } }>("/v1/rounds/current", {
    schema: {
      querystring: {
        type: "object",
        properties: { wait: { type: "number", minimum: 0, maximum: LONGEST_WAIT, default: 0 } },
      },
      response: { 200: TASK_ANSWER, ...REFUSED },
      tags: ["rounds"],
      summary: "Join, and ask what to do; with ?wait=SECONDS the answer comes once it is not to wait",
    },
    async handler(request, reply) {
      const { client } = request;
      attend(federation, request, reply);
      await unlessFull(federation, async () => {
        await federation.happen({ kind: "client-joined", client });
        await untilTask(federation, client, { seconds: request.query.wait, closed: request.signal });
      });
      return describeTask(taskOfClient(config.plan, federation.state, client), federation.now());
    },
  });

  app.delete("/v1/membership", {
    schema: { response: REFUSED, tags: ["rounds"], summary: "Leave; asking for a task joins again" },
    async handler(request, reply) {
      const { client } = request;
      const left = await unlessFull(federation, () => federation.happen({ kind: "client-left", client }));
      if (!left && presentClients(federation.state).includes(client)) {
        throw new RefusedError(
          429,
          `A client may leave ${MOST_OF_A_ROUND} times in a round: it counts as there until the round is over`,
        );
      }
      return reply.code(204).send();
    },
  });
}

/**
 * Waits until a client has a task, its connection is closed, or the server is closing, at most for some
 * seconds.
 */
function untilTask(
  federation: Federation,
  client: string,
  { seconds, closed }: { readonly seconds: number; readonly closed: AbortSignal },
): Promise<void> {
  const { config, changed, ended } = federation;
  const waits = (): boolean => taskOfClient(config.plan, federation.state, client).kind === "wait";
  if (seconds === 0 || !waits()) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      stop();
      closed.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, seconds * 1000);
    const stop = changed.listen(() => {
      if (ended.aborted || !waits()) finish();
    });
    closed.addEventListener("abort", finish);
  });
}

function describeTask(task: ClientTask, now: number) {
  return {
    task: task.kind,
    round: task.kind === "finished" ? null : task.round,
    network: task.kind === "wait" ? null : task.network,
    secondsLeft: task.kind === "train" ? Math.max(0, task.until - now) / 1000 : null,
    step: task.kind === "secure" ? task.step : null,
    reason: task.kind === "train" || task.kind === "secure" ? null : task.reason,
  };
}

/** Describes the ranks that adapters of updates may have; returns `null` if clients send no adapters. */
function adaptersOf({ config: { strategy, limits }, hasAdapters }: Federation): object | null {
  if (!hasAdapters) return null;
  const { alpha, rankStabilized = false } = { alpha: null, ...strategy.adapters };
  return { alpha, rankStabilized, rank: limits.rank };
}
