// Sends malformed requests, from a seed, to the server of a federation in a process of its own, and then runs the federation to its end: the
// server must answer or hang up on all, let nobody in, keep its memory bounded, and aggregate what clients send as if nothing had been.
//
//   npx tsx --conditions=@isthmus/source tools/fuzz-federation.ts [--count 10000] [--seed 1]
//
// Prints a line of JSON, and ends with 1 if anything was wrong.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startServer } from "../packages/federation-server/test/kill-server.ts";
import { sendMalformed } from "../packages/federation-server/test/malformed-requests.ts";
import { plainClient, takePart } from "../packages/federation-server/test/plain-client.ts";
import { makeFederation, makeUpdate } from "../packages/federation-server/test/small-federation.ts";
import { freePort } from "../test/helpers/free-port.ts";

const { values } = parseArgs({
  options: { count: { type: "string", default: "10000" }, seed: { type: "string", default: "1" } },
});
const port = await freePort();
const federation = await makeFederation({ port, plan: { rounds: 3 } });
const { child, url } = await startServer(federation);
const residentMb = (name: string): number =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) /
  1024;
const before = residentMb("VmRSS");
const token = federation.tokens.get("ada") as string;
const statuses = await sendMalformed(port, { seed: Number(values.seed), count: Number(values.count), token });
const after = residentMb("VmRSS");
await Promise.all(
  [...federation.tokens].map(([name, secret]) =>
    takePart(
      () => url,
      secret,
      (round, network) => makeUpdate(name, round, network),
    ),
  ),
);
const summary = (await (await plainClient(url, undefined).request("GET", "/v1/summary")).json()) as {
  readonly status: string;
  readonly history: readonly { readonly updates: number }[];
  readonly clients: readonly { readonly name: string }[];
};
const failures = [...statuses]
  .filter(([status]) => status >= 500 && status !== 505)
  .reduce((sum, [, count]) => sum + count, 0);
const names = summary.clients.map(({ name }) => name).join();
const right =
  failures === 0 &&
  summary.status === "finished" &&
  summary.history.every(({ updates }) => updates === 3) &&
  names === "ada,bea,cas" &&
  child.exitCode === null;
console.log(
  JSON.stringify({
    ...{ right, count: Number(values.count), statuses: Object.fromEntries([...statuses].sort()), names },
    residentMb: {
      before: Math.round(before),
      after: Math.round(after),
      most: Math.round(residentMb("VmHWM")),
    },
  }),
);
child.kill("SIGKILL");
await once(child, "exit");
federation.remove();
process.exitCode = right ? 0 : 1;
