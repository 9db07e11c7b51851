// Kills the server of a federation at random moments while its clients go on, federation after federation, until it was hit often enough:
// every federation must end with the bytes of one whose server nobody killed, and with every client's update in every round.
//
//   npx tsx --conditions=@isthmus/source tools/kill-federation.ts [--kills 50] [--rounds 5] [--clients 3] [--seed 1] [--life MS]
//
// Prints a line of JSON for each federation, and ends with 1 if any was wrong. --life is the longest life of a server
// in milliseconds; by default half the time that the whole federation takes without a kill.
import { parseArgs } from "node:util";
import { runKilled } from "../packages/federation-server/test/kill-server.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "50" },
    rounds: { type: "string", default: "5" },
    clients: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    life: { type: "string" },
  },
});
const clients = Array.from({ length: Number(values.clients) }, (_, i) => `client-${i}`);
const options = { clients, plan: { rounds: Number(values.rounds) } };
const began = performance.now();
const whole = await runKilled(options, { seed: 0, kills: 0, most: 0 });
const most = Number(values.life ?? (performance.now() - began) / 2);
const expected = Array.from({ length: Number(values.rounds) }, () => clients.length);
let [kills, wrong] = [0, 0];
for (let seed = Number(values.seed); kills < Number(values.kills); seed++) {
  const killed = await runKilled(options, {
    seed,
    kills: Number(values.kills) - kills,
    most,
  });
  const same = killed.network === whole.network && killed.updates.join() === expected.join();
  if (!same) wrong++;
  kills += killed.kills;
  console.log(
    JSON.stringify({
      seed,
      kills: killed.kills,
      most: Math.round(most),
      same,
      network: killed.network.slice(0, 16),
    }),
  );
}
console.log(JSON.stringify({ kills, wrong }));
process.exitCode = wrong === 0 ? 0 : 1;
