// A server in a process of its own, as it is built, to be killed. Prints its address in one line.
//
//   node server-child.mjs CONFIG.json
import { readFileSync } from "node:fs";
import { serveFederation } from "@isthmus/federation-server";

const config = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { url } = await serveFederation(config, { logLevel: "error" });
process.stdout.write(`${url}\n`);
