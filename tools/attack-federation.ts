// Attacks a federation from a seed, beside honest clients: uploads that are swapped or removed while they are checked, floods, replays, bytes of
// others, lost connections, wrong digests, long names, numbers that are not finite or huge, pieces out of order. The network of every round must be
// the aggregate of the sound updates that count, bit for bit, and the server must start again.
//
//   npx tsx --conditions=@isthmus/source tools/attack-federation.ts [--actions 10000] [--rounds 100] [--seed 1]
//
// Prints a line of JSON, and ends with 1 if anything was wrong. The server runs as it is built, in a process of its own.
import { once } from "node:events";
import { parseArgs } from "node:util";
import { attackFederation } from "../packages/federation-server/test/attack-federation.ts";
import { startServer } from "../packages/federation-server/test/kill-server.ts";

const { values } = parseArgs({
  options: {
    actions: { type: "string", default: "10000" },
    rounds: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
  },
});
const result = await attackFederation({
  ...{
    seed: Number(values.seed),
    actions: Number(values.actions),
    rounds: Number(values.rounds),
    restart: 10,
  },
  async start(federation) {
    const { child, url } = await startServer(federation);
    return {
      url,
      async stop() {
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      },
    };
  },
});
console.log(JSON.stringify(result));
process.exitCode = result.wrong.length === 0 ? 0 : 1;
