import type { RevealMessage, SecureTask, SurvivorsMessage } from "@isthmus/federated";
import type { ClientEvent } from "@isthmus/federation-server/client";
import { afterEach, describe, expect, it } from "vitest";
import { type AskedRequest, answerOf, type Lie, lieFor } from "./lying-server.ts";
import { joinAs, makeSecure } from "./secure-small.ts";
import { createServing } from "./start-server.ts";

const serving = createServing();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await serving.close();
});

/** Lets three clients take part, of which the first one asks a server that lies; returns what it does. */
async function joinLiar(lie: Lie) {
  const federation = await makeSecure({ plan: { quorum: 3 } });
  closers.push(federation.remove);
  const { server } = await serving.reopen(federation);
  const liar = await lieFor(server.url, lie);
  const stop = new AbortController();
  closers.push(liar.close, () => stop.abort());
  const { signal } = stop;
  for (const name of ["bea", "cas"]) joinAs(federation, server.url, name, { signal }).catch(() => undefined);
  const events: ClientEvent[] = [];
  const onEvent = (event: ClientEvent) => void events.push(event);
  const ada = joinAs(federation, liar.url, "ada", { signal, onEvent });
  ada.catch(() => undefined);
  return { ada, events };
}

const isSecure = ({ method, path }: AskedRequest, round: number, wanted: string): boolean =>
  method === wanted && path === `/v1/rounds/${round}/secure`;

describe("a client of a secure sum whose server lies", () => {
  it("hides one update by the masks of a session, and no second one", async () => {
    let masked: SecureTask | undefined;
    let network = "";
    const uploads: Buffer[] = [];
    let isLying = false;
    const { events } = await joinLiar(async (request, honest) => {
      const { method, path, body } = request;
      if (method === "PATCH") uploads.push(body);
      // The update counts at the server, which says that it does not, and begins a round that there is not.
      if (path === "/v1/rounds/1/updates") isLying = true;
      if (isLying && path === "/v1/rounds/1/updates") return answerOf(409, { error: "it does not count" });
      if (isLying && path.startsWith("/v1/rounds/current"))
        return answerOf(200, { task: "train", round: 2, network });
      if (isLying && isSecure(request, 2, "GET")) return answerOf(200, masked ?? {});
      const answer = await honest();
      if (path.startsWith("/v1/models/")) network = path.slice("/v1/models/".length);
      if (isSecure(request, 1, "GET") && answer.status === 200) {
        const task = JSON.parse(answer.body.toString()) as SecureTask;
        if (task.step === "masked") masked = task;
      }
      return answer;
    });
    await expect
      .poll(() => events.some((event) => event.kind === "waiting" && /were used/.test(event.reason)), {
        timeout: 20_000,
      })
      .toBe(true);
    expect(uploads.map(({ length }) => length)).toEqual([4 * 60]);
  });

  it("reveals shares for one list of survivors, and for no other one", async () => {
    const reveals: RevealMessage[] = [];
    let asked: SecureTask | undefined;
    const { ada } = await joinLiar(async (request, honest) => {
      if (isSecure(request, 1, "POST")) {
        const message = JSON.parse(request.body.toString()) as RevealMessage;
        if (message.kind !== "reveal") return honest();
        reveals.push(message);
        return answerOf(409, { error: "it came too late" });
      }
      if (reveals.length > 0 && asked !== undefined) {
        if (isSecure(request, 1, "GET")) return answerOf(200, withoutCas(asked));
        if (request.path.startsWith("/v1/rounds/current"))
          return answerOf(200, { task: "secure", round: 1, step: "reveal" });
      }
      const answer = await honest();
      if (isSecure(request, 1, "GET") && answer.status === 200) {
        const task = JSON.parse(answer.body.toString()) as SecureTask;
        if (task.step === "reveal") asked = task;
      }
      return answer;
    });
    await expect(ada).rejects.toThrow(/Cannot take another list of survivors as it must name/);
    expect(reveals.map(({ selfMasks, maskKeys }) => [selfMasks.length, maskKeys.length])).toEqual([[3, 0]]);
  });
});

/** Returns a task whose list of survivors lacks a client. */
function withoutCas(task: SecureTask): SecureTask {
  const { survivors, ...message } = task.message as SurvivorsMessage;
  return { ...task, message: { ...message, survivors: survivors.filter((name) => name !== "cas") } };
}
