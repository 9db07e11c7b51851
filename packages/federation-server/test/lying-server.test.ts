import {
  type ClientMessage,
  drawSecret,
  type KeyPairMessage,
  openSecureClient,
  type RevealMessage,
  type RosterMessage,
  type SecureSettings,
  type SecureTask,
  type SurvivorsMessage,
} from "@isthmus/federated";
import { afterEach, describe, expect, it } from "vitest";
import { createLying, isSecure, makeTrust, NAMES, type Trust } from "./lying-clients.ts";
import { answerOf, type Lie } from "./lying-server.ts";
import { joinAs } from "./secure-small.ts";

const lying = createLying();
afterEach(() => lying.close());

/** Lets three clients take part, of which the first one asks a server that lies; returns what it does. */
async function joinLiar(lie: Lie, trust?: (name: string) => Trust) {
  const { joined, events, server } = await lying.join(lie, trust && { trust });
  return { ada: joined[0] as NonNullable<(typeof joined)[0]>, events, server };
}

/** Changes the roster that a client is given. */
const withRoster =
  (change: (keys: KeyPairMessage[], settings: SecureSettings) => void, posted: string[] = []): Lie =>
  async (request, honest) => {
    if (isSecure(request, 1, "POST"))
      posted.push((JSON.parse(request.body.toString()) as ClientMessage).kind);
    const answer = await honest();
    if (!isSecure(request, 1, "GET") || answer.status !== 200) return answer;
    const task = JSON.parse(answer.body.toString()) as SecureTask;
    if (task.step === "shares") change([...(task.message as RosterMessage).keys], task.settings);
    return answerOf(200, task);
  };

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

  it("goes into a sum whose keys clients signed that it knows", async () => {
    const { ada, server } = await joinLiar(
      withRoster(() => {}),
      makeTrust(),
    );
    expect((await ada).rounds).toEqual([1]);
    const keys = server.state.history[0]?.updates.map(({ client }) => client);
    expect(keys).toEqual(NAMES);
  });

  const strange = openSecureClient(
    { session: "s", clients: ["bea", "cas"], threshold: 2, elements: 1, range: 1, examplesCap: 1 },
    "bea",
    drawSecret(),
  ).message;
  it.each<[string, (keys: KeyPairMessage[], settings: SecureSettings) => void, RegExp]>([
    [
      "keys of its own in the name of another",
      ([, bea]) => bea && Object.assign(bea, { cipherKey: strange.cipherKey, maskKey: strange.maskKey }),
      /keys of "bea" must be signed .*: the signature is not of these keys and settings/,
    ],
    [
      "keys without a signature",
      ([, , cas]) => delete (cas as { signature?: string }).signature,
      /keys of "cas" must be signed .*: they are not signed; the server may be lying/,
    ],
    [
      "the signature of another",
      ([, bea, cas]) => bea && Object.assign(bea, { signature: cas?.signature }),
      /keys of "bea" must be signed/,
    ],
  ])("gives no shares to a server that hands out %s", async (_, change, message) => {
    const posted: string[] = [];
    const { ada } = await joinLiar(withRoster(change, posted), makeTrust());
    await expect(ada).rejects.toThrow(message);
    expect(posted).toEqual(["keys"]);
  });

  it("gives no shares to clients that it does not know, nor to others that were shown other settings", async () => {
    const trust = makeTrust();
    const { ada } = await joinLiar(
      withRoster(() => {}),
      (name) => ({
        ...trust(name),
        ...(name === "ada" && { peers: { bea: trust("ada").peers?.["bea"] ?? "" } }),
      }),
    );
    await expect(ada).rejects.toThrow(/keys of "cas" must be signed .*: that client is not known here/);
    const lower: Lie = async (request, honest) => {
      const answer = await honest();
      if (!isSecure(request, 1, "GET") || answer.status !== 200) return answer;
      const task = JSON.parse(answer.body.toString()) as SecureTask;
      return answerOf(200, { ...task, settings: { ...task.settings, range: 2 } });
    };
    const shown = await joinLiar(lower, trust);
    await expect(shown.ada).rejects.toThrow(/the signature is not of these keys and settings/);
  });

  it("sends nothing to a federation without masks if it knows its peers", async () => {
    const federation = await lying.serving.serve();
    const { identity, peers } = makeTrust()("ada");
    const joined = joinAs(federation, federation.server.url, "ada", { identity, peers });
    await expect(joined).rejects.toThrow(/requires "identity"/);
    await expect(joinAs(federation, federation.server.url, "ada", { peers })).rejects.toThrow(
      /"peers" alone/,
    );
  });

  it("asks with pauses if the server says at once, and again and again, that there is nothing to do", async () => {
    const asked: number[] = [];
    const { ada } = await joinLiar(async ({ path }, honest) => {
      if (!path.startsWith("/v1/rounds/current") || asked.length === 3) return honest();
      asked.push(performance.now());
      return answerOf(200, { task: "wait", reason: "there is nothing to do" });
    });
    await ada;
    const [first = 0, , last = 0] = asked;
    expect(last - first).toBeGreaterThan(1900);
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
