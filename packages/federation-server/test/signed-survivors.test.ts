import type { ClientMessage, SecureTask, SurvivorsMessage, SurvivorsSignature } from "@isthmus/federated";
import { afterEach, describe, expect, it } from "vitest";
import { createLying, makeTrust, withTasks } from "./lying-clients.ts";
import { answerOf, type Lie } from "./lying-server.ts";

const lying = createLying();
afterEach(() => lying.close());

/** Notes what clients post, by kind. */
const noting =
  (posted: string[], lie: Lie): Lie =>
  (request, honest) => {
    if (request.method === "POST" && request.path.endsWith("/secure"))
      posted.push((JSON.parse(request.body.toString()) as ClientMessage).kind);
    return lie(request, honest);
  };

const honestly: Lie = (_, honest) => honest();

/** Changes the list of survivors of a task, before it is signed and after. */
function changeList(
  task: SecureTask,
  change: (message: SurvivorsMessage) => Partial<SurvivorsMessage>,
): SecureTask {
  const message = task.message as SurvivorsMessage;
  return { ...task, message: { ...message, ...change(message) } };
}

const without = (name: string) => (message: SurvivorsMessage) => ({
  survivors: message.survivors.filter((one) => one !== name),
  ...(message.signatures && { signatures: message.signatures.filter(({ client }) => client !== name) }),
});

describe("signed lists of survivors", () => {
  it("end a sum of clients that know each other, whose list each of them signed", async () => {
    const posted: string[] = [];
    const { joined, server } = await lying.join(noting(posted, honestly), { trust: makeTrust() });
    const results = await Promise.all(joined);
    expect(results.map(({ rounds }) => rounds)).toEqual([[1], [1], [1]]);
    expect(posted).toEqual(["keys", "shares", "confirm", "reveal"]);
    expect(server.state.history[0]?.attempts).toBe(1);
  });

  it("show a server that gives one list to one half and another to the other: nobody reveals a share", async () => {
    const names = ["ada", "bea", "cas", "dan"];
    const posted: string[] = [];
    const signed = new Map<string, string[]>();
    const halves = withTasks((task, _, { headers }) => {
      if (task.step !== "confirm" && task.step !== "reveal") return task;
      const client = String(headers["authorization"]).slice("Bearer ".length, "Bearer ".length + 3);
      const shown = client === "ada" || client === "bea" ? changeList(task, without("dan")) : task;
      if (task.step === "confirm") signed.set(client, [...(shown.message as SurvivorsMessage).survivors]);
      return shown;
    });
    const { joined } = await lying.join(noting(posted, halves), { names, trust: makeTrust(names), liars: 4 });
    const refused =
      /at least 3 clients that are known must have signed this very list .*: 2 of [34] signatures/;
    await Promise.all(joined.map((client) => expect(client).rejects.toThrow(refused)));
    expect([signed.get("ada"), signed.get("cas")]).toEqual([["ada", "bea", "cas"], names]);
    expect(posted.filter((kind) => kind === "confirm")).toHaveLength(4);
    expect(posted).not.toContain("reveal");
  });

  const two = "at least 2 clients that are known must have signed this very list";
  it.each<[string, (signatures: readonly SurvivorsSignature[]) => SurvivorsSignature[], string]>([
    ["no signatures", () => [], `${two} of survivors: 0 of 0`],
    ["its own signature alone", ([ada]) => [ada as SurvivorsSignature], `${two} of survivors: 1 of 1`],
    [
      "a hundred thousand signatures",
      ([ada]) => Array.from({ length: 100_000 }, () => ada as SurvivorsSignature),
      "and 99950 more",
    ],
  ])("let a client that is shown %s reveal only what the threshold signed", async (_, change, message) => {
    const posted: string[] = [];
    const lie = withTasks((task) =>
      task.step === "reveal"
        ? changeList(task, ({ signatures = [] }) => ({ signatures: change(signatures) }))
        : task,
    );
    const { joined } = await lying.join(noting(posted, lie), { trust: makeTrust() });
    await expect(joined[0]).rejects.toThrow(message);
    expect(posted).not.toContain("reveal");
  });

  it("are of one sum: the signatures of an earlier round count for nothing", async () => {
    const posted: string[] = [];
    let earlier: readonly SurvivorsSignature[] | undefined;
    const replay = withTasks((task, round) => {
      if (task.step !== "reveal") return task;
      const { signatures = [] } = task.message as SurvivorsMessage;
      if (round === 1) earlier = signatures;
      return round === 1 ? task : changeList(task, () => ({ signatures: earlier ?? [] }));
    });
    const { joined } = await lying.join(noting(posted, replay), { trust: makeTrust(), plan: { rounds: 2 } });
    await expect(joined[0]).rejects.toThrow(/1 of 3 signatures are of it/);
    expect(posted.filter((kind) => kind === "reveal")).toHaveLength(1);
  });

  it("are required of the server by clients that know each other, and of each of the others", async () => {
    const older: Lie = async (request, honest) => {
      const answer = await honest();
      if (request.path !== "/v1/federation") return answer;
      const { signedSurvivors: _, ...about } = JSON.parse(answer.body.toString()) as Record<string, unknown>;
      return answerOf(200, about);
    };
    const old = await lying.join(older, { trust: makeTrust() });
    await expect(old.joined[0]).rejects.toThrow(
      /requires "identity", .*: its server is of an earlier version/,
    );
    const trust = makeTrust();
    // Without "peers" a client of an older server goes on as before: its keys say nothing of lists.
    const mixed = await lying.join(older, {
      trust: (name) => (name === "ada" ? { identity: trust(name).identity } : trust(name)),
    });
    await expect(mixed.joined[1]).rejects.toThrow(/"ada" must sign the list of survivors later on, too/);
  });

  it("are left out if not every client has an identity", async () => {
    const posted: string[] = [];
    const trust = makeTrust();
    const { joined } = await lying.join(noting(posted, honestly), {
      trust: (name) => (name === "cas" ? {} : { identity: trust(name).identity }),
    });
    await Promise.all(joined);
    expect(posted).toEqual(["keys", "shares", "reveal"]);
  });
});

describe("an answer of a server", () => {
  it("is read up to a size, and refused above it", async () => {
    const flood: Lie = (request, honest) =>
      request.method === "GET" && request.path.endsWith("/secure")
        ? Promise.resolve({ status: 200, body: Buffer.alloc(2 ** 24 + 1, " ") })
        : honest();
    const { joined } = await lying.join(flood);
    await expect(joined[0]).rejects.toThrow(/answers must have at most 16777216 bytes/);
  });
});
